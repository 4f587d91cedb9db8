"""A grader as a service takes it that grades by itself, and what the service does not take."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from rft_widgets.errors import InvalidArgument
from rft_widgets.graders.compile.hosted import (
    AZURE,
    LAST_USER,
    MOST_SOURCE_BYTES,
    OPENAI,
    SYSTEM,
    service_form,
)
from rft_widgets.graders.compiled import parts_of
from rft_widgets.model.grader import (
    Grader,
    LabelModel,
    PythonGrader,
    ScoreModel,
    TextSimilarity,
    grader_type,
)
from rft_widgets.trainers.openai.dialects import Dialect

_READS_JSON = "sample.output_json"


class ServiceGrader(Struct, frozen=True, kw_only=True):
    """A grader for a service.

    Attributes
    ----------
    value
        Its JSON.
    models
        Models that it asks.
    row_fields
        Fields that the rows need for it beside their own.
    reads_json
        Whether it reads the answer as JSON, which the service does only for a response format.
    notes
        What the service does otherwise, in words.
    """

    value: dict[str, Any]
    models: tuple[str, ...]
    row_fields: frozenset[str]
    reads_json: bool
    notes: tuple[str, ...]


def service_grader(grader: Grader, dialect: Dialect) -> ServiceGrader:
    """Make a grader ready for a service that grades by itself.

    Raises
    ------
    InvalidArgument
        The services do not take it; says why.
    """
    parts = parts_of(grader)
    for part in parts:
        if isinstance(part, TextSimilarity) and part.evaluation_metric == "cosine":
            raise InvalidArgument(
                f"{dialect.title} does not take text_similarity with cosine, which embeds texts.",
                hint="Use another metric, such as fuzzy_match, or a trainer that grades here.",
            )
        if isinstance(part, PythonGrader) and len(part.source.encode()) >= MOST_SOURCE_BYTES:
            raise InvalidArgument(
                f"{dialect.title} takes Python graders below {MOST_SOURCE_BYTES // 1000} kB.",
                hint="Shorten it, or use a trainer that grades here.",
            )
    form = service_form(grader, AZURE if dialect.name == "azure" else OPENAI, grader_type(grader))
    templates = "\n".join(_texts(form.value))
    judges = [one.model for one in parts if isinstance(one, (ScoreModel, LabelModel))]
    return ServiceGrader(
        value=form.value,
        models=tuple(dict.fromkeys(judges)),
        row_fields=frozenset(name for name in (LAST_USER, SYSTEM) if f"item.{name}" in templates),
        reads_json=f"{{{{ {_READS_JSON}" in templates
        or any(isinstance(one, PythonGrader) and "output_json" in one.source for one in parts),
        notes=form.warnings,
    )


def _texts(value: Any) -> list[str]:
    """Every text of a grader but the source of scripts."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for key, one in value.items() if key != "source" for text in _texts(one)]
    return [text for one in value for text in _texts(one)] if isinstance(value, list) else []
