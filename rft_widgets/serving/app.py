"""The endpoint: its routes behind a guard, as one ASGI application."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from rft_widgets.model.deployment import ArmCounts, ServedExchange
from rft_widgets.serving.asgi import Receive, Scope, Send
from rft_widgets.serving.chat import ChatCompletions
from rft_widgets.serving.guard import OPEN_PATH, Guard, check_token
from rft_widgets.serving.protocol import RequestFailed
from rft_widgets.serving.recorder import Recorder
from rft_widgets.serving.router import Router

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
"""Names of this machine in a Host header."""

RECORD_TIMEOUT_S = 10.0
"""Longest wait, when the server stops, for what is still to be recorded."""


class Endpoint:
    """An OpenAI-compatible endpoint for a deployment; an ASGI application for `Server`.

    ``POST /v1/chat/completions`` and ``GET /v1/models`` need the token, ``GET /healthz`` says "ok"
    to anybody. Responses name the arm (``X-RFT-Arm``) and the deployment (``X-RFT-Deployment``).

    Parameters
    ----------
    router
        Decides which arm answers.
    record
        Given every exchange of an arm after its response has ended, on a thread of its own. If it
        fails or is slow, that is logged and counted, and no response notices.
    token
        What clients send as their key; a random one by default.
    hosts
        Names that clients may call the server by.

    Raises
    ------
    InvalidArgument
        If the token is empty or cannot be sent in a header.
    """

    def __init__(
        self,
        router: Router,
        *,
        record: Callable[[ServedExchange], None] | None = None,
        token: str | None = None,
        hosts: Sequence[str] = LOOPBACK_HOSTS,
    ) -> None:
        self.router = router
        self.token = secrets.token_urlsafe(32) if token is None else check_token(token)
        self.hosts = tuple(hosts)
        self._created = int(time.time())
        self._recorder = Recorder(record)
        self._chat = ChatCompletions(router, self._recorder)
        self._app = self._starlette()

    def __repr__(self) -> str:
        return f"Endpoint({self.router.deployment!r}, mode={self.router.mode!r})"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._app(scope, receive, send)

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """Every route there is."""
        return self._app.routes

    @property
    def lost(self) -> int:
        """Exchanges that were served and not recorded."""
        return self._recorder.lost

    def counts(self) -> dict[str, ArmCounts]:
        """What each arm has served; an exchange counts shortly after its response has ended."""
        return {arm.name: ArmCounts() for arm in self.router.arms} | self._recorder.counts()

    def refuse_new(self) -> None:
        """Answer new requests with status 503 from now on; those that were begun go on."""
        self._chat.closing = True

    def _starlette(self) -> Starlette:
        from starlette.applications import Starlette  # noqa: PLC0415 - slow to load
        from starlette.exceptions import HTTPException  # noqa: PLC0415
        from starlette.middleware import Middleware  # noqa: PLC0415
        from starlette.routing import Route  # noqa: PLC0415

        app = Starlette(
            routes=[
                Route(OPEN_PATH, _health, methods=["GET"]),
                Route("/v1/models", self._models, methods=["GET"]),
                Route("/v1/chat/completions", self._chat, methods=["POST"]),
            ],
            middleware=[Middleware(partial(Guard, token=self.token, hosts=self.hosts))],
            exception_handlers={HTTPException: _unknown_route},
            lifespan=self._lifespan,
        )
        app.router.redirect_slashes = False
        return app

    async def _models(self, _: Request) -> Response:
        from anyio.to_thread import run_sync  # noqa: PLC0415 - slow to load
        from starlette.responses import JSONResponse  # noqa: PLC0415

        names = await run_sync(self.router.models, abandon_on_cancel=True)
        models = [
            {"id": name, "object": "model", "created": self._created, "owned_by": "rft-widgets"}
            for name in names
        ]
        fields = {"X-RFT-Deployment": self.router.deployment}
        return JSONResponse({"object": "list", "data": models}, headers=fields)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self._chat.closing = False
        self._recorder.start()
        try:
            yield
        finally:
            self.refuse_new()
            # Whoever was cut off has been told so, and needs a moment to say what became of it.
            await self._chat.idle(timeout_s=2)
            for arm in self.router.arms:
                await arm.close()
            await asyncio.to_thread(self._recorder.stop, RECORD_TIMEOUT_S)


async def _health(_: Request) -> Response:
    from starlette.responses import JSONResponse  # noqa: PLC0415 - slow to load

    return JSONResponse({"status": "ok"})


async def _unknown_route(request: Request, _: Exception) -> Response:
    method = _METHODS.get(request.url.path)
    if method is None:
        raise RequestFailed(404, "There is no such path here.", code="unknown_url")
    raise RequestFailed(
        405,
        f"This path answers {method} only.",
        code="method_not_allowed",
        headers={"Allow": method},
    )


_METHODS = {OPEN_PATH: "GET", "/v1/models": "GET", "/v1/chat/completions": "POST"}
