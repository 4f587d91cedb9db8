"""A training whose state lies in a file; it says on its output what it has done, to be killed."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from rft_widgets.graders import compile_grader
from rft_widgets.model.record import Record
from rft_widgets.model.training import Checkpoint, TrainingConfig, TrainingProgress
from rft_widgets.sample.grader import sample_grader
from rft_widgets.trainers import TrainingData, grader_rewarder


class FileRun:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "state"

    def report(self, progress: TrainingProgress) -> None:
        print(progress.phase, progress.step, flush=True)

    def log(self, message: str) -> None:
        print(message, flush=True)

    def requested(self) -> str:
        return ""

    def save_state(self, state: bytes) -> None:
        beside = self.path.with_suffix(".new")
        beside.write_bytes(state)
        beside.replace(self.path)
        print("saved", flush=True)

    def load_state(self) -> bytes | None:
        return self.path.read_bytes() if self.path.exists() else None

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        print("checkpoint", checkpoint.step, flush=True)


def main(folder: Path) -> None:
    train, valid = msgspec.msgpack.decode(
        (folder / "data").read_bytes(), type=tuple[tuple[Record, ...], tuple[Record, ...]]
    )
    with compile_grader(sample_grader()) as grader:
        outcome = train(
            TrainingData(train, valid), TrainingConfig(), grader_rewarder(grader), FileRun(folder)
        )
    (folder / "artifact").write_bytes(outcome.artifact)
    (folder / "report").write_bytes(msgspec.json.encode(outcome.report))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
