"""Anthropic Messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rft_widgets.model.message import ContentPart, Message, MessageShapeError, Tool, ToolChoice
from rft_widgets.model.trace import Choice
from rft_widgets.traces.foreign.turn import (
    Turn,
    data_url,
    file_part,
    finish_reason,
    function_tool,
    image_part,
    kept_part,
    mapping,
    one_tool,
    read_answer,
    read_system,
    read_turn,
    sequence,
    tool_result,
)


def anthropic_messages(request: Mapping[str, Any]) -> tuple[Message, ...]:
    """Conversation of an Anthropic Messages request, its system prompt first."""
    messages = read_system(request.get("system"), _anthropic_block)
    for i, value in enumerate(sequence(request.get("messages"), "messages")):
        where = f"messages[{i}]"
        message = mapping(value, where)
        messages += read_turn(message.get("role"), message.get("content"), _anthropic_block, where)
    return tuple(messages)


def anthropic_answer(response: Mapping[str, Any]) -> Choice:
    """Answer of an Anthropic Messages response."""
    if response.get("content") is None:
        raise MessageShapeError("response: content is missing")
    return Choice(
        read_answer(response["content"], _anthropic_block, "response"),
        finish_reason(response.get("stop_reason")),
    )


def anthropic_tools(request: Mapping[str, Any]) -> tuple[Tool, ...]:
    """Tools of an Anthropic request; a tool that Anthropic runs itself keeps its own type."""
    return tuple(
        _anthropic_tool(mapping(tool, f"tools[{i}]"))
        for i, tool in enumerate(sequence(request.get("tools") or [], "tools"))
    )


def anthropic_tool_choice(request: Mapping[str, Any]) -> ToolChoice | None:
    """Read what an Anthropic request says about calling tools, ``None`` for nothing."""
    choice = request.get("tool_choice")
    if not isinstance(choice, Mapping):
        return None
    if choice.get("type") == "tool":
        return one_tool(choice.get("name"))
    words = {"auto": "auto", "any": "required", "none": "none"}
    return words.get(str(choice.get("type")))


def _anthropic_block(turn: Turn, block: Mapping[str, Any], where: str) -> None:
    kind = block.get("type")
    if kind == "text":
        turn.text(block.get("text"), where)
    elif kind == "tool_use":
        turn.call(block.get("name"), block.get("input", {}), block.get("id"), where)
    elif kind == "tool_result":
        failed = {"is_error": True} if block.get("is_error") is True else {}
        content = block.get("content")
        turn.result(
            tool_result(block.get("tool_use_id"), content, _anthropic_block, where, **failed)
        )
    elif kind == "thinking":
        turn.reasoning(block.get("thinking"), block, signed=bool(block.get("signature")))
    elif kind == "redacted_thinking":
        turn.reasoning(None, block, signed=True)
    elif kind == "image":
        turn.part(_anthropic_image(block))
    elif kind == "document":
        turn.part(_anthropic_document(block))
    else:
        turn.part(kept_part(str(kind), block))


def _anthropic_image(block: Mapping[str, Any]) -> ContentPart:
    source = block.get("source")
    if isinstance(source, Mapping):
        if source.get("type") == "base64" and isinstance(source.get("data"), str):
            return image_part(data_url(source.get("media_type"), source["data"]))
        if isinstance(source.get("url"), str):
            return image_part(source["url"])
        if "file_id" in source:
            return kept_part("image", block)
    return image_part("")


def _anthropic_document(block: Mapping[str, Any]) -> ContentPart:
    source = block.get("source")
    if isinstance(source, Mapping) and isinstance(source.get("data"), str):
        if source.get("type") == "text":
            return {"type": "text", "text": source["data"]}
        return file_part(block.get("title"), data_url(source.get("media_type"), source["data"]))
    return kept_part("document", block)


def _anthropic_tool(tool: Mapping[str, Any]) -> Tool:
    fields = dict(tool)
    kind = fields.pop("type", "custom")
    if kind in ("custom", None):
        return function_tool(fields, fields.pop("input_schema", None))
    return Tool(type=str(kind), extra=fields)
