"""Messages of one item of a logged conversation, whichever framework wrote it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from rft_widgets.model.message import (
    ContentPart,
    FunctionCall,
    Message,
    MessageShapeError,
    ToolCall,
)
from rft_widgets.traces import foreign
from rft_widgets.traces.documents import Undecodable, decode
from rft_widgets.traces.media import LANGFUSE_MEDIA, simplest


def decoded(value: Any) -> Any:
    """Object or list that a JSON text holds, also when it was encoded twice; else the value itself.

    A text that reads ``42``, ``null`` or ``"quoted"`` stays as it is: it may be what was said.
    """
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "[", '"'):
        return value
    try:
        inner = decode(value)
    except Undecodable:
        return value
    inner = decoded(inner)
    return inner if isinstance(inner, (dict, list)) else value


def unquoted(text: str) -> str:
    """Text that a JSON string holds; any other text as it is."""
    try:
        inner = decode(text)
    except Undecodable:
        return text
    return inner if isinstance(inner, str) else text


def messages_of(value: Any, where: str) -> list[Message]:
    """Messages of one logged item; results of tools inside a turn become messages of their own."""
    value = decoded(value)
    if isinstance(value, str):
        value = message_from_repr(value)
    if not isinstance(value, Mapping):
        raise MessageShapeError(f"{where} is not a message")
    if "lc" in value and isinstance(value.get("kwargs"), Mapping):
        value = value["kwargs"]  # a serialised LangChain object
    role = value.get("role") or value.get("type")
    if not isinstance(role, str):
        raise MessageShapeError(f"{where} has no role")
    role = _ROLES.get(role, role)
    body = value["parts"] if "parts" in value else value.get("content")
    calls = tuple(read_tool_call(one, where) for one in _logged_calls(value))
    if role == "tool" and not _holds_results(body):
        return [_tool_message(body, value)]
    turn = _turn(role, body, where)
    return [*turn[:-1], _finished(turn[-1], calls, value)]


def read_tool_call(value: Any, where: str) -> ToolCall:
    """Read a tool call with its function inside or flat, under any framework's names."""
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


def message_from_repr(text: str) -> dict[str, Any] | None:
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


_ROLES = {"human": "user", "ai": "assistant", "model": "assistant", "function": "tool"}


# Turns --------------------------------------------------------------------------------------------


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


_RESULT_PARTS = ("tool_call_response", "tool-result", "tool_result")
_ANTHROPIC_PARTS = ("tool_use", "tool_result", "thinking", "redacted_thinking")


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
            calls.append(read_tool_call(part, where))
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
    message = Message(role=role, content=simplest(content), tool_calls=tuple(calls), extra=extra)
    return [*results, message]


def _has_source(part: Mapping[str, Any]) -> bool:
    return part.get("type") in ("image", "document") and isinstance(part.get("source"), Mapping)


def _content_part(part: Mapping[str, Any]) -> ContentPart:
    kind, text = part.get("type"), _part_text(part)
    if kind in ("text", "input_text", "output_text") and text is not None:
        return {"type": "text", "text": text}
    link = part.get("image_url") or part.get("image")
    if kind in ("input_image", "image") and isinstance(link, str):
        if not link.startswith(("http://", "https://", "data:", LANGFUSE_MEDIA)):
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


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


# Messages logged as the str() of a Python object --------------------------------------------------

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
