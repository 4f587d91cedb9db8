"""Requests to one service on their way: an event loop in a thread of its own.

Whoever asks waits in a thread; everything between is one coroutine a request. What is written
before and after a request takes no turn of the service's: only the request itself does.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from msgspec import Struct

from rft_widgets.errors import InvalidArgument, ModelRefused, RftError, RunInterrupted
from rft_widgets.llm.budget import Budget
from rft_widgets.llm.endpoint import Transport
from rft_widgets.llm.faults import CallFault
from rft_widgets.llm.gate import Failures, Gate, Pace
from rft_widgets.llm.ledger import Ledger
from rft_widgets.llm.requests import ModelRequest
from rft_widgets.model.call_settings import CallSettings
from rft_widgets.model.llm import ModelCallFailed, ModelUsage
from rft_widgets.store.model_calls import Asked, Ended, Found

V = TypeVar("V")

Read = Callable[[bytes], tuple[V, ModelUsage | None]]
"""Reads an answer as it came; raises `ModelCallFailed`."""
Price = Callable[[str, int, int], int | None]
"""Price of prompt and completion tokens of a model, in millionths of a dollar."""


class Answered(Struct, Generic[V], frozen=True, gc=False):
    """An answer, and what it cost."""

    value: V
    usage: ModelUsage | None
    cost: int | None
    from_cache: bool


class Tally:
    """What the requests of a client came to; written by its event loop alone."""

    def __init__(self) -> None:
        self.calls = self.cached = self.failed = self.uncertain = 0
        self.prompt_tokens = self.completion_tokens = 0
        self.cost: int | None = 0
        self.worth_tokens = 0
        self.worth: int | None = 0
        """Of cached answers too: what the work would have taken from nothing."""

    def count(self, answered: Answered[Any]) -> None:
        """Count an answer."""
        used = answered.usage or ModelUsage()
        tokens = (used.prompt_tokens or 0, used.completion_tokens or 0)
        self.worth_tokens += sum(tokens)
        self.worth = _plus(self.worth, answered.cost)
        if answered.from_cache:
            self.cached += 1
            return
        self.calls += 1
        self.prompt_tokens += tokens[0]
        self.completion_tokens += tokens[1]
        self.cost = _plus(self.cost, answered.cost)


class Asker:
    """Sends requests and keeps to every limit; safe to share by threads.

    Parameters
    ----------
    transport
        Carries each request.
    what
        Model and place, for messages.
    concurrency, pace
        What the service allows.
    ahead
        Requests under way and made ready.
    ledger
        Where requests and answers are written; ``None`` where nothing is kept.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        what: str,
        concurrency: int,
        ahead: int,
        pace: Pace,
        budget: Budget,
        price: Price,
        ledger: Ledger | None,
        cancelled: Callable[[], bool],
        settings: CallSettings,
    ) -> None:
        self._transport, self._what, self._settings = transport, what, settings
        self._most, self._ahead, self._pace = concurrency, ahead, pace
        self._budget, self._price, self._ledger = budget, price, ledger
        self._cancelled = cancelled
        self.tally = Tally()
        self._failures = Failures(settings, what)
        self._limited_in_a_row = 0
        self._stopped: RftError | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._under_way: set[asyncio.Task[None]] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._loop: asyncio.AbstractEventLoop
        self._gate: Gate
        self._slots: asyncio.Semaphore
        self._watch: asyncio.Task[None]

    def ask(self, request: ModelRequest, read: Read[V]) -> Answered[V]:
        """The answer to a request; waits for it.

        Raises
        ------
        ModelCallFailed
            This one has none.
        RftError
            The whole work has to end.
        """
        future: Future[Answered[V]] = Future()
        with self._lock:
            if self._is_closed:
                raise RunInterrupted("The client of the model is closed.")
            if self._thread is None:
                self._start()
            self._loop.call_soon_threadsafe(self._begin, request, read, future)
        try:
            return future.result()
        except (ModelCallFailed, RftError) as error:
            # Its frames hold what was sent.
            raise error.with_traceback(None) from None

    def close(self) -> None:
        """End what is under way, write what is left, and close the connections."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            if self._thread is not None:
                asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
            if self._ledger is not None:
                self._ledger.close()
            if self._thread is not None:
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._thread.join()
                self._loop.close()

    def _start(self) -> None:
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()

        def run() -> None:
            asyncio.set_event_loop(self._loop)
            self._loop.call_soon(prepare)
            self._loop.run_forever()

        def prepare() -> None:
            self._gate = Gate(self._ahead, self._pace, self._budget)
            self._slots = asyncio.Semaphore(self._most)
            self._watch = self._loop.create_task(self._listen())
            ready.set()

        self._thread = threading.Thread(target=run, name="rft-model-client", daemon=True)
        self._thread.start()
        ready.wait()

    # What follows runs in the event loop.

    async def _end(self) -> None:
        self._watch.cancel()
        self._stop(RunInterrupted("The client of the model was closed."))
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._settings.grace_s)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, self._watch, return_exceptions=True)
        await self._transport.close()

    async def _listen(self) -> None:
        while not self._cancelled():  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(self._settings.hear_s)
        self._stop(
            RunInterrupted("It was stopped.", hint="What was answered is kept: go on any time.")
        )
        await asyncio.sleep(self._settings.grace_s)
        for task in self._tasks:
            task.cancel()

    def _stop(self, error: RftError) -> None:
        """Send nothing more. What is under way may end: it is paid."""
        self._stopped = self._stopped or error
        for task in self._tasks - self._under_way - {asyncio.current_task()}:
            task.cancel()

    def _begin(self, request: ModelRequest, read: Read[Any], future: Future[Any]) -> None:
        task = self._loop.create_task(self._do(request, read, future))
        self._tasks.add(task)

        def done(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            if not future.done():  # it was cancelled before it began
                future.set_exception(_copy(self._stopped or RunInterrupted("It was stopped.")))

        task.add_done_callback(done)

    async def _do(self, request: ModelRequest, read: Read[Any], future: Future[Any]) -> None:
        try:
            self._go_on()
            answered = await self._answer(request, read)
        except RftError as error:
            self._stop(error)
            future.set_exception(_copy(error))
        except Exception as error:  # noqa: BLE001 - whoever waits has to learn of it
            future.set_exception(error)
        else:
            self.tally.count(answered)
            future.set_result(answered)

    def _go_on(self) -> None:
        if self._stopped is not None:
            raise _copy(self._stopped)

    async def _answer(self, request: ModelRequest, read: Read[V]) -> Answered[V]:
        reserve = self._price(request.model, request.prompt_tokens, request.completion_tokens)
        if reserve is None and self._budget.cap is not None:
            raise InvalidArgument(
                f"The price of {request.model} is not known, so no limit of money can be kept.",
                hint="Give the connection its prices, or set no limit.",
            )
        attempts = lost = 0
        while True:
            found = await self._claimed(request, reserve, again=attempts > 0)
            if found is not None and found.answer is not None:
                value, usage = read(found.answer)
                return Answered(value, usage, found.cost, from_cache=True)
            attempts += 1
            try:
                return await self._send(request, read, reserve)
            except CallFault as fault:
                lost += fault.may_be_paid
                wait = self._wait_s(fault, attempts, lost)
                self._ended(request, fault, wait is not None)
                if wait is None:
                    raise self._given_up(fault) from None
            self._go_on()
            await asyncio.sleep(wait)

    async def _claimed(
        self, request: ModelRequest, reserve: int | None, *, again: bool
    ) -> Found | None:
        """Enter the gate and note the request as sent; or give what was answered before."""
        gate, ledger, cost = self._gate, self._ledger, reserve or 0
        inside = gate.try_enter(cost)
        if ledger is None:
            if not inside:
                await gate.enter(cost)
            return None
        while True:
            asked = Asked(request.key, request.kept, request.model, reserve, inside, again)
            try:
                found = await ledger.ask(asked)
            except BaseException:
                if inside:
                    gate.leave(cost)
                    ledger.note(Ended(request.key, "queued"))  # it was not sent after all
                raise
            if found.state == "send":
                self.tally.uncertain += found.lost
                return None
            if found.state == "absent":
                await gate.enter(cost)
                inside = True
                continue
            if inside:
                gate.leave(cost)
                inside = False
            if found.state == "answered":
                return found
            if found.state == "held":
                raise ModelCallFailed(
                    "it was sent and its answer not seen, and it costs too much to be sent again "
                    "unasked: see uncertain_calls"
                )
            await asyncio.sleep(self._settings.hear_s)  # somebody else is at work on it

    async def _send(self, request: ModelRequest, read: Read[V], reserve: int | None) -> Answered[V]:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - it runs in one
        spent, is_sent = 0, False
        try:
            async with self._slots:
                self._go_on()
                self._under_way.add(task)
                spent, is_sent = reserve or 0, True  # until it is known better
                try:
                    raw = await self._transport.send(request)
                except CallFault as fault:
                    spent = spent if fault.may_be_paid else 0
                    raise
            self._limited_in_a_row = 0
            answered, ended = self._read(request, read, raw, reserve)
            spent = ended.cost if ended.cost is not None else spent
            if self._ledger is not None:
                await self._ledger.end(ended)
            if answered is None:
                raise self._given_up(ModelCallFailed(ended.error or ""))
            self._failures.answered()
            return answered  # noqa: TRY300 - the failure above is one of those below
        except asyncio.CancelledError:
            self.tally.uncertain += is_sent
            raise
        finally:
            self._under_way.discard(task)
            self._gate.leave(reserve or 0, spent)
            if not is_sent and self._ledger is not None:
                self._ledger.note(Ended(request.key, "queued"))

    def _read(
        self, request: ModelRequest, read: Read[V], raw: bytes, reserve: int | None
    ) -> tuple[Answered[V] | None, Ended]:
        try:
            value, usage = read(raw)
        except ModelCallFailed as error:
            return None, Ended(request.key, "failed", raw, error=str(error))
        used = usage or ModelUsage()
        prompt, completion = used.prompt_tokens, used.completion_tokens
        if reserve == 0:
            cost: int | None = 0
        elif prompt is None or (completion is None and request.completion_tokens):
            cost = None
        else:
            cost = self._price(request.model, prompt, completion or 0)
        return (
            Answered(value, usage, cost, from_cache=False),
            Ended(request.key, "done", raw, prompt, completion, cost),
        )

    def _wait_s(self, fault: CallFault, attempts: int, lost: int) -> float | None:
        """How long to wait before the next attempt; ``None`` for no further one."""
        settings, asked_for = self._settings, fault.retry_after_s
        if fault.is_limit:
            self._limited_in_a_row += 1
            if asked_for is not None and self._limited_in_a_row >= settings.limits_in_a_row:
                self._pace.close_for(min(asked_for, settings.longest_retry_after_s))
        if not fault.retryable or attempts >= settings.attempts or lost >= settings.most_lost:
            return None
        grown = settings.first_wait_s * 2 ** (attempts - 1)
        jitter = random.uniform(0, min(settings.longest_wait_s, grown))  # noqa: S311 - no secret
        if asked_for is None:
            return jitter
        if asked_for > settings.longest_retry_after_s:
            return None
        return asked_for + min(jitter, 0.1 * asked_for)

    def _ended(self, request: ModelRequest, fault: CallFault, goes_on: bool) -> None:
        lost = int(fault.may_be_paid)
        self.tally.uncertain += lost
        if self._ledger is not None:
            self._ledger.note(
                Ended(request.key, "queued" if goes_on else "failed", error=str(fault), lost=lost)
            )

    def _given_up(self, fault: ModelCallFailed) -> Exception:
        """What a piece without an answer ends with."""
        self.tally.failed += 1
        if isinstance(fault, CallFault) and fault.refused:
            return ModelRefused(
                f"{self._what} refuses: {fault}.",
                hint="Check the key, the quota and the name of the model; what was answered is "
                "kept.",
            )
        return self._failures.count(str(fault)) or fault


def _copy(error: RftError) -> RftError:
    """The same error, to be raised in another thread."""
    return type(error)(error.message, hint=error.hint)


def _plus(total: int | None, cost: int | None) -> int | None:
    return None if total is None or cost is None else total + cost
