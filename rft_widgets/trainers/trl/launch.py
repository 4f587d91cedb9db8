"""The program that trains as a process: started, seen, and ended, by whoever follows it now.

Each of its processes holds the lock of a file that names it. So a worker that comes later finds
them, and one that was killed leaves no doubt.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from rft_widgets.trainers.program.rft_training.places import CONTROL, ENDED, STOP
from rft_widgets.trainers.trl.directory import LAUNCH, PROGRAM

LOG = "log.txt"
_LOCKS = f"{CONTROL}/locks"
_PATIENCE_S = 5.0


class Program:
    """The program in the folder of a run, whether or not it was started here."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it goes on from the last checkpoint."""
        import fcntl  # noqa: PLC0415 - not on every system

        path = self._folder / _LOCKS / "launcher"
        path.parent.mkdir(parents=True, exist_ok=True)
        command = [
            sys.executable, "-m", "accelerate.commands.launch", "--config_file", LAUNCH, PROGRAM,
        ]  # fmt: skip
        with path.open("a+") as lock, (self._folder / LOG).open("ab") as log:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return  # another worker was a moment faster
            for name in (STOP, ENDED):
                (self._folder / name).unlink(missing_ok=True)
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                command,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=(lock.fileno(),),  # it holds the lock for as long as it lives
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
            )
            lock.truncate(0)
            lock.write(str(self._process.pid))

    def is_alive(self) -> bool:
        """Whether any process of it lives."""
        if self._process is not None:
            self._process.poll()  # so that the system forgets it
        return bool(self._living())

    def kill(self) -> None:
        """End it, in good manners first."""
        self._signal(signal.SIGTERM)
        ends = time.monotonic() + _PATIENCE_S
        while self.is_alive() and time.monotonic() < ends:
            time.sleep(0.05)
        while self.is_alive():
            self._signal(signal.SIGKILL)
            time.sleep(0.05)

    def _signal(self, number: signal.Signals) -> None:
        for name, pid in self._living().items():
            if not pid:  # it is about to write it
                continue
            with contextlib.suppress(ProcessLookupError):
                if name == "launcher":
                    os.killpg(pid, number)
                os.kill(pid, number)

    def _living(self) -> dict[str, int]:
        """Ids of the processes that hold their lock, by the names of those."""
        import fcntl  # noqa: PLC0415 - not on every system

        found = {}
        for path in (self._folder / _LOCKS).glob("*"):
            with path.open("r+") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    text = file.read()
                    found[path.name] = int(text) if text.isdecimal() else 0
        return found

    def last_words(self, lines: int = 12) -> str:
        """The end of what it printed."""
        try:
            with (self._folder / LOG).open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 8_000))
                text = file.read().decode(errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.strip().splitlines()[-lines:])
