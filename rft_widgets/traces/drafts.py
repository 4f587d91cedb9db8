"""Record drafts out of traces, and which calls of a thread are worth one."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from typing import Any

import msgspec

from rft_widgets.model.message import Message, to_json
from rft_widgets.model.record import RecordDraft, RecordInput, RecordOutput
from rft_widgets.model.trace import Choice, Trace
from rft_widgets.traces.documents import Undecodable, decode


def to_draft(trace: Trace) -> RecordDraft:
    """Make the record draft of a trace.

    Input is the request, output the first answer; an object ``item`` in the trace's metadata is
    what graders will find. All else that the trace tells, further answers included, is under
    ``metadata["trace"]``.
    """
    first = trace.choices[0] if trace.choices else None
    told = {
        "trace_id": trace.trace_id,
        "span_id": trace.span_id,
        "parent_span_id": trace.parent_span_id,
        "model": trace.model,
        "response_model": trace.response_model,
        "provider": trace.provider,
        "usage": msgspec.to_builtins(trace.usage),
        "cost_usd": trace.cost_usd,
        "latency_ms": trace.latency_ms,
        "started_at": trace.started_at.isoformat() if trace.started_at else None,
        "params": trace.params or None,
        "format": trace.format,
        "location": trace.location,
        "scores": msgspec.to_builtins(trace.scores) or None,
        "other_choices": [
            {"message": to_json(choice.message)}
            | ({"finish_reason": choice.finish_reason} if choice.finish_reason else {})
            for choice in trace.choices[1:]
        ]
        or None,
        # The application's own key of that name must not hide ours.
        "metadata": {"trace": trace.metadata["trace"]} if "trace" in trace.metadata else None,
    }
    known = {key: value for key, value in told.items() if value is not None}
    metadata = dict(trace.metadata)
    item = metadata.pop("item") if isinstance(metadata.get("item"), dict) else {}
    # Lines of chat JSONL are records already, with a name and a topic of their own.
    names = ("id", "topic") if trace.format == "chat_jsonl" else ()
    own = {name: metadata.pop(name) for name in names if name in metadata}
    return RecordDraft(
        input=RecordInput(trace.messages, trace.tools, trace.tool_choice),
        output=RecordOutput((first.message,), first.finish_reason) if first else RecordOutput(),
        item=item,
        metadata={**metadata, "trace": known},
        span_id=trace.span_id,
        thread_id=trace.thread_id,
        topic_method="import" if "topic" in own else None,
        **own,
    )


def last_turns(numbered: Iterable[tuple[int, Trace]], left_out: Collection[int]) -> frozenset[int]:
    """Find of each thread the call with the longest conversation, the latest of equals.

    Calls come with a number each; those in ``left_out`` do not count. A call without a thread is
    a thread of its own.
    """
    best: dict[str, tuple[int, _When]] = {}
    alone: list[int] = []
    for number, trace in numbered:
        if number in left_out:
            continue
        if trace.thread_id is None:
            alone.append(number)
            continue
        said = len(trace.messages) + trace.has_response
        rank = (said, _when(number, trace))
        best[trace.thread_id] = max(rank, best.get(trace.thread_id, rank))
    return frozenset(alone) | {number for _, (_, number) in best.values()}


def repeated(numbered: Iterable[tuple[int, Trace]]) -> frozenset[int]:
    """Find calls whose conversation and answer a later call of the same thread begins with."""
    latest: dict[bytes, _When] = {}
    ends: list[tuple[int, _When, list[bytes]]] = []
    for number, trace in numbered:
        if trace.thread_id is None:
            continue
        when = _when(number, trace)
        digest = trace.thread_id.encode("utf-8", "surrogatepass")
        for message in trace.messages:
            digest = _chained(digest, message)
            latest[digest] = max(when, latest.get(digest, when))
        wholes = [_chained(digest, choice.message) for choice in trace.choices]
        ends.append((number, when, wholes or [digest]))
    return frozenset(
        number
        for number, when, wholes in ends
        if any(whole in latest and latest[whole] > when for whole in wholes)
    )


_When = tuple[float, int]


def _when(number: int, trace: Trace) -> _When:
    return (trace.started_at.timestamp() if trace.started_at else 0.0, number)


def _chained(before: bytes, message: Message) -> bytes:
    # An answer comes back in the next request with other empties and other spacing of its
    # arguments; what was said is the same.
    calls = [
        (call.function.name, _canonical(call.function.arguments), call.id)
        for call in message.tool_calls
        if call.function
    ]
    parts = message.content if isinstance(message.content, tuple) else ()
    is_text = all(part.get("type") == "text" for part in parts)
    content = message.text if is_text else parts
    said = msgspec.json.encode((message.role, content, calls, message.tool_call_id), order="sorted")
    return hashlib.blake2b(before + said, digest_size=16).digest()


def _canonical(arguments: str) -> Any:
    try:
        return decode(arguments)
    except Undecodable:
        return arguments


def to_trace(draft: RecordDraft, location: str) -> Trace:
    """Make a trace of a record, as far as one can be: to look at records as one looks at traces."""
    return Trace(
        format="records",
        location=location,
        messages=draft.input.messages,
        choices=tuple(Choice(message) for message in draft.output.messages[:1]),
        tools=draft.input.tools,
        tool_choice=draft.input.tool_choice,
    )
