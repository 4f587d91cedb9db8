"""Messages, answers and tools as agent frameworks log them, in the shape of this package.

Frameworks put the chat of a model call into one input and one output value, each in its own way:
OpenAI chat or Responses, Gemini, Anthropic blocks, OpenTelemetry parts, LangChain objects, the
Vercel AI SDK's parts, the ``str()`` of a Python object. The shape tells which it is.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from rft_widgets.model.message import (
    ContentPart,
    FunctionCall,
    Message,
    MessageShapeError,
    Tool,
    ToolCall,
    ToolChoice,
    tool_from_json,
)
from rft_widgets.model.trace import Choice
from rft_widgets.traces import foreign
from rft_widgets.traces.bodies import chat_choices
from rft_widgets.traces.documents import Undecodable, decode


class Request(NamedTuple):
    """What a logged input says about the request; each part is empty where it says nothing."""

    messages: tuple[Message, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None


def decoded(value: Any) -> Any:
    """Object, list or text that a JSON text holds, also when encoded twice; else the value itself.

    Only objects and lists count as JSON: a text that reads ``42`` or ``null`` stays a text.
    """
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "[", '"'):
        return value
    try:
        inner = decode(value)
    except Undecodable:
        return value
    if isinstance(inner, str):
        return decoded(inner)
    return inner if isinstance(inner, (dict, list)) else value


def read_request(value: Any) -> Request:
    """Read a logged model input of any known shape.

    Parameters
    ----------
    value
        The input, decoded. Text is one user message; a list holds messages; an object holds them
        under a name that says whose shape it is. An object without messages gives none.

    Raises
    ------
    MessageShapeError
        If the messages cannot be told apart, or one does not have the shape of a message.
    """
    if isinstance(value, str) and value:
        if _FLATTENED.match(value):
            raise MessageShapeError(
                "the input is a conversation flattened to one text, whose messages cannot be told"
                " apart"
            )
        return Request((Message(role="user", content=value),))
    if isinstance(value, list):
        return _request_of_list(value)
    if isinstance(value, Mapping):
        return _request_of_object(value)
    return Request()


def read_answers(value: Any, text: str | None, *, calls_before: int = 0) -> tuple[Choice, ...]:
    """Read a logged model output of any known shape; no choices if there is no output.

    Parameters
    ----------
    value
        The output, decoded.
    text
        The output as it was logged, if that was text: it is the answer of a model that wrote JSON
        of its own.
    calls_before
        Tool calls in the request; calls without an id are numbered from there.

    Raises
    ------
    MessageShapeError
        If the output has the shape of an answer but a part of it does not.
    """
    if value is None or value == "":
        return ()
    found = None
    if isinstance(value, Mapping):
        found = _answers_of_object(value, calls_before)
    elif isinstance(value, list):
        found = _answers_of_list(value)
    if found is not None:
        return found
    if text is None:
        text = foreign.json_text(value)
    return (Choice(Message(role="assistant", content=text)),)


def read_tools(value: Any) -> tuple[Tool, ...]:
    """Read tool definitions of any known shape: a list, or an object that has them by name."""
    if isinstance(value, Mapping):
        value = [
            {**(inner if isinstance(inner := decoded(one), dict) else {}), "name": name}
            for name, one in value.items()
        ]
    if not isinstance(value, (list, tuple)):
        return ()
    return tuple(tool for one in value for tool in _tools(decoded(one)))


def read_tool_choice(value: Any) -> ToolChoice | None:
    """Read a tool choice: a word, or the object that names one tool."""
    value = decoded(value)
    if isinstance(value, str):
        return value or None
    if not isinstance(value, Mapping):
        return None
    kind, name = value.get("type"), value.get("toolName") or value.get("name")
    if isinstance(name, str):
        return {"type": "function", "function": {"name": name}}
    if kind in ("auto", "none", "required", "any") and len(value) == 1:
        return "required" if kind == "any" else str(kind)
    return dict(value) or None


def finish_reason(value: Any) -> str | None:
    """Why the model stopped, in OpenAI's words where there is one for it."""
    word = foreign.finish_reason(value) or None
    return None if word is None else _FINISH_REASONS.get(word, word)


def without_lost_media(messages: Sequence[Message]) -> tuple[tuple[Message, ...], list[str]]:
    """Take out image, audio and file parts whose data the trace does not hold.

    Returns
    -------
    tuple[tuple[Message, ...], list[str]]
        The messages without those parts, and one line for each part.
    """
    kept: list[Message] = []
    lost: list[str] = []
    for i, message in enumerate(messages):
        parts = message.content
        if isinstance(parts, tuple):
            whole = tuple(part for part in parts if not _is_lost_media(part))
            lost += [f"message {i}: {_kind(part)}" for part in parts if _is_lost_media(part)]
            if len(whole) < len(parts):
                kept.append(msgspec.structs.replace(message, content=_simplest(whole)))
                continue
        kept.append(message)
    return tuple(kept), lost


_FLATTENED = re.compile(r"(system|developer|user|assistant|tool): ")
"""Start of a conversation that an instrumentation joined into ``role: text`` lines."""

_ROLES = {"human": "user", "ai": "assistant", "model": "assistant", "function": "tool"}

_FINISH_REASONS = {
    "tool_call": "tool_calls", "tool-calls": "tool_calls", "completed": "stop",
    "max_output_tokens": "length", "content-filter": "content_filter",
}  # fmt: skip


# Inputs -----------------------------------------------------------------------------------------


def _request_of_list(values: list[Any]) -> Request:
    if len(values) == 1 and isinstance(values[0], list):
        values = values[0]  # a batch of one conversation
    if values and all(isinstance(one, str) for one in values):
        parsed = [_from_repr(one) for one in values]
        if None not in parsed:
            values = parsed
        elif len(values) == 1:
            return read_request(values[0])
        else:
            raise MessageShapeError("the input holds several texts that are no messages")
    if any(isinstance(one, Mapping) and one.get("type") in _ITEMS for one in values):
        return Request(foreign.responses_items(values))
    messages: list[Message] = []
    tools: list[Tool] = []
    for i, one in enumerate(values):
        offered = _offered_tool(one)
        if offered is None:
            messages += _messages(one, f"message {i}")
        else:
            tools += _tools(offered)
    return Request(tuple(messages), tuple(tools))


def _offered_tool(value: Any) -> Any:
    # LangChain's callback logs the tools on offer behind the messages, as messages of role tool.
    if not isinstance(value, Mapping) or value.get("role") != "tool":
        return None
    content = decoded(value.get("content"))
    if not isinstance(content, Mapping) or content.get("type") != "function":
        return None
    return content if isinstance(content.get("function"), Mapping) else None


def _request_of_object(value: Mapping[str, Any]) -> Request:
    if "contents" in value:
        return Request(
            foreign.gemini_messages(value),
            foreign.gemini_tools(value),
            foreign.gemini_tool_choice(value),
        )
    if _is_message(value):
        return Request(tuple(_messages(value, "input")))
    body = next((value[key] for key in ("messages", "input", "prompt") if value.get(key)), None)
    if body is None:
        return _request_of_arguments(value)
    inner = read_request(decoded(body))
    system = value.get("system") or value.get("instructions")
    return Request(
        (*_system(system), *inner.messages),
        inner.tools or read_tools(value.get("tools")),
        read_tool_choice(value.get("tool_choice") or value.get("toolChoice")),
    )


def _request_of_arguments(value: Mapping[str, Any]) -> Request:
    # What a traced Python function was called with: {"args": [...], "kwargs": {...}}.
    positional, named = value.get("args"), value.get("kwargs")
    if isinstance(positional, list) and len(positional) == 1:
        return read_request(decoded(positional[0]))
    if not positional and isinstance(named, Mapping):
        return _request_of_object(named)
    return Request()


def _system(value: Any) -> list[Message]:
    return _messages({"role": "system", "content": value}, "system") if value else []


# Outputs ----------------------------------------------------------------------------------------


def _answers_of_object(value: Mapping[str, Any], calls_before: int) -> tuple[Choice, ...] | None:
    if isinstance(value.get("choices"), list):
        return chat_choices(value)
    if isinstance(value.get("candidates"), list):
        return foreign.gemini_answers(value, calls_before=calls_before)
    if isinstance(value.get("content"), Mapping) and "parts" in value["content"]:
        return foreign.gemini_answers({"candidates": [value]}, calls_before=calls_before)
    if isinstance(value.get("output"), Mapping) and "message" in value["output"]:
        return (foreign.converse_answer(value),)
    if isinstance(value.get("output"), list) and "status" in value:
        return (foreign.responses_answer(value),) if value["output"] else ()
    if isinstance(value.get("content"), list) and "stop_reason" in value:
        return (foreign.anthropic_answer(value),)
    if _is_message(value):
        reason = value.get("stop_reason") or value.get("finish_reason")
        return (Choice(_one_message(value), finish_reason(reason)),)
    if isinstance(value.get("generations"), list):
        return _generations(value["generations"])
    if isinstance(value.get("toolCalls"), list):
        text = value.get("text")
        message = Message(
            role="assistant",
            content=text if isinstance(text, str) and text else None,
            tool_calls=tuple(_tool_call(one, "toolCalls") for one in value["toolCalls"]),
        )
        return (Choice(message, finish_reason(value.get("finishReason"))),)
    return None


def _answers_of_list(values: list[Any]) -> tuple[Choice, ...] | None:
    if len(values) == 1 and isinstance(values[0], list):
        values = values[0]
    if not values or not all(isinstance(one, Mapping) for one in values):
        return None
    if all("toolCallId" in one for one in values):
        calls = tuple(_tool_call(one, f"call {i}") for i, one in enumerate(values))
        return (Choice(Message(role="assistant", tool_calls=calls)),)
    if any(one.get("type") in _ITEMS for one in values):
        return (foreign.responses_answer({"output": values}),)
    if all(_is_message(one) for one in values):
        return tuple(
            Choice(_one_message(one), finish_reason(one.get("finish_reason"))) for one in values
        )
    return None


_ITEMS = frozenset({"function_call", "function_call_output", "reasoning", "message"})
"""Types of items by which a list is one of the Responses API."""


def _generations(values: list[Any]) -> tuple[Choice, ...] | None:
    # LangChain's LLMResult: generations[prompt][n].
    if len(values) == 1 and isinstance(values[0], list):
        values = values[0]
    if not all(isinstance(one, Mapping) for one in values):
        return None
    choices = []
    for one in values:
        info = one.get("generation_info")
        reason = info.get("finish_reason") if isinstance(info, Mapping) else None
        logged = one.get("message") or {"role": "assistant", "content": one.get("text")}
        choices.append(Choice(_one_message(logged), finish_reason(reason)))
    return tuple(choices)


def _one_message(value: Any) -> Message:
    messages = _messages(value, "the answer")
    if len(messages) != 1 or messages[0].role != "assistant":
        raise MessageShapeError("the answer is not one message of the assistant")
    return messages[0]


# Messages ---------------------------------------------------------------------------------------


def _is_message(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and isinstance(value.get("role"), str)
        and any(key in value for key in ("content", "parts", "tool_calls"))
    )


def _messages(value: Any, where: str) -> list[Message]:
    """Messages of one logged item; results of tools inside a turn become messages of their own."""
    value = decoded(value)
    if isinstance(value, str):
        value = _from_repr(value)
    if not isinstance(value, Mapping):
        raise MessageShapeError(f"{where} is not a message")
    if "lc" in value and isinstance(value.get("kwargs"), Mapping):
        value = value["kwargs"]  # a serialised LangChain object
    role = value.get("role") or value.get("type")
    if not isinstance(role, str):
        raise MessageShapeError(f"{where} has no role")
    role = _ROLES.get(role, role)
    body = value["parts"] if "parts" in value else value.get("content")
    calls = tuple(_tool_call(one, where) for one in _logged_calls(value))
    if role == "tool" and not _holds_results(body):
        return [_tool_message(body, value)]
    turn = _turn(role, body, where)
    return [*turn[:-1], _finished(turn[-1], calls, value)]


def _finished(message: Message, calls: tuple[ToolCall, ...], fields: Mapping[str, Any]) -> Message:
    if message.role == "tool":
        return message
    # What is empty says nothing; keys of the framework are not the chat's.
    rest = {k: v for k, v in fields.items() if k not in _READ and v not in (None, "", [], {})}
    calls = message.tool_calls + calls
    return msgspec.structs.replace(
        message,
        content=(message.content or None) if calls else message.content,
        name=_text(fields.get("name")) or None,
        tool_calls=calls,
        extra=message.extra | rest,
    )


_READ = frozenset({
    "role", "content", "parts", "name", "type", "tool_calls", "tool_call_id", "function_call",
    "additional_kwargs", "response_metadata", "usage_metadata", "invalid_tool_calls", "id",
    "status", "finish_reason", "stop_reason", "stop_sequence", "usage", "model", "example",
    "annotations", "provider_specific_fields",
})  # fmt: skip
"""Keys of a logged message that are read elsewhere, or tell of the framework and not the chat."""


def _tool_message(body: Any, fields: Mapping[str, Any]) -> Message:
    call_id = fields.get("tool_call_id") or fields.get("toolCallId")
    return Message(
        role="tool",
        content=_result_text(body),
        name=_text(fields.get("name")),
        tool_call_id=_text(call_id),
    )


def _holds_results(body: Any) -> bool:
    return isinstance(body, list) and any(
        isinstance(part, Mapping)
        and (part.get("type") in _RESULT_PARTS or "function_response" in part)
        for part in body
    )


_RESULT_PARTS = frozenset({"tool_call_response", "tool-result", "tool_result"})
_ANTHROPIC_PARTS = frozenset({"tool_use", "tool_result", "thinking", "redacted_thinking"})


def _turn(role: str, body: Any, where: str) -> list[Message]:
    if not isinstance(body, list):
        return [Message(role=role, content=body if body is None else foreign.json_text(body))]
    parts = [{"type": "text", "text": one} if isinstance(one, str) else one for one in body]
    if not all(isinstance(part, Mapping) for part in parts):
        raise MessageShapeError(f"{where}: a part of its content is not an object")
    if any(part.get("type") in _ANTHROPIC_PARTS or _has_source(part) for part in parts):
        return list(foreign.anthropic_messages({"messages": [{"role": role, "content": parts}]}))
    if parts and not any("type" in part for part in parts):
        return list(foreign.gemini_messages({"contents": [{"role": role, "parts": parts}]}))
    content: list[ContentPart] = []
    calls: list[ToolCall] = []
    results: list[Message] = []
    thoughts: list[str] = []
    extra: dict[str, Any] = {}
    for part in parts:
        kind = part.get("type")
        if kind in ("tool_call", "tool-call"):
            calls.append(_tool_call(part, where))
        elif kind in _RESULT_PARTS:
            results.append(_tool_result(part))
        elif kind == "reasoning":
            thoughts += [text for text in (_part_text(part),) if text]
        elif kind == "refusal":
            extra["refusal"] = part.get("refusal")
        else:
            content.append(_content_part(part))
    if results and not content and not calls:
        return results
    if thoughts:
        extra["reasoning_content"] = "\n\n".join(thoughts)
    message = Message(role=role, content=_simplest(content), tool_calls=tuple(calls), extra=extra)
    return [*results, message]


def _has_source(part: Mapping[str, Any]) -> bool:
    return part.get("type") in ("image", "document") and isinstance(part.get("source"), Mapping)


def _content_part(part: Mapping[str, Any]) -> ContentPart:
    kind, text = part.get("type"), _part_text(part)
    if kind in ("text", "input_text", "output_text") and text is not None:
        return {"type": "text", "text": text}
    link = part.get("image_url") or part.get("image")
    if kind in ("input_image", "image") and isinstance(link, str):
        if not link.startswith(("http://", "https://", "data:", _MEDIA)):
            media = part.get("mediaType") or part.get("mimeType") or "image/png"
            link = f"data:{media};base64,{link}"
        return {"type": "image_url", "image_url": {"url": link}}
    if kind in ("blob", "uri") and part.get("modality") == "image":
        data = part.get("content") or part.get("data")
        link = part.get("uri") or (data and f"data:{part.get('mime_type')};base64,{data}")
        return {"type": "image_url", "image_url": {"url": link}}
    return dict(part)


def _part_text(part: Mapping[str, Any]) -> str | None:
    text = part.get("text", part.get("content"))
    return text if isinstance(text, str) else None


def _logged_calls(fields: Mapping[str, Any]) -> Iterator[Any]:
    named = fields.get("additional_kwargs")
    named = named if isinstance(named, Mapping) else {}
    calls = fields.get("tool_calls") or named.get("tool_calls")
    legacy = fields.get("function_call") or named.get("function_call")
    if isinstance(calls, (list, tuple)):
        yield from calls
    elif isinstance(legacy, Mapping):
        yield {"function": legacy}


def _tool_call(value: Any, where: str) -> ToolCall:
    inner = value.get("function", value) if isinstance(value, Mapping) else None
    if not isinstance(inner, Mapping):
        raise MessageShapeError(f"{where}: a tool call is not an object")
    name = inner.get("name") or inner.get("toolName")
    if not isinstance(name, str):
        raise MessageShapeError(f"{where}: a tool call has no name")
    keys = ("arguments", "args", "input")
    arguments: Any = next((inner[key] for key in keys if inner.get(key) is not None), {})
    call_id = value.get("toolCallId") or value.get("id")
    return ToolCall(
        type="function",
        id=_text(call_id) or None,
        function=FunctionCall(name=name, arguments=foreign.json_text(arguments)),
    )


def _tool_result(part: Mapping[str, Any]) -> Message:
    keys = ("result", "response", "output", "content")
    content = next((part[key] for key in keys if part.get(key) is not None), None)
    if isinstance(content, Mapping) and set(content) == {"type", "value"}:
        content = content["value"]  # Vercel AI SDK 5
    name = part.get("toolName") or part.get("name")
    call_id = part.get("toolCallId") or part.get("id")
    return Message(
        role="tool", content=_result_text(content), name=_text(name), tool_call_id=_text(call_id)
    )


def _result_text(value: Any) -> str | None:
    if isinstance(value, list) and value and all(_text_of_part(one) is not None for one in value):
        return "\n".join(str(_text_of_part(one)) for one in value)
    return value if value is None else foreign.json_text(value)


def _text_of_part(part: Any) -> str | None:
    kinds = ("text", "input_text", "output_text", "summary_text")
    return _part_text(part) if isinstance(part, Mapping) and part.get("type") in kinds else None


def _simplest(parts: Sequence[ContentPart]) -> str | tuple[ContentPart, ...] | None:
    if not parts:
        return None
    if len(parts) == 1 and parts[0].get("type") == "text" and set(parts[0]) == {"type", "text"}:
        return str(parts[0]["text"])
    return tuple(parts)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


# Media ------------------------------------------------------------------------------------------

_MEDIA = "@@@langfuseMedia:"
"""Stands, with an id, in place of data that was uploaded to Langfuse's own storage."""

_CUT = re.compile(r"\[base64_data truncated|litellm_truncated")
"""What LiteLLM leaves of base64 data."""

_MEDIA_KINDS = frozenset({
    "image", "input_image", "audio", "input_file", "document", "inline_data", "file_data", "blob",
    "uri", "media",
})  # fmt: skip
"""Kinds of parts that no converter above could turn into one with its data."""


def _kind(part: ContentPart) -> str:
    return f"{part.get('type')} without its data"


def _is_lost_media(part: ContentPart) -> bool:
    kind = part.get("type")
    if kind == "image_url":
        image = part.get("image_url")
        link = image.get("url") if isinstance(image, Mapping) else image
        if not isinstance(link, str) or not link.startswith(("http://", "https://", "data:")):
            return True
        return _MEDIA in link[:200] or _CUT.search(link) is not None
    if kind in ("input_audio", "file"):
        inner = part.get(kind)
        data = inner.get("data") or inner.get("file_data") if isinstance(inner, Mapping) else None
        if not isinstance(data, str):
            return not (isinstance(inner, Mapping) and inner.get("file_id"))
        return _MEDIA in data[:200] or _CUT.search(data) is not None
    return kind in _MEDIA_KINDS


# Tools ------------------------------------------------------------------------------------------


def _tools(value: Any) -> Iterator[Tool]:
    if not isinstance(value, Mapping):
        return
    if "function_declarations" in value or "functionDeclarations" in value:
        yield from foreign.gemini_tools({"tools": [value]})
        return
    if isinstance(value.get("function"), Mapping):
        yield tool_from_json(value)
        return
    keys = ("parameters", "inputSchema", "input_schema", "parameters_json_schema")
    schema = next((key for key in keys if value.get(key) is not None), None)
    kind = value.get("type")
    if kind not in (None, "function", "custom") and schema is None:
        # A tool that the provider runs: web search, code interpreter.
        yield Tool(type=str(kind), extra={k: v for k, v in value.items() if k != "type"})
        return
    fields = {k: value.get(k) for k in ("name", "description", "strict")}
    if isinstance(fields["name"], str):
        parameters = decoded(value[schema]) if schema else None
        function = {**fields, "parameters": parameters, "description": fields["description"]}
        yield tool_from_json({"type": "function", "function": function})


# Messages logged as the str() of a Python object ------------------------------------------------


def _from_repr(text: str) -> dict[str, Any] | None:
    """Read ``role='user' content='hi' name=None ...``, what ``str()`` makes of a pydantic message.

    Each value is a Python literal, so the text says exactly what the message was. ``None`` if it is
    no such text, or a key of the chat has a value that is no literal.
    """
    if not text.startswith("role='"):
        return None
    fields: dict[str, Any] = {}
    position = 0
    while position < len(text):
        key = _REPR_KEY.match(text, position)
        if key is None:
            return None
        end = _literal_end(text, key.end())
        if key[1] in _REPR_FIELDS:
            try:
                fields[key[1]] = ast.literal_eval(text[key.end() : end])
            except (ValueError, SyntaxError, RecursionError, MemoryError):
                return None
        position = end + 1
    return fields


_REPR_KEY = re.compile(r"(\w+)=")
_REPR_FIELDS = frozenset({"role", "content", "name", "tool_call_id", "tool_calls"})


def _literal_end(text: str, start: int) -> int:
    """Position of the blank behind the literal at ``start``, or the end of the text."""
    depth, quote, i = 0, "", start
    while i < len(text):
        char = text[i]
        if quote:
            if char == "\\":
                i += 1
            elif char == quote:
                quote = ""
        elif char in "'\"":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char == " " and depth == 0:
            return i
        i += 1
    return i
