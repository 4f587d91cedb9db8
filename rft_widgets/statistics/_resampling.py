"""Drawing units again with replacement, and reading intervals off what comes out.

A unit is what is independent of the others: a score, or a whole cluster of scores. A statistic that
is a function of sums needs only each unit's addends (``columns``); a resample of all units is then
one row of counts, and all resamples are matrix products.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import NormalDist

import numpy as np

from rft_widgets.errors import InvalidArgument
from rft_widgets.statistics._inputs import TOLERANCE, Floats, Integers

BLOCK = 500_000
"""Counts that are held at a time, so that memory does not grow with the number of resamples."""
ROUNDING = 1e-12
"""Relative difference below which two sums of the same numbers are equal."""
MOST_ENUMERATED = 16
"""Units whose sign patterns may all be held in memory at once."""


def check_resampling(level: float, samples: int) -> None:
    """Refuse a level outside (0, 1), and too few resamples to have its percentiles."""
    if not 0 < level < 1:
        raise InvalidArgument(f"level is {level!r}; it must lie between 0 and 1, as 0.95 does.")
    fewest = math.ceil(round(2 / (1 - level), 6))
    if samples < fewest:
        raise InvalidArgument(
            f"samples is {samples}; an interval at level {level} needs at least {fewest}."
        )


def unit_sums(columns: Floats, codes: Integers, units: int) -> Floats:
    """Sum ``columns`` (n, c) over the scores of each unit; shape (units, c)."""
    if units == len(codes):
        return columns
    sums = np.empty((units, columns.shape[1]))
    for column in range(columns.shape[1]):
        sums[:, column] = np.bincount(codes, weights=columns[:, column], minlength=units)
    return sums


def resampled_counts(units: int, samples: int, seed: int, *, width: int = 1) -> Iterator[Floats]:
    """How often each unit is drawn in each resample, in blocks of shape (rows, units).

    Each row sums to ``units``; the blocks have ``samples`` rows in all, and few enough each that a
    caller can hold ``width`` numbers a row.
    """
    rng = np.random.default_rng(seed)
    rows = max(1, BLOCK // max(units, width))
    for start in range(0, samples, rows):
        count = min(rows, samples - start)
        drawn = rng.integers(0, units, size=(count, units))
        drawn += np.arange(count)[:, None] * units
        counts = np.bincount(drawn.ravel(), minlength=count * units)
        yield counts.reshape(count, units).astype(np.float64)


def resampled_totals(sums: Floats, samples: int, seed: int) -> Floats:
    """Totals of the columns of ``sums`` (units, c) in each resample; shape (samples, c).

    Units are put in order of their values first, so that the order of records does not matter.
    """
    ordered = sums[order_of_rows(sums)]
    return np.concatenate(
        [counts @ ordered for counts in resampled_counts(len(ordered), samples, seed)]
    )


def order_of_rows(sums: Floats) -> Integers:
    """The order that sorts rows by their columns, up to what summing in another order changes."""
    return np.lexsort(np.round(sums, 9).T[::-1])


def renumbered_by_content(columns: Floats, codes: Integers, units: int) -> Integers:
    """``codes`` with the units numbered by the sums of their ``columns`` (n, c).

    So random numbers go to units by what they hold, not by when they came.
    """
    number = np.empty(units, dtype=np.intp)
    number[order_of_rows(unit_sums(columns, codes, units))] = np.arange(units)
    renumbered: Integers = number[codes]
    return renumbered


def percentile_bounds(replicates: Floats, level: float) -> tuple[float, float] | None:
    """Percentile interval (Efron 1979) of a statistic from its ``replicates`` (samples,).

    A replicate in which the statistic is undefined is NaN. They are left out while they are too few
    to move a bound, which is up to (1 - level) / 2 of them; above that there is no interval.
    """
    defined = replicates[np.isfinite(replicates)]
    tail = (1 - level) / 2
    if defined.size < (1 - tail) * replicates.size:
        return None
    low, high = np.quantile(defined, (tail, 1 - tail))
    return float(low), float(high)


def bca_bounds(
    replicates: Floats, estimate: float, influence: Floats, level: float
) -> tuple[float, float] | None:
    """Bias-corrected and accelerated interval (Efron 1987), or None where it is not defined.

    Parameters
    ----------
    replicates
        The statistic in each resample, (samples,).
    estimate
        The statistic of the data.
    influence
        Mean of the leave-one-out statistics minus each of them, (units,), up to a positive factor.
    level
        Coverage, in (0, 1).
    """
    normal = NormalDist()
    spread = float((influence**2).sum())
    below = float((replicates < estimate - TOLERANCE).mean())
    below = (below + float((replicates <= estimate + TOLERANCE).mean())) / 2
    if spread == 0 or not 0 < below < 1:
        return None
    bias = normal.inv_cdf(below)
    acceleration = float((influence**3).sum()) / (6 * spread**1.5)
    shares = []
    for tail in ((1 - level) / 2, (1 + level) / 2):
        shifted = bias + normal.inv_cdf(tail)
        if acceleration * shifted >= 1:
            return None
        shares.append(normal.cdf(bias + shifted / (1 - acceleration * shifted)))
    low, high = np.quantile(replicates, shares)
    return float(low), float(high)


def sign_flip_p_value(sums: Floats, permutations: int, seed: int) -> float:
    """Two-sided p-value that ``sums`` (units,) are as likely to have either sign.

    Exact where there are no more sign patterns than ``permutations`` + 1 (and 65,536); else by
    random patterns, the observed one counted among them (Phipson & Smyth 2010).
    """
    moved = np.sort(sums[abs(sums) > TOLERANCE])
    observed = abs(float(moved.sum())) - ROUNDING * float(abs(moved).sum())
    units = len(moved)
    if units <= MOST_ENUMERATED and 2**units <= permutations + 1:
        patterns = (np.arange(2**units)[:, None] >> np.arange(units)) & 1
        return float((abs((2.0 * patterns - 1) @ moved) >= observed).mean())
    rng = np.random.default_rng((seed, 1))
    rows = max(1, BLOCK // units)
    as_extreme = 1
    for start in range(0, permutations, rows):
        shape = (min(rows, permutations - start), units)
        kept = rng.integers(0, 2, size=shape, dtype=np.int8).astype(np.float64)
        as_extreme += int((abs(2 * (kept @ moved) - moved.sum()) >= observed).sum())
    return as_extreme / (permutations + 1)
