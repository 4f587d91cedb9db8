"""Files that a page or a script sends in pieces: held privately, within a quota, until used.

Whoever sends a file names it and never a path: where it lies is decided here, what it is called is
a label. Several processes share the folder. The file on the disk is the only record of how much
arrived, so a sender that was cut off, or a server that was killed, goes on where it was.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from rft_widgets.errors import NotFound, RftError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

MAX_FILE_BYTES = 2 * 1024**3
MAX_ALL_BYTES = 4 * 1024**3
"""Of all files in the folder, those on their way counted whole."""
KEPT_FREE_BYTES = 512 * 1024**2
"""Bytes that stay free on the disk."""
MAX_AGE_S = 7 * 24 * 3600.0
"""How long a file waits for its next piece, or to be used."""

LEFT_S = 24 * 3600.0
"""How long it does so where another one needs the room."""
_YOUNG_S = 60.0
_ID = re.compile(r"[0-9a-f]{32}")
_MAX_NAME = 255


class UploadRefused(RftError):  # noqa: N818 - the family reads as what happened
    """A file is not taken, or no more of it."""


class UploadTooLarge(UploadRefused):
    """A file has more bytes than are taken."""


class UploadNoRoom(UploadRefused):
    """There is no room for a file now."""


class UploadOffset(UploadRefused):
    """A piece begins elsewhere than where the file ends so far.

    Parameters
    ----------
    received
        Bytes that are here: where the next piece begins.
    """

    def __init__(self, received: int) -> None:
        super().__init__(
            f"The next piece of the file begins at byte {received:,}.",
            hint="Go on from there.",
        )
        self.received = received


class UploadState(Struct, frozen=True, kw_only=True):
    """A file on its way."""

    id: str
    name: str
    """What its sender calls it; a label and nothing else."""
    size: int
    received: int
    """Bytes that are here, from the start without a gap."""

    @property
    def is_whole(self) -> bool:
        """Whether all of it is here."""
        return self.received == self.size


class _Label(Struct, frozen=True):
    """What is kept beside a file."""

    name: str
    size: int


class Uploads:
    """Uploaded files in a folder.

    Parameters
    ----------
    folder
        Where they lie; made when the first one comes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self, name: str, size: int) -> UploadState:
        """Make room for a file of `size` bytes.

        Raises
        ------
        UploadTooLarge, UploadNoRoom, UploadRefused
            It is larger than files may be, there is no room, or it is empty.
        """
        if size < 1:
            raise UploadRefused("The file is empty.", hint="Choose another one.")
        if size > MAX_FILE_BYTES:
            raise UploadTooLarge(
                f"The file has more than {MAX_FILE_BYTES / 1024**3:.3g} GB, the most that is taken "
                "here.",
                hint="Copy it to this machine and call ds.import_records(path).",
            )
        upload_id = secrets.token_hex(16)
        label = _Label(_label(name), size)
        with _as_refusal(), self._locked():
            self.sweep()
            if not self._has_room(size):
                self.sweep(LEFT_S)
                if not self._has_room(size):
                    raise UploadNoRoom(
                        "There is no room for the file on this machine.",
                        hint="Wait until other imports have ended, or free some space there.",
                    )
            _create(self._data(upload_id), b"")
            # A file without its label is no upload, so one that was half begun is none.
            unnamed = self._folder / f"{upload_id}.new"
            _create(unnamed, msgspec.json.encode(label))
            unnamed.replace(self._label(upload_id))
        return UploadState(id=upload_id, name=label.name, size=size, received=0)

    def state(self, upload_id: str) -> UploadState:
        """How much of a file is here.

        Raises
        ------
        NotFound
            If there is no such upload, or no more.
        """
        label, received = self._read(upload_id)
        return UploadState(id=upload_id, name=label.name, size=label.size, received=received)

    def write(self, upload_id: str, offset: int, data: bytes) -> UploadState:
        """Take the next piece of a file, of any length.

        Raises
        ------
        NotFound
            If there is no such upload, or no more.
        UploadOffset
            If the piece does not begin where the file ends so far.
        UploadRefused
            If it goes beyond the size that was announced, or cannot be kept.
        """
        label, received = self._read(upload_id)
        with _as_refusal():
            try:
                file = self._data(upload_id).open("r+b", buffering=0)
            except FileNotFoundError:
                raise _gone() from None
            with file:
                _lock(file.fileno())  # ends with the file
                received = os.fstat(file.fileno()).st_size
                if offset != received:
                    raise UploadOffset(received)
                if received + len(data) > label.size:
                    raise UploadRefused(
                        f"The file has more than the {label.size:,} bytes that were announced.",
                        hint="Choose the file again.",
                    )
                file.seek(received)
                left = memoryview(data)
                while left:
                    left = left[file.write(left) :]
                received += len(data)
        return UploadState(id=upload_id, name=label.name, size=label.size, received=received)

    def end(self, upload_id: str) -> UploadState:
        """Say that a file has ended, with fewer bytes than were announced; it is whole then.

        Raises
        ------
        NotFound
            If there is no such upload, or no more.
        UploadRefused
            If nothing of it came, or that cannot be kept.
        """
        label, received = self._read(upload_id)
        if not received:
            raise UploadRefused("The file is empty.", hint="Choose another one.")
        if received < label.size:
            unnamed = self._folder / f"{upload_id}.new"
            with _as_refusal():
                _create(unnamed, msgspec.json.encode(_Label(label.name, received)))
                unnamed.replace(self._label(upload_id))
        return UploadState(id=upload_id, name=label.name, size=received, received=received)

    def path(self, upload_id: str) -> Path:
        """Where a whole file lies.

        Raises
        ------
        NotFound
            If there is no such upload, or no more.
        UploadRefused
            If parts of it are missing.
        """
        if not self.state(upload_id).is_whole:
            raise UploadRefused("Parts of the file are missing.", hint="Send the rest of it.")
        return self._data(upload_id)

    @contextlib.contextmanager
    def reading(self, upload_id: str) -> Iterator[Path]:
        """Where a whole file lies, for a block whose errors name the file as its sender does.

        Raises
        ------
        NotFound, UploadRefused
            See `path`.
        """
        path, name = self.path(upload_id), self.state(upload_id).name
        try:
            yield path
        except RftError as error:
            said = error.message.replace(str(path), name)
            try:
                renamed = type(error)(said, hint=error.hint)
            except TypeError:  # a kind that is made of more than words
                raise error from None
            raise renamed from error

    def drop(self, upload_id: str) -> None:
        """Give a file up, whether it is here or not; whoever reads it still reads it to its end."""
        if not _ID.fullmatch(upload_id):
            return
        for path in (self._label(upload_id), self._data(upload_id)):
            with contextlib.suppress(OSError):  # on Windows, one that is read: `sweep` takes it
                path.unlink(missing_ok=True)

    def sweep(self, max_age_s: float = MAX_AGE_S) -> int:
        """Give up files that nobody touched for that long, and return how many there were."""
        swept = 0
        now = time.time()
        for path in self._folder.glob("*.data"):
            with contextlib.suppress(OSError):  # gone meanwhile
                age_s = now - path.stat().st_mtime
                # What a process leaves that is killed while it begins or drops one has no label.
                if age_s > max_age_s or (age_s > _YOUNG_S and not self._label(path.stem).exists()):
                    self.drop(path.stem)
                    path.with_suffix(".new").unlink(missing_ok=True)
                    swept += 1
        return swept

    def _data(self, upload_id: str) -> Path:
        return self._folder / f"{upload_id}.data"

    def _label(self, upload_id: str) -> Path:
        return self._folder / f"{upload_id}.label"

    def _read(self, upload_id: str) -> tuple[_Label, int]:
        if not _ID.fullmatch(upload_id):
            raise _gone()
        try:
            label = msgspec.json.decode(self._label(upload_id).read_bytes(), type=_Label)
            return label, self._data(upload_id).stat().st_size
        except (OSError, msgspec.DecodeError):
            raise _gone() from None

    def _has_room(self, size: int) -> bool:
        announced = arrived = 0
        for path in self._folder.glob("*.label"):
            with contextlib.suppress(NotFound):
                label, received = self._read(path.stem)
                announced += label.size
                arrived += received
        free = shutil.disk_usage(self._folder).free - KEPT_FREE_BYTES
        return announced + size <= MAX_ALL_BYTES and announced - arrived + size <= free

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Let one process at a time look for room and take it."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self._folder / "begin.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            _lock(lock)
            yield
        finally:
            os.close(lock)


@contextlib.contextmanager
def _as_refusal() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UploadRefused(
            f"The file cannot be kept on this machine: {error.strerror}.",
            hint="Check that its disk is not full.",
        ) from error


def _gone() -> NotFound:
    return NotFound("There is no such upload, or no more.", hint="Choose the file again.")


def _create(path: Path, content: bytes) -> None:
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(content)


def _label(name: str) -> str:
    """Last part of a name, without what is no text."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1][:_MAX_NAME]
    kept = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in last)
    return kept.encode(errors="replace").decode() or "file"


def _lock(descriptor: int) -> None:
    """Wait until no other process holds the file; closing it lets go."""
    if sys.platform == "win32":
        # A byte far beyond the content: locks of Windows keep others from reading what they cover.
        os.lseek(descriptor, 2**62, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
