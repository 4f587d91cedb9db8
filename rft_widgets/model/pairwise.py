"""Two answers to each prompt, side by side: which of them a judge prefers."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from rft_widgets.model.grader import GradingErrors
from rft_widgets.statistics import Interval

Preference = Literal["first", "second", "tie"]
"""Which of two answers is better, whatever the order they were shown in."""

PairwiseVerdict = Literal["first", "second", "no_clear_difference"]


class PairwiseSettings(Struct, frozen=True, kw_only=True):
    """How answers are compared in pairs."""

    pairs: int = 100
    """Pairs that are looked at."""
    shown_chars: int = 4_000
    """Characters of an answer that are kept with its verdict to be read."""


class ComparedPair(Struct, frozen=True, kw_only=True):
    """Two answers to a prompt and what the judge says of them; complete in itself.

    Attributes
    ----------
    forward, backward
        What is preferred when the first is shown first, and when it is shown second; ``None`` where
        that grading failed.
    preference
        What both orders say; a tie where they contradict each other, for the order decides then.
        ``None`` where one of them failed.
    is_consistent
        Whether both orders say the same; ``None`` where one of them failed.
    reasoning
        What the judge gave as its reason, in either order.
    error, errors
        Why there is no verdict: in one line, and as the flags of hosted services.
    """

    record_id: str
    repeat: int
    first: str
    second: str
    forward: Preference | None
    backward: Preference | None
    preference: Preference | None
    is_consistent: bool | None
    reasoning: tuple[str | None, str | None] = (None, None)
    error: str | None = None
    errors: GradingErrors = GradingErrors()


class PairwiseReport(Struct, frozen=True, kw_only=True):
    """What a judge prefers, over all pairs.

    Attributes
    ----------
    pairs
        Every pair; those without a verdict are no ties, and count nowhere below.
    first, second, ties
        Pairs by preference.
    failed
        Pairs without a verdict.
    second_wins
        Share of pairs that the second answers win, a tie counting half.
    consistent
        Share of pairs of which both orders say the same.
    shown_first
        Of the times that the judge preferred one, the share that went to the answer shown first:
        one half where the order means nothing to it.
    verdict
        Which side wins more than half beyond doubt, if one does.
    """

    pairs: tuple[ComparedPair, ...]
    first: int
    second: int
    ties: int
    failed: int
    second_wins: Interval | None
    consistent: Interval | None
    shown_first: Interval | None
    verdict: PairwiseVerdict
    sentence: str


PAIRWISE = PairwiseSettings()
