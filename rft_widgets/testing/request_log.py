"""What the stand-in server was asked: in memory, and as lines of JSON."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct, json

KeySeen = Literal["none", "given", "right", "wrong"]


class LoggedRequest(Struct, frozen=True, kw_only=True):
    """A request, without the key that came with it.

    Attributes
    ----------
    number
        Counts from 1.
    at
        Seconds since 1970.
    headers
        Names in lower case; those that carry keys are left out.
    body
        The JSON that was sent; of other bodies their number of bytes, as ``{"bytes": n}``.
    digest
        Follows from method, path and body: the same request has the same.
    nth
        How often it had come, this time included.
    key
        Whether a key came: ``right`` and ``wrong`` where the server requires one.
    key_in
        Name of the header that it came in.
    fault
        What went wrong on demand.
    status
        What is answered.
    paid
        Whether a service would want money for it: the model did its work.
    """

    number: int
    at: float
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    digest: str
    nth: int
    key: KeySeen
    fault: str | None
    status: int
    paid: bool
    key_in: str = ""


class RequestLog:
    """Keeps every request. A line is in the file before the answer goes out."""

    def __init__(self, path: Path | None) -> None:
        self._requests: list[LoggedRequest] = []
        self._file = path.open("ab", buffering=0) if path else None
        self._lock = threading.Lock()

    def add(self, request: LoggedRequest) -> None:
        """Keep one."""
        with self._lock:
            self._requests.append(request)
            if self._file is not None:
                self._file.write(json.encode(request) + b"\n")

    @property
    def requests(self) -> tuple[LoggedRequest, ...]:
        """All of them, in the order in which they came."""
        with self._lock:
            return tuple(self._requests)

    def __len__(self) -> int:
        return len(self._requests)

    def clear(self) -> None:
        """Forget those in memory."""
        with self._lock:
            self._requests.clear()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def read_log(path: Path) -> list[LoggedRequest]:
    """Read the file of a log; a last line that is not finished yet is left out."""
    lines = path.read_bytes().split(b"\n")[:-1]
    return [json.decode(line, type=LoggedRequest) for line in lines]
