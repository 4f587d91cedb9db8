"""A page's connection stays open while the page answers, and is closed when it is gone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tornado import httpserver, netutil, web, websocket

pytest.importorskip("voila")

from jupyter_server.base.websocket import WebSocketMixin

from rft_widgets.server.channels import MISSED_PINGS, KeepsOpen

INTERVAL_S = 0.05


class Socket(KeepsOpen, WebSocketMixin, websocket.WebSocketHandler):
    """As the app's, without a kernel behind it."""

    log = logging.getLogger("test")

    def prepare(self) -> None:
        """Let everybody in."""

    def on_message(self, message: Any) -> None:
        self.write_message(message)


@asynccontextmanager
async def serving() -> AsyncIterator[int]:
    interval = INTERVAL_S * 1e3
    app = web.Application([("/", Socket)], ws_ping_interval=interval, ws_ping_timeout=interval)
    server = httpserver.HTTPServer(app)
    (listening,) = netutil.bind_sockets(0, "127.0.0.1")
    server.add_socket(listening)
    try:
        yield listening.getsockname()[1]
    finally:
        server.stop()
        await server.close_all_connections()


def test_a_page_that_answers_keeps_its_connection():
    async def talk() -> None:
        async with serving() as port:
            page = await websocket.websocket_connect(f"ws://127.0.0.1:{port}/")
            for n in range(30):
                await page.write_message(str(n))
                assert await page.read_message() == str(n)
                await asyncio.sleep(INTERVAL_S / 2)
            page.close()

    asyncio.run(asyncio.wait_for(talk(), 20))


def test_a_page_that_is_silent_is_let_go_after_some_pings():
    async def listen() -> float:
        async with serving() as port:
            reading, writing = await asyncio.open_connection("127.0.0.1", port)
            writing.write(
                b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            )
            await reading.readuntil(b"\r\n\r\n")
            began = asyncio.get_running_loop().time()
            pings = 0
            while (await reading.readexactly(2))[0] & 0x0F == 9:  # until it is no ping but a close
                pings += 1
            took = asyncio.get_running_loop().time() - began
            writing.close()
            assert pings >= MISSED_PINGS
            return took

    took = asyncio.run(asyncio.wait_for(listen(), 20))
    assert took > MISSED_PINGS * INTERVAL_S
