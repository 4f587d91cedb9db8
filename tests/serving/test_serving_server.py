"""Starting and stopping: threads, notebooks, ports, signals."""

import asyncio
import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import openai
import pytest
from served import ASK, echo

from rft_widgets.errors import InvalidArgument, RftError, ServingFailed
from rft_widgets.serving.app import Endpoint
from rft_widgets.serving.arms import PolicyArm
from rft_widgets.serving.router import Router
from rft_widgets.serving.server import Server


@pytest.fixture
def app(tuned):
    return Endpoint(Router("d", "replace", tuned))


def health(server):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{server.url}/healthz", timeout=5) as response:
        return json.load(response)


def test_start_and_stop(app):
    server = Server(app)
    assert not server.running
    with server:
        assert server.running
        assert server.port > 0
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert server.base_url == f"{server.url}/v1"
        port = server.port
        server.start()  # once is enough
        assert server.port == port
        assert health(server) == {"status": "ok"}
    assert not server.running
    server.stop()
    with pytest.raises(OSError):
        health(server)


def test_it_can_be_started_again(serve, tuned, base):
    served = serve(Router("d", "new_endpoint", tuned, base=base))
    assert {served.arm(), served.arm(model="base-model")} == {"tuned", "base"}
    served.server.stop()
    served.server.start()
    with served.new_client() as client:
        for model in ("tuned-model", "base-model"):
            assert client.chat.completions.create(model=model, messages=ASK).choices
    served.server.stop()
    assert sum(c.requests for c in served.app.counts().values()) == 4 == len(served.exchanges)


def test_within_a_running_event_loop(app):
    async def notebook():
        with Server(app) as server:
            client = openai.AsyncOpenAI(
                base_url=server.base_url,
                api_key=app.token,
                max_retries=0,
                http_client=openai.DefaultAsyncHttpxClient(trust_env=False),
            )
            async with client:
                answers = await asyncio.gather(
                    *(
                        client.chat.completions.create(model="tuned-model", messages=ASK)
                        for _ in range(5)
                    )
                )
            return {answer.choices[0].message.content for answer in answers}

    assert asyncio.run(notebook()) == {"tuned: Where is my parcel?"}


def test_it_leaves_signals_threads_and_logging_alone(app):
    signals = {s: signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)}
    with Server(app) as server:
        health(server)
        assert {s: signal.getsignal(s) for s in signals} == signals
    assert not [t for t in threading.enumerate() if t.name.startswith("rft-")]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.com", ""])
def test_the_network_must_be_asked_for(tuned, app, host):
    with pytest.raises(InvalidArgument, match="Other machines"):
        Server(app, host=host)
    with pytest.raises(InvalidArgument, match="no name"):
        Server(app, host=host, allow_network=True)


def test_the_network_asked_for(tuned):
    app = Endpoint(Router("d", "replace", tuned), hosts=["my-host", "127.0.0.1"])
    with Server(app, host="0.0.0.0", allow_network=True) as server:
        for host, status in (("my-host", 401), ("localhost", 403)):
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
            connection.request("GET", "/v1/models", headers={"Host": host})
            assert connection.getresponse().status == status
            connection.close()


def test_other_names_of_this_machine(app):
    hosts = ["localhost"]
    if socket.has_ipv6 and Path("/proc/net/if_inet6").exists():
        hosts.append("::1")
    for host in hosts:
        with Server(app, host=host) as server:
            assert health(server) == {"status": "ok"}


def test_a_port_that_is_taken(app):
    with Server(app) as server, pytest.raises(ServingFailed, match=str(server.port)) as taken:
        Server(app, port=server.port).start()
    assert isinstance(taken.value, RftError)
    with pytest.raises(ServingFailed, match="Cannot listen on 192"):
        Server(Endpoint(app.router, hosts=["a"]), host="192.0.2.7", allow_network=True).start()
    for port in (-1, 65536):
        with pytest.raises(InvalidArgument, match="no port"):
            Server(app, port=port)


def test_stopping_lets_a_stream_end(serve, upstream, base):
    served = serve(Router("d", "replace", base))
    upstream.fault = "gated"
    create = served.client.chat.completions.create
    stream = create(model="base-model", messages=ASK, stream=True)
    next(stream)
    idle = http.client.HTTPConnection("127.0.0.1", served.server.port, timeout=5)
    idle.connect()
    with ThreadPoolExecutor() as pool:
        stopped = pool.submit(served.server.stop)
        time.sleep(0.5)
        assert not stopped.done()
        # Nobody new is let in.
        with served.new_client() as late, pytest.raises(openai.APIConnectionError):
            late.chat.completions.create(model="base-model", messages=ASK)
        upstream.go_on.set()
        assert "".join(c.choices[0].delta.content or "" for c in stream) == "From up\u2028stream."
        stopped.result(10)
    idle.close()
    assert [e.outcome for e in served.exchanges] == ["completed"]


def test_stopping_cuts_off_what_does_not_end(serve, upstream, base):
    served = serve(Router("d", "replace", base), grace_s=1)
    upstream.fault = "endless"
    create = served.client.chat.completions.create
    stream = create(model="base-model", messages=ASK, stream=True)
    next(stream)
    began = time.monotonic()
    served.server.stop()
    assert time.monotonic() - began < 5
    with pytest.raises(Exception, match=r"(?i)peer closed|incomplete|connection"):
        list(stream)
    assert upstream.client_left.wait(5)
    assert [e.outcome for e in served.exchanges] == ["stopped"]


def test_stopping_does_not_wait_for_a_hung_policy(serve):
    inside, go_on = threading.Event(), threading.Event()

    def policy(messages, tools, body):
        inside.set()
        go_on.wait(30)
        return echo(messages, tools, body)

    served = serve(Router("d", "replace", PolicyArm("tuned", "tuned-model", policy)), grace_s=1)
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(served.ask)
        assert inside.wait(10)
        began = time.monotonic()
        served.server.stop()
        assert time.monotonic() - began < 5
        assert isinstance(asked.exception(10), openai.APIError)
        go_on.set()
    assert [e.outcome for e in served.exchanges] == ["stopped"]


def test_a_closing_endpoint_refuses_in_words(serve):
    served = serve()
    served.app.refuse_new()
    with pytest.raises(openai.InternalServerError) as closing:
        served.ask()
    assert (closing.value.status_code, closing.value.code) == (503, "shutting_down")


FOREGROUND = """
import sys
sys.path.insert(0, {folder!r})
from rft_widgets.serving.app import Endpoint
from rft_widgets.serving.arms import Answer, PolicyArm
from rft_widgets.serving.router import Router
from rft_widgets.serving.server import Server

record = lambda exchange: print("recorded", exchange.outcome, flush=True)
arm = PolicyArm("tuned", "tuned-model", lambda *_: Answer({{"content": "hi"}}))
app = Endpoint(Router("d", "replace", arm), record=record, token="t")
server = Server(app, port={port})
server.serve()
print("stopped", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_in_the_foreground(number):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = FOREGROUND.format(folder=str(Path.cwd()), port=port)
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        client = openai.OpenAI(
            base_url=f"http://127.0.0.1:{port}/v1", api_key="t", max_retries=0,
            http_client=openai.DefaultHttpxClient(trust_env=False),
        )  # fmt: skip
        with client:
            for _ in range(200):
                try:
                    client.chat.completions.create(model="tuned-model", messages=ASK)
                    break
                except openai.APIConnectionError:
                    time.sleep(0.05)
        process.send_signal(number)
        out, err = process.communicate(timeout=15)
    finally:
        process.kill()
    assert out.decode().split() == ["recorded", "completed", "stopped"], err.decode()
    assert (process.returncode, err) == (0, b"")
