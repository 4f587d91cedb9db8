"""Who is at work on a request: told apart from who was killed."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from pathlib import Path

from rft_widgets.model.call_settings import CALLS
from rft_widgets.store.clock import now_us

_at_work: set[str] = set()


def begin() -> str:
    """A name for a client of this process, until `end`."""
    owner = "|".join(
        (socket.gethostname(), str(os.getpid()), _started(os.getpid()), secrets.token_hex(6))
    )
    _at_work.add(owner)
    return owner


def end(owner: str) -> None:
    """It is at work no more."""
    _at_work.discard(owner)


def is_here(owner: str) -> bool:
    """Whether an owner is at work in this process."""
    return owner in _at_work


def is_alive(owner: str, sent_us: int) -> bool:
    """Whether an owner may still bring the answer to what it sent at a time."""
    host, pid, started, _ = owner.split("|") if owner.count("|") == 3 else ("", "0", "", "")
    if host == socket.gethostname():
        if int(pid) == os.getpid() and started == _started(os.getpid()):
            return owner in _at_work
        if started:
            return _started(int(pid)) == started
        if sys.platform != "win32" and not _is_running(int(pid)):
            return False
    # Of another machine only the clock tells.
    return now_us() - sent_us < CALLS.stale_s * 1_000_000


def _started(pid: int) -> str:
    """When a process was started, where the system tells: a number may be used again."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    after_name = stat.rpartition(")")[2].split()
    return after_name[19] if len(after_name) > 19 and after_name[0] not in "ZX" else ""


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # another user's
    return True
