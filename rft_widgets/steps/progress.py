"""How steps tell how far they are."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[float, str], None]
"""Is told the share that is done (0..1) and what is being done."""

Told = Callable[[float | None, str], None]
"""The same, of a step that may not know its share: ``None`` then."""
