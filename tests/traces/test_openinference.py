import json
from collections import Counter

import pytest
from oracle import (
    OPENINFERENCE,
    answers,
    calls_by_openinference_span,
    envelope,
    load,
    pairs,
    prompt,
    said,
)  # fmt: skip

from rft_widgets.model.message import to_json
from rft_widgets.model.trace import Score, Trace, TraceLoss, Usage
from rft_widgets.traces import openinference, otel_genai, otlp
from rft_widgets.traces.reader import Document, OtherSpan


def read(*values, reader=openinference):
    return list(reader.read(Document(f"line {i}", v) for i, v in enumerate(values, start=1)))


def one(attributes, **more):
    (trace,) = read(span(attributes, **more))
    assert isinstance(trace, Trace), trace
    return trace


def span(attributes, **more):
    return {
        "name": "ChatCompletion",
        "context": {"trace_id": "0x" + "a" * 32, "span_id": "0x" + "b" * 16},
        "start_time": "2026-11-22T17:30:50.000000Z",
        "end_time": "2026-11-22T17:30:50.250000Z",
        "status": {"status_code": "OK"},
        "attributes": {"openinference.span.kind": "LLM"} | attributes,
        "events": [],
        **more,
    }


# Real spans against what the calls really were --------------------------------------------------


def as_recorded(spans):
    return spans


def without_raw_values(spans):
    for raw in spans:
        for key in ("input.value", "output.value"):
            raw["attributes"].pop(key, None)
    return spans


def with_raw_values_only(spans):
    for raw in spans:
        raw["attributes"] = {
            key: value
            for key, value in raw["attributes"].items()
            if not key.startswith(("llm.input_messages", "llm.output_messages", "llm.tools"))
        }
    return spans


def numbered_as_lists(attributes):
    """Messages and tools as lists of objects with dotted keys, as Phoenix exports them."""
    tree = otlp.nested(attributes, frozenset({"json_schema", "value", "invocation_parameters"}))
    lists = {
        f"llm.{key}": [flattened(child) for _, child in otlp.indexed(tree["llm"].get(key))]
        for key in ("input_messages", "output_messages", "tools")
    }
    rest = {key: v for key, v in attributes.items() if not key.startswith(tuple(lists))}
    return rest | {key: value for key, value in lists.items() if value}


def flattened(node, prefix=""):
    flat = {}
    for key, child in node.items():
        name = f"{prefix}{key}"
        if isinstance(child, dict) and otlp.indexed(child):
            flat[name] = [flattened(inner) for _, inner in otlp.indexed(child)]
        elif isinstance(child, dict):
            flat |= flattened(child, f"{name}.")
        else:
            flat[name] = child
    return flat


def as_lists(spans):
    for raw in without_raw_values(spans):
        raw["attributes"] = numbered_as_lists(raw["attributes"])
    return spans


def as_table_rows(spans):
    return [
        {
            "name": raw["name"],
            "span_kind": "LLM",
            "parent_id": None,
            "start_time": raw["start_time"],
            "end_time": raw["end_time"],
            "status_code": raw["status"]["status_code"],
            "status_message": raw["status"].get("description", ""),
            "context.span_id": raw["context"]["span_id"][2:],
            "context.trace_id": raw["context"]["trace_id"][2:],
            "attributes.llm.prompt_template.template": float("nan"),
            **{
                f"attributes.{key}": value
                for key, value in numbered_as_lists(raw["attributes"]).items()
                if key != "openinference.span.kind"
            },
        }
        for raw in without_raw_values(spans)
    ]


def as_otlp(spans):
    return [
        envelope(
            {
                "traceId": raw["context"]["trace_id"][2:],
                "spanId": raw["context"]["span_id"][2:],
                "name": raw["name"],
                "attributes": pairs(raw["attributes"]),
                "status": {"code": 2, "message": raw["status"].get("description", "")}
                if raw["status"]["status_code"] == "ERROR"
                else {"code": 1},
            }
        )
        for raw in spans
    ]


VARIANTS = [
    as_recorded, without_raw_values, with_raw_values_only, as_lists, as_table_rows, as_otlp,
]  # fmt: skip
NUMBERED = (without_raw_values, as_lists, as_table_rows)
"""Variants that leave only the numbered attributes to read from."""


def read_variant(data, variant):
    documents = variant(load(data / OPENINFERENCE))
    return read(*documents, reader=otel_genai if variant is as_otlp else openinference)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_recorded_call_is_a_trace_or_a_loss_with_its_reason(data, variant):
    calls = load(data / "traces/oracle_ids.openinference_0.1.66.jsonl")
    readings = read_variant(data, variant)
    losses = {reading.span_id: reading for reading in readings if isinstance(reading, TraceLoss)}
    traces = {reading.span_id for reading in readings if isinstance(reading, Trace)}
    assert (len(traces), len(losses)) == (221, 9)
    assert traces | losses.keys() == {call["span_id"] for call in calls}
    assert Counter(loss.code for loss in losses.values()) == {"failed_call": 9}
    assert losses.keys() == {call["span_id"] for call in calls if call["client_error"]}


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_trace_says_what_the_call_really_was(data, variant):
    oracle = calls_by_openinference_span(data)
    raw_spans = {raw["context"]["span_id"][2:]: raw for raw in load(data / OPENINFERENCE)}
    compared = 0
    for trace in read_variant(data, variant):
        if not isinstance(trace, Trace):
            continue
        attributes = raw_spans[trace.span_id]["attributes"]
        call = oracle[trace.span_id] or as_sent(attributes)
        compared += oracle[trace.span_id] is not None
        without = ["refusal"] if variant in NUMBERED else []
        asked = [said(m, without=without) for m in call["request"]["messages"]]
        said_back = [said(m, without=without) for m in call["expected_choices"]]
        # Empty text beside tool calls has no numbered attribute, and in an answer that was put
        # together from a stream it is in no raw value either.
        for side, messages, is_told in (
            ("input", asked, variant not in NUMBERED),
            ("output", said_back, variant not in NUMBERED and not call["stream"]),
        ):
            for i, message in enumerate(messages):
                if message["calls"] and message["content"] == "" and not is_told:
                    assert f"llm.{side}_messages.{i}.message.content" not in attributes
                    assert variant in NUMBERED or raw_content(attributes, i) is None
                    message["content"] = None
        assert not any("refusal" in key for key in attributes)
        assert prompt(trace, without=without) == asked, trace.location
        assert answers(trace, without=without) == said_back, trace.location
        assert trace.model == call["model"]
        choice = call["request"].get("tool_choice") or call["request"].get("function_call")
        assert trace.tool_choice == choice
    assert compared == 216


def raw_content(attributes, i):
    return json.loads(attributes["output.value"])["choices"][i]["message"].get("content")


def as_sent(attributes):
    """The call of a span that no recording of the oracle is left for, from its raw values."""
    request, answer = json.loads(attributes["input.value"]), json.loads(attributes["output.value"])
    return {
        "request": request,
        "expected_choices": [choice["message"] for choice in answer["choices"]],
        "model": request["model"],
        "stream": bool(request.get("stream")),
    }


@pytest.mark.parametrize("variant", VARIANTS)
def test_tools_finish_reasons_usage_and_parameters(data, variant):
    oracle = calls_by_openinference_span(data)
    raw_spans = {raw["context"]["span_id"][2:]: raw for raw in load(data / OPENINFERENCE)}
    for trace in read_variant(data, variant):
        if not isinstance(trace, Trace) or oracle[trace.span_id] is None:
            continue
        attributes = raw_spans[trace.span_id]["attributes"]
        request = oracle[trace.span_id]["request"]
        offered = request.get("tools") or []
        if variant not in NUMBERED:
            # The old form of tools is in the raw request alone.
            functions = request.get("functions", [])
            offered += [{"type": "function", "function": function} for function in functions]
        assert to_json(trace.tools) == offered
        assert trace.choices[0].finish_reason == attributes["llm.finish_reason"]
        tokens = attributes.get("llm.token_count.prompt")
        assert (trace.usage.input_tokens if trace.usage else None) == tokens
        left_out = ("messages", "model", "tools", "tool_choice", "functions", "function_call")
        params = json.loads(attributes["llm.invocation_parameters"])
        assert trace.params == {k: v for k, v in params.items() if k not in left_out}
        assert trace.response_model == attributes["llm.model_name"]


# Shapes that are not in the files ---------------------------------------------------------------

ASKED = {
    "llm.model_name": "m",
    "llm.input_messages.0.message.role": "user",
    "llm.input_messages.0.message.content": "Hello?",
}


def test_other_fields_of_a_span():
    trace = one(
        ASKED
        | {
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.content": "Hi.",
            "llm.token_count.prompt": 3,
            "llm.token_count.prompt_details.cache_read": 2,
            "llm.token_count.completion_details.reasoning": 1,
            "llm.cost.total": 0.25,
            "session.id": "s-1",
            "user.id": "u-1",
            "metadata": '{"a.b": {"c": 1}}',
            "tag.tags": ["x"],
            "evaluations.0.evaluation.name": "good",
            "evaluations.0.evaluation.score": 1,
            "evaluations.0.evaluation.label": "yes",
        },
        annotations=[{"name": "human", "result": {"score": 0.5, "explanation": "ok"}}],
    )
    assert trace.usage == Usage(input_tokens=3, cached_tokens=2, reasoning_tokens=1)
    assert (trace.cost_usd, trace.thread_id, trace.latency_ms) == (0.25, "s-1", 250)
    assert trace.metadata == {"a.b": {"c": 1}, "tags": ["x"], "user_id": "u-1"}
    assert trace.scores == (
        Score(name="good", value=1, label="yes"),
        Score(name="human", value=0.5, comment="ok"),
    )
    assert (trace.model, trace.response_model) == ("m", None)


def test_contents_and_images_that_were_left_out():
    part = "llm.input_messages.0.message.contents"
    loss, trace = read(
        span(
            {
                "llm.input_messages.0.message.role": "user",
                f"{part}.0.message_content.type": "text",
                f"{part}.0.message_content.text": "Compare",
                f"{part}.1.message_content.type": "image",
                f"{part}.1.message_content.image.image.url": "https://example.com/a.png",
                f"{part}.2.message_content.type": "image",
                f"{part}.2.message_content.image.image.url": "__REDACTED__",
            }
        )
    )
    assert (loss.code, loss.span_id) == ("image_without_data", trace.span_id)
    assert trace.messages[0].content == (
        {"type": "text", "text": "Compare"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
    )


def test_the_items_of_a_responses_answer_are_one_answer():
    output = "llm.output_messages"
    trace = one(
        ASKED
        | {
            f"{output}.0.message.role": "assistant",
            f"{output}.0.message.content": "Looking.",
            f"{output}.1.message.role": "assistant",
            f"{output}.1.message.tool_calls.0.tool_call.id": "c1",
            f"{output}.1.message.tool_calls.0.tool_call.function.name": "f",
            f"{output}.1.message.tool_calls.0.tool_call.function.arguments": "{}",
            "output.value": '{"object": "response", "output": [{}, {}]}',
        }
    )
    (answer,) = answers(trace)
    assert (answer["content"], answer["calls"]) == ("Looking.", [("c1", "f", {})])


def test_bodies_of_another_api_and_plain_text_are_read_where_there_are_no_messages():
    request = {
        "model": "claude",
        "max_tokens": 5,
        "system": "Be brief.",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello?"}]}],
    }
    trace = one({"input.value": json.dumps(request)})
    assert [(m.role, m.text) for m in trace.messages] == [
        ("system", "Be brief."),
        ("user", "Hello?"),
    ]
    trace = one({"input.value": "Hello?", "output.value": "Hi."})
    assert (trace.messages[0].text, trace.choices[0].message.text) == ("Hello?", "Hi.")


def test_dropped_attributes_are_made_up_for_by_the_raw_request_or_reported():
    held = {f"llm.input_messages.{i}.message.role": "user" for i in (1, 2)}
    (loss,) = read(span(held))
    assert loss.code == "undecodable"
    messages = [{"role": "user", "content": text} for text in "abc"]
    raw = {"input.value": json.dumps({"messages": messages})}
    assert len(one(ASKED | raw, droppedAttributesCount=2).messages) == 3
    (loss,) = read(span(ASKED, droppedAttributesCount=2))
    assert loss.code == "undecodable"


@pytest.mark.parametrize(
    ("held", "code"),
    [
        ({}, "no_content"),
        ({"input.value": "__REDACTED__", "output.value": "__REDACTED__"}, "no_content"),
        (ASKED | {"llm.input_messages.0.message.content": "__REDACTED__"}, "no_content"),
        ({"llm.output_messages.0.message.content": "Hi."}, "no_request"),
        ({"openinference.span.kind": "EMBEDDING"}, "unsupported_call"),
        (ASKED | {"llm.input_messages.0.message.role": 3}, "undecodable"),
    ],
)
def test_losses(held, code):
    (loss,) = read(span(held))
    assert isinstance(loss, TraceLoss)
    assert (loss.code, loss.span_id, loss.location) == (
        code,
        "b" * 16,
        f"line 1, span {'b' * 16}",
    )


@pytest.mark.parametrize("kind", ["CHAIN", "TOOL", "AGENT", "RETRIEVER", "GUARDRAIL"])
def test_spans_that_are_no_model_call_are_counted_only(kind):
    assert read(span(ASKED | {"openinference.span.kind": kind})) == [OtherSpan()]
