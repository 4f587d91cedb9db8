"""An arm that answers with a language model of this process, token by token."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import uuid4

from msgspec import Struct

from rft_widgets.errors import NoCandidate
from rft_widgets.model.llm import ModelUsage
from rft_widgets.model.message import message_from_json, to_json, tool_from_json
from rft_widgets.model.record import RecordInput
from rft_widgets.serving.arms import Answer, PerLoop, Relay, check_name, on_a_thread
from rft_widgets.serving.protocol import (
    DONE,
    RequestFailed,
    answer_message,
    deltas,
    event,
    refused,
)
from rft_widgets.trainers import PolicyAnswer
from rft_widgets.trainers.language import LanguagePolicy, Sampling

_EVENT_STREAM = "text/event-stream; charset=utf-8"
MAX_STOPS = 4
"""Texts that may end an answer, as the protocol has it."""


class LanguageArm:
    """An arm of a policy that writes its answers; one request at a time, the others wait.

    ``temperature``, ``top_p``, ``seed``, ``stop``, ``max_tokens`` and ``max_completion_tokens``
    are kept to. Without a temperature the answer is the greedy one, as it was measured. What cannot
    be kept to, such as a format of the answer, is refused.
    """

    def __init__(self, name: str, model: str, policy: LanguagePolicy, *, reference: bool) -> None:
        self.name = check_name(name, "name of an arm")
        self.model = check_name(model, "model name")
        self._policy = policy
        self._reference = reference
        self._turns = PerLoop(partial(asyncio.Semaphore, 1))

    async def respond(
        self,
        messages: Sequence[dict[str, Any]],
        tools: Sequence[dict[str, Any]],
        body: Mapping[str, Any],
    ) -> Answer | Relay:
        """Answer a request; what is generated ends when its client has left."""
        sampling = read_sampling(body)
        offered = () if body.get("tool_choice") == "none" else tools
        asked = RecordInput(
            tuple(message_from_json(one, f"messages[{i}]") for i, one in enumerate(messages)),
            tuple(tool_from_json(one, f"tools[{i}]") for i, one in enumerate(offered)),
        )
        turns = self._turns.get()
        await turns.acquire()
        answering = _Answering(partial(self._answer, asked, sampling), turns.release)
        if body.get("stream"):
            return await answering.stream(body)
        found = await answering.whole()
        return Answer(to_json(found.message), found.finish_reason, usage=found.usage)

    async def close(self) -> None:
        """Nothing to give back: the weights are the policy's."""

    def _answer(
        self,
        asked: RecordInput,
        sampling: Sampling,
        on_text: Callable[[str], object] | None,
        stopped: Callable[[], bool],
    ) -> PolicyAnswer:
        if asked.tools and not self._policy.takes_tools:
            raise refused(
                "The model takes no tools, or writes calls of them in a way that is not known.",
                "tools",
            )
        try:
            return self._policy.respond(
                asked.messages,
                asked.tools,
                reference=self._reference,
                sampling=sampling,
                on_text=on_text,
                stopped=stopped,
            )
        except NoCandidate as error:
            raise RequestFailed(422, str(error), code="no_candidate") from None


Answers = Callable[[Callable[[str], object] | None, Callable[[], bool]], PolicyAnswer]


class _End(Struct, frozen=True):
    """How an answer ended: whole, or with an error."""

    answer: PolicyAnswer | None
    error: Exception | None = None


class _Answering:
    """One answer that is made on a thread; ``over`` is called when that has ended."""

    def __init__(self, answers: Answers, over: Callable[[], None]) -> None:
        self._answers = answers
        self._over = over
        self._left = threading.Event()

    async def whole(self) -> PolicyAnswer:
        """Wait for all of it."""
        call = self._begin(None)
        try:
            return await asyncio.shield(call)
        finally:
            self._left.set()

    async def stream(self, body: Mapping[str, Any]) -> Relay:
        """Wait for its first piece, so that what fails before it is no stream."""
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[str | _End] = asyncio.Queue()

        def put(piece: str | _End) -> None:
            loop.call_soon_threadsafe(pieces.put_nowait, piece)

        call = self._begin(put)
        call.add_done_callback(lambda done: pieces.put_nowait(_ended(done)))
        try:
            first = await pieces.get()
        except asyncio.CancelledError:
            self._left.set()
            raise
        if isinstance(first, _End) and first.error is not None:
            raise first.error

        async def close() -> None:
            self._left.set()

        return Relay(_EVENT_STREAM, _events(first, pieces, body), close)

    def _begin(self, on_text: Callable[[str], object] | None) -> asyncio.Future[PolicyAnswer]:
        call = asyncio.ensure_future(on_a_thread(self._answers, on_text, self._left.is_set))

        def ended(done: asyncio.Future[PolicyAnswer]) -> None:
            self._over()
            if not done.cancelled():
                done.exception()  # that of a call that nobody waits for is not for the log

        call.add_done_callback(ended)
        return call


def _ended(done: asyncio.Future[PolicyAnswer]) -> _End:
    if done.cancelled():
        stopped = RequestFailed(503, "The server stops.", code="stopped", kind="server_error")
        return _End(None, stopped)
    error = done.exception()
    if error is None:
        return _End(done.result())
    return _End(None, error if isinstance(error, Exception) else RuntimeError(str(error)))


async def _events(
    first: str | _End, pieces: asyncio.Queue[str | _End], body: Mapping[str, Any]
) -> AsyncGenerator[bytes, None]:
    """The server-sent events of an answer as it comes."""
    wants_usage = bool((body.get("stream_options") or {}).get("include_usage"))
    usage: dict[str, Any] = {"usage": None} if wants_usage else {}
    chunk = {
        "id": f"chatcmpl-{uuid4().hex}",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": body["model"],
    }

    def said(delta: Mapping[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return event(chunk | {"choices": [choice]} | usage)

    yield said({"role": "assistant", "content": ""})
    piece = first
    while isinstance(piece, str):
        yield said({"content": piece})
        piece = await pieces.get()
    answer = piece.answer
    if answer is None:
        raise _failed(piece.error)
    for delta in deltas(answer_message(to_json(answer.message))):
        if not delta.keys() & {"role", "content"}:  # those have gone before
            yield said(delta)
    yield said({}, answer.finish_reason)
    if wants_usage:
        counts = _counts(answer.usage or ModelUsage())
        yield event(chunk | {"choices": [], "usage": counts})
    yield DONE


def _failed(error: Exception | None) -> RequestFailed:
    if isinstance(error, RequestFailed):
        return error
    kind = type(error).__name__
    return RequestFailed(500, f"The model failed: {kind}.", code="arm_failed", kind="server_error")


def _counts(usage: ModelUsage) -> dict[str, int]:
    return {
        "prompt_tokens": usage.prompt_tokens or 0,
        "completion_tokens": usage.completion_tokens or 0,
        "total_tokens": usage.total_tokens or 0,
    }


# Parameters --------------------------------------------------------------------------------------

_NOT_KEPT: Mapping[str, Callable[[Any], bool]] = {
    "response_format": lambda value: value not in (None, {"type": "text"}),
    "logprobs": bool,
    "top_logprobs": bool,
    "logit_bias": bool,
    "frequency_penalty": bool,
    "presence_penalty": bool,
    "tool_choice": lambda value: value not in (None, "auto", "none"),
}
"""Parameters that are not kept to, and which values of them ask for something."""


def read_sampling(body: Mapping[str, Any]) -> Sampling:
    """How a request wants its answer chosen.

    Raises
    ------
    RequestFailed
        With status 400 for a value that is none, or a parameter that cannot be kept to.
    """
    for name, asks in _NOT_KEPT.items():
        if asks(body.get(name)):
            raise refused(f"'{name}' cannot be kept to by the model that is served here.", name)
    limits = [name for name in ("max_completion_tokens", "max_tokens") if body.get(name)]
    stop = body.get("stop")
    stops = [stop] if isinstance(stop, str) else stop or []
    if (
        not isinstance(stops, list)
        or len(stops) > MAX_STOPS
        or not all(isinstance(one, str) and one for one in stops)
    ):
        raise refused(f"'stop' is neither a text nor a list of up to {MAX_STOPS}.", "stop")
    return Sampling(
        max_tokens=_whole(body, limits[0], low=1) if limits else None,
        temperature=_number(body, "temperature", 0.0, low=0.0, high=2.0),
        top_p=_number(body, "top_p", 1.0, low=1e-6, high=1.0),
        seed=_whole(body, "seed", low=-(2**63)),
        stop=tuple(stops),
    )


def _whole(body: Mapping[str, Any], name: str, *, low: int) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if type(value) is not int or not low <= value < 2**63:
        raise refused(f"'{name}' is no whole number that it may be.", name)
    return value


def _number(
    body: Mapping[str, Any], name: str, default: float, *, low: float, high: float
) -> float:
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise refused(f"'{name}' is no number from {low:g} to {high:g}.", name)
    return float(value)
