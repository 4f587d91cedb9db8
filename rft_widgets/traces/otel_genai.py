"""OpenTelemetry GenAI spans in every form they have had, and their content in events and logs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from rft_widgets.model.message import Message, MessageShapeError, Tool
from rft_widgets.model.trace import Choice, LossCode, Score, Trace, TraceLoss, Usage
from rft_widgets.traces import openinference, otlp
from rft_widgets.traces.otlp import Event, LogEvent, Span, indexed, nested, parsed
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
from rft_widgets.traces.reader import Document, OtherSpan, Reading

NAME = "otel_genai"


def matches(value: Any) -> bool:
    """Whether a document is OTLP-JSON, or a span or log record that is not OpenInference's."""
    if not isinstance(value, Mapping) or not otlp.is_telemetry(value):
        return False
    return _is_envelope(value) or not openinference.matches(value)


def read(documents: Iterable[Document]) -> Iterator[Reading]:
    """Traces and losses of spans; log events are joined to their span whichever comes first.

    A span that holds both what was asked and what was answered comes out at once. The others wait
    until the end for the log records that may hold the rest.
    """
    waiting: list[Span] = []
    logged: dict[_Key, list[LogEvent]] = {}
    done: set[int] = set()
    for document in documents:
        for item in otlp.read(document):
            key = (item.trace_id, item.span_id)
            if isinstance(item, LogEvent):
                if not item.event.name.startswith("gen_ai."):
                    continue
                if item.span_id is None:
                    yield from _convert(_stand_in([item]), (item.event,))
                elif hash(key) not in done:
                    logged.setdefault(key, []).append(item)
            elif openinference.describes(item):
                yield from openinference.convert(item)
                done.add(hash(key))
            elif _is_settled(item) or item.span_id is None:
                events = tuple(log.event for log in logged.pop(key, ()))
                yield from _convert(item, events)
                done.add(hash(key))
            else:
                waiting.append(item)
    for span in waiting:
        logs = logged.pop((span.trace_id, span.span_id), [])
        yield from _convert(span, tuple(log.event for log in logs))
    for logs in logged.values():
        # The span itself is not in the source; what its events say is a call all the same.
        yield from _convert(_stand_in(logs), tuple(log.event for log in logs))


_Key = tuple[str | None, str | None]

_CHAT = frozenset({"chat", "text_completion", "completion", "generate_content"})
_NOT_CHAT = frozenset(
    {
        "embedding", "embeddings", "image_generation", "moderation", "rerank", "speech",
        "text_to_speech", "transcription",
    }
)  # fmt: skip
_DETAILS = "gen_ai.client.inference.operation.details"
_ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
_CHOICE = "gen_ai.choice"
_THREAD = (
    "gen_ai.conversation.id", "session.id", "vllora.thread_id", "langfuse.session.id",
    "traceloop.association.properties.session_id", "traceloop.association.properties.thread_id",
    "traceloop.association.properties.chat_id",
)  # fmt: skip
_PARAM_NAMES = {"stop_sequences": "stop", "choice.count": "n"}
_ASSOCIATION = "traceloop.association.properties."


class _Content(NamedTuple):
    request: Conversation
    answers: Answers


def _is_envelope(value: Mapping[str, Any]) -> bool:
    return not any(key in value for key in ("attributes", "context", "context.span_id", "body"))


def _is_settled(span: Span) -> bool:
    # Whether nothing that is still to come can change what the span is read as.
    if _operation(span.attributes) != "chat" or _error(span) is not None:
        return True
    names = {event.name for event in span.events}
    asked = (
        "gen_ai.input.messages" in span.attributes
        or any(key.startswith("gen_ai.prompt") for key in span.attributes)
        or bool(names & _ROLES.keys())
    )
    answered = (
        "gen_ai.output.messages" in span.attributes
        or any(key.startswith("gen_ai.completion") for key in span.attributes)
        or _CHOICE in names
    )
    return _DETAILS in names or "events" in span.attributes or (asked and answered)


def _operation(attributes: Mapping[str, Any]) -> str:
    """``chat``, ``not_chat`` or ``other``."""
    named = attributes.get("gen_ai.operation.name") or attributes.get("llm.request.type")
    if isinstance(named, str) and named:
        if named in _CHAT:
            return "chat"
        return "not_chat" if named in _NOT_CHAT else "other"
    if "traceloop.span.kind" in attributes:
        return "other"
    is_call = any(
        key in ("gen_ai.request.model", "gen_ai.input.messages", "gen_ai.output.messages")
        or key.startswith(("gen_ai.prompt", "gen_ai.completion"))
        for key in attributes
    )
    return "chat" if is_call else "other"


def _error(span: Span) -> str | None:
    kind = span.attributes.get("error.type")
    if span.error is None:
        return str(kind) if kind else None
    return f"{kind}: {span.error}" if kind else span.error


def _stand_in(logs: list[LogEvent]) -> Span:
    first = logs[0]
    times = [log.event.at for log in logs if log.event.at is not None]
    return Span(
        location=first.location,
        trace_id=first.trace_id,
        span_id=first.span_id,
        started_at=min(times, default=None),
        attributes={"gen_ai.operation.name": "chat"},
        resource=first.resource,
    )


def _convert(span: Span, logged: tuple[Event, ...]) -> Iterator[Reading]:
    events = span.events + logged + _listed_events(span)
    attributes = dict(span.attributes)
    for event in events:
        if event.name == _DETAILS:
            body = event.body if isinstance(event.body, Mapping) else {}
            attributes = {**body, **event.attributes, **attributes}
    operation = _operation(attributes)
    error = _error(msgspec.structs.replace(span, attributes=attributes))
    if operation == "other":
        yield OtherSpan()
    elif operation == "not_chat":
        kind = attributes.get("gen_ai.operation.name") or attributes.get("llm.request.type")
        yield _loss(span, "unsupported_call", f"A call of the kind {kind} is no chat.")
    elif error is not None:
        yield _loss(span, "failed_call", f"The call failed: {error[:300]}")
    else:
        try:
            content = _content(attributes, events, span.dropped_attributes)
            tools = _tools(attributes)
        except MessageShapeError as problem:
            yield _loss(span, "undecodable", f"The span does not decode: {problem}.")
            return
        yield from _readings(span, attributes, events, content, tools)


def _readings(
    span: Span,
    attributes: dict[str, Any],
    events: tuple[Event, ...],
    content: _Content,
    tools: tuple[Tool, ...],
) -> Iterator[Reading]:
    messages, choices = content.request.messages, content.answers.choices
    if not messages and not choices:
        reason = (
            "The span holds no messages; recording them has to be switched on where it is made."
        )
        yield _loss(span, "no_content", reason)
        return
    if not messages:
        yield _loss(span, "no_request", "The span holds an answer but not what was asked.")
        return
    for line in (*content.request.missing, *content.answers.missing):
        yield _loss(span, "image_without_data", f"The {line}.")
    yield Trace(
        format=NAME,
        location=span.location,
        messages=messages,
        choices=choices,
        tools=tools,
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_span_id,
        thread_id=_first_text(attributes, *_THREAD),
        started_at=span.started_at,
        latency_ms=span.latency_ms,
        model=_first_text(attributes, "gen_ai.request.model", "gen_ai.response.model"),
        response_model=_first_text(attributes, "gen_ai.response.model")
        if "gen_ai.request.model" in attributes
        else None,
        provider=_first_text(attributes, "gen_ai.provider.name", "gen_ai.system"),
        params=_params(attributes),
        usage=_usage(attributes),
        cost_usd=_number(attributes, "gen_ai.usage.cost", "gen_ai.cost.total", "operation.cost"),
        scores=tuple(_score(event) for event in events if event.name == "gen_ai.evaluation.result"),
        metadata=_metadata(span, attributes),
    )


# Content ----------------------------------------------------------------------------------------


def _content(
    attributes: Mapping[str, Any], events: tuple[Event, ...], dropped_attributes: int
) -> _Content:
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
    return _Content(_with_instructions(request, attributes), _with_reasons(answers, reasons))


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


def _listed_events(span: Span) -> tuple[Event, ...]:
    # Pydantic AI's first form: one attribute that holds the list of events.
    values = parsed(span.attributes.get("events"))
    return tuple(
        Event(name=value["event.name"], attributes={}, body=value)
        for value in (values if isinstance(values, list) else ())
        if isinstance(value, Mapping) and isinstance(value.get("event.name"), str)
    )


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


def _tools(attributes: Mapping[str, Any]) -> tuple[Tool, ...]:
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


# The rest ---------------------------------------------------------------------------------------


def _params(attributes: Mapping[str, Any]) -> dict[str, Any]:
    params: dict[str, Any] = {}
    for key, value in attributes.items():
        for prefix in ("gen_ai.request.", "gen_ai.openai.request."):
            name = key.removeprefix(prefix)
            if name not in (key, "model"):
                params[_PARAM_NAMES.get(name, name)] = parsed(value)
    streamed = attributes.get("gen_ai.is_streaming", attributes.get("llm.is_streaming"))
    if streamed is True:
        params["stream"] = True
    return params


def _usage(attributes: Mapping[str, Any]) -> Usage | None:
    prefix = "gen_ai.usage."
    usage = Usage(
        input_tokens=_integer(attributes, prefix + "input_tokens", prefix + "prompt_tokens"),
        output_tokens=_integer(attributes, prefix + "output_tokens", prefix + "completion_tokens"),
        total_tokens=_integer(attributes, prefix + "total_tokens", "llm.usage.total_tokens"),
        reasoning_tokens=_integer(
            attributes,
            prefix + "reasoning_tokens",
            prefix + "reasoning.output_tokens",
            prefix + "details.reasoning_tokens",
        ),
        cached_tokens=_integer(
            attributes,
            prefix + "cache_read.input_tokens",
            prefix + "cache_read_input_tokens",
            prefix + "details.cache_read_tokens",
        ),
    )
    return usage if usage != Usage() else None


def _score(event: Event) -> Score:
    fields = event.attributes
    return Score(
        name=_first_text(fields, "gen_ai.evaluation.name") or "evaluation",
        value=_number(fields, "gen_ai.evaluation.score.value"),
        label=_first_text(fields, "gen_ai.evaluation.score.label"),
        comment=_first_text(fields, "gen_ai.evaluation.explanation"),
    )


def _metadata(span: Span, attributes: Mapping[str, Any]) -> dict[str, Any]:
    named = {
        "response_id": _first_text(attributes, "gen_ai.response.id"),
        "agent_name": _first_text(attributes, "gen_ai.agent.name"),
        "user_id": _first_text(attributes, "user.id", "enduser.id"),
        "service_name": _first_text(span.resource, "service.name"),
    }
    associated = {
        key.removeprefix(_ASSOCIATION): value
        for key, value in attributes.items()
        if key.startswith(_ASSOCIATION)
    }
    return associated | {key: value for key, value in named.items() if value is not None}


def _json(value: Any, where: str) -> Any:
    inner = parsed(value)
    if isinstance(inner, str):
        raise MessageShapeError(f"{where} is text that is not JSON")
    return inner


def _first_text(fields: Mapping[str, Any], *keys: str) -> str | None:
    values = (fields.get(key) for key in keys)
    return next((value for value in values if isinstance(value, str) and value), None)


def _number(fields: Mapping[str, Any], *keys: str) -> float | None:
    for key in keys:
        value = fields.get(key)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
    return None


def _integer(fields: Mapping[str, Any], *keys: str) -> int | None:
    number = _number(fields, *keys)
    return None if number is None else int(number)


def _loss(span: Span, code: LossCode, message: str) -> TraceLoss:
    return TraceLoss(code=code, message=message, location=span.location, span_id=span.span_id)
