"""Request and response bodies of a model call, of whichever API, as the parts of a trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from rft_widgets.model.message import Message, MessageShapeError, Tool, ToolChoice, tool_from_json
from rft_widgets.model.trace import Choice, LossCode
from rft_widgets.traces import foreign, streams
from rft_widgets.traces.documents import decode
from rft_widgets.traces.exchange import Exchange, LostCall, moment, text_or_none, usage_of
from rft_widgets.traces.foreign import native, responses
from rft_widgets.traces.parts import chat_message


def read_exchange(request: Any, response: Any, *, path: str = "") -> Exchange:
    """Read the bodies of one model call.

    Parameters
    ----------
    request, response
        Bodies as objects or as JSON text; a response may also be a recorded stream. ``None`` where
        there is none.
    path
        Path or name of the operation that was called, which tells what bodies alone may not.

    Raises
    ------
    LostCall
        If the call failed, is no chat, or has no request or no messages.
    MessageShapeError
        If a body is of no known shape.
    """
    asked, answered = body(request), body(response)
    if asked is None and answered is None:
        raise LostCall("no_content", "neither a request nor a response was recorded")
    error = _error(answered)
    if error is not None:
        raise LostCall("failed_call", error)
    _check_is_chat(asked or {}, answered or {}, path)
    if asked is None:
        raise LostCall("no_request", "the response was recorded without its request")
    shape = _request_shape(asked, answered or {}, path)
    exchange = _READERS[shape](asked, answered)
    if not exchange.messages:
        raise LostCall("no_content", "the request holds no messages")
    return exchange


def body(value: Any) -> dict[str, Any] | None:
    """Body as an object: JSON text is parsed, a recorded stream is put together.

    Raises
    ------
    MessageShapeError
        If it is neither an object nor text that holds one.
    """
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return None
        if text.startswith(("data:", "event:")):
            value = streams.parse_server_sent_events(text)
        else:
            try:
                value = decode(text)
            except ValueError as error:
                raise MessageShapeError(f"a body is text that is no JSON: {error}") from None
    if isinstance(value, list) and value:
        value = value[0] if _error(value[0]) is not None else streams.assembled(value)
    if value is None or value in ([], {}):
        return None
    if not isinstance(value, dict):
        raise MessageShapeError(f"a body is {type(value).__name__}, not an object")
    return value


_NOT_CHAT = {
    "embed": "an embedding",
    "moderation": "a moderation",
    "images/": "an image",
    "audio/": "speech",
    "rerank": "a ranking",
    "counttokens": "a count of tokens",
    "count_tokens": "a count of tokens",
}


def _check_is_chat(request: Mapping[str, Any], response: Mapping[str, Any], path: str) -> None:
    kind = next((name for part, name in _NOT_CHAT.items() if part in path.lower()), None)
    if "input" in request and "embed" in str(request.get("model")):
        kind = "an embedding"
    data = response.get("data")
    first = data[0] if isinstance(data, list) and data else None
    if isinstance(first, Mapping) and first.get("object") == "embedding":
        kind = "an embedding"
    elif isinstance(first, Mapping) and ("b64_json" in first or "url" in first):
        kind = "an image"
    elif response.get("object") != "response":
        keys = ("embedding", "embeddings", "embeddingsByType", "images", "artifacts")
        if any(isinstance(response.get(key), (list, dict)) for key in keys):
            kind = "an embedding" if "embed" in str(sorted(response)) else "an image"
        elif isinstance(response.get("results"), list) and "moderation" in str(
            response.get("model", request.get("model"))
        ):
            kind = "a moderation"
    if kind is not None:
        raise LostCall("unsupported_call", f"{kind}, not a chat")


def _error(response: Any) -> str | None:
    """Read what went wrong; ``None`` if nothing did."""
    if not isinstance(response, Mapping):
        return None
    error = response.get("error")
    if not error and response.get("type") != "error":
        if response.get("object") == "response" and response.get("status") in _FAILED:
            return f"the response is {response['status']}"
        return None
    if any(isinstance(response.get(key), list) and response[key] for key in ("choices", "content")):
        return None  # an answer all the same
    if isinstance(error, Mapping):
        parts = (error.get("type"), error.get("code"), error.get("status"), error.get("message"))
        said = ": ".join(dict.fromkeys(str(part) for part in parts if part not in (None, "")))
        return said or "the call failed"
    return str(error or "the call failed")


_FAILED = ("failed", "cancelled")


def _request_shape(request: Mapping[str, Any], response: Mapping[str, Any], path: str) -> str:
    if "contents" in request:
        return "gemini"
    if "messages" in request:
        return _shape_of_messages(request, response, path)
    if "input" in request or "input_items" in request or response.get("object") == "response":
        return "responses"
    if any(isinstance(request.get(key), str) for key in ("prompt", "inputText", "message")):
        return "native"
    raise LostCall("no_content", "the request holds no messages")


def _shape_of_messages(request: Mapping[str, Any], response: Mapping[str, Any], path: str) -> str:
    if any(
        key in request for key in ("toolConfig", "inferenceConfig", "additionalModelRequestFields")
    ):
        return "converse"
    keys, kinds = set[str](), set[Any]()
    for block in _blocks(request):
        keys.update(block)
        kinds.add(str(block.get("type")))
    if "None" in kinds and keys & _CONVERSE_KEYS:
        return "converse"
    tools = request.get("tools")
    anthropic_tools = isinstance(tools, list) and any(
        isinstance(tool, Mapping) and "input_schema" in tool for tool in tools
    )
    if (
        kinds & _ANTHROPIC_KINDS
        or anthropic_tools
        or "system" in request
        or "anthropic_version" in request
    ):
        return "anthropic"
    # What is left says nothing about its API; the answer and the path do.
    if isinstance(response.get("choices"), list):
        return "chat"
    if path.rstrip("/").endswith("/messages") or isinstance(response.get("content"), list):
        return "anthropic"
    return "converse" if isinstance(response.get("output"), dict) else "chat"


_CONVERSE_KEYS = frozenset({"text", "toolUse", "toolResult", "image", "document", "cachePoint"})
_ANTHROPIC_KINDS = frozenset({"tool_use", "tool_result", "thinking", "redacted_thinking", "image"})


def _blocks(request: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    messages = request["messages"]
    for message in messages if isinstance(messages, list) else []:
        content = message.get("content") if isinstance(message, Mapping) else None
        for block in content if isinstance(content, list) else []:
            if isinstance(block, Mapping):
                yield block


def _chat(request: dict[str, Any], response: dict[str, Any] | None) -> Exchange:
    return Exchange(
        messages=chat_messages(request["messages"]),
        tools=chat_tools(request),
        tool_choice=chat_tool_choice(request),
        **_answered(request, response, "openai" if "choices" in (response or {}) else None),
    )


def _responses(request: dict[str, Any], response: dict[str, Any] | None) -> Exchange:
    answer = response or {}
    # The response repeats instructions, tools and settings, in case the request is not whole.
    asked = {key: answer[key] for key in _ECHOED if answer.get(key) is not None} | request
    items = asked.get("input_items")
    if "input" not in asked and items is not None:
        listed = items.get("data") if isinstance(items, Mapping) else items
        if not isinstance(listed, list):
            raise MessageShapeError("input_items is no list")
        asked["input"] = responses.in_order(listed, newest_first=isinstance(items, Mapping))
    return Exchange(
        messages=foreign.responses_messages(asked),
        gaps=_gaps(asked),
        tools=foreign.responses_tools(asked),
        tool_choice=foreign.responses_tool_choice(asked),
        thread_id=_conversation(asked.get("conversation")),
        **_answered(asked, response, "openai"),
    )


def _gaps(request: Mapping[str, Any]) -> tuple[tuple[LossCode, str], ...]:
    gaps: list[tuple[LossCode, str]] = []
    before = request.get("previous_response_id")
    if before is not None:
        gaps.append(("no_request", f"the conversation up to {before} is not in this call"))
    listed = request.get("input_items")
    if isinstance(listed, Mapping) and listed.get("has_more") is True:
        gaps.append(("no_content", "only the first page of its input items was recorded"))
    items = request.get("input")
    gaps.extend(
        ("no_content", f"item {item.get('id')} is referred to, not recorded")
        for item in (items if isinstance(items, list) else [])
        if isinstance(item, Mapping) and item.get("type") == "item_reference"
    )
    return tuple(gaps)


def _conversation(value: Any) -> str | None:
    return text_or_none(value.get("id") if isinstance(value, Mapping) else value)


def _anthropic(request: dict[str, Any], response: dict[str, Any] | None) -> Exchange:
    return Exchange(
        messages=foreign.anthropic_messages(request),
        tools=foreign.anthropic_tools(request),
        tool_choice=foreign.anthropic_tool_choice(request),
        **_answered(request, response, "anthropic"),
    )


def _gemini(request: dict[str, Any], response: dict[str, Any] | None) -> Exchange:
    messages = foreign.gemini_messages(request)
    calls = sum(len(message.tool_calls) for message in messages)
    return Exchange(
        messages=messages,
        tools=foreign.gemini_tools(request),
        tool_choice=foreign.gemini_tool_choice(request),
        **_answered(request, response, "gemini", calls_before=calls),
    )


def _converse(request: dict[str, Any], response: dict[str, Any] | None) -> Exchange:
    return Exchange(
        messages=foreign.converse_messages(request),
        tools=foreign.converse_tools(request),
        tool_choice=foreign.converse_tool_choice(request),
        **_answered(request, response, None),
    )


def _native(request: dict[str, Any], response: dict[str, Any] | None) -> Exchange:
    return Exchange(
        messages=native.native_messages(request),
        tools=native.native_tools(request),
        **_answered(request, response, None),
    )


_READERS: dict[str, Callable[[dict[str, Any], dict[str, Any] | None], Exchange]] = {
    "chat": _chat,
    "responses": _responses,
    "anthropic": _anthropic,
    "gemini": _gemini,
    "converse": _converse,
    "native": _native,
}


def chat_messages(value: Any) -> tuple[Message, ...]:
    """Messages of a chat request."""
    if not isinstance(value, (list, tuple)):
        raise MessageShapeError(f"messages is {type(value).__name__}, not a list")
    return tuple(chat_message(each, f"messages[{i}]") for i, each in enumerate(value))


def chat_tools(request: Mapping[str, Any]) -> tuple[Tool, ...]:
    """Tools of a chat request, also of one that still calls them functions."""
    tools, functions = request.get("tools"), request.get("functions")
    if not tools and isinstance(functions, list):
        tools = [{"type": "function", "function": function} for function in functions]
    if not isinstance(tools or [], (list, tuple)):
        raise MessageShapeError(f"tools is {type(tools).__name__}, not a list")
    tools = tools or []
    return tuple(tool_from_json(tool, f"tools[{i}]") for i, tool in enumerate(tools))


def chat_tool_choice(request: Mapping[str, Any]) -> ToolChoice | None:
    """Which tools a chat request wants called."""
    choice = request.get("tool_choice")
    return choice if isinstance(choice, (str, dict)) else None


def chat_choices(response: Mapping[str, Any]) -> tuple[Choice, ...]:
    """Answers of a chat completion."""
    values = response.get("choices")
    if not isinstance(values, list):
        raise MessageShapeError("choices is no list")
    choices = []
    for i, value in enumerate(values):
        where = f"choices[{i}]"
        if not isinstance(value, Mapping):
            raise MessageShapeError(f"{where} is no object")
        given = value.get("message")
        if not isinstance(given, Mapping):
            raise MessageShapeError(f"{where} has no message")
        message = chat_message({"role": "assistant"} | dict(given), f"{where}.message")
        # Services fill a message up with empty fields that say nothing.
        said = {key: inner for key, inner in message.extra.items() if inner not in (None, [], {})}
        reason = value.get("finish_reason") or value.get("stop_reason")
        choices.append(
            Choice(msgspec.structs.replace(message, extra=said), foreign.finish_reason(reason))
        )
    return tuple(choices)


def _answered(
    request: Mapping[str, Any],
    response: dict[str, Any] | None,
    provider: str | None,
    *,
    calls_before: int = 0,
) -> dict[str, Any]:
    """Fields of an exchange that every API has."""
    answer = response or {}
    metadata = request.get("metadata") or answer.get("metadata")
    metadata = dict(metadata) if isinstance(metadata, Mapping) else {}
    if isinstance(request.get("previous_response_id"), str):
        metadata["previous_response_id"] = request["previous_response_id"]
    return {
        "choices": () if response is None else _choices(response, calls_before),
        "span_id": text_or_none(answer.get("id") or answer.get("responseId")),
        "started_at": moment(answer.get("created") or answer.get("created_at")),
        "model": text_or_none(request.get("model") or answer.get("model")),
        "response_model": text_or_none(answer.get("model") or answer.get("modelVersion")),
        "provider": provider,
        "params": _params(request),
        "usage": usage_of(answer),
        "metadata": metadata,
    }


def _params(request: Mapping[str, Any]) -> dict[str, Any]:
    params: dict[str, Any] = {}
    for key, value in request.items():
        if key in ("inferenceConfig", "generationConfig") and isinstance(value, Mapping):
            params |= value
        elif key not in _CONTENT and value is not None:
            params[key] = value
    return params


def _choices(response: dict[str, Any], calls_before: int) -> tuple[Choice, ...]:
    # The answer is judged by itself: gateways translate the one body and not the other.
    if isinstance(response.get("choices"), list):
        first = response["choices"][0] if response["choices"] else {}
        if isinstance(first, Mapping) and "message" not in first and "text" in first:
            return native.native_answers(response)
        return chat_choices(response)
    if "candidates" in response or "promptFeedback" in response:
        if not response.get("candidates"):
            feedback = response.get("promptFeedback")
            reason = feedback.get("blockReason") if isinstance(feedback, Mapping) else None
            raise LostCall("failed_call", f"the prompt was blocked ({reason or 'no reason given'})")
        return foreign.gemini_answers(response, calls_before=calls_before)
    if isinstance(response.get("output"), list):
        unfinished = response.get("status") in ("queued", "in_progress")
        return () if unfinished else (foreign.responses_answer(response),)
    if isinstance(response.get("output"), Mapping):
        return (foreign.converse_answer(response),)
    if "content" in response:
        return (foreign.anthropic_answer(response),)
    return native.native_answers(response)


_CONTENT = frozenset(
    {
        "messages", "model", "config", "tools", "tool_choice", "functions", "function_call",
        "system", "contents", "systemInstruction", "system_instruction", "toolConfig",
        "tool_config",
        "input", "input_items", "instructions", "prompt", "inputText", "message", "chat_history",
        "preamble", "stream", "stream_options", "metadata", "store", "user", "conversation",
        "previous_response_id",
    }
)  # fmt: skip
"""Keys of a request that are no parameters of sampling: its content, and how it was sent."""

_ECHOED = (
    "instructions", "tools", "tool_choice", "temperature", "top_p", "max_output_tokens",
    "reasoning", "text", "truncation", "parallel_tool_calls", "previous_response_id",
    "conversation",
)  # fmt: skip
