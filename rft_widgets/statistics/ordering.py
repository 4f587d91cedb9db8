"""Whether scores put what people passed above what they did not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rft_widgets.statistics._inputs import (
    Booleans,
    Clusters,
    Floats,
    Numbers,
    cluster_codes,
    numbers,
    same_length,
)
from rft_widgets.statistics._resampling import (
    BLOCK,
    check_resampling,
    renumbered_by_content,
)
from rft_widgets.statistics.few import PSEUDO_ANSWERS
from rft_widgets.statistics.intervals import Interval, interval


def ordering(
    scores: Numbers,
    passed: Sequence[bool],
    clusters: Clusters | None = None,
    *,
    level: float = 0.95,
    samples: int = 2000,
    seed: int = 0,
) -> Interval | None:
    """How often, of two answers of which people passed one, that one has the higher score.

    Equal scores count half. It is the area under the ROC curve (Hanley & McNeil 1982). Unlike a
    rank correlation with labels that know two values only, it is 1 for a perfect order whatever the
    share that passed. The interval is made as that of `confusion`: random weights of the clusters,
    and two pseudo-answers, one of either kind, that are no better than chance.

    Parameters
    ----------
    scores
        n >= 2 finite scores.
    passed
        Whether people passed each answer.
    clusters, level, samples, seed
        As for `bootstrap_mean`.

    Returns
    -------
    0..1, 0.5 for chance; ``None`` where people passed all or none.
    """
    values = numbers(scores, "scores")
    same_length(passed, values.size, "passed")
    check_resampling(level, samples)
    good = np.asarray(passed, dtype=bool)
    if good.all() or not good.any():
        return None
    codes, units = cluster_codes(clusters, values.size)
    order = _Order(values, good)
    estimate = float(order.area(np.ones((1, values.size)), np.zeros((1, 2)))[0])
    bounds = None
    if units > 1:
        codes = renumbered_by_content(
            np.column_stack((values, good, values * good, np.ones_like(values))), codes, units
        )
        rng = np.random.default_rng(seed)
        drawn = np.empty(samples)
        rows = max(1, BLOCK // values.size)
        for start in range(0, samples, rows):
            count = min(rows, samples - start)
            weights = rng.standard_exponential((count, units))[:, codes]
            pseudo = rng.standard_gamma(PSEUDO_ANSWERS / 4, (count, 2))
            drawn[start : start + count] = order.area(weights, pseudo)
        tail = (1 - level) / 2
        low, high = np.quantile(drawn, (tail, 1 - tail))
        bounds = min(float(low), estimate), max(float(high), estimate)
    return interval(estimate, bounds, level=level, n=values.size, clusters=units, method="bayesian")


class _Order:
    """The order of the scores, with their ties."""

    def __init__(self, values: Floats, good: Booleans) -> None:
        distinct, code_of = np.unique(np.round(values, 9), return_inverse=True)
        self._order = np.argsort(code_of.reshape(-1), kind="stable")
        self._starts = np.searchsorted(code_of.reshape(-1)[self._order], np.arange(len(distinct)))
        self._good = good

    def area(self, weights: Floats, pseudo: Floats) -> Floats:
        """The area for each row of weights (rows, n), with pseudo-answers passed and not."""
        up = np.add.reduceat((weights * self._good)[:, self._order], self._starts, axis=1)
        down = np.add.reduceat((weights * ~self._good)[:, self._order], self._starts, axis=1)
        won = (up * (down.cumsum(axis=1) - down / 2)).sum(axis=1)
        ups, downs = up.sum(axis=1), down.sum(axis=1)
        more, less = pseudo[:, 0], pseudo[:, 1]
        won += (more * downs + less * ups + more * less) / 2
        area: Floats = won / ((ups + more) * (downs + less))
        return area
