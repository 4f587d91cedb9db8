r"""Files of strangers as bytes: unpacked whatever their compression, limited, split into lines.

Lines end at ``\n`` and nowhere else: Unicode knows other line ends, which stand inside texts.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from rft_widgets.errors import ImportInterrupted, ImportRejected, NotFound
from rft_widgets.model.settings import LIMITS

BOM = b"\xef\xbb\xbf"
_GZIP_MAGIC = b"\x1f\x8b"
_BLOCK_BYTES = 1 << 20
_RATIO_JUDGED_FROM = 64 * 1024**2


class Line(NamedTuple):
    """One line: its number from 1, its bytes, and the offset in the unpacked file where it ends.

    ``content`` is ``None`` for a line longer than the limit, which is not kept in memory.
    """

    number: int
    content: bytes | None
    end: int


def is_gzip(path: Path) -> bool:
    """Whether a file is compressed, by its first bytes and not by its name."""
    with path.open("rb") as file:
        return file.read(2) == _GZIP_MAGIC


def read_blocks(path: Path, start: int = 0) -> Generator[bytes, None, None]:
    """Read a file, unpacked, in blocks of about a megabyte.

    Parameters
    ----------
    path
        The file.
    start
        Bytes of the unpacked file to leave out.

    Raises
    ------
    NotFound
        If there is no such file.
    ImportRejected
        If an archive is damaged, cut off, or unfolds to far more than its size.
    """
    try:
        with path.open("rb") as file:
            compressed = file.read(2) == _GZIP_MAGIC
            file.seek(0)
            stream = cast("BinaryIO", gzip.GzipFile(fileobj=file)) if compressed else file
            stream.seek(start)
            unpacked = start
            while block := stream.read(_BLOCK_BYTES):
                unpacked += len(block)
                if compressed:
                    _check_unfolding(path, file.tell(), unpacked)
                yield block
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {path}.", hint="Check the path.") from error
    except OSError as error:
        if isinstance(error, gzip.BadGzipFile):
            raise _damaged(path, error) from error
        raise ImportRejected(
            f"{path} cannot be read: {error.strerror}.",
            hint="Check that it is a file and that you may read it.",
        ) from error
    except EOFError as error:
        raise ImportRejected(
            f"{path} is cut off: the compressed data ends too early.",
            hint="Copy or download the file again; nothing of it was used.",
        ) from error
    except zlib.error as error:
        raise _damaged(path, error) from error


def read_lines(path: Path, start: int = 0, number: int = 0) -> Iterator[Line]:
    """Read the lines of a file from an offset on; ``number`` lines lie before it."""
    rest, offset = b"", start
    skipping = 0  # bytes of an overlong line that were thrown away
    for block in read_blocks(path, start):
        if offset == 0 and not rest and block.startswith(BOM):
            offset = len(BOM)
            parts = block[len(BOM) :].split(b"\n")
        else:
            parts = (rest + block).split(b"\n")
        rest = parts.pop()
        for part in parts:
            number += 1
            offset += skipping + len(part) + 1
            fits = not skipping and len(part) <= LIMITS.max_line_bytes
            skipping = 0
            yield Line(number, part if fits else None, offset)
        if skipping or len(rest) > LIMITS.max_line_bytes:
            skipping += len(rest)
            rest = b""
    if rest or skipping:
        yield Line(number + 1, None if skipping else rest, offset + skipping + len(rest))


def read_whole(path: Path, limit: int) -> bytes | None:
    """All bytes of a file less a byte order mark, or ``None`` when they are more than `limit`."""
    blocks: list[bytes] = []
    size = 0
    for block in read_blocks(path):
        size += len(block)
        if size > limit:
            return None
        blocks.append(block)
    return b"".join(blocks).removeprefix(BOM)


def verify_archive(path: Path, cancelled: Callable[[], bool] = bool) -> None:
    """Unpack a compressed file to its end, so that a bad one is refused before any of it is used.

    Raises
    ------
    ImportRejected
        See `read_blocks`.
    ImportInterrupted
        If `cancelled` said so.
    """
    if not is_gzip(path):
        return
    for _ in read_blocks(path):
        if cancelled():
            raise ImportInterrupted(f"The reading of {path} was cancelled before it began.")


def _damaged(path: Path, error: Exception) -> ImportRejected:
    return ImportRejected(
        f"{path} is damaged: {error}.",
        hint="Copy or download the file again; nothing of it was used.",
    )


def _check_unfolding(path: Path, packed: int, unpacked: int) -> None:
    too_dense = unpacked > _RATIO_JUDGED_FROM and unpacked > LIMITS.max_gzip_ratio * packed
    if too_dense or unpacked > LIMITS.max_gzip_bytes:
        raise ImportRejected(
            f"{path} unfolds to far more than its size: {unpacked:,} bytes from {packed:,} so far.",
            hint="Unpack it yourself if you trust where it is from, and use the unpacked file.",
        )
