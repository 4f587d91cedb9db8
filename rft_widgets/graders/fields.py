"""Which fields of an item a grader's templates ask for, and where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from rft_widgets.graders.templates import Reference, compile_template
from rft_widgets.model.grader import Grader, PythonGrader, grader_to_json


class ItemReference(Struct, frozen=True):
    """One ``{{ item.field }}``: the path of its template in the grader's JSON, and its place there.

    ``line`` and ``column`` count from 1.
    """

    field: str
    where: str
    line: int
    column: int


def item_references(grader: Grader) -> tuple[ItemReference, ...]:
    """Every ``{{ item.key }}`` in the order of the grader; what scripts read is not known."""
    return tuple(
        ItemReference(piece.steps[0], where, piece.line, piece.column)
        for where, text in _texts(grader_to_json(grader), "")
        for piece in compile_template(text).pieces
        if isinstance(piece, Reference)
        and piece.expression.startswith("item")
        and piece.steps
        and isinstance(piece.steps[0], str)
    )


def _texts(value: Any, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        if "{{" in value and "}}" in value:
            yield where, value
    elif isinstance(value, dict):
        if value.get("type") != _SCRIPT:
            for key, inner in value.items():
                yield from _texts(inner, f"{where}.{key}" if where else key)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _texts(inner, f"{where}[{place}]")


_SCRIPT = PythonGrader.__struct_config__.tag
