"""The vLLora gateway: spans of its SQLite store, of its HTTP interface, and of files of either.

A model call is the span of a provider. The request that the gateway received, always in OpenAI's
shape, stands on an ``api_invoke`` span above it; the two are joined within their trace.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from msgspec import structs

from rft_widgets.model.trace import Trace, TraceLoss
from rft_widgets.traces import otel_genai
from rft_widgets.traces.agent_messages import read_answers
from rft_widgets.traces.agent_turns import decoded, unquoted
from rft_widgets.traces.bodies import read_exchange
from rft_widgets.traces.exchange import (
    Exchange,
    LostCall,
    guarded,
    number_or_none,
    text_or_none,
    to_readings,
    usage_of,
)
from rft_widgets.traces.media import without_lost_media
from rft_widgets.traces.reader import Document, OtherSpan, Reading
from rft_widgets.traces.vllora_source import (
    COLUMNS,
    GatewayAnswerInvalid,
    GatewayRefused,
    GatewayUnreachable,
    default_store,
    read_gateway,
    read_store,
)

__all__ = [
    "NAME",
    "GatewayAnswerInvalid",
    "GatewayRefused",
    "GatewayUnreachable",
    "default_store",
    "matches",
    "read",
    "read_gateway",
    "read_store",
]

NAME = "vllora"


def matches(value: Any) -> bool:
    """Whether a document is a span of the gateway, a list of them, or a page of ``GET /spans``."""
    if isinstance(value, list):
        return bool(value) and matches(value[0])
    if not isinstance(value, Mapping):
        return False
    if isinstance(value.get("data"), list) and "pagination" in value:
        return all(matches(span) for span in value["data"][:1])
    return "operation_name" in value and "start_time_us" in value


def read(documents: Iterable[Document]) -> Iterator[Reading]:
    """Traces and losses of the documents.

    The spans of a trace are held until it is complete, if they say how many they are, else until
    the end of the documents.
    """
    held: dict[str, dict[str, _Span]] = {}
    for document in documents:
        for location, value in _spans(document):
            if not isinstance(value, Mapping):
                message = "This is no span: it is not an object."
                yield TraceLoss(code="undecodable", message=message, location=location)
                continue
            span = _span(location, value)
            trace = held.setdefault(span.trace_id, {})
            # A page that is read while spans are added repeats some of the page before.
            trace.setdefault(span.id, span)
            if len(trace) == value.get("spans_in_trace"):
                yield from _read_trace(held.pop(span.trace_id))
    for trace in held.values():
        yield from _read_trace(trace)


# Spans ------------------------------------------------------------------------------------------

_PROVIDERS = frozenset({"openai", "anthropic", "gemini", "bedrock"})
_RANKS = {"api_invoke": 2, "model_call": 3} | dict.fromkeys(_PROVIDERS, 4)
"""How near to the provider a span of this operation is."""

_CONVENTIONS = ("gen_ai.", "llm.", "openinference.", "traceloop.")
"""Starts of the attributes that an application's own instrumentation writes."""

_OWN_PROJECT = "lucy"
"""The project of the gateway's own assistant."""


class _Span(NamedTuple):
    """One span; ``attribute`` is ``None`` where it does not parse."""

    location: str
    trace_id: str
    id: str
    parent_id: str | None
    operation: str
    rank: int
    """How near to the provider it is; 0 if it is no part of a model call."""
    fields: Mapping[str, Any]
    attribute: Mapping[str, Any] | None

    def get(self, key: str) -> Any:
        """Attribute, decoded if it is JSON inside a string."""
        return decoded((self.attribute or {}).get(key))

    def object(self, key: str) -> dict[str, Any]:
        value = self.get(key)
        return dict(value) if isinstance(value, Mapping) else {}

    @property
    def error(self) -> str | None:
        error = (self.attribute or {}).get("error")
        return None if error in (None, "", "null") else str(error)


def _spans(document: Document) -> Iterator[tuple[str, Any]]:
    location, value = document
    if isinstance(value, Mapping) and isinstance(value.get("data"), list):
        value = value["data"]
    if isinstance(value, list):
        for i, one in enumerate(value, start=1):
            yield f"{location} item {i}", one
    else:
        yield location, value


def _span(location: str, value: Mapping[str, Any]) -> _Span:
    # Ids are decimal text in SQLite, numbers elsewhere.
    ids = (value.get(key) for key in ("trace_id", "span_id", "parent_span_id"))
    trace_id, span_id, parent_id = (None if one is None else str(one) for one in ids)
    attribute = decoded(value.get("attribute"))
    parsed = attribute if isinstance(attribute, Mapping) else None
    operation = str(value.get("operation_name") or "")
    rank = _RANKS.get(operation, 0)
    if not rank and any(str(key).startswith(_CONVENTIONS) for key in parsed or ()):
        rank = 1
    return _Span(
        location=f"{location}, span {span_id}",
        trace_id=trace_id or f"{location} alone",
        id=span_id or location,
        parent_id=parent_id,
        operation=operation,
        rank=rank,
        fields={key: value.get(key) for key in COLUMNS if key != "attribute"},
        # Of the others only their place among the spans matters.
        attribute=parsed if rank else {},
    )


class _Call(NamedTuple):
    """A model call and the spans above it, nearest first."""

    span: _Span
    above: tuple[_Span, ...]
    is_first: bool
    """No call under the same ``api_invoke`` succeeded before: its request is that of the call."""
    is_last: bool
    """No call under the same ``api_invoke`` succeeded later: its response is that of the call."""
    is_only: bool
    """No other call at all is under the same ``api_invoke``: its cost is that of the call."""

    @property
    def invoke(self) -> _Span | None:
        return next((span for span in self.above if span.operation == "api_invoke"), None)

    def nearest(self, column: str) -> Any:
        values = (span.fields.get(column) for span in (self.span, *self.above))
        return next((value for value in values if value not in (None, "")), None)

    def attribute(self, key: str) -> Any:
        values = ((span.attribute or {}).get(key) for span in (self.span, *self.above))
        return next((value for value in values if value not in (None, "")), None)


def _read_trace(spans: Mapping[str, _Span]) -> Iterator[Reading]:
    above = {key: tuple(_ancestors(span, spans)) for key, span in spans.items()}
    # The spans of one call lie in each other; the one nearest to the provider tells the most.
    covered = {
        one.id for key, span in spans.items() for one in above[key] if 0 < one.rank < span.rank
    }
    calls = [span for key, span in spans.items() if span.rank and key not in covered]
    for _ in range(len(spans) - len(calls)):
        yield OtherSpan()
    calls.sort(key=lambda span: number_or_none(span.fields.get("start_time_us")) or 0)
    by_invoke: dict[str, list[_Span]] = {}
    for span in calls:
        invoke = next((one.id for one in above[span.id] if one.operation == "api_invoke"), span.id)
        by_invoke.setdefault(invoke, []).append(span)
    for siblings in by_invoke.values():
        answered = [span.id for span in siblings if span.error is None]
        for span in siblings:
            call = _Call(
                span,
                above[span.id],
                is_first=answered[:1] == [span.id],
                is_last=answered[-1:] == [span.id],
                is_only=len(siblings) == 1,
            )
            yield from guarded(span.location, partial(_read_call, call), span.id)


def _ancestors(span: _Span, spans: Mapping[str, _Span]) -> Iterator[_Span]:
    seen = {span.id}
    parent_id = span.parent_id
    while parent_id is not None and parent_id in spans and parent_id not in seen:
        seen.add(parent_id)
        yield spans[parent_id]
        parent_id = spans[parent_id].parent_id


# One call ---------------------------------------------------------------------------------------


def _read_call(call: _Call) -> Iterator[Reading]:
    span = call.span
    if call.nearest("project_id") == _OWN_PROJECT:
        raise LostCall("internal_traffic", "The call is of the gateway's own assistant.")
    if span.attribute is None:
        raise LostCall("undecodable", "The attributes of the span are no JSON object.")
    if span.rank == 1:
        yield from _read_conventional(call)
        return
    if span.error is not None:
        raise LostCall("failed_call", f"The call failed: {span.error}")
    exchange = _exchange(call)
    messages, lost = without_lost_media(exchange.messages)
    for line in lost:
        exchange = exchange.with_gap("image_without_data", f"The span only mentions {line}.")
    exchange = structs.replace(exchange, messages=messages)
    yield from to_readings(exchange, format=NAME, location=span.location, **_known(call, exchange))


def _read_conventional(call: _Call) -> Iterator[Reading]:
    """Read a span that an application sent: its attributes follow another convention."""
    span = call.span
    times = (_us(span.fields.get(key)) for key in ("start_time_us", "finish_time_us"))
    started, ended = (None if us is None else us * 1000 for us in times)
    value = {
        "name": span.operation,
        "spanId": span.id,
        "startTimeUnixNano": started,
        "endTimeUnixNano": ended,
        "attributes": span.attribute,
    }
    for reading in otel_genai.read([Document(span.location, value)]):
        if isinstance(reading, Trace):
            yield structs.replace(
                reading,
                format=NAME,
                location=span.location,
                trace_id=text_or_none(span.fields.get("trace_id")),
                span_id=span.id,
                parent_span_id=span.parent_id,
                thread_id=text_or_none(call.nearest("thread_id")) or reading.thread_id,
                metadata=reading.metadata | _metadata(call),
            )
        elif isinstance(reading, TraceLoss):
            yield structs.replace(reading, location=span.location, span_id=span.id)
        else:
            yield reading


def _exchange(call: _Call) -> Exchange:
    span = call.span
    request, output = _request(call), span.object("output")
    if not request:
        if output or _answer_text(call) is not None:
            raise LostCall("no_request", "The span has an answer but no request.")
        raise LostCall("no_content", "The span holds neither a request nor an answer.")
    if span.operation == "openai" and output:
        return read_exchange(request, output)
    # The request may be in the shape of one API and the answer in that of another.
    is_native = span.operation == "anthropic" and "messages" in span.object("request")
    path = "/messages" if is_native and not _is_received(call, request) else ""
    exchange = read_exchange(request, None, path=path)
    answer = _answer(call, output)
    if answer is None:
        if span.get("output"):
            return exchange.with_gap("undecodable", "The answer of the span is no JSON object.")
        return exchange
    calls_before = sum(len(message.tool_calls) for message in exchange.messages)
    choices = read_answers(answer, None, calls_before=calls_before)
    model = text_or_none(output.get("model") or output.get("modelVersion"))
    return structs.replace(exchange, choices=choices, response_model=model, usage=usage_of(output))


def _request(call: _Call) -> dict[str, Any]:
    """Request of this call.

    Under one ``api_invoke`` the gateway may call a provider several times, with results of tools
    that it ran itself: only the first call saw just what the client sent.
    """
    span = call.span
    own = _without_own_keys(span.object("request"))
    received = _without_own_keys(call.invoke.object("request")) if call.invoke else {}
    if not (call.is_first and received.get("messages")):
        received = {}
    is_foreign = span.operation in _PROVIDERS and span.operation != "openai"
    if received and (is_foreign or not own):
        return received
    if own:
        prompt = (span.attribute or {}).get("system_prompt")
        if span.operation == "anthropic" and prompt and "system" not in own:
            own["system"] = decoded(prompt)
        return own
    given = span.get("input")
    if isinstance(given, list):
        return {"messages": given}
    if span.get("request"):
        raise LostCall("undecodable", "The request of the span is no JSON object.")
    return {}


def _is_received(call: _Call, request: Mapping[str, Any]) -> bool:
    received = _without_own_keys(call.invoke.object("request")) if call.invoke else {}
    return bool(received) and request == received


def _without_own_keys(request: dict[str, Any]) -> dict[str, Any]:
    # What a client may tell the gateway besides the request.
    own = ("mcp_servers", "router", "extra", "fallbacks")
    return {key: value for key, value in request.items() if key not in own}


def _answer(call: _Call, output: dict[str, Any]) -> Any:
    """Answer in the shape of some API, ``None`` if there is none that can be read."""
    shapes = ("choices", "candidates", "content", "output")
    if any(key in output for key in shapes):
        return output
    text = _answer_text(call)
    if text is None:
        return None
    # The gateway writes the calls of an answer as a JSON list, and all else as it is.
    calls = decoded(text)
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if isinstance(calls, list) and calls and all(_is_tool_call(one) for one in calls):
        message = {"role": "assistant", "content": None, "tool_calls": calls}
    reason = "tool_calls" if "tool_calls" in message else None
    return {"choices": [{"message": message, "finish_reason": reason}]}


def _is_tool_call(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("function"), Mapping)


def _answer_text(call: _Call) -> str | None:
    if call.span.operation == "model_call":
        logged = text_or_none((call.span.attribute or {}).get("output"))
        return None if logged is None else text_or_none(unquoted(logged))
    holder = call.span if call.span.operation == "api_invoke" else call.invoke
    if holder is None or (holder is not call.span and not call.is_last):
        return None
    return text_or_none((holder.attribute or {}).get("response"))


# Around the bodies ------------------------------------------------------------------------------


def _known(call: _Call, exchange: Exchange) -> dict[str, Any]:
    span = call.span
    started, ended = (_us(span.fields.get(key)) for key in ("start_time_us", "finish_time_us"))
    latency_ms = None if started is None or ended is None else (ended - started) / 1000
    return {
        "trace_id": text_or_none(span.fields.get("trace_id")),
        "span_id": span.id,
        "parent_span_id": span.parent_id,
        "thread_id": text_or_none(call.nearest("thread_id")),
        "started_at": _moment(started),
        "latency_ms": latency_ms,
        "model": _model(call),
        "provider": _provider(call),
        "usage": usage_of({"usage": span.get("usage")}) or exchange.usage,
        "cost_usd": _cost(call),
        "metadata": _metadata(call),
    }


def _model(call: _Call) -> str | None:
    asked = text_or_none(call.span.object("request").get("model"))
    named = call.attribute("inference_model_name") or call.attribute("model_name")
    return asked or text_or_none(named)


def _provider(call: _Call) -> str | None:
    if call.span.operation in _PROVIDERS:
        return call.span.operation
    head, slash, _ = (_model(call) or "").partition("/")
    return text_or_none(call.attribute("provider_name")) or (head if slash else None)


def _cost(call: _Call) -> float | None:
    # The spans above repeat the cost, or hold that of all the calls below them.
    for span in (call.span, *call.above) if call.is_only else (call.span,):
        cost = span.get("cost")
        cost = cost.get("cost") if isinstance(cost, Mapping) else cost
        try:
            number = number_or_none(float(cost) if isinstance(cost, str) else cost)
        except ValueError:
            continue
        if number is not None and math.isfinite(number):
            return number
    return None


def _metadata(call: _Call) -> dict[str, Any]:
    known = {
        "run_id": call.nearest("run_id"),
        "project_id": call.nearest("project_id"),
        "label": call.attribute("label"),
        "title": call.attribute("title"),
        "user": call.attribute("user"),
    }
    return {key: value for key, value in known.items() if value is not None}


def _us(value: Any) -> int | None:
    number = number_or_none(value)
    return None if number is None else int(number)


def _moment(us: int | None) -> datetime | None:
    try:
        return None if us is None else _EPOCH + timedelta(microseconds=us)
    except OverflowError:
        return None


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
