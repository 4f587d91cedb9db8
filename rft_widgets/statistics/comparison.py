"""Two systems on the same records or on different ones, and many comparisons at once."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from msgspec import Struct

from rft_widgets.errors import InvalidArgument
from rft_widgets.statistics._inputs import (
    TOLERANCE,
    Clusters,
    Floats,
    Numbers,
    cluster_codes,
    numbers,
    same_length,
)
from rft_widgets.statistics._resampling import (
    check_resampling,
    percentile_bounds,
    resampled_totals,
    sign_flip_p_value,
    unit_sums,
)
from rft_widgets.statistics.intervals import Interval, interval

Verdict: TypeAlias = Literal["improved", "no_clear_change", "regressed"]


class PairedDifference(Struct, frozen=True, kw_only=True):
    """What changed between two sets of scores of the same records."""

    before_mean: float
    after_mean: float
    difference: Interval
    """Mean of after - before."""
    relative: Interval | None
    """(after mean - before mean) / before mean; None where the mean before is not above 0."""
    p_value: float
    """Two-sided, of the hypothesis that each cluster's change could as well have the other sign."""
    verdict: Verdict
    n: int
    clusters: int


def paired_difference(
    before: Numbers,
    after: Numbers,
    clusters: Clusters | None = None,
    *,
    level: float = 0.95,
    samples: int = 2000,
    permutations: int = 9_999,
    seed: int = 0,
) -> PairedDifference:
    """Compare two scores of each record.

    Both intervals are percentile intervals of the same resamples of whole clusters, each of which
    keeps its pairs together. The p-value is that of a sign-flip permutation test on the clusters'
    sums (Fisher 1935): exact where all patterns are no more than ``permutations`` + 1 (and 65,536),
    else (1 + as extreme) / (1 + permutations) (Phipson & Smyth 2010).

    Parameters
    ----------
    before, after
        n >= 1 finite scores each; position i of both is the same record.
    clusters, level, samples, seed
        As for `bootstrap_mean`.
    permutations
        Random sign patterns, >= 1.

    Returns
    -------
    ``verdict`` follows from the interval of ``difference``: "improved" above 0, "regressed" below
    0, else "no_clear_change". It is "no_clear_change" as well where so few clusters changed that
    even one direction throughout would not be significant, 2 ** (1 - changed) > 1 - level: fewer
    than 6 at level 0.95. An interval from so few is too narrow to decide anything.

    Raises
    ------
    InvalidArgument
        Lengths differ, or as for `bootstrap_mean`.
    """
    first, second = numbers(before, "before"), numbers(after, "after")
    same_length(second, first.size, "after")
    codes, units = cluster_codes(clusters, first.size)
    check_resampling(level, samples)
    if permutations < 1:
        raise InvalidArgument(f"permutations is {permutations}; it must be at least 1.")
    change = second - first
    sums = unit_sums(np.column_stack((change, first, np.ones_like(first))), codes, units)
    totals = resampled_totals(sums, samples, seed) if units > 1 else None
    bounds = None if totals is None else percentile_bounds(totals[:, 0] / totals[:, 2], level)
    difference = interval(float(change.mean()), bounds, level=level, n=first.size, clusters=units)
    return PairedDifference(
        before_mean=float(first.mean()),
        after_mean=float(second.mean()),
        difference=difference,
        relative=_relative(change, first, totals, difference),
        p_value=sign_flip_p_value(sums[:, 0], permutations, seed),
        verdict=_verdict(difference, changed=int((abs(sums[:, 0]) > TOLERANCE).sum())),
        n=first.size,
        clusters=units,
    )


class IndependentDifference(Struct, frozen=True, kw_only=True):
    """The difference between the scores of two sets of records that have none in common."""

    before_mean: float
    after_mean: float
    difference: Interval
    """after mean - before mean; its ``n`` and ``clusters`` are those of both sets together."""
    verdict: Verdict
    before_n: int
    after_n: int
    before_clusters: int
    after_clusters: int


def independent_difference(
    before: Numbers,
    after: Numbers,
    clusters_before: Clusters | None = None,
    clusters_after: Clusters | None = None,
    *,
    level: float = 0.95,
    samples: int = 2000,
    seed: int = 0,
) -> IndependentDifference:
    """Compare the means of two sets of scores, as of the two arms of an A/B test.

    The interval is the two-sample percentile interval (Efron & Tibshirani 1993, section 8.3): each
    resample draws the clusters of both sets anew, independently of each other.

    Parameters
    ----------
    before, after
        At least one finite score each; their numbers may differ.
    clusters_before, clusters_after
        As for `bootstrap_mean`. The same name in both does not join the two.
    level, samples, seed
        As for `bootstrap_mean`.

    Returns
    -------
    ``verdict`` follows from the interval of ``difference``: "improved" above 0, "regressed" below
    0, else "no_clear_change". It is "no_clear_change" as well where a set has so few clusters that
    all of them on one side would not be significant, 2 ** (1 - clusters) > 1 - level: fewer than 6
    at level 0.95. A set of one cluster gives no bounds.

    Raises
    ------
    InvalidArgument
        As for `bootstrap_mean`.
    """
    first, second = numbers(before, "before"), numbers(after, "after")
    sides = ((first, clusters_before), (second, clusters_after))
    coded = [cluster_codes(clusters, values.size) for values, clusters in sides]
    check_resampling(level, samples)
    fewest = min(units for _, units in coded)
    bounds = None
    if fewest > 1:
        # Two seeds: sets of one size would else be drawn alike, and their errors cancel out.
        seeds = np.random.SeedSequence(seed).generate_state(2)
        means = []
        for (values, _), (codes, units), own in zip(sides, coded, seeds, strict=True):
            sums = unit_sums(np.column_stack((values, np.ones_like(values))), codes, units)
            totals = resampled_totals(sums, samples, int(own))
            means.append(totals[:, 0] / totals[:, 1])
        bounds = percentile_bounds(means[1] - means[0], level)
    difference = interval(
        float(second.mean() - first.mean()),
        bounds,
        level=level,
        n=first.size + second.size,
        clusters=coded[0][1] + coded[1][1],
    )
    return IndependentDifference(
        before_mean=float(first.mean()),
        after_mean=float(second.mean()),
        difference=difference,
        verdict=_verdict(difference, changed=fewest),
        before_n=first.size,
        after_n=second.size,
        before_clusters=coded[0][1],
        after_clusters=coded[1][1],
    )


def holm(p_values: Numbers) -> list[float]:
    """P-values adjusted for their number, so that any below alpha errs at most alpha in all.

    The step-down method of Holm (1979): the i-th smallest of m is multiplied by m - i + 1, made
    monotone, and cut at 1. No assumption on how the tests depend on each other.

    Parameters
    ----------
    p_values
        m values, 0..1; there may be none.

    Returns
    -------
    m adjusted values in the order given, 0..1, none below its own.

    Raises
    ------
    InvalidArgument
        A value is not a number in 0..1.
    """
    if len(p_values) == 0:
        return []
    values = numbers(p_values, "p_values")
    if ((values < 0) | (values > 1)).any():
        raise InvalidArgument("p_values must lie in 0..1.")
    order = np.argsort(values, kind="stable")
    factors = np.arange(values.size, 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(values[order] * factors))
    return [float(value) for value in adjusted]


def _relative(
    change: Floats, before: Floats, totals: Floats | None, difference: Interval
) -> Interval | None:
    if before.mean() <= 0:
        return None
    bounds = None
    if totals is not None:
        baseline = totals[:, 1]
        unknown = np.full_like(baseline, np.nan)
        ratios = np.divide(totals[:, 0], baseline, out=unknown, where=baseline > 0)
        bounds = percentile_bounds(ratios, difference.level)
    return interval(
        float(change.mean() / before.mean()),
        bounds,
        level=difference.level,
        n=difference.n,
        clusters=difference.clusters,
    )


def _verdict(difference: Interval, changed: int) -> Verdict:
    if difference.low is None or difference.high is None:
        return "no_clear_change"
    if 2.0 ** (1 - changed) > 1 - difference.level:
        return "no_clear_change"
    if difference.low > 0:
        return "improved"
    return "regressed" if difference.high < 0 else "no_clear_change"
