"""A comm that keeps what is sent to the page, and speaks for the page."""

from __future__ import annotations

import json
import time
from typing import Any

import comm


class Wire(comm.base_comm.BaseComm):
    """Keeps every message to the page."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.messages: list[dict[str, Any]] = []
        super().__init__(*args, **kwargs)

    def publish_msg(
        self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **_: Any
    ) -> None:
        content = (data or {}).get("content")
        if buffers and isinstance(content, dict) and "ok" in content:  # a packed result, or bytes
            sent = bytes(buffers[0])
            data["content"] = {**content, "value": sent if "raw" in content else json.loads(sent)}
        self.messages.append({"msg_type": msg_type, "data": data or {}, "buffers": buffers})


class Page:
    """What a page does with one widget."""

    def __init__(self, widget: Any) -> None:
        self.widget = widget
        self._ids = 0

    def say(self, content: Any, buffers: tuple[bytes, ...] = ()) -> None:
        self._receive({"method": "custom", "content": content}, buffers)

    def write(self, **state: Any) -> None:
        self._receive({"method": "update", "state": state}, ())

    def call(self, method: str, params: Any = None, **more: Any) -> Any:
        """Call, and give the reply that is there at once."""
        self._ids += 1
        call_id = more.pop("id", f"call-{self._ids}")
        data = more.pop("data", None)
        self.say(
            {"kind": "rft:call", "id": call_id, "method": method, "params": params or {}, **more},
            () if data is None else (data,),
        )
        return self.reply(call_id)

    def ask(self, method: str, params: Any = None, timeout_s: float = 10, **more: Any) -> Any:
        """Call, wait for the reply of a method that works in the background, and give its value."""
        reply = self._answer(method, params, timeout_s, more)
        assert reply["ok"], reply["error"]
        return reply["value"]

    def refused(self, method: str, params: Any = None, timeout_s: float = 10, **more: Any) -> Any:
        """Call, wait for the reply, and give its error."""
        reply = self._answer(method, params, timeout_s, more)
        assert not reply["ok"], f"{method} was not refused: {reply['value']}"
        return reply["error"]

    def _answer(self, method: str, params: Any, timeout_s: float, more: dict[str, Any]) -> Any:
        call_id = f"ask-{self._ids}"
        self.call(method, params, id=call_id, **more)
        ends = time.monotonic() + timeout_s
        while (reply := self.reply(call_id)) is None:
            assert time.monotonic() < ends, f"{method} gave no answer"
            time.sleep(0.005)
        return reply

    def reply(self, call_id: str) -> Any:
        found = [one for one in self.custom() if one.get("id") == call_id]
        return found[-1] if found else None

    def custom(self) -> list[dict[str, Any]]:
        return [
            m["data"]["content"] for m in self._messages() if m["data"].get("method") == "custom"
        ]

    def updates(self) -> list[dict[str, Any]]:
        methods = ("update", "echo_update")
        return [m["data"]["state"] for m in self._messages() if m["data"].get("method") in methods]

    def opened_with(self) -> dict[str, Any]:
        return self._messages()[0]["data"]["state"]

    def _messages(self) -> list[dict[str, Any]]:
        return list(self.widget.comm.messages)

    def _receive(self, data: dict[str, Any], buffers: tuple[bytes, ...]) -> None:
        self.widget.comm.handle_msg(
            {"content": {"data": data, "comm_id": self.widget.comm.comm_id}, "buffers": buffers}
        )
