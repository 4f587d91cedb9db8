"""What of a grader matters to whoever trains with it."""

from __future__ import annotations

EVERY_GRADER = (
    "string_check",
    "text_similarity",
    "score_model",
    "label_model",
    "python",
    "multi",
)
"""Types of graders, for trainers whose rewards are given here."""
