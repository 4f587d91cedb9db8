"""Files of traces among the files of records."""

from __future__ import annotations

from itertools import islice

from rft_widgets.errors import RftError
from rft_widgets.steps.lines import Source, read_lines
from rft_widgets.steps.parse import parse_line
from rft_widgets.steps.refusals import LineRefused
from rft_widgets.traces.source import TraceSource, open_traces

_LOOKED_AT = 20
_NO_RECORD = frozenset({"missing_input", "missing_messages", "invalid_data_structure"})
_PLAIN = "chat_jsonl"
"""The reader of traces that takes any line with messages, which are records as well."""


def traces_in(source: Source) -> TraceSource | None:
    """Open a file as traces, where its first lines are no records and a trace format is known."""
    looked_at = False
    for line in islice(read_lines(source), _LOOKED_AT):
        if not line.content or line.content.isspace():
            continue
        looked_at = True
        try:
            parse_line(line.content)
        except LineRefused as refused:
            if refused.code not in _NO_RECORD:
                return None
        else:
            return None
    if not looked_at:
        return None
    try:
        traces = open_traces(source.path)
        return None if traces.format == _PLAIN or not traces.total() else traces
    except RftError:  # of no format that is known: each line is refused with its reason
        return None
