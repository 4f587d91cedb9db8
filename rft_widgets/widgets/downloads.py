"""Files that a page takes away: written privately first, then read in pieces as bytes."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Struct

from rft_widgets.errors import NotFound, RftError
from rft_widgets.widgets import rpc
from rft_widgets.widgets.scratch import scratch

PIECE_BYTES = 4 * 1024**2
MAX_BYTES = 100 * 1024**2
"""Largest file that goes through a browser."""
MAX_OFFERED = 4
"""Files of one view that wait to be taken; the oldest makes room."""

DownloadId = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Offset = Annotated[int, msgspec.Meta(ge=0, le=MAX_BYTES)]


class DownloadTooLarge(RftError):  # noqa: N818 - the family reads as what happened
    """A file has more bytes than a browser should be sent; nothing of it was kept."""


class Download(Struct, frozen=True, kw_only=True):
    """A file that is ready to be taken."""

    id: str
    name: str
    size: int
    piece_bytes: int = PIECE_BYTES


class Room:
    """Asked while a file is written whether it still fits, or is wanted at all."""

    def __init__(self, folder: Path, call: str, cancelled: Callable[[], bool]) -> None:
        self._folder, self._call, self._cancelled = folder, call, cancelled

    def check(self) -> None:
        """Raise where the file should not be written to its end."""
        if self._cancelled():
            raise RftError("The download was stopped.")
        # The file is written under another name first, so the folder is what is measured.
        if sum(path.stat().st_size for path in self._folder.iterdir()) > MAX_BYTES:
            raise DownloadTooLarge(
                f"The file has more than {MAX_BYTES // 1024**2} MB, too much for a browser.",
                hint=f"Write it on the notebook's machine: {self._call}",
            )


class Offers(rpc.Answers):
    """A view that has files to take away."""

    def __init__(self, *args: Any, **values: Any) -> None:
        self._offered: dict[str, tuple[Download, Path]] = {}
        super().__init__(*args, **values)

    @rpc.method(background=True)
    def read_download(self, download: DownloadId, offset: Offset) -> bytes:
        """A piece of a file, from a byte on."""
        with self._lock:
            found = self._offered.get(download)
        if found is None:
            raise NotFound("The file is no longer there.", hint="Download it again.")
        with found[1].open("rb") as file:
            file.seek(offset)
            return file.read(PIECE_BYTES)

    @rpc.method()
    def drop_download(self, download: DownloadId) -> None:
        """A file is not needed any more."""
        with self._lock:
            found = self._offered.pop(download, None)
        if found is not None:
            shutil.rmtree(found[1].parent, ignore_errors=True)

    def offer(
        self,
        name: str,
        write: Callable[[Path, Room], object],
        *,
        call: str,
        cancelled: Callable[[], bool] = bool,
    ) -> Download:
        """Write a file for the page.

        Parameters
        ----------
        name
            What the browser saves it as; see `file_name`.
        write
            Writes it to a path, and asks the room from time to time.
        call
            What writes the same file in Python, for one that is too large.
        cancelled
            Whether the page still wants it.
        """
        folder = scratch() / f"download-{secrets.token_hex(8)}"
        folder.mkdir(mode=0o700)
        try:
            room = Room(folder, call, cancelled)
            write(folder / name, room)
            room.check()
            size = (folder / name).stat().st_size
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        made = Download(id=folder.name, name=name, size=size)
        with self._lock:
            self._offered[made.id] = (made, folder / name)
            over = list(self._offered)[:-MAX_OFFERED]
        for oldest in over:
            self.drop_download(oldest)
        return made

    def close(self) -> None:
        """Take away the files with the view."""
        for download in list(self._offered):
            self.drop_download(download)
        super().close()


def file_name(dataset: str, what: str, ending: str) -> str:
    """Name a file after its dataset, of letters and digits that every system takes."""
    words = "-".join(re.findall(r"[^\W_]+", dataset, re.ASCII))[:60].strip("-")
    return f"{words or 'dataset'}-{what}.{ending}"
