"""OpenTelemetry GenAI spans in every form they have had, and their content in events and logs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from rft_widgets.model.message import MessageShapeError, Tool
from rft_widgets.model.trace import LossCode, Score, Trace, TraceLoss, Usage
from rft_widgets.traces import openinference, otlp
from rft_widgets.traces.otel_content import (
    DETAILS,
    Content,
    holds_both_sides,
    listed_events,
    read_content,
    read_tools,
)
from rft_widgets.traces.otlp import Event, LogEvent, Span, parsed
from rft_widgets.traces.reader import Document, OtherSpan, Reading

NAME = "otel_genai"


def matches(value: Any) -> bool:
    """Whether a document is OTLP-JSON, or a span or log record that is not OpenInference's."""
    if not isinstance(value, Mapping) or not otlp.is_telemetry(value):
        return False
    return _is_envelope(value) or not openinference.matches(value)


def read(documents: Iterable[Document]) -> Iterator[Reading]:
    """Traces and losses of spans; log events are joined to their span whichever comes first.

    A span that holds both what was asked and what was answered comes out at once. The others wait
    until the end for the log records that may hold the rest.
    """
    waiting: list[Span] = []
    logged: dict[_Key, list[LogEvent]] = {}
    done: set[int] = set()
    for document in documents:
        for item in otlp.read(document):
            key = (item.trace_id, item.span_id)
            if isinstance(item, LogEvent):
                if not item.event.name.startswith("gen_ai."):
                    continue
                if item.span_id is None:
                    yield from _without_span([item])
                elif hash(key) not in done:
                    logged.setdefault(key, []).append(item)
            elif openinference.describes(item):
                yield from openinference.convert(item)
                logged.pop(key, None)
                done.add(hash(key))
            elif _is_settled(item) or item.span_id is None:
                events = tuple(log.event for log in logged.pop(key, ()))
                yield from _convert(item, events)
                done.add(hash(key))
            else:
                waiting.append(item)
    for span in waiting:
        logs = logged.pop((span.trace_id, span.span_id), [])
        yield from _convert(span, tuple(log.event for log in logs))
    for logs in logged.values():
        yield from _without_span(logs)


_Key = tuple[str | None, str | None]

_CHAT = frozenset({"chat", "text_completion", "completion", "generate_content"})
_NOT_CHAT = frozenset(
    {
        "embedding", "embeddings", "image_generation", "moderation", "rerank", "speech",
        "text_to_speech", "transcription",
    }
)  # fmt: skip
_EVALUATION = "gen_ai.evaluation.result"
_THREAD = (
    "gen_ai.conversation.id", "session.id", "vllora.thread_id", "langfuse.session.id",
    "traceloop.association.properties.session_id", "traceloop.association.properties.thread_id",
    "traceloop.association.properties.chat_id",
)  # fmt: skip
_PARAM_NAMES = {"stop_sequences": "stop", "choice.count": "n"}
_ASSOCIATION = "traceloop.association.properties."
_ITEM = "rft.item"  # what an application tells graders: reference answers, facts, labels


def _is_envelope(value: Mapping[str, Any]) -> bool:
    return not any(key in value for key in ("attributes", "context", "context.span_id", "body"))


def _is_settled(span: Span) -> bool:
    # Whether nothing that is still to come can change what the span is read as.
    if _operation(span.attributes) != "chat" or _error(span) is not None:
        return True
    return holds_both_sides(span.attributes, span.events)


def _operation(attributes: Mapping[str, Any]) -> str:
    """``chat``, ``not_chat`` or ``other``."""
    named = attributes.get("gen_ai.operation.name") or attributes.get("llm.request.type")
    if isinstance(named, str) and named:
        if named in _CHAT:
            return "chat"
        return "not_chat" if named in _NOT_CHAT else "other"
    if "traceloop.span.kind" in attributes:
        return "other"
    is_call = any(
        key in ("gen_ai.request.model", "gen_ai.input.messages", "gen_ai.output.messages")
        or key.startswith(("gen_ai.prompt", "gen_ai.completion"))
        for key in attributes
    )
    return "chat" if is_call else "other"


def _error(span: Span) -> str | None:
    kind = span.attributes.get("error.type")
    if span.error is None:
        return str(kind) if kind else None
    return f"{kind}: {span.error}" if kind else span.error


def _without_span(logs: list[LogEvent]) -> Iterator[Reading]:
    # What the events of a call say is a call, though its span is not in the source. A score alone
    # is none.
    if any(log.event.name != _EVALUATION for log in logs):
        yield from _convert(_stand_in(logs), tuple(log.event for log in logs))


def _stand_in(logs: list[LogEvent]) -> Span:
    first = logs[0]
    named = (log.event.attributes.get("gen_ai.operation.name") for log in logs)
    times = [log.event.at for log in logs if log.event.at is not None]
    return Span(
        location=first.location,
        trace_id=first.trace_id,
        span_id=first.span_id,
        started_at=min(times, default=None),
        attributes={"gen_ai.operation.name": next(filter(None, named), "chat")},
        resource=first.resource,
    )


def _convert(span: Span, logged: tuple[Event, ...]) -> Iterator[Reading]:
    events = span.events + logged + listed_events(span.attributes)
    attributes = dict(span.attributes)
    for event in events:
        if event.name == DETAILS:
            body = event.body if isinstance(event.body, Mapping) else {}
            attributes = {**body, **event.attributes, **attributes}
    operation = _operation(attributes)
    error = _error(msgspec.structs.replace(span, attributes=attributes))
    if operation == "other":
        yield OtherSpan()
    elif operation == "not_chat":
        kind = attributes.get("gen_ai.operation.name") or attributes.get("llm.request.type")
        yield _loss(span, "unsupported_call", f"A call of the kind {kind} is no chat.")
    elif error is not None:
        yield _loss(span, "failed_call", f"The call failed: {error[:300]}")
    else:
        try:
            content = read_content(attributes, events, span.dropped_attributes)
            tools = read_tools(attributes)
        except MessageShapeError as problem:
            yield _loss(span, "undecodable", f"The span does not decode: {problem}.")
            return
        yield from _readings(span, attributes, events, content, tools)


def _readings(
    span: Span,
    attributes: dict[str, Any],
    events: tuple[Event, ...],
    content: Content,
    tools: tuple[Tool, ...],
) -> Iterator[Reading]:
    messages, choices = content.request.messages, content.answers.choices
    if not messages and not choices:
        reason = (
            "The span holds no messages; recording them has to be switched on where it is made."
        )
        yield _loss(span, "no_content", reason)
        return
    if not messages:
        yield _loss(span, "no_request", "The span holds an answer but not what was asked.")
        return
    for line in (*content.request.missing, *content.answers.missing):
        yield _loss(span, "image_without_data", f"The {line}.")
    yield Trace(
        format=NAME,
        location=span.location,
        messages=messages,
        choices=choices,
        tools=tools,
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_span_id,
        thread_id=_first_text(attributes, *_THREAD),
        started_at=span.started_at,
        latency_ms=span.latency_ms,
        model=_first_text(attributes, "gen_ai.request.model", "gen_ai.response.model"),
        response_model=_first_text(attributes, "gen_ai.response.model")
        if "gen_ai.request.model" in attributes
        else None,
        provider=_first_text(attributes, "gen_ai.provider.name", "gen_ai.system"),
        params=_params(attributes),
        usage=_usage(attributes),
        cost_usd=_number(attributes, "gen_ai.usage.cost", "gen_ai.cost.total", "operation.cost"),
        scores=tuple(_score(event) for event in events if event.name == _EVALUATION),
        metadata=_metadata(span, attributes),
    )


# The rest ---------------------------------------------------------------------------------------


def _params(attributes: Mapping[str, Any]) -> dict[str, Any]:
    params: dict[str, Any] = {}
    for key, value in attributes.items():
        for prefix in ("gen_ai.request.", "gen_ai.openai.request."):
            name = key.removeprefix(prefix)
            if name not in (key, "model"):
                params[_PARAM_NAMES.get(name, name)] = parsed(value)
    streamed = attributes.get("gen_ai.is_streaming", attributes.get("llm.is_streaming"))
    if streamed is True:
        params["stream"] = True
    return params


def _usage(attributes: Mapping[str, Any]) -> Usage | None:
    prefix = "gen_ai.usage."
    usage = Usage(
        input_tokens=_integer(attributes, prefix + "input_tokens", prefix + "prompt_tokens"),
        output_tokens=_integer(attributes, prefix + "output_tokens", prefix + "completion_tokens"),
        total_tokens=_integer(attributes, prefix + "total_tokens", "llm.usage.total_tokens"),
        reasoning_tokens=_integer(
            attributes,
            prefix + "reasoning_tokens",
            prefix + "reasoning.output_tokens",
            prefix + "details.reasoning_tokens",
        ),
        cached_tokens=_integer(
            attributes,
            prefix + "cache_read.input_tokens",
            prefix + "cache_read_input_tokens",
            prefix + "details.cache_read_tokens",
        ),
    )
    return usage if usage != Usage() else None


def _score(event: Event) -> Score:
    fields = event.attributes
    return Score(
        name=_first_text(fields, "gen_ai.evaluation.name") or "evaluation",
        value=_number(fields, "gen_ai.evaluation.score.value"),
        label=_first_text(fields, "gen_ai.evaluation.score.label"),
        comment=_first_text(fields, "gen_ai.evaluation.explanation"),
    )


def _metadata(span: Span, attributes: Mapping[str, Any]) -> dict[str, Any]:
    named = {
        "response_id": _first_text(attributes, "gen_ai.response.id"),
        "agent_name": _first_text(attributes, "gen_ai.agent.name"),
        "user_id": _first_text(attributes, "user.id", "enduser.id"),
        "service_name": _first_text(span.resource, "service.name"),
    }
    associated = {
        key.removeprefix(_ASSOCIATION): value
        for key, value in attributes.items()
        if key.startswith(_ASSOCIATION)
    }
    item = parsed(attributes.get(_ITEM))
    if isinstance(item, dict):
        associated["item"] = item
    return associated | {key: value for key, value in named.items() if value is not None}


def _first_text(fields: Mapping[str, Any], *keys: str) -> str | None:
    values = (fields.get(key) for key in keys)
    return next((value for value in values if isinstance(value, str) and value), None)


def _number(fields: Mapping[str, Any], *keys: str) -> float | None:
    for key in keys:
        value = fields.get(key)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
    return None


def _integer(fields: Mapping[str, Any], *keys: str) -> int | None:
    number = _number(fields, *keys)
    return None if number is None else int(number)


def _loss(span: Span, code: LossCode, message: str) -> TraceLoss:
    return TraceLoss(code=code, message=message, location=span.location, span_id=span.span_id)
