"""A file of records as numbered lines, be it JSONL or one JSON document."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Raw

from rft_widgets import files
from rft_widgets.errors import ImportRejected, NotFound
from rft_widgets.files import Line

_ENDS = 1 << 20  # bytes of both ends of a file that tell it from another one of the same size
_MAX_DOCUMENT = 512 * 1024**2  # a JSON document is held in memory whole; JSONL is not


class Source(NamedTuple):
    """A file that was looked at: what it is and how to read it."""

    path: Path
    size: int
    fingerprint: str
    is_gzip: bool
    is_document: bool


def inspect(path: str | Path, *, cancelled: Callable[[], bool] = bool) -> Source:
    """Look at a file before it is read.

    A compressed file is unpacked once to its end here, so that one that is damaged, cut off or a
    decompression bomb is refused before anything of it is stored.

    Raises
    ------
    NotFound
        If there is no such file.
    ImportRejected
        If the file as a whole cannot be read.
    """
    path = Path(path)
    if not path.is_file():
        raise NotFound(f"There is no file {path}.", hint="Check the path; folders are not read.")
    files.verify_archive(path, cancelled)
    blocks = files.read_blocks(path)
    head = next(blocks, b"")
    is_all = next(blocks, None) is None
    blocks.close()
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ImportRejected(
            f"{path} is written in UTF-16.", hint="Save it as UTF-8 and import it again."
        )
    return Source(
        path=path,
        size=path.stat().st_size,
        fingerprint=_fingerprint(path),
        is_gzip=files.is_gzip(path),
        is_document=_is_document(path, head, is_all=is_all),
    )


def read_lines(source: Source, *, start: int = 0, number: int = 0) -> Iterator[Line]:
    """Read the lines of a file, or the elements of a JSON document as if each were one.

    Parameters
    ----------
    source
        From `inspect`.
    start, number
        Where to go on: the ``end`` and ``number`` of the last line that was used. Offsets count
        bytes of the uncompressed text, or elements of a JSON array.
    """
    if not source.is_document:
        yield from files.read_lines(source.path, start, number)
        return
    data = files.read_whole(source.path, _MAX_DOCUMENT) or b""
    for index, element in enumerate((_decode_document(data) or ())[start:], start + 1):
        yield Line(index, bytes(element), index)


def _fingerprint(path: Path) -> str:
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_ENDS)
        file.seek(max(0, size - _ENDS))
        return hashlib.sha256(b"%d|" % size + head + file.read(_ENDS)).hexdigest()


def _is_document(path: Path, head: bytes, *, is_all: bool) -> bool:
    """Whether the file is one JSON document and not a line each: an array, or a pretty object."""
    text = head.removeprefix(files.BOM).lstrip(b" \t\r\n")
    if not text.startswith((b"[", b"{")):
        return False
    first_line, line_end, rest = text.partition(b"\n")
    if text.startswith(b"{"):
        # One object a line, or one object in all: only {"records": [...]} makes a difference.
        if not line_end and not is_all and not _RECORDS.search(text):
            return False  # a first line longer than what was looked at
        if (line_end or is_all) and _is_json(first_line, dict[str, Raw]):
            return not rest.strip() and is_all and _RECORDS.search(first_line) is not None
    data = files.read_whole(path, _MAX_DOCUMENT)
    if data is None:
        if text.startswith(b"{"):
            return False
        raise ImportRejected(
            f"{path} is one JSON array of more than {_MAX_DOCUMENT // 1024**2} MB.",
            hint="Write one object a line (JSONL); that is read in a stream.",
        )
    if _decode_document(data) is not None:
        return True
    if text.startswith(b"{") or (
        rest.lstrip().startswith(b"{") and _is_json(first_line, list[Raw])
    ):
        return False
    try:
        json.loads(data)
    except (ValueError, RecursionError) as error:
        reason = str(error)
    else:
        reason = "its brackets do not match"
    raise ImportRejected(
        f"{path} starts as a JSON array and does not end as one: {reason}.",
        hint="Repair the file, or write one object a line (JSONL).",
    )


def _is_json(line: bytes, kind: type) -> bool:
    try:
        msgspec.json.decode(line, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _decode_document(data: bytes) -> Sequence[Raw | bytes] | None:
    """Elements of an array or of ``{"records": [...]}``, or the one object; ``None`` for others."""
    try:
        if data.lstrip().startswith(b"["):
            return msgspec.json.decode(data, type=list[Raw])
        top = msgspec.json.decode(data, type=dict[str, Raw])
        if "records" in top and "messages" not in top and "input" not in top:
            return msgspec.json.decode(top["records"], type=list[Raw])
    except msgspec.ValidationError:
        return None  # it is JSON, of another kind
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _cut_document(data)
    return [Raw(data.strip())]


_RECORDS = re.compile(rb'"records"\s*:\s*\[')
_MARKS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{},:]', re.DOTALL)


def _cut_document(data: bytes) -> list[bytes] | None:
    """Elements of an array that is no JSON as a whole, found by its brackets and commas alone.

    So one bad element costs itself and not all the others. ``None`` when the brackets do not match.
    """
    elements: list[bytes] = []
    depth = level = start = 0  # `level` is the depth of the array's elements, once it was found
    text = key = b""
    for match in _MARKS.finditer(data):
        mark = match[0]
        if mark in (b"[", b"{"):
            depth += 1
            if not level and mark == b"[" and (depth == 1 or (depth == 2 and key == b'"records"')):
                level, start = depth, match.end()
        elif mark in (b"]", b"}"):
            if depth == level:
                elements.append(data[start : match.start()])
                level = -1  # whatever follows belongs to no element
            depth -= 1
            if depth == 0:
                rest = data[match.end() :]
                whole = level == -1 and not rest.strip() and all(e.strip() for e in elements)
                return elements if whole else None
        elif mark == b"," and depth == level:
            elements.append(data[start : match.start()])
            start = match.end()
        elif mark == b":" and depth == 1:
            key = text
        elif mark.startswith(b'"'):
            text = mark
    return None
