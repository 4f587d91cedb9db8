"""The arms of a deployment: whatever answers a chat request."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakKeyDictionary

from msgspec import Struct

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.llm import ModelUsage

T = TypeVar("T")


class Answer(Struct, frozen=True):
    """A complete answer.

    ``finish_reason`` is ``tool_calls`` or ``stop`` by the message when it is not given. ``headers``
    are added to the response. ``usage`` is what a language model counted; without it the tokens
    are estimated.
    """

    message: dict[str, Any]
    finish_reason: str | None = None
    headers: dict[str, str] = {}
    usage: ModelUsage | None = None


class Relay(Struct, frozen=True):
    """A response of another server, which goes on as it comes, byte for byte.

    ``close`` ends it, and the call behind it, at any time; ``chunks`` raises `RequestFailed` if it
    breaks off.
    """

    content_type: str
    chunks: AsyncGenerator[bytes, None]
    close: Callable[[], Awaitable[None]]
    headers: dict[str, str] = {}


class Arm(Protocol):
    """Something that answers chat requests: ``name`` for people and counts, ``model`` on the wire.

    ``respond`` is called from the server's event loop and is cancelled when the client leaves. It
    raises `RequestFailed` to say what a client may know; any other exception is shown by its type
    alone.
    """

    @property
    def name(self) -> str:
        """What the arm is called in headers and counts."""

    @property
    def model(self) -> str:
        """The model name that clients ask for."""

    async def respond(
        self,
        messages: Sequence[dict[str, Any]],
        tools: Sequence[dict[str, Any]],
        body: Mapping[str, Any],
    ) -> Answer | Relay:
        """Answer a request; ``body`` is all of it, with the model name that was chosen."""

    async def close(self) -> None:
        """Give back what belongs to the running event loop."""


Policy = Callable[[Sequence[dict[str, Any]], Sequence[dict[str, Any]], Mapping[str, Any]], Answer]
"""A local model: messages, tools and the whole request to an answer, on any thread."""


class PolicyArm:
    """An arm that calls a function of this process.

    Parameters
    ----------
    name, model
        As for every `Arm`.
    policy
        Called on a worker thread, by several at once.
    threads
        Most calls at the same time; more wait for their turn.
    """

    def __init__(self, name: str, model: str, policy: Policy, *, threads: int = 8) -> None:
        self.name = check_name(name, "name of an arm")
        self.model = check_name(model, "model name")
        self._policy = policy
        self._turns = PerLoop(partial(asyncio.Semaphore, threads))

    async def respond(
        self,
        messages: Sequence[dict[str, Any]],
        tools: Sequence[dict[str, Any]],
        body: Mapping[str, Any],
    ) -> Answer:
        """Call the policy. A call whose client has left runs to its end, but nobody waits."""
        turns = self._turns.get()
        await turns.acquire()
        call = asyncio.ensure_future(on_a_thread(self._policy, messages, tools, body))

        def ended(call: asyncio.Future[Answer]) -> None:
            turns.release()
            if not call.cancelled():
                call.exception()  # that of a call that nobody waits for is not for the log

        call.add_done_callback(ended)
        # A thread cannot be stopped, so a call keeps its turn until it has really ended.
        return await asyncio.shield(call)

    async def close(self) -> None:
        """Nothing to give back."""


class PerLoop(Generic[T]):
    """One thing for every event loop: an arm may serve in several, one after the other."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: WeakKeyDictionary[asyncio.AbstractEventLoop, T] = WeakKeyDictionary()

    def get(self) -> T:
        """The thing of the running loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._made:
            self._made[loop] = self._make()
        return self._made[loop]

    def take(self) -> T | None:
        """Forget the thing of the running loop, if there is one, and give it to be closed."""
        return self._made.pop(asyncio.get_running_loop(), None)


def check_name(name: str, what: str) -> str:
    """Give back a name that can stand in a header.

    Raises
    ------
    InvalidArgument
        If it cannot.
    """
    if not _NAME.fullmatch(name):
        raise InvalidArgument(
            f"{name!r} is no {what}.", hint="Use 1 to 200 visible ASCII characters, no spaces."
        )
    return name


_NAME = re.compile(r"[!-~]{1,200}")


async def on_a_thread(work: Callable[..., T], *args: Any) -> T:
    """Call something on a thread that nobody else waits for; cancelled, it is left alone."""
    import anyio.to_thread  # noqa: PLC0415 - slow to load

    own = anyio.CapacityLimiter(1)
    return await anyio.to_thread.run_sync(work, *args, abandon_on_cancel=True, limiter=own)
