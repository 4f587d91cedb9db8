"""A model call as its bodies tell it, on the way to a trace or to the loss of one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from msgspec import Struct, field, structs

from rft_widgets.model.message import Message, Tool, ToolChoice
from rft_widgets.model.trace import Choice, LossCode, Trace, TraceLoss, Usage
from rft_widgets.traces.parts import without_empty_media
from rft_widgets.traces.reader import Document, Reading


class LostCall(Exception):  # noqa: N818 - it is what happened to the call
    """A model call that cannot become a trace, with the reason that its loss will carry."""

    def __init__(self, code: LossCode, message: str, span_id: str | None = None) -> None:
        super().__init__(message)
        self.code: LossCode = code
        self.span_id = span_id


class Exchange(Struct, frozen=True, kw_only=True):
    """What the bodies of one call say."""

    messages: tuple[Message, ...]
    choices: tuple[Choice, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    span_id: str | None = None
    thread_id: str | None = None
    started_at: datetime | None = None
    model: str | None = None
    response_model: str | None = None
    provider: str | None = None
    params: dict[str, Any] = field(default_factory=dict)
    usage: Usage | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    gaps: tuple[tuple[LossCode, str], ...] = ()
    """What the bodies refer to and do not hold."""

    def with_gap(self, code: LossCode, what: str) -> Exchange:
        """Add something that the source refers to and does not hold."""
        return structs.replace(self, gaps=(*self.gaps, (code, what)))


def read_each(
    documents: Iterable[Document], read_one: Callable[[Document], Iterable[Reading]]
) -> Iterator[Reading]:
    """Read documents that each stand alone; what goes wrong in one becomes its loss."""
    for document in documents:
        yield from guarded(document.location, partial(read_one, document))


def guarded(
    location: str, read: Callable[[], Iterable[Reading]], span_id: str | None = None
) -> Iterator[Reading]:
    """Give out what ``read`` gives, or the loss that it ends in."""
    try:
        readings = tuple(read())
    except LostCall as lost:
        yield TraceLoss(
            code=lost.code, message=str(lost), location=location, span_id=lost.span_id or span_id
        )
    except (ValueError, OverflowError, RecursionError) as error:
        # Wrong shapes, text that is no JSON or no UTF-8, numbers out of range, endless nesting.
        yield TraceLoss(code="undecodable", message=str(error), location=location, span_id=span_id)
    else:
        yield from readings


def to_readings(exchange: Exchange, **known: Any) -> Iterator[Reading]:
    """Trace of an exchange, after the losses of what is missing in it.

    ``known`` are fields of `Trace` that the caller knows; they replace those of the bodies, except
    where they are ``None``. ``metadata`` is merged.
    """
    fields = {name: getattr(exchange, name) for name in exchange.__struct_fields__}
    gaps = list(fields.pop("gaps"))
    fields |= {name: value for name, value in known.items() if value is not None}
    fields["metadata"] = exchange.metadata | (known.get("metadata") or {})
    missing: list[str] = []
    fields["messages"] = tuple(without_empty_media(each, missing) for each in exchange.messages)
    trace = Trace(**fields)
    for code, what in (*gaps, *(("image_without_data", each) for each in missing)):
        yield TraceLoss(code=code, message=what, location=trace.location, span_id=trace.span_id)
    yield trace


def moment(value: Any) -> datetime | None:
    """Time from seconds or milliseconds since 1970, or from ISO text; else ``None``."""
    try:
        if isinstance(value, str):
            when = datetime.fromisoformat(value)
            return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0:
            return datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def text_or_none(value: Any) -> str | None:
    """Text that is not empty, else ``None``."""
    return value if isinstance(value, str) and value else None


def number_or_none(value: Any) -> float | None:
    """Finite number, else ``None``."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) < 1e300 else None


def usage_of(response: Any) -> Usage | None:
    """Tokens that a response counts; cached ones are part of its input, reasoning of its output."""
    counts = response.get("usage") if isinstance(response, Mapping) else None
    if isinstance(counts, Mapping):
        return _usage(counts)
    counts = response.get("usageMetadata") if isinstance(response, Mapping) else None
    return _gemini_usage(counts) if isinstance(counts, Mapping) else None


def _usage(counts: Mapping[str, Any]) -> Usage | None:
    cached = _count(counts, "cache_read_input_tokens", "cacheReadInputTokens")
    written = _count(counts, "cache_creation_input_tokens", "cacheWriteInputTokens")
    given = _count(counts, "prompt_tokens", "input_tokens", "inputTokens")
    output = _count(counts, "completion_tokens", "output_tokens", "outputTokens")
    # Anthropic and Bedrock count cached input apart, OpenAI within.
    input_tokens = None if given is None else given + (cached or 0) + (written or 0)
    inner = _details(counts, "prompt_tokens_details", "input_tokens_details")
    outer = _details(counts, "completion_tokens_details", "output_tokens_details")
    return _known(
        Usage(
            input_tokens=input_tokens,
            output_tokens=output,
            total_tokens=_count(counts, "total_tokens", "totalTokens"),
            reasoning_tokens=_count(outer, "reasoning_tokens"),
            cached_tokens=_count(inner, "cached_tokens") if cached is None else cached,
        )
    )


def _gemini_usage(counts: Mapping[str, Any]) -> Usage | None:
    thought = _count(counts, "thoughtsTokenCount")
    written = _count(counts, "candidatesTokenCount")
    known = thought is not None or written is not None
    return _known(
        Usage(
            input_tokens=_count(counts, "promptTokenCount"),
            output_tokens=(written or 0) + (thought or 0) if known else None,
            total_tokens=_count(counts, "totalTokenCount"),
            reasoning_tokens=thought,
            cached_tokens=_count(counts, "cachedContentTokenCount"),
        )
    )


def _known(usage: Usage) -> Usage | None:
    return None if usage == Usage() else usage


def _count(counts: Mapping[str, Any], *names: str) -> int | None:
    for name in names:
        value = counts.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53:
            return value
    return None


def _details(counts: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    return next((counts[n] for n in names if isinstance(counts.get(n), Mapping)), {})
