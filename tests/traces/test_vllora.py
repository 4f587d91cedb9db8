"""The sample store, stores as the gateway writes them, and a gateway that really answers."""

import json
import sqlite3
import threading
from collections import Counter
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rft_widgets.errors import InvalidArgument, NotFound, StoreUnavailable
from rft_widgets.model.trace import Trace, TraceLoss
from rft_widgets.traces import vllora, vllora_source
from rft_widgets.traces.reader import Document, OtherSpan

TABLE = """CREATE TABLE traces (trace_id TEXT NOT NULL, span_id TEXT NOT NULL, thread_id TEXT,
    parent_span_id TEXT, operation_name TEXT NOT NULL, start_time_us BIGINT NOT NULL,
    finish_time_us BIGINT NOT NULL, attribute TEXT NOT NULL, run_id TEXT, project_id TEXT,
    PRIMARY KEY (trace_id, span_id))"""

ASKED = [
    {"role": "system", "content": "You are a chess tutor."},
    {"role": "user", "content": "How do I fork pieces with a knight?"},
]
TOOLS = [{"type": "function", "function": {"name": "evaluate", "parameters": {"type": "object"}}}]
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "evaluate", "arguments": '{"fen":"8/8"}'},
}


def span(
    span_id, operation, parent=None, *, trace="t1", at=0, project="default-project", **attribute
):
    """A span as the gateway keeps it: values that are no text are JSON inside the JSON."""
    texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in attribute.items()}
    return {
        "trace_id": trace,
        "span_id": str(span_id),
        "thread_id": "thread-1",
        "parent_span_id": None if parent is None else str(parent),
        "operation_name": operation,
        "start_time_us": 1_769_400_000_000_000 + at,
        "finish_time_us": 1_769_400_000_000_000 + at + 1_500,
        "attribute": json.dumps(texts),
        "run_id": "run-1",
        "project_id": project,
    }


def request(messages=ASKED, **more):
    return {"model": "openai/gpt-4o-mini", "messages": messages, **more}


def completion(content="Look for squares.", calls=None, reason="stop"):
    message = {"role": "assistant", "content": content}
    if calls:
        message["tool_calls"] = calls
    choice = {"index": 0, "message": message, "finish_reason": reason}
    return {"id": "chatcmpl-1", "model": "gpt-4o-mini-2024-07-18", "choices": [choice]}


def write(path, spans):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(TABLE)
        add(connection, spans)
    return path


def add(connection, spans):
    for row in spans:
        marks = ", ".join("?" * len(row))
        connection.execute(
            f"INSERT INTO traces ({', '.join(row)}) VALUES ({marks})", tuple(row.values())
        )
    connection.commit()


def read(spans):
    return list(vllora.read(Document(f"line {i}", one) for i, one in enumerate(spans, 1)))


def counts(readings):
    codes = Counter(r.code for r in readings if isinstance(r, TraceLoss))
    traces = sum(isinstance(r, Trace) for r in readings)
    return traces, dict(codes), sum(isinstance(r, OtherSpan) for r in readings)


def the_trace(readings):
    (trace,) = [r for r in readings if isinstance(r, Trace)]
    return trace


def shown(messages):
    return [
        (m.role, m.text, [(c.id, c.function.name, c.function.arguments) for c in m.tool_calls])
        for m in messages
    ]


CHAT = [(m["role"], m["content"], []) for m in ASKED]


def around(provider, *, response="Look for squares.", received=None):
    """A provider's span under the spans that the gateway puts around it."""
    return [
        span(1, "api_invoke", request=received or request(), response=response, cost="0.25"),
        span(2, "request_routing", 1),
        span(3, "model_call", 2, provider_name=provider["operation_name"], model_name="the-model"),
        provider | {"parent_span_id": "3"},
        span(5, "tools", 4, tool_calls=[CALL]),
    ]


# The store --------------------------------------------------------------------------------------


def test_the_sample_store(data):
    path = data / "traces" / "vllora_sample.db"
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        rows = dict(connection.execute("SELECT operation_name, attribute FROM traces"))
    asked = json.loads(json.loads(rows["openai"])["request"])
    answered = json.loads(json.loads(rows["openai"])["output"])["choices"][0]

    documents = list(vllora.read_store(path))
    assert all(vllora.matches(document.value) for document in documents)
    readings = list(vllora.read(documents))
    assert counts(readings) == (1, {}, 2)
    trace = the_trace(readings)
    assert shown(trace.messages) == [(m["role"], m["content"], []) for m in asked["messages"]]
    assert shown([c.message for c in trace.choices]) == [
        ("assistant", answered["message"]["content"], [])
    ]
    assert trace.choices[0].finish_reason == answered["finish_reason"]
    assert [t.function.name for t in trace.tools] == ["analyze_position"]
    assert (trace.tool_choice, trace.model) == ("auto", asked["model"])
    assert (trace.span_id, trace.parent_span_id, trace.thread_id) == ("9003", "9002", "thr-chess-1")
    assert trace.trace_id == "5b0f6c1e-7b8e-4f0a-9f4e-0d7c3a5c1a11"
    assert (trace.usage.input_tokens, trace.usage.output_tokens) == (41, 12)
    assert trace.cost_usd == 1.34e-05
    assert trace.latency_ms == 1230
    assert trace.started_at.timestamp() == 1769400000.15
    assert trace.metadata["run_id"] == "0c0f1f5e-6c3d-4f5e-8a0a-2f2b7b6f9a01"
    assert trace.metadata["label"] == "chess_tutor"


def test_traces_of_a_store_are_let_go_one_by_one(tmp_path):
    spans = [
        one | {"trace_id": f"t{n}"}
        for n in range(50)
        for one in around(span(4, "openai", request=request(), output=completion()))
    ]
    path = write(tmp_path / "vllora.db", reversed(spans))
    seen = []

    def documents():
        for document in vllora.read_store(path):
            seen.append(document)
            yield document

    first = next(r for r in vllora.read(documents()) if isinstance(r, Trace))
    assert first.trace_id == "t0"
    assert len(seen) == 5
    assert counts(list(vllora.read(vllora.read_store(path)))) == (50, {}, 200)


def test_a_store_that_another_connection_writes(tmp_path):
    path = write(tmp_path / "vllora.db", [span(1, "api_invoke", request=request())])
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        add(writer, [span(1, "api_invoke", trace="t2", request=request())])
        assert {p.name for p in tmp_path.iterdir()} == {
            "vllora.db", "vllora.db-wal", "vllora.db-shm",
        }  # fmt: skip
        before = {p.name: p.read_bytes() for p in tmp_path.iterdir() if p.suffix != ".db-shm"}
        documents = vllora.read_store(path)
        found = [next(documents)]
        # The gateway goes on while we read, and the reading keeps to the moment it began at.
        writer.execute("BEGIN IMMEDIATE")
        row = span(1, "api_invoke", trace="t3", request=request())
        writer.execute(
            f"INSERT INTO traces VALUES ({', '.join('?' * len(row))})", tuple(row.values())
        )
        writer.execute("COMMIT")
        found += documents
        assert [d.value["trace_id"] for d in found] == ["t1", "t2"]
        assert path.read_bytes() == before["vllora.db"]
        assert [d.value["trace_id"] for d in vllora.read_store(path)] == ["t1", "t2", "t3"]


def test_a_store_that_nobody_writes_stays_as_it_is(tmp_path):
    path = write(tmp_path / "vllora.db", [span(1, "api_invoke", request=request())])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    before = path.read_bytes()
    assert len(list(vllora.read_store(path))) == 1
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["vllora.db"]


def test_a_store_that_changes_below_us_is_not_read_on(tmp_path):
    path = write(tmp_path / "vllora.db", [span(1, "api_invoke"), span(2, "api_invoke")])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    documents = vllora.read_store(path)
    next(documents)
    with closing(sqlite3.connect(path)) as connection:
        add(connection, [span(3, "api_invoke")])  # closing carries the log over into the store
    with pytest.raises(StoreUnavailable, match="has started to write"):
        list(documents)


def test_a_store_that_stays_locked(tmp_path, monkeypatch):
    limits = msgspec.structs.replace(vllora_source.STORE, busy_timeout_ms=50)
    monkeypatch.setattr(vllora_source, "STORE", limits)
    path = write(tmp_path / "vllora.db", [span(1, "api_invoke")])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreUnavailable, match="locked"):
            list(vllora.read_store(path))


def test_a_store_without_the_newer_columns(tmp_path):
    path = tmp_path / "vllora.db"
    row = span(1, "api_invoke", request=request(), response="Hi.")
    row = {k: v for k, v in row.items() if k not in ("run_id", "project_id", "thread_id")}
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TABLE traces ({', '.join(row)})")
        add(connection, [row | {"span_id": 17}])
    trace = the_trace(vllora.read(vllora.read_store(path)))
    assert (trace.span_id, trace.thread_id) == ("17", None)


def test_files_that_are_no_store(tmp_path):
    with pytest.raises(NotFound):
        list(vllora.read_store(tmp_path / "vllora.db"))
    (tmp_path / "text.db").write_text("no database, but a text that is long enough" * 99)
    with pytest.raises(StoreUnavailable, match=r"text\.db"):
        list(vllora.read_store(tmp_path / "text.db"))
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE other (id)")
        connection.commit()
    with pytest.raises(StoreUnavailable, match="no table of traces"):
        list(vllora.read_store(tmp_path / "other.db"))


def test_default_store(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert vllora.default_store() is None
    (tmp_path / ".vllora").mkdir()
    (tmp_path / ".vllora" / "vllora.db").touch()
    assert vllora.default_store() == tmp_path / ".vllora" / "vllora.db"


# Spans ------------------------------------------------------------------------------------------


def test_a_tool_call_turn_comes_from_the_provider(tmp_path):
    # On such turns the gateway writes the response of api_invoke twice, the second time empty.
    output = completion(None, [CALL], "tool_calls")
    provider = span(4, "openai", request=request(tools=TOOLS, temperature=0.2), output=output)
    path = write(tmp_path / "vllora.db", around(provider, response=""))
    readings = list(vllora.read(vllora.read_store(path)))
    assert counts(readings) == (1, {}, 4)
    trace = the_trace(readings)
    assert shown(trace.messages) == CHAT
    assert shown([trace.choices[0].message]) == [
        ("assistant", "", [("call_1", "evaluate", '{"fen":"8/8"}')])
    ]
    assert trace.choices[0].finish_reason == "tool_calls"
    assert [t.function.name for t in trace.tools] == ["evaluate"]
    assert (trace.params, trace.cost_usd) == ({"temperature": 0.2}, 0.25)


def test_anthropic_input_is_what_the_gateway_received():
    asked = [{"role": "user", "content": [{"type": "text", "text": "…"}]}]
    native = {"model": "claude-sonnet-4-5", "system": "You are a chess tutor.", "messages": asked}
    output = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5-2025",
        "stop_reason": "tool_use", "usage": {"input_tokens": 3, "output_tokens": 2},
        "content": [
            {"type": "text", "text": "Let me see."},
            {"type": "tool_use", "id": "toolu_1", "name": "evaluate", "input": {"fen": "8/8"}},
        ],
    }  # fmt: skip
    received = request(
        [*ASKED, {"role": "assistant", "tool_calls": [CALL]},
         {"role": "tool", "tool_call_id": "call_1", "content": "+3"}],
        tools=TOOLS, mcp_servers=[{"name": "x"}],
    )  # fmt: skip
    readings = read(around(span(4, "anthropic", request=native, output=output), received=received))
    assert counts(readings) == (1, {}, 4)
    trace = the_trace(readings)
    assert shown(trace.messages) == [
        *CHAT,
        ("assistant", "", [("call_1", "evaluate", '{"fen":"8/8"}')]),
        ("tool", "+3", []),
    ]
    assert trace.messages[-1].tool_call_id == "call_1"
    assert shown([trace.choices[0].message]) == [
        ("assistant", "Let me see.", [("toolu_1", "evaluate", '{"fen":"8/8"}')])
    ]
    assert trace.choices[0].finish_reason == "tool_calls"
    assert [t.function.name for t in trace.tools] == ["evaluate"]
    assert (trace.model, trace.response_model) == ("claude-sonnet-4-5", "claude-sonnet-4-5-2025")
    assert (trace.provider, trace.usage.output_tokens) == ("anthropic", 2)
    assert trace.params == {}


def test_later_calls_of_one_request_have_their_own_input():
    # The gateway ran a tool itself and called the provider again: the client's request is not what
    # that second call saw.
    def native(messages):
        return {"model": "claude", "system": "You are a chess tutor.", "messages": messages}

    use = {"type": "tool_use", "id": "toolu_1", "name": "evaluate", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "+3"}
    first = native([{"role": "user", "content": ASKED[1]["content"]}])
    second = native([*first["messages"], {"role": "assistant", "content": [use]},
                     {"role": "user", "content": [result]}])  # fmt: skip
    one = {"role": "assistant", "content": [use], "stop_reason": "tool_use"}
    two = {"role": "assistant", "content": [{"type": "text", "text": "+3!"}],
           "stop_reason": "end_turn"}  # fmt: skip
    readings = read([
        span(1, "api_invoke", request=request(), response="+3!", cost="0.5"),
        span(2, "anthropic", 1, at=10, request=first, output=one),
        span(3, "anthropic", 1, at=20, request=second, output=two),
    ])  # fmt: skip
    assert counts(readings) == (2, {}, 1)
    before, after = (r for r in readings if isinstance(r, Trace))
    assert shown(before.messages) == CHAT
    assert shown(after.messages) == [
        *CHAT,
        ("assistant", "", [("toolu_1", "evaluate", "{}")]),
        ("tool", "+3", []),
    ]
    assert after.messages[-1].tool_call_id == "toolu_1"
    assert after.choices[0].message.content == "+3!"
    # Their cost together is no cost of either.
    assert (before.cost_usd, after.cost_usd) == (None, None)


def test_gemini():
    native = {"contents": [{"role": "user", "parts": [{"text": "…"}]}]}
    part = {"functionCall": {"name": "evaluate", "args": {"fen": "8/8"}}}
    output = {"candidates": [{"content": {"parts": [part]}, "finishReason": "STOP"}],
              "modelVersion": "gemini-3", "usageMetadata": {"promptTokenCount": 4}}  # fmt: skip
    trace = the_trace(read(around(span(4, "gemini", request=native, output=output))))
    assert shown(trace.messages) == CHAT
    assert shown([trace.choices[0].message]) == [
        ("assistant", "", [("call_0", "evaluate", '{"fen":"8/8"}')])
    ]
    assert (trace.choices[0].finish_reason, trace.usage.input_tokens) == ("tool_calls", 4)
    assert (trace.model, trace.response_model) == ("the-model", "gemini-3")
    # Without the span above it, the native request is read.
    alone = the_trace(read([span(4, "gemini", request=native, output=output)]))
    assert shown(alone.messages) == [("user", "…", [])]


RUST = 'ConverseOutput { output: Some(Message(Message { role: Assistant, content: [Text("Hi")] }))'


def test_bedrock_output_is_no_json():
    provider = span(4, "bedrock", request="ConverseRequest { .. }", output=RUST)
    trace = the_trace(read(around(provider)))
    assert shown(trace.messages) == CHAT
    assert trace.choices[0].message.content == "Look for squares."
    # Tool calls stand in the response as a JSON list.
    trace = the_trace(read(around(provider, response=json.dumps([CALL]))))
    assert shown([trace.choices[0].message]) == [
        ("assistant", "", [("call_1", "evaluate", '{"fen":"8/8"}')])
    ]
    # Nothing is made up where there is no response either.
    readings = read(around(provider, response=""))
    assert counts(readings) == (1, {"undecodable": 1}, 4)
    assert the_trace(readings).choices == ()
    loss = next(r for r in readings if isinstance(r, TraceLoss))
    assert loss.span_id == the_trace(readings).span_id == "4"
    # And without the request of the gateway there is none to read.
    assert counts(read([provider])) == (0, {"undecodable": 1}, 0)


def test_a_store_with_bedrock_rows_is_read_to_its_end(tmp_path):
    spans = [
        *around(span(4, "bedrock", request="..", output=RUST)),
        *[one | {"trace_id": "t2"} for one in around(span(4, "openai", request=request()))],
    ]
    path = write(tmp_path / "vllora.db", spans)
    assert counts(list(vllora.read(vllora.read_store(path)))) == (2, {}, 8)


def test_an_invocation_without_a_provider_is_the_call():
    # Answered from the cache, or recorded by a version that kept no spans below.
    readings = read([
        span(1, "api_invoke", request=request(tools=TOOLS), response="Look for squares.",
             usage={"input_tokens": 41, "output_tokens": 12, "total_tokens": 53}, cost="0.001"),
        span(2, "cache", 1),
    ])  # fmt: skip
    assert counts(readings) == (1, {}, 1)
    trace = the_trace(readings)
    assert (trace.span_id, trace.usage.total_tokens, trace.cost_usd) == ("1", 53, 0.001)
    assert (trace.model, trace.provider) == ("openai/gpt-4o-mini", "openai")
    assert shown(trace.messages) == CHAT
    assert trace.choices[0].message.content == "Look for squares."
    assert trace.choices[0].finish_reason is None
    calls = read([span(1, "api_invoke", request=request(), response=json.dumps([CALL]))])
    assert the_trace(calls).choices[0].finish_reason == "tool_calls"


def test_a_model_call_without_a_provider_is_the_call():
    readings = read([
        span(1, "api_invoke", request=request(), response="no"),
        span(2, "model_call", 1, input=ASKED, output='"[1, 2]"', model_name="m"),
    ])  # fmt: skip
    assert counts(readings) == (1, {}, 1)
    trace = the_trace(readings)
    assert (trace.span_id, shown(trace.messages)) == ("2", CHAT)
    assert trace.choices[0].message.content == "[1, 2]"


def test_a_retry_is_two_calls():
    readings = read([
        span(1, "api_invoke", request=request(), response="Hi.", cost="1"),
        span(2, "anthropic", 1, at=1, request={"messages": []}, error="529 overloaded"),
        span(3, "anthropic", 1, at=2, request={"messages": []},
             output={"role": "assistant", "content": [{"type": "text", "text": "Hi."}]}),
    ])  # fmt: skip
    assert counts(readings) == (1, {"failed_call": 1}, 1)
    assert "529 overloaded" in next(r.message for r in readings if isinstance(r, TraceLoss))
    assert (
        shown(the_trace(readings).messages) == CHAT
    )  # the client's request, as nothing came of it


@pytest.mark.parametrize(
    ("spans", "code"),
    [
        ([span(1, "openai", request=request(), error="rate limited")], "failed_call"),
        ([span(1, "openai", request=request(), project="lucy")], "internal_traffic"),
        ([span(1, "openai")], "no_content"),
        ([span(1, "openai", output=completion())], "no_request"),
        ([span(1, "openai", request="{")], "undecodable"),
        ([span(1, "openai", request={"messages": 3})], "undecodable"),
        ([span(1, "openai", request=request()) | {"attribute": "{"}], "undecodable"),
        ([span(1, "openai", request=request()) | {"attribute": "[1]"}], "undecodable"),
        ([span(1, "openai", request=request()) | {"attribute": None}], "undecodable"),
        ([span(1, "openai", request={"model": "text-embedding-3-small", "input": "x"})],
         "unsupported_call"),
        ([span(1, "api_invoke", request={"model": "openai/text-embedding-3", "input": "x"})],
         "unsupported_call"),
    ],
)  # fmt: skip
def test_what_is_no_trace(spans, code):
    assert counts(read(spans)) == (0, {code: 1}, 0)


def test_spans_of_the_own_assistant_are_counted_by_call():
    spans = around(span(4, "openai", request=request(), output=completion()))
    readings = read([one | {"project_id": "lucy"} for one in spans])
    assert counts(readings) == (0, {"internal_traffic": 1}, 4)


def test_spans_that_an_application_sent_itself():
    attribute = {
        "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o",
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Hi?"}]}],
        "gen_ai.output.messages": [{"role": "assistant", "finish_reason": "stop",
                                    "parts": [{"type": "text", "content": "Hi."}]}],
    }  # fmt: skip
    sent = span(1234567890123456, "chat gpt-4o", **attribute)
    readings = read([sent])
    assert counts(readings) == (1, {}, 0)
    trace = the_trace(readings)
    assert (trace.format, trace.span_id, trace.model) == ("vllora", "1234567890123456", "gpt-4o")
    assert (trace.thread_id, trace.metadata["run_id"]) == ("thread-1", "run-1")
    assert trace.started_at.timestamp() == 1769400000
    assert trace.latency_ms == 1.5
    assert shown(trace.messages) == [("user", "Hi?", [])]
    assert trace.choices[0].message.content == "Hi."
    bare = span(1, "chat", **{"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"})
    assert counts(read([bare])) == (0, {"no_content": 1}, 0)
    agent = span(1, "invoke_agent", **{"gen_ai.operation.name": "invoke_agent"})
    assert counts(read([agent])) == (0, {}, 1)
    # The same call, seen by the application and by the gateway, is one call.
    below = span(2, "api_invoke", 1234567890123456, request=request(), response="Hi.")
    assert counts(read([sent, below])) == (1, {}, 1)


def test_attributes_may_be_objects_and_ids_numbers():
    row = span(3, "openai", request=request(), output=completion())
    row |= {"attribute": json.loads(row["attribute"]), "span_id": 3, "parent_span_id": 1}
    received = span(1, "api_invoke", label="tutor") | {"span_id": 1}
    trace = the_trace(read([received, row]))
    assert (trace.span_id, trace.parent_span_id) == ("3", "1")
    assert trace.metadata["label"] == "tutor"


def test_spans_in_any_order_and_twice():
    spans = around(span(4, "anthropic", output={"content": [], "stop_reason": "end_turn"}))
    for order in (spans, spans[::-1], [*spans, *spans]):
        readings = read(order)
        assert counts(readings) == (1, {}, 4)
        assert shown(the_trace(readings).messages) == CHAT


def test_spans_that_are_each_others_parents():
    spans = [span(1, "openai", 2, request=request()), span(2, "api_invoke", 1, request=request())]
    assert counts(read(spans))[0] >= 1


def test_pages_and_lists():
    rows = around(span(4, "openai", request=request(), output=completion()))
    page = {"pagination": {"offset": 0, "limit": 100, "total": 5}, "data": rows}
    for value in (page, rows):
        assert vllora.matches(value)
        assert counts(list(vllora.read([Document("line 1", value)]))) == (1, {}, 4)
    assert vllora.matches({"pagination": {}, "data": []})
    assert not vllora.matches({"data": rows})
    assert not vllora.matches([])
    assert [r.code for r in read([3])] == ["undecodable"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([
                "role", "content", "type", "text", "messages", "input", "output", "choices",
                "message", "tool_calls", "function", "name", "arguments", "contents", "tools",
                "candidates", "usage", "cost", "error", "stop_reason", "parts", "system",
            ]),
            inner | st.sampled_from(["user", "assistant", "text", "tool_use"]),
            max_size=4,
        )
    ),
    max_leaves=10,
)  # fmt: skip
OPERATION = st.sampled_from(
    ["openai", "anthropic", "gemini", "bedrock", "api_invoke", "model_call"]
)


@given(OPERATION, st.text() | JSON.map(json.dumps))
def test_whatever_the_attribute_is_it_comes_out_as_one_reading(operation, attribute):
    readings = read([span(1, operation) | {"attribute": attribute}])
    assert len({getattr(r, "span_id", None) for r in readings}) == 1


@given(OPERATION, JSON, JSON, JSON)
def test_whatever_is_in_the_attribute_it_comes_out_as_one_reading(operation, one, two, three):
    spans = [
        span(1, "api_invoke", request=two, response=three, usage=one, cost=one),
        span(2, operation, 1, request=one, output=two, input=three, usage=three, cost=two),
        span(3, "chat", 1, **{"gen_ai.operation.name": "chat", "gen_ai.input.messages": one}),
    ]
    calls = {r.span_id for r in read(spans) if not isinstance(r, OtherSpan)}
    assert calls in ({"2", "3"}, {"1", "2", "3"})


# A gateway --------------------------------------------------------------------------------------


class Gateway(ThreadingHTTPServer):
    """Answers ``GET /spans`` from a list, or whatever a test tells it to."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.spans = []
        self.asked = []
        self.largest_page = 10_000
        self.reply = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        gateway = self.server
        gateway.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
        status, headers, body = (gateway.reply or self.page)()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def page(self):
        parts = urlsplit(self.path)
        assert parts.path == "/spans"
        query = {key: int(value) for key, (value,) in parse_qs(parts.query).items()}
        limit, offset = min(query["limit"], self.server.largest_page), query["offset"]
        spans = self.server.spans
        page = {
            "pagination": {"offset": offset, "limit": limit, "total": len(spans)},
            "data": spans[offset : offset + limit],
        }
        return 200, {"Content-Type": "application/json"}, json.dumps(page).encode()

    def log_message(self, *_):
        pass


@pytest.fixture
def gateway():
    with Gateway() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def gateway_spans(traces):
    """Newest first, attributes as objects, as the gateway answers."""
    spans = [
        one | {"trace_id": f"t{n}", "attribute": json.loads(one["attribute"])}
        for n in range(traces)
        for one in around(span(4, "openai", request=request(), output=completion()))
    ]
    return spans[::-1]


def test_pages_of_a_gateway(gateway):
    gateway.spans = gateway_spans(9)
    documents = list(vllora.read_gateway(gateway.url, token="secret", project="chess", page_size=7))
    assert [d.value for d in documents] == gateway.spans
    assert all(vllora.matches(d.value) for d in documents)
    assert [path for path, _ in gateway.asked] == [
        f"/spans?limit=7&offset={offset}" for offset in range(0, 45, 7)
    ]
    for _, headers in gateway.asked:
        assert headers["authorization"] == "Bearer secret"
        assert headers["x-project-id"] == "chess"
    assert counts(list(vllora.read(documents))) == (9, {}, 36)


def test_a_gateway_whose_pages_are_smaller_than_asked_for(gateway):
    gateway.spans, gateway.largest_page = gateway_spans(3), 4
    assert len(list(vllora.read_gateway(f"{gateway.url}/"))) == 15
    assert len(gateway.asked) == 4
    assert "authorization" not in gateway.asked[0][1]


def test_spans_that_come_while_the_pages_are_read_count_once(gateway):
    gateway.spans = gateway_spans(4)
    documents = []
    for i, document in enumerate(vllora.read_gateway(gateway.url, page_size=5)):
        documents.append(document)
        if i == 2:
            newer = around(span(4, "openai", request=request(), output=completion()))
            gateway.spans = [one | {"trace_id": "new"} for one in newer[:2]] + gateway.spans
    assert len(documents) == 22
    assert counts(list(vllora.read(documents))) == (4, {}, 16)


def test_an_empty_gateway(gateway):
    assert list(vllora.read_gateway(gateway.url)) == []


@pytest.mark.parametrize("status", [401, 404, 500])
def test_a_gateway_that_refuses(gateway, status):
    gateway.reply = lambda: (status, {}, b"no")
    with pytest.raises(vllora.GatewayRefused, match=str(status)):
        list(vllora.read_gateway(gateway.url))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(gateway, status):
    gateway.reply = lambda: (status, {"Location": f"{gateway.url}/elsewhere"}, b"")
    with pytest.raises(vllora.GatewayRefused, match=f"{status}: it sends us elsewhere"):
        list(vllora.read_gateway(gateway.url, token="secret"))
    assert len(gateway.asked) == 1


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"data": 3}', b"\xff", b"[" * 999]
)
def test_answers_that_are_no_page(gateway, body):
    gateway.reply = lambda: (200, {}, body)
    with pytest.raises(vllora.GatewayAnswerInvalid):
        list(vllora.read_gateway(gateway.url))


def test_a_page_that_is_too_large(gateway, monkeypatch):
    monkeypatch.setattr("rft_widgets.traces.vllora_source.MAX_PAGE_BYTES", 1000)
    gateway.spans = gateway_spans(1)
    with pytest.raises(vllora.GatewayAnswerInvalid, match="1,000 bytes"):
        list(vllora.read_gateway(gateway.url))


def test_a_gateway_that_repeats_itself_is_not_asked_forever(gateway):
    body = json.dumps({"data": gateway_spans(1)}).encode()
    gateway.reply = lambda: (200, {}, body)
    with pytest.raises(vllora.GatewayAnswerInvalid, match="same spans"):
        list(vllora.read_gateway(gateway.url))


def test_an_answer_that_breaks_off(gateway):
    gateway.reply = lambda: (200, {"Content-Length": "5000"}, b"{}")
    with pytest.raises(vllora.GatewayUnreachable, match="breaks off"):
        list(vllora.read_gateway(gateway.url, timeout_s=5))


def test_nobody_answers():
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        port = server.server_address[1]
    with pytest.raises(vllora.GatewayUnreachable, match="does not answer"):
        list(vllora.read_gateway(f"http://127.0.0.1:{port}", timeout_s=2))


def test_proxies_of_the_environment_are_not_used(gateway, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert list(vllora.read_gateway(gateway.url)) == []


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org:9090", "http://10.0.0.7", "ftp://localhost", "localhost:9090", "",
        "http://user:secret@localhost", "http://localhost/?x=1", "http://localhost:99999999",
        "http://127.0.0.1.example.org", "file:///etc/passwd", "http://[::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_read_from(url):
    with pytest.raises(InvalidArgument):
        list(vllora.read_gateway(url))


def test_arguments_that_no_request_can_be_made_of(gateway):
    for bad in ({"token": "a\nb"}, {"project": "ü"}, {"page_size": 0}):
        with pytest.raises(InvalidArgument):
            list(vllora.read_gateway(gateway.url, **bad))
    assert gateway.asked == []
