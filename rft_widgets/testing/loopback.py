"""A server on this machine whose answers a function gives, in a thread while it is entered."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

from msgspec import Struct

from rft_widgets.testing.wire import Connection, HttpRequest, HttpResponse
from rft_widgets.web import url_of

HOST = "127.0.0.1"
_BACKLOG = 256


class Seen(Struct, frozen=True):
    """A request that came: how, and at which path."""

    method: str
    path: str


class _Fault(Struct):
    name: str
    path: str
    after: int


class Loopback:
    """Serves what a subclass answers; one request at a time, in the server's thread.

    A subclass defines `reply`. Faults are queued by name with `queue`: a status such as ``503`` is
    answered instead of doing anything, ``lost`` does what was asked and cuts the connection before
    the answer; any other name is the subclass's, which asks for it with `fault`.
    """

    def __init__(self, *, port: int = 0) -> None:
        self._port = port
        self._faults: deque[_Fault] = deque()
        self.seen: list[Seen] = []
        self._thread = threading.Thread(target=self._serve, name="loopback", daemon=True)
        self._socket: socket.socket
        self._loop: asyncio.AbstractEventLoop
        self._stop = asyncio.Event()

    def reply(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        raise NotImplementedError

    def refusal(self, status: int, words: str) -> HttpResponse:
        """An error as the service words it."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._socket = socket.create_server((HOST, self._port), backlog=_BACKLOG)
        self._port = self._socket.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    @property
    def url(self) -> str:
        """Where it is, without a path."""
        return url_of(HOST, self._port)

    def queue(self, *names: str, path: str = "", times: int = 1, after: int = 0) -> None:
        """Have the next requests go wrong, one each; of those whose path holds ``path``.

        So many of them as ``after`` says go well before.
        """
        self._faults.extend(_Fault(name, path, after) for name in names for _ in range(times))

    def forgive(self) -> None:
        """Forget the faults that are still to come."""
        self._faults.clear()

    def fault(self, path: str, *names: str) -> str:
        """The fault that is next for a path, which is used up with that; empty for none."""
        for one in tuple(self._faults):
            if one.path not in path or (names and one.name not in names):
                continue
            if one.after:
                one.after -= 1
                continue
            self._faults.remove(one)
            return one.name
        return ""

    def wait_for(self, is_so: Callable[[], bool], timeout_s: float = 30.0) -> None:
        """Wait until something is so.

        Raises
        ------
        TimeoutError
            It is not within the time.
        """
        until = time.monotonic() + timeout_s
        while not is_so():
            if time.monotonic() > until:
                raise TimeoutError(f"Nothing of it within {timeout_s:g} s.")
            time.sleep(0.01)

    # What a connection asks -----------------------------------------------------------------------

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer at once."""
        self.seen.append(Seen(request.method, request.path))
        name = self.fault(request.path, "429", "500", "502", "503", "lost")
        if name.isdigit():
            return self.refusal(int(name), "A fault on demand.")
        response = self.reply(request)
        if name == "lost":
            response.cut_at = 0
        return response

    def send(self, response: HttpResponse, write: Callable[[], None]) -> Callable[[], None]:
        """Have a response written after its seconds."""
        wait = 0.0 if response.after_s is None else response.after_s
        return self._loop.call_later(wait, write).cancel

    def done(self) -> None:
        """Nobody counts here."""

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        with contextlib.closing(self._loop):
            self._loop.run_until_complete(self._listen())

    async def _listen(self) -> None:
        connections: set[Connection] = set()
        server = await self._loop.create_server(
            lambda: Connection(self, connections), sock=self._socket, backlog=_BACKLOG
        )
        await self._stop.wait()
        server.close()
        for one in tuple(connections):
            one.abort()
        await server.wait_closed()
        await asyncio.sleep(0)  # connections hear of their end
