"""Spans and log events, whichever JSON they are written in.

One `Span` comes out of OTLP-JSON envelopes and their parts, of spans on their own, of the Python
SDK's span JSON, and of the rows of a span table (``context.span_id``, ``attributes.llm...``).
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

from rft_widgets.traces.documents import Undecodable, decode
from rft_widgets.traces.reader import Document


class Event(Struct, frozen=True, kw_only=True):
    """Something that happened in a span; ``body`` only where it came as a log record."""

    name: str
    attributes: dict[str, Any]
    body: Any = None
    at: datetime | None = None


class Span(Struct, frozen=True, kw_only=True):
    """One span, its attributes decoded to plain values under their full dotted names."""

    location: str
    name: str = ""
    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    started_at: datetime | None = None
    latency_ms: float | None = None
    attributes: dict[str, Any]
    events: tuple[Event, ...] = ()
    error: str | None = None
    """What the status says went wrong; ``None`` if it does not say so."""
    dropped_attributes: int = 0
    """Attributes that the recording side threw away because there were too many."""
    resource: dict[str, Any]


class LogEvent(Struct, frozen=True, kw_only=True):
    """A log record, and the span that it says it belongs to."""

    location: str
    trace_id: str | None
    span_id: str | None
    event: Event
    resource: dict[str, Any]


def is_telemetry(value: Any) -> bool:
    """Whether a document is an OTLP envelope, a part of one, a span, or a row of a span table."""
    return isinstance(value, Mapping) and (
        any(key in value for key in (*_ENVELOPES, *_SCOPES)) or _is_span(value) or _is_log(value)
    )


def attribute_names(value: Mapping[Any, Any]) -> Iterator[str]:
    """Names of the attributes of a span, or of a row of a span table, without decoding them."""
    held = parsed(value.get("attributes"))
    for name in held if isinstance(held, Mapping) else (p.get("key") for p in _mappings(held)):
        if isinstance(name, str):
            yield name
    for column in value:
        if isinstance(column, str) and column.startswith("attributes."):
            yield column.removeprefix("attributes.")


def read(document: Document) -> Iterator[Span | LogEvent]:
    """Spans and log events of a document, in their order; whatever else it holds is passed over."""
    value = document.value
    if not isinstance(value, Mapping):
        return
    groups = [group for key in _ENVELOPES for group in _mappings(value.get(key))]
    if not groups and any(key in value for key in _SCOPES):
        groups = [value]
    if groups:
        for group in groups:
            yield from _of_resource(group, document.location)
    elif _is_span(value):
        yield _span(value, _resource(value), document.location)
    elif _is_log(value):
        yield _log(value, _resource(value), document.location)


def decode_value(value: Any) -> Any:
    """Plain value of an OTLP ``AnyValue``; what is none is returned as it is.

    A number that is no number in JSON (``"NaN"``, ``"Infinity"``) becomes ``None``.
    """
    if not isinstance(value, Mapping) or len(value) > 1:
        return value
    for key, inner in value.items():
        match _SNAKE.get(key, key):
            case "stringValue" | "boolValue" | "bytesValue":
                return inner
            case "intValue":
                return _integer(inner)
            case "doubleValue":
                return _double(inner)
            case "arrayValue":
                values = inner.get("values") if isinstance(inner, Mapping) else None
                return [decode_value(element) for element in _list(values)]
            case "kvlistValue":
                values = inner.get("values") if isinstance(inner, Mapping) else None
                return {
                    str(pair.get("key")): decode_value(pair.get("value"))
                    for pair in _mappings(values)
                }
            case _:
                return value
    return None


def decode_attributes(value: Any) -> dict[str, Any]:
    """Attributes from a list of ``{key, value}`` pairs or from a mapping; empty values left out."""
    pairs: Iterable[tuple[Any, Any]]
    if isinstance(value, Mapping):
        pairs = value.items()
    else:
        pairs = ((pair.get("key"), decode_value(pair.get("value"))) for pair in _mappings(value))
    decoded = ((str(key), _plain(inner)) for key, inner in pairs)
    return {key: inner for key, inner in decoded if inner is not None}


def nested(attributes: Mapping[str, Any], leaves: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Attributes as a tree: dotted names split, lists and mappings inside joined to the same tree.

    ``a.0.b``, ``a = [{"b": ...}]`` and ``a = {"0": {"b": ...}}`` give the same tree. A value at a
    name in ``leaves`` stays as it is. Where a name has both a value and names below it, the value
    is kept under the empty name.
    """
    root: dict[str, Any] = {}
    for key, value in attributes.items():
        _graft(root, key.split("."), value, leaves)
    return root


def indexed(node: Any) -> list[tuple[int, Any]]:
    """Numbered children of a node of the tree, by number."""
    if not isinstance(node, Mapping):
        return []
    numbers = [key for key in node if key.isdecimal() and len(key) < 10]
    return [(int(key), node[key]) for key in sorted(numbers, key=int)]


def parsed(value: Any) -> Any:
    """Parse a value that may come as JSON text; what is no JSON object or list stays text."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return value
    try:
        return decode(value)
    except Undecodable:
        return value


def to_time(value: Any) -> datetime | None:
    """Read a moment from ISO text, a datetime, or a number since 1970 in s, ms, us or ns."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, str):
        if not value.strip().lstrip("-").isdecimal():
            try:
                return to_time(datetime.fromisoformat(value.strip()))
            except ValueError:
                return None
        value = _integer(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
        return None
    # Seconds have 10 digits until the year 2286; each finer unit has three more.
    ticks = next((ticks for ticks in (1, 10**3, 10**6, 10**9) if value < 10**11 * ticks), None)
    if ticks is None:
        return None
    whole, rest = divmod(value, ticks)
    return _EPOCH + timedelta(seconds=int(whole), microseconds=int(rest * 10**6 / ticks))


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ENVELOPES = ("resourceSpans", "resource_spans", "resourceLogs", "resource_logs")
_SCOPES = (
    "scopeSpans", "scope_spans", "instrumentationLibrarySpans", "scopeLogs", "scope_logs",
)  # fmt: skip
_MEMBERS = ("spans", "logRecords", "log_records")
_SNAKE = {
    "string_value": "stringValue", "bool_value": "boolValue", "int_value": "intValue",
    "double_value": "doubleValue", "array_value": "arrayValue", "kvlist_value": "kvlistValue",
    "bytes_value": "bytesValue",
}  # fmt: skip
_BASE64_ID = re.compile(r"[A-Za-z0-9+/]{11}=|[A-Za-z0-9+/]{22}==")


def _of_resource(group: Mapping[str, Any], location: str) -> Iterator[Span | LogEvent]:
    resource = _resource(group)
    for scope in (scope for key in _SCOPES for scope in _mappings(group.get(key))):
        for member in (member for key in _MEMBERS for member in _mappings(scope.get(key))):
            if _is_log(member):
                yield _log(member, resource, location)
            else:
                yield _span(member, resource, location)


def _is_span(value: Mapping[Any, Any]) -> bool:
    context = value.get("context")
    return (
        (isinstance(context, Mapping) and "span_id" in context)
        or "context.span_id" in value
        or (("spanId" in value or "span_id" in value) and "attributes" in value)
        or any(isinstance(key, str) and key.startswith("attributes.") for key in value)
    )


def _is_log(value: Mapping[str, Any]) -> bool:
    if "body" not in value and "eventName" not in value and "event_name" not in value:
        return False
    return any(key in value for key in ("timeUnixNano", "observedTimeUnixNano", "timestamp",
                                        "observed_timestamp", "severityNumber", "attributes",
                                        "traceId", "trace_id"))  # fmt: skip


def _span(value: Mapping[str, Any], resource: dict[str, Any], location: str) -> Span:
    context = value.get("context")
    ids = context if isinstance(context, Mapping) else value
    span_id = _id(_first(ids, "spanId", "span_id", "context.span_id"))
    start = _first(value, "startTimeUnixNano", "start_time_unix_nano", "start_time", "startTime")
    end = _first(value, "endTimeUnixNano", "end_time_unix_nano", "end_time", "endTime")
    started_at, ended_at = to_time(start), to_time(end)
    events = tuple(_event(event) for event in _mappings(_plain(value.get("events"))))
    return Span(
        location=f"{location}, span {span_id}" if span_id else location,
        name=_text(value.get("name")),
        trace_id=_id(_first(ids, "traceId", "trace_id", "context.trace_id")),
        span_id=span_id,
        parent_span_id=_id(_first(value, "parentSpanId", "parent_span_id", "parent_id")),
        started_at=started_at,
        latency_ms=(ended_at - started_at) / timedelta(milliseconds=1)
        if started_at and ended_at and ended_at >= started_at
        else None,
        attributes=_span_attributes(value),
        events=events,
        error=_error(value, events),
        dropped_attributes=_count(value.get("droppedAttributesCount")),
        resource=resource,
    )


def _span_attributes(value: Mapping[Any, Any]) -> dict[str, Any]:
    attributes = decode_attributes(parsed(_plain(value.get("attributes"))))
    columns = {
        key.removeprefix("attributes."): inner
        for key, inner in value.items()
        if isinstance(key, str) and key.startswith("attributes.")
    }
    if "span_kind" in value and columns:
        columns.setdefault("openinference.span.kind", value["span_kind"])
    return attributes | decode_attributes(columns)


def _log(value: Mapping[str, Any], resource: dict[str, Any], location: str) -> LogEvent:
    span_id = _id(_first(value, "spanId", "span_id"))
    return LogEvent(
        location=f"{location}, span {span_id}" if span_id else location,
        trace_id=_id(_first(value, "traceId", "trace_id")),
        span_id=span_id,
        event=_event(value),
        resource=resource,
    )


def _event(value: Mapping[str, Any]) -> Event:
    attributes = decode_attributes(value.get("attributes"))
    body = parsed(decode_value(value.get("body")))
    inner = body.get("event.name") if isinstance(body, Mapping) else None
    name = _first(value, "eventName", "event_name", "name") or attributes.get("event.name") or inner
    at = _first(value, "timeUnixNano", "time_unix_nano", "timestamp", "observedTimeUnixNano")
    return Event(name=_text(name), attributes=attributes, body=body, at=to_time(at))


def _resource(value: Mapping[str, Any]) -> dict[str, Any]:
    resource = value.get("resource")
    return decode_attributes(resource.get("attributes")) if isinstance(resource, Mapping) else {}


def _error(value: Mapping[str, Any], events: tuple[Event, ...]) -> str | None:
    status = value.get("status")
    status = status if isinstance(status, Mapping) else {}
    code = _first(status, "code", "status_code") or value.get("status_code")
    if code not in (2, "2", "STATUS_CODE_ERROR", "ERROR", "StatusCode.ERROR"):
        return None
    said = _first(status, "message", "description") or value.get("status_message")
    for event in events:
        if not said and event.name == "exception":
            said = event.attributes.get("exception.message")
    return _text(said) or "the status is an error"


def _id(value: Any) -> str | None:
    # Hex by the OTLP rules; base64 from exporters that follow the plain protobuf mapping.
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    if _BASE64_ID.fullmatch(text):
        try:
            text = base64.b64decode(text, validate=True).hex()
        except binascii.Error:
            return text
    text = text.removeprefix("0x").removeprefix("0X")
    if re.fullmatch(r"[0-9a-fA-F]{16}|[0-9a-fA-F]{32}", text):
        text = text.lower()
    return text if text.strip("0") else None


def _graft(node: dict[str, Any], path: list[str], value: Any, leaves: frozenset[str]) -> None:
    for step in path[:-1]:
        child = node.setdefault(step, {})
        if not isinstance(child, dict):
            child = node[step] = {"": child}
        node = child
    last = path[-1]
    branches: Iterable[tuple[str, Any]] | None = None
    if last not in leaves:
        if isinstance(value, Mapping):
            branches = ((str(key), inner) for key, inner in value.items())
        elif isinstance(value, list) and value and all(isinstance(v, Mapping) for v in value):
            branches = ((str(i), inner) for i, inner in enumerate(value))
    existing = node.get(last)
    if branches is not None:
        child = existing if isinstance(existing, dict) else {}
        if existing is not None and existing is not child:
            child[""] = existing
        node[last] = child
        for key, inner in branches:
            _graft(child, key.split("."), _plain(inner), leaves)
    elif isinstance(existing, dict) and last not in leaves:
        existing[""] = value
    else:
        node[last] = value


def _plain(value: Any) -> Any:
    # A table brings its own empties (NaN, NaT) and arrays; neither is asked for by type, so that
    # nothing is imported for them.
    if isinstance(value, (str, bool, int, Mapping)) or value is None:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (list, tuple)):
        return [_plain(element) for element in value]
    if isinstance(value, datetime):
        return value if value == value else None  # noqa: PLR0124 - NaT differs from itself
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    return None


def _integer(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            return value
    return value


def _double(value: Any) -> Any:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return value
    return number if math.isfinite(number) else None


def _count(value: Any) -> int:
    number = _integer(value)
    return number if isinstance(number, int) else 0


def _first(value: Mapping[str, Any], *keys: str) -> Any:
    return next((value[key] for key in keys if value.get(key) is not None), None)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [element for element in _list(value) if isinstance(element, Mapping)]
