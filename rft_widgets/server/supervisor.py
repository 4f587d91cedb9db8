"""Keeps the worker process at work while the app runs, and leaves one alone that is there already.

The worker is no part of this process: killing the app kills no work. The next start finds it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

logger = logging.getLogger(__name__)

LOCK_FILE: Final = "worker.lock"
EVERY_S: Final = 0.5
PAUSES_S: Final = (0.5, 1.0, 2.0, 5.0, 15.0, 60.0)
"""Before a worker that ended at once is started again."""
STEADY_S: Final = 30.0
"""After so long a worker counts as one that works."""
END_S: Final = 20.0
"""What it may take to put its jobs back."""


class Supervisor:
    """Starts the worker, and starts it again when it ended.

    Parameters
    ----------
    folder
        The store's side folder, in which a worker holds its lock.
    environment
        Of the worker.
    is_single
        Whether there is one worker a store, told by its lock.
    """

    def __init__(self, folder: Path, environment: dict[str, str], *, is_single: bool) -> None:
        self._folder = folder
        self._environment = environment
        self._is_single = is_single
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._failures = 0

    async def watch(self) -> None:
        """Keep a worker at work until cancelled."""
        while True:
            try:
                await self._look()
            except OSError:
                logger.exception("The worker cannot be started.")
                await asyncio.sleep(PAUSES_S[-1])
            await asyncio.sleep(EVERY_S)

    async def _look(self) -> None:
        if self._process is not None:
            status = self._process.poll()
            if status is None:
                return
            lasted = time.monotonic() - self._started_at
            self._process = None
            self._failures = 0 if lasted > STEADY_S else self._failures + 1
            if self._failures:
                pause = PAUSES_S[min(self._failures, len(PAUSES_S)) - 1]
                logger.warning(
                    "The worker ended with status %s after %.0f s; it is started again in %g s. "
                    "Its log is %s.", status, lasted, pause, self._folder / "worker.log",
                )  # fmt: skip
                await asyncio.sleep(pause)
            else:
                logger.warning("The worker ended with status %s; it is started again.", status)
        if not (self._is_single and is_locked(self._folder / LOCK_FILE)):
            self._start()

    def _start(self) -> None:
        self._started_at = time.monotonic()
        # What it says when it cannot start has to be somewhere; later it writes a log of its own.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "rft_widgets", "worker"],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    async def close(self) -> None:
        """End the worker that was started here; its jobs go back to the queue."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(process.wait, END_S)
            return
        process.kill()
        process.wait()


def is_locked(path: Path) -> bool:
    """Whether another process holds the lock of a file."""
    if sys.platform == "win32":
        return False  # the worker itself tells: it ends where there is one
    import fcntl  # noqa: PLC0415 - not on every system

    try:
        number = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(number)
    return False
