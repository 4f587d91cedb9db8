"""Files that a page sends in pieces: held privately, within a quota, until they were used.

A page names a file and never a path: where it lies is decided here, what it is called is a label.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Struct

from rft_widgets.errors import InvalidArgument, RftError
from rft_widgets.widgets.scratch import scratch

PIECE_BYTES = 4 * 1024**2
"""Bytes of every piece but the last: what a browser's socket takes with room to spare."""
MAX_FILE_BYTES = 2 * 1024**3
MAX_ALL_BYTES = 4 * 1024**3
"""Of all files that pages of this process are sending or have sent."""
_KEPT_FREE = 512 * 1024**2
"""Bytes that stay free on the disk."""

FileName = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
UploadId = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Offset = Annotated[int, msgspec.Meta(ge=0, le=MAX_FILE_BYTES)]


class UploadRefused(RftError):  # noqa: N818 - the family reads as what happened
    """A file is not taken, or no more of it; nothing of it is kept."""


class UploadState(Struct, frozen=True, kw_only=True):
    """A file on its way."""

    id: str
    name: str
    size: int
    received: int

    @property
    def is_whole(self) -> bool:
        """Whether all of it is here."""
        return self.received == self.size


_guard = threading.Lock()
_reserved: dict[str, int] = {}


class Upload:
    """One file of a page. Its pieces may come in any order, in any thread.

    Parameters
    ----------
    name
        What the page calls it; a label and nothing else.
    size
        Bytes, as the page says; no more are taken.
    """

    def __init__(self, name: str, size: int) -> None:
        self.id = secrets.token_hex(8)
        self.name = _label(name)
        self.size = size
        self._lock = threading.Lock()
        self._pieces: set[int] = set()
        self._held = 0
        self._dropped = False
        _reserve(self.id, size)
        self.path = scratch() / f"upload-{self.id}"
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
        try:
            os.close(os.open(self.path, flags, 0o600))
        except OSError:
            _release(self.id)
            raise

    @property
    def state(self) -> UploadState:
        """How much of it is here."""
        with self._lock:
            received = sum(self._length(offset) for offset in self._pieces)
        return UploadState(id=self.id, name=self.name, size=self.size, received=received)

    def put(self, offset: int, data: bytes) -> None:
        """Take a piece.

        Raises
        ------
        InvalidArgument
            It is no piece of this file.
        UploadRefused
            The file was given up, or the disk is full.
        """
        if offset % PIECE_BYTES or offset >= self.size or len(data) != self._length(offset):
            raise InvalidArgument("This is no piece of the file.", hint="Choose the file again.")
        with self._lock:
            if self._dropped:
                raise UploadRefused("The upload was stopped.", hint="Choose the file again.")
            try:
                with self.path.open("r+b") as file:
                    file.seek(offset)
                    file.write(data)
            except OSError as error:
                raise UploadRefused(
                    f"The file cannot be kept on the notebook's machine: {error.strerror}."
                ) from error
            self._pieces.add(offset)

    @contextmanager
    def held(self) -> Iterator[Path]:
        """Keep the file while it is used: it is dropped no earlier than the block ends."""
        with self._lock:
            if self._dropped:
                raise UploadRefused("The upload was stopped.", hint="Choose the file again.")
            self._held += 1
        try:
            yield self.path
        except RftError as error:
            # What the store says of a file names its path, which tells the page nothing.
            said = error.message.replace(str(self.path), self.name)
            raise _same_kind(error, said) from error
        finally:
            with self._lock:
                self._held -= 1
            self._remove()

    def drop(self) -> None:
        """Give it up: it is taken from the disk as soon as nobody uses it."""
        with self._lock:
            self._dropped = True
        self._remove()

    def _length(self, offset: int) -> int:
        return min(PIECE_BYTES, self.size - offset)

    def _remove(self) -> None:
        with self._lock:
            if not self._dropped or self._held:
                return
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)
        _release(self.id)


def _same_kind(error: RftError, message: str) -> RftError:
    with contextlib.suppress(TypeError):  # a kind that is made of more than words
        return type(error)(message, hint=error.hint)
    return error


def _label(name: str) -> str:
    """Last part of a name, without what is no text."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in last)
    return kept.encode(errors="replace").decode() or "file"


def _reserve(upload_id: str, size: int) -> None:
    if size == 0:
        raise UploadRefused("The file is empty.", hint="Choose another one.")
    if size > MAX_FILE_BYTES:
        raise UploadRefused(
            f"The file has more than {MAX_FILE_BYTES // 1024**3} GB, the most that is taken here.",
            hint="Copy it to the notebook's machine and call ds.import_records(path).",
        )
    free = shutil.disk_usage(scratch()).free - _KEPT_FREE
    with _guard:
        taken = sum(_reserved.values())
        if taken + size > MAX_ALL_BYTES or size > free:
            raise UploadRefused(
                "There is no room for the file on the notebook's machine.",
                hint="Close other imports, or free some space there.",
            )
        _reserved[upload_id] = size


def _release(upload_id: str) -> None:
    with _guard:
        _reserved.pop(upload_id, None)
