"""How steps tell how far they are."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[float, str], None]
"""Is told the share that is done (0..1) and what is being done."""
