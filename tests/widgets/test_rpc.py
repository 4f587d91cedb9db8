"""Calls of the page, on real comm messages."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Annotated

import msgspec
import pytest
from widgets.wire import Page

from rft_widgets.errors import InvalidArgument
from rft_widgets.widgets import rpc


class Calculator(rpc.Answers):
    def __init__(self) -> None:
        self.released = threading.Event()
        self.stopped = threading.Event()
        super().__init__()

    @rpc.method()
    def add(self, a: int, b: Annotated[int, msgspec.Meta(le=10)] = 1) -> int:
        return a + b

    @rpc.method()
    def refuse(self) -> None:
        raise InvalidArgument("Not this.", hint="Try that.")

    @rpc.method()
    def fail(self) -> None:
        raise RuntimeError("/home/somebody/secret.txt")

    @rpc.method(background=True)
    def wait(self, cancelled: Callable[[], bool]) -> str:
        while not cancelled() and not self.released.wait(0.01):
            pass
        if cancelled():
            self.stopped.set()
        return "done"

    @rpc.method(packed=True)
    def rows(self, n: int) -> list[int]:
        return list(range(n))

    @rpc.method()
    def weigh(self, unit: str, data: bytes) -> str:
        return f"{len(data)} {unit}"

    def hidden(self) -> str:
        return "not for the page"


@pytest.fixture
def calculator():
    made = Calculator()
    yield made
    made.released.set()
    made.close()


def test_values_and_defaults(calculator):
    page = Page(calculator)
    assert page.call("add", {"a": 2, "b": 3}) == {
        "kind": "rft:result", "id": "call-1", "ok": True, "value": 5,
    }  # fmt: skip
    assert page.call("add", {"a": 2})["value"] == 3


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("add", {}, "invalid_params"),
        ("add", {"a": "2"}, "invalid_params"),
        ("add", {"a": True}, "invalid_params"),
        ("add", {"a": 1, "b": 11}, "invalid_params"),
        ("add", {"a": 1, "c": 1}, "invalid_params"),
        ("hidden", {}, "unknown_method"),
        ("__init__", {}, "unknown_method"),
        ("close", {}, "unknown_method"),
        ("refuse", {}, "invalid_argument"),
        ("fail", {}, "internal"),
    ],
)
def test_errors_are_values(calculator, method, params, code):
    reply = Page(calculator).call(method, params)
    assert reply["ok"] is False
    assert reply["error"]["code"] == code
    assert "secret" not in str(reply)
    if code == "invalid_argument":
        assert reply["error"] == {"code": code, "message": "Not this.", "hint": "Try that."}


@pytest.mark.parametrize(
    "content",
    [
        None, 3, "x", [], {}, {"kind": "rft:other"}, {"kind": "rft:call", "id": "1"},
        {"kind": "rft:call", "id": "", "method": "add"},
        {"kind": "rft:call", "id": "x" * 65, "method": "add"},
        {"kind": "rft:call", "id": "1", "method": "add", "params": []},
        {"kind": "rft:call", "id": "1", "method": "add", "params": {}, "more": 1},
        {"kind": "rft:cancel", "id": "unknown"},
    ],
)  # fmt: skip
def test_what_is_no_call_is_not_answered(calculator, content):
    page = Page(calculator)
    page.say(content)
    assert page.custom() == []
    assert page.call("add", {"a": 1})["ok"]


def test_sizes_are_capped(calculator):
    page = Page(calculator)
    assert page.call("add", {"a": "x" * rpc.MAX_CALL_BYTES})["error"]["code"] == "too_large"
    page.say({"kind": "rft:call", "id": "b", "method": "add", "params": {"a": 1}}, (b"x",))
    assert page.reply("b")["error"]["code"] == "too_large"


def test_large_results_come_as_a_buffer(calculator):
    page = Page(calculator)
    assert page.call("rows", {"n": 3})["value"] == [0, 1, 2]
    (message,) = [m for m in calculator.comm.messages if m["buffers"]]
    assert bytes(message["buffers"][0]) == b"[0,1,2]"
    assert page.call("rows", {"n": "3"})["error"]["code"] == "invalid_params"


def test_bytes_come_beside_a_call_that_takes_them(calculator):
    page = Page(calculator)
    assert page.call("weigh", {"unit": "bytes"}, data=b"12345")["value"] == "5 bytes"
    assert page.call("weigh", {"unit": "bytes"})["value"] == "0 bytes"
    assert page.call("add", {"a": 1}, data=b"1")["error"]["code"] == "too_large"
    assert page.call("weigh", {"unit": "b", "data": "x"})["error"]["code"] == "invalid_params"
    too_much = bytes(rpc.MAX_DATA_BYTES + 1)
    assert page.call("weigh", {"unit": "bytes"}, data=too_much)["error"]["code"] == "too_large"


def test_background_calls_are_cancelled_and_bounded(calculator):
    page = Page(calculator)
    ids = [f"w{i}" for i in range(rpc.MAX_AT_WORK)]
    assert all(page.call("wait", id=one) is None for one in ids)
    assert page.call("wait", id="more")["error"]["code"] == "busy"
    assert page.call("add", {"a": 1})["ok"], "the channel is free meanwhile"
    page.say({"kind": "rft:cancel", "id": ids[0]})
    assert calculator.stopped.wait(2)
    calculator.released.set()
    for thread in threading.enumerate():
        if thread.name.startswith("rft-call"):
            thread.join(2)
    assert page.reply(ids[0])["error"]["code"] == "cancelled"
    assert [page.reply(one)["value"] for one in ids[1:]] == ["done"] * 3


def test_events_are_numbered_whoever_sends_them(calculator):
    threads = [
        threading.Thread(target=lambda: [calculator.emit("tick", {"n": n}) for n in range(50)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    events = [one for one in Page(calculator).custom() if one["kind"] == "rft:event"]
    assert [one["seq"] for one in events] == list(range(1, 201))
