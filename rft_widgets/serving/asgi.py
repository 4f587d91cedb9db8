"""The few pieces of ASGI that the endpoint is made of."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping
from typing import Any

import msgspec

from rft_widgets.serving.protocol import RequestFailed

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_BODY_BYTES = 10_000_000
"""Largest request body."""

BODY_TIMEOUT_S = 30.0
"""Longest time that a client may take to send a request body."""


class Disconnected(Exception):  # noqa: N818 - an internal signal
    """The client left before its request was complete."""


def header(scope: Scope, name: str) -> str | None:
    """The value of a request header, or the first one of several."""
    wanted = name.lower().encode()
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == wanted), None)


async def read_body(scope: Scope, receive: Receive) -> bytes:
    """Read the request body.

    Raises
    ------
    RequestFailed
        With status 413 if it is too large, 408 if it is too slow.
    Disconnected
        If the client leaves.
    """
    length = header(scope, "content-length")
    if length is not None and length.isascii() and length.isdigit():
        _check_size(int(length[:20]))
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Disconnected
                body += message.get("body", b"")
                _check_size(len(body))
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        raise RequestFailed(
            408,
            f"The request body was not complete after {BODY_TIMEOUT_S:g} s.",
            code="request_timeout",
            headers={"Connection": "close"},
        ) from None


async def while_connected(receive: Receive, work: Coroutine[Any, Any, None]) -> bool:
    """Do some work to its end, or until the client leaves; whether it came to its end.

    Only for a request whose body has been read. The work has ended when this returns, also when
    this is cancelled itself.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
            return True
        return False
    finally:
        task.cancel()
        gone.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def start(
    send: Send, status: int, content_type: str, headers: Mapping[str, str] | None = None
) -> None:
    """Send the status and the headers of a response."""
    fields = {
        "Content-Type": content_type,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    } | dict(headers or {})
    raw = [(key.lower().encode("latin-1"), text.encode("latin-1")) for key, text in fields.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})


async def send_whole(
    send: Send, status: int, content: bytes, headers: Mapping[str, str] | None = None
) -> None:
    """Send a JSON response."""
    length = {"Content-Length": str(len(content))}
    await start(send, status, "application/json", dict(headers or {}) | length)
    await send({"type": "http.response.body", "body": content})


async def send_failure(
    send: Send, failed: RequestFailed, headers: Mapping[str, str] | None = None
) -> None:
    """Send an error in OpenAI's shape."""
    fields = failed.headers | dict(headers or {})
    await send_whole(send, failed.status, msgspec.json.encode(failed.body), fields)


def _check_size(size: int) -> None:
    if size > MAX_BODY_BYTES:
        raise RequestFailed(
            413,
            f"The request body has more than {MAX_BODY_BYTES:,} bytes.",
            code="request_too_large",
            headers={"Connection": "close"},
        )


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
