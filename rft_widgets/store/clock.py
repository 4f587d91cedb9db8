"""Times as the tables hold them: microseconds since 1970, UTC."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now_us() -> int:
    """The time now."""
    return time.time_ns() // 1000


def to_datetime(us: int) -> datetime:
    """Exact datetime of a stored time."""
    return _EPOCH + timedelta(microseconds=us)
