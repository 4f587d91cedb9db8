"""The REST API on tornado: who may call, bodies as they stream in, files as they stream out.

The event loop is never held: checks, calls and files are work for threads.
"""

from __future__ import annotations

import asyncio
import http.client
import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, ClassVar, Final, cast

import msgspec
from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import APIHandler
from tornado import web
from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError

from rft_widgets.model.problem import Problem
from rft_widgets.server.receiving import MAX_BODY_BYTES, Receiver, receiver_of
from rft_widgets.server.rest import ROUTES
from rft_widgets.server.rest.calling import Request, call, wait_of
from rft_widgets.server.rest.downloads import drop
from rft_widgets.server.rest.refusals import refusal
from rft_widgets.server.rest.routing import (
    Attachment,
    BadRequest,
    BodyTooLarge,
    Route,
    Underway,
    UnsupportedBody,
)
from rft_widgets.workspace import Workspace

Rule = tuple[Any, ...]

THREADS: Final = 8
"""Calls that are at work at a time; more wait."""
PIECE_BYTES: Final = 256 * 1024
_POLL_S: Final = 0.1
_CODES: Final = {
    400: "bad_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    500: "internal",
}
_NAME = re.compile(r"\{(\w+)\}")


def handlers(base: str, workspace: Workspace) -> list[Rule]:
    """Rules of the API.

    Parameters
    ----------
    base
        Pattern of the address that the calls lie below, without a slash at its end.
    workspace
        What they are about.
    """
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="rft-rest")
    by_path: dict[str, dict[str, Route]] = {}
    for route in ROUTES:
        if route.function is not None:
            by_path.setdefault(route.path, {})[route.verb] = route
    given = {"workspace": workspace, "pool": pool}
    return [
        *((base + _pattern(path), Call, {**given, "routes": routes})
          for path, routes in by_path.items()),
        (f"{base}(?:/.*)?", Call, {**given, "routes": {}}),
    ]  # fmt: skip


def _pattern(path: str) -> str:
    # What is in a path may hold anything but a slash; one that is part of an id is sent as %2F.
    return _NAME.sub(r"(?P<\1>[^/]+)", path)


class Answering(APIHandler):
    """Lets in who may come in, and says what is wrong as JSON, never as a page to log in."""

    auth_resource: ClassVar[str] = "contents"
    """What a server's authorizer is asked about: whoever may change files may change datasets."""

    async def prepare(self) -> None:  # type: ignore[override]
        """Let in who may; only then is a body read."""
        await super().prepare()
        if self._finished or self.request.method == "OPTIONS":
            return
        user = self.current_user
        if not user:
            raise web.HTTPError(401)
        action = "read" if self.request.method in {"GET", "HEAD"} else "write"
        may = self.authorizer.is_authorized(self, user, action, self.auth_resource)
        if not await ensure_async(may):
            raise web.HTTPError(403)

    def get_login_url(self) -> str:
        """There is none here: who is nobody is told so."""
        raise web.HTTPError(401)

    def tell(self, status: int, value: Any) -> None:
        """Answer with JSON."""
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.finish(msgspec.json.encode(value))

    def refuse(self, error: Exception) -> None:
        """Answer with what is wrong, where it may be told."""
        status, problem = refusal(error)
        if status >= 500:
            self.log.error("%s %s failed.", self.request.method, self.request.path, exc_info=error)
        self.tell(status, problem)

    def write_error(self, status_code: int, **about: Any) -> None:
        """Say in words what went wrong before a call began."""
        error = about.get("exc_info", (None, None))[1]
        said = getattr(error, "log_message", None) or ""
        words = http.client.responses.get(status_code, "It failed")
        hint = None
        if status_code == 401:
            self.set_header("WWW-Authenticate", "token")
            words = "Who calls has to say so."
            hint = "Send the server's token in a header: `Authorization: token ...`."
        elif status_code == 403:
            words = f"This is not allowed. {said}".strip()
            hint = "With a cookie, send the value of `_xsrf` as `X-XSRFToken`; or send the token."
        elif status_code == 404:
            words, hint = "There is nothing at this address.", "See openapi.json for what there is."
        elif status_code < 500 and said:
            words = said
        code = _CODES.get(status_code, "refused")
        self.tell(status_code, Problem(code=code, message=words, hint=hint))

    def update_api_activity(self) -> None:
        """Tell the server that it is in use, so that it is not ended as idle."""
        if getattr(self, "_jupyter_current_user", None):
            self.settings["api_last_activity"] = datetime.now(UTC)

    def compute_etag(self) -> None:
        """Answers are not kept by anybody, so they need no tag."""


@web.stream_request_body
class Call(Answering):
    """All calls of one path."""

    def initialize(
        self, routes: dict[str, Route], workspace: Workspace, pool: ThreadPoolExecutor
    ) -> None:
        """Take what the rule gives."""
        self._routes = routes
        self._workspace = workspace
        self._pool = pool
        self._route: Route | None = None
        self._receiver: Receiver | None = None
        self._refused: Exception | None = None
        self._wait_s = 0.0

    async def prepare(self) -> None:  # type: ignore[override]
        """Find the call, and what takes its body."""
        await super().prepare()
        if self._finished or self.request.method == "OPTIONS":
            return
        if not self._routes:
            raise web.HTTPError(404)
        verb = "GET" if self.request.method == "HEAD" else self.request.method
        self._route = self._routes.get(verb or "")
        if self._route is None:
            self._refuse_verb()
            return
        try:
            self._wait_s = wait_of(self._route, self.request.query)
            self._receiver = receiver_of(self._route, self._workspace.uploads, self.request.headers)
        except (BadRequest, BodyTooLarge, UnsupportedBody) as error:
            # Told when the body has come to its end: who still sends does not read an answer.
            self._refused = error
            return
        if self._route.takes_file:
            connection = cast("HTTP1Connection", self.request.connection)
            connection.set_max_body_size(MAX_BODY_BYTES)

    async def data_received(self, chunk: bytes) -> None:
        """Take a piece of the body; more is read only when it is kept."""
        if self._receiver is not None and self._receiver.take(chunk):
            await self._in_thread(self._receiver.keep)

    async def _answer(self, **path: str) -> None:
        if self._refused is not None:
            self.refuse(self._refused)
            return
        route, receiver = self._route, self._receiver
        assert route is not None and receiver is not None  # noqa: PT018, S101 - else it was refused
        value: Any = None
        try:
            body = await self._in_thread(receiver.ended)
            request = Request(
                path=path,
                query=self.request.query,
                body=body,
                if_match=self.request.headers.get("If-Match"),
            )
            value = await self._in_thread(call, route, self._workspace, request)
            if isinstance(value, Underway):
                await self._tell_underway(route, value)
                return
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets an answer
            await self._in_thread(receiver.give_up)
            self.refuse(error)
            return
        if isinstance(value, Attachment):
            await self._send(value)
        elif route.status == 204:
            self.set_status(204)
            self.finish()
        else:
            version = getattr(value, "version", None)
            if "PATCH" in self._routes and version is not None:
                self.set_header("ETag", f'"{version}"')
            self.tell(route.status, value)

    get = head = post = put = patch = delete = _answer

    @allow_unauthenticated
    def options(self, *_: str, **__: str) -> None:
        """Tell a browser of another site what it may ask, where the operator lets one."""
        self.set_header("Allow", self._allowed())
        super().options()
        self.set_status(204)

    def on_connection_close(self) -> None:
        """Keep nothing of a file whose sender went away."""
        super().on_connection_close()
        if self._receiver is not None:
            self._pool.submit(self._receiver.give_up)

    def _allowed(self) -> str:
        verbs = {*self._routes, "OPTIONS"} | ({"HEAD"} if "GET" in self._routes else set())
        return ", ".join(sorted(verbs))

    async def _tell_underway(self, route: Route, work: Underway[Any]) -> None:
        until = time.monotonic() + self._wait_s
        while time.monotonic() < until and not self._is_left():
            if await self._in_thread(work.has_ended):
                break
            await asyncio.sleep(_POLL_S)
        view = await self._in_thread(work.view)
        location = self.request.path.partition("/api/optimization/")
        self.set_header("Location", "".join(location[:1]) + "/api/optimization" + work.location)
        self.tell(route.status, view)

    def _refuse_verb(self) -> None:
        allowed = self._allowed()
        self.set_header("Allow", allowed)
        words = f"{self.request.method} is not for this address."
        problem = Problem(code="method_not_allowed", message=words, hint=f"It takes {allowed}.")
        self.tell(405, problem)

    def _is_left(self) -> bool:
        stream = getattr(self.request.connection, "stream", None)
        return stream is not None and stream.closed()

    async def _send(self, made: Attachment) -> None:
        try:
            with made.path.open("rb") as file:
                self.set_header("Content-Type", made.media_type)
                self.set_header("Content-Length", str(made.path.stat().st_size))
                self.set_header("Content-Disposition", f'attachment; filename="{made.name}"')
                self.set_header("Cache-Control", "no-store")
                if self.request.method != "HEAD":
                    while piece := await self._in_thread(file.read, PIECE_BYTES):
                        self.write(piece)
                        await self.flush()
            self.finish(set_content_type=made.media_type)
        except StreamClosedError:
            self.log.debug("%s was left before its end.", made.name)
        finally:
            await self._in_thread(drop, made)

    async def _in_thread(self, work: Any, *given: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *given)
