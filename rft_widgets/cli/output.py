"""How commands talk: tables for people, one JSON object for programs, progress on the side."""

from __future__ import annotations

import argparse
import contextlib
import io
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import FrameType
from typing import Any, Final, TypeAlias

import msgspec

from rft_widgets.errors import RftError
from rft_widgets.model.record import ImportProgress
from rft_widgets.workspace import Workspace

Progress: TypeAlias = Callable[[float | None, str], None]
"""Is told the share that is done (0..1, ``None`` where unknown) and what is being done."""

NO_GO: Final = 3
"""Exit status where the dry run says that training is not worth it."""

_BAR = 24


class NoGo(RftError):  # noqa: N818 - the family reads as what happened
    """The dry run says NO_GO, so what was asked for was not done."""


def open_workspace(options: argparse.Namespace) -> Workspace:
    """Open the store that the options name, or the default one."""
    return Workspace(options.database)


def print_json(value: Any) -> None:
    """Print a value as one JSON object."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    print(text, flush=True)  # a server goes on for hours after it


def quiet(options: argparse.Namespace) -> contextlib.AbstractContextManager[Any]:
    """Keep what is for people from the output where a program reads it."""
    if options.json:
        return contextlib.redirect_stdout(io.StringIO())
    return contextlib.nullcontext()


def print_table(rows: Iterable[Sequence[object]], head: tuple[str, ...]) -> None:
    """Print rows in columns as wide as they need; numbers stand to the right."""
    lines = [head, *(tuple(_text(value) for value in row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        parts = [
            cell.rjust(width) if _is_number(cell) else cell.ljust(width)
            for cell, width in zip(line, widths, strict=True)
        ]
        print("  " + "  ".join(parts).rstrip())


def confirmed(question: str, options: argparse.Namespace) -> bool:
    """Ask, unless ``--yes`` has answered; nobody there to answer means no."""
    if options.yes:
        return True
    try:
        print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
        return input().strip().lower() in ("y", "yes")
    except EOFError:
        return False


@contextlib.contextmanager
def progress_line() -> Iterator[Progress]:
    """Show on one line of the terminal how far something is; nothing where there is none."""
    if not sys.stderr.isatty():
        yield lambda _share, _doing: None
        return

    def show(share: float | None, doing: str) -> None:
        bar = ""
        if share is not None:
            full = round(share * _BAR)
            bar = f"[{'#' * full}{'.' * (_BAR - full)}] {share:4.0%} "
        print(f"\r\033[K{bar}{doing}", end="", file=sys.stderr, flush=True)

    try:
        yield show
    finally:
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def importing(show: Progress) -> Callable[[ImportProgress], None]:
    """Make the progress of an import one of any step."""

    def told(now: ImportProgress) -> None:
        share = now.bytes_read / now.bytes_total if now.bytes_total else None
        show(share, f"{now.phase}: {now.lines:,} lines, {now.imported:,} records")

    return told


@contextlib.contextmanager
def stop_wish() -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C ask a step to stop in order; a second one stops it where it is."""
    wish = threading.Event()

    def on_interrupt(_number: int, _frame: FrameType | None) -> None:
        if wish.is_set():
            raise KeyboardInterrupt
        wish.set()
        print("\nStopping; once more to stop at once.", file=sys.stderr, flush=True)

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield wish.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)


def _is_number(cell: str) -> bool:
    return cell.replace(",", "").replace(".", "").replace("%", "").lstrip("+-").isdigit()
