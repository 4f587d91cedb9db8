"""Whether a grader says the same again, and in the other order."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from statistics import fmean

from rft_widgets.model.pairwise import PairwiseReport
from rft_widgets.model.report import GradedAnswer
from rft_widgets.model.trust import OrderSwap, SelfConsistency
from rft_widgets.model.trust_settings import TrustSettings
from rft_widgets.statistics import bounded_mean
from rft_widgets.steps import trust_words as words
from rft_widgets.steps.trust_labels import Both, is_passed, unit


def consistency_of(
    gradings: Sequence[Sequence[GradedAnswer]], both: Both, settings: TrustSettings
) -> SelfConsistency | None:
    """Compare the gradings of one answer with each other; ``None`` where there is one of each."""
    equal, apart, clusters = [], [], []
    for found, cluster in zip(gradings, both.clusters, strict=True):
        scores = [unit(one.reward) for one in found if one.reward is not None]
        pairs = list(combinations(scores, 2))
        if pairs:
            same = (is_passed(a, both.cuts) == is_passed(b, both.cuts) for a, b in pairs)
            equal.append(fmean(same))
            apart.append(fmean(abs(a - b) for a, b in pairs))
            clusters.append(cluster)
    if not equal:
        return None
    share = bounded_mean(equal, clusters, seed=both.seed)
    difference = bounded_mean(apart, clusters, seed=both.seed)
    return SelfConsistency(
        repeats=max(len(found) for found in gradings),
        answers=len(equal),
        equal=share,
        difference=difference,
        sentence=words.consistency(share, difference, settings),
    )


def order_swap(report: PairwiseReport, *, seed: int = 0) -> OrderSwap | None:
    """What asking a judge of two answers in both orders came to; ``None`` where it never did.

    A tie is half a choice of either place.
    """
    done = [one for one in report.pairs if one.is_consistent is not None]
    if not done:
        return None
    prompts = [one.record_id for one in done]
    same = bounded_mean([float(bool(one.is_consistent)) for one in done], prompts, seed=seed)
    shown_first = {"first": 1.0, "tie": 0.5, "second": 0.0}
    first = bounded_mean(
        [
            (shown_first[one.forward or "tie"] + 1 - shown_first[one.backward or "tie"]) / 2
            for one in done
        ],
        prompts,
        seed=seed,
    )
    return OrderSwap(
        pairs=len(done),
        failed=len(report.pairs) - len(done),
        same=same,
        first=first,
        sentence=words.position_bias(same, first),
    )
