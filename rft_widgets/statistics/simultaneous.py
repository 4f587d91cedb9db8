"""Several systems on the same records: all differences at once, with intervals that hold together.

Whoever looks at many differences, or picks the best of several systems and then asks how much
better it is, sees differences that chance made. The intervals here hold all true differences at
once with the probability ``level``, so that any of them may be picked after looking.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from rft_widgets.errors import InvalidArgument
from rft_widgets.statistics._inputs import TOLERANCE, Clusters, Floats, cluster_codes, same_length
from rft_widgets.statistics._resampling import (
    check_resampling,
    resampled_totals,
    sign_flip_p_value,
    unit_sums,
)
from rft_widgets.statistics.comparison import Verdict, holm
from rft_widgets.statistics.intervals import Interval, interval

FEWEST_CHANGED = 6
"""Clusters that have to differ for an interval: of fewer, even one direction throughout may be
chance."""


class JointDifference(Struct, frozen=True, kw_only=True):
    """One of several differences that are judged together.

    Attributes
    ----------
    before_mean, after_mean
        Over the records that have both scores.
    difference
        Mean of after - before; its bounds hold together with those of the others. They are ``None``
        where too few clusters differ, or where they would reach further than any cluster does.
    p_value, adjusted_p_value
        Two-sided, of a sign-flip test on the clusters' sums; the second takes into account how
        many differences are judged (Holm).
    verdict
        Needs an interval on one side of 0, and an adjusted p-value below 1 - level.
    changed
        Clusters of which the two scores differ.
    """

    before_mean: float
    after_mean: float
    difference: Interval
    p_value: float
    adjusted_p_value: float
    verdict: Verdict
    n: int
    clusters: int
    changed: int


def joint_differences(
    scores: Sequence[Sequence[float | None]],
    pairs: Sequence[tuple[int, int]],
    clusters: Clusters | None = None,
    *,
    level: float = 0.95,
    samples: int = 10_000,
    permutations: int = 9_999,
    seed: int = 0,
) -> list[JointDifference | None]:
    """Compare pairs of several systems that were scored on the same records.

    The intervals are balanced simultaneous ones of the studentised bootstrap (Beran 1988): in each
    resample of whole clusters, every difference is divided by its own standard error and ranked
    among those of its pair, and the largest of these ranks is kept. The rank that is not passed in
    a share ``level`` of the resamples says how far each interval reaches. So they heed how the
    differences depend on each other, which intervals of Bonferroni do not, and are narrower; and
    a pair with few changes widens its own interval alone.

    Parameters
    ----------
    scores
        Scores of each system, each as long as there are records; ``None`` where there is none.
    pairs
        Which are compared: places of two systems, before and after.
    clusters, level, samples, seed
        As for `bootstrap_mean`.
    permutations
        As for `paired_difference`.

    Returns
    -------
    One for each pair, ``None`` where no record has both scores.

    Raises
    ------
    InvalidArgument
        Lengths differ, a score is not finite, or as for `bootstrap_mean`.
    """
    table = _table(scores)
    codes, units = cluster_codes(clusters, table.shape[1])
    check_resampling(level, samples)
    before = table[[one for one, _ in pairs]] if pairs else table[:0]
    after = table[[other for _, other in pairs]] if pairs else table[:0]
    weights = np.isfinite(before) & np.isfinite(after)
    change = np.where(weights, after - before, 0.0)
    sums = unit_sums(change.T, codes, units)
    counts = unit_sums(weights.T.astype(np.float64), codes, units)
    changed = (abs(sums) > TOLERANCE).sum(axis=0)
    is_known = [bool(row.any()) for row in weights]
    judged = np.flatnonzero(changed >= FEWEST_CHANGED)
    half = np.full(len(pairs), np.nan)
    if judged.size:
        half[judged] = _half_widths(sums[:, judged], counts[:, judged], level, samples, seed)
        with np.errstate(invalid="ignore"):
            largest = np.nanmax(abs(sums[:, judged] / counts[:, judged]), axis=0)
        # One that reaches further than any cluster does says nothing.
        half[judged] = np.where(half[judged] <= largest, half[judged], np.nan)
    p_values = [sign_flip_p_value(sums[:, at], permutations, seed) for at in range(len(pairs))]
    adjusted = iter(holm([p for p, known in zip(p_values, is_known, strict=True) if known]))
    return [
        _difference(
            before[at][weights[at]],
            after[at][weights[at]],
            half=float(half[at]),
            p_value=p_values[at],
            adjusted=next(adjusted),
            level=level,
            clusters=int((counts[:, at] > 0).sum()),
            changed=int(changed[at]),
        )
        if is_known[at]
        else None
        for at in range(len(pairs))
    ]


def _table(scores: Sequence[Sequence[float | None]]) -> Floats:
    """Scores as an array of systems by records; NaN where there is none."""
    if not scores:
        raise InvalidArgument("There are no scores to compare.")
    for place, row in enumerate(scores):
        same_length(row, len(scores[0]), f"scores[{place}]")
    table = np.array([[np.nan if one is None else one for one in row] for row in scores], float)
    given = np.array([[one is not None for one in row] for row in scores], bool)
    if table.shape[1] == 0 or not np.isfinite(table[given]).all():
        raise InvalidArgument(
            "Scores must be finite numbers, and there must be at least one record.",
            hint="Pass None for a grading that failed.",
        )
    return table


def _half_widths(sums: Floats, counts: Floats, level: float, samples: int, seed: int) -> Floats:
    """How far each interval reaches to either side, (pairs,)."""
    columns = np.hstack((sums, counts, sums**2, sums * counts, counts**2))
    width = sums.shape[1]
    units = (counts > 0).sum(axis=0)
    estimate, errors = _estimates(columns.sum(axis=0)[None], width, units)
    found, spread = _estimates(resampled_totals(columns, samples, seed), width, units)
    off = abs(found - estimate)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(off > TOLERANCE, off / spread, 0.0)
    t[np.isnan(t)] = np.inf  # a resample without any record of a pair says nothing of it
    ordered = np.sort(t, axis=0)
    # Where each t stands among those of its own pair: so no pair decides for the others.
    ranks = np.empty_like(t)
    for pair in range(width):
        ranks[:, pair] = np.searchsorted(ordered[:, pair], t[:, pair])
    rank = int(np.quantile(ranks.max(axis=1), level, method="higher"))
    reach: Floats = ordered[rank] * errors[0]
    return reach


def _estimates(totals: Floats, width: int, units: Floats) -> tuple[Floats, Floats]:
    """Ratio means and their standard errors under cluster sampling, from sums over clusters."""
    x, w, xx, xw, ww = (totals[:, at * width : (at + 1) * width] for at in range(5))
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = x / w
        squares = np.maximum(xx - 2 * mean * xw + mean**2 * ww, 0.0)
        squares[squares <= TOLERANCE * xx] = 0.0  # what is left of equal sums is rounding
        return mean, np.sqrt(squares * units / (units - 1)) / w


def _difference(
    before: Floats,
    after: Floats,
    *,
    half: float,
    p_value: float,
    adjusted: float,
    level: float,
    clusters: int,
    changed: int,
) -> JointDifference:
    estimate = float((after - before).mean())
    is_clear = adjusted < 1 - level
    # Changes that are all alike have no spread to say how sure they are; few of them say nothing.
    is_told = np.isfinite(half) and (half > TOLERANCE or is_clear)
    bounds = (estimate - half, estimate + half) if is_told else None
    verdict: Verdict = "no_clear_change"
    if bounds is not None and is_clear:
        verdict = "improved" if bounds[0] > 0 else "regressed" if bounds[1] < 0 else verdict
    return JointDifference(
        before_mean=float(before.mean()),
        after_mean=float(after.mean()),
        difference=interval(
            estimate, bounds, level=level, n=before.size, clusters=clusters, method="max_t"
        ),
        p_value=p_value,
        adjusted_p_value=adjusted,
        verdict=verdict,
        n=before.size,
        clusters=clusters,
        changed=changed,
    )
