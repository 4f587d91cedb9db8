"""Several scores of each prompt: how often one succeeds, or all do, and where the spread lies."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from msgspec import Struct

from rft_widgets.errors import InvalidArgument
from rft_widgets.statistics._inputs import TOLERANCE, Floats, Numbers, numbers


class VarianceComponents(Struct, frozen=True, kw_only=True):
    """Where the variance of the scores lies. None means that the data cannot tell."""

    between: float | None
    """Variance of the prompts' true means, >= 0; None with fewer than two prompts."""
    within: float | None
    """Variance of the scores of one prompt, >= 0; None where no prompt has two scores."""
    intraclass_correlation: float | None
    """between / (between + within), 0..1; None where a part is unknown or both are 0."""
    prompts: int
    scores: int


def pass_at_k(groups: Sequence[Numbers], k: int, *, threshold: float = 1.0) -> float:
    """Probability that at least one of k answers to a prompt succeeds, averaged over prompts.

    The unbiased estimator 1 - C(n - c, k) / C(n, k) for c successes in n answers (Chen et al. 2021,
    "Evaluating Large Language Models Trained on Code", eq. 1).

    Parameters
    ----------
    groups
        For each prompt the rewards of its answers, at least ``k``; their number may differ.
    k
        Answers that are drawn, >= 1.
    threshold
        A reward at or above it (less 1e-9) is a success.

    Returns
    -------
    A share, 0..1.

    Raises
    ------
    InvalidArgument
        There are no groups, one has fewer than ``k`` rewards or one that is not finite, or k < 1.
    """
    return _mean_over_prompts(
        groups, k, threshold, lambda n, c: 1 - math.comb(n - c, k) / math.comb(n, k)
    )


def pass_hat_k(groups: Sequence[Numbers], k: int, *, threshold: float = 1.0) -> float:
    """Probability that all of k answers to a prompt succeed ("pass^k"), averaged over prompts.

    The unbiased estimator C(c, k) / C(n, k) for c successes in n answers (Yao et al. 2024,
    "tau-bench", section 4). Parameters, result and errors as for `pass_at_k`.
    """
    return _mean_over_prompts(groups, k, threshold, lambda n, c: math.comb(c, k) / math.comb(n, k))


def mixed_share(groups: Sequence[Numbers]) -> float | None:
    """Share of the prompts whose scores differ: the only ones a group-relative method learns from.

    Parameters
    ----------
    groups
        For each prompt its scores. A prompt with fewer than two says nothing and is left out.

    Returns
    -------
    A share, 0..1, or None where no prompt has two scores. Scores within 1e-9 do not differ.

    Raises
    ------
    InvalidArgument
        A score is not finite.
    """
    spreads = [float(np.ptp(values)) for values in _groups(groups) if values.size > 1]
    if not spreads:
        return None
    return sum(spread > TOLERANCE for spread in spreads) / len(spreads)


def variance_components(groups: Sequence[Numbers]) -> VarianceComponents:
    """Variance between prompts and within prompts, for groups of any sizes.

    The analysis-of-variance estimator of the one-way random-effects model with unequal groups
    (Searle, Casella & McCulloch 1992, section 3.6); a negative variance between is given as 0.

    Parameters
    ----------
    groups
        For each prompt its scores; empty groups are left out.

    Raises
    ------
    InvalidArgument
        There is no score at all, or one is not finite.
    """
    filled = [values for values in _groups(groups) if values.size]
    if not filled:
        raise InvalidArgument("groups hold no score; a statistic needs at least one value.")
    sizes = np.array([values.size for values in filled], dtype=np.float64)
    means = np.array([values.mean() for values in filled])
    prompts, scores = len(filled), int(sizes.sum())
    within = between = correlation = None
    if scores > prompts:
        squares = sum(float(((v - m) ** 2).sum()) for v, m in zip(filled, means, strict=True))
        within = squares / (scores - prompts)
    if prompts > 1 and within is not None:
        grand = float((sizes * means).sum()) / scores
        mean_square = float((sizes * (means - grand) ** 2).sum()) / (prompts - 1)
        typical_size = (scores - float((sizes**2).sum()) / scores) / (prompts - 1)
        between = max(0.0, (mean_square - within) / typical_size)
        if between + within > TOLERANCE**2:
            correlation = between / (between + within)
    return VarianceComponents(
        between=between,
        within=within,
        intraclass_correlation=correlation,
        prompts=prompts,
        scores=scores,
    )


def _mean_over_prompts(
    groups: Sequence[Numbers],
    k: int,
    threshold: float,
    estimator: Callable[[int, int], float],
) -> float:
    if k < 1:
        raise InvalidArgument(f"k is {k}; it must be at least 1.")
    rewards = _groups(groups)
    if not rewards:
        raise InvalidArgument("groups is empty; a statistic needs at least one prompt.")
    for position, values in enumerate(rewards):
        if values.size < k:
            raise InvalidArgument(
                f"groups[{position}] has {values.size} rewards; k = {k} needs at least {k}."
            )
    successes = [int((values >= threshold - TOLERANCE).sum()) for values in rewards]
    shares = [estimator(v.size, c) for v, c in zip(rewards, successes, strict=True)]
    return math.fsum(shares) / len(shares)


def _groups(groups: Sequence[Numbers]) -> list[Floats]:
    return [
        numbers(group, f"groups[{position}]") if len(group) else np.empty(0)
        for position, group in enumerate(groups)
    ]
