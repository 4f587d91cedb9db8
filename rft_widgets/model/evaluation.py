"""What grading the recorded answers of a selection came to."""

from __future__ import annotations

from msgspec import Struct


class Evaluation(Struct, frozen=True, kw_only=True):
    """Counts of an evaluation. ``graded + failed + invalid + unanswered`` is all it looked at.

    Attributes
    ----------
    graded
        Records that have a score now.
    failed
        Records that the grader could not grade; their score is what it was.
    invalid, unanswered
        Records that were left out: invalid ones, and those without a recorded answer.
    mean
        Of the new scores; ``None`` when there are none.
    first_error
        Why the first grading failed.
    """

    graded: int
    failed: int
    invalid: int
    unanswered: int
    mean: float | None
    first_error: str | None = None

    @property
    def sentence(self) -> str:
        """The counts in words."""
        parts = [f"{self.graded:,} graded"]
        if self.mean is not None:
            parts[0] += f", mean {self.mean:.2f}"
        if self.failed:
            parts.append(f"{self.failed:,} failed ({self.first_error})")
        if self.invalid:
            parts.append(f"{self.invalid:,} invalid left out")
        if self.unanswered:
            parts.append(f"{self.unanswered:,} without an answer left out")
        return "; ".join(parts) + "."
