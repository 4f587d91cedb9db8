"""One record as a page shows it: texts and facts, nothing that a page would have to interpret."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from rft_widgets.dataset import OptimizationDataset
from rft_widgets.model.message import Message, Tool
from rft_widgets.model.record import TAGS, Record, RecordVersion, TopicMethod, ValidationIssue

_COMPARED = ("input", "output", "item", "metadata")


class ShownPart(Struct, frozen=True, kw_only=True):
    """A part of a message: text, or in words what else it is."""

    kind: str
    """``text``, or the part's own type."""
    text: str


class ShownCall(Struct, frozen=True, kw_only=True):
    """A tool call of a message."""

    id: str | None
    name: str
    arguments: str


class ShownMessage(Struct, frozen=True, kw_only=True):
    """A message of a conversation."""

    tag: str
    role: str
    name: str | None
    parts: tuple[ShownPart, ...]
    calls: tuple[ShownCall, ...]
    answers: str | None
    """Id of the tool call that it answers."""
    extra: str
    """Keys beyond the usual ones, as JSON; empty without any."""


class ShownTool(Struct, frozen=True, kw_only=True):
    """A tool that the model was offered."""

    name: str
    description: str
    parameters: str
    """The JSON schema; empty without one."""


class ShownGrade(Struct, frozen=True, kw_only=True):
    """What the last dry run said of an answer."""

    reward: float | None
    reasoning: str | None
    error: str | None


class ShownEdit(Struct, frozen=True, kw_only=True):
    """An edit: when, and which parts it changed."""

    version: int
    """What the record had before."""
    at: datetime
    parts: tuple[str, ...]


class RecordDetail(Struct, frozen=True, kw_only=True):
    """A record with everything that is known of it. JSON values are texts."""

    id: str
    version: int
    input: tuple[ShownMessage, ...]
    output: tuple[ShownMessage, ...]
    tools: tuple[ShownTool, ...]
    tool_choice: str
    finish_reason: str | None
    item: str
    metadata: str
    topic: str | None
    topic_confidence: float | None
    topic_method: TopicMethod | None
    topic_runner_up: str | None
    previous_topic: str | None
    is_valid: bool
    issues: tuple[ValidationIssue, ...]
    score: float | None
    grades: tuple[ShownGrade, ...]
    tokens: int
    is_generated: bool
    strategy: str | None
    source_record_id: str | None
    source_is_here: bool
    span_id: str | None
    thread_id: str | None
    created_at: datetime
    updated_at: datetime
    edits: tuple[ShownEdit, ...]


def read_detail(dataset: OptimizationDataset, record_id: str) -> RecordDetail:
    """Read a record and everything that is known of it."""
    record = dataset.record(record_id)
    strategy = record.metadata.get("strategy")
    source = record.source_record_id
    return RecordDetail(
        id=record.id,
        version=record.version,
        input=tuple(map(shown_message, record.input.messages)),
        output=tuple(map(shown_message, record.output.messages)),
        tools=tuple(map(shown_tool, record.input.tools)),
        tool_choice=_inline(record.input.tool_choice),
        finish_reason=record.output.finish_reason,
        item=_json(record.item),
        metadata=_json(record.metadata),
        topic=record.topic,
        topic_confidence=record.topic_confidence,
        topic_method=record.topic_method,
        topic_runner_up=record.topic_runner_up,
        previous_topic=record.previous_topic,
        is_valid=record.is_valid,
        issues=record.validation_errors,
        score=record.dry_run_score,
        grades=tuple(
            ShownGrade(reward=one.reward, reasoning=one.reasoning, error=one.error)
            for one in dataset.graded_answers(record_id)
        ),
        tokens=record.tokens,
        is_generated=record.is_generated,
        strategy=strategy if record.is_generated and isinstance(strategy, str) else None,
        source_record_id=source,
        source_is_here=source is not None
        and dataset.selection_size(dataset.select(ids=[source])).records > 0,
        span_id=record.span_id,
        thread_id=record.thread_id,
        created_at=record.created_at,
        updated_at=record.updated_at,
        edits=tuple(_edits(dataset.history(record_id), record)),
    )


def _edits(versions: Sequence[RecordVersion], now: Record) -> Iterator[ShownEdit]:
    """The newest first."""
    after: RecordVersion | Record = now
    for before in reversed(versions):
        parts = tuple(name for name in _COMPARED if getattr(before, name) != getattr(after, name))
        yield ShownEdit(version=before.version, at=before.replaced_at, parts=parts)
        after = before


def shown_message(message: Message) -> ShownMessage:
    """Give a message as a page shows it."""
    return ShownMessage(
        tag=TAGS.get(message.role, message.role.upper()),
        role=message.role,
        name=message.name,
        parts=tuple(_parts(message)),
        calls=tuple(
            ShownCall(
                id=call.id,
                name=call.function.name if call.function else call.type,
                arguments=_pretty(call.function.arguments) if call.function else _json(call.extra),
            )
            for call in message.tool_calls
        ),
        answers=message.tool_call_id,
        extra=_json(message.extra) if message.extra else "",
    )


def _parts(message: Message) -> Iterator[ShownPart]:
    if isinstance(message.content, str):
        if message.content:
            yield ShownPart(kind="text", text=message.content)
        return
    for part in message.content or ():
        kind, text = part.get("type"), part.get("text")
        if isinstance(text, str):
            yield ShownPart(kind="text", text=text)
        else:
            yield ShownPart(kind=str(kind or "part")[:40], text=_in_words(part))


def _in_words(part: dict[str, Any]) -> str:
    """Say what a part is. Its data is neither shown nor fetched."""
    url = part.get("image_url")
    url = url.get("url") if isinstance(url, dict) else url
    if isinstance(url, str):
        if not url.startswith("data:"):
            return url
        return f"{url[5:].split(',')[0].split(';')[0][:80]}, {len(url):,} characters"
    return f"{len(_json(part)):,} characters"


def shown_tool(tool: Tool) -> ShownTool:
    """Write a tool as a page shows it."""
    function = tool.function
    if function is None:
        return ShownTool(name=tool.type, description="", parameters=_json(tool.extra))
    return ShownTool(
        name=function.name,
        description=function.description or "",
        parameters=_json(function.parameters) if function.parameters else "",
    )


def _inline(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return msgspec.json.encode(value).decode()


def _pretty(text: str) -> str:
    """JSON text on several lines; what is none stays as it is."""
    try:
        return msgspec.json.format(text, indent=2)
    except (msgspec.DecodeError, RecursionError):
        return text


def _json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
