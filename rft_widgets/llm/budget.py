"""The money of a piece of work: asked before a request is sent, settled when it ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import ClassVar

from rft_widgets.errors import BudgetReached


class Budget:
    """What may be spent, in millionths of a dollar. Thread-safe: clients of one job share one.

    Parameters
    ----------
    cap
        Most that may be spent; ``None`` for no limit.
    spent
        What was spent before.
    """

    _of_jobs: ClassVar[dict[tuple[str, str], Budget]] = {}
    _lock_of_jobs: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, cap: int | None, spent: int = 0) -> None:
        self.cap, self.spent = cap, spent
        self._reserved = self._users = 0
        self._lock = threading.Lock()

    @classmethod
    def of_job(cls, store: str, job_id: str, cap: int | None, spent: int) -> Budget:
        """The budget that the clients of a job share; close it after use."""
        with cls._lock_of_jobs:
            budget = cls._of_jobs.setdefault((store, job_id), cls(cap, spent))
            budget._users += 1  # noqa: SLF001 - its own class
            if cap is not None:
                budget.cap = cap if budget.cap is None else min(cap, budget.cap)
            return budget

    def close(self) -> None:
        """One user has no more use for it."""
        with self._lock_of_jobs:
            self._users -= 1
            if self._users <= 0:
                for key in [key for key, one in self._of_jobs.items() if one is self]:
                    del self._of_jobs[key]

    def reserve(self, cost: int) -> bool:
        """Set money aside for a request; whether it could be. It may when others are settled.

        Raises
        ------
        BudgetReached
            It could not be even if nothing else were under way.
        """
        with self._lock:
            if self.cap is None or self.spent + self._reserved + cost <= self.cap:
                self._reserved += cost
                return True
            if self._reserved:
                return False
            raise BudgetReached(
                f"{_usd(self.spent)} of {_usd(self.cap)} are spent, and the next request to the "
                f"model may cost {_usd(cost)}.",
                hint="What was answered is kept: begin it again with a higher limit, and it goes "
                "on from there.",
            )

    def settle(self, reserved: int, cost: int) -> None:
        """A request ended, and cost that."""
        with self._lock:
            self._reserved -= reserved
            self.spent += cost


_shared: ContextVar[Budget | None] = ContextVar("shared_budget", default=None)


@contextmanager
def one_budget(cap: int | None) -> Iterator[None]:
    """Let the clients that are opened within share one budget, as those of a job do.

    Within another it changes nothing: that work is a part of the other's.

    Parameters
    ----------
    cap
        Most that they may spend together, in millionths of a dollar; ``None`` for no limit.
    """
    token = _shared.set(_shared.get() or Budget(cap))
    try:
        yield
    finally:
        _shared.reset(token)


def shared_budget(cap: int | None) -> Budget:
    """The budget that is shared here; else one of its own."""
    return _shared.get() or Budget(cap)


def _usd(micro_usd: int) -> str:
    return f"${micro_usd / 1_000_000:,.{2 if micro_usd >= 10_000_000 else 4}f}"
