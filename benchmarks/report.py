"""Results as one table for people and as JSON for programs."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

import rft_widgets
from benchmarks.measure import Row


def context() -> dict[str, Any]:
    """What the numbers were measured with."""
    return {
        "package": rft_widgets.__version__,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "platform": f"{sys.platform} {platform.machine()}",
        "cpus": os.cpu_count(),
        "load_before": load(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def load() -> float | None:
    """How many processes wanted a CPU over the last minute, ``None`` where nobody counts them."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def as_json(about: dict[str, Any], rows: Sequence[Row]) -> str:
    """Context and rows as indented JSON."""
    text = msgspec.json.encode({"context": about, "rows": rows})
    return msgspec.json.format(text, indent=2).decode()


def as_table(about: dict[str, Any], rows: Sequence[Row]) -> str:
    """Context, one line a row, and how many targets were reached."""
    cells = [_HEAD, *(_cells(row) for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(_HEAD))]
    lines = [" ".join(f"{key}={value}" for key, value in about.items()), ""]
    for number, line in enumerate(cells):
        lines.append(
            "  ".join(
                cell.rjust(width) if i in _RIGHT else cell.ljust(width)
                for i, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
        )
        if number == 0:
            lines.append("  ".join("-" * width for width in widths))
    judged = [row for row in rows if row.reached is not None]
    reached = sum(row.reached is True for row in judged)
    lines += ["", f"{reached} of {len(judged)} targets reached."]
    return "\n".join(lines)


_HEAD = (
    "benchmark",
    "records",
    "value",
    "floor",
    "ratio",
    "target",
    "reached",
    "what the floor is",
)
_RIGHT = frozenset({1, 2, 3, 4})


def _cells(row: Row) -> tuple[str, ...]:
    floor = "" if row.floor is None else f"{_number(row.floor)} {row.unit}"
    ratio = "" if row.ratio is None else f"{_number(row.ratio)}x"
    reached = {True: "yes", False: "NO", None: ""}[row.reached]
    return (row.name, f"{row.records:,}", f"{_number(row.value)} {row.unit}", floor, ratio,
            row.target or "", reached, row.floor_name or "")  # fmt: skip


def _number(value: float) -> str:
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
