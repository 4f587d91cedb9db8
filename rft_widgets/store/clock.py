"""Times as the tables hold them: microseconds since 1970, UTC."""

from __future__ import annotations

import functools
import time
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now_us() -> int:
    """The time now."""
    return time.time_ns() // 1000


@functools.lru_cache(maxsize=4096)  # the records of a batch share their times
def to_datetime(us: int) -> datetime:
    """Exact datetime of a stored time."""
    return _EPOCH + timedelta(microseconds=us)
