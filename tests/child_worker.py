"""The worker as a process of its own, which tests kill as the system would."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from rft_widgets.jobs.running import JOBS_VARIABLE


class ChildWorker:
    """``rft-widgets worker`` on a store; ended with the block."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start it; it takes a moment until it is at work."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "rft_widgets", "worker", "--database", str(self._database)],
            env=os.environ | {JOBS_VARIABLE: "worker"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def kill(self) -> None:
        """End it and its children at once, without a word."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(30)
            self._process = None

    def end(self) -> int:
        """Ask it to end, and wait for that; its exit status."""
        assert self._process is not None
        self._process.terminate()
        status = self._process.wait(30)
        self._process = None
        return status
