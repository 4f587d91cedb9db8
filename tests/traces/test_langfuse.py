"""The oracle is what Langfuse itself reads as chat messages; deviations are listed one by one."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rft_widgets.model.trace import Score, Trace, TraceLoss
from rft_widgets.traces import langfuse
from rft_widgets.traces.reader import Document, OtherSpan

COUNTS = {
    # name: (traces, losses by code, other spans)
    "agno-2025-06-11": (2, {"undecodable": 2}, 2),
    "claude-agent-2025-12-22": (1, {"no_request": 3}, 3),
    "google-adk-2025-08-28": (2, {}, 3),
    "langgraph-python-2025-08-22": (2, {}, 7),
    "llamaindex-2025-06-05": (1, {}, 1),
    "openai-agents-2025-09-30": (2, {}, 3),
    "pydantic-ai-tools-2025-12-04": (4, {}, 8),
    "vercel-aisdk-2025-11-17": (1, {}, 2),
}

LANGFUSE_READS_NO_INPUT = {
    # Messages logged as the str() of Python objects; Langfuse shows the tools and no message.
    "b38a82eaa62b551e": ["system", "user", "assistant", "tool"],
    "ca136de468e156c9": ["system", "user"],
    # One message that is not in a list.
    "e9aac170e5d48125": ["user"],
    # {"args": ["What is Langfuse?"]}
    "7ca8b22f6628d0c7": ["user"],
}

LANGFUSE_READS_NO_OUTPUT = {"7ca8b22f6628d0c7"}  # plain text

LANGFUSE_LEAVES_OUT_THE_INSTRUCTIONS = {"90d94774e8e3724d", "98870087af69bf06"}

LANGFUSE_CALLS_A_TOOL_RESULT_USER = {("bded677884f031ce", 3)}


def load(data, name, kind="trace"):
    return json.loads((data / "traces" / "langfuse" / f"{name}.{kind}.json").read_text("utf-8"))


def read(*values):
    return list(langfuse.read(Document(f"line {i}", v) for i, v in enumerate(values, 1)))


def traces(readings):
    return {r.span_id: r for r in readings if isinstance(r, Trace)}


def counts(readings):
    codes = Counter(r.code for r in readings if isinstance(r, TraceLoss))
    others = sum(isinstance(r, OtherSpan) for r in readings)
    return len(traces(readings)), dict(codes), others


def of_ours(message):
    calls = [(c.function.name, json.loads(c.function.arguments)) for c in message.tool_calls]
    return message.role, message.text, calls


def of_oracle(message):
    content = message.get("content") or ""
    calls = [(c["name"], json.loads(c["arguments"])) for c in message.get("tool_calls", [])]
    if isinstance(content, list):  # Anthropic's blocks, left as they are
        calls += [(b["name"], b["input"]) for b in content if b["type"] == "tool_use"]
        content = "\n".join(b["text"] for b in content if b["type"] == "text")
    role = {"model": "assistant"}.get(message["role"], message["role"])
    return role, content, calls


@pytest.mark.parametrize("name", COUNTS)
def test_counts_of_each_framework(data, name):
    document = load(data, name)
    assert langfuse.matches(document)
    readings = read(document)
    assert counts(readings) == COUNTS[name]
    assert len(readings) == len(document["observations"])


@pytest.mark.parametrize("name", COUNTS)
def test_inputs_are_what_langfuse_reads(data, name):
    oracle = load(data, name, "chatml")
    for span_id, trace in traces(read(load(data, name))).items():
        if span_id in LANGFUSE_READS_NO_INPUT:
            assert [m.role for m in trace.messages] == LANGFUSE_READS_NO_INPUT[span_id]
            continue
        assert oracle[span_id]["input"]["success"]
        expected = [of_oracle(m) for m in oracle[span_id]["input"]["data"]]
        for i in range(len(expected)):
            if (span_id, i) in LANGFUSE_CALLS_A_TOOL_RESULT_USER:
                expected[i] = ("tool", *expected[i][1:])
        messages = trace.messages
        if span_id in LANGFUSE_LEAVES_OUT_THE_INSTRUCTIONS:
            assert of_ours(messages[0]) == ("system", "You are a helpful agent.", [])
            messages = messages[1:]
        assert [of_ours(m) for m in messages] == expected


@pytest.mark.parametrize("name", COUNTS)
def test_outputs_are_what_langfuse_reads(data, name):
    oracle = load(data, name, "chatml")
    document = load(data, name)
    logged = {o["id"]: o["output"] for o in document["observations"]}
    for span_id, trace in traces(read(document)).items():
        (choice,) = trace.choices
        if span_id in LANGFUSE_READS_NO_OUTPUT:
            assert of_ours(choice.message) == ("assistant", logged[span_id], [])
            continue
        (expected,) = oracle[span_id]["output"]["data"]
        assert of_ours(choice.message) == of_oracle(expected)


@pytest.mark.parametrize("name", COUNTS)
def test_ids_of_tool_calls_and_results_are_what_langfuse_reads(data, name):
    oracle = load(data, name, "chatml")
    compared = 0
    for span_id, trace in traces(read(load(data, name))).items():
        both = [(trace.messages, "input"), ([c.message for c in trace.choices], "output")]
        for messages, side in both:
            theirs = oracle[span_id][side].get("data", [])
            ids = [c["id"] for m in theirs for c in m.get("tool_calls", ()) if c["id"]]
            results = [m["tool_call_id"] for m in theirs if m.get("tool_call_id")]
            if ids or results:
                assert [c.id for m in messages for c in m.tool_calls] == ids
                assert [m.tool_call_id for m in messages if m.role == "tool"] == results
                compared += len(ids) + len(results)
    expected = {"langgraph-python-2025-08-22": 3, "openai-agents-2025-09-30": 3,
                "pydantic-ai-tools-2025-12-04": 16, "vercel-aisdk-2025-11-17": 1,
                "agno-2025-06-11": 1}  # fmt: skip
    assert compared == expected.get(name, 0)


def test_tools_are_those_that_langfuse_reads(data):
    # Where it reads none and there are some, ours are from the place named here.
    beyond = {
        "90d94774e8e3724d": ["get_weather"],  # Langfuse has them with the output
        "98870087af69bf06": ["get_weather"],
        "eb0cc14cf7943ad5": ["final_result"],  # Pydantic AI's tool for the final answer
    }
    for name in COUNTS:
        oracle = load(data, name, "chatml")
        for span_id, trace in traces(read(load(data, name))).items():
            theirs = oracle[span_id]["input"].get("data") or [{}]
            names = [tool["name"] for tool in theirs[0].get("tools", ())]
            assert [t.function.name for t in trace.tools] == beyond.get(span_id, names)
            for tool, expected in zip(trace.tools, theirs[0].get("tools", ()), strict=False):
                if "parameters" in expected:
                    assert tool.function.parameters == expected["parameters"]


def test_messages_logged_as_python_objects_are_whole(data):
    trace = traces(read(load(data, "agno-2025-06-11")))["b38a82eaa62b551e"]
    _, user, assistant, tool = trace.messages
    assert user.content == "What is currently trending on Twitter?"
    (call,) = assistant.tool_calls
    assert (call.id, call.function.name) == ("call_VybxG748CQId8Xxo6wb2pWy1", "duckduckgo_search")
    assert json.loads(call.function.arguments) == {"query": "currently trending on Twitter"}
    assert tool.tool_call_id == call.id
    assert json.loads(tool.content)[0]["title"] == "Twitter. It's what's happening / Twitter"
    # The answer of the call before is this very tool call.
    before = traces(read(load(data, "agno-2025-06-11")))["ca136de468e156c9"]
    assert before.choices[0].message.tool_calls == assistant.tool_calls


def test_a_second_record_flattened_to_text_is_no_second_trace(data):
    losses = [r for r in read(load(data, "agno-2025-06-11")) if isinstance(r, TraceLoss)]
    assert [loss.span_id for loss in losses] == ["fc7f61b57ecebbaf", "1f883bb9668167c0"]
    assert all("flattened" in loss.message for loss in losses)


def test_an_exporter_that_lost_the_input_gives_losses(data):
    # LangSmith's exporter wrote {"content": "role"} for every turn but the first.
    losses = [r for r in read(load(data, "claude-agent-2025-12-22")) if isinstance(r, TraceLoss)]
    assert {loss.span_id for loss in losses} == {
        "371496f71d82baed", "f8e8f040dc94e67e", "2cc13e77781787fd",
    }  # fmt: skip


def test_the_outer_observation_of_the_vercel_sdk_counts_once(data):
    document = load(data, "vercel-aisdk-2025-11-17")
    oracle = load(data, "vercel-aisdk-2025-11-17", "chatml")
    outer, inner = "1dc6768109615657", "91a17a2274bfd23f"
    (trace,) = traces(read(document)).values()
    assert trace.span_id == inner
    # Nothing is lost with the outer one: its answer is that of the inner one.
    (answer,) = oracle[outer]["output"]["data"]
    assert of_ours(trace.choices[0].message) == of_oracle(answer)
    # In either order, and on its own where the inner one was not exported.
    reverse = document | {"observations": document["observations"][::-1]}
    assert list(traces(read(reverse))) == [inner]
    alone = [o for o in document["observations"] if o["id"] == outer]
    (trace,) = traces(read(document | {"observations": alone})).values()
    assert of_ours(trace.messages[0]) == (
        "user", "What is the weather like today in San Francisco?", [],
    )  # fmt: skip


def test_scores_of_the_trace_and_of_the_observation(data):
    document = load(data, "claude-agent-2025-12-22")
    (trace,) = traces(read(document)).values()
    assert [(s.name, s.value) for s in trace.scores] == [
        ("correctness", 0.0), ("hallucination", 1.0), ("toxicity", 0.0),
    ]  # fmt: skip
    document["trace"]["scores"] = [
        {"name": "mine", "value": None, "stringValue": "good", "observationId": trace.span_id},
        {"name": "other", "value": 1, "observationId": "another"},
        {"name": "all", "value": 1, "observationId": None, "comment": "fine"},
    ]
    (trace,) = traces(read(document)).values()
    assert trace.scores == (
        Score(name="mine", label="good"), Score(name="all", value=1.0, comment="fine"),
    )  # fmt: skip


def test_what_surrounds_the_messages(data):
    trace = traces(read(load(data, "pydantic-ai-tools-2025-12-04")))["00d2804abb764b1b"]
    assert (trace.model, trace.response_model) == ("gpt-4o-mini", "gpt-4o-mini-2024-07-18")
    assert (trace.provider, trace.params) == ("openai", {"temperature": 0.7})
    assert trace.latency_ms == 1707  # its "latency" is in milliseconds, the others' in seconds
    assert trace.usage.total_tokens == 470
    assert trace.cost_usd == pytest.approx(9.435e-05)
    assert trace.choices[0].finish_reason == "stop"
    assert trace.parent_span_id == "5b5c52d029f28206"
    assert trace.started_at.isoformat() == "2025-12-04T14:51:24.423000+00:00"
    assert traces(read(load(data, "llamaindex-2025-06-05"))).popitem()[1].thread_id == "session_abc"


def test_usage_is_the_providers_own_count(data):
    found = traces(read(load(data, "agno-2025-06-11")))
    usage = found["b38a82eaa62b551e"].usage
    # Langfuse counted 1,568 and 423 tokens of the logged text, and computed the cost from them.
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (663, 225, 888)
    assert found["b38a82eaa62b551e"].cost_usd is None


def test_finish_reasons(data):
    found = {
        span_id: trace.choices[0].finish_reason
        for name in COUNTS
        for span_id, trace in traces(read(load(data, name))).items()
    }
    assert Counter(found.values()) == {"stop": 5, "tool_calls": 6, None: 4}
    assert {key for key, reason in found.items() if reason is None} == {
        "e9aac170e5d48125", "4f6535aaebcda355", "5ba09605e0929d78", "7ca8b22f6628d0c7",
    }  # fmt: skip


# Other forms of export --------------------------------------------------------------------------

SNAKE = {
    "traceId": "trace_id", "parentObservationId": "parent_observation_id",
    "startTime": "start_time", "endTime": "end_time", "model": "provided_model_name",
    "modelParameters": "model_parameters", "usageDetails": "usage_details",
    "costDetails": "cost_details", "totalCost": "total_cost", "toolDefinitions": "tool_definitions",
}  # fmt: skip


SAME_IN_BOTH = (
    "messages", "choices", "tools", "tool_choice", "started_at", "latency_ms", "model", "usage",
    "cost_usd", "params", "trace_id", "parent_span_id",
)  # fmt: skip


def blob_row(observation):
    """The observation as the blob export has it: snake case, input and output as text."""
    row = {SNAKE.get(key, key): value for key, value in observation.items()}
    for key in ("input", "output"):
        if row[key] is not None and not isinstance(row[key], str):
            row[key] = json.dumps(row[key])
    row["model_parameters"] = json.dumps(row["model_parameters"])
    for key in ("start_time", "end_time"):
        row[key] = row[key].replace("T", " ").replace("Z", "000")
    return row


@pytest.mark.parametrize("name", COUNTS)
def test_blob_rows_read_the_same(data, name):
    document = load(data, name)
    rows = [blob_row(o) for o in document["observations"]]
    assert all(langfuse.matches(row) for row in rows)
    one, other = traces(read(*rows)), traces(read(document))
    assert counts(read(*rows)) == COUNTS[name]
    for span_id, trace in one.items():
        for field in SAME_IN_BOTH:
            assert getattr(trace, field) == getattr(other[span_id], field), field


@pytest.mark.parametrize("name", COUNTS)
def test_lists_and_pages_of_observations_read_the_same(data, name):
    observations = load(data, name)["observations"]
    for value in (observations, {"data": observations, "meta": {"page": 1}}):
        assert langfuse.matches(value)
        assert counts(read(value)) == COUNTS[name]
    assert counts(read(*observations)) == COUNTS[name]


def generation(**fields):
    row = {"id": "o1", "traceId": "t1", "type": "GENERATION", "name": "chat", "level": "DEFAULT"}
    return row | fields


CHAT = [{"role": "user", "content": "Say hi."}]


def one(**fields):
    (reading,) = read(generation(**fields))
    return reading


def test_failed_calls_and_embeddings_are_losses():
    loss = one(input=CHAT, level="ERROR", statusMessage="rate limited")
    assert (loss.code, loss.span_id) == ("failed_call", "o1")
    assert "rate limited" in loss.message
    assert one(input="text", type="EMBEDDING").code == "unsupported_call"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "no_content"),
        ({"input": None, "output": ""}, "no_content"),
        ({"output": "hi"}, "no_request"),
        ({"input": {"city": "Berlin"}, "output": "hi"}, "no_request"),
        ({"input": [1, 2], "output": "hi"}, "undecodable"),
        ({"input": ["one", "two"], "output": "hi"}, "undecodable"),
        ({"input": [{"content": "hi"}], "output": "hi"}, "undecodable"),
        ({"input": [{"role": "user", "content": [3]}], "output": "hi"}, "undecodable"),
        ({"input": CHAT, "output": {"choices": [3]}}, "undecodable"),
    ],
)
def test_what_cannot_be_read(fields, code):
    assert one(**fields).code == code


def test_an_answer_in_json_is_the_text_that_was_logged():
    text = '{ "joke": "none" }'
    assert one(input=CHAT, output=text).choices[0].message.content == text
    assert one(input=CHAT, output={"joke": 1}).choices[0].message.content == '{"joke":1}'
    assert one(input=CHAT, output="[]").choices[0].message.content == "[]"
    assert one(input=CHAT, output=json.dumps(text)).choices[0].message.content == text
    assert one(input=CHAT, output='"Quoted."').choices[0].message.content == '"Quoted."'
    assert one(input='"Quoted?"').messages[0].content == '"Quoted?"'
    assert one(input=json.dumps(json.dumps(CHAT))).messages[0].content == "Say hi."
    assert one(input=CHAT).choices == ()


def test_langchain_objects():
    asked = [
        {"type": "system", "content": "Be kind."},
        {"lc": 1, "type": "constructor", "id": ["HumanMessage"],
         "kwargs": {"type": "human", "content": "Weather?"}},
        {"type": "ai", "content": "", "tool_calls": [
            {"name": "weather", "args": {"city": "Rome"}, "id": "c1", "type": "tool_call"}]},
        {"type": "tool", "content": "sunny", "tool_call_id": "c1", "name": "weather"},
    ]  # fmt: skip
    answer = {"generations": [[{"text": "Sunny.", "generation_info": {"finish_reason": "stop"},
                                "message": {"type": "ai", "content": "Sunny."}}]]}  # fmt: skip
    trace = one(input={"messages": [asked]}, output=answer)
    assert [of_ours(m) for m in trace.messages] == [
        ("system", "Be kind.", []),
        ("user", "Weather?", []),
        ("assistant", "", [("weather", {"city": "Rome"})]),
        ("tool", "sunny", []),
    ]
    assert of_ours(trace.choices[0].message) == ("assistant", "Sunny.", [])
    assert trace.choices[0].finish_reason == "stop"


def test_vercel_parts():
    asked = [
        {"role": "assistant", "content": [
            {"type": "tool-call", "toolCallId": "c1", "toolName": "weather", "input": {"at": 1}}]},
        {"role": "tool", "content": [
            {"type": "tool-result", "toolCallId": "c1", "toolName": "weather",
             "output": {"type": "json", "value": {"temp": 64}}},
            {"type": "tool-result", "toolCallId": "c2", "toolName": "time",
             "output": {"type": "text", "value": "noon"}}]},
    ]  # fmt: skip
    trace = one(input={"system": "Be brief.", "messages": asked}, output="64 at noon")
    assert [(m.role, m.text, m.tool_call_id) for m in trace.messages] == [
        ("system", "Be brief.", None),
        ("assistant", "", None),
        ("tool", '{"temp":64}', "c1"),
        ("tool", "noon", "c2"),
    ]
    assert trace.messages[1].tool_calls[0].function.arguments == '{"at":1}'


def test_media_that_langfuse_keeps_elsewhere_is_a_partial_loss():
    token = "@@@langfuseMedia:type=image/png|id=cc48838a|source=base64_data_uri@@@"
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": token}},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
    ]
    loss, trace = read(generation(input=[{"role": "user", "content": parts}], output="A cat."))
    assert (loss.code, loss.span_id) == ("image_without_data", trace.span_id)
    assert trace.messages[0].content == (parts[0], parts[2])


def test_values_that_are_no_observations():
    assert not langfuse.matches({"type": "GENERATION"})
    assert not langfuse.matches([])
    assert not langfuse.matches({"observations": [{"id": 1}]})
    assert [r.code for r in read([generation(input=CHAT), 3], "text")[1:]] == ["undecodable"] * 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([
                "role", "content", "parts", "type", "text", "messages", "input", "output",
                "choices", "message", "tool_calls", "function", "name", "arguments", "contents",
                "args", "kwargs", "prompt", "candidates", "generations", "status", "usage", "lc",
                "toolCallId", "toolCalls", "function_call", "image_url", "source", "data",
            ]),
            inner | st.sampled_from(["user", "assistant", "tool", "text", "tool_use", "message",
                                     "function_call", "image", "role='user' content="]),
            max_size=4,
        )
    ),
    max_leaves=12,
)  # fmt: skip


@given(JSON, JSON, JSON, JSON)
def test_whatever_is_logged_comes_out_as_one_reading(asked, answered, metadata, other):
    row = generation(
        input=asked, output=answered, metadata=metadata, usageDetails=other, modelParameters=other,
        costDetails=other, startTime=other, scores=other, toolDefinitions=other,
    )  # fmt: skip
    readings = read(row)
    assert len([r for r in readings if getattr(r, "code", "") != "image_without_data"]) == 1


@given(st.text() | st.text(alphabet="[]{}\"\\:,'rolecntu= "))
def test_whatever_text_is_logged_comes_out_as_one_reading(text):
    assert len(read(generation(input=text, output=text, metadata=text))) == 1
    assert len(read(generation(input={"messages": [f"role='user' content={text}"]}))) == 1
