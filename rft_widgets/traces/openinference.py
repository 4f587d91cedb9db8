"""OpenInference spans: Phoenix exports, span tables, and the same attributes inside OTLP."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from rft_widgets.model.message import Message, MessageShapeError, Tool, ToolChoice
from rft_widgets.model.trace import Choice, Score, Trace, TraceLoss, Usage
from rft_widgets.traces import otlp
from rft_widgets.traces.bodies import read_exchange
from rft_widgets.traces.exchange import LostCall
from rft_widgets.traces.otlp import Span, indexed, nested, parsed
from rft_widgets.traces.parts import (
    chat_message,
    tools_from_definitions,
    without_empty_media,
)
from rft_widgets.traces.reader import Document, OtherSpan, Reading

NAME = "openinference"


def matches(value: Any) -> bool:
    """Whether a document is a span, or a row of a span table, with OpenInference attributes."""
    if not isinstance(value, Mapping) or not otlp.is_telemetry(value):
        return False
    return any(map(_is_ours, otlp.attribute_names(value)))


def read(documents: Iterable[Document]) -> Iterator[Reading]:
    """Traces and losses of spans with OpenInference attributes."""
    for document in documents:
        for item in otlp.read(document):
            if isinstance(item, Span):
                yield from convert(item, feedback=document.value)


def describes(span: Span) -> bool:
    """Whether a span is described by OpenInference attributes."""
    return any(map(_is_ours, span.attributes))


def convert(span: Span, feedback: Any = None) -> Iterator[Reading]:
    """Convert one span.

    Parameters
    ----------
    span
        A span that `describes` holds for, or any other, which is then no model call.
    feedback
        The document of the span, where people's annotations may stand beside the attributes.
    """
    tree = nested(span.attributes, _LEAVES)
    kind = _kind(tree)
    if kind == "EMBEDDING":
        yield _loss(span, "unsupported_call", "An embedding call is no chat.")
    elif kind != "LLM":
        yield OtherSpan()
    elif span.error is not None:
        yield _loss(span, "failed_call", f"The call failed: {span.error[:300]}")
    else:
        try:
            yield from _model_call(span, tree, feedback)
        except MessageShapeError as error:
            yield _loss(span, "undecodable", f"The span does not decode: {error}.")


def _is_ours(name: str) -> bool:
    return name == "openinference" or name.startswith(
        ("openinference.", "llm.input_messages", "llm.output_messages")
    )


_LEAVES = frozenset(
    {"json_schema", "metadata", "arguments", "invocation_parameters", "value", "tags"}
)
"""Names whose values are the application's own and are not split at dots."""

_REDACTED = "__REDACTED__"
_REQUEST_KEYS = frozenset(
    {"model", "messages", "tools", "tool_choice", "functions", "function_call"}
)
_PART_TYPES = frozenset({"text", "image_url", "input_audio", "file", "refusal"})


class _Request(NamedTuple):
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    model: str | None = None


def _model_call(span: Span, tree: dict[str, Any], feedback: Any) -> Iterator[Reading]:
    llm = _node(tree, "llm")
    if "input_messages" not in llm and len(indexed(llm.get("prompts"))) > 1:
        yield _loss(span, "unsupported_call", "One call with several prompts is no chat.")
        return
    missing: list[str] = []
    request = _request(span, tree, missing)
    raw_answer = _json_object(_node(tree, "output").get("value"))
    choices = _choices(llm, raw_answer, missing)
    if not request.messages:
        request, choices = _from_values(tree, choices)
    if any(_is_redacted(message) for message in request.messages):
        yield _loss(span, "no_content", "The text was taken out when the span was recorded.")
        return
    choices = tuple(choice for choice in choices if not _is_redacted(choice.message))
    if not request.messages:
        if choices:
            yield _loss(span, "no_request", "The span holds an answer but not what was asked.")
        else:
            yield _loss(span, "no_content", "The span holds no messages.")
        return
    for line in missing:
        yield _loss(span, "image_without_data", f"The {line}.")
    params = _params(llm)
    model_name = _text(llm.get("model_name"))
    model = request.model or _text(params.pop("model", None))
    params = {key: value for key, value in params.items() if key not in _REQUEST_KEYS}
    yield Trace(
        format=NAME,
        location=span.location,
        messages=request.messages,
        choices=choices,
        tools=request.tools,
        tool_choice=request.tool_choice,
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_span_id,
        thread_id=_text(_node(tree, "session").get("id")),
        started_at=span.started_at,
        latency_ms=span.latency_ms,
        model=model or model_name,
        response_model=_text(raw_answer.get("model")) or (model_name if model else None),
        provider=_text(llm.get("provider")) or _text(llm.get("system")),
        params=params,
        usage=_usage(llm),
        cost_usd=_number(_value(_node(llm, "cost").get("total"))),
        scores=_scores(tree, feedback),
        metadata=_metadata(span, tree),
    )


# The request ------------------------------------------------------------------------------------


def _request(span: Span, tree: dict[str, Any], missing: list[str]) -> _Request:
    llm = _node(tree, "llm")
    numbered = indexed(llm.get("input_messages"))
    raw = _raw_request(tree)
    if raw is not None and (span.dropped_attributes or _same_shape(raw.messages, numbered)):
        # What went over the wire says more than the attributes made from it.
        messages = tuple(without_empty_media(message, missing) for message in raw.messages)
        return raw._replace(messages=messages)
    _check_complete(span, numbered)
    messages = tuple(
        without_empty_media(_message(node, f"llm.input_messages.{i}"), missing)
        for i, node in numbered
    )
    params = _params(llm)
    schemas = [
        parsed(_node(node, "tool").get("json_schema")) for _, node in indexed(llm.get("tools"))
    ]
    return _Request(
        messages=messages or _prompt(llm),
        tools=tools_from_definitions(
            schemas or params.get("tools") or params.get("functions") or [], "llm.tools"
        ),
        tool_choice=_tool_choice(params),
        model=_text(params.get("model")),
    )


def _raw_request(tree: dict[str, Any]) -> _Request | None:
    # Only an OpenAI chat request is taken from input.value: frameworks put their own shapes there.
    body = _json_object(_node(tree, "input").get("value"))
    values = body.get("messages")
    if not isinstance(values, list) or "system" in body:
        return None
    if not all(_is_chat_message(value) for value in values):
        return None
    try:
        return _Request(
            messages=tuple(
                chat_message(v, f"input.value.messages[{i}]") for i, v in enumerate(values)
            ),
            tools=tools_from_definitions(
                body.get("tools") or body.get("functions") or [], "input.value.tools"
            ),
            tool_choice=_tool_choice(body),
            model=_text(body.get("model")),
        )
    except MessageShapeError:
        return None


def _from_values(
    tree: dict[str, Any], choices: tuple[Choice, ...]
) -> tuple[_Request, tuple[Choice, ...]]:
    # No message attributes: the values may hold the bodies of another API, or plain text.
    asked, answered = (_value(_node(tree, side).get("value")) for side in ("input", "output"))
    asked, answered = parsed(asked), parsed(answered)
    if isinstance(asked, Mapping):
        try:
            exchange = read_exchange(asked, answered if isinstance(answered, Mapping) else None)
        except (LostCall, ValueError):
            return _Request(()), choices
        request = _Request(exchange.messages, exchange.tools, exchange.tool_choice, exchange.model)
        return request, choices or exchange.choices
    if not choices and isinstance(answered, str) and answered:
        choices = (Choice(Message("assistant", answered)),)
    messages = (Message("user", asked),) if isinstance(asked, str) and asked else ()
    return _Request(messages), choices


def _is_chat_message(value: Any) -> bool:
    if not isinstance(value, Mapping) or not isinstance(value.get("role"), str):
        return False
    content = value.get("content")
    if isinstance(content, list):
        return all(isinstance(p, Mapping) and p.get("type") in _PART_TYPES for p in content)
    return content is None or isinstance(content, str)


def _same_shape(messages: tuple[Message, ...], numbered: list[tuple[int, Any]]) -> bool:
    if not numbered:
        return True
    roles = [_text(_node(node, "message").get("role")) for _, node in numbered]
    return [message.role for message in messages] == roles


def _check_complete(span: Span, numbered: list[tuple[int, Any]]) -> None:
    # A span keeps a limited number of attributes; a long conversation written one attribute a
    # field loses some of them, and what is left reads like another conversation.
    if span.dropped_attributes and numbered:
        raise MessageShapeError(
            f"{span.dropped_attributes} of its attributes were dropped when it was recorded, "
            "so messages may be missing"
        )
    if [i for i, _ in numbered] != list(range(len(numbered))):
        raise MessageShapeError("the numbers of its input messages have a gap")


def _prompt(llm: Mapping[str, Any]) -> tuple[Message, ...]:
    return tuple(
        Message("user", text)
        for _, node in indexed(llm.get("prompts"))
        if (text := _text(_node(node, "prompt").get("text")))
    )


def _tool_choice(body: Mapping[str, Any]) -> ToolChoice | None:
    choice = body.get("tool_choice")
    if isinstance(choice, (str, dict)):
        return choice
    call = body.get("function_call")
    if isinstance(call, dict):
        return {"type": "function", "function": call}
    return call if isinstance(call, str) else None


# The answer -------------------------------------------------------------------------------------


def _choices(
    llm: Mapping[str, Any], raw: Mapping[str, Any], missing: list[str]
) -> tuple[Choice, ...]:
    numbered = indexed(llm.get("output_messages"))
    reason = _text(llm.get("finish_reason"))
    from_raw = _raw_choices(raw)
    if from_raw and len(from_raw) >= len(numbered):
        return from_raw
    if not numbered:
        return tuple(
            Choice(Message("assistant", text), reason)
            for _, node in indexed(llm.get("choices"))
            if (text := _text(_node(node, "completion").get("text"))) is not None
        )
    messages = [
        without_empty_media(_message(node, f"llm.output_messages.{i}", "assistant"), missing)
        for i, node in numbered
    ]
    if isinstance(raw.get("output"), list):
        # An answer of the Responses API is one answer in several items.
        return (Choice(_merged(messages), reason),)
    return tuple(Choice(message, reason) for message in messages)


def _raw_choices(raw: Mapping[str, Any]) -> tuple[Choice, ...]:
    values = raw.get("choices")
    if not isinstance(values, list):
        return ()
    choices: list[Choice] = []
    for i, value in enumerate(values):
        message = value.get("message") if isinstance(value, Mapping) else None
        if not _is_chat_message(message):
            return ()
        try:
            answer = chat_message(message, f"output.value.choices[{i}]")
        except MessageShapeError:
            return ()
        choices.append(Choice(answer, _text(value.get("finish_reason"))))
    return tuple(choices)


def _merged(messages: list[Message]) -> Message:
    texts = [message.text for message in messages if message.text]
    return Message(
        "assistant",
        content="\n".join(texts) if texts else None,
        tool_calls=tuple(call for message in messages for call in message.tool_calls),
        extra={key: value for message in messages for key, value in message.extra.items()},
    )


# Messages ---------------------------------------------------------------------------------------


def _message(node: Any, where: str, role: str | None = None) -> Message:
    fields = _node(node, "message")
    content = _value(fields.get("content"))
    contents = [
        _part(_node(part, "message_content")) for _, part in indexed(fields.get("contents"))
    ]
    calls = [_tool_call(_node(call, "tool_call")) for _, call in indexed(fields.get("tool_calls"))]
    value: dict[str, Any] = {
        "role": _text(fields.get("role")) or role,
        "content": contents or content,
        "name": _text(fields.get("name")),
        "tool_call_id": _text(fields.get("tool_call_id")),
        "tool_calls": calls,
    }
    if function := _text(fields.get("function_call_name")):
        arguments = fields.get("function_call_arguments_json")
        value["function_call"] = {"name": function, "arguments": arguments}
    return chat_message(value, where)


def _tool_call(fields: Mapping[str, Any]) -> dict[str, Any]:
    function = _node(fields, "function")
    return {
        "id": _text(fields.get("id")),
        "type": "function",
        "function": {"name": _text(function.get("name")), "arguments": function.get("arguments")},
    }


def _part(fields: Mapping[str, Any]) -> dict[str, Any]:
    match fields.get("type"):
        case "text":
            return {"type": "text", "text": _text(fields.get("text")) or ""}
        case "image":
            image = _node(_node(fields, "image"), "image")
            return {"type": "image_url", "image_url": {"url": _text(image.get("url")) or ""}}
        case "audio":
            audio = _node(_node(fields, "audio"), "audio")
            form = (_text(audio.get("mime_type")) or "audio/wav").partition("/")[2]
            head, _, data = (_text(audio.get("url")) or "").partition(",")
            data = data if head.startswith("data:") else ""
            return {"type": "input_audio", "input_audio": {"data": data, "format": form}}
        case _:
            return dict(fields)


# The rest ---------------------------------------------------------------------------------------


def _kind(tree: dict[str, Any]) -> str:
    kind = _text(_node(_node(tree, "openinference"), "span").get("kind"))
    if kind is not None:
        return kind.upper()
    llm = _node(tree, "llm")
    return "LLM" if "input_messages" in llm or "output_messages" in llm else "UNKNOWN"


def _usage(llm: Mapping[str, Any]) -> Usage | None:
    count = _node(llm, "token_count")
    prompt, completion = _node(count, "prompt_details"), _node(count, "completion_details")
    usage = Usage(
        input_tokens=_integer(_value(count.get("prompt"))),
        output_tokens=_integer(_value(count.get("completion"))),
        total_tokens=_integer(count.get("total")),
        reasoning_tokens=_integer(completion.get("reasoning")),
        cached_tokens=_integer(prompt.get("cache_read")),
    )
    return usage if usage != Usage() else None


def _scores(tree: Mapping[str, Any], feedback: Any) -> tuple[Score, ...]:
    scores = [_score(_node(node, "evaluation"), "") for _, node in indexed(tree.get("evaluations"))]
    annotations = feedback.get("annotations") if isinstance(feedback, Mapping) else None
    for annotation in annotations if isinstance(annotations, list) else ():
        if isinstance(annotation, Mapping):
            name = _text(annotation.get("name")) or ""
            scores.append(_score(_node(annotation, "result"), name))
    return tuple(score for score in scores if score.name)


def _score(fields: Mapping[str, Any], name: str) -> Score:
    return Score(
        name=_text(fields.get("name")) or name,
        value=_number(fields.get("score")),
        label=_text(fields.get("label")),
        comment=_text(fields.get("explanation")),
    )


def _metadata(span: Span, tree: Mapping[str, Any]) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    own = parsed(tree.get("metadata"))
    if isinstance(own, Mapping):
        metadata.update(own)
    elif own not in (None, ""):
        metadata["metadata"] = own
    tags = _node(tree, "tag").get("tags")
    if isinstance(tags, list) and tags:
        metadata["tags"] = tags
    if user := _text(_node(tree, "user").get("id")):
        metadata["user_id"] = user
    if service := _text(span.resource.get("service.name")):
        metadata["service_name"] = service
    return metadata


def _params(llm: Mapping[str, Any]) -> dict[str, Any]:
    return dict(_json_object(llm.get("invocation_parameters")))


def _is_redacted(message: Message) -> bool:
    return message.text == _REDACTED


def _json_object(value: Any) -> Mapping[str, Any]:
    value = parsed(value)
    return value if isinstance(value, Mapping) else {}


def _node(value: Any, key: str) -> Mapping[str, Any]:
    child = value.get(key) if isinstance(value, Mapping) else None
    return child if isinstance(child, Mapping) else {}


def _value(node: Any) -> Any:
    # The tree keeps a value that also has names below it under the empty name.
    return node.get("") if isinstance(node, Mapping) else node


def _text(value: Any) -> str | None:
    value = _value(value)
    return value if isinstance(value, str) and value else None


def _integer(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else int(number)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) else None


def _loss(span: Span, code: Any, message: str) -> TraceLoss:
    return TraceLoss(code=code, message=message, location=span.location, span_id=span.span_id)
