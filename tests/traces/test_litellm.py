"""Rows that LiteLLM logged of replayed calls, against the recorded HTTP bodies of these calls."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rft_widgets.model.trace import Trace, TraceLoss
from rft_widgets.traces import litellm
from rft_widgets.traces.reader import Document, OtherSpan

WITHOUT_ITS_IMAGE = "chatcmpl-DD5NGORnZMBvNcrsPL7NGPTQ6i3Qq"
"""LiteLLM left ``[base64_data truncated: 72B]`` of the image of this row."""

NAMED_DIFFERENTLY = {"88fa668fac30bb19-MXP": ("eos", "stop")}
"""Finish reasons that LiteLLM itself translated before it logged them."""


def lines(data, name):
    with (data / "traces" / name).open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@pytest.fixture(scope="module")
def rows(data):
    return lines(data, "litellm_1.106_standard_logging.jsonl")


@pytest.fixture(scope="module")
def oracle(data):
    return {row["id"]: row for row in lines(data, "oracle.litellm_1.106.jsonl")}


@pytest.fixture(scope="module")
def readings(rows):
    return read(*rows)


def read(*values):
    return list(litellm.read(Document(f"line {i}", v) for i, v in enumerate(values, 1)))


def of_trace(readings):
    return {r.span_id: r for r in readings if isinstance(r, Trace)}


def calls_of(message):
    """Tool calls of a message of the oracle: id, name, arguments; the old form has no id."""
    calls = [
        (c["id"], c["function"]["name"], c["function"]["arguments"])
        for c in message.get("tool_calls") or ()
    ]
    old = message.get("function_call")
    return [*calls, (None, old["name"], old["arguments"])] if old else calls


def of_oracle(message):
    return (
        message["role"],
        message.get("content"),
        message.get("name"),
        message.get("tool_call_id"),
        calls_of(message),
    )


def of_ours(message):
    content = list(message.content) if isinstance(message.content, tuple) else message.content
    calls = [(c.id, c.function.name, c.function.arguments) for c in message.tool_calls]
    return message.role, content, message.name, message.tool_call_id, calls


def test_every_row_comes_out_once(rows, oracle, readings):
    assert all(litellm.matches(row) for row in rows)
    assert len(rows) == 200
    codes = Counter(r.code for r in readings if isinstance(r, TraceLoss))
    assert codes == {"failed_call": 92, "image_without_data": 1}
    succeeded = {key for key, row in oracle.items() if row["client_error"] is None}
    assert len(succeeded) == 108
    assert of_trace(readings).keys() == succeeded
    failed = [r.span_id for r in readings if getattr(r, "code", "") == "failed_call"]
    assert len(set(failed)) == 92
    assert not set(failed) & succeeded


def test_messages_are_those_of_the_request(oracle, readings):
    compared = 0
    for span_id, trace in of_trace(readings).items():
        expected = [of_oracle(m) for m in oracle[span_id]["request"]["messages"]]
        if span_id == WITHOUT_ITS_IMAGE:
            role, content, *rest = expected[0]
            expected[0] = (role, content[0]["text"], *rest)
        assert [of_ours(m) for m in trace.messages] == expected
        compared += len(expected)
    assert compared == 183


def test_answers_are_those_of_the_response(oracle, readings):
    compared = 0
    for span_id, trace in of_trace(readings).items():
        raw = oracle[span_id]["response_raw"]
        if raw is None:
            assert oracle[span_id]["stream"]
            continue
        expected = []
        for choice in raw["choices"]:
            reason = choice["finish_reason"]
            if span_id in NAMED_DIFFERENTLY:
                assert reason == NAMED_DIFFERENTLY[span_id][0]
                reason = NAMED_DIFFERENTLY[span_id][1]
            expected.append((of_oracle(choice["message"]), reason))
        found = [(of_ours(c.message), c.finish_reason) for c in trace.choices]
        assert found == expected
        refusals = [c["message"].get("refusal") for c in raw["choices"]]
        assert [c.message.extra.get("refusal") for c in trace.choices] == refusals
        compared += len(expected)
    assert compared == 92


def test_streamed_answers_are_those_of_the_same_recordings(data, oracle, readings):
    # The oracle of these rows holds no body of a stream; that of the same recordings elsewhere
    # does, and tells recordings of several calls apart by the request.
    recorded = {}
    for row in lines(data, "oracle.openllmetry_0.62.jsonl"):
        key = (row["cassette"], json.dumps(row["request"]["messages"]))
        recorded.setdefault(key, []).append(row["expected_choices"])
    streamed = compared = 0
    for span_id, trace in of_trace(readings).items():
        row = oracle[span_id]
        if not row["stream"]:
            continue
        streamed += 1
        (choice,) = trace.choices
        assert choice.finish_reason in ("stop", "length")
        found = recorded.get((row["cassette"], json.dumps(row["request"]["messages"])), [])
        texts = {c[0]["content"] for c in found if c}
        if texts:
            assert choice.message.content in texts
            compared += 1
    assert (streamed, compared) == (17, 17)


def test_models_and_tools_are_those_of_the_request(oracle, readings):
    offered = 0
    for span_id, trace in of_trace(readings).items():
        request = oracle[span_id]["request"]
        assert trace.model == request["model"]
        functions = [t["function"] for t in request.get("tools") or ()]
        functions += request.get("functions", [])
        assert [t.function.name for t in trace.tools] == [f["name"] for f in functions]
        assert [t.function.parameters for t in trace.tools] == [f["parameters"] for f in functions]
        offered += len(functions)
        for key in ("temperature", "max_tokens", "top_p", "n", "response_format"):
            if trace.params.get(key) is not None:
                assert trace.params[key] == request[key]
    assert offered == 4


def test_failures_say_what_went_wrong(rows, readings):
    said = {row["id"]: row["error_str"] for row in rows if row["status"] == "failure"}
    for loss in readings:
        if getattr(loss, "code", "") == "failed_call":
            assert said[loss.span_id] in loss.message


def test_a_cut_image_is_lost_and_its_trace_stays(readings):
    i = next(i for i, r in enumerate(readings) if getattr(r, "code", "") == "image_without_data")
    assert readings[i].span_id == readings[i + 1].span_id == WITHOUT_ITS_IMAGE
    assert isinstance(readings[i + 1], Trace)


def test_what_surrounds_the_messages(rows, readings):
    trace, row = readings[0], rows[0]
    assert trace.trace_id == row["trace_id"]
    assert (trace.span_id, trace.thread_id) == (row["id"], None)
    assert (trace.provider, trace.response_model) == ("openai", "gpt-4o-mini-2024-07-18")
    assert trace.started_at.timestamp() == pytest.approx(row["startTime"])
    assert trace.latency_ms == pytest.approx(1782.839)
    assert (trace.usage.input_tokens, trace.usage.output_tokens) == (23, 7)
    assert (trace.usage.reasoning_tokens, trace.usage.cached_tokens) == (0, 0)
    assert trace.cost_usd == 7.65e-06
    assert trace.metadata == {"call_type": "completion", "request_tags": ["replay"]}


def test_a_cost_without_a_price_is_unknown(rows, readings):
    unpriced = {r["id"] for r in rows if r["response_cost_failure_debug_info"]}
    found = of_trace(readings)
    assert len(unpriced & found.keys()) == 19
    assert all((found[key].cost_usd is None) == (key in unpriced) for key in found)


# Spend logs -------------------------------------------------------------------------------------

ANSWER = {
    "id": "chatcmpl-1",
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hi."}}
    ],
}
ASKED = [{"role": "user", "content": "Say hi."}]
TOOL = {"type": "function", "function": {"name": "wave", "parameters": {"type": "object"}}}


def spend(**fields):
    row = {
        "request_id": "r1", "call_type": "acompletion", "spend": 0.5, "total_tokens": 7,
        "prompt_tokens": 5, "completion_tokens": 2, "startTime": "2026-01-05T10:00:00Z",
        "endTime": "2026-01-05T10:00:01.500Z", "model": "gpt-4o-mini", "session_id": "s1",
        "custom_llm_provider": "openai", "status": "success", "messages": {},
        "metadata": {"user_api_key_alias": "mine"}, "response": {},
        "proxy_server_request": {}, "end_user": "",
    }  # fmt: skip
    return row | fields


def one(**fields):
    row = spend(**fields)
    assert litellm.matches(row)
    (reading,) = read(row)
    return reading


def test_spend_logs_with_the_whole_request():
    body = {"model": "alias", "messages": ASKED, "tools": [TOOL], "tool_choice": "auto",
            "temperature": 0.3, "litellm_metadata": {"x": 1}}  # fmt: skip
    for value in (body, {"body": body, "headers": {}}, json.dumps(body)):
        trace = one(proxy_server_request=value, response=json.dumps(ANSWER))
        assert [of_ours(m) for m in trace.messages] == [("user", "Say hi.", None, None, [])]
        assert trace.choices[0].message.content == "Hi."
        assert [t.function.name for t in trace.tools] == ["wave"]
        assert (trace.tool_choice, trace.params) == ("auto", {"temperature": 0.3})
        assert (trace.model, trace.thread_id, trace.span_id) == ("gpt-4o-mini", "s1", "r1")
        assert (trace.cost_usd, trace.usage.total_tokens) == (0.5, 7)
        assert trace.latency_ms == 1500
        assert trace.metadata == {"call_type": "acompletion", "key_alias": "mine"}


def test_spend_logs_by_page_and_by_list():
    rows = [spend(messages=ASKED, response=ANSWER), spend(request_id="r2")]
    for value in (rows, {"data": rows, "total": 2, "page": 1}):
        assert litellm.matches(value)
        trace, loss = read(value)
        assert (trace.span_id, loss.span_id) == ("r1", "r2")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "no_content"),
        ({"messages": "{}", "response": "{}", "proxy_server_request": "{}"}, "no_content"),
        ({"response": ANSWER}, "no_request"),
        ({"status": "failure", "messages": ASKED, "error_str": "no key"}, "failed_call"),
        ({"status": None, "metadata": {"status": "failure"}}, "failed_call"),
        ({"call_type": "aembedding", "messages": ASKED}, "unsupported_call"),
        ({"call_type": "atext_completion", "messages": ASKED}, "unsupported_call"),
        ({"call_type": "aimage_generation", "messages": ASKED}, "unsupported_call"),
        ({"call_type": "pass_through_endpoint", "messages": ASKED}, "unsupported_call"),
        ({"messages": [3]}, "undecodable"),
        ({"messages": [{"role": 3}]}, "undecodable"),
        ({"messages": ASKED, "response": {"choices": 3}}, "undecodable"),
        ({"messages": ASKED, "response": "no JSON"}, "undecodable"),
    ],
)
def test_what_is_no_trace(fields, code):
    assert one(**fields).code == code


def test_redacted_rows_hold_no_content():
    redacted = [{"role": "user", "content": "redacted-by-litellm"}]
    answer = {"choices": [{"message": {"role": "assistant", "content": "redacted-by-litellm"}}]}
    assert one(messages=redacted, response={"text": "redacted-by-litellm"}).code == "no_content"
    assert one(messages=redacted, response=answer).code == "no_content"
    assert one(messages=ASKED, response=answer).code == "no_content"


@pytest.mark.parametrize(
    "text",
    [
        "You are Cla... (litellm_truncated 12982 chars)",
        "a long tex... (litellm_truncated skipped 400 chars) ...its end",
        "Once upon a time...truncated by litellm, this logger does not support large content",
        "[truncated by litellm]...end of it",
    ],
)
def test_rows_that_were_cut_to_be_stored_are_losses(text):
    assert one(messages=[{"role": "user", "content": text}], response=ANSWER).code == "undecodable"
    tool = {"type": "function", "function": {"name": "f", "description": text}}
    params = {"tools": [tool]}
    assert one(messages=ASKED, response=ANSWER, model_parameters=params).code == "undecodable"


def test_other_types_of_calls_that_are_chats():
    anthropic = {
        "id": "m1",
        "type": "message",
        "role": "assistant",
        "stop_reason": "tool_use",
        "content": [{"type": "tool_use", "id": "t1", "name": "wave", "input": {"n": 1}}],
    }
    trace = one(call_type="anthropic_messages", messages=ASKED, response=anthropic,
                model_parameters={"system": "Be kind.", "max_tokens": 9})  # fmt: skip
    assert [of_ours(m)[:2] for m in trace.messages] == [
        ("system", "Be kind."), ("user", "Say hi."),
    ]  # fmt: skip
    assert trace.choices[0].finish_reason == "tool_calls"
    assert of_ours(trace.choices[0].message)[4] == [("t1", "wave", '{"n":1}')]
    items = {"id": "resp_1", "object": "response", "status": "completed",
             "output": [{"type": "message", "role": "assistant",
                         "content": [{"type": "output_text", "text": "Hi."}]}]}  # fmt: skip
    for asked in ("Say hi.", ASKED):
        trace = one(call_type="aresponses", messages=asked, response=items)
        assert [of_ours(m)[:2] for m in trace.messages] == [("user", "Say hi.")]
        assert trace.choices[0].message.content == "Hi."
    gemini = {"candidates": [{"content": {"parts": [{"text": "Hi."}]}, "finishReason": "STOP"}]}
    asked = [{"role": "user", "parts": [{"text": "Say hi."}]}]
    trace = one(call_type="agenerate_content", messages=asked, response=gemini)
    assert of_ours(trace.messages[0])[:2] == ("user", "Say hi.")
    assert trace.choices[0].message.content == "Hi."


def test_calls_of_tools_are_no_model_calls():
    assert isinstance(one(call_type="call_mcp_tool"), OtherSpan)


def test_what_a_callback_gets():
    value = {"standard_logging_object": spend(messages=ASKED, response=ANSWER), "kwargs": {}}
    assert litellm.matches(value)
    assert isinstance(read(value)[0], Trace)


def test_documents_that_are_no_rows():
    assert not litellm.matches({"call_type": "completion"})
    assert not litellm.matches([])
    assert not litellm.matches("text")
    assert [r.code for r in read([spend(messages=ASKED), 3], "text")[1:]] == ["undecodable"] * 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([
                "role", "content", "type", "text", "messages", "input", "output", "choices",
                "message", "tool_calls", "function", "name", "arguments", "contents", "tools",
                "candidates", "usage", "body", "provider_specific_fields", "error", "data",
            ]),
            inner | st.sampled_from(["user", "assistant", "text", "redacted-by-litellm"]),
            max_size=4,
        )
    ),
    max_leaves=10,
)  # fmt: skip


@given(JSON, JSON, JSON, st.sampled_from(["", "completion", "aresponses", "anthropic_messages"]))
def test_whatever_is_logged_comes_out_as_one_reading(asked, answered, other, kind):
    row = spend(
        messages=asked, response=answered, proxy_server_request=other, model_parameters=other,
        metadata=other, startTime=other, call_type=kind, spend=other, session_id=other,
    )  # fmt: skip
    readings = [r for r in read(row) if not hasattr(r, "code") or r.code == "undecodable"]
    lost = [r for r in read(row) if hasattr(r, "code")]
    assert len(readings) <= 1
    assert readings or lost
