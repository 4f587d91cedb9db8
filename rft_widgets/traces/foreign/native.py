"""Models on Bedrock with bodies of their own: one prompt in, one text out, and Cohere's chat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rft_widgets.model.message import Message, MessageShapeError, Tool
from rft_widgets.model.trace import Choice
from rft_widgets.traces.foreign.turn import Turn, function_tool, mapping, sequence

_COHERE_ROLES = {"USER": "user", "CHATBOT": "assistant", "SYSTEM": "system", "TOOL": "tool"}
_FINISH_REASONS = {
    "complete": "stop",
    "finish": "stop",
    "endoftext": "stop",
    "stop": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "length": "length",
    "content_filtered": "content_filter",
    "error_toxic": "content_filter",
}


def native_messages(request: Mapping[str, Any]) -> tuple[Message, ...]:
    """Conversation of a native request; a bare prompt is one user message, exactly as it was sent.

    Read are ``prompt`` (Llama, Mistral, old Claude, AI21, text completions), ``inputText`` (Titan)
    and ``message`` with ``chat_history`` and ``preamble`` (Cohere).
    """
    for key in ("prompt", "inputText"):
        if isinstance(request.get(key), str):
            return (Message("user", request[key]),)
    message = request.get("message")
    if not isinstance(message, str):
        raise MessageShapeError("request holds no prompt")
    preamble = request.get("preamble")
    messages = [Message("system", preamble)] if isinstance(preamble, str) and preamble else []
    for i, value in enumerate(sequence(request.get("chat_history") or [], "chat_history")):
        said = mapping(value, f"chat_history[{i}]")
        text = said.get("message")
        role = _COHERE_ROLES.get(str(said.get("role")).upper())
        if role is None or not isinstance(text, str):
            raise MessageShapeError(f"chat_history[{i}]: no known role, or no text")
        messages.append(Message(role, text))
    return (*messages, Message("user", message))


def native_answers(response: Mapping[str, Any]) -> tuple[Choice, ...]:
    """Answers of a native response.

    Read are ``generation`` (Llama), ``results[].outputText`` (Titan), ``outputs[].text`` (Mistral),
    ``generations[].text`` and ``text`` (Cohere), ``completion`` (old Claude),
    ``completions[].data.text`` (AI21) and ``choices[].text`` (text completions).
    """
    for key in ("results", "outputs", "generations", "completions", "choices"):
        if isinstance(response.get(key), list) and response[key]:
            return tuple(_answer(mapping(each, key), key) for each in response[key])
    return (_answer(response, "response"),)


def native_tools(request: Mapping[str, Any]) -> tuple[Tool, ...]:
    """Tools of a Cohere request."""
    tools = []
    for i, value in enumerate(sequence(request.get("tools") or [], "tools")):
        fields = dict(mapping(value, f"tools[{i}]"))
        named = fields.pop("parameter_definitions", None) or {}
        schema = {
            "type": "object",
            "properties": {
                name: {
                    key: inner for key, inner in mapping(each, name).items() if key != "required"
                }
                for name, each in mapping(named, "parameter_definitions").items()
            },
            "required": [name for name, each in named.items() if each.get("required") is True],
        }
        tools.append(function_tool(fields, schema))
    return tuple(tools)


def _answer(value: Mapping[str, Any], where: str) -> Choice:
    data = value.get("data")
    holder = data if isinstance(data, Mapping) else value
    text = next(
        (holder[key] for key in ("generation", "outputText", "text", "completion")
         if isinstance(holder.get(key), str)),
        None,
    )  # fmt: skip
    turn = Turn("assistant")
    if text is not None:
        turn.text(text, where)
    calls = value.get("tool_calls")
    for call in calls if isinstance(calls, list) else []:
        each = mapping(call, f"{where}.tool_calls")
        turn.call(each.get("name"), each.get("parameters") or {}, None, where)
    if text is None and not turn.calls:
        raise MessageShapeError(f"{where} holds no answer that is known")
    return Choice(turn.finish()[0], _reason(value))


def _reason(value: Mapping[str, Any]) -> str | None:
    for key in ("stop_reason", "completionReason", "finish_reason", "finishReason"):
        reason = value.get(key)
        if isinstance(reason, Mapping):
            reason = reason.get("reason")
        if isinstance(reason, str):
            return _FINISH_REASONS.get(reason.lower(), reason)
    return None
