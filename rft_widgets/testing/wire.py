"""HTTP/1.1 of the stand-in server: just enough, and quick. Keep-alive, chunks, cut connections."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from msgspec import Struct, json

MAX_HEAD = 64 * 1024
MAX_BODY = 512 * 1024 * 1024
_END = b"\r\n\r\n"
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


class HttpRequest(Struct, frozen=True):
    """A request as it came; names of headers are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class HttpResponse(Struct, kw_only=True):
    """What is sent, and how.

    Attributes
    ----------
    after_s
        Seconds before the first byte; ``None`` for never.
    pieces
        Sent one after the other instead of ``body``, each after its seconds.
    chunked
        Whether the pieces go out as chunks; otherwise they make up the body.
    cut_at
        Bytes of the body after which the connection is cut.
    lost
        Called when the client did not get all of it.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = {}
    after_s: float | None = 0.0
    pieces: Sequence[tuple[float, bytes]] = ()
    chunked: bool = False
    cut_at: int | None = None
    lost: Callable[[], None] | None = None


def json_response(value: Any, status: int = 200, **more: Any) -> HttpResponse:
    """A response that carries a value."""
    return HttpResponse(status=status, body=json.encode(value), **more)


class Service(Protocol):
    """What answers the requests of all connections."""

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer at once; the connection waits as long as the response says."""

    def send(self, response: HttpResponse, write: Callable[[], None]) -> Callable[[], None]:
        """Have a response written when its time has come; gives back what calls it off."""

    def done(self) -> None:
        """Hear that a request has its answer, or that nobody waits for it any more."""


class BadRequest(Exception):  # noqa: N818 - what the client sent
    """What came is not HTTP."""


class Connection(asyncio.Protocol):
    """One client's connection. What it sends ahead waits until its answer has gone out."""

    def __init__(self, service: Service, open_connections: set[Connection]) -> None:
        self._service = service
        self._open = open_connections
        self._buffer = bytearray()
        self._transport: asyncio.Transport
        self._busy = self._closes = self._continued = False
        self._call_off: Callable[[], None] = _nothing
        self._lost: Callable[[], None] = _nothing

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP, for the type checker
        self._transport = transport
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        """End; nobody waits for the answer any more."""
        self._open.discard(self)
        if self._busy:
            self._lost()
        self._end()

    def abort(self) -> None:
        """Cut the connection."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self._buffer += data
        if not self._busy:
            self._next()

    def _next(self) -> None:
        try:
            request = self._parse()
        except BadRequest as error:
            problem = {"error": {"message": str(error), "type": "invalid_request_error"}}
            self._closes = True
            self._write(json_response(problem, 400))
            return
        if request is None:
            return
        self._busy = True
        self._closes = request.headers.get("connection", "").lower() == "close"
        response = self._service.answer(request)
        self._lost = response.lost or _nothing
        self._call_off = self._service.send(response, lambda: self._write(response))

    def _parse(self) -> HttpRequest | None:
        """The next request; ``None`` while it is not there as a whole."""
        buffer = self._buffer
        end = buffer.find(_END)
        if end < 0 or end > MAX_HEAD:
            if len(buffer) > MAX_HEAD:
                raise BadRequest("the head is too long")
            return None
        first, *lines = bytes(buffer[:end]).decode("latin-1").split("\r\n")
        method, _, rest = first.partition(" ")
        target, _, version = rest.rpartition(" ")
        if not version.startswith("HTTP/1."):
            raise BadRequest("not HTTP/1.1")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        start = end + len(_END)
        if headers.get("expect", "").lower() == "100-continue" and not self._continued:
            self._continued = True
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if headers.get("transfer-encoding", "").lower() == "chunked":
            found = _dechunk(buffer, start)
            if found is None:
                return None
            body, stop = found
        else:
            length = headers.get("content-length", "0")
            if not length.isdigit() or int(length) > MAX_BODY:
                raise BadRequest("the length is not one")
            stop = start + int(length)
            if len(buffer) < stop:
                return None
            body = bytes(buffer[start:stop])
        del buffer[:stop]
        self._continued = False
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query)) if parts.query else {}
        return HttpRequest(method, unquote(parts.path), query, headers, body)

    def _write(self, response: HttpResponse) -> None:
        pieces = response.pieces
        length = sum(len(piece) for _, piece in pieces) if pieces else len(response.body)
        head = [f"HTTP/1.1 {response.status} {_PHRASES.get(response.status, '')}"]
        head.append(f"Content-Type: {response.content_type}")
        head.append(
            "Transfer-Encoding: chunked" if response.chunked else f"Content-Length: {length}"
        )
        head += [f"{name}: {value}" for name, value in response.headers.items()]
        if self._closes:
            head.append("Connection: close")
        start = ("\r\n".join(head) + "\r\n\r\n").encode("latin-1")
        if response.cut_at is not None and not pieces:
            self._transport.write(start + response.body[: response.cut_at])
            self._transport.close()
        elif pieces:
            self._transport.write(start)
            self._piece(response, 0)
        else:
            self._transport.write(start + response.body)
            self._finish()

    def _piece(self, response: HttpResponse, position: int, sent: int = 0) -> None:
        """Send the pieces one after the other."""
        if response.cut_at is not None and sent >= response.cut_at:
            self._transport.close()
            return
        if position == len(response.pieces):
            if response.chunked:
                self._transport.write(b"0\r\n\r\n")
            self._finish()
            return
        wait, piece = response.pieces[position]

        def send() -> None:
            framed = b"%x\r\n%b\r\n" % (len(piece), piece) if response.chunked else piece
            self._transport.write(framed)
            self._piece(response, position + 1, sent + len(piece))

        if wait > 0:
            self._call_off = asyncio.get_running_loop().call_later(wait, send).cancel
        else:
            send()

    def _finish(self) -> None:
        self._end()
        if self._closes:
            self._transport.close()
        elif self._buffer:
            self._next()

    def _end(self) -> None:
        if self._busy:
            self._busy = False
            self._call_off()
            self._service.done()


def _dechunk(buffer: bytearray, start: int) -> tuple[bytes, int] | None:
    """Body in chunks, and where it ends; ``None`` while it is not there as a whole."""
    body = bytearray()
    while True:
        line = buffer.find(b"\r\n", start)
        if line < 0:
            return None
        try:
            size = int(bytes(buffer[start:line]).partition(b";")[0], 16)
        except ValueError:
            raise BadRequest("a chunk has no size") from None
        start = line + 2
        if len(body) + size > MAX_BODY:
            raise BadRequest("the body is too long")
        if len(buffer) < start + size + 2:
            return None
        body += buffer[start : start + size]
        start += size + 2
        if size == 0:
            return bytes(body), start


def _nothing() -> None:
    """There is nothing to call off, and nobody to tell."""
