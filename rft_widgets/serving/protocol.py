"""Chat completions on the wire: requests, answers whole and streamed, and errors.

The ``usage`` of an answer that is made here is an **estimate** unless a language model counted: a
quarter of the characters of the texts and tool calls, rounded up. Such a response says so in the
header ``X-RFT-Usage: estimated``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import uuid4

import msgspec
from msgspec import Struct

from rft_widgets.model.message import (
    ROLES,
    Message,
    MessageShapeError,
    message_from_json,
    to_json,
    tool_from_json,
)
from rft_widgets.model.settings import VALIDATION
from rft_widgets.traces.documents import Undecodable, decode
from rft_widgets.traces.streams import assembled

DONE = b"data: [DONE]\n\n"
"""Last event of a stream."""

_PIECE_CHARS = 40  # of a text that is whole already, so the size is a matter of taste


class RequestFailed(Exception):  # noqa: N818 - internal signal, turned into an error response
    """A request that gets no answer: the HTTP status and the parts of OpenAI's error object."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str,
        param: str | None = None,
        kind: str = "invalid_request_error",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.kind = kind
        self.headers = dict(headers or {})

    @property
    def body(self) -> dict[str, Any]:
        """The response body."""
        return {
            "error": {
                "message": self.message,
                "type": self.kind,
                "param": self.param,
                "code": self.code,
            }
        }


class ChatRequest(Struct, frozen=True, kw_only=True):
    """A request whose shape was checked; ``body`` is all of it, unknown parameters included."""

    body: dict[str, Any]
    model: str
    messages: tuple[dict[str, Any], ...]
    tools: tuple[dict[str, Any], ...]
    stream: bool
    include_usage: bool
    prompt_tokens: int


class Completion(Struct, frozen=True, kw_only=True):
    """A complete answer with what a response says beside it.

    ``is_estimated`` says whether its tokens were estimated, and not counted by a language model.
    """

    id: str
    created: int
    model: str
    message: dict[str, Any]
    finish_reason: str
    headers: dict[str, str]
    prompt_tokens: int
    completion_tokens: int
    is_estimated: bool = True


def parse_request(data: bytes) -> ChatRequest:
    """Read the body of a request.

    Raises
    ------
    RequestFailed
        With status 400, if it is not JSON or not a chat request; says what is wrong and where.
    """
    try:
        body = decode(data)
    except Undecodable as error:
        raise refused(f"The request body cannot be read. {error}", None) from None
    if not isinstance(body, dict):
        raise refused("The request body is not a JSON object.", None)
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise refused("'model' is missing or not text.", "model")
    if body.get("n") is not None and (type(body["n"]) is not int or body["n"] != 1):
        raise refused("Only one choice is made for a request: leave 'n' out or set it to 1.", "n")
    options = body.get("stream_options")
    if options is not None and not isinstance(options, dict):
        raise refused("'stream_options' is not an object.", "stream_options")
    if body.get("stream") not in (None, True, False):
        raise refused("'stream' is not true or false.", "stream")
    messages = _objects(body, "messages")
    if not messages:
        raise refused("'messages' is missing or empty.", "messages")
    tools = _objects(body, "tools")
    read = []
    try:
        for i, message in enumerate(messages):
            read.append(message_from_json(message, f"messages[{i}]"))
            if read[-1].role not in ROLES:
                known = ", ".join(sorted(ROLES))
                raise refused(f"messages[{i}]: the role is none of {known}.", f"messages[{i}].role")
    except MessageShapeError as error:
        raise refused(f"{error}.", "messages") from None
    try:
        for i, tool in enumerate(tools):
            tool_from_json(tool, f"tools[{i}]")
    except MessageShapeError as error:
        raise refused(f"{error}.", "tools") from None
    return ChatRequest(
        body=body,
        model=model,
        messages=messages,
        tools=tools,
        stream=body.get("stream") is True,
        include_usage=bool((options or {}).get("include_usage")),
        prompt_tokens=estimated_tokens(read),
    )


def answer_message(message: Mapping[str, Any]) -> dict[str, Any]:
    """An answer as it goes on the wire: content as text or null, every tool call with an id.

    Raises
    ------
    MessageShapeError
        If it is not an assistant message.
    """
    read = message_from_json({"role": "assistant"} | dict(message), "answer")
    if read.role != "assistant":
        raise MessageShapeError("answer: the role is not assistant")
    content = read.content if read.content is None else read.text
    calls = []
    for call in to_json(read.tool_calls):
        shown = call if call.get("id") else call | {"id": f"call_{uuid4().hex[:24]}"}
        calls.append(shown)
    fields = {key: value for key, value in to_json(read).items() if key != "tool_calls"}
    fields |= {"content": content}
    return fields | {"tool_calls": calls} if calls else fields


def estimated_tokens(messages: Iterable[Message]) -> int:
    """Characters of texts and tool calls, divided by four and rounded up."""
    characters = 0
    for message in messages:
        characters += len(message.text)
        for call in message.tool_calls:
            if call.function is not None:
                characters += len(call.function.name) + len(call.function.arguments)
    return -(-characters // VALIDATION.chars_per_token)


def whole(completion: Completion) -> bytes:
    """The response body of an answer that is not streamed."""
    choice = {
        "index": 0,
        "message": completion.message,
        "logprobs": None,
        "finish_reason": completion.finish_reason,
    }
    return msgspec.json.encode(
        {
            "id": completion.id,
            "object": "chat.completion",
            "created": completion.created,
            "model": completion.model,
            "choices": [choice],
            "usage": _usage(completion),
        }
    )


def events(completion: Completion, *, include_usage: bool) -> Iterator[bytes]:
    """The server-sent events of a streamed answer, which add up to the message."""
    usage: dict[str, Any] = {"usage": None} if include_usage else {}
    chunk = {
        "id": completion.id,
        "object": "chat.completion.chunk",
        "created": completion.created,
        "model": completion.model,
    }
    for delta in deltas(completion.message):
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
        yield event(chunk | {"choices": [choice]} | usage)
    last = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": completion.finish_reason}
    yield event(chunk | {"choices": [last]} | usage)
    if include_usage:
        yield event(chunk | {"choices": [], "usage": _usage(completion)})
    yield DONE


def deltas(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Pieces of a message, the role first."""
    content = message.get("content")
    yield {"role": message["role"], "content": None if content is None else ""}
    for key, value in message.items():
        if key in ("role", "tool_calls"):
            continue
        if isinstance(value, str):
            pieces = _pieces(value) or ([] if key == "content" else [""])
            yield from ({key: piece} for piece in pieces)
        elif key != "content":
            yield {key: value}
    for index, call in enumerate(message.get("tool_calls", ())):
        function = call.get("function")
        if function is None:
            yield {"tool_calls": [{"index": index} | call]}
            continue
        opening = {"index": index} | call | {"function": function | {"arguments": ""}}
        yield {"tool_calls": [opening]}
        for piece in _pieces(function["arguments"]):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def event(value: Any) -> bytes:
    """One server-sent event."""
    return b"data: " + msgspec.json.encode(value) + b"\n\n"


def at_event_end(tail: bytes) -> bool:
    """Whether what was sent of a stream ends with a whole event, so that another may follow."""
    return tail.endswith((b"\n\n", b"\r\n\r\n"))


def read_answer(data: bytes, *, streamed: bool) -> tuple[dict[str, Any], str | None] | None:
    """Message and finish reason out of a response body; ``None`` if it is no chat completion."""
    try:
        body = assembled(_event_values(data)) if streamed else decode(data)
        choice = body["choices"][0]
        message, reason = choice["message"], choice.get("finish_reason")
        message_from_json(message)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return None
    return message, reason if isinstance(reason, str) else None


def _event_values(data: bytes) -> list[Any]:
    # By line feeds alone: a text may hold other characters that Python takes for line ends.
    values = []
    for line in data.split(b"\n"):
        content = line.removeprefix(b"data:").strip()
        if content and content != b"[DONE]" and line.startswith(b"data:"):
            with suppress(Undecodable):  # the last event of a stream that was cut off
                values.append(decode(content))
    return values


def _pieces(text: str) -> Sequence[str]:
    return [text[start : start + _PIECE_CHARS] for start in range(0, len(text), _PIECE_CHARS)]


def _objects(body: Mapping[str, Any], key: str) -> tuple[dict[str, Any], ...]:
    value = body.get(key)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise refused(f"'{key}' is not a list.", key)
    for i, each in enumerate(value):
        if not isinstance(each, dict):
            raise refused(f"{key}[{i}] is not an object.", f"{key}[{i}]")
    return tuple(value)


def _usage(completion: Completion) -> dict[str, int]:
    return {
        "prompt_tokens": completion.prompt_tokens,
        "completion_tokens": completion.completion_tokens,
        "total_tokens": completion.prompt_tokens + completion.completion_tokens,
    }


def refused(message: str, param: str | None) -> RequestFailed:
    """A request that is wrong itself, and where."""
    return RequestFailed(400, message, code="invalid_request", param=param)
