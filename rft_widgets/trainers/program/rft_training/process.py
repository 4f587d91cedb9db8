"""The process: what is set before torch is loaded, and that a folder has one run at a time."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from .places import CONTROL
from .settings import Settings

TINY_BYTES = 64 * 1024**2
"""Models smaller than this are faster on one thread: handing out the work takes longer than it."""

_LOOKED_AT_S = 2.0
"""Whoever looks whether a process lives holds its lock for a moment."""


def prepare_environment(settings: Settings) -> None:
    """Set what libraries read when they are loaded; what is set already stays."""
    wanted = {
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "WANDB_DISABLED": "true",
        "OMP_NUM_THREADS": str(_threads(settings)),
    }
    if settings.is_folder:
        wanted |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    for name, value in wanted.items():
        os.environ.setdefault(name, value)


def _threads(settings: Settings) -> int:
    if settings.is_folder and _weights_bytes(Path(settings.model)) < TINY_BYTES:
        return 1
    return max(1, (os.cpu_count() or 1) // settings.num_processes)


def _weights_bytes(folder: Path) -> int:
    weights = [*folder.glob("*.safetensors"), *folder.glob("*.bin")]
    return sum(path.stat().st_size for path in weights)


def rank() -> int:
    """Which of the processes of the run this is."""
    return int(os.environ.get("RANK", "0"))


@contextlib.contextmanager
def only_run(folder: Path) -> Iterator[None]:
    """Hold the lock of this process, by which others see that it lives; its text is its id."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    path = folder / CONTROL / "locks" / f"rank-{rank()}"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        until = time.monotonic() + _LOOKED_AT_S
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    sys.exit(f"{folder} is being trained by another process.")
                time.sleep(0.05)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
