import base64
import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import (
    OTLP,
    answers,
    any_value,
    calls_by_span,
    envelope,
    load,
    log,
    pairs,
    prompt,
    said,
    span,
)  # fmt: skip

from rft_widgets.model.message import to_json
from rft_widgets.model.trace import Trace, TraceLoss, Usage
from rft_widgets.traces import otel_genai, otlp
from rft_widgets.traces.reader import Document, OtherSpan

CONTENT = ("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.tool.definitions")
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}


def read(*values):
    return list(otel_genai.read(Document(f"line {i}", v) for i, v in enumerate(values, start=1)))


def one(*values):
    (trace,) = read(*values)
    assert isinstance(trace, Trace), trace
    return trace


def spans(document):
    return document["resourceSpans"][0]["scopeSpans"][0]["spans"]


def attributes(raw):
    return {pair["key"]: otlp.decode_value(pair["value"]) for pair in raw["attributes"]}


# Real exports against what the calls really were ------------------------------------------------


def as_recorded(documents):
    return documents


def as_structured_values(documents):
    for document in documents:
        for raw in spans(document):
            held = attributes(raw)
            held |= {key: json.loads(held[key]) for key in CONTENT if key in held}
            raw["attributes"] = pairs(held)
    return documents


def as_flat_spans(documents):
    return [raw for document in documents for raw in spans(document)]


def as_sdk_spans(documents):
    return [
        {
            "name": raw["name"],
            "context": {"trace_id": "0x" + raw["traceId"], "span_id": "0x" + raw["spanId"]},
            "start_time": "2026-01-01T00:00:00.000000Z",
            "status": {"status_code": "ERROR", "description": raw["status"].get("message")}
            if "ERROR" in raw["status"].get("code", "")
            else {"status_code": "UNSET"},
            "attributes": attributes(raw),
            "events": [],
        }
        for document in documents
        for raw in spans(document)
    ]


def as_base64_ids(documents):
    for document in documents:
        for raw in spans(document):
            for key in ("traceId", "spanId"):
                raw[key] = base64.b64encode(bytes.fromhex(raw[key])).decode()
    return documents


def with_content_in_logs(documents, *, logs_first=False):
    logs = []
    for document in documents:
        for raw in spans(document):
            held = attributes(raw)
            record = log(
                "gen_ai.client.inference.operation.details",
                attributes={key: json.loads(held[key]) for key in CONTENT if key in held},
                span_id=raw["spanId"],
            )
            logs.append(record | {"traceId": raw["traceId"]})
            kept = {key: value for key, value in held.items() if key not in CONTENT}
            raw["attributes"] = pairs(kept)
    logged = [envelope(logs=logs[i : i + 50]) for i in range(0, len(logs), 50)]
    return logged + documents if logs_first else documents + logged


def with_content_in_earlier_logs(documents):
    return with_content_in_logs(documents, logs_first=True)


def with_all_in_one_export(documents):
    return [{"resourceSpans": [group for d in documents for group in d["resourceSpans"]]}]


VARIANTS = [
    as_recorded, as_structured_values, as_flat_spans, as_sdk_spans, as_base64_ids,
    with_content_in_logs, with_content_in_earlier_logs, with_all_in_one_export,
]  # fmt: skip


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_recorded_call_is_a_trace_or_a_loss_with_its_reason(data, variant):
    oracle = calls_by_span(data)
    readings = read(*variant(load(data / OTLP)))
    traces = [reading for reading in readings if isinstance(reading, Trace)]
    losses = {reading.span_id: reading for reading in readings if isinstance(reading, TraceLoss)}
    assert Counter(loss.code for loss in losses.values()) == {"failed_call": 14, "no_request": 2}
    assert len(traces) == 214
    assert {trace.span_id for trace in traces} | losses.keys() == oracle.keys()
    failed = {key for key, loss in losses.items() if loss.code == "failed_call"}
    assert failed == {key for key, call in oracle.items() if call["client_error"]}
    for key in failed:
        assert oracle[key]["client_error"].partition(":")[0] in losses[key].message


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_trace_says_what_the_call_really_was(data, variant):
    oracle = calls_by_span(data)
    for trace in read(*variant(load(data / OTLP))):
        if not isinstance(trace, Trace):
            continue
        call = oracle[trace.span_id]
        # Names of messages are not in the spans: see the test below.
        expected = [said(m, without=["name"]) for m in call["request"]["messages"]]
        assert prompt(trace, without=["name"]) == expected, trace.location
        assert answers(trace) == [said(m) for m in call["expected_choices"]], trace.location
        assert trace.model == call["model"]
        assert trace.trace_id == call["trace_id"]


def test_the_spans_hold_no_message_names_and_no_images_of_lost_requests(data):
    oracle = calls_by_span(data)
    unasked = set()
    for document in load(data / OTLP):
        raw = spans(document)[0]
        held = attributes(raw)
        if "gen_ai.input.messages" in held:
            recorded = json.loads(held["gen_ai.input.messages"])
            assert all(message.keys() == {"role", "parts"} for message in recorded)
        else:
            unasked.add(raw["spanId"])
    assert len(unasked) == 2
    for key in unasked:
        urls = json.dumps(oracle[key]["request"]["messages"])
        assert '"image_url"' in urls
        assert "data:image" in urls


def test_recorded_finish_reasons_usage_tools_and_parameters(data):
    oracle = calls_by_span(data)
    reasons = Counter()
    for document in load(data / OTLP):
        held = attributes(spans(document)[0])
        (trace,) = read(document)
        if not isinstance(trace, Trace):
            continue
        recorded = [
            {"tool_call": "tool_calls"}.get(reason, reason)
            for reason in held["gen_ai.response.finish_reasons"]
        ]
        assert [choice.finish_reason for choice in trace.choices] == recorded
        reasons.update(recorded)
        tokens = held.get("gen_ai.usage.input_tokens")
        assert (trace.usage.input_tokens if trace.usage else None) == tokens
        request = oracle[trace.span_id]["request"]
        offered = [tool["function"] for tool in request.get("tools") or []]
        offered += request.get("functions") or []
        # The spans keep name, parameters and a description that is not empty; see the raw values.
        shape = [(tool["name"], tool.get("parameters")) for tool in offered]
        read_back = [to_json(tool)["function"] for tool in trace.tools]
        assert [(tool["name"], tool.get("parameters")) for tool in read_back] == shape
        said_of = [tool.get("description") or None for tool in offered]
        assert [tool.get("description") for tool in read_back] == said_of
        for name in ("temperature", "max_tokens", "top_p", "frequency_penalty"):
            assert trace.params.get(name) == request.get(name), name
        assert trace.params.get("stream", False) == request.get("stream", False)
        assert trace.latency_ms > 0
        assert trace.provider == held["gen_ai.provider.name"]
    assert reasons == {"stop": 137, "tool_calls": 75, "length": 3}


# The forms the conventions have had -------------------------------------------------------------

ASKED = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Weather in Paris?"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": "c1",
                "type": "function",
                "function": {"name": "weather", "arguments": '{"city": "Paris"}'},
            }
        ],
    },
    {"role": "tool", "tool_call_id": "c1", "content": "rain"},
]
ANSWER = {"role": "assistant", "content": "Rain."}

PARTS = [
    {"role": "user", "parts": [{"type": "text", "content": "Weather in Paris?"}]},
    {
        "role": "assistant",
        "parts": [
            {"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Paris"}}
        ],
    },
    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "rain"}]},
]
OUTPUT = [
    {
        "role": "assistant",
        "parts": [{"type": "text", "content": "Rain."}],
        "finish_reason": "stop",
    }
]
INSTRUCTIONS = [{"type": "text", "content": "Be brief."}]

FLAT = {
    "llm.request.type": "chat",
    "gen_ai.request.model": "m",
    "gen_ai.prompt.0.role": "system",
    "gen_ai.prompt.0.content": "Be brief.",
    "gen_ai.prompt.1.role": "user",
    "gen_ai.prompt.1.content": "Weather in Paris?",
    "gen_ai.prompt.2.role": "assistant",
    "gen_ai.prompt.2.tool_calls.0.id": "c1",
    "gen_ai.prompt.2.tool_calls.0.name": "weather",
    "gen_ai.prompt.2.tool_calls.0.arguments": '{"city": "Paris"}',
    "gen_ai.prompt.3.role": "tool",
    "gen_ai.prompt.3.tool_call_id": "c1",
    "gen_ai.prompt.3.content": "rain",
    "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.content": "Rain.",
    "gen_ai.completion.0.finish_reason": "stop",
    "llm.request.functions.0.name": "weather",
    "llm.request.functions.0.parameters": '{"type": "object"}',
}

BODIES = [
    ("gen_ai.system.message", {"content": "Be brief."}),
    ("gen_ai.user.message", {"content": "Weather in Paris?"}),
    ("gen_ai.assistant.message", {"tool_calls": ASKED[2]["tool_calls"]}),
    ("gen_ai.tool.message", {"id": "c1", "content": "rain"}),
    ("gen_ai.choice", {"index": 0, "finish_reason": "stop", "message": ANSWER}),
]


def as_text(fields):
    return {k: v if isinstance(v, (str, int)) else json.dumps(v) for k, v in fields.items()}


def structured():
    return [
        envelope(
            span(
                CHAT
                | {
                    "gen_ai.system_instructions": INSTRUCTIONS,
                    "gen_ai.input.messages": PARTS,
                    "gen_ai.output.messages": OUTPUT,
                }
            )
        )
    ]


def old_result_key():
    document = structured()[0]
    return [json.loads(json.dumps(document).replace('"response"', '"result"'))]


def flat_prompts():
    return [envelope(span(FLAT))]


def span_events():
    return [envelope(span(CHAT, events=[(name, as_text(body)) for name, body in BODIES]))]


def span_events_with_one_attribute():
    events = [(name, {"gen_ai.event.content": json.dumps(body)}) for name, body in BODIES]
    return [envelope(span(CHAT, events=events))]


def details_event():
    content = {
        "gen_ai.system_instructions": json.dumps(INSTRUCTIONS),
        "gen_ai.input.messages": json.dumps(PARTS),
        "gen_ai.output.messages": json.dumps(OUTPUT),
    }
    return [envelope(span(CHAT, events=[("gen_ai.client.inference.operation.details", content)]))]


def logs_after():
    return [envelope(span(CHAT)), envelope(logs=[log(name, body) for name, body in BODIES])]


def logs_before():
    return list(reversed(logs_after()))


def logs_beside():
    return [envelope(span(CHAT), logs=[log(name, body) for name, body in BODIES])]


def logs_without_their_span():
    return [envelope(logs=[log(name, body) for name, body in BODIES])]


def listed_events():
    events = [{"event.name": name, **body} for name, body in BODIES]
    return [envelope(span(CHAT | {"events": json.dumps(events)}))]


def old_content_events():
    events = [
        ("gen_ai.content.prompt", {"gen_ai.prompt": json.dumps(ASKED)}),
        (
            "gen_ai.content.completion",
            {"gen_ai.completion": json.dumps([ANSWER | {"finish_reason": "stop"}])},
        ),
    ]
    return [envelope(span(CHAT, events=events))]


FORMS = [
    structured, old_result_key, flat_prompts, span_events, span_events_with_one_attribute,
    details_event, logs_after, logs_before, logs_beside, logs_without_their_span, listed_events,
    old_content_events,
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_conventions_says_the_same(form):
    trace = one(*form())
    assert prompt(trace) == [said(message) for message in ASKED]
    assert answers(trace) == [said(ANSWER)]
    assert trace.choices[0].finish_reason == "stop"
    assert trace.span_id == "b7ad6b7169203331"


def test_flat_prompts_bring_their_tools():
    (tool,) = one(*flat_prompts()).tools
    assert to_json(tool) == {
        "type": "function",
        "function": {"name": "weather", "parameters": {"type": "object"}},
    }


def test_json_text_in_a_flat_prompt_is_parts_only_if_it_is_a_list_of_parts():
    parts = [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
    ]
    held = {"gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": json.dumps(parts)}
    assert one(envelope(span(CHAT | held))).messages[0].content == tuple(parts)
    held["gen_ai.prompt.0.content"] = '[{"type": "bug"}]'
    assert one(envelope(span(CHAT | held))).messages[0].content == '[{"type": "bug"}]'


def test_media_parts():
    parts = [
        {"type": "text", "content": "Look"},
        {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"},
        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "aGk="},
        {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "content": "aGk="},
        {"type": "file", "modality": "image", "file_id": "file-1"},
        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": ""},
        {"type": "of_the_future", "x": 1},
    ]
    held = {"gen_ai.input.messages": [{"role": "user", "parts": parts}]}
    loss, trace = read(envelope(span(CHAT | held)))
    assert loss.code == "image_without_data"
    assert loss.span_id == trace.span_id
    assert trace.messages[0].content == (
        {"type": "text", "text": "Look"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
        {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "of_the_future", "x": 1},
    )
    assert trace.choices == ()


def test_reasoning_and_refusal_are_kept_beside_the_text():
    output = [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "Hm."},
                {"type": "refusal", "content": "No."},
            ],
        }
    ]
    held = {"gen_ai.input.messages": PARTS, "gen_ai.output.messages": output}
    message = one(envelope(span(CHAT | held))).choices[0].message
    assert to_json(message) == {
        "role": "assistant",
        "reasoning_content": "Hm.",
        "refusal": "No.",
    }


def test_one_message_that_answers_several_calls_becomes_one_message_a_call():
    results = [{"type": "tool_call_response", "id": i, "response": {"n": i}} for i in "ab"]
    text = {"type": "text", "content": "both"}
    held = {"gen_ai.input.messages": [{"role": "user", "parts": [*results, text]}]}
    messages = one(envelope(span(CHAT | held))).messages
    assert [(m.role, m.tool_call_id, m.content) for m in messages] == [
        ("tool", "a", '{"n":"a"}'),
        ("tool", "b", '{"n":"b"}'),
        ("user", None, "both"),
    ]


def test_instructions_that_are_also_a_system_message_come_once():
    system = {"role": "system", "parts": INSTRUCTIONS}
    held = {"gen_ai.system_instructions": INSTRUCTIONS, "gen_ai.input.messages": [system, *PARTS]}
    assert [m.role for m in one(envelope(span(CHAT | held))).messages].count("system") == 1


def test_usage_thread_scores_and_times():
    held = CHAT | {
        "gen_ai.input.messages": PARTS,
        "gen_ai.output.messages": OUTPUT,
        "gen_ai.conversation.id": "conv-1",
        "gen_ai.response.model": "m-2026",
        "gen_ai.usage.input_tokens": 5,
        "gen_ai.usage.output_tokens": 2,
        "gen_ai.usage.reasoning_tokens": 1,
        "gen_ai.request.stop_sequences": ["x"],
        "gen_ai.request.choice.count": 1,
        "traceloop.association.properties.tenant": "t",
    }
    score = {
        "gen_ai.evaluation.name": "relevance",
        "gen_ai.evaluation.score.value": 0.5,
        "gen_ai.evaluation.score.label": "meh",
    }
    trace = one(envelope(span(held, events=[("gen_ai.evaluation.result", score)])))
    assert trace.usage == Usage(input_tokens=5, output_tokens=2, reasoning_tokens=1)
    assert trace.thread_id == "conv-1"
    assert (trace.model, trace.response_model) == ("m", "m-2026")
    assert trace.params == {"stop": ["x"], "n": 1}
    assert (trace.scores[0].name, trace.scores[0].value) == ("relevance", 0.5)
    assert trace.started_at.isoformat() == "2023-11-14T22:13:20+00:00"
    assert trace.latency_ms == 1500
    assert trace.metadata == {"tenant": "t"}


# What is lost -----------------------------------------------------------------------------------


def test_spans_without_content_are_reported_and_nothing_is_made_up():
    hidden = [
        ("gen_ai.user.message", {"gen_ai.system": "openai"}),
        ("gen_ai.choice", {"index": 0, "finish_reason": "stop", "message": '{"role":"assistant"}'}),
    ]
    for document in (envelope(span(CHAT)), envelope(span(CHAT, events=hidden))):
        (loss,) = read(document)
        assert loss.code == "no_content"


def test_a_conversation_recorded_without_its_content_is_none():
    # What is written with the recording of content off: names of tools, ids, and nothing else.
    calls = [{"id": "c1", "type": "function", "function": {"name": "weather"}}]
    hidden = [
        log("gen_ai.user.message"),
        log("gen_ai.assistant.message", {"tool_calls": calls}),
        log("gen_ai.tool.message", {"id": "c1"}),
        log(
            "gen_ai.choice", {"index": 0, "finish_reason": "stop", "message": {"role": "assistant"}}
        ),
    ]
    (loss,) = read(envelope(span(CHAT), logs=hidden))
    assert loss.code == "no_content"


@pytest.mark.parametrize(
    ("held", "code"),
    [
        ({"gen_ai.operation.name": "embeddings", "gen_ai.request.model": "e"}, "unsupported_call"),
        (CHAT | {"gen_ai.output.messages": OUTPUT}, "no_request"),
        (CHAT | {"gen_ai.input.messages": '[{"role": "user", "par'}, "undecodable"),
        (CHAT | {"gen_ai.input.messages": [{"parts": []}]}, "undecodable"),
        (CHAT | {"gen_ai.input.messages": PARTS, "error.type": "timeout"}, "failed_call"),
        ({k: v for k, v in FLAT.items() if ".1." not in k}, "undecodable"),
    ],
)
def test_losses(held, code):
    (loss,) = read(envelope(span(held)))
    assert isinstance(loss, TraceLoss)
    assert (loss.code, loss.span_id) == (code, "b7ad6b7169203331")
    assert "line 1, span b7ad6b7169203331" in loss.location


def test_a_flat_conversation_of_which_attributes_were_dropped_is_not_trusted():
    (loss,) = read(envelope(span(FLAT, droppedAttributesCount=3)))
    assert loss.code == "undecodable"
    assert "3 of its attributes were dropped" in loss.message


@pytest.mark.parametrize(
    "held",
    [
        {"gen_ai.operation.name": "invoke_agent", "gen_ai.input.messages": PARTS},
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "weather"},
        {"traceloop.span.kind": "workflow"},
        {"http.request.method": "POST"},
    ],
)
def test_spans_that_are_no_model_call_are_counted_only(held):
    assert read(envelope(span(held))) == [OtherSpan()]


def test_spans_of_one_id_in_different_traces_keep_apart():
    first = span(CHAT)
    second = span(CHAT) | {"traceId": "1" * 32}
    logs = [log(name, body) for name, body in BODIES]
    other = [record | {"traceId": "1" * 32} for record in logs[1:2]]
    a, b = read(envelope(first, second), envelope(logs=other + logs))
    assert len(a.messages) == 4
    assert len(b.messages) == 1


def test_scores_join_their_span_and_are_no_call_by_themselves():
    score = log("gen_ai.evaluation.result", None, {"gen_ai.evaluation.name": "good"})
    assert read(envelope(logs=[score])) == []
    assert read(envelope(logs=[score | {"spanId": ""}])) == []
    trace = one(envelope(logs=[score]), *structured())
    assert [found.name for found in trace.scores] == ["good"]


def test_log_records_of_an_openinference_span_are_no_second_call():
    held = {
        "openinference.span.kind": "LLM",
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "Hello?",
    }
    logs = envelope(logs=[log(name, body) for name, body in BODIES])
    assert one(logs, envelope(span(held)), logs).format == "openinference"


def test_a_self_contained_log_record_needs_no_span():
    content = CHAT | {"gen_ai.input.messages": PARTS, "gen_ai.output.messages": OUTPUT}
    record = log("gen_ai.client.inference.operation.details", None, content)
    trace = one(envelope(logs=[record | {"spanId": "", "traceId": ""}]))
    assert (trace.model, trace.span_id, trace.location) == ("m", None, "line 1")
    (loss,) = read(
        envelope(logs=[log(record["eventName"], None, {"gen_ai.operation.name": "embeddings"})])
    )
    assert loss.code == "unsupported_call"


# Values -----------------------------------------------------------------------------------------

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(values)
def test_values_come_back_from_otlp(value):
    wire = json.loads(json.dumps(any_value(value)))
    assert otlp.decode_value(wire) == value


@given(st.dictionaries(st.sampled_from([*CHAT, *CONTENT, "events", "gen_ai.prompt.0.content",
       "gen_ai.prompt.0.tool_calls.0.name", "gen_ai.completion.0", "gen_ai.system_instructions",
       "gen_ai.response.finish_reasons", "gen_ai.usage.input_tokens", "error.type",
       "openinference.span.kind", "llm.input_messages.0.message.content", "llm.tools",
       "llm.output_messages", "input.value", "llm.invocation_parameters"]), values))  # fmt: skip
def test_no_value_of_an_attribute_stops_the_reading(held):
    assert len(read(envelope(span(CHAT | held)))) >= 1


@given(
    st.sampled_from([*dict(BODIES), "gen_ai.content.prompt", "gen_ai.evaluation.result"]),
    st.dictionaries(
        st.sampled_from(["content", "tool_calls", "message", "index", "role", "id", "name",
                         "gen_ai.prompt", "gen_ai.event.content", "finish_reason"]),
        values | values.map(json.dumps),
    ),
)  # fmt: skip
def test_no_value_of_an_event_stops_the_reading(name, held):
    asked = {"gen_ai.prompt.0.content": "Hello?"}
    assert len(read(envelope(span(CHAT | asked, events=[(name, held)])))) >= 1
    assert len(read(envelope(span(CHAT)), envelope(logs=[log(name, held)]))) >= 1


@given(st.binary(min_size=8, max_size=8), st.binary(min_size=16, max_size=16))
def test_ids_are_hex_however_they_are_written(span_id, trace_id):
    for encode in (bytes.hex, lambda b: b.hex().upper(), lambda b: base64.b64encode(b).decode()):
        raw = {"spanId": encode(span_id), "traceId": encode(trace_id), "attributes": []}
        (read_back,) = otlp.read(Document("x", raw))
        assert read_back.span_id == (span_id.hex() if any(span_id) else None)
        assert read_back.trace_id == (trace_id.hex() if any(trace_id) else None)


@pytest.mark.parametrize("value", [None, [], {}, {"resourceSpans": 3}, {"resourceSpans": [1, {}]}])
def test_broken_envelopes_hold_nothing(value):
    assert read(value) == []
