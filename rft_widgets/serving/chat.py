"""``POST /v1/chat/completions``: from a request to an arm, and back."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec

from rft_widgets.model.deployment import ExchangeOutcome, ServedExchange
from rft_widgets.model.llm import ModelUsage
from rft_widgets.model.message import message_from_json
from rft_widgets.serving.arms import Answer, Relay
from rft_widgets.serving.asgi import (
    MAX_BODY_BYTES,
    Receive,
    Scope,
    Send,
    header,
    read_body,
    send_failure,
    send_whole,
    start,
    while_connected,
)
from rft_widgets.serving.guard import where
from rft_widgets.serving.protocol import (
    ChatRequest,
    Completion,
    RequestFailed,
    answer_message,
    at_event_end,
    estimated_tokens,
    event,
    events,
    parse_request,
    read_answer,
    whole,
)
from rft_widgets.serving.recorder import Recorder
from rft_widgets.serving.router import Choice, Router

MAX_IN_FLIGHT = 256
"""Requests that may be answered at the same time; further ones get status 429."""

_EVENT_STREAM = "text/event-stream; charset=utf-8"
_HEADER_NAME = re.compile(r"[Xx]-[A-Za-z0-9-]{1,100}")
_HEADER_TEXT = re.compile(r"[ -~]{0,2000}")

_log = logging.getLogger("rft_widgets.serving")


class ChatCompletions:
    """The route, as an ASGI application; ``closing`` makes it refuse what is new."""

    def __init__(self, router: Router, recorder: Recorder) -> None:
        self._router = router
        self._recorder = recorder
        self.closing = False
        self.in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        with self._counted():
            request, choice = await self._choose(scope, await read_body(scope, receive))
            exchange = _Exchange(self._router.deployment, request, choice)
            try:
                if not await while_connected(receive, exchange.answer(send)):
                    exchange.ended("disconnected")
            except asyncio.CancelledError:
                exchange.ended("stopped")
                raise
            finally:
                exchange.latency_s = time.perf_counter() - exchange.began
                self._recorder.submit(exchange.served)

    async def idle(self, timeout_s: float) -> None:
        """Wait until no request is in flight, or for so long."""
        give_up = time.monotonic() + timeout_s
        while self.in_flight and time.monotonic() < give_up:  # noqa: ASYNC110 - once, at the end
            await asyncio.sleep(0.01)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        if self.closing:
            raise RequestFailed(
                503, "The server is shutting down.", code="shutting_down", kind="server_error"
            )
        if self.in_flight >= MAX_IN_FLIGHT:
            raise RequestFailed(
                429,
                f"The server answers {MAX_IN_FLIGHT} requests already.",
                code="server_busy",
                kind="rate_limit_error",
                headers={"Retry-After": "1"},
            )
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1

    async def _choose(self, scope: Scope, data: bytes) -> tuple[ChatRequest, Choice]:
        import anyio.to_thread  # noqa: PLC0415 - slow to load

        user = header(scope, "x-user-id")

        def choose() -> tuple[ChatRequest, Choice]:
            request = parse_request(data)
            try:
                return request, self._router.choose(request, user)
            except RequestFailed:
                raise
            except Exception as error:  # noqa: BLE001 - whatever the callback does
                # An arm that may have been rolled back must not answer.
                _log.error("The state of the deployment cannot be read: %s", where(error))
                raise RequestFailed(
                    503,
                    "The state of the deployment cannot be read.",
                    code="state_unknown",
                    kind="server_error",
                ) from None

        # Large bodies take their time, and the state may come from a database.
        return await anyio.to_thread.run_sync(choose, abandon_on_cancel=True)


class _Exchange:
    """One request on its way through an arm, and what will be recorded of it."""

    def __init__(self, deployment: str, request: ChatRequest, choice: Choice) -> None:
        self.latency_s = 0.0
        self.began = time.perf_counter()
        self._started_at = datetime.now(UTC)
        self._deployment = deployment
        self._request = request
        self._choice = choice
        self._first_byte_s: float | None = None
        self._status = 0
        self._outcome: ExchangeOutcome | None = None
        self._error: str | None = None
        self._completion: Completion | None = None
        self._relayed: bytearray | None = None
        self._relays_events = False

    def ended(self, outcome: ExchangeOutcome) -> None:
        """Note how it ended; the first word stands."""
        self._outcome = self._outcome or outcome

    async def answer(self, send: Send) -> None:
        """Have the arm answer, and send what it says."""
        try:
            answer = await self._ask()
            if isinstance(answer, Relay):
                await self._relay(send, answer)
            else:
                await self._send(send, answer)
        except RequestFailed as failed:
            self._fail(failed)
            self._status = failed.status
            await send_failure(send, failed, self._headers())

    def served(self) -> ServedExchange:
        """What is recorded; reads the answer out of what was relayed."""
        request = self._request
        message: dict[str, Any] | None = None
        reason: str | None = None
        if self._completion is not None:
            message, reason = self._completion.message, self._completion.finish_reason
        elif self._relayed is not None and len(self._relayed) <= MAX_BODY_BYTES:
            read = read_answer(bytes(self._relayed), streamed=self._relays_events)
            message, reason = read or (None, None)
        tokens = 0 if message is None else estimated_tokens([message_from_json(message)])
        return ServedExchange(
            deployment=self._deployment,
            arm=self._choice.arm.name,
            model=self._choice.model,
            assignment=self._choice.assignment,
            started_at=self._started_at,
            latency_s=self.latency_s,
            first_byte_s=self._first_byte_s,
            status=self._status,
            streamed=request.stream,
            outcome=self._outcome or "failed",
            error=self._error,
            messages=request.messages,
            tools=request.tools,
            answer=message,
            finish_reason=reason,
            estimated_prompt_tokens=request.prompt_tokens,
            estimated_completion_tokens=tokens,
        )

    async def _ask(self) -> Completion | Relay:
        request, arm = self._request, self._choice.arm
        body = request.body | {"model": self._choice.model}
        try:
            answer: Answer | Relay = await arm.respond(request.messages, request.tools, body)
            if isinstance(answer, Relay):
                return answer
            self._completion = self._complete(answer)
        except RequestFailed:
            raise
        except Exception as error:  # noqa: BLE001 - whatever an arm does
            _log.error("The arm %s failed: %s", arm.name, where(error))
            raise RequestFailed(
                500,
                f"The arm {arm.name!r} failed: {type(error).__name__}.",
                code="arm_failed",
                kind="server_error",
            ) from None
        return self._completion

    def _complete(self, answer: Answer) -> Completion:
        """An arm's answer as it goes on the wire; raises what it likes if it cannot."""
        for name, text in answer.headers.items():
            if not _HEADER_NAME.fullmatch(name) or not _HEADER_TEXT.fullmatch(text):
                raise ValueError
        message = answer_message(answer.message)
        msgspec.json.encode(message)
        calls = "tool_calls" in message
        usage = answer.usage or _estimated(self._request, message)
        return Completion(
            id=f"chatcmpl-{uuid4().hex}",
            created=int(self._started_at.timestamp()),
            model=self._choice.model,
            message=message,
            headers=answer.headers,
            finish_reason=answer.finish_reason or ("tool_calls" if calls else "stop"),
            prompt_tokens=usage.prompt_tokens or 0,
            completion_tokens=usage.completion_tokens or 0,
            is_estimated=answer.usage is None,
        )

    async def _send(self, send: Send, completion: Completion) -> None:
        self._begin()
        estimated = {"X-RFT-Usage": "estimated"} if completion.is_estimated else {}
        fields = completion.headers | estimated | self._headers()
        if self._request.stream:
            await start(send, 200, _EVENT_STREAM, fields)
            for piece in events(completion, include_usage=self._request.include_usage):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        else:
            await send_whole(send, 200, whole(completion), fields)
        self.ended("completed")

    async def _relay(self, send: Send, relay: Relay) -> None:
        self._relays_events = relay.content_type.startswith("text/event-stream")
        self._relayed = bytearray()
        tail = b""
        try:
            async with aclosing(relay.chunks):
                async for chunk in relay.chunks:
                    if not self._status:
                        self._begin()
                        fields = relay.headers | self._headers()
                        await start(send, 200, relay.content_type, fields)
                    if len(self._relayed) <= MAX_BODY_BYTES:  # beyond, nobody reads it
                        self._relayed += chunk
                    tail = (tail + chunk)[-4:]
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except RequestFailed as failed:
            if not self._status:
                raise
            self._fail(failed)
            if not (self._relays_events and at_event_end(tail)):
                return  # nothing can follow, so the connection is dropped without a proper end
            await send(
                {"type": "http.response.body", "body": event(failed.body), "more_body": True}
            )
        finally:
            await relay.close()
        await send({"type": "http.response.body", "body": b""})
        self.ended("completed")

    def _begin(self) -> None:
        self._status = 200
        self._first_byte_s = time.perf_counter() - self.began

    def _fail(self, failed: RequestFailed) -> None:
        self._error = failed.code
        self.ended("failed")

    def _headers(self) -> dict[str, str]:
        return {"X-RFT-Arm": self._choice.arm.name, "X-RFT-Deployment": self._deployment}


def _estimated(request: ChatRequest, message: dict[str, Any]) -> ModelUsage:
    return ModelUsage(
        prompt_tokens=request.prompt_tokens,
        completion_tokens=estimated_tokens([message_from_json(message)]),
    )
