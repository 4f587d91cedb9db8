"""Gemini generateContent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rft_widgets.model.message import ContentPart, Message, MessageShapeError, Tool, ToolChoice
from rft_widgets.model.trace import Choice
from rft_widgets.traces.foreign.turn import (
    Turn,
    data_url,
    either,
    file_part,
    finish_reason,
    function_tool,
    image_part,
    json_text,
    kept_part,
    mapping,
    one_tool,
    read_answer,
    read_system,
    read_turn,
    sequence,
    snake_case,
)


def gemini_messages(request: Mapping[str, Any]) -> tuple[Message, ...]:
    """Conversation of a Gemini generateContent request, its system instruction first.

    Gemini may leave the ids of calls out; such calls are numbered ``call_0``, ``call_1``, ... over
    the conversation, and a result belongs to the first unanswered call of the same function.
    """
    numbering = _CallNumbers()
    messages = read_system(_gemini_setting(request, "systemInstruction"), numbering.block)
    contents = request.get("contents")
    if isinstance(contents, (str, Mapping)):
        contents = [contents]
    for i, value in enumerate(sequence(contents, "contents")):
        where = f"contents[{i}]"
        content = {"parts": [value]} if isinstance(value, str) else mapping(value, where)
        role = _GEMINI_ROLES.get(str(content.get("role")), content.get("role") or "user")
        messages += read_turn(role, content.get("parts"), numbering.block, where)
    return tuple(messages)


def gemini_answer(response: Mapping[str, Any], *, calls_before: int = 0) -> Choice:
    """First candidate of a Gemini response; see `gemini_answers`."""
    return gemini_answers(response, calls_before=calls_before)[0]


def gemini_answers(response: Mapping[str, Any], *, calls_before: int = 0) -> tuple[Choice, ...]:
    """Candidates of a Gemini response.

    Parameters
    ----------
    calls_before
        Calls in the conversation so far, so that calls without an id get the number that they will
        have in the next request.

    Raises
    ------
    MessageShapeError
        If there is no candidate; the text names the reason of a blocked prompt.
    """
    candidates = sequence(response.get("candidates") or [], "candidates")
    if not candidates:
        feedback = either(response, "promptFeedback")
        reason = either(feedback, "blockReason") if isinstance(feedback, Mapping) else None
        blocked = f": the prompt was blocked ({reason})" if reason else ""
        raise MessageShapeError(f"response has no candidates{blocked}")
    return tuple(
        _gemini_candidate(mapping(candidate, f"candidates[{i}]"), calls_before, f"candidates[{i}]")
        for i, candidate in enumerate(candidates)
    )


def gemini_tools(request: Mapping[str, Any]) -> tuple[Tool, ...]:
    """Tools of a Gemini request, one for each function declaration and each built-in tool."""
    tools: list[Tool] = []
    for i, value in enumerate(sequence(_gemini_setting(request, "tools") or [], "tools")):
        for key, inner in mapping(value, f"tools[{i}]").items():
            if snake_case(key) == "function_declarations":
                declarations = sequence(inner, f"tools[{i}].{key}")
                tools += [_gemini_tool(mapping(each, f"tools[{i}].{key}")) for each in declarations]
            else:
                tools.append(Tool(type=snake_case(key), extra={key: inner}))
    return tuple(tools)


def gemini_tool_choice(request: Mapping[str, Any]) -> ToolChoice | None:
    """Read what a Gemini request says about calling tools; ``None`` if it says nothing."""
    config = _gemini_setting(request, "toolConfig")
    calling = either(config, "functionCallingConfig") if isinstance(config, Mapping) else None
    if not isinstance(calling, Mapping):
        return None
    names = either(calling, "allowedFunctionNames")
    mode = str(calling.get("mode")).upper()
    if mode == "ANY" and isinstance(names, list) and len(names) == 1:
        return one_tool(names[0])
    return {"AUTO": "auto", "ANY": "required", "NONE": "none", "VALIDATED": "auto"}.get(mode)


_GEMINI_ROLES = {"model": "assistant", "function": "user", "tool": "user"}


class _CallNumbers:
    """Adds blocks of Gemini, and joins calls and results that have no id."""

    def __init__(self, first: int = 0) -> None:
        self.next = first
        self.unanswered: list[tuple[str, str]] = []

    def block(self, turn: Turn, block: Mapping[str, Any], where: str) -> None:
        if block.get("thought") is True:
            turn.reasoning(block.get("text"), block, signed=False)
        elif block.get("text") is not None:
            turn.text(block["text"], where)
        elif (call := either(block, "functionCall")) is not None:
            self._call(turn, mapping(call, where), block, where)
        elif (result := either(block, "functionResponse")) is not None:
            turn.result(self._answered(mapping(result, where)))
        elif isinstance(data := either(block, "inlineData"), Mapping):
            turn.part(_gemini_media(data))
        elif isinstance(data := either(block, "fileData"), Mapping):
            turn.part(_gemini_file(data))
        else:
            turn.part(kept_part(next(iter(block), "part"), block))

    def _call(
        self, turn: Turn, call: Mapping[str, Any], block: Mapping[str, Any], where: str
    ) -> None:
        call_id = call.get("id") or f"call_{self.next}"
        self.next += 1
        signature = either(block, "thoughtSignature")
        extra = {"thought_signature": signature} if signature is not None else None
        turn.call(call.get("name"), call.get("args") or {}, call_id, where, extra)
        self.unanswered.append((str(call.get("name")), str(call_id)))

    def _answered(self, result: Mapping[str, Any]) -> Message:
        name = result.get("name")
        call_id = result.get("id")
        waiting = [pair for pair in self.unanswered if call_id in (None, pair[1])]
        match = next((pair for pair in waiting if pair[0] == name), None)
        if match is not None:
            self.unanswered.remove(match)
            call_id = match[1]
        return Message(
            "tool",
            json_text(result.get("response", {})),
            name=name if isinstance(name, str) else None,
            tool_call_id=call_id if isinstance(call_id, str) else None,
        )


def _gemini_candidate(candidate: Mapping[str, Any], calls_before: int, where: str) -> Choice:
    content = candidate.get("content")
    parts = content.get("parts") if isinstance(content, Mapping) else content
    message = read_answer(parts, _CallNumbers(calls_before).block, where)
    reason = finish_reason(either(candidate, "finishReason"))
    if reason == "stop" and message.tool_calls:
        reason = "tool_calls"  # Gemini says STOP for both
    return Choice(message, reason)


def _gemini_media(data: Mapping[str, Any]) -> ContentPart:
    kind = either(data, "mimeType")
    content = data.get("data")
    if not isinstance(content, str) or not content:
        return image_part("")
    if isinstance(kind, str) and kind.startswith("audio/"):
        form = {"mpeg": "mp3", "x-wav": "wav"}.get(kind[6:], kind[6:])
        return {"type": "input_audio", "input_audio": {"data": content, "format": form}}
    if isinstance(kind, str) and not kind.startswith("image/"):
        return file_part(data.get("displayName"), data_url(kind, content))
    return image_part(data_url(kind, content))


def _gemini_file(data: Mapping[str, Any]) -> ContentPart:
    uri = either(data, "fileUri")
    if isinstance(uri, str) and str(either(data, "mimeType")).startswith("image/"):
        return image_part(uri)
    return kept_part("file_data", data)


def _gemini_tool(declaration: Mapping[str, Any]) -> Tool:
    fields = dict(declaration)
    plain = fields.pop("parametersJsonSchema", fields.pop("parameters_json_schema", None))
    schema = fields.pop("parameters", None)
    return function_tool(fields, plain if plain is not None else _json_schema(schema))


def _gemini_setting(request: Mapping[str, Any], name: str) -> Any:
    # The SDK puts beside ``contents`` in ``config`` what the API has at the top.
    value = either(request, name)
    config = request.get("config")
    return either(config, name) if value is None and isinstance(config, Mapping) else value


_SCHEMA_TYPES = frozenset({"STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL"})


def _json_schema(schema: Any) -> Any:
    """JSON schema of a Gemini schema, which writes its types in capitals."""
    if isinstance(schema, list):
        return [_json_schema(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    plain = {
        key: value if key in ("enum", "default", "example") else _json_schema(value)
        for key, value in schema.items()
    }
    if isinstance(plain.get("type"), str) and plain["type"] in _SCHEMA_TYPES:
        plain["type"] = plain["type"].lower()
    return plain
