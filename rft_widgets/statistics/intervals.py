"""How sure a mean is, and how many more scores would decide a question about it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Literal, TypeAlias

import numpy as np
from msgspec import Struct

from rft_widgets.errors import InvalidArgument
from rft_widgets.statistics._inputs import (
    TOLERANCE,
    Clusters,
    Floats,
    Integers,
    Numbers,
    cluster_codes,
    numbers,
)
from rft_widgets.statistics._resampling import (
    bca_bounds,
    check_resampling,
    percentile_bounds,
    resampled_totals,
    unit_sums,
)

IntervalMethod: TypeAlias = Literal["bca", "percentile", "bayesian", "max_t"]


class Interval(Struct, frozen=True, kw_only=True):
    """A statistic and what it could as well have been, had other records been drawn."""

    estimate: float
    low: float | None
    """Lower bound; None where the data cannot tell, as with a single cluster."""
    high: float | None
    """Upper bound; None exactly where ``low`` is."""
    level: float
    """Share of such intervals that hold the true value, 0..1."""
    n: int
    """Scores (or pairs)."""
    clusters: int
    """Independent units among them: ``n`` where every score stands alone."""
    method: IntervalMethod


def bootstrap_mean(
    scores: Numbers,
    clusters: Clusters | None = None,
    *,
    level: float = 0.95,
    samples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Mean of the scores with a bootstrap interval.

    Where every score stands alone, the interval is bias-corrected and accelerated (Efron 1987);
    with clusters, whole clusters are drawn and the percentile interval is taken (Davison & Hinkley
    1997, section 3.8). ``method`` of the result says which. With fewer than about 20 clusters any
    such interval is too narrow; scores that are all equal give one of no width.

    Parameters
    ----------
    scores
        n >= 1 finite scores.
    clusters
        n names; scores of one name depend on each other (answers to one prompt, records of one
        thread). A score named ``None`` stands alone, and so does each score without ``clusters``.
    level
        Coverage, in (0, 1).
    samples
        Resamples, at least 2 / (1 - level).
    seed
        Of the random draws. The order of the scores has no influence.

    Returns
    -------
    The mean over all scores, so that a cluster counts by its size. ``low`` and ``high`` are None
    with one cluster.

    Raises
    ------
    InvalidArgument
        No scores, a score that is not finite, clusters of another length, or options out of range.
    """
    values = numbers(scores, "scores")
    codes, units = cluster_codes(clusters, values.size)
    check_resampling(level, samples)
    estimate = float(values.mean())
    bounds = None
    method: IntervalMethod = "bca" if units == values.size else "percentile"
    if units > 1:
        sums = unit_sums(np.column_stack((values, np.ones_like(values))), codes, units)
        totals = resampled_totals(sums, samples, seed)
        replicates = totals[:, 0] / totals[:, 1]
        if method == "bca":
            bounds = bca_bounds(replicates, estimate, np.sort(values) - estimate, level)
        if bounds is None:
            method = "percentile"
            bounds = percentile_bounds(replicates, level)
    return interval(estimate, bounds, level=level, n=values.size, clusters=units, method=method)


def samples_to_decide(
    scores: Numbers,
    clusters: Clusters | None,
    bounds: Sequence[float],
    *,
    level: float = 0.95,
) -> int | None:
    """How many more scores until the interval of the mean no longer crosses the nearest bound.

    The mean and the spread are taken to stay what they are, and clusters to keep their sizes. The
    interval is the normal one, mean -+ z * sqrt(v / n), where v / n is the variance of a ratio mean
    under cluster sampling (Cochran 1977, eq. 11.30, without the finite population correction), so
    that the design effect of the clusters is part of v.

    Parameters
    ----------
    scores
        n >= 1 finite scores.
    clusters
        As for `bootstrap_mean`.
    bounds
        One or more values that the mean is compared with.
    level
        Coverage of the interval, in (0, 1).

    Returns
    -------
    Scores to add to the n there are; 0 where the interval crosses no bound already. None where no
    number would do, because the mean lies on a bound (within 1e-9), or where none can be told,
    because there is one cluster only.

    Raises
    ------
    InvalidArgument
        No scores or bounds, one that is not finite, clusters of another length, or a bad level.
    """
    values = numbers(scores, "scores")
    limits = numbers(bounds, "bounds")
    codes, units = cluster_codes(clusters, values.size)
    if not 0 < level < 1:
        raise InvalidArgument(f"level is {level!r}; it must lie between 0 and 1, as 0.95 does.")
    mean = float(values.mean())
    distance = float(abs(limits - mean).min())
    if distance <= TOLERANCE or units == 1:
        return None
    z = NormalDist().inv_cdf((1 + level) / 2)
    needed = z**2 * _variance_of_mean(values, codes, units) * values.size / distance**2
    return max(0, math.floor(needed) + 1 - values.size)


def interval(
    estimate: float,
    bounds: tuple[float, float] | None,
    *,
    level: float,
    n: int,
    clusters: int,
    method: IntervalMethod = "percentile",
) -> Interval:
    """An `Interval` from its parts, where ``bounds`` may be unknown."""
    low, high = bounds if bounds is not None else (None, None)
    return Interval(
        estimate=estimate, low=low, high=high, level=level, n=n, clusters=clusters, method=method
    )


def _variance_of_mean(values: Floats, codes: Integers, units: int) -> float:
    residuals = np.bincount(codes, weights=values - values.mean(), minlength=units)
    return float((residuals**2).sum()) * units / (units - 1) / values.size**2
