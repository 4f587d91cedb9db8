"""Counting and handing over what was served, after the client has it and on a thread of its own."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

from rft_widgets.model.deployment import ArmCounts, ServedExchange
from rft_widgets.serving.guard import where

MAX_WAITING = 10_000
"""Exchanges that may wait for a slow callback; further ones are counted as lost."""

_log = logging.getLogger("rft_widgets.serving")


class Recorder:
    """Hands exchanges to a callback, one after the other.

    Neither a slow nor a failing callback touches a response. The first failure is logged, and at
    the end how many there were.

    Parameters
    ----------
    record
        Called with each exchange, always on the same thread between `start` and `stop`.
    """

    def __init__(self, record: Callable[[ServedExchange], None] | None = None) -> None:
        self._record = record
        self._waiting: queue.Queue[Callable[[], ServedExchange] | None] = queue.Queue()
        self._lock = threading.Lock()
        self._counts: dict[str, ArmCounts] = {}
        self._lost = 0
        self._thread: threading.Thread | None = None

    @property
    def lost(self) -> int:
        """Exchanges that were served and not recorded."""
        with self._lock:
            return self._lost

    def counts(self) -> dict[str, ArmCounts]:
        """What each arm has served, by its name."""
        with self._lock:
            return dict(self._counts)

    def start(self) -> None:
        """Start the thread."""
        # A queue of its own: a thread that hung at the last stop goes on with the old one.
        self._waiting = queue.Queue()
        self._thread = threading.Thread(
            target=self._run, args=(self._waiting,), name="rft-recorder", daemon=True
        )
        self._thread.start()

    def submit(self, exchange: Callable[[], ServedExchange]) -> None:
        """Hand over an exchange, by the function that puts it together; returns at once."""
        if self._waiting.qsize() >= MAX_WAITING:
            self._lose("more than %s wait for the callback", f"{MAX_WAITING:,}")
        else:
            self._waiting.put(exchange)

    def stop(self, timeout_s: float) -> None:
        """Record what waits, and end; what is not recorded in time is lost."""
        if self._thread is None:
            return
        self._waiting.put(None)
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            with self._lock:
                self._lost += self._waiting.qsize() - 1
        self._thread = None
        if self.lost:
            _log.warning("%s served exchanges were not recorded.", f"{self.lost:,}")

    def _run(self, waiting: queue.Queue[Callable[[], ServedExchange] | None]) -> None:
        while (build := waiting.get()) is not None:
            try:
                exchange = build()
                with self._lock:
                    counts = self._counts.get(exchange.arm, ArmCounts())
                    self._counts[exchange.arm] = counts.plus(exchange)
                if self._record is not None:
                    self._record(exchange)
            except Exception as error:  # noqa: BLE001 - whatever a callback does
                self._lose("the callback failed: %s", where(error))

    def _lose(self, why: str, detail: str) -> None:
        with self._lock:
            self._lost += 1
            first = self._lost == 1
        if first:
            _log.error("A served exchange is not recorded, " + why, detail)
