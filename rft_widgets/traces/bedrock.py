"""Amazon Bedrock: model invocation logs, of Converse and of InvokeModel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rft_widgets.model.trace import Usage
from rft_widgets.traces.bodies import body, read_exchange
from rft_widgets.traces.documents import decode
from rft_widgets.traces.exchange import (
    LostCall,
    guarded,
    moment,
    number_or_none,
    text_or_none,
    to_readings,
    usage_of,
)
from rft_widgets.traces.reader import Document, Reading

NAME = "bedrock"


def matches(value: Any) -> bool:
    """Whether a value is an invocation log, also as an event of CloudWatch or a list of events."""
    if not isinstance(value, Mapping):
        return False
    events = value.get("events")
    return _is_log(events[0] if isinstance(events, list) and events else value)


def read(documents: Iterable[Document]) -> Iterator[Reading]:
    """Traces of invocations; one whose bodies are only in S3 is a loss."""
    for location, value in documents:
        events = value.get("events") if isinstance(value, Mapping) else None
        if isinstance(events, list):
            for i, event in enumerate(events):
                yield from _read_one(f"{location}, event {i}", event)
        else:
            yield from _read_one(location, value)


_BODY_KEYS = frozenset({"inputBodyJson", "inputBodyS3Path", "outputBodyJson", "outputBodyS3Path"})


def _is_log(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    if value.get("schemaType") == "ModelInvocationLog":
        return True
    if isinstance(value.get("message"), str) and '"ModelInvocationLog"' in value["message"]:
        return True
    sides = (value.get("input"), value.get("output"))
    return "modelId" in value and any(
        isinstance(side, Mapping) and not _BODY_KEYS.isdisjoint(side) for side in sides
    )


def _read_one(location: str, value: Any) -> Iterator[Reading]:
    def record() -> Mapping[str, Any]:
        found = value
        if isinstance(value, Mapping) and "schemaType" not in value:
            message = value.get("message")
            found = decode(message) if isinstance(message, str) else value
        if not isinstance(found, Mapping):
            raise LostCall("undecodable", "a log is no object")
        return found

    def readings() -> Iterator[Reading]:
        row = record()
        try:
            yield from _readings(row, location)
        except LostCall as lost:
            raise LostCall(lost.code, str(lost), text_or_none(row.get("requestId"))) from None

    given = value.get("requestId") if isinstance(value, Mapping) else None
    yield from guarded(location, readings, text_or_none(given))


def _readings(row: Mapping[str, Any], location: str) -> Iterator[Reading]:
    if row.get("errorCode"):
        raise LostCall("failed_call", f"{row['errorCode']} {row.get('status') or ''}".rstrip())
    asked, answered = _mapping(row.get("input")), _mapping(row.get("output"))
    request, response = asked.get("inputBodyJson"), answered.get("outputBodyJson")
    stored = text_or_none(asked.get("inputBodyS3Path"))
    if request is None and stored is not None:
        raise LostCall("no_content", f"its request is only in S3: {stored}")
    operation, model = row.get("operation"), text_or_none(row.get("modelId"))
    answer = body(response)
    exchange = read_exchange(request, answer, path=f"{operation} {model}")
    stored = text_or_none(answered.get("outputBodyS3Path"))
    if answer is None and stored is not None:
        exchange = exchange.with_gap("no_content", f"its response is only in S3: {stored}")
    metadata = row.get("requestMetadata")
    yield from to_readings(
        exchange,
        format=NAME,
        location=location,
        span_id=text_or_none(row.get("requestId")),
        started_at=moment(row.get("timestamp")),
        latency_ms=_latency_ms(answer),
        model=model,
        provider="bedrock",
        usage=usage_of(answer) or _counted(asked, answered),
        metadata=dict(metadata) if isinstance(metadata, Mapping) else None,
    )


def _latency_ms(response: Mapping[str, Any] | None) -> float | None:
    if response is None:
        return None
    metrics = _mapping(response.get("metrics"))
    streamed = _mapping(response.get("amazon-bedrock-invocationMetrics"))
    found = number_or_none(metrics.get("latencyMs"))
    return number_or_none(streamed.get("invocationLatency")) if found is None else found


def _counted(asked: Mapping[str, Any], answered: Mapping[str, Any]) -> Usage | None:
    """Tokens that the log itself counts, where the body counts none."""
    return usage_of(
        {
            "usage": {
                "inputTokens": asked.get("inputTokenCount"),
                "outputTokens": answered.get("outputTokenCount"),
                "cacheReadInputTokens": asked.get("cacheReadInputTokenCount"),
                "cacheWriteInputTokens": asked.get("cacheWriteInputTokenCount"),
            }
        }
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
