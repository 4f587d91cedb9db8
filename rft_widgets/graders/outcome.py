"""What one grader makes of one sample, before it becomes a result."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct, field

from rft_widgets.graders.sample import Sample
from rft_widgets.model.grader import GradingErrors

MAX_ERROR_CHARS = 500


class Outcome(Struct, frozen=True, kw_only=True):
    """A reward, or the flags and the sentence that say why there is none."""

    reward: float | None = None
    errors: GradingErrors = GradingErrors()
    error: str | None = None
    reasoning: str | None = None
    label: str | None = None
    """What a judge that picks a label has picked."""
    sub_rewards: dict[str, float | None] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)
    """Tokens by model, where models were asked."""
    model: str | None = None
    isolation: str | None = None


Grade = Callable[[Sample, Mapping[str, Any]], Outcome]


def rewarded(reward: float) -> Outcome:
    """The outcome of a grader that computes its reward; a reward that is no number fails."""
    if math.isfinite(reward):
        return Outcome(reward=reward)
    return failed("the score is not a finite number", GradingErrors(other_error=True))


def failed(error: str, errors: GradingErrors, **more: Any) -> Outcome:
    """The outcome of a grading without a reward; the error becomes one short line."""
    return Outcome(error=one_line(error), errors=errors, **more)


def one_line(text: str) -> str:
    """Text cut to a line that any encoding, log and page can hold."""
    clean = text[: 4 * MAX_ERROR_CHARS].encode("utf-8", "replace").decode()
    clean = " ".join("".join(c if c.isprintable() else " " for c in clean).split())
    return clean if len(clean) <= MAX_ERROR_CHARS else clean[: MAX_ERROR_CHARS - 1] + "…"
