"""Chance that follows from a seed and from what it is for, whatever came before."""

from __future__ import annotations

import hashlib
import random
from typing import Any


def digest(*parts: Any) -> bytes:
    """Bytes that follow from the parts."""
    made = hashlib.blake2b()
    for part in parts:
        made.update(part if isinstance(part, bytes) else str(part).encode("utf-8", "replace"))
        made.update(b"\x1f")
    return made.digest()


def share(*parts: Any) -> float:
    """A number from 0 to 1, without 1."""
    return int.from_bytes(digest(*parts)[:7]) / (1 << 56)


def generator(*parts: Any) -> random.Random:
    """A generator of its own."""
    return random.Random(digest(*parts))  # noqa: S311 - it has to be foreseeable
