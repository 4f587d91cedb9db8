"""LiteLLM: logged calls of its callbacks (StandardLoggingPayload) and rows of its spend logs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from msgspec import structs

from rft_widgets.model.trace import Usage
from rft_widgets.traces.agent_messages import read_tool_choice
from rft_widgets.traces.agent_turns import decoded
from rft_widgets.traces.bodies import read_exchange
from rft_widgets.traces.exchange import (
    Exchange,
    LostCall,
    guarded,
    moment,
    number_or_none,
    text_or_none,
    to_readings,
)
from rft_widgets.traces.media import without_lost_media
from rft_widgets.traces.reader import Document, OtherSpan, Reading

NAME = "litellm"


def matches(value: Any) -> bool:
    """Whether a document is a logged call, the object a callback gets, or a page of spend logs."""
    if isinstance(value, list):
        return bool(value) and matches(value[0])
    if not isinstance(value, Mapping):
        return False
    if isinstance(value.get("standard_logging_object"), Mapping):
        return True
    if isinstance(value.get("data"), list) and "call_type" not in value:
        return bool(value["data"]) and matches(value["data"][0])
    return "call_type" in value and any(key in value for key in _TELLING)


def read(documents: Iterable[Document]) -> Iterator[Reading]:
    """Traces and losses of the documents, one for each row; nothing is held back."""
    for document in documents:
        for row in _rows(document):
            yield from guarded(row.location, partial(_read, row), row.id)


_TELLING = (
    "proxy_server_request", "response_cost", "spend", "litellm_call_id", "model_parameters",
)  # fmt: skip

_CHAT = {
    "": "messages",
    "completion": "messages",
    "acompletion": "messages",
    "anthropic_messages": "messages",
    "responses": "input",
    "aresponses": "input",
    "generate_content": "contents",
    "agenerate_content": "contents",
    "generate_content_stream": "contents",
    "agenerate_content_stream": "contents",
}
"""Types of calls that are a conversation, and the key of its messages in the provider's request."""

_NO_MODEL = frozenset({"call_mcp_tool", "list_mcp_tools"})

_REDACTED = "redacted-by-litellm"

_CUT = re.compile(
    r"\(litellm_truncated |\.\.\.\(?truncated by litellm, this logger|\A\[truncated by litellm\]"
)
"""What LiteLLM writes where it cut a long text to store it."""


class _Row(NamedTuple):
    """One logged call; each JSON column may also come as text."""

    fields: Mapping[str, Any]
    location: str

    @property
    def id(self) -> str | None:
        return text_or_none(self.fields.get("id") or self.fields.get("request_id"))

    def get(self, key: str) -> Any:
        return decoded(self.fields.get(key))

    def object(self, key: str) -> Mapping[str, Any]:
        value = self.get(key)
        return value if isinstance(value, Mapping) else {}

    @property
    def kind(self) -> str:
        return str(self.fields.get("call_type") or "")


def _rows(document: Document) -> Iterator[_Row]:
    location, value = document
    if isinstance(value, Mapping) and isinstance(value.get("data"), list):
        value = value if "call_type" in value else value["data"]
    many = value if isinstance(value, list) else [value]
    for i, one in enumerate(many, start=1):
        inner = one.get("standard_logging_object") if isinstance(one, Mapping) else None
        row = inner if isinstance(inner, Mapping) else one
        here = f"{location} item {i}" if many is value else location
        yield _Row(row if isinstance(row, Mapping) else {}, here)


# One row ----------------------------------------------------------------------------------------


def _read(row: _Row) -> Iterator[Reading]:
    if not row.fields:
        raise LostCall("undecodable", "This is no logged call: it is no object, or an empty one.")
    if row.kind in _NO_MODEL:
        yield OtherSpan()
        return
    failure = _failure(row)
    if failure is not None:
        raise LostCall("failed_call", f"The call failed: {failure}")
    if row.kind not in _CHAT:
        raise LostCall("unsupported_call", f"A call of type {row.kind} is no chat.")
    request, response = _request(row), _response(row)
    if not request and not response:
        raise LostCall(
            "no_content",
            "The row holds neither messages nor a response; storing them has to be switched on"
            " (store_prompts_in_spend_logs).",
        )
    if not request:
        raise LostCall("no_request", "The row holds a response but no messages.")
    _check_whole(request, response)
    exchange = read_exchange(request, response or None)
    messages, lost = without_lost_media(exchange.messages)
    for line in lost:
        exchange = exchange.with_gap("image_without_data", f"LiteLLM left out data: {line}.")
    exchange = structs.replace(exchange, messages=messages)
    yield from to_readings(exchange, format=NAME, location=row.location, **_known(row, exchange))


def _failure(row: _Row) -> str | None:
    metadata = row.object("metadata")
    status = row.get("status") or metadata.get("status")
    error = row.object("error_information") or metadata.get("error_information")
    said = error.get("error_message") if isinstance(error, Mapping) else None
    text = row.fields.get("error_str") or said
    if status == "success" or (not status and not text):
        return None
    return str(text or f"the status is {status}")


def _request(row: _Row) -> dict[str, Any]:
    """Request as the provider's API has it; empty if the row holds no messages."""
    logged, key = row.get("messages"), _CHAT[row.kind]
    received = row.object("proxy_server_request")
    inner = decoded(received.get("body"))
    body = dict(inner if isinstance(inner, Mapping) else received)
    params = dict(row.object("model_parameters"))
    if logged:
        # A provider's request may be logged whole where its messages are expected.
        request = body | params | (dict(logged) if isinstance(logged, Mapping) else {key: logged})
    elif any(body.get(name) for name in ("messages", "input", "contents", "prompt")):
        request = body | params
    else:
        return {}
    if "tool_choice" not in request and request.get("function_call"):
        request["tool_choice"] = read_tool_choice(request["function_call"])
    if row.fields.get("model"):
        request["model"] = row.fields["model"]
    return {name: value for name, value in request.items() if name not in _TRANSPORT}


_TRANSPORT = frozenset({
    "litellm_metadata", "api_key", "extra_headers", "headers", "proxy_server_request",
    "secret_fields", "metadata", "litellm_call_id", "litellm_logging_obj", "method", "url",
})  # fmt: skip
"""Keys of a received request that the proxy added, or that are nobody else's business."""


def _response(row: _Row) -> Any:
    response = row.get("response")
    if not isinstance(response, Mapping):
        return response
    choices = response.get("choices")
    if set(response) == {"text"}:
        choices = [{"message": {"role": "assistant", "content": response["text"]}}]
    if not isinstance(choices, list):
        return dict(response)
    return {**response, "choices": [_choice(one) for one in choices]}


def _choice(value: Any) -> Any:
    # What LiteLLM's own type of message does not have, it puts under a key of its own.
    message = value.get("message") if isinstance(value, Mapping) else None
    if not isinstance(message, Mapping):
        return value
    fields = dict(message)
    own = fields.pop("provider_specific_fields", None)
    for key, inner in own.items() if isinstance(own, Mapping) else ():
        if inner is not None and fields.get(key) is None:
            fields[key] = inner
    return {**value, "message": fields}


def _check_whole(request: Mapping[str, Any], response: Any) -> None:
    """Refuse a call whose texts were not stored as they were sent."""
    for text in _strings([request, response]):
        if text == _REDACTED:
            raise LostCall("no_content", "LiteLLM was told to redact the messages.")
        if not text.startswith("data:") and _CUT.search(text):
            raise LostCall("undecodable", "LiteLLM cut a long text of the call to store it.")


def _strings(value: Any) -> Iterator[str]:
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, Mapping):
            pending.extend(one.values())
        elif isinstance(one, list):
            pending.extend(one)


# Around the bodies ------------------------------------------------------------------------------


def _known(row: _Row, exchange: Exchange) -> dict[str, Any]:
    started, ended = moment(row.get("startTime")), moment(row.get("endTime"))
    latency_ms = number_or_none(row.get("request_duration_ms"))
    if started is not None and ended is not None:
        latency_ms = (ended - started).total_seconds() * 1000
    session = row.get("session_id") or row.object("metadata").get("session_id")
    return {
        "trace_id": text_or_none(row.get("trace_id")),
        "span_id": row.id,
        "thread_id": text_or_none(session),
        "started_at": started,
        "latency_ms": latency_ms,
        "provider": text_or_none(row.get("custom_llm_provider")),
        "usage": exchange.usage or _counted(row),
        "cost_usd": _cost(row),
        "metadata": _metadata(row),
    }


def _counted(row: _Row) -> Usage | None:
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    counts = [number_or_none(row.get(name)) for name in names]
    if not any(counts):
        return None
    given, written, total = (None if count is None else int(count) for count in counts)
    return Usage(input_tokens=given, output_tokens=written, total_tokens=total)


def _cost(row: _Row) -> float | None:
    if row.object("response_cost_failure_debug_info"):
        return None  # no price is known, and the cost a mere 0
    cost = row.get("response_cost")
    return number_or_none(row.get("spend") if cost is None else cost)


def _metadata(row: _Row) -> dict[str, Any]:
    logged = row.object("metadata")
    user: dict[str, Any] = {}
    for key in ("requester_metadata", "spend_logs_metadata"):
        inner = decoded(logged.get(key))
        user |= dict(inner) if isinstance(inner, Mapping) else {}
    known = {
        "call_type": row.kind,
        "request_tags": row.get("request_tags"),
        "end_user": row.get("end_user"),
        "user": row.get("user"),
        "team_id": row.get("team_id"),
        "model_group": row.get("model_group"),
        "key_alias": logged.get("user_api_key_alias"),
        "team_alias": logged.get("user_api_key_team_alias"),
    }
    empty: tuple[Any, ...] = (None, "", [])
    return user | {key: value for key, value in known.items() if value not in empty}
