"""Trainers: what makes a better policy of prompts and of a grader's rewards.

A trainer knows nothing of the store and of datasets. It is given a task and a `TrainingRun` to
report to; see `rft_widgets.trainers.base`. Each is one module or package here, whose ``TRAINER`` is
loaded when it is asked for: none of them loads anything heavy before it trains or answers.
"""

from __future__ import annotations

from importlib import import_module

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.training_plan import TrainerInfo
from rft_widgets.trainers.base import (
    MemoryRun,
    Policy,
    PolicyAnswer,
    PolicyPlace,
    Rewarder,
    Train,
    Trainer,
    TrainingData,
    TrainingOutcome,
    TrainingRequest,
    TrainingRun,
    TrainingTask,
    Upstream,
    grader_rewarder,
)
from rft_widgets.trainers.local import LocalPolicy, load_policy

__all__ = [
    "NAMES",
    "LocalPolicy",
    "MemoryRun",
    "Policy",
    "PolicyAnswer",
    "PolicyPlace",
    "Rewarder",
    "Train",
    "Trainer",
    "TrainingData",
    "TrainingOutcome",
    "TrainingRequest",
    "TrainingRun",
    "TrainingTask",
    "Upstream",
    "available",
    "grader_rewarder",
    "load_policy",
    "trainer",
]

NAMES = ("local", "trl", "ray", "openai", "tinker", "fireworks")
"""Every trainer: the modules here that have a ``TRAINER``, in the order they are shown."""


def trainer(name: str) -> Trainer:
    """Look up a trainer by its name.

    Raises
    ------
    InvalidArgument
        There is none of that name.
    """
    if name not in NAMES:
        known = ", ".join(repr(one) for one in NAMES)
        raise InvalidArgument(f"There is no trainer {name!r}.", hint=f"Known: {known}.")
    found = import_module(f"{__name__}.{name}").TRAINER
    assert isinstance(found, Trainer)  # noqa: S101 - what a module here is for
    return found


def available() -> tuple[TrainerInfo, ...]:
    """Every way to train: what it is, needs and supports, and what is missing on this machine."""
    return tuple(trainer(name).info() for name in NAMES)
