"""When a request may be sent: so many at a time, so many a minute, when its service is ready."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Hashable
from typing import ClassVar
from weakref import WeakValueDictionary

from rft_widgets.errors import BudgetReached, TooManyFailures
from rft_widgets.llm.budget import Budget
from rft_widgets.model.call_settings import CallSettings
from rft_widgets.model.connection import NamedConnection

_MINUTE_S = 60.0


class Pace:
    """How soon one connection may be asked again; the clients of a process share it, by threads.

    Parameters
    ----------
    requests_per_minute
        A bucket of tokens, of which a twentieth of a minute's may go at once; ``None`` for none.
    """

    _known: ClassVar[WeakValueDictionary[Hashable, Pace]] = WeakValueDictionary()
    _lock_of_known: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, requests_per_minute: int | None) -> None:
        self._rate = None if requests_per_minute is None else requests_per_minute / _MINUTE_S
        self._room = max(1.0, (requests_per_minute or 0) / 20)
        self._tokens, self._filled = self._room, time.monotonic()
        self._closed_until = 0.0
        self._lock = threading.Lock()

    @classmethod
    def of(cls, named: NamedConnection) -> Pace:
        """The pace of a connection, whoever asks there."""
        one, rate = named.connection, named.requests_per_minute
        key = (one.base_url, one.api_key_env, named.model, rate)
        with cls._lock_of_known:
            return cls._known.setdefault(key, cls(rate))

    def wait_s(self) -> float:
        """How long nobody may be let through; 0 when somebody may."""
        with self._lock:
            now = time.monotonic()
            if now < self._closed_until:
                return self._closed_until - now
            if self._rate is None:
                return 0.0
            self._tokens = min(self._room, self._tokens + (now - self._filled) * self._rate)
            self._filled = now
            return 0.0 if self._tokens >= 1 else (1 - self._tokens) / self._rate

    def take(self) -> None:
        """Somebody is let through."""
        with self._lock:
            self._tokens -= 1

    def close_for(self, seconds: float) -> None:
        """Let nobody through for so long."""
        with self._lock:
            self._closed_until = max(self._closed_until, time.monotonic() + seconds)


class Gate:
    """Lets the requests of a client through in their order; for one event loop.

    Parameters
    ----------
    most
        Requests between its two sides: those under way and those made ready.
    pace
        When there may be another.
    budget
        Their money.
    """

    def __init__(self, most: int, pace: Pace, budget: Budget) -> None:
        self._most, self._pace, self._budget = most, pace, budget
        self._inside = 0
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()

    def try_enter(self, reserve: int) -> bool:
        """Enter if nothing has to be waited for, and there is money."""
        try:
            return not self._turn.locked() and self._wait_s() == 0 and self._pass(reserve)
        except BudgetReached:
            return False

    async def enter(self, reserve: int) -> None:
        """Enter as soon as it may be; raises `BudgetReached`."""
        async with self._turn:  # only the first of those who wait looks out
            while True:
                wait = self._wait_s()
                if wait == 0 and self._pass(reserve):
                    return
                self._changed.clear()
                try:
                    # A budget may also be freed by another client, which nobody tells of.
                    async with asyncio.timeout(wait or 0.1):
                        await self._changed.wait()
                except TimeoutError:
                    pass

    def leave(self, reserved: int, cost: int = 0) -> None:
        """A request ended, or waits outside for its next attempt."""
        self._inside -= 1
        self._budget.settle(reserved, cost)
        self._changed.set()

    def _wait_s(self) -> float:
        """How long nobody may enter; as long as `leave` takes where that has to come first."""
        return _MINUTE_S if self._inside >= self._most else self._pace.wait_s()

    def _pass(self, reserve: int) -> bool:
        if not self._budget.reserve(reserve):
            return False
        self._inside += 1
        self._pace.take()
        return True


class Failures:
    """Counts pieces that failed for good, and says when that is enough."""

    def __init__(self, settings: CallSettings, what: str) -> None:
        self._settings, self._what = settings, what
        self.failed = self._pieces = self._in_a_row = 0

    def answered(self) -> None:
        """A piece has its answer."""
        self._pieces += 1
        self._in_a_row = 0

    def count(self, why: str) -> TooManyFailures | None:
        """A piece failed; the error to stop with, if that is one too many."""
        settings = self._settings
        self._pieces += 1
        self.failed += 1
        self._in_a_row += 1
        if self._in_a_row >= settings.failures_in_a_row:
            said = f"The last {self._in_a_row:,} requests to {self._what} all failed"
        elif (
            self._pieces >= settings.failed_share_from
            and self.failed > settings.failed_share * self._pieces
        ):
            said = f"{self.failed:,} of {self._pieces:,} requests to {self._what} failed"
        else:
            return None
        return TooManyFailures(
            f"{said}: {why}.", hint="What was answered is kept; begin it again when that is mended."
        )
