"""The page's types, made from ours: ``python -m rft_widgets.widgets.contract`` writes them.

Traits, calls and thresholds have one definition, here in Python. A test fails while the generated
file differs from what this module makes.
"""

from __future__ import annotations

import sys
import typing
from pathlib import Path
from typing import Any

import msgspec
import traitlets
from msgspec import inspect as shapes

from rft_widgets.model.connection_settings import CONNECTION
from rft_widgets.model.dry_run_settings import DRY_RUN, DRY_RUN_BOUNDS, GRADER_TEST, ROLLOUT
from rft_widgets.model.grader import JUDGE, SANDBOX
from rft_widgets.model.pipeline import FINISHED, PIPELINE_STEPS
from rft_widgets.model.settings import PIPELINE, TOPICS, VALIDATION
from rft_widgets.model.topic_settings import (
    CATEGORIZE,
    CLUSTERING,
    COVERAGE,
    TOPIC_LIMITS,
    TOPIC_MODEL,
)
from rft_widgets.model.trust_settings import TRUST
from rft_widgets.model.views import DIALOG_TITLES, DialogName, RecordsPreset
from rft_widgets.widgets.app import App, DatasetPage
from rft_widgets.widgets.bundle import Bundle
from rft_widgets.widgets.canvas import PipelineCanvas
from rft_widgets.widgets.create_page import CreatePage
from rft_widgets.widgets.dialogs import dialog_class
from rft_widgets.widgets.health_bar import HealthBar
from rft_widgets.widgets.overview import Overview
from rft_widgets.widgets.records_grid import RecordsGrid
from rft_widgets.widgets.rpc import Answers, methods_of
from rft_widgets.widgets.traits import PAGE_WRITABLE, Guarded, Value

TARGET = Path(__file__).parents[2] / "js" / "src" / "contract.gen.ts"

WIDGETS: dict[str, type[Answers]] = {
    "App": App,
    "DatasetPage": DatasetPage,
    "CreatePage": CreatePage,
    "Overview": Overview,
    "Canvas": PipelineCanvas,
    "HealthBar": HealthBar,
    "RecordsGrid": RecordsGrid,
    **{cls.__name__: cls for cls in map(dialog_class, typing.get_args(DialogName))},
    "Bundle": Bundle,
}

NAMED: tuple[type, ...] = (RecordsPreset,)
"""Types that the page needs and no widget mentions."""

HEAD = """\
// Made by `python -m rft_widgets.widgets.contract` from the Python models: edit those instead.
"""

_SCALARS = {
    shapes.IntType: "number",
    shapes.FloatType: "number",
    shapes.StrType: "string",
    shapes.BoolType: "boolean",
    shapes.NoneType: "null",
    shapes.AnyType: "unknown",
    shapes.DateTimeType: "string",
    shapes.DateType: "string",
    shapes.BytesType: "DataView",
}


class _Writer:
    """Turns types into TypeScript, and keeps the definitions that they need."""

    def __init__(self) -> None:
        self.definitions: dict[str, str] = {}
        self._owners: dict[str, type] = {}

    def type_of(self, python_type: Any) -> str:
        return self._write(shapes.type_info(python_type))

    def _write(self, shape: shapes.Type) -> str:
        if isinstance(shape, shapes.Metadata):
            return self._write(shape.type)
        if isinstance(shape, shapes.LiteralType):
            return " | ".join(_quoted(value) for value in shape.values)
        if isinstance(shape, shapes.UnionType):
            # null last, wherever it stands: `X | null` reads like `X | None`.
            parts = sorted(shape.types, key=lambda part: isinstance(part, shapes.NoneType))
            return " | ".join(self._write(part) for part in parts)
        if isinstance(shape, (shapes.VarTupleType, shapes.ListType)):
            item = self._write(shape.item_type)
            is_compound = "|" in item or item.startswith("readonly ")
            return f"readonly ({item})[]" if is_compound else f"readonly {item}[]"
        if isinstance(shape, shapes.DictType):
            return f"Readonly<Record<string, {self._write(shape.value_type)}>>"
        if isinstance(shape, shapes.StructType):
            return self._struct(shape)
        scalar = _SCALARS.get(type(shape))
        if scalar is None:
            raise TypeError(f"There is no TypeScript for {shape!r}.")
        return scalar

    def _struct(self, shape: shapes.StructType) -> str:
        name = shape.cls.__name__
        owner = self._owners.setdefault(name, shape.cls)
        if owner is not shape.cls:
            raise TypeError(f"Two types have one name: {shape.cls!r} and {owner!r}.")
        if name not in self.definitions:
            self.definitions[name] = ""  # it may contain itself
            may_lack = shape.cls.__struct_config__.omit_defaults
            fields = []
            for field in shape.fields:
                mark = "?" if may_lack and not field.required else ""
                key = f"readonly {_key(field.encode_name)}{mark}"
                fields.append((key, self._write(field.type)))
            self.definitions[name] = _interface(name, fields)
        return name


def generate() -> str:
    """The whole file."""
    writer = _Writer()
    for named in NAMED:
        writer.type_of(named)
    parts: list[str] = [_alias(writer, "DialogName", DialogName)]
    for name, widget in WIDGETS.items():
        parts.append(_interface(f"{name}Traits", _traits(writer, widget)))
        parts.append(_calls(writer, name, widget))
    settings = {
        "validation": VALIDATION,
        "topics": TOPICS,
        "topic_limits": TOPIC_LIMITS,
        "clustering": CLUSTERING,
        "categorize": CATEGORIZE,
        "topic_model": TOPIC_MODEL,
        "pipeline": PIPELINE,
        "coverage": COVERAGE,
        "grader_test": GRADER_TEST,
        "trust": TRUST,
        "judge": JUDGE,
        "sandbox": SANDBOX,
        "dry_run": DRY_RUN,
        "dry_run_bounds": DRY_RUN_BOUNDS,
        "connection": CONNECTION,
        "rollout": ROLLOUT,
    }
    constants = [
        _constant("PIPELINE_STEPS", PIPELINE_STEPS),
        _constant("FINISHED", FINISHED),
        _constant("DIALOG_TITLES", DIALOG_TITLES),
        _constant("SETTINGS", settings),
    ]
    return "\n".join([HEAD, *writer.definitions.values(), *parts, *constants])


def main() -> None:
    """Write the file, where it differs."""
    text = generate()
    if not TARGET.exists() or TARGET.read_text("utf-8") != text:
        TARGET.write_text(text, "utf-8")
        sys.stdout.write(f"{TARGET} was written.\n")


def _traits(writer: _Writer, widget: type[Answers]) -> list[tuple[str, str]]:
    fields = []
    for name, trait in sorted(widget.class_traits(sync=True).items()):
        if not name.startswith("_") and issubclass(trait.this_class, Guarded):
            fields.append((name, _trait_type(writer, trait), trait))
    return [
        (name if trait is not None and trait.metadata.get(PAGE_WRITABLE) else f"readonly {name}", t)
        for name, t, trait in fields
    ]


def _trait_type(writer: _Writer, trait: traitlets.TraitType[Any, Any]) -> str:
    if isinstance(trait, Value):
        return writer.type_of(trait.value_type | None if trait.nullable else trait.value_type)
    for kind, python_type in (
        (traitlets.Bool, bool),
        (traitlets.Int, int),
        (traitlets.Float, float),
        (traitlets.Unicode, str),
    ):
        if isinstance(trait, kind):
            return writer.type_of(python_type)
    raise TypeError(f"There is no TypeScript for {trait!r}.")


def _calls(writer: _Writer, name: str, widget: type[Answers]) -> str:
    fields = []
    for method in methods_of(widget).values():
        info = typing.cast("shapes.StructType", shapes.type_info(method.params))
        params = "; ".join(
            f"readonly {field.encode_name}{'' if field.required else '?'}: "
            f"{writer._write(field.type)}"  # noqa: SLF001
            for field in info.fields
        )
        shape = f"{{ {params} }}" if params else "Record<string, never>"
        fields.append(
            (method.name, f"{{ params: {shape}; result: {writer.type_of(method.result)} }}")
        )
    return _interface(f"{name}Calls", fields)


def _interface(name: str, fields: list[tuple[str, str]]) -> str:
    body = "".join(f"  {key}: {value};\n" for key, value in fields)
    return f"export interface {name} {{\n{body}}}\n"


def _alias(writer: _Writer, name: str, python_type: Any) -> str:
    return f"export type {name} = {writer.type_of(python_type)};\n"


def _constant(name: str, value: Any) -> str:
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    return f"export const {name} = {text} as const;\n"


def _key(name: str) -> str:
    return name if name.isidentifier() else _quoted(name)


def _quoted(value: object) -> str:
    return msgspec.json.encode(value).decode()


if __name__ == "__main__":
    main()
