"""Requests and answers as agent frameworks log them, in the shape of this package.

Frameworks put the chat of a model call into one input and one output value, each in its own way:
OpenAI chat or Responses, Gemini, Anthropic blocks, OpenTelemetry parts, LangChain objects, the
Vercel AI SDK's parts, the ``str()`` of a Python object. The shape tells which it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from rft_widgets.model.message import Message, MessageShapeError, Tool, ToolChoice, tool_from_json
from rft_widgets.model.trace import Choice
from rft_widgets.traces import foreign
from rft_widgets.traces.agent_turns import (
    decoded,
    message_from_repr,
    messages_of,
    read_tool_call,
)
from rft_widgets.traces.bodies import chat_choices


class Request(NamedTuple):
    """What a logged input says about the request; each part is empty where it says nothing."""

    messages: tuple[Message, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None


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


_FLATTENED = re.compile(r"(system|developer|user|assistant|tool): ")
"""Start of a conversation that an instrumentation joined into ``role: text`` lines."""

_FINISH_REASONS = {
    "tool_call": "tool_calls", "tool-calls": "tool_calls", "completed": "stop",
    "max_output_tokens": "length", "content-filter": "content_filter",
}  # fmt: skip


# Inputs -----------------------------------------------------------------------------------------


def _request_of_list(values: list[Any]) -> Request:
    if len(values) == 1 and isinstance(values[0], list):
        values = values[0]  # a batch of one conversation
    if values and all(isinstance(one, str) for one in values):
        parsed = [message_from_repr(one) for one in values]
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
            messages += messages_of(one, f"message {i}")
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
        return Request(tuple(messages_of(value, "input")))
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
    return messages_of({"role": "system", "content": value}, "system") if value else []


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
            tool_calls=tuple(read_tool_call(one, "toolCalls") for one in value["toolCalls"]),
        )
        return (Choice(message, finish_reason(value.get("finishReason"))),)
    return None


def _answers_of_list(values: list[Any]) -> tuple[Choice, ...] | None:
    if len(values) == 1 and isinstance(values[0], list):
        values = values[0]
    if not values or not all(isinstance(one, Mapping) for one in values):
        return None
    if all("toolCallId" in one for one in values):
        calls = tuple(read_tool_call(one, f"call {i}") for i, one in enumerate(values))
        return (Choice(Message(role="assistant", tool_calls=calls)),)
    if any(one.get("type") in _ITEMS for one in values):
        return (foreign.responses_answer({"output": values}),)
    if all(_is_message(one) for one in values):
        return tuple(
            Choice(_one_message(one), finish_reason(one.get("finish_reason"))) for one in values
        )
    return None


_ITEMS = ("function_call", "function_call_output", "reasoning", "message")
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
    messages = messages_of(value, "the answer")
    if len(messages) != 1 or messages[0].role != "assistant":
        raise MessageShapeError("the answer is not one message of the assistant")
    return messages[0]


def _is_message(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and isinstance(value.get("role"), str)
        and any(key in value for key in ("content", "parts", "tool_calls"))
    )


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
