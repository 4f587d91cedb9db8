"""JSON documents out of files: line by line where the file is JSON lines, else the file as a whole.

Nothing here trusts its input: lines, nesting and what a compressed file unfolds to have limits, and
a line that breaks one is reported with its number while the reading goes on.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from rft_widgets import files
from rft_widgets.errors import NotFound
from rft_widgets.model.settings import LIMITS
from rft_widgets.model.trace import TraceLoss
from rft_widgets.traces.reader import Document

MAX_DOCUMENT_BYTES = 512 * 1024**2
"""Largest file that is one JSON value; JSON lines have no such limit."""

SUFFIXES = (".jsonl", ".ndjson", ".json", ".jsonl.gz", ".ndjson.gz", ".json.gz")
"""Names of the files that are read when a folder is given."""

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class Undecodable(ValueError):  # noqa: N818 - it is what the value is, the caller says where
    """Text that is not JSON, or is nested too deeply; the message says which."""


def decode(data: bytes | str) -> Any:
    """Parse one JSON value.

    Raises
    ------
    Undecodable
        If it does not parse, is not UTF-8, or is nested deeper than the limit.
    """
    _check_depth(data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass"))
    return _decode(data, Any)


def read_path(path: Path) -> Iterator[Document | TraceLoss]:
    """Documents of a file, or of every JSON file under a folder, in the order of their names.

    Lines that cannot be read come as losses with their line number.

    Raises
    ------
    NotFound
        If there is no such file.
    ImportRejected
        If the file as a whole cannot be read: a truncated or damaged archive, one that unfolds to
        too much, or a single JSON value that is too large.
    """
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.is_file() and file.name.lower().endswith(SUFFIXES):
                name = file.relative_to(path).as_posix()
                for item in read_path(file):
                    yield _within(item, name)
        return
    if _holds_one_value(path):
        yield from _whole(path)
    else:
        yield from _lines(path)


def check_readable(path: Path) -> None:
    """Refuse a path that is not there, and an archive that is damaged, before anything is used."""
    if not path.exists():
        raise NotFound(f"There is no file {path}.", hint="Check the path.")
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            files.verify_archive(file)


def _within(item: Document | TraceLoss, name: str) -> Document | TraceLoss:
    location = f"{name} {item.location}"
    if isinstance(item, Document):
        return Document(location, item.value)
    return msgspec.structs.replace(item, location=location)


# Files as lines ---------------------------------------------------------------------------------


def _lines(path: Path) -> Iterator[Document | TraceLoss]:
    for line in files.read_lines(path):
        location = f"line {line.number}"
        if line.content is None:
            reason = f"The line is longer than {LIMITS.max_line_bytes:,} bytes."
            yield TraceLoss(code="undecodable", message=reason, location=location)
        elif line.content.strip():
            try:
                yield Document(location, decode(line.content))
            except Undecodable as error:
                yield TraceLoss(code="undecodable", message=str(error), location=location)


# Files as one value -----------------------------------------------------------------------------


def _holds_one_value(path: Path) -> bool:
    # A pretty-printed document: its first line is no value of its own, and neither is its second,
    # unless the first is the lone bracket that opens a list. What looks so and does not parse is
    # read line by line after all, so that a damaged first line costs one line.
    said = (line.content for line in files.read_lines(path))
    seen = list(itertools.islice((line for line in said if line is None or line.strip()), 2))
    if not seen or _parses(seen[0]):
        return False
    first = seen[0]
    lone = first is not None and first.strip() in (b"[", b"{")
    if len(seen) == 2 and _parses(seen[1]) and not lone:
        return False
    data = files.read_whole(path, MAX_DOCUMENT_BYTES)
    return data is not None and _parses(data)


def _parses(data: bytes | None) -> bool:
    if data is None:
        return False
    try:
        _decode(data, msgspec.Raw)
    except Undecodable:
        return False
    return True


def _whole(path: Path) -> Iterator[Document | TraceLoss]:
    data = files.read_whole(path, MAX_DOCUMENT_BYTES) or b"null"
    try:
        # A list stays bytes until each element's turn: its objects take many times its size.
        elements = _decode(data, list[msgspec.Raw])
    except Undecodable:
        try:
            yield Document("document", decode(data))
        except Undecodable as error:
            yield TraceLoss(code="undecodable", message=str(error), location="document")
        return
    for number, element in enumerate(elements, start=1):
        location = f"item {number}"
        try:
            yield Document(location, decode(bytes(element)))
        except Undecodable as error:
            yield TraceLoss(code="undecodable", message=str(error), location=location)


# Values -----------------------------------------------------------------------------------------


def _decode(data: bytes | str, kind: Any) -> Any:
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.DecodeError as error:
        raise Undecodable(f"It is not valid JSON: {error}.") from error
    except UnicodeError as error:
        raise Undecodable("It is not valid UTF-8.") from error
    except RecursionError as error:
        raise Undecodable(f"It is nested deeper than {LIMITS.max_depth} levels.") from error
    except ValueError as error:  # an integer with more digits than Python converts
        raise Undecodable(f"It holds a number that is too long: {error}.") from error


def _check_depth(data: bytes) -> None:
    if data.count(b"[") + data.count(b"{") <= LIMITS.max_depth:
        return
    depth = 0
    for bracket in _STRING.sub(b"", data).translate(None, _NOT_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > LIMITS.max_depth:
            raise Undecodable(f"It is nested deeper than {LIMITS.max_depth} levels.")
