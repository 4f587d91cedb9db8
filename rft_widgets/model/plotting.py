"""The one place that loads matplotlib, which is optional and slow to load."""

from __future__ import annotations

from typing import Any

from rft_widgets.errors import ExtraRequired


def pyplot() -> Any:
    """Load ``matplotlib.pyplot``.

    Raises
    ------
    ExtraRequired
        matplotlib is not installed.
    """
    try:
        import matplotlib.pyplot as plt  # noqa: PLC0415 - optional and slow to load
    except ImportError as error:
        raise ExtraRequired(
            "Drawing needs matplotlib.", hint="Install it with: pip install 'rft-widgets[plots]'"
        ) from error
    return plt


def plain(name: str) -> str:
    """Text that matplotlib draws as it is: a dollar sign would start a formula."""
    return name.replace("$", r"\$")
