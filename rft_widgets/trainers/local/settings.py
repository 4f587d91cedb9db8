"""The hyperparameters of a configuration, checked."""

from __future__ import annotations

import difflib

import msgspec

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.training import LocalHyperparameters, TrainingConfig

_BOUNDS: dict[str, tuple[float, float]] = {
    "n_epochs": (1, 10),
    "batch_prompts": (1, 10_000),
    "group_size": (2, 64),
    "inner_iterations": (1, 32),
    "learning_rate": (1e-6, 10.0),
    "clip_ratio": (0.01, 1.0),
    "kl_weight": (0.0, 10.0),
    "temperature": (0.05, 20.0),
    "reference_gap": (0.0, 20.0),
    "reference_slope": (0.0, 100.0),
    "max_pool": (2, 200_000),
    "candidates": (2, 128),
    "neighbours": (2, 2_000),
    "selection_share": (0.05, 0.5),
    "evaluations": (1, 100),
}


def local_hyperparameters(config: TrainingConfig) -> LocalHyperparameters:
    """Read the hyperparameters of a configuration; those that are not given have their defaults.

    Raises
    ------
    InvalidArgument
        One is unknown, of the wrong type or out of bounds.
    """
    given = config.hyperparameters
    for name, value in given.items():
        if name not in _BOUNDS:
            close = difflib.get_close_matches(name, _BOUNDS, n=1)
            raise InvalidArgument(
                f"The trainer 'local' has no hyperparameter {name!r}.",
                hint=f"Did you mean {close[0]!r}?" if close else "Known: " + ", ".join(_BOUNDS),
            )
        low, high = _BOUNDS[name]
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise InvalidArgument(f"{name} is {value!r}; it must be a number.")
        if not low <= value <= high:
            raise InvalidArgument(f"{name} is {value}; it must lie in {low:g}..{high:g}.")
    try:
        read = msgspec.convert(given, LocalHyperparameters)
    except msgspec.ValidationError as error:
        raise InvalidArgument(f"A hyperparameter is not right: {error}.") from None
    if read.candidates > read.neighbours:
        raise InvalidArgument(
            f"candidates is {read.candidates} and neighbours {read.neighbours}; there cannot be "
            "more candidates than neighbours."
        )
    return read
