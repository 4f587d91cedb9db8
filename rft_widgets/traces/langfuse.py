"""Langfuse: observations of its API, of its blob and UI exports, and whole-trace documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from rft_widgets.model.message import Tool
from rft_widgets.model.trace import Choice, Score, Trace, TraceLoss, Usage
from rft_widgets.traces import agent_messages as agents
from rft_widgets.traces.agent_turns import decoded, unquoted
from rft_widgets.traces.exchange import (
    LostCall,
    guarded,
    moment,
    number_or_none,
    text_or_none,
)
from rft_widgets.traces.media import without_lost_media
from rft_widgets.traces.reader import Document, OtherSpan, Reading

NAME = "langfuse"


def matches(value: Any) -> bool:
    """Whether a document is an observation, a list of them, or a trace with its observations."""
    if isinstance(value, list):
        return bool(value) and _is_observation(value[0])
    if not isinstance(value, Mapping):
        return False
    inner = value.get("observations")
    if isinstance(inner, list):
        return all(_is_observation(one) for one in inner[:1]) and (
            bool(inner) or "trace" in value or "projectId" in value
        )
    page = value.get("data")
    if isinstance(page, list) and page:
        return _is_observation(page[0])
    return _is_observation(value)


def read(documents: Iterable[Document]) -> Iterator[Reading]:
    """Traces and losses of the documents.

    A model call is an observation of type GENERATION. The Vercel AI SDK logs two for each call, the
    one around the other; the inner one says more, and the outer one counts only where no inner one
    is among the documents.
    """
    outer: dict[str, _Observation] = {}
    inner_of: set[str] = set()
    for document in documents:
        for observation in _observations(document):
            if isinstance(observation, TraceLoss):
                yield observation
                continue
            if _is_outer(observation):
                outer[observation.id] = observation
                continue
            parent = observation.get("parentObservationId")
            if observation.get("type") == "GENERATION" and isinstance(parent, str):
                inner_of.add(parent)
                if outer.pop(parent, None) is not None:
                    yield OtherSpan()
            yield from _read(observation)
    for key, observation in outer.items():
        if key in inner_of:
            yield OtherSpan()
        else:
            yield from _read(observation)


_TYPES = (
    "SPAN", "GENERATION", "EVENT", "AGENT", "TOOL", "CHAIN", "RETRIEVER", "EVALUATOR", "EMBEDDING",
    "GUARDRAIL",
)  # fmt: skip

_OUTER = ("ai.generateText", "ai.streamText", "ai.generateObject", "ai.streamObject")
"""Operations of the Vercel AI SDK around the calls proper (``ai.generateText.doGenerate``)."""

_PARAMS = frozenset({
    "temperature", "top_p", "top_k", "max_tokens", "max_completion_tokens", "max_output_tokens",
    "maxTokens", "topP", "topK", "seed", "stop", "stop_sequences", "frequency_penalty",
    "presence_penalty", "n", "response_format", "reasoning_effort", "parallel_tool_calls",
    "logprobs", "top_logprobs", "logit_bias",
})  # fmt: skip
"""Model parameters that set how the model samples; the rest is what a framework knows about it."""

_TELEMETRY = frozenset({"attributes", "resourceAttributes", "scope", "tools"})
"""Keys of an observation's metadata that the user did not write."""


class _Observation(NamedTuple):
    """An observation, its trace, and where it stands; keys are read in either spelling."""

    fields: Mapping[str, Any]
    trace: Mapping[str, Any]
    location: str
    metadata: Mapping[str, Any]
    attributes: Mapping[str, Any]
    """Attributes of the OpenTelemetry span that a generation was made from."""

    @property
    def id(self) -> str:
        return str(self.fields.get("id") or "")

    def get(self, key: str) -> Any:
        value = self.fields.get(key)
        return self.fields.get(_SNAKE[key]) if value is None and key in _SNAKE else value


_SNAKE = {
    "traceId": "trace_id", "parentObservationId": "parent_observation_id",
    "startTime": "start_time", "endTime": "end_time", "statusMessage": "status_message",
    "model": "provided_model_name", "modelParameters": "model_parameters",
    "usageDetails": "usage_details", "costDetails": "cost_details", "totalCost": "total_cost",
    "toolDefinitions": "tool_definitions", "sessionId": "session_id", "userId": "user_id",
    "traceName": "trace_name", "promptName": "prompt_name", "promptVersion": "prompt_version",
    "observationId": "observation_id", "stringValue": "string_value",
}  # fmt: skip


# Documents --------------------------------------------------------------------------------------


def _is_observation(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and value.get("type") in _TYPES
        and any(key in value for key in ("traceId", "trace_id", "provided_model_name"))
    )


def _observations(document: Document) -> Iterator[_Observation | TraceLoss]:
    location, value = document
    trace: Mapping[str, Any] = {}
    many: Any = value if isinstance(value, list) else [value]
    if isinstance(value, Mapping):
        if isinstance(value.get("observations"), list):
            inner = value.get("trace")
            trace = inner if isinstance(inner, Mapping) else value
            many = value["observations"]
        elif isinstance(value.get("data"), list):
            many = value["data"]
    for i, one in enumerate(many):
        here = location if many is not value and len(many) == 1 else f"{location}, item {i + 1}"
        if isinstance(one, Mapping) and one.get("type") in _TYPES:
            here = f"{here}, observation {one.get('id')}"
            # Both hold most of what an observation holds; only those of a call are asked for.
            metadata = _object(one.get("metadata")) if one["type"] == "GENERATION" else {}
            yield _Observation(one, trace, here, metadata, _object(metadata.get("attributes")))
        else:
            message = "This is no observation: it has no type that Langfuse knows."
            yield TraceLoss(code="undecodable", message=message, location=here)


def _object(value: Any) -> Mapping[str, Any]:
    value = decoded(value)
    return value if isinstance(value, Mapping) else {}


def _is_outer(observation: _Observation) -> bool:
    named = (observation.attributes.get("ai.operationId"), observation.get("name"))
    return observation.get("type") == "GENERATION" and any(name in _OUTER for name in named)


# One observation --------------------------------------------------------------------------------


def _read(observation: _Observation) -> Iterator[Reading]:
    kind = observation.get("type")
    if kind == "EMBEDDING":
        yield _loss(observation, "unsupported_call", "The call computes an embedding.")
    elif kind != "GENERATION":
        yield OtherSpan()
    elif observation.get("level") == "ERROR":
        why = observation.get("statusMessage") or "without a message"
        yield _loss(observation, "failed_call", f"The call failed: {why}")
    else:
        yield from guarded(
            observation.location, partial(_read_call, observation), observation.id or None
        )


def _read_call(observation: _Observation) -> Iterator[Reading]:
    logged = observation.get("output")
    output = decoded(logged)
    text = logged if isinstance(logged, str) else None
    if text is not None and not isinstance(output, str):
        text = unquoted(text)
    request = agents.read_request(decoded(observation.get("input")))
    calls_before = sum(len(message.tool_calls) for message in request.messages)
    choices = agents.read_answers(output, text, calls_before=calls_before)
    if not request.messages and not choices:
        raise LostCall("no_content", "The observation has neither input nor output.")
    if not request.messages:
        raise LostCall("no_request", _why_no_request(observation))
    messages, lost = without_lost_media(_instructed(request, output).messages)
    for line in lost:
        yield _loss(observation, "image_without_data", f"The observation only mentions {line}.")
    tools = request.tools or _tools(observation, output)
    yield _trace(observation, request._replace(messages=messages, tools=tools), choices, output)


def _why_no_request(observation: _Observation) -> str:
    value = decoded(observation.get("input"))
    if isinstance(value, Mapping):
        return f"The input holds no messages, only: {', '.join(sorted(map(str, value)))[:200]}."
    return "The observation has an output but no input."


def _instructed(request: agents.Request, output: Any) -> agents.Request:
    # The Responses API has the system prompt beside the input, and repeats it in the response;
    # the logged input is the list of items alone.
    instructions = output.get("instructions") if _is_response(output) else None
    if not isinstance(instructions, str) or not instructions:
        return request
    if any(message.role in ("system", "developer") for message in request.messages):
        return request
    system = agents.read_request([{"role": "system", "content": instructions}]).messages
    return request._replace(messages=(*system, *request.messages))


def _is_response(output: Any) -> bool:
    return isinstance(output, Mapping) and output.get("object") == "response"


def _trace(
    observation: _Observation,
    request: agents.Request,
    choices: tuple[Choice, ...],
    output: Any,
) -> Trace:
    attributes = observation.attributes
    model = text_or_none(observation.get("model"))
    asked = text_or_none(attributes.get("gen_ai.request.model")) or model
    answered = attributes.get("gen_ai.response.model") or attributes.get("ai.response.model")
    if answered is None and isinstance(output, Mapping):
        answered = output.get("model")
    if len(choices) == 1 and choices[0].finish_reason is None:
        choices = (Choice(choices[0].message, _recorded_finish_reason(observation)),)
    started, ended = moment(observation.get("startTime")), moment(observation.get("endTime"))
    return Trace(
        format=NAME,
        location=observation.location,
        messages=request.messages,
        choices=choices,
        tools=request.tools,
        tool_choice=request.tool_choice or _tool_choice(observation, output),
        trace_id=text_or_none(observation.get("traceId"))
        or text_or_none(observation.trace.get("id")),
        span_id=observation.id or None,
        parent_span_id=text_or_none(observation.get("parentObservationId")),
        thread_id=_thread_id(observation),
        started_at=started,
        latency_ms=(ended - started).total_seconds() * 1000 if started and ended else None,
        model=asked,
        response_model=text_or_none(answered) or (model if model != asked else None),
        provider=_provider(observation),
        params=_params(observation),
        usage=_usage(observation, output),
        cost_usd=_cost(observation, output),
        scores=_scores(observation),
        metadata=_metadata(observation),
    )


def _recorded_finish_reason(observation: _Observation) -> str | None:
    params = decoded(observation.get("modelParameters"))
    reasons = decoded(observation.attributes.get("gen_ai.response.finish_reasons"))
    if isinstance(reasons, list) and len(reasons) == 1:
        return agents.finish_reason(reasons[0])
    said = observation.attributes.get("ai.response.finishReason")
    if said is None and isinstance(params, Mapping):
        said = params.get("finishReason")
    return agents.finish_reason(said)


def _tools(observation: _Observation, output: Any) -> tuple[Tool, ...]:
    """Tools on offer, from whichever place the framework wrote them to."""
    attributes, metadata = observation.attributes, observation.metadata
    parameters = decoded(attributes.get("model_request_parameters"))
    parameters = parameters if isinstance(parameters, Mapping) else {}
    # Pydantic AI offers the form of the final answer as a tool, too.
    offered = [
        tool
        for key in ("function_tools", "output_tools")
        for tool in (parameters[key] if isinstance(parameters.get(key), list) else ())
    ]
    numbered = [attributes.get(f"llm.tools.{i}.tool.json_schema") for i in range(len(attributes))]
    sources = (
        output.get("tools") if _is_response(output) else None,
        decoded(metadata.get("tools")),
        decoded(attributes.get("ai.prompt.tools")),
        decoded(attributes.get("gen_ai.tool.definitions")),
        offered,
        [one for one in numbered if one is not None],
        decoded(observation.get("toolDefinitions")),
    )
    return next((tools for source in sources if (tools := agents.read_tools(source))), ())


def _tool_choice(observation: _Observation, output: Any) -> Any:
    if _is_response(output):
        return agents.read_tool_choice(output.get("tool_choice"))
    return agents.read_tool_choice(observation.attributes.get("ai.prompt.toolChoice"))


def _thread_id(observation: _Observation) -> str | None:
    places = (
        observation.get("sessionId"),
        observation.trace.get("sessionId") or observation.trace.get("session_id"),
        observation.attributes.get("session.id"),
        observation.metadata.get("thread_id"),  # LangGraph's
    )
    return next((one for one in places if isinstance(one, str) and one), None)


def _provider(observation: _Observation) -> str | None:
    attributes = observation.attributes
    places = (
        attributes.get("gen_ai.provider.name"),
        attributes.get("llm.provider"),
        attributes.get("gen_ai.system"),
        observation.metadata.get("ls_provider"),
    )
    return next((one.lower() for one in places if isinstance(one, str) and one), None)


def _params(observation: _Observation) -> dict[str, Any]:
    params = decoded(observation.get("modelParameters"))
    if not isinstance(params, Mapping):
        return {}
    words = {"true": True, "false": False}  # Langfuse stores what is no number as text
    return {
        key: words.get(v, decoded(v)) if isinstance(v, str) else v
        for key, v in params.items()
        if key in _PARAMS and v not in (None, "")
    }


def _usage(observation: _Observation, output: Any) -> Usage | None:
    # The provider's own count comes first: where a framework logged none, Langfuse counts the
    # tokens of the logged texts itself, wrappings of the framework included.
    for counts in (_own_counts(output), _details(observation), observation.get("usage")):
        if isinstance(counts, Mapping) and counts:
            usage = Usage(**{key: _count(counts, names) for key, names in _USAGE.items()})
            if usage != Usage():
                return usage
    return None


def _own_counts(output: Any) -> Any:
    body = output if isinstance(output, Mapping) else {}
    return body.get("usage") or body.get("usage_metadata") or body.get("usageMetadata")


def _details(observation: _Observation) -> Any:
    return decoded(observation.get("usageDetails"))


_USAGE = {
    "input_tokens": (
        "input", "prompt_tokens", "input_tokens", "prompt_token_count", "promptTokens",
        "promptTokenCount",
    ),
    "output_tokens": (
        "output", "completion_tokens", "output_tokens", "candidates_token_count",
        "completionTokens", "candidatesTokenCount",
    ),
    "total_tokens": (
        "total", "total_tokens", "total_token_count", "totalTokens", "totalTokenCount",
    ),
    "reasoning_tokens": (
        "output_reasoning", "completion_details.reasoning", "output_reasoning_tokens",
        "completion_tokens_details.reasoning_tokens", "output_tokens_details.reasoning_tokens",
        "thoughts_token_count",
    ),
    "cached_tokens": (
        "input_cache_read", "prompt_details.cache_read", "input_cached_tokens",
        "cache_read_input_tokens", "prompt_tokens_details.cached_tokens",
        "input_tokens_details.cached_tokens", "cached_content_token_count",
    ),
}  # fmt: skip
"""Names of each count; a name with a dot is also one inside an object."""


def _count(counts: Mapping[str, Any], names: Iterable[str]) -> int | None:
    for name in names:
        value = counts.get(name)
        head, dot, tail = name.partition(".")
        if value is None and dot and isinstance(counts.get(head), Mapping):
            value = counts[head].get(tail)
        number = number_or_none(value)
        if number is not None:
            return int(number)
    return None


def _cost(observation: _Observation, output: Any) -> float | None:
    # Without details nothing was computed, and the total is a mere 0.
    if not decoded(observation.get("costDetails")):
        return None
    own, counted = _own_counts(output), _details(observation)
    if isinstance(own, Mapping) and isinstance(counted, Mapping):
        total, used = (_count(counts, _USAGE["total_tokens"]) for counts in (own, counted))
        if None not in (total, used) and total != used:
            return None  # computed from tokens that the provider did not count
    return number_or_none(observation.get("totalCost"))


def _scores(observation: _Observation) -> tuple[Score, ...]:
    """Scores of the observation itself, and those of its trace as a whole."""
    rows = [one for one in _list(observation.get("scores")) if isinstance(one, Mapping)]
    for one in _list(observation.trace.get("scores")):
        target = _either(one, "observationId")
        if isinstance(one, Mapping) and target in (None, observation.id):
            rows.append(one)
    return tuple(_score(row) for row in rows if isinstance(row.get("name"), str))


def _score(row: Mapping[str, Any]) -> Score:
    value = row.get("value")
    return Score(
        name=row["name"],
        value=number_or_none(value),
        label=text_or_none(_either(row, "stringValue")) or text_or_none(value),
        comment=text_or_none(row.get("comment")) or None,
    )


def _metadata(observation: _Observation) -> dict[str, Any]:
    user = {k: v for k, v in observation.metadata.items() if k not in _TELEMETRY}
    trace = observation.trace
    known = {
        "name": observation.get("name"),
        "trace_name": observation.get("traceName") or trace.get("name"),
        "user_id": observation.get("userId") or _either(trace, "userId"),
        "tags": observation.get("tags") or trace.get("tags"),
        "environment": observation.get("environment"),
        "version": observation.get("version"),
        "prompt_name": observation.get("promptName"),
        "prompt_version": observation.get("promptVersion"),
    }
    return user | {key: value for key, value in known.items() if value not in (None, "", [])}


def _either(row: Any, key: str) -> Any:
    if not isinstance(row, Mapping):
        return None
    value = row.get(key)
    return row.get(_SNAKE[key]) if value is None else value


def _loss(observation: _Observation, code: Any, message: str) -> TraceLoss:
    return TraceLoss(
        code=code, message=message, location=observation.location, span_id=observation.id or None
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
