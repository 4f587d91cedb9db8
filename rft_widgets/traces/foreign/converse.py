"""Bedrock Converse, and the requests of Nova, which have its shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rft_widgets.model.message import ContentPart, Message, Tool, ToolChoice
from rft_widgets.model.trace import Choice
from rft_widgets.traces.foreign.turn import (
    Turn,
    data_url,
    decoded,
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
    tool_result,
)


def converse_messages(request: Mapping[str, Any]) -> tuple[Message, ...]:
    """Conversation of a Bedrock Converse request, its system prompt first."""
    messages = read_system(request.get("system"), _converse_block)
    for i, value in enumerate(sequence(request.get("messages"), "messages")):
        where = f"messages[{i}]"
        message = mapping(value, where)
        messages += read_turn(message.get("role"), message.get("content"), _converse_block, where)
    return tuple(messages)


def converse_answer(response: Mapping[str, Any]) -> Choice:
    """Answer of a Bedrock Converse response."""
    output = mapping(response.get("output"), "output")
    message = mapping(output.get("message"), "output.message")
    return Choice(
        read_answer(message.get("content"), _converse_block, "output.message"),
        finish_reason(response.get("stopReason")),
    )


def converse_tools(request: Mapping[str, Any]) -> tuple[Tool, ...]:
    """Tools of a Bedrock Converse request."""
    config = mapping(request.get("toolConfig") or {}, "toolConfig")
    tools: list[Tool] = []
    for i, value in enumerate(sequence(config.get("tools") or [], "toolConfig.tools")):
        tool = dict(mapping(value, f"toolConfig.tools[{i}]"))
        if "toolSpec" in tool:
            spec = dict(mapping(tool["toolSpec"], f"toolConfig.tools[{i}].toolSpec"))
            schema = spec.pop("inputSchema", None)
            if isinstance(schema, Mapping) and "json" in schema:
                schema = decoded(schema["json"])
            tools.append(function_tool(spec, schema))
        elif set(tool) != {"cachePoint"}:  # a mark for the cache is no tool
            tools += [Tool(type=snake_case(key), extra={key: inner}) for key, inner in tool.items()]
    return tuple(tools)


def converse_tool_choice(request: Mapping[str, Any]) -> ToolChoice | None:
    """Read what a Bedrock Converse request says about calling tools, ``None`` for nothing."""
    config = request.get("toolConfig")
    choice = config.get("toolChoice") if isinstance(config, Mapping) else None
    if not isinstance(choice, Mapping):
        return None
    tool = choice.get("tool")
    if isinstance(tool, Mapping):
        return one_tool(tool.get("name"))
    return "required" if "any" in choice else "auto" if "auto" in choice else None


def _converse_block(turn: Turn, block: Mapping[str, Any], where: str) -> None:
    if "text" in block:
        turn.text(block["text"], where)
    elif "toolUse" in block:
        use = mapping(block["toolUse"], f"{where}.toolUse")
        turn.call(use.get("name"), use.get("input", {}), use.get("toolUseId"), where)
    elif "toolResult" in block:
        result = mapping(block["toolResult"], f"{where}.toolResult")
        failed = {"is_error": True} if result.get("status") == "error" else {}
        content = result.get("content")
        turn.result(tool_result(result.get("toolUseId"), content, _converse_block, where, **failed))
    elif "json" in block:  # only inside the result of a tool
        turn.text(json_text(block["json"]), where)
    elif isinstance(block.get("reasoningContent"), Mapping):
        reasoning = block["reasoningContent"]
        text = reasoning.get("reasoningText")
        thought = text if isinstance(text, Mapping) else {}
        signed = "redactedContent" in reasoning or bool(thought.get("signature"))
        turn.reasoning(thought.get("text"), block, signed=signed)
    elif isinstance(block.get("guardContent"), Mapping):
        guarded = block["guardContent"].get("text")
        turn.text(guarded.get("text") if isinstance(guarded, Mapping) else guarded, where)
    elif isinstance(block.get("citationsContent"), Mapping):
        for cited in sequence(block["citationsContent"].get("content") or [], where):
            turn.text(mapping(cited, where).get("text"), where)
    elif "cachePoint" not in block:  # a mark for the cache is no content
        turn.part(_converse_media(block))


def _converse_media(block: Mapping[str, Any]) -> ContentPart:
    kind = next(iter(block), "part")
    media = block.get(kind)
    source = media.get("source") if isinstance(media, Mapping) else None
    if not isinstance(media, Mapping) or not isinstance(source, Mapping):
        return kept_part(kind, block)
    form = str(media.get("format"))
    place = source.get("s3Location")
    data = source.get("bytes")
    if kind == "image":
        if isinstance(data, str) and data:
            return image_part(data_url(f"image/{form}", data))
        if isinstance(place, Mapping) and isinstance(place.get("uri"), str):
            return image_part(place["uri"])
        return image_part("")
    if isinstance(data, str) and data:
        if kind == "audio":
            return {"type": "input_audio", "input_audio": {"data": data, "format": form}}
        return file_part(media.get("name"), data_url(f"application/{form}", data))
    if isinstance(source.get("text"), str):
        return {"type": "text", "text": source["text"]}
    return kept_part(kind, block)
