"""What was asked and answered in a GenAI span: attributes, events, and the forms before them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from rft_widgets.model.message import Message, MessageShapeError, Tool
from rft_widgets.model.trace import Choice
from rft_widgets.traces.otlp import Event, indexed, nested, parsed
from rft_widgets.traces.parts import (
    Answers,
    Conversation,
    answers_from_parts,
    chat_message,
    finish_reason,
    messages_from_parts,
    system_from_instructions,
    tools_from_definitions,
    without_empty_media,
)

DETAILS = "gen_ai.client.inference.operation.details"
"""Event whose attributes are the content attributes of the span."""


class Content(NamedTuple):
    """Both sides of a model call."""

    request: Conversation
    answers: Answers


def read_content(
    attributes: Mapping[str, Any], events: tuple[Event, ...], dropped_attributes: int
) -> Content:
    """Read the content of a model call from wherever it is.

    Parameters
    ----------
    attributes
        Attributes of the span, those of a `DETAILS` event included.
    events
        Events of the span, and log records that belong to it.
    dropped_attributes
        Attributes that were dropped when the span was recorded.

    Raises
    ------
    MessageShapeError
        If the content does not decode, or is known to be incomplete.
    """
    tree = nested(
        {
            key: value
            for key, value in attributes.items()
            if key.startswith(("gen_ai.prompt.", "gen_ai.completion."))
        },
        frozenset({"content", "arguments"}),
    )
    legacy = tree.get("gen_ai", {})
    numbered = indexed(legacy.get("prompt"))
    _check_complete(numbered, dropped_attributes)
    asked = attributes.get("gen_ai.input.messages")
    answered = attributes.get("gen_ai.output.messages")
    if asked is not None:
        request = messages_from_parts(_json(asked, "input.messages"), "input.messages")
    else:
        request = (
            _from_events(events)
            or _numbered_messages(numbered)
            or _old_prompt(attributes, events)
            or Conversation(())
        )
    if answered is not None:
        answers = answers_from_parts(_json(answered, "output.messages"), "output.messages")
    else:
        answers = (
            _choices_from_events(events)
            or _numbered_choices(indexed(legacy.get("completion")))
            or _old_completion(attributes, events)
            or Answers(())
        )
    reasons = _json(attributes.get("gen_ai.response.finish_reasons"), "finish_reasons")
    return Content(_with_instructions(request, attributes), _with_reasons(answers, reasons))


def read_tools(attributes: Mapping[str, Any]) -> tuple[Tool, ...]:
    """Read the tools that the model was offered; raises as `read_content` does."""
    definitions = attributes.get("gen_ai.tool.definitions")
    if definitions is not None:
        return tools_from_definitions(_json(definitions, "tool.definitions"), "tool.definitions")
    prefix = "llm.request.functions."
    tree = nested(
        {key.removeprefix(prefix): v for key, v in attributes.items() if key.startswith(prefix)},
        frozenset({"parameters", "input_schema"}),
    )
    functions = [
        {key: parsed(value) for key, value in node.items()}
        for _, node in indexed(tree)
        if isinstance(node, Mapping)
    ]
    return tools_from_definitions(functions, "llm.request.functions")


def holds_both_sides(attributes: Mapping[str, Any], events: tuple[Event, ...]) -> bool:
    """Whether a span holds what was asked and what was answered, so that no log record can add."""
    names = {event.name for event in events}
    asked = (
        "gen_ai.input.messages" in attributes
        or any(key.startswith("gen_ai.prompt") for key in attributes)
        or bool(names & _ROLES.keys())
    )
    answered = (
        "gen_ai.output.messages" in attributes
        or any(key.startswith("gen_ai.completion") for key in attributes)
        or _CHOICE in names
    )
    return DETAILS in names or "events" in attributes or (asked and answered)


def listed_events(attributes: Mapping[str, Any]) -> tuple[Event, ...]:
    """Read events from an attribute that lists them, as Pydantic AI wrote them at first."""
    values = parsed(attributes.get("events"))
    return tuple(
        Event(name=value["event.name"], attributes={}, body=value)
        for value in (values if isinstance(values, list) else ())
        if isinstance(value, Mapping) and isinstance(value.get("event.name"), str)
    )


_ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
_CHOICE = "gen_ai.choice"


def _with_instructions(request: Conversation, attributes: Mapping[str, Any]) -> Conversation:
    value = parsed(attributes.get("gen_ai.system_instructions"))
    system = None if value is None else system_from_instructions(value)
    if system is None:
        return request
    first = request.messages[0] if request.messages else None
    if first is not None and first.role in ("system", "developer") and first.text == system.text:
        # Some instrumentation writes the instructions in both places.
        return request
    return request._replace(messages=(system, *request.messages))


def _with_reasons(answers: Answers, reasons: Any) -> Answers:
    if not isinstance(reasons, list) or len(reasons) != len(answers.choices):
        return answers
    choices = tuple(
        choice
        if choice.finish_reason
        else msgspec.structs.replace(choice, finish_reason=finish_reason(reason))
        for choice, reason in zip(answers.choices, reasons, strict=True)
    )
    return answers._replace(choices=choices)


def _from_events(events: tuple[Event, ...]) -> Conversation | None:
    told = [(event, _event_fields(event)) for event in events if event.name in _ROLES]
    if not told or not all(_is_recorded(fields) for _, fields in told):
        return None
    missing: list[str] = []
    messages = tuple(
        without_empty_media(
            chat_message(_chat_fields(fields, _ROLES[event.name]), event.name), missing
        )
        for event, fields in told
    )
    return Conversation(messages, tuple(missing))


def _is_recorded(fields: Mapping[str, Any]) -> bool:
    # With the recording of content switched off, calls keep their names and lose their arguments,
    # and the other messages lose everything: what is left is no conversation.
    if any(key in fields for key in ("content", "refusal")):
        return True
    calls = parsed(fields.get("tool_calls"))
    functions = [
        call.get("function")
        for call in (calls if isinstance(calls, list) else [])
        if isinstance(call, Mapping)
    ]
    return bool(functions) and all(
        isinstance(function, Mapping) and "arguments" in function for function in functions
    )


def _choices_from_events(events: tuple[Event, ...]) -> Answers | None:
    missing: list[str] = []
    numbered: list[tuple[int, Choice]] = []
    for event in events:
        if event.name != _CHOICE:
            continue
        fields = _event_fields(event)
        inner = parsed(fields.get("message"))
        message = inner if isinstance(inner, Mapping) else _flat_message(fields, inner)
        if not _is_recorded(message):
            continue
        value = _chat_fields(message, "assistant")
        choice = Choice(
            without_empty_media(chat_message(value, event.name), missing),
            finish_reason(fields.get("finish_reason")),
        )
        index = fields.get("index")
        numbered.append((index if isinstance(index, int) else len(numbered), choice))
    numbered.sort(key=lambda pair: pair[0])
    return Answers(tuple(choice for _, choice in numbered), tuple(missing)) if numbered else None


def _flat_message(fields: dict[str, Any], content: Any) -> dict[str, Any]:
    return fields if content is None else {"content": content, **fields}


def _event_fields(event: Event) -> dict[str, Any]:
    # The body of a log record; in a span event the attributes, or one attribute that holds them.
    whole = parsed(event.attributes.get("gen_ai.event.content"))
    fields = dict(whole) if isinstance(whole, Mapping) else {}
    if isinstance(event.body, Mapping):
        fields |= event.body
    return fields | {
        key: value
        for key, value in event.attributes.items()
        if key
        in ("content", "role", "name", "id", "tool_calls", "index", "finish_reason", "message")
    }


def _chat_fields(fields: Mapping[str, Any], role: str) -> dict[str, Any]:
    said = fields.get("role")
    message: dict[str, Any] = {
        "role": said if isinstance(said, str) and said else role,
        "content": _chat_content(fields.get("content")),
        "tool_calls": parsed(fields.get("tool_calls")),
    }
    if isinstance(name := fields.get("name"), str) and name:
        message["name"] = name
    if message["role"] == "tool":
        message["tool_call_id"] = fields.get("id") or fields.get("tool_call_id")
    for key in ("refusal", "reasoning_content"):
        if fields.get(key):
            message[key] = fields[key]
    return message


def _chat_content(value: Any) -> Any:
    """Text, or the list of content parts that the text holds where it holds one."""
    inner = parsed(value)
    if isinstance(inner, list) and inner and all(_is_content_part(part) for part in inner):
        return inner
    if isinstance(value, (Mapping, list)):
        return msgspec.json.encode(value).decode()
    return value


def _is_content_part(part: Any) -> bool:
    kinds = ("text", "image_url", "input_audio", "file", "refusal")
    return isinstance(part, Mapping) and part.get("type") in kinds and part["type"] in part


def _check_complete(numbered: list[tuple[int, Any]], dropped_attributes: int) -> None:
    # A span keeps a limited number of attributes; a long conversation written one attribute a
    # field loses some of them, and what is left reads like another conversation.
    if numbered and dropped_attributes:
        raise MessageShapeError(
            f"{dropped_attributes} of its attributes were dropped when it was recorded, "
            "so messages may be missing"
        )
    if [i for i, _ in numbered] != list(range(len(numbered))):
        raise MessageShapeError("the numbers of its prompt messages have a gap")


def _numbered_messages(numbered: list[tuple[int, Any]]) -> Conversation | None:
    if not any(isinstance(node, Mapping) and "content" in node for _, node in numbered):
        return None
    missing: list[str] = []
    messages = tuple(
        without_empty_media(_numbered_message(node, "user", f"prompt.{i}"), missing)
        for i, node in numbered
    )
    return Conversation(messages, tuple(missing)) if messages else None


def _numbered_choices(numbered: list[tuple[int, Any]]) -> Answers | None:
    missing: list[str] = []
    choices = tuple(
        Choice(
            without_empty_media(_numbered_message(node, "assistant", f"completion.{i}"), missing),
            finish_reason(node.get("finish_reason")),
        )
        for i, node in numbered
        if isinstance(node, Mapping) and ("content" in node or "tool_calls" in node)
    )
    return Answers(choices, tuple(missing)) if choices else None


def _numbered_message(node: Any, role: str, where: str) -> Message:
    if not isinstance(node, Mapping):
        raise MessageShapeError(f"{where} is no message")
    fields = _chat_fields(node, role)
    fields["tool_calls"] = [
        {
            "id": call.get("id"),
            "type": "function",
            "function": {"name": call.get("name"), "arguments": call.get("arguments")},
        }
        for _, call in indexed(node.get("tool_calls"))
        if isinstance(call, Mapping)
    ]
    if isinstance(call_id := node.get("tool_call_id"), str):
        fields["tool_call_id"] = call_id
    return chat_message(fields, where)


def _old_prompt(attributes: Mapping[str, Any], events: tuple[Event, ...]) -> Conversation | None:
    value = _old_value("prompt", attributes, events)
    if value is None:
        return None
    if isinstance(value, list):
        return messages_from_parts(value, "gen_ai.prompt")
    return Conversation((Message("user", value),)) if isinstance(value, str) and value else None


def _old_completion(attributes: Mapping[str, Any], events: tuple[Event, ...]) -> Answers | None:
    value = _old_value("completion", attributes, events)
    if value is None:
        return None
    if isinstance(value, list):
        return answers_from_parts(value, "gen_ai.completion")
    if isinstance(value, str) and value:
        return Answers((Choice(Message("assistant", value)),))
    return None


def _old_value(side: str, attributes: Mapping[str, Any], events: tuple[Event, ...]) -> Any:
    key = f"gen_ai.{side}"
    holders = [event.attributes for event in events if event.name == f"gen_ai.content.{side}"]
    value = next((holder[key] for holder in (attributes, *holders) if key in holder), None)
    return parsed(value)


def _json(value: Any, where: str) -> Any:
    inner = parsed(value)
    if isinstance(inner, str):
        raise MessageShapeError(f"{where} is text that is not JSON")
    return inner
