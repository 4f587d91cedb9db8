"""Messages written as typed parts (OpenTelemetry's GenAI conventions) as chat messages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from rft_widgets.model.message import (
    ContentPart,
    FunctionCall,
    Message,
    MessageShapeError,
    Tool,
    ToolCall,
    message_from_json,
    tool_from_json,
)
from rft_widgets.model.trace import Choice


class Conversation(NamedTuple):
    """Messages, and for each image or audio part that has no data a line that says so."""

    messages: tuple[Message, ...]
    missing: tuple[str, ...] = ()


class Answers(NamedTuple):
    """Answers, and for each image or audio part that has no data a line that says so."""

    choices: tuple[Choice, ...]
    missing: tuple[str, ...] = ()


def messages_from_parts(value: Any, where: str = "messages") -> Conversation:
    """Chat messages from a list of ``{"role", "parts": [...]}``.

    A message that answers several tool calls becomes one tool message a call. Text in one part
    becomes plain text, several parts a list of content parts. A part without a counterpart in the
    chat shape is kept as it is.

    Raises
    ------
    MessageShapeError
        If the value is no list of messages.
    """
    messages: list[Message] = []
    missing: list[str] = []
    for i, item in enumerate(_items(value, where)):
        messages.extend(_messages(item, f"{where}[{i}]", missing))
    return Conversation(tuple(messages), tuple(missing))


def answers_from_parts(value: Any, where: str = "answers") -> Answers:
    """Answers from a list of output messages; each one is a choice of its own.

    Raises
    ------
    MessageShapeError
        If the value is no list of messages.
    """
    choices: list[Choice] = []
    missing: list[str] = []
    for i, item in enumerate(_items(value, where)):
        fields = dict(item)
        reason = fields.pop("finish_reason", None)
        fields.setdefault("role", "assistant")
        if isinstance(fields.get("parts"), list):
            message = _message(fields, fields.pop("parts"), f"{where}[{i}]", missing)
        else:
            message = without_empty_media(chat_message(fields, f"{where}[{i}]"), missing)
        choices.append(Choice(message, finish_reason(reason)))
    return Answers(tuple(choices), tuple(missing))


def system_from_instructions(value: Any, where: str = "system_instructions") -> Message | None:
    """Make the system message that instructions beside the conversation stand for.

    Raises
    ------
    MessageShapeError
        If the value is neither text nor a list of parts.
    """
    if isinstance(value, str):
        return Message("system", value) if value else None
    if isinstance(value, Mapping):
        value = [value]
    if not isinstance(value, list):
        raise MessageShapeError(f"{where} is no list of parts")
    if not value:
        return None
    return _message({"role": "system"}, value, where, [])


def tools_from_definitions(value: Any, where: str = "tools") -> tuple[Tool, ...]:
    """Tools from definitions that name the function flat, nested, or with an ``input_schema``.

    Raises
    ------
    MessageShapeError
        If the value is no list of tool definitions.
    """
    return tuple(_tool(item, f"{where}[{i}]") for i, item in enumerate(_items(value, where)))


def chat_message(value: Any, where: str = "message") -> Message:
    """Read a message that is in the chat shape already.

    A call in the old ``function_call`` form becomes a tool call without an id.

    Raises
    ------
    MessageShapeError
        If a known key has a value of the wrong type.
    """
    message = message_from_json(value, where)
    call = message.extra.get("function_call")
    if not isinstance(call, Mapping) or message.tool_calls:
        return message
    extra = {key: inner for key, inner in message.extra.items() if key != "function_call"}
    tool_call = ToolCall("function", function=_function(call, where))
    return msgspec.structs.replace(message, tool_calls=(tool_call,), extra=extra)


def without_empty_media(message: Message, missing: list[str]) -> Message:
    """Take image and audio parts without data out of a message, and name them in ``missing``.

    Instrumentation may leave the data out: the address is then empty or a placeholder.
    """
    if message.content is None or isinstance(message.content, str):
        return message
    kept = tuple(part for part in message.content if _has_data(part))
    if len(kept) == len(message.content):
        return message
    missing.extend(_no_data(part, message.role) for part in message.content if not _has_data(part))
    return msgspec.structs.replace(message, content=kept)


def finish_reason(value: Any) -> str | None:
    """Why the model stopped, in the chat shape's words."""
    # The conventions spell the reason in the singular.
    return "tool_calls" if value == "tool_call" else value if isinstance(value, str) else None


_ADDRESS = re.compile(r"data:[^,]*,.+|(?!data:)[A-Za-z][A-Za-z0-9+.-]*:.+", re.DOTALL)


def _items(value: Any, where: str) -> Iterable[Mapping[str, Any]]:
    items = [value] if isinstance(value, Mapping) else value
    if not isinstance(items, (list, tuple)):
        raise MessageShapeError(f"{where} is no list")
    for i, item in enumerate(items):
        if not isinstance(item, Mapping):
            raise MessageShapeError(f"{where}[{i}] is no object")
    return items


def _messages(item: Mapping[str, Any], where: str, missing: list[str]) -> list[Message]:
    fields = dict(item)
    if not isinstance(fields.get("parts"), list):
        return [without_empty_media(chat_message(fields, where), missing)]
    parts = fields.pop("parts")
    results = [part for part in parts if _kind(part) == "tool_call_response"]
    rest = [part for part in parts if _kind(part) != "tool_call_response"]
    messages = [_tool_result(part, fields, where) for part in results]
    if rest or not results:
        # What a message says beside tool results follows them: the calls come before it.
        messages.append(_message(fields, rest, where, missing))
    return messages


def _message(
    fields: Mapping[str, Any], parts: list[Any], where: str, missing: list[str]
) -> Message:
    role = fields.get("role")
    if not isinstance(role, str):
        raise MessageShapeError(f"{where}: role is missing or no text")
    name = fields.get("name")
    extra = {
        key: value for key, value in fields.items() if key not in ("role", "name", "finish_reason")
    }
    content: list[ContentPart] = []
    calls: list[ToolCall] = []
    for i, part in enumerate(parts):
        _sort_part(part, f"{where}.parts[{i}]", content, calls, extra)
    kept = [part for part in content if _has_data(part)]
    missing.extend(_no_data(part, role) for part in content if not _has_data(part))
    return Message(
        role=role,
        content=_joined(kept),
        name=name if isinstance(name, str) else None,
        tool_calls=tuple(calls),
        extra=extra,
    )


def _sort_part(
    part: Any, where: str, content: list[ContentPart], calls: list[ToolCall], extra: dict[str, Any]
) -> None:
    if isinstance(part, str):
        content.append({"type": "text", "text": part})
        return
    if not isinstance(part, Mapping):
        raise MessageShapeError(f"{where} is no object")
    said = part.get("content", part.get("text"))
    match _kind(part):
        case "text":
            content.append({"type": "text", "text": _as_text(said)})
        case "tool_call":
            call_id = part.get("id")
            calls.append(
                ToolCall(
                    "function",
                    id=call_id if isinstance(call_id, str) and call_id else None,
                    function=_function(part, where),
                )
            )
        case "reasoning" | "thinking":
            before = extra.get("reasoning_content")
            extra["reasoning_content"] = "\n".join(filter(None, (before, _as_text(said))))
        case "refusal":
            extra["refusal"] = _as_text(part.get("refusal", said))
        case "blob":
            content.append(_media(part, _data_address(part)))
        case "uri":
            content.append(_media(part, _as_text(part.get("uri"))))
        case "file" if isinstance(part.get("file_id"), str):
            content.append({"type": "file", "file": {"file_id": part["file_id"]}})
        case _:
            content.append(dict(part))


def _joined(content: list[ContentPart]) -> str | tuple[ContentPart, ...] | None:
    if not content:
        return None
    if len(content) == 1 and content[0].get("type") == "text":
        return _as_text(content[0].get("text"))
    return tuple(content)


def _tool_result(part: Mapping[str, Any], fields: Mapping[str, Any], where: str) -> Message:
    result = part.get("response", part.get("result", part.get("content")))
    call_id = part.get("id", part.get("tool_call_id"))
    if call_id is not None and not isinstance(call_id, str):
        raise MessageShapeError(f"{where}: the id of a tool's answer is no text")
    name = part.get("name", fields.get("name"))
    return Message(
        "tool",
        content=_as_text(result),
        name=name if isinstance(name, str) else None,
        tool_call_id=call_id,
    )


def _function(value: Mapping[str, Any], where: str) -> FunctionCall:
    name = value.get("name")
    if not isinstance(name, str):
        raise MessageShapeError(f"{where}: the name of a called function is missing or no text")
    return FunctionCall(name, _as_text(value.get("arguments")))


def _tool(item: Mapping[str, Any], where: str) -> Tool:
    function = item.get("function")
    if isinstance(function, Mapping) or "name" not in item:
        return tool_from_json(item, where)
    fields = dict(item)
    kind = fields.pop("type", None)
    if "input_schema" in fields and "parameters" not in fields:
        fields["parameters"] = fields.pop("input_schema")
    if kind not in (None, "function", "custom"):
        # A tool that the provider runs itself has no function to call.
        return tool_from_json(item, where)
    return tool_from_json({"type": "function", "function": fields}, where)


def _media(part: Mapping[str, Any], address: str) -> ContentPart:
    mime = _as_text(part.get("mime_type"))
    modality = _as_text(part.get("modality")) or mime.partition("/")[0]
    if modality == "image":
        return {"type": "image_url", "image_url": {"url": address}}
    if modality == "audio" and address.startswith("data:"):
        form = mime.partition("/")[2] or "wav"
        audio = {"data": address.partition(",")[2], "format": form}
        return {"type": "input_audio", "input_audio": audio}
    if address.startswith("data:"):
        return {"type": "file", "file": {"file_data": address}}
    return dict(part)


def _data_address(part: Mapping[str, Any]) -> str:
    data = _as_text(part.get("content", part.get("data")))
    mime = _as_text(part.get("mime_type")) or f"{_as_text(part.get('modality')) or 'image'}/*"
    return f"data:{mime};base64,{data}"


def _has_data(part: ContentPart) -> bool:
    match part.get("type"):
        case "image_url":
            image = part.get("image_url")
            address = image.get("url") if isinstance(image, Mapping) else image
            return isinstance(address, str) and _ADDRESS.fullmatch(address) is not None
        case "input_audio":
            audio = part.get("input_audio")
            return isinstance(audio, Mapping) and bool(audio.get("data"))
        case "file":
            file = part.get("file")
            data = file.get("file_data") if isinstance(file, Mapping) else None
            return not isinstance(data, str) or _ADDRESS.fullmatch(data) is not None
        case _:
            return True


def _no_data(part: ContentPart, role: str) -> str:
    return f"{part.get('type')} part of a {role} message has no data"


def _kind(part: Any) -> str:
    if not isinstance(part, Mapping):
        return ""
    kind = part.get("type")
    if kind is None and isinstance(part.get("content", part.get("text")), str):
        return "text"
    return kind if isinstance(kind, str) else ""


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else msgspec.json.encode(value).decode()
