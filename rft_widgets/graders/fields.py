"""Which fields of an item a grader's templates ask for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rft_widgets.graders.templates import Reference, compile_template
from rft_widgets.model.grader import Grader, PythonGrader, grader_to_json


def item_fields(grader: Grader) -> tuple[str, ...]:
    """First keys of every ``{{ item.key }}``, sorted; what scripts read is not known."""
    found = {
        piece.steps[0]
        for text in _texts(grader_to_json(grader))
        for piece in compile_template(text).pieces
        if isinstance(piece, Reference) and piece.expression.startswith("item") and piece.steps
    }
    return tuple(sorted(step for step in found if isinstance(step, str)))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if "{{" in value and "}}" in value:
            yield value
    elif isinstance(value, dict):
        if value.get("type") != _SCRIPT:
            for inner in value.values():
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


_SCRIPT = PythonGrader.__struct_config__.tag
