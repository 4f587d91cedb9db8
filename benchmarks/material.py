"""Files and stores that benchmarks share: made once, used again while they still fit."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import rft_widgets
from benchmarks import generator


class Material(NamedTuple):
    """What one run of the benchmarks works with at one size."""

    folder: Path
    records: int
    seed: int
    say: Callable[[str], None]

    def jsonl(self) -> Path:
        """Path of the generated file."""
        return generator.cached(self.folder, self.records, self.seed, self.say)

    def store(self) -> Path:
        """Path of a store with the file loaded; loads it when no store of this very code exists."""
        path = self.store_path()
        if not path.exists():
            finish_load(self.start_load(path), path)
        return path

    def store_path(self) -> Path:
        """Where the loaded store is or will be; the name tells the version of the code."""
        return self.folder / f"{self._prefix()}-{_code_stamp()}.db"

    def start_load(self, path: Path) -> subprocess.Popen[str]:
        """Start a fresh process that loads the file into a new store; `finish_load` ends it."""
        jsonl = self.jsonl()
        self.say(f"loading {jsonl.name}")
        for old in self.folder.glob(f"{self._prefix()}-*"):
            old.unlink()
        return subprocess.Popen(
            [sys.executable, "-m", "benchmarks.load", str(jsonl), str(_part(path))],
            stdout=subprocess.PIPE,
            text=True,
        )

    def copy_of_store(self) -> Path:
        """Path of a copy that may be written to; the caller deletes it with `remove_store`."""
        source = self.store()
        copy = source.with_name(f"copy-{source.name}")
        for old in self.folder.glob("copy-*"):  # of a run that was killed
            old.unlink()
        shutil.copyfile(source, copy)
        return copy

    def _prefix(self) -> str:
        return f"store-{self.records}-{self.seed}-v{generator.VERSION}"


def finish_load(process: subprocess.Popen[str], path: Path) -> dict[str, Any]:
    """Wait for a load and return what the process said it cost."""
    output, _ = process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"Loading failed with status {process.returncode}.")
    _part(path).rename(path)
    cost: dict[str, Any] = json.loads(output)
    return cost


def remove_store(path: Path) -> None:
    """Delete a store with the files that SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _part(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def _code_stamp() -> str:
    root = Path(rft_widgets.__file__).parent
    digest = hashlib.sha256()
    for folder in ("model", "steps", "store"):
        for path in sorted((root / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
