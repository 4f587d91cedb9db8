"""What every request passes before anything looks at it: its host, its token, and a last net."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import traceback
from collections.abc import Collection

from rft_widgets.errors import InvalidArgument
from rft_widgets.serving.asgi import (
    ASGIApp,
    Disconnected,
    Receive,
    Scope,
    Send,
    header,
    send_failure,
)
from rft_widgets.serving.protocol import RequestFailed

OPEN_PATH = "/healthz"
"""The one path that needs no token."""

_log = logging.getLogger("rft_widgets.serving")


def check_token(token: str) -> str:
    """Give back a token that can guard something.

    Raises
    ------
    InvalidArgument
        If it is empty, or cannot stand in a header.
    """
    if not token or not all("!" <= character <= "~" for character in token):
        raise InvalidArgument(
            "The token is empty, or holds white space or characters that no header can hold.",
            hint="Leave it out, and a random one is made.",
        )
    return token


def where(error: BaseException) -> str:
    """An error without its message, which may hold what people wrote: its type and its place."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


class Guard:
    """Lets requests through that name one of the hosts and bring the token.

    The Host header is checked because a web page can point a name of its own at this machine and
    then counts as the same origin. No exception leaves it, so none reaches a log or a response.

    Parameters
    ----------
    app
        What is guarded.
    token
        What ``Authorization: Bearer`` has to say.
    hosts
        Names that the Host header may have, without a port.
    """

    def __init__(self, app: ASGIApp, *, token: str, hosts: Collection[str]) -> None:
        self._app = app
        self._digest = _digest(check_token(token))
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or have it answered."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        started = False

        async def noted(message: dict[str, object]) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            self._check(scope)
            await self._app(scope, receive, noted)  # type: ignore[arg-type]
        except RequestFailed as failed:
            if not started:
                await send_failure(send, failed)
        except (asyncio.CancelledError, Disconnected):
            return  # the server stops, or nobody is there to answer
        except Exception as error:  # noqa: BLE001 - the last net
            _log.error("A request failed: %s", where(error))
            if not started:
                await send_failure(send, _broken())

    def _check(self, scope: Scope) -> None:
        if _hostname(header(scope, "host") or "") not in self._hosts:
            raise RequestFailed(
                403, "The Host header names no host of this server.", code="host_not_allowed"
            )
        if scope["path"] == OPEN_PATH:
            return
        scheme, _, given = (header(scope, "authorization") or "").partition(" ")
        # Digests have one length, whatever was sent.
        if scheme.lower() != "bearer" or not hmac.compare_digest(_digest(given), self._digest):
            raise RequestFailed(
                401,
                "The token is missing or wrong: send it as 'Authorization: Bearer <token>'.",
                code="invalid_api_key",
                kind="authentication_error",
                headers={"WWW-Authenticate": "Bearer"},
            )


def _broken() -> RequestFailed:
    return RequestFailed(500, "The server failed.", code="internal_error", kind="server_error")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.strip().encode("latin-1")).digest()


def _hostname(host: str) -> str:
    name = host.lower()
    return name[: name.find("]") + 1] if name.startswith("[") else name.partition(":")[0]
