"""How commands talk: tables for people, one JSON object for programs, progress on the side."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import Any

import msgspec

from rft_widgets.model.record import ImportProgress
from rft_widgets.workspace import Workspace


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add the options that every command takes."""
    parser.add_argument("--database", metavar="URL", help="store to use: a file or a database URL")
    parser.add_argument("--json", action="store_true", help="print one JSON object and no more")


def open_workspace(options: argparse.Namespace) -> Workspace:
    """Open the store that the options name, or the default one."""
    return Workspace(options.database)


def print_json(value: Any) -> None:
    """Print a value as one JSON object."""
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_table(rows: Iterable[tuple[object, ...]], head: tuple[str, ...]) -> None:
    """Print rows in columns as wide as they need; numbers stand to the right."""
    cells = [head, *((_text(value) for value in row) for row in rows)]
    lines = [tuple(row) for row in cells]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        parts = [
            cell.rjust(width) if _is_number(cell) else cell.ljust(width)
            for cell, width in zip(line, widths, strict=True)
        ]
        print("  " + "  ".join(parts).rstrip())


def show_progress(progress: ImportProgress) -> None:
    """Rewrite one line on the terminal; nothing is shown where there is none."""
    if not sys.stderr.isatty():
        return
    share = f"{progress.bytes_read / progress.bytes_total:4.0%} " if progress.bytes_total else ""
    end = "\n" if progress.phase == "done" else ""
    print(
        f"\r{progress.phase:8} {share}{progress.lines:,} lines, {progress.imported:,} records",
        end=end,
        file=sys.stderr,
        flush=True,
    )


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)


def _is_number(cell: str) -> bool:
    return cell.replace(",", "").replace(".", "").replace("%", "").isdigit()
