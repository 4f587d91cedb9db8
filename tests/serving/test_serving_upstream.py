"""The arm behind another server: what goes there, what comes back, and what goes wrong."""

import json
import socket
import threading

import openai
import pytest
from loopback import EVENTS, completion
from served import ASK, post, raw, until

from rft_widgets.errors import InvalidArgument
from rft_widgets.serving.router import Router
from rft_widgets.serving.upstream import UpstreamArm

KEY = "sk-of-the-operator"


@pytest.fixture
def forward(serve, upstream, monkeypatch):
    """An endpoint all of whose traffic goes to the upstream."""
    monkeypatch.setenv("TEST_UPSTREAM_KEY", KEY)

    def start(**options):
        settings = {"upstream_model": "up", "api_key_env": "TEST_UPSTREAM_KEY", "timeout_s": 5}
        url = options.pop("base_url", upstream.base_url)
        arm = UpstreamArm("tuned", "tuned-model", url, **settings | options)
        return serve(Router("dep-1", "replace", arm))

    return start


def body(**more):
    return {"model": "tuned-model", "messages": ASK} | more


# What goes there and comes back -----------------------------------------------------------------


def test_an_answer_passes_byte_for_byte(forward, upstream):
    served = forward()
    data = json.dumps(body(user="alice", x_own={"a": [1]})).encode()
    headers = {"X-User-Id": "alice", "Cookie": "a=b", "X-Own": "1", "OpenAI-Organization": "org"}
    for _ in range(2):
        status, got, content = raw(served, "POST", "/v1/chat/completions", data, headers)
        assert (status, content) == (200, completion())
        assert (got["x-rft-arm"], got["x-request-id"]) == ("tuned", "r-1")
        assert "set-cookie" not in got
        assert "x-rft-usage" not in got
        path, sent, asked = upstream.seen[-1]
        assert path == "/v1/chat/completions"
        assert asked == body(model="up", user="alice", x_own={"a": [1]})
        assert sent["Authorization"] == f"Bearer {KEY}"
        assert {name.lower() for name in sent} <= {
            "host", "accept", "accept-encoding", "connection", "content-length", "content-type",
            "user-agent", "authorization",
        }  # fmt: skip
        assert served.app.token not in str(sent)
    exchange = served.recorded(2)[0]
    assert exchange.answer == {"role": "assistant", "content": "From upstream."}
    assert (exchange.finish_reason, exchange.outcome) == ("stop", "completed")
    assert (exchange.model, exchange.estimated_completion_tokens) == ("tuned-model", 4)


def test_a_stream_passes_byte_for_byte(forward, upstream):
    served = forward()
    data = json.dumps(body(stream=True, stream_options={"include_usage": True})).encode()
    status, headers, content = raw(served, "POST", "/v1/chat/completions", data)
    assert (status, content) == (200, b"".join(EVENTS))
    assert headers["content-type"] == "text/event-stream"
    assert upstream.seen[-1][2]["stream_options"] == {"include_usage": True}
    (exchange,) = served.recorded()
    assert exchange.answer == {"role": "assistant", "content": "From up\u2028stream."}
    assert (exchange.finish_reason, exchange.streamed) == ("stop", True)


def test_a_stream_passes_as_it_comes(forward, upstream):
    served = forward()
    upstream.fault = "gated"
    stream = served.client.chat.completions.create(stream=True, **body())
    assert next(stream).choices[0].delta.role == "assistant"
    assert next(stream).choices[0].delta.content == "From "
    assert not upstream.go_on.is_set()
    upstream.go_on.set()
    assert next(stream).choices[0].delta.content == "up\u2028stream."
    stream.close()


def test_the_key_is_read_at_every_call(forward, upstream, monkeypatch):
    served = forward()
    monkeypatch.setenv("TEST_UPSTREAM_KEY", "sk-new")
    served.ask()
    assert upstream.seen[-1][1]["Authorization"] == "Bearer sk-new"
    for bad in ("", "ключ", "a\nb"):
        monkeypatch.setenv("TEST_UPSTREAM_KEY", bad)
        status, _, content = post(served, body())
        assert (status, content["error"]["code"]) == (502, "upstream_key_missing")
        assert "TEST_UPSTREAM_KEY" in content["error"]["message"]
    assert len(upstream.seen) == 1
    assert KEY not in repr(served.app.router.tuned)


def test_the_environment_names_no_proxy(forward, upstream, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://192.0.2.1:9")
    assert forward().arm() == "tuned"


@pytest.mark.parametrize(
    "url",
    ["http://example.com/v1", "ftp://127.0.0.1/v1", "https://user:pw@example.com/v1",
     "https://example.com/v1?key=a", "http://127.0.0.1.evil.example/v1", "example.com", ""],
)  # fmt: skip
def test_a_key_is_not_sent_just_anywhere(url):
    with pytest.raises(InvalidArgument):
        UpstreamArm("base", "m", url)


def test_timeouts_are_above_zero(upstream):
    with pytest.raises(InvalidArgument, match="timeout"):
        UpstreamArm("base", "m", upstream.base_url, timeout_s=0)


# What goes wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "status", "code", "says"),
    [
        ("500", 502, "upstream_error", "HTTP 500"),
        ("503", 502, "upstream_error", "HTTP 503"),
        ("204", 502, "upstream_error", "HTTP 204"),
        ("400", 400, "odd", "no: ***"),
        ("422", 422, "odd", "no: ***"),
        ("413", 413, "odd", "no: ***"),
        ("401", 502, "upstream_key_refused", "key"),
        ("403", 502, "upstream_key_refused", "key"),
        ("404", 404, "model_not_found", "not know the model"),
        ("429", 429, "upstream_busy", "no more requests"),
        ("redirect", 502, "upstream_redirect", "redirect"),
        ("slow", 504, "upstream_timeout", "0.3 s"),
        ("drip", 504, "upstream_timeout", "0.3 s"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_an_upstream_that_does_not_answer(forward, upstream, fault, status, code, says, stream):
    served = forward(timeout_s=0.3)
    upstream.fault = fault
    got, headers, content = post(served, body(stream=stream))
    error = content["error"]
    assert (got, error["code"]) == (status, code)
    assert says in error["message"]
    assert KEY not in str(content)
    assert error["param"] == {"odd": "top_p", "model_not_found": "model"}.get(code)
    assert headers.get("retry-after") == ("7" if status == 429 else None)
    assert headers["x-rft-arm"] == "tuned"
    assert len(upstream.seen) == 1  # one attempt
    (exchange,) = served.recorded()
    assert (exchange.outcome, exchange.error, exchange.status) == ("failed", code, status)
    if status == 504:
        assert upstream.client_left.wait(10)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("html", "upstream_invalid"),
        ("gzip", "upstream_invalid"),
        ("choices_null", "upstream_invalid"),
        ("cut", "upstream_unreachable"),
    ],
)
def test_an_answer_that_is_none(forward, upstream, fault, code, stream):
    served = forward()
    upstream.fault = fault
    got, _, content = post(served, body(stream=stream))
    assert (got, content["error"]["code"]) == (502, code)


def test_an_answer_that_is_too_large(forward, upstream, monkeypatch):
    monkeypatch.setattr("rft_widgets.serving.upstream.MAX_ANSWER_BYTES", 100)
    monkeypatch.setattr("rft_widgets.serving.upstream._content.__defaults__", (100,))
    got, _, content = post(forward(), body())
    assert (got, content["error"]["code"]) == (502, "upstream_invalid")


def test_an_upstream_that_is_down(forward):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}/v1"
    served = forward(base_url=url)
    with pytest.raises(openai.InternalServerError) as down:
        served.ask()
    assert (down.value.status_code, down.value.code) == (502, "upstream_unreachable")


@pytest.mark.parametrize("fault", ["truncated", "ends_early"])
def test_a_stream_that_breaks_off_between_events(forward, upstream, fault):
    served = forward()
    upstream.fault = fault
    stream = served.client.chat.completions.create(stream=True, **body())
    got = []
    with pytest.raises(openai.APIError, match="broke off") as broken:
        got.extend(iter_into(stream, got))
    assert broken.value.code == "upstream_truncated"
    assert [c.choices[0].delta.content for c in got] == ["", "From "]
    (exchange,) = served.recorded()
    assert (exchange.outcome, exchange.error) == ("failed", "upstream_truncated")
    assert exchange.answer["content"] == "From "


def iter_into(stream, got):
    for chunk in stream:
        got.append(chunk)
    return ()


def test_a_stream_that_breaks_off_within_an_event(forward, upstream):
    served = forward()
    upstream.fault = "mid_event"
    stream = served.client.chat.completions.create(stream=True, **body())
    got = []
    with pytest.raises(Exception, match=r"(?i)peer closed|incomplete|connection"):
        iter_into(stream, got)
    assert len(got) == 2
    assert served.recorded()[0].error == "upstream_truncated"
    assert served.exchanges[0].answer["content"] == "From "


def test_a_stream_that_breaks_off_at_once(forward, upstream):
    served = forward()
    upstream.fault = "no_chunk"
    got, _, content = post(served, body(stream=True))
    assert (got, content["error"]["code"]) == (502, "upstream_truncated")


def test_a_stream_that_goes_silent(forward, upstream):
    served = forward(timeout_s=0.3)
    upstream.fault = "endless"
    stream = served.client.chat.completions.create(stream=True, **body())
    with pytest.raises(openai.APIError, match=r"no answer in 0\.3 s"):
        list(stream)
    assert upstream.client_left.wait(10)


# Clients that leave -----------------------------------------------------------------------------


def test_a_client_that_leaves_a_stream_ends_the_call(forward, upstream):
    served = forward(timeout_s=60)
    upstream.fault = "endless"
    stream = served.client.chat.completions.create(stream=True, **body())
    next(stream)
    assert upstream.waits.wait(10)
    stream.response.close()
    assert upstream.client_left.wait(10)
    (exchange,) = served.recorded()
    assert (exchange.outcome, exchange.answer["content"]) == ("disconnected", "From ")


def test_a_client_that_leaves_while_it_waits_ends_the_call(forward, upstream):
    served = forward(timeout_s=60)
    upstream.fault = "slow"
    with served.new_client() as client:
        asked = client.with_options(timeout=0.3)
        with pytest.raises(openai.APITimeoutError):
            asked.chat.completions.create(**body())
    assert upstream.client_left.wait(10)
    assert served.recorded()[0].outcome == "disconnected"


def test_many_streams_at_once(forward, upstream):
    served = forward(timeout_s=20)
    upstream.fault = "gated"
    results = []

    def listen():
        stream = served.client.chat.completions.create(stream=True, **body())
        results.append("".join(c.choices[0].delta.content or "" for c in stream))

    threads = [threading.Thread(target=listen) for _ in range(50)]
    for thread in threads:
        thread.start()
    until(lambda: len(upstream.seen) == 50)  # none waits for another
    upstream.go_on.set()
    for thread in threads:
        thread.join(20)
    assert results == ["From up\u2028stream."] * 50
