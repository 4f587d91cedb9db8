"""What of a grader matters to whoever trains with it."""

from __future__ import annotations

from rft_widgets.graders.compiled import asks_model, parts_of
from rft_widgets.model.grader import Grader

EVERY_GRADER = (
    "string_check",
    "text_similarity",
    "score_model",
    "label_model",
    "python",
    "multi",
)
"""Types of graders, for trainers whose rewards are given here."""


def asks_models(grader: Grader | None) -> bool:
    """Whether a grader asks a model, so that each grading has a price."""
    return grader is not None and any(asks_model(part) for part in parts_of(grader))
