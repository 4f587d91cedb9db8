"""What every trainer is given and gives back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol, TypeAlias

from msgspec import Struct

from rft_widgets.graders.compiled import CompiledGrader
from rft_widgets.graders.rewards import normalized_reward
from rft_widgets.graders.sample import Sample
from rft_widgets.model.record import Record
from rft_widgets.model.training import Checkpoint, TrainingConfig, TrainingProgress, TrainingReport


class TrainingData(Struct, frozen=True):
    """Records to learn from and records to measure on; see `rft_widgets.steps.split`."""

    train: tuple[Record, ...]
    valid: tuple[Record, ...]


Rewarder: TypeAlias = Callable[
    [Sequence[tuple[Sample, dict[str, Any]]]], Sequence[float | None]
]  # fmt: skip
"""Gives a reward (0..1) for each pair of a sample and its item, ``None`` where grading failed."""

StopRequest = Literal["", "pause", "cancel"]


class TrainingRun(Protocol):
    """Who is told about a run, keeps what it needs to go on, and may stop it."""

    def report(self, progress: TrainingProgress) -> None:
        """Hear where the run is; called at least once a step."""

    def requested(self) -> StopRequest:
        """Whether the run is to stop; asked between gradings, about four times a second."""

    def save_state(self, state: bytes) -> None:
        """Keep this instead of any earlier state, durably and as a whole."""

    def load_state(self) -> bytes | None:
        """The state that was saved last, ``None`` for a run that begins."""

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint; one that is saved again after a restart is the same."""


class TrainingOutcome(Struct, frozen=True, kw_only=True):
    """What a run ends with: the report, and the policy as bytes that contain all it needs."""

    report: TrainingReport
    artifact: bytes


Train: TypeAlias = Callable[
    [TrainingData, TrainingConfig, Rewarder, TrainingRun], TrainingOutcome
]  # fmt: skip
"""A trainer. It raises `TrainingStopped` when it was asked to stop, after saving its state."""


class Trainer(Struct, frozen=True):
    """A trainer.

    ``check`` raises `InvalidArgument` for a configuration that cannot be used; ``gradings`` gives
    the most gradings that a run needs, from the records to learn from and those to measure on.
    """

    train: Train
    check: Callable[[TrainingConfig], object]
    gradings: Callable[[TrainingConfig, int, int], int]


class MemoryRun:
    """A run that keeps everything in memory and is never stopped, unless ``stop`` is set."""

    def __init__(self) -> None:
        self.progress: list[TrainingProgress] = []
        self.checkpoints: list[Checkpoint] = []
        self.state: bytes | None = None
        self.stop: StopRequest = ""

    def report(self, progress: TrainingProgress) -> None:
        """Append to ``progress``."""
        self.progress.append(progress)

    def requested(self) -> StopRequest:
        """Give ``stop``."""
        return self.stop

    def save_state(self, state: bytes) -> None:
        """Set ``state``."""
        self.state = state

    def load_state(self) -> bytes | None:
        """Give ``state``."""
        return self.state

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Append to ``checkpoints``."""
        self.checkpoints.append(checkpoint)


def grader_rewarder(grader: CompiledGrader) -> Rewarder:
    """Reward answers with a compiled grader, on the scale 0..1; keep it open meanwhile."""

    def rewards(pairs: Sequence[tuple[Sample, dict[str, Any]]]) -> list[float | None]:
        return [normalized_reward(grader.grader, result) for result in grader.grade_many(pairs)]

    return rewards
