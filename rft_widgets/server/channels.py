"""A page's connection to its kernel, kept open for as long as the page is there."""

from __future__ import annotations

from typing import Any, Final

from tornado.ioloop import IOLoop
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

MISSED_PINGS: Final = 3
"""Pings in a row without an answer after which a page counts as gone."""


class KeepsOpen:
    """Pings the other side, and closes the connection when it has been silent for too long.

    Jupyter's handler closes it when the last answer is older than ``ws_ping_timeout``, which is
    looked at just before the next ping, a whole ``ws_ping_interval`` after the last one. So a
    timeout of one interval closes every connection at its first ping, and what is sent meanwhile is
    lost; but tornado warns of any that is longer.
    """

    ws_connection: Any
    ping_callback: Any
    ping_interval: float
    last_ping: float
    last_pong: float

    def send_ping(self) -> None:
        """Ping, or close; called once an interval."""
        if self.ws_connection is None or self.ws_connection.client_terminated:
            self.ping_callback.stop()
            return
        now, interval_s = IOLoop.current().time(), self.ping_interval / 1e3
        # A machine that slept has not pinged: nobody could have answered.
        slept = now - self.last_ping > 2 * interval_s
        if not slept and now - self.last_pong > (MISSED_PINGS + 0.5) * interval_s:
            self.ping_callback.stop()
            self.close(reason="Nothing was heard of the page.")
            return
        self.ping(b"")
        self.last_ping = now

    def ping(self, data: bytes) -> None:
        """Send a ping."""
        super().ping(data)  # type: ignore[misc]

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Close the connection."""
        super().close(code, reason)  # type: ignore[misc]


class Channels(KeepsOpen, VoilaKernelWebsocketHandler):  # type: ignore[misc]
    """A page's connection to its kernel."""
