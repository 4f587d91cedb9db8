"""A private folder of this process for files on their way between a page and the store."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

if sys.platform != "win32":
    import fcntl

_PREFIX = "rft-widgets-"
_LOCK = "owner.lock"
_YOUNG_S = 60.0
"""A folder without a lock that is younger may be just being made."""

_guard = threading.Lock()
_made: list[tuple[Path, int]] = []
"""The folder, and its lock: a descriptor that stays open as long as the process lives."""


def scratch() -> Path:
    """The folder, made when it is first needed; it goes with the process.

    What processes left behind that were killed goes when the next one needs a folder.
    """
    with _guard:
        if not _made or not _made[0][0].is_dir():
            base = Path(tempfile.gettempdir())
            _sweep(base)
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))  # only its owner may enter
            lock = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
            _hold(lock)
            _made[:] = [(folder, lock)]
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return _made[0][0]


def _sweep(base: Path) -> None:
    for folder in base.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # another user's, or gone meanwhile
            if time.time() - folder.stat().st_mtime < _YOUNG_S and not (folder / _LOCK).exists():
                continue
            lock = os.open(folder / _LOCK, os.O_RDWR)
            try:
                if _hold(lock):  # its owner is gone: a lock ends with its process
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def _hold(lock: int) -> bool:
    if sys.platform == "win32":  # folders of processes that were killed stay there
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
