"""Trainers: what makes a better policy of prompts and of a grader's rewards.

A trainer knows nothing of the store and of graders. It is given records, a function that rewards
answers, and a `TrainingRun` to report to; see `rft_widgets.trainers.base`.
"""

from __future__ import annotations

from rft_widgets.errors import InvalidArgument
from rft_widgets.trainers.base import (
    MemoryRun,
    Rewarder,
    Train,
    Trainer,
    TrainingData,
    TrainingOutcome,
    TrainingRun,
    grader_rewarder,
)
from rft_widgets.trainers.catalogue import CATALOGUE
from rft_widgets.trainers.local import LocalPolicy, PolicyAnswer, load_policy
from rft_widgets.trainers.local import train as train_local
from rft_widgets.trainers.local.settings import local_hyperparameters, most_gradings

__all__ = [
    "CATALOGUE",
    "LocalPolicy",
    "MemoryRun",
    "PolicyAnswer",
    "Rewarder",
    "Train",
    "Trainer",
    "TrainingData",
    "TrainingOutcome",
    "TrainingRun",
    "grader_rewarder",
    "load_policy",
    "trainer",
]

_TRAINERS = {
    "local": Trainer(train=train_local, check=local_hyperparameters, gradings=most_gradings)
}


def trainer(name: str) -> Trainer:
    """Look up a trainer by its name.

    Raises
    ------
    InvalidArgument
        There is none of that name.
    """
    if name not in _TRAINERS:
        known = ", ".join(repr(one) for one in sorted(_TRAINERS))
        raise InvalidArgument(f"There is no trainer {name!r}.", hint=f"Known: {known}.")
    return _TRAINERS[name]
