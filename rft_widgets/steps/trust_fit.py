"""Whether another cut of a grader's scores would agree better with people."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from rft_widgets.model.dry_run_settings import ROUNDING, LabelSettings
from rft_widgets.model.report import with_bounds
from rft_widgets.model.trust import ThresholdAdvice
from rft_widgets.model.trust_settings import TrustSettings
from rft_widgets.statistics import fit_threshold, paired_difference


def advise_threshold(
    scores: Sequence[float],
    human: Sequence[bool],
    clusters: Sequence[Hashable],
    cuts: LabelSettings,
    settings: TrustSettings,
    seed: int,
) -> ThresholdAdvice | None:
    """Fit a cut, try it where it was not fitted, and compare it with the one in use.

    ``None`` where there is nothing to fit (see `fit_threshold`), or but one cut: the one in use.
    """
    if len(set(scores)) == 2 and min(scores) < cuts.passed <= max(scores):
        return None
    fit = fit_threshold(
        scores, human, clusters, prefer=cuts.passed, folds=settings.folds, seed=seed
    )
    if fit is None:
        return None
    now = [
        int((score >= cuts.passed - ROUNDING) == label)
        for score, label in zip(scores, human, strict=True)
    ]
    fitted = [int(passed == label) for passed, label in zip(fit.passed, human, strict=True)]
    change = paired_difference(now, fitted, clusters, seed=seed)
    cut = with_bounds(fit.cut)
    tried = (
        f"On labels that it was not chosen on, such a cut agrees on "
        f"{fit.tried.agreement.estimate:.0%}, {cuts.passed:g} on {change.before_mean:.0%}"
    )
    if change.verdict == "improved":
        told = "passing answers from there would agree better with people."
    elif change.verdict == "regressed":
        told = "there are too few labels to fit one: keep the cut you have."
    else:
        told = "no clear difference, so there is no reason to move it."
    return ThresholdAdvice(
        cut=fit.cut,
        kappa=fit.kappa,
        tried_agreement=fit.tried.agreement,
        tried_kappa=fit.tried.kappa,
        change=change,
        sentence=f"The cut that agrees best is {cut}. {tried}: {told}",
    )
