"""The folder of a run here, kept as that on the cluster by what the job prints."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import msgspec
from msgspec import Struct

from rft_widgets.errors import RftError
from rft_widgets.trainers.program.rft_training.places import (
    CHECKPOINTS,
    COMPLETE,
    CONTROL,
    ENDED,
)

OPTIONS = "ray.json"
_ONLY_RESUMING = ("optimizer.pt", "scheduler.pt", "scaler.pt")


class Line(Struct, frozen=True, kw_only=True):
    """A line of the job: a part of a file, or news of the run.

    ``whole`` is ``True`` for the last part of a file that is written as a whole, ``False`` for
    those before it, and ``None`` for a part of a file that grows.
    """

    file: str = ""
    at: int = 0
    data: str = ""
    whole: bool | None = None
    checkpoint: str = ""
    node: str = ""
    log: str = ""
    sizes: dict[str, int] | None = None


class _Ended(Struct):
    reason: str


class Mirror:
    """Writes what the lines of a job say into the folder of the run.

    A line that comes again changes nothing.
    """

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self._folder, self._say = folder, say
        self._said: set[str] = set()
        self.node = ""
        self.is_complete = False

    def take(self, line: Line) -> None:
        """Take a line."""
        if line.node:
            self.node = line.node
        if line.log and line.log not in self._said:
            self._said.add(line.log)
            self._say(line.log)
        if line.checkpoint:
            mark = self._path(f"{CHECKPOINTS}/{line.checkpoint}/{COMPLETE}")
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.touch()
        if line.file:
            self._write(line)

    def is_done(self) -> bool:
        """Whether the run came to its end."""
        path = self._folder / ENDED
        return (
            path.exists() and msgspec.json.decode(path.read_bytes(), type=_Ended).reason == "done"
        )

    def _write(self, line: Line) -> None:
        path, content = self._path(line.file), base64.b64decode(line.data)
        path.parent.mkdir(parents=True, exist_ok=True)
        if line.whole is None:
            _put(path, line.at, content)
            return
        draft = path.with_name(f".{path.name}.part")
        _put(draft, line.at, content, cut=True)
        if line.whole:
            draft.replace(path)

    def _path(self, name: str) -> Path:
        """The place of a file, which lies in the folder whatever the cluster says."""
        parts = PurePosixPath(name).parts
        if not parts or ".." in parts or name.startswith("/"):
            raise RftError(f"The cluster names a file outside of the run: {name!r}.")
        return self._folder.joinpath(*parts)

    # Weights -------------------------------------------------------------------------------------

    def is_same_place(self, there: Path) -> bool:
        """Whether a folder of the cluster is one that this machine sees, too."""
        theirs, ours = there / CONTROL / OPTIONS, self._folder / OPTIONS
        return theirs.is_file() and theirs.read_bytes() == ours.read_bytes()

    def copy_weights(self, there: Path) -> None:
        """Copy the weights of all checkpoints from a folder that this machine sees."""
        for mark in sorted(there.glob(f"{CHECKPOINTS}/*/{COMPLETE}")):
            for path in mark.parent.rglob("*"):
                name = path.relative_to(there).as_posix()
                if path.is_file() and self.lacks(name, path.stat().st_size):
                    target = self._path(name)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, target)

    def lacks(self, name: str, size: int) -> bool:
        """Whether a file of a checkpoint is wanted here and is not there yet."""
        file = PurePosixPath(name).name
        if file in _ONLY_RESUMING or file.startswith("rng_state"):
            return False
        path = self._path(name)
        return not path.is_file() or path.stat().st_size != size


def _put(path: Path, at: int, content: bytes, *, cut: bool = False) -> None:
    """Write a part of a file at its place; one that is there already stays as it is."""
    path.touch()
    with path.open("r+b") as file:
        file.seek(at)
        if not cut and file.read(len(content)) == content:
            return
        file.truncate(at)
        file.seek(at)
        file.write(content)
