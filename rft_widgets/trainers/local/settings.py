"""The hyperparameters of a configuration, checked."""

from __future__ import annotations

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.training import LocalHyperparameters, TrainingConfig
from rft_widgets.trainers.hyperparameters import fields_of, read_hyperparameters

LOCAL_FIELDS = fields_of(LocalHyperparameters)


def local_hyperparameters(config: TrainingConfig) -> LocalHyperparameters:
    """Read the hyperparameters of a configuration; those that are not given have their defaults.

    Raises
    ------
    InvalidArgument
        One is unknown, of the wrong type or out of bounds.
    """
    read = read_hyperparameters(LocalHyperparameters, config)
    if read.candidates > read.neighbours:
        raise InvalidArgument(
            f"candidates is {read.candidates} and neighbours {read.neighbours}; there cannot be "
            "more candidates than neighbours."
        )
    return read


def most_gradings(config: TrainingConfig, train: int, valid: int) -> int:
    """Most answers that are graded: every candidate of every prompt, and the recorded answers."""
    settings = local_hyperparameters(config)
    return (train + valid) * settings.candidates + min(train, settings.max_pool) + valid
