"""The endpoint over real sockets, with the real SDK as its client."""

import http.client
import json
import logging
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import msgspec
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from served import ASK, echo, post, raw, until

from rft_widgets.errors import InvalidArgument
from rft_widgets.serving import asgi, chat, protocol
from rft_widgets.serving.app import Endpoint
from rft_widgets.serving.arms import Answer, PolicyArm
from rft_widgets.serving.router import Router

CALLS = [
    {
        "id": "call_1",
        "type": "function",
        "function": {"name": "track", "arguments": '{"id": "é1"}'},
    },
    {"id": "call_2", "type": "function", "function": {"name": "refund", "arguments": ""}},
]
TOOLS = [{"type": "function", "function": {"name": "track", "parameters": {"type": "object"}}}]


# Answers ----------------------------------------------------------------------------------------


def test_an_answer_and_what_is_recorded_of_it(serve):
    served = serve()
    response = served.ask(user="alice", temperature=0.5, extra_body={"some_day": {"a": 1}})
    answer = response.parse()
    assert answer.choices[0].message.content == "tuned: Where is my parcel?"
    assert (answer.choices[0].finish_reason, answer.model) == ("stop", "tuned-model")
    assert answer.usage.prompt_tokens == 5  # 19 characters
    assert answer.usage.completion_tokens == 7  # 26 characters
    assert response.headers["x-rft-usage"] == "estimated"
    assert response.headers["x-rft-arm"] == "tuned"
    assert response.headers["x-rft-deployment"] == "dep-1"
    assert not [name for name in response.headers if name.startswith("access-control")]

    (exchange,) = served.recorded()
    assert (exchange.arm, exchange.model, exchange.deployment) == ("tuned", "tuned-model", "dep-1")
    assert (exchange.outcome, exchange.status, exchange.error) == ("completed", 200, None)
    assert exchange.messages == tuple(ASK)
    assert exchange.answer == {"role": "assistant", "content": "tuned: Where is my parcel?"}
    assert exchange.estimated_completion_tokens == 7
    assert 0 <= exchange.first_byte_s <= exchange.latency_s < 5
    assert not exchange.streamed


def test_a_stream_adds_up(serve):
    served = serve()
    text = "long " * 100
    stream = served.client.chat.completions.create(
        model="tuned-model",
        messages=[{"role": "user", "content": text}],
        stream=True,
        stream_options={"include_usage": True},
    )
    *chunks, usage = list(stream)
    assert chunks[0].choices[0].delta.role == "assistant"
    assert len(chunks) > 5
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == f"tuned: {text}"
    assert [c.choices[0].finish_reason for c in chunks[-2:]] == [None, "stop"]
    assert all(c.usage is None for c in chunks)
    assert usage.choices == []
    assert usage.usage.total_tokens == 125 + 127
    assert len({c.id for c in chunks} | {usage.id}) == 1
    assert served.recorded()[0].streamed
    bare = served.client.chat.completions.create(model="tuned-model", messages=ASK, stream=True)
    assert all(c.choices for c in bare)


@pytest.mark.parametrize("streamed", [False, True])
def test_tool_calls(serve, streamed):
    def policy(messages, tools, body):
        assert tools == tuple(TOOLS)
        assert body["tool_choice"] == "auto"
        without_id = {key: CALLS[1][key] for key in ("type", "function")}
        return Answer({"content": None, "tool_calls": [CALLS[0], without_id]})

    served = serve(Router("d", "replace", PolicyArm("tuned", "tuned-model", policy)))
    asked = {"model": "tuned-model", "messages": ASK, "tools": TOOLS, "tool_choice": "auto"}
    if streamed:
        with served.client.chat.completions.stream(**asked) as stream:
            choice = stream.get_final_completion().choices[0]
    else:
        choice = served.client.chat.completions.create(**asked).choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content is None
    first, second = choice.message.tool_calls
    assert (first.id, first.function.name) == ("call_1", "track")
    assert first.function.arguments == '{"id": "é1"}'
    assert (second.function.name, second.function.arguments) == ("refund", "")
    assert second.id.startswith("call_")


TEXTS = st.text(max_size=200)
TOOL_CALLS = st.builds(
    lambda name, arguments, more: {
        "type": "function", "function": {"name": name, "arguments": arguments}} | more,
    TEXTS, TEXTS, st.sampled_from([{}, {"id": "call_x"}, {"id": "y", "index_hint": 3}]),
)  # fmt: skip
MESSAGES = st.fixed_dictionaries(
    {
        "content": st.none()
        | TEXTS
        | st.lists(st.builds(lambda t: {"type": "text", "text": t}, TEXTS))
    },
    optional={
        "tool_calls": st.lists(TOOL_CALLS, max_size=3),
        "refusal": st.none() | TEXTS,
        "reasoning_content": TEXTS,
        "annotations": st.lists(st.integers(), max_size=2),
    },
)


@given(MESSAGES, st.booleans())
def test_deltas_add_up_to_the_message(message, include_usage):
    whole = protocol.answer_message(message)
    completion = protocol.Completion(
        id="c", created=1, model="m", message=whole, finish_reason="stop", headers={},
        prompt_tokens=1, completion_tokens=2,
    )  # fmt: skip
    stream = b"".join(protocol.events(completion, include_usage=include_usage))
    assert stream.endswith(protocol.DONE)
    added, reasons, usages = {}, [], []
    for line in stream.split(b"\n\n")[:-2]:
        value = json.loads(line.removeprefix(b"data: "))
        if value["choices"]:
            reasons.append(value["choices"][0]["finish_reason"])
            add(added, value["choices"][0]["delta"])
        usages.append(value.get("usage"))
    if "tool_calls" in added:
        added["tool_calls"] = [call for _, call in sorted(added["tool_calls"].items())]
    assert (
        added == whole == msgspec.json.decode(protocol.whole(completion))["choices"][0]["message"]
    )
    assert reasons == [None] * (len(reasons) - 1) + ["stop"]
    assert (usages[-1] is not None) == include_usage
    # What is recorded of a relayed stream is read the same way.
    read, reason = protocol.read_answer(stream, streamed=True)
    assert (read.get("content") or "", reason) == (whole["content"] or "", "stop")


def add(total, delta):
    for key, value in delta.items():
        if key == "tool_calls":
            for piece in value:
                call = dict(piece)
                add(total.setdefault(key, {}).setdefault(call.pop("index"), {}), call)
        elif isinstance(value, dict):
            add(total.setdefault(key, {}), value)
        elif (
            isinstance(value, str) and isinstance(total.get(key), str) and key not in ("type", "id")
        ):
            total[key] += value
        else:
            total[key] = value


def test_the_models_and_the_health(serve, tuned, base):
    served = serve(Router("d", "replace", tuned, base=base))
    assert [m.id for m in served.client.models.list()] == ["tuned-model", "base-model"]
    status, _, content = raw(served, "GET", "/healthz", token=False)
    assert (status, json.loads(content)) == (200, {"status": "ok"})


# Refusals ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "param", "says"),
    [
        ({"messages": ASK}, "model", "model"),
        ({"model": 3, "messages": ASK}, "model", "model"),
        ({"model": "tuned-model"}, "messages", "missing or empty"),
        ({"model": "tuned-model", "messages": []}, "messages", "missing or empty"),
        ({"model": "tuned-model", "messages": "hi"}, "messages", "not a list"),
        ({"model": "tuned-model", "messages": [3]}, "messages[0]", "not an object"),
        ({"model": "tuned-model", "messages": [*ASK, {"role": "king"}]}, "messages[1].role", ""),
        ({"model": "tuned-model", "messages": [{"content": "x"}]}, "messages", "messages[0]: role"),
        ({"model": "tuned-model", "messages": [{"role": "user", "content": 3}]}, "messages", "[0]"),
        ({"model": "tuned-model", "messages": ASK, "n": 2}, "n", "'n'"),
        ({"model": "tuned-model", "messages": ASK, "n": True}, "n", "'n'"),
        ({"model": "tuned-model", "messages": ASK, "stream": "yes"}, "stream", "stream"),
        ({"model": "tuned-model", "messages": ASK, "stream_options": 1}, "stream_options", "obj"),
        ({"model": "tuned-model", "messages": ASK, "tools": {}}, "tools", "not a list"),
        ({"model": "tuned-model", "messages": ASK, "tools": [{"function": 3}]}, "tools", "[0]"),
        ([], None, "not a JSON object"),
        (b"{", None, "not valid JSON"),
        (b'{"a": NaN}', None, "not valid JSON"),
        (b'{"a": "\xff"}', None, "UTF-8"),
        (b'{"a": "\\ud800"}', None, "not valid JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", None, "not valid JSON"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", None, "nested deeper"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, None, "nested deeper"),
        (b"", None, "not valid JSON"),
    ],
)  # fmt: skip
def test_a_bad_request_is_told_what_is_wrong_and_where(serve, body, param, says):
    served = serve()
    status, _, content = post(served, body)
    error = content["error"]
    assert (status, error["param"], error["type"]) == (400, param, "invalid_request_error")
    assert says in error["message"]
    assert set(error) == {"message", "type", "param", "code"}
    assert served.exchanges == []


def test_the_sdk_knows_the_errors(serve):
    served = serve()
    with pytest.raises(openai.BadRequestError) as bad:
        served.ask(n=2)
    assert bad.value.param == "n"
    with pytest.raises(openai.NotFoundError) as missing:
        served.ask(model="gpt-9")
    assert missing.value.code == "model_not_found"
    with served.new_client("wrong") as client, pytest.raises(openai.AuthenticationError):
        client.models.list()


def test_null_parameters_are_left_out(serve):
    body = {"model": "tuned-model", "messages": ASK, "n": None, "tools": None, "stream": None}
    assert post(serve(), body | {"stream_options": None})[0] == 200


def test_every_route_but_health_needs_the_token(serve):
    served = serve(token="the-right-token")
    routes = [(route.path, method) for route in served.app.routes for method in route.methods]
    assert len(routes) == 5  # HEAD beside GET
    paths = [*routes, ("/", "GET"), ("/docs", "GET"), ("/v1/chat/completions", "OPTIONS")]
    for path, method in paths:
        for token in ("", " ", "wrong", "the-right-toke", "the-right-token2", "\xfc\xfc"):
            for field in (f"Bearer {token}", f"bearer{token}", f"Basic {token}", token, None):
                status, headers, content = raw(
                    served, method, path, headers={"Authorization": field}, token=False
                )
                if path == "/healthz":
                    assert status == 200
                else:
                    assert status == 401, (path, method, field)
                    assert headers["www-authenticate"] == "Bearer"
                    if method != "HEAD":
                        assert json.loads(content)["error"]["code"] == "invalid_api_key"
    assert raw(served, "GET", "/v1/models", token="the-right-token")[0] == 200
    assert raw(served, "GET", "/v1/models?token=the-right-token", token=False)[0] == 401


@pytest.mark.parametrize("token", ["", " ", "a b", "a\nb", "schlüssel", "\x7f"])
def test_a_token_that_guards_nothing_is_refused(tuned, token):
    with pytest.raises(InvalidArgument, match="token"):
        Endpoint(Router("d", "replace", tuned), token=token)


def test_random_tokens(tuned):
    tokens = {Endpoint(Router("d", "replace", tuned)).token for _ in range(20)}
    assert len(tokens) == 20
    assert min(map(len, tokens)) >= 40


def test_other_hosts_are_refused(serve):
    served = serve()
    for path in ("/healthz", "/v1/models"):
        for host in ("evil.example", "127.0.0.1.evil.example", f"evil:{served.server.port}",
                     "localhost@evil.example", "[::2]", "", "127.0.0.2",
                     "127.0.0.1, evil"):  # fmt: skip
            status, _, content = raw(served, "GET", path, headers={"Host": host})
            assert (status, json.loads(content)["error"]["code"]) == (403, "host_not_allowed"), host
        for host in ("localhost", "LocalHost:1", "127.0.0.1", "[::1]:80"):
            assert raw(served, "GET", path, host=host)[0] == 200
    assert raw(served, "GET", "/healthz", headers={"Host": None})[0] in (400, 403)


def test_unknown_paths_and_methods(serve):
    served = serve()
    for path in ("/", "/v1", "/v1/models/", "/v1/embeddings", "/healthz/", "/v1/../healthz"):
        status, headers, content = raw(served, "GET", path)
        assert (status, json.loads(content)["error"]["code"]) == (404, "unknown_url"), path
        assert "location" not in headers
    for method, path in (
        ("GET", "/v1/chat/completions"),
        ("POST", "/v1/models"),
        ("PUT", "/healthz"),
    ):
        status, headers, content = raw(served, method, path, b"{}")
        assert (status, json.loads(content)["error"]["code"]) == (405, "method_not_allowed")
        assert headers["allow"] in ("GET", "POST")


def test_bodies_that_are_too_large(serve, monkeypatch):
    served = serve()
    with pytest.raises(openai.APIStatusError) as large:
        served.ask("x" * asgi.MAX_BODY_BYTES)
    assert large.value.status_code == 413
    # Without a length: it counts what comes.
    monkeypatch.setattr(asgi, "MAX_BODY_BYTES", 1000)
    connection = http.client.HTTPConnection("127.0.0.1", served.server.port, timeout=10)
    headers = {"Authorization": f"Bearer {served.app.token}"}
    pieces = iter([b"x" * 600, b"x" * 600])
    connection.request("POST", "/v1/chat/completions", pieces, headers, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()
    assert served.arm() == "tuned"


def test_a_body_that_never_ends(serve, monkeypatch):
    monkeypatch.setattr(asgi, "BODY_TIMEOUT_S", 0.1)
    served = serve()
    status, _, content = raw(served, "POST", "/v1/chat/completions", b"{", {"Content-Length": "50"})
    assert (status, json.loads(content)["error"]["code"]) == (408, "request_timeout")


def test_too_many_at_once(serve, monkeypatch):
    monkeypatch.setattr(chat, "MAX_IN_FLIGHT", 1)
    inside, go_on = threading.Event(), threading.Event()

    def policy(messages, tools, body):
        inside.set()
        go_on.wait(10)
        return echo(messages, tools, body)

    served = serve(Router("d", "replace", PolicyArm("tuned", "tuned-model", policy)))
    with ThreadPoolExecutor() as pool:
        first = pool.submit(served.arm)
        assert inside.wait(10)
        with pytest.raises(openai.RateLimitError) as busy:
            served.ask()
        assert busy.value.response.headers["retry-after"] == "1"
        go_on.set()
        assert first.result() == "tuned"
    assert served.arm() == "tuned"


# Faults -----------------------------------------------------------------------------------------


def fail(messages, tools, body):
    raise KeyError(f"secret of a customer: {messages[-1]['content']}")


@pytest.mark.parametrize(
    "policy",
    [
        fail,
        lambda *_: None,
        lambda *_: Answer({"role": "user", "content": "x"}),
        lambda *_: Answer({"content": 3}),
        lambda *_: Answer({"content": "half \ud800"}),
        lambda *_: Answer({"content": "x", "odd": object()}),
        lambda *_: Answer({"content": "x"}, headers={"X-A": "a\r\nSet-Cookie: b"}),
        lambda *_: Answer({"content": "x"}, headers={"Set-Cookie": "b"}),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_an_arm_that_fails_shows_its_type_alone(serve, caplog, policy, stream):
    caplog.set_level(logging.DEBUG)
    served = serve(Router("d", "replace", PolicyArm("tuned", "tuned-model", policy)))
    body = {"model": "tuned-model", "messages": ASK, "stream": stream}
    status, headers, content = post(served, body)
    assert (status, content["error"]["code"]) == (500, "arm_failed")
    assert headers["x-rft-arm"] == "tuned"
    (exchange,) = served.recorded()
    assert (exchange.outcome, exchange.error, exchange.status) == ("failed", "arm_failed", 500)
    assert exchange.answer is None
    for text in (json.dumps(content), caplog.text):
        assert "parcel" not in text
        assert "Traceback" not in text
        assert served.app.token not in text
    assert "The arm tuned failed" in caplog.text
    assert served.app.counts()["tuned"].errors == 1


def test_an_unknown_state_answers_nobody(serve, tuned, caplog):
    def state():
        raise OSError("the password is swordfish")

    served = serve(Router("d", "new_endpoint", tuned, state=state))
    with pytest.raises(openai.InternalServerError) as unknown:
        served.ask()
    assert (unknown.value.status_code, unknown.value.code) == (503, "state_unknown")
    assert "OSError" in caplog.text
    assert "swordfish" not in caplog.text


def test_a_callback_that_fails_is_logged_once_and_hurts_nobody(serve, caplog):
    def record(exchange):
        raise ValueError(exchange.messages)

    served = serve(record=record)
    assert [served.arm() for _ in range(5)] == ["tuned"] * 5
    served.server.stop()
    assert served.app.lost == 5
    assert served.app.counts()["tuned"].requests == 5
    assert caplog.text.count("ValueError") == 1
    assert "5 served exchanges were not recorded" in caplog.text
    assert "parcel" not in caplog.text


def test_a_slow_callback_delays_nobody(serve):
    go_on, got = threading.Event(), []

    def record(exchange):
        go_on.wait(10)
        got.append(exchange)

    served = serve(record=record)
    assert [served.arm() for _ in range(20)] == ["tuned"] * 20
    assert got == []
    go_on.set()
    served.server.stop()
    assert len(got) == 20


def test_more_than_may_wait_is_lost_and_said_so(serve, monkeypatch, caplog):
    monkeypatch.setattr("rft_widgets.serving.recorder.MAX_WAITING", 3)
    go_on, inside, got = threading.Event(), threading.Event(), []

    def record(exchange):
        inside.set()
        go_on.wait(10)
        got.append(exchange)

    served = serve(record=record)
    served.ask()
    assert inside.wait(10)
    for _ in range(6):
        served.ask()
    until(lambda: served.app.lost == 3)
    go_on.set()
    served.server.stop()
    assert len(got) == 4
    assert caplog.text.count("more than 3 wait") == 1


def test_a_client_that_leaves(serve):
    inside, go_on = threading.Event(), threading.Event()

    def policy(messages, tools, body):
        inside.set()
        go_on.wait(10)
        return echo(messages, tools, body)

    served = serve(Router("d", "replace", PolicyArm("tuned", "tuned-model", policy)))
    connection = http.client.HTTPConnection("127.0.0.1", served.server.port, timeout=10)
    body = json.dumps({"model": "tuned-model", "messages": ASK})
    headers = {"Authorization": f"Bearer {served.app.token}"}
    connection.request("POST", "/v1/chat/completions", body, headers)
    assert inside.wait(10)
    connection.close()
    (exchange,) = served.recorded()
    go_on.set()
    assert (exchange.outcome, exchange.answer, exchange.status) == ("disconnected", None, 0)
    counts = served.app.counts()["tuned"]
    assert (counts.requests, counts.errors, counts.disconnected) == (1, 0, 1)


def test_counts_equal_what_was_sent(serve, tuned, base):
    router = Router("d", "ab_test", tuned, base=base)
    served = serve(router)
    each = 25

    def client(number):
        arms = Counter()
        with served.new_client() as client:
            for i in range(each):
                response = client.chat.completions.with_raw_response.create(
                    model="base-model", messages=ASK, user=f"{number}-{i}", stream=i % 2 == 0
                )
                assert response.parse()
                response.http_response.read()
                arms[response.headers["x-rft-arm"]] += 1
        return arms

    with ThreadPoolExecutor(8) as pool:
        sent = sum(pool.map(client, range(8)), Counter())
    served.server.stop()
    counts = served.app.counts()
    assert {name: count.requests for name, count in counts.items()} == dict(sent)
    assert sum(sent.values()) == 8 * each == len(served.exchanges)
    assert sum(count.streamed for count in counts.values()) == 8 * (each // 2 + 1)
    assert sum(count.errors + count.disconnected for count in counts.values()) == 0
    for name, count in counts.items():
        mine = [e for e in served.exchanges if e.arm == name]
        assert count.latency_s == pytest.approx(sum(e.latency_s for e in mine))
        assert count.estimated_prompt_tokens == 5 * len(mine)
        assert count.estimated_completion_tokens == sum(e.estimated_completion_tokens for e in mine)
        assert {e.answer["content"] for e in mine} <= {
            "tuned: Where is my parcel?", "From upstream.", "From up\u2028stream."
        }  # fmt: skip


def test_the_token_and_the_texts_are_in_no_log(serve, caplog):
    caplog.set_level(logging.DEBUG)
    served = serve()
    served.ask()
    post(served, b"{")
    raw(served, "GET", f"/v1/models?key={served.app.token}", token=False)
    post(served, {"model": "tuned-model", "messages": ASK}, token="wrong-token")
    served.server.stop()
    mine = [r.getMessage() for r in caplog.records if not r.name.startswith(("openai", "http"))]
    assert not [text for text in mine if served.app.token in text or "parcel" in text]
    assert not [text for text in mine if "wrong-token" in text]
    assert served.app.token not in repr(served.app)


def test_calls_whose_clients_left_keep_their_turn(serve, caplog):
    go_on, lock = threading.Event(), threading.Lock()
    now = {"inside": 0, "most": 0, "calls": 0}

    def policy(messages, tools, body):
        with lock:
            now["calls"] += 1
            now["inside"] += 1
            now["most"] = max(now["most"], now["inside"])
        go_on.wait(10)
        with lock:
            now["inside"] -= 1
        raise ValueError(messages)

    served = serve(Router("d", "replace", PolicyArm("tuned", "tuned-model", policy, threads=2)))
    with served.new_client() as client:
        for _ in range(6):
            with pytest.raises(openai.APITimeoutError):
                client.with_options(timeout=0.1).chat.completions.create(
                    model="tuned-model", messages=ASK
                )
    assert len(served.recorded(6)) == 6
    go_on.set()
    until(lambda: now["inside"] == 0)
    assert now["calls"] == now["most"] == 2  # the other four left the queue with their clients
    with pytest.raises(openai.InternalServerError):
        served.ask()
    assert "parcel" not in caplog.text
