"""Logs that keep a call's request and response, and the files of batches."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from rft_widgets.traces.bodies import body, read_exchange
from rft_widgets.traces.exchange import (
    LostCall,
    guarded,
    moment,
    number_or_none,
    text_or_none,
    to_readings,
)
from rft_widgets.traces.reader import Document, Reading

NAME = "request_log"


def matches(value: Any) -> bool:
    """Whether a value has a request and a response, or is a line of a batch."""
    if not isinstance(value, Mapping):
        return False
    if isinstance(value.get("custom_id"), str):
        return _is_batch_input(value) or _is_batch_output(value)
    if "request" not in value or "response" not in value:
        return False
    sides = (value["request"], value["response"])
    return any(_is_body(side) for side in sides) and all(
        side is None or isinstance(side, (dict, list, str)) for side in sides
    )


def read(documents: Iterable[Document]) -> Iterator[Reading]:
    """Traces of logged calls.

    The two lines of a batch's request, in its input file and in its output file, are joined by
    ``custom_id``, whichever comes first; where batches share ids, first requests go with first
    answers. A request without an answer is a trace without one.
    """
    waiting: dict[str, deque[_BatchLine]] = {}
    for document in documents:
        value = document.value
        line = _batch_line(document)
        if line is None:
            yield from _read_log(document.location, value if isinstance(value, Mapping) else {})
            continue
        queue = waiting.setdefault(line.custom_id, deque())
        if queue and queue[0].is_input != line.is_input:
            other = queue.popleft()
            if not queue:
                del waiting[line.custom_id]
            yield from _read_batch(line, other) if line.is_input else _read_batch(other, line)
        else:
            queue.append(line)
    # Read in the order of their ids' first lines; whatever they wait for did not come.
    for queue in waiting.values():
        for line in queue:
            yield from _read_batch(line, None) if line.is_input else _read_batch(None, line)


class _BatchLine(Struct, frozen=True):
    custom_id: str
    is_input: bool
    location: str
    value: Mapping[str, Any]


class _Side(Struct, frozen=True):
    """One side of a call: its body, out of its HTTP envelope where it has one."""

    body: Any
    status: int | None = None
    path: str = ""


def _is_body(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, str) and value.lstrip().startswith(("{", "data:", "event:"))
    )


def _is_batch_input(value: Mapping[str, Any]) -> bool:
    return isinstance(value.get("body", value.get("params")), (dict, str))


def _is_batch_output(value: Mapping[str, Any]) -> bool:
    return "response" in value or isinstance(value.get("result"), Mapping)


def _batch_line(document: Document) -> _BatchLine | None:
    value = document.value
    if not isinstance(value, Mapping) or not isinstance(value.get("custom_id"), str):
        return None
    is_output = _is_batch_output(value)
    if not is_output and not _is_batch_input(value):
        return None
    return _BatchLine(value["custom_id"], not is_output, document.location, value)


def _read_batch(asked: _BatchLine | None, answered: _BatchLine | None) -> Iterator[Reading]:
    last = answered or asked
    if last is None:
        return
    location = last.location
    if asked is not None and answered is not None:
        location = f"{answered.location}, request in {asked.location}"
    span_id = text_or_none(last.value.get("id")) or None

    def readings() -> Iterator[Reading]:
        request = asked.value.get("body", asked.value.get("params")) if asked else None
        path = text_or_none(asked.value.get("url")) if asked else None
        exchange = read_exchange(
            request, _batch_answer(answered.value) if answered else None, path=path or ""
        )
        yield from to_readings(
            exchange,
            format=NAME,
            location=location,
            span_id=span_id,
            metadata={"custom_id": last.custom_id},
        )

    yield from guarded(location, readings, span_id)


def _batch_answer(value: Mapping[str, Any]) -> Any:
    """Body of a batch's answer; raises `LostCall` for a request that failed."""
    result = value.get("result")
    if isinstance(result, Mapping):  # Anthropic's batches
        if result.get("type") != "succeeded":
            raise LostCall("failed_call", _said(result.get("error")) or str(result.get("type")))
        return result.get("message")
    if value.get("error"):
        raise LostCall("failed_call", _said(value["error"]) or "the request of the batch failed")
    side = _side(value.get("response"))
    if side.body is None:
        raise LostCall("failed_call", "the request of the batch has no response")
    _check_status(side)
    return side.body


def _read_log(location: str, value: Mapping[str, Any]) -> Iterator[Reading]:
    span_id = _first_text(value, "id", "request_id", "span_id")

    def readings() -> Iterator[Reading]:
        asked, answered = _side(value.get("request")), _side(value.get("response"))
        _check_status(answered)
        if value.get("error") and answered.body in (None, "", {}):
            raise LostCall("failed_call", _said(value["error"]) or "the call failed")
        path = asked.path or _first_text(value, "path", "endpoint", "url") or ""
        exchange = read_exchange(asked.body, answered.body, path=path)
        metadata = value.get("metadata")
        yield from to_readings(
            exchange,
            format=NAME,
            location=location,
            span_id=span_id,
            trace_id=_first_text(value, "trace_id"),
            thread_id=_first_text(value, "thread_id", "session_id", "conversation_id"),
            started_at=_first(moment, value, "timestamp", "created_at", "start_time", "ts"),
            latency_ms=_first(number_or_none, value, "latency_ms", "duration_ms"),
            cost_usd=_first(number_or_none, value, "cost_usd", "cost"),
            provider=_first_text(value, "provider"),
            metadata=dict(metadata) if isinstance(metadata, Mapping) else None,
        )

    yield from guarded(location, readings, span_id)


def _side(value: Any) -> _Side:
    if isinstance(value, str):
        value = body(value)
    if isinstance(value, Mapping) and "body" in value and "messages" not in value:
        status = value.get("status_code", value.get("status"))
        path = _first_text(value, "path", "url", "uri") or ""
        return _Side(value["body"], status if isinstance(status, int) else None, path)
    return _Side(value)


def _check_status(side: _Side) -> None:
    if side.status is not None and side.status >= 400:
        said = ""
        if isinstance(side.body, Mapping):
            said = _said(side.body.get("error", side.body))
        raise LostCall("failed_call", f"the service answered {side.status} {said}".rstrip())


def _said(error: Any) -> str:
    if isinstance(error, Mapping):
        inner = error.get("error")
        if isinstance(inner, Mapping):
            return _said(inner)
        parts = (error.get("type"), error.get("code"), error.get("message"))
        return ": ".join(str(part) for part in parts if part not in (None, ""))
    return str(error) if error else ""


def _first(convert: Any, value: Mapping[str, Any], *names: str) -> Any:
    return next((found for name in names if (found := convert(value.get(name))) is not None), None)


def _first_text(value: Mapping[str, Any], *names: str) -> str | None:
    found: str | None = _first(text_or_none, value, *names)
    return found
