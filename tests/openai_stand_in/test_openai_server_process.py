"""The stand-in server as a process: its log, its clients in other languages, its end."""

import json
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest
from openai_stand_in.sdk_client import asked, connected

from rft_widgets.errors import RftError
from rft_widgets.testing.openai_server import main
from rft_widgets.testing.process import server_process

STARTS = """
import subprocess, sys, time
command = [sys.executable, "-m", "rft_widgets.testing.openai_server", "--with-parent"]
print(subprocess.Popen(command, stdin=subprocess.PIPE).pid, flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    log = tmp_path_factory.mktemp("stand_in") / "requests.jsonl"
    with server_process(log=log, latency_ms=20, faults={"500": 1.0}, seed=1) as one:
        yield one


def test_a_request_is_in_the_log_before_its_answer_comes(process):
    with connected(process) as client:
        models = client.models.list()  # faults are for what is paid
        with pytest.raises(Exception, match="500"):
            asked(client)
    assert next(iter(models)).id == "scripted-stand-in"
    assert [(one.path, one.status, one.fault) for one in process.requests] == [
        ("/v1/models", 200, None),
        ("/v1/chat/completions", 500, "500"),
    ]
    assert process.requests[1].body["messages"][0]["role"] == "user"
    assert process.paid == []


def test_it_speaks_http_to_any_client(process):
    host, port = process.base_url.split("/")[2].split(":")
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        body = json.dumps({"model": "m", "input": "a"}).encode()
        head = b"POST /v1/embeddings HTTP/1.1\r\nHost: x\r\n"
        # In chunks, in two parts, and with the next request right behind.
        raw.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n5\r\n" + body[:5])
        time.sleep(0.05)
        rest = body[5:]
        raw.sendall(b"\r\n%x;note\r\n%b\r\n0\r\n\r\n" % (len(rest), rest))
        raw.sendall(b"GET /v1/models HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answers = b"".join(iter(lambda: raw.recv(65536), b""))
    assert answers.count(b"HTTP/1.1 500 ") == 1
    assert answers.count(b"HTTP/1.1 200 ") == 1
    assert answers.index(b" 500 ") < answers.index(b" 200 ")
    for nonsense in (b"hello\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: -4\r\n\r\n",
                     b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000):  # fmt: skip
        with socket.create_connection((host, int(port)), timeout=10) as raw:
            raw.sendall(nonsense)
            assert raw.recv(65536).startswith(b"HTTP/1.1 400 ")
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        raw.sendall(b"GET /v1/models/../x HTTP/1.1\r\n\r\n")
        assert raw.recv(65536).startswith(b"HTTP/1.1 404 ")


def test_it_ends_with_whoever_started_it_however_that_ends():
    starter = subprocess.Popen([sys.executable, "-c", STARTS], stdout=subprocess.PIPE)
    try:
        server = psutil.Process(int(starter.stdout.readline()))
        starter.send_signal(signal.SIGKILL)
        starter.wait(10)
        assert server.wait(10) in (0, None)
    finally:
        starter.kill()
        starter.stdout.close()
        starter.wait()


def test_wrong_options_are_said(capfd):
    assert main(["--faults", '{"418": 1}']) == 2
    assert "no fault '418'" in capfd.readouterr().err
    assert main(["--faults", "{"]) == 2
    assert main(["--key-env", "RFT_NO_SUCH_KEY"]) == 2
    with pytest.raises(RftError, match="did not start"), server_process(faults={"418": 1}):
        pass
