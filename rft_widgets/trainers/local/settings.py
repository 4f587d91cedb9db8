"""The hyperparameters of a configuration, checked."""

from __future__ import annotations

import difflib

import msgspec

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.training import LocalHyperparameters, TrainingConfig
from rft_widgets.model.training_plan import HyperparameterField


def local_fields() -> tuple[HyperparameterField, ...]:
    """Every hyperparameter with its default, its bounds, and what it does."""
    found = msgspec.inspect.type_info(LocalHyperparameters)
    assert isinstance(found, msgspec.inspect.StructType)  # noqa: S101 - for the type checker
    return tuple(_field(one) for one in found.fields)


def _field(field: msgspec.inspect.Field) -> HyperparameterField:
    described, number = field.type, field.type
    words: dict[str, str] = {}
    if isinstance(described, msgspec.inspect.Metadata):
        number, words = described.type, described.extra_json_schema or {}
    assert isinstance(number, (msgspec.inspect.IntType, msgspec.inspect.FloatType))  # noqa: S101
    assert number.ge is not None and number.le is not None  # noqa: S101, PT018
    return HyperparameterField(
        name=field.name,
        title=words["title"],
        description=words["description"],
        default=field.default,
        low=number.ge,
        high=number.le,
        is_whole=isinstance(number, msgspec.inspect.IntType),
    )


LOCAL_FIELDS = local_fields()
_BOUNDS = {field.name: (field.low, field.high) for field in LOCAL_FIELDS}


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


def most_gradings(config: TrainingConfig, train: int, valid: int) -> int:
    """Most answers that are graded: every candidate of every prompt, and the recorded answers."""
    settings = local_hyperparameters(config)
    return (train + valid) * settings.candidates + min(train, settings.max_pool) + valid
