"""A grader against labels that people gave."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

from msgspec import Struct

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.dry_run_settings import LABELS, ROUNDING, LabelSettings
from rft_widgets.model.report import with_bounds
from rft_widgets.statistics import AgreementReport, Interval, agreement_report, spearman


class LabelReport(Struct, frozen=True, kw_only=True):
    """What a grader's scores have to do with what people say."""

    agreement: AgreementReport
    """Of passed (1) and not passed (0), scores being cut at ``threshold``."""
    threshold: float
    """Score (0..1) from which an answer counts as passed."""
    rank_correlation: Interval | None
    """Spearman's; ``None`` where both sides know 0 and 1 only, and where a side is constant."""
    unscored: int
    """Answers left out because the grading failed."""
    unlabelled: int
    """Answers left out because nobody labelled them."""
    sentence: str


def grader_against_labels(
    scores: Sequence[float | None],
    labels: Sequence[float | None],
    clusters: Sequence[Hashable] | None = None,
    *,
    settings: LabelSettings = LABELS,
    seed: int = 0,
) -> LabelReport:
    """Compare a grader's scores with people's labels of the same answers.

    Parameters
    ----------
    scores
        Normalised rewards; ``None`` where a grading failed.
    labels
        0 and 1 (or ``False`` and ``True``), or scores in 0..1; ``None`` where there is none.
    clusters
        As for `bootstrap_mean`.
    settings
        Where scores are cut into passed and not passed, and what a good correlation is.
    seed
        Of the bootstrap.

    Raises
    ------
    InvalidArgument
        Lengths differ, a value is not finite, a label lies outside 0..1, or no answer has both.
    """
    if len(scores) != len(labels) or (clusters is not None and len(clusters) != len(scores)):
        raise InvalidArgument("Scores, labels and clusters must have one value an answer each.")
    both = [
        (place, float(score), float(label))
        for place, (score, label) in enumerate(zip(scores, labels, strict=True))
        if score is not None and label is not None
    ]
    unlabelled = sum(label is None for label in labels)
    if not both:
        raise InvalidArgument(
            "No answer has both a score and a label.", hint="Label a few answers first."
        )
    for place, score, label in both:
        if not (math.isfinite(score) and 0 <= label <= 1):
            raise InvalidArgument(
                f"Answer {place} has the score {score!r} and the label {label!r}; a score must be "
                "finite, and a label lie in 0..1."
            )
    own = None if clusters is None else [clusters[place] for place, _, _ in both]
    grader = [score for _, score, _ in both]
    human = [label for _, _, label in both]
    found = agreement_report(
        _passed(grader, settings), _passed(human, settings), own, labels=(0, 1), seed=seed
    )
    numeric = not {0.0, 1.0}.issuperset(grader + human)
    correlation = spearman(grader, human, own, seed=seed) if numeric else None
    return LabelReport(
        agreement=found,
        threshold=settings.passed,
        rank_correlation=correlation,
        unscored=len(scores) - len(both) - unlabelled,
        unlabelled=unlabelled,
        sentence=_sentence(found, correlation, settings),
    )


def _passed(values: Sequence[float], settings: LabelSettings) -> list[int]:
    return [int(value >= settings.passed - ROUNDING) for value in values]


def _sentence(found: AgreementReport, correlation: Interval | None, settings: LabelSettings) -> str:
    constant = "passed" if found.constant_label == 1 else "not passed"
    share, baseline = found.agreement.estimate, found.constant_baseline.estimate
    kappa = with_bounds(found.kappa)
    low = found.kappa.low
    if low is not None and low > ROUNDING:
        judged = "it says more than chance would"
    elif found.kappa.estimate > ROUNDING:
        judged = "which may be chance: label more answers"
    else:
        judged = "no better than chance"
    text = (
        f"The grader agrees with people on {share:.0%} of {found.n:,} answers (passed from "
        f"{settings.passed:g}); always saying {constant!r} would agree on {baseline:.0%}. "
        f"Cohen's kappa is {kappa}: {judged}."
    )
    if correlation is None:
        return text
    rho = correlation.estimate
    if rho >= settings.spearman_good - ROUNDING and found.kappa.estimate <= ROUNDING:
        words = (
            "it orders answers as people do, but passes others than they do: see whether "
            f"{settings.passed:g} is the right bound"
        )
    elif rho >= settings.spearman_good - ROUNDING:
        words = "it can stand in for people"
    elif rho >= settings.spearman_poor - ROUNDING:
        words = "usable, with care"
    else:
        words = "fix the grader"
    return f"{text} The rank correlation is {with_bounds(correlation)}: {words}."
