"""OpenAI Responses: lists of items instead of messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rft_widgets.model.message import ContentPart, Message, MessageShapeError, Tool, ToolChoice
from rft_widgets.model.trace import Choice
from rft_widgets.traces.foreign.turn import (
    Turn,
    file_part,
    function_tool,
    image_part,
    kept_part,
    mapping,
    one_tool,
    read_turn,
    sequence,
    tool_result,
)


def responses_messages(request: Mapping[str, Any]) -> tuple[Message, ...]:
    """Conversation of a Responses request: its instructions, then its input."""
    instructions = request.get("instructions")
    messages: tuple[Message, ...] = ()
    if isinstance(instructions, str) and instructions:
        messages = (Message("system", instructions),)
    elif isinstance(instructions, list):
        messages = responses_items(instructions)
    given = request.get("input")
    if isinstance(given, str):
        return (*messages, Message("user", given))
    return messages + responses_items(given if given is not None else [])


def responses_items(items: Any) -> tuple[Message, ...]:
    """Messages that a list of items is.

    What the model wrote in one go (reasoning, text, calls) are several items in a row; together
    they are one message.
    """
    messages: list[Message] = []
    turn = Turn("assistant")
    for i, value in enumerate(sequence(items, "input")):
        where = f"input[{i}]"
        item = mapping(value, where)
        if _add_to_answer(turn, item, where):
            continue
        if turn.filled:
            messages += turn.finish()
            turn = Turn("assistant")
        if item.get("type") in ("function_call_output", "custom_tool_call_output"):
            output = item.get("output")
            messages.append(tool_result(item.get("call_id"), output, _add_part, where))
        elif item.get("type") in (None, "message"):
            messages += read_turn(item.get("role"), item.get("content"), _add_part, where)
        else:  # a reference to an item that is stored elsewhere, or an item of a built-in tool
            turn.part(kept_part(str(item.get("type")), item))
    if turn.filled:
        messages += turn.finish()
    return tuple(messages)


def responses_answer(response: Mapping[str, Any]) -> Choice:
    """Answer of a Responses response."""
    turn = Turn("assistant")
    for i, value in enumerate(sequence(response.get("output"), "output")):
        item = mapping(value, f"output[{i}]")
        if not _add_to_answer(turn, item, f"output[{i}]"):
            turn.part(kept_part(str(item.get("type")), item))
    messages = turn.finish()
    return Choice(messages[0], _finish_reason(response, messages[0]))


def responses_tools(request: Mapping[str, Any]) -> tuple[Tool, ...]:
    """Tools of a Responses request; a built-in tool keeps its own type."""
    tools = []
    for i, value in enumerate(sequence(request.get("tools") or [], "tools")):
        fields = dict(mapping(value, f"tools[{i}]"))
        kind = fields.pop("type", None)
        if kind in ("function", None):
            tools.append(function_tool(fields, fields.pop("parameters", None)))
        else:
            tools.append(Tool(type=str(kind), extra=fields))
    return tuple(tools)


def responses_tool_choice(request: Mapping[str, Any]) -> ToolChoice | None:
    """Read what a Responses request says about calling tools, ``None`` for nothing."""
    choice = request.get("tool_choice")
    if isinstance(choice, Mapping):
        return one_tool(choice.get("name")) if "name" in choice else dict(choice)
    return choice if isinstance(choice, str) else None


def in_order(items: Sequence[Any], *, newest_first: bool) -> list[Any]:
    """Items of a request in the order of the conversation.

    The service lists them newest first unless it is asked otherwise, so the order of a list is
    taken from what it holds: a result comes after its call, and instructions come first. Only where
    nothing tells, ``newest_first`` decides.
    """
    told = _is_newest_first(items)
    return list(reversed(items)) if (newest_first if told is None else told) else list(items)


def _is_newest_first(items: Sequence[Any]) -> bool | None:
    called: set[str] = set()
    answered: set[str] = set()
    for item in items:
        if not isinstance(item, Mapping) or not isinstance(item.get("call_id"), str):
            continue
        if str(item.get("type")).endswith("_output"):
            if item["call_id"] in called:
                return False
            answered.add(item["call_id"])
        else:
            if item["call_id"] in answered:
                return True
            called.add(item["call_id"])
    if len(items) > 1:
        first, last = _role(items[0]), _role(items[-1])
        if (first in _PROMPT_ROLES) != (last in _PROMPT_ROLES):
            return last in _PROMPT_ROLES
    return None


_PROMPT_ROLES = ("system", "developer")


def _role(item: Any) -> Any:
    return item.get("role") if isinstance(item, Mapping) else None


def _add_to_answer(turn: Turn, item: Mapping[str, Any], where: str) -> bool:
    """Add an item that the model wrote; ``False`` if it did not write this one."""
    kind = item.get("type")
    if kind == "function_call":
        turn.call(item.get("name"), item.get("arguments", ""), item.get("call_id"), where)
    elif kind == "custom_tool_call":
        turn.call(item.get("name"), item.get("input", ""), item.get("call_id"), where)
    elif kind == "reasoning":
        _add_reasoning(turn, item)
    elif kind in ("message", None) and item.get("role") == "assistant":
        content = item.get("content")
        for part in [content] if isinstance(content, str) else sequence(content or [], where):
            if isinstance(part, str):
                turn.text(part, where)
            else:
                _add_part(turn, mapping(part, where), where)
    else:
        return False
    return True


def _add_reasoning(turn: Turn, item: Mapping[str, Any]) -> None:
    for key in ("content", "summary"):
        parts = item.get(key)
        texts = [
            part["text"]
            for part in parts if isinstance(part, Mapping) and isinstance(part.get("text"), str)
        ] if isinstance(parts, list) else []  # fmt: skip
        if texts:
            turn.reasoning("\n\n".join(texts), item, signed=False)
            break
    if item.get("encrypted_content"):
        turn.reasoning(None, item, signed=True)


def _add_part(turn: Turn, part: Mapping[str, Any], where: str) -> None:
    kind = part.get("type")
    if kind in ("input_text", "output_text", "text", "summary_text"):
        turn.text(part.get("text"), where)
    elif kind == "refusal":
        turn.extra["refusal"] = part.get("refusal")
    elif kind == "input_image" and isinstance(part.get("image_url"), str):
        turn.part(_image(part))
    elif kind == "input_file" and isinstance(part.get("file_data"), str):
        turn.part(file_part(part.get("filename"), part["file_data"]))
    elif kind == "input_file" and isinstance(part.get("file_id"), str):
        turn.part({"type": "file", "file": {"file_id": part["file_id"]}})
    else:
        turn.part(kept_part(str(kind), part))


def _image(part: Mapping[str, Any]) -> ContentPart:
    image = image_part(part["image_url"])
    if part.get("detail") in ("low", "high"):  # "auto" is what an image has anyway
        image["image_url"]["detail"] = part["detail"]
    return image


def _finish_reason(response: Mapping[str, Any], message: Message) -> str | None:
    status = response.get("status")
    if status == "completed":
        return "tool_calls" if message.tool_calls else "stop"
    if status == "incomplete":
        details = response.get("incomplete_details")
        reason = details.get("reason") if isinstance(details, Mapping) else None
        if reason is not None and not isinstance(reason, str):
            raise MessageShapeError("incomplete_details.reason is not text")
        return {"max_output_tokens": "length"}.get(reason or "", reason) or "length"
    return status if isinstance(status, str) else None
