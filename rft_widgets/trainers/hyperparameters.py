"""Settings of a trainer: what a configuration may hold, and reading it.

A trainer describes them as a struct whose fields have bounds, a title and a description. A
`Literal` is one of several words, and a type with ``None`` leaves the choice to the service.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec.inspect import (
    FloatType,
    IntType,
    LiteralType,
    Metadata,
    NoneType,
    StructType,
    UnionType,
)

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.training import TrainingConfig
from rft_widgets.model.training_plan import HyperparameterField, TrainerInfo

T = TypeVar("T")


def fields_of(settings: type[Any]) -> tuple[HyperparameterField, ...]:
    """Every setting with its default, its bounds or choices, and what it does."""
    found = msgspec.inspect.type_info(settings)
    assert isinstance(found, StructType)  # noqa: S101 - for the type checker
    return tuple(_field(one) for one in found.fields)


def read_hyperparameters(settings: type[T], config: TrainingConfig) -> T:
    """Read the settings of a configuration; those that are not given have their defaults.

    Raises
    ------
    InvalidArgument
        One is unknown, of the wrong type or out of bounds.
    """
    known = {field.name: field for field in fields_of(settings)}
    for name, value in config.hyperparameters.items():
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            raise InvalidArgument(
                f"The trainer {config.trainer!r} has no hyperparameter {name!r}.",
                hint=f"Did you mean {close[0]!r}?" if close else "Known: " + ", ".join(known),
            )
        _check(known[name], value)
    try:
        return msgspec.convert(config.hyperparameters, settings)
    except msgspec.ValidationError as error:
        raise InvalidArgument(f"A hyperparameter is not right: {error}.") from None


def read_settings(info: TrainerInfo, config: TrainingConfig) -> dict[str, str]:
    """The texts of a configuration, without those that are empty.

    Raises
    ------
    InvalidArgument
        One is unknown, or one that is required is missing.
    """
    known = {field.name: field for field in info.settings}
    unknown = config.settings.keys() - known.keys()
    if unknown:
        raise InvalidArgument(
            f"The trainer {info.name!r} has no setting {min(unknown)!r}.",
            hint="Known: " + (", ".join(known) or "none") + ".",
        )
    given = {name: text.strip() for name, text in config.settings.items() if text.strip()}
    for name, field in known.items():
        if field.is_required and name not in given:
            raise InvalidArgument(f"{info.title} needs {name}.", hint=field.description)
    return given


def _check(field: HyperparameterField, value: Any) -> None:
    if value is None and field.default is None:
        return
    if field.choices:
        if value not in field.choices:
            raise InvalidArgument(
                f"{field.name} is {value!r}; it must be one of {', '.join(field.choices)}."
            )
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidArgument(f"{field.name} is {value!r}; it must be a number.")
    assert field.low is not None and field.high is not None  # noqa: S101, PT018
    if not field.low <= value <= field.high:
        raise InvalidArgument(
            f"{field.name} is {value}; it must lie in {field.low:g}..{field.high:g}."
        )


def _field(field: msgspec.inspect.Field) -> HyperparameterField:
    kind, words = _bare(field.type)
    choices: tuple[str, ...] = ()
    low = high = None
    if isinstance(kind, LiteralType):
        choices = tuple(str(value) for value in kind.values)
    else:
        assert isinstance(kind, (IntType, FloatType))  # noqa: S101 - no other type is a setting
        low, high = kind.ge, kind.le
        assert low is not None and high is not None  # noqa: S101, PT018
    default = None if field.default is msgspec.NODEFAULT else field.default
    return HyperparameterField(
        name=field.name,
        title=str(words["title"]),
        description=str(words["description"]),
        default=default,
        low=low,
        high=high,
        is_whole=isinstance(kind, IntType),
        choices=choices,
    )


def _bare(found: msgspec.inspect.Type) -> tuple[msgspec.inspect.Type, Mapping[str, Any]]:
    """A type without what is said of it and without ``None``, and what is said of it."""
    words: Mapping[str, Any] = {}
    while isinstance(found, (Metadata, UnionType)):
        if isinstance(found, Metadata):
            words = {**(found.extra_json_schema or {}), **words}
            found = found.type
        else:
            found = next(one for one in found.types if not isinstance(one, NoneType))
    return found, words
