r"""A file as numbered lines: plain, gzip-compressed, JSONL or one JSON document.

Lines end at ``\n`` and nowhere else: Unicode knows other line ends, which stand inside texts.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import msgspec
from msgspec import Raw

from rft_widgets.errors import ImportInterrupted, ImportRejected, NotFound
from rft_widgets.model.settings import LIMITS

GZIP_MAGIC = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_BLOCK = 1 << 20
_PEEK = 1 << 16
_RATIO_FROM = 64 * 1024**2
_MAX_DOCUMENT = 512 * 1024**2  # a JSON document is held in memory whole; JSONL is not


class Line(NamedTuple):
    """One line, or one element of a JSON array: its number from 1, its bytes, where it ends.

    ``content`` is ``None`` for a line longer than the limit, which is not kept in memory.
    """

    number: int
    content: bytes | None
    end: int


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
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_BLOCK)
        file.seek(max(0, size - _BLOCK))
        tail = file.read(_BLOCK)
    fingerprint = hashlib.sha256(b"%d|" % size + head + tail).hexdigest()
    is_gzip = head.startswith(GZIP_MAGIC)
    if is_gzip:
        _verify_gzip(path, cancelled)
        with _open(path, is_gzip=True) as file:
            head = file.read(_PEEK)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ImportRejected(
            f"{path} is written in UTF-16.", hint="Save it as UTF-8 and import it again."
        )
    return Source(path, size, fingerprint, is_gzip, _is_document(path, head, is_gzip=is_gzip))


def read_lines(source: Source, *, start: int = 0, number: int = 0) -> Iterator[Line]:
    """Read the lines of a file.

    Parameters
    ----------
    source
        From `inspect`.
    start, number
        Where to go on: the ``end`` and ``number`` of the last line that was used. Offsets count
        bytes of the uncompressed text, or elements of a JSON array.
    """
    if source.is_document:
        yield from _elements(source, start)
        return
    with _open(source.path, is_gzip=source.is_gzip) as file:
        if start == 0:
            if file.read(3) != _BOM:
                file.seek(0)
            else:
                start = 3
        else:
            file.seek(start)
        yield from _split(file, start, number)


def _split(file: BinaryIO, offset: int, number: int) -> Iterator[Line]:
    rest = b""
    skipping = 0  # bytes of an overlong line that were thrown away
    while block := file.read(_BLOCK):
        parts = (rest + block).split(b"\n")
        rest = parts.pop()
        for part in parts:
            number += 1
            offset += skipping + len(part) + 1
            too_long = skipping > 0
            skipping = 0
            yield Line(number, None if too_long else part, offset)
        if skipping or len(rest) > LIMITS.max_line_bytes:
            skipping += len(rest)
            rest = b""
    if rest or skipping:
        offset += skipping + len(rest)
        yield Line(number + 1, None if skipping else rest, offset)


def _elements(source: Source, start: int) -> Iterator[Line]:
    with _open(source.path, is_gzip=source.is_gzip) as file:
        data = file.read()
    elements = _decode_document(data.removeprefix(_BOM))
    assert elements is not None  # noqa: S101 - `inspect` decoded the same bytes
    for index, element in enumerate(elements[start:], start + 1):
        yield Line(index, bytes(element), index)


def _is_document(path: Path, head: bytes, *, is_gzip: bool) -> bool:
    """Whether the file is one JSON document and not a line each: an array, or a pretty object."""
    text = head.removeprefix(_BOM).lstrip(b" \t\r\n")
    if not text.startswith((b"[", b"{")):
        return False
    first_line, line_end, rest = text.partition(b"\n")
    if text.startswith(b"{"):
        # One object a line, or one object in all: only {"records": [...]} makes a difference.
        is_all = len(head) < (_PEEK if is_gzip else _BLOCK)
        if not line_end and not is_all and not _RECORDS.search(text):
            return False  # a first line longer than what was looked at
        if (line_end or is_all) and _is_json(first_line, dict[str, Raw]):
            return not rest.strip() and is_all and _RECORDS.search(first_line) is not None
    with _open(path, is_gzip=is_gzip) as file:
        data = file.read(_MAX_DOCUMENT + 1)
    if len(data) > _MAX_DOCUMENT:
        if text.startswith(b"{"):
            return False
        raise ImportRejected(
            f"{path} is one JSON array of more than {_MAX_DOCUMENT // 1024**2} MB.",
            hint="Write one object a line (JSONL); that is read in a stream.",
        )
    data = data.removeprefix(_BOM)
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


def _verify_gzip(path: Path, cancelled: Callable[[], bool]) -> None:
    total = 0
    with path.open("rb") as file, gzip.GzipFile(fileobj=file) as stream:
        try:
            while block := stream.read(_BLOCK):
                total += len(block)
                ratio_limit = LIMITS.max_gzip_ratio * max(file.tell(), 1)
                if total > LIMITS.max_gzip_bytes or (total > _RATIO_FROM and total > ratio_limit):
                    raise ImportRejected(
                        f"{path} unfolds to far more than its size: {total:,} bytes from "
                        f"{file.tell():,} so far.",
                        hint="Unpack it yourself if you trust it, and import the result.",
                    )
                if cancelled():
                    raise ImportInterrupted(f"The import of {path} was cancelled before it began.")
        except EOFError:
            raise ImportRejected(
                f"{path} is cut off: the compressed data ends too early.",
                hint="Copy or download the file again; nothing of it was imported.",
            ) from None
        except (gzip.BadGzipFile, zlib.error) as error:
            raise ImportRejected(
                f"{path} is damaged: {error}.",
                hint="Copy or download the file again; nothing of it was imported.",
            ) from None


def _open(path: Path, *, is_gzip: bool) -> BinaryIO:
    return cast("BinaryIO", gzip.open(path)) if is_gzip else path.open("rb")
