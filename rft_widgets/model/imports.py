"""Imports as values: what a file holds before it is imported, and what imports did."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from msgspec import Struct

from rft_widgets.model.record import TaggedText

RECORDS = "records"
"""`FileCheck.format` of a file whose lines are records; of others the name of a trace format."""

CODE_WORDS: Mapping[str, str] = {
    "empty_messages": "There are no messages",
    "invalid_role": "A message has an unknown role",
    "no_user_message": "There is no message of the user",
    "empty_user_message": "The user's last message is empty",
    "user_message_too_short": "The user's last message is too short",
    "missing_tool_call_id": "A tool result does not say which call it answers",
    "orphan_tool_result": "A tool result answers a call that is not there",
    "exceeds_max_tokens": "The conversation is too long",
    "duplicate": "It repeats an earlier record",
    "invalid_json": "The line is not JSON",
    "invalid_utf8": "The line is not UTF-8",
    "duplicate_key": "A key stands twice in one object",
    "non_finite_number": "A number is infinite or not a number",
    "number_too_long": "A number has too many digits",
    "lone_surrogate": "A text holds half of a character",
    "nul_character": "A text holds the character U+0000",
    "too_deep": "Arrays and objects nest too deep",
    "line_too_long": "The line is too long",
    "invalid_data_structure": "The line is not an object",
    "missing_input": "The record has no input",
    "missing_messages": "There is no list of messages",
}
"""What each code of a record or a line means."""


class CodeCount(Struct, frozen=True):
    """How many records or lines have a fault."""

    code: str
    words: str
    count: int


def code_counts(counts: Mapping[str, int]) -> tuple[CodeCount, ...]:
    """Say counts by code in words, the most frequent first."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(CodeCount(code, CODE_WORDS.get(code, code), count) for code, count in ordered)


class LineIssue(Struct, frozen=True):
    """One fault of a line of a file. A refused line became no record, any other an invalid one."""

    line: int
    code: str
    message: str
    refused: bool


class RecordCounts(Struct, frozen=True, kw_only=True):
    """Records of an import; ``duplicates`` are among the invalid ones."""

    valid: int = 0
    invalid: int = 0
    duplicates: int = 0


class CheckedRecord(Struct, frozen=True, kw_only=True):
    """One of the first records of a file: its first messages, and what is wrong with it."""

    line: int
    messages: tuple[TaggedText, ...]
    more: int
    """Messages beyond those."""
    issues: tuple[str, ...]


class FileCheck(Struct, frozen=True, kw_only=True):
    """What a file holds. ``records + refused + blank == lines``, as in the import of it.

    Attributes
    ----------
    format
        ``"records"``, or the name of a trace format; of such a file a model call counts as a line.
    append, replace
        Counts of an import in each mode: a record that repeats one of the dataset is no duplicate
        when the dataset's records go.
    faults
        Records by each rule that they break, whether they repeat others not regarded.
    refusals
        Lines that hold no record.
    lost_calls
        Model calls of a trace file that cannot be read.
    issues
        The first 1,000 faults of lines, of ``issue_count``.
    fingerprint
        Tells this file from others; an unfinished import of it has the same.
    """

    format: str
    lines: int
    blank: int
    records: int
    refused: int
    append: RecordCounts
    replace: RecordCounts
    faults: tuple[CodeCount, ...]
    refusals: tuple[CodeCount, ...]
    lost_calls: int
    preview: tuple[CheckedRecord, ...]
    issues: tuple[LineIssue, ...]
    issue_count: int
    fingerprint: str


class ImportInfo(Struct, frozen=True, kw_only=True):
    """One import of a dataset: what it was of, what came of it, and whether it ended."""

    id: str
    mode: Literal["append", "replace"]
    source: str
    """Name of the file, or what else the records came from."""
    finished: bool
    current: bool
    """Whether its records were not replaced since."""
    started_at: datetime
    updated_at: datetime
    lines: int
    blank: int
    imported: int
    valid: int
    invalid: int
    duplicates: int
    refused: int
    fingerprint: str | None
    """Of the file; an import without one cannot be resumed."""


class RecordDates(Struct, frozen=True, kw_only=True):
    """Between when records were added, and recorded where they come from; ``None``: not known."""

    added_first: datetime | None = None
    added_last: datetime | None = None
    recorded_first: datetime | None = None
    recorded_last: datetime | None = None


class PulledSource(Struct, frozen=True, kw_only=True):
    """A source of traces that can be read again for what has come since."""

    location: str
    """Path or address."""
    read_at: datetime
    """When it was read last."""
