"""Where to cut scores into passed and not passed, so that they agree with people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from rft_widgets.errors import InvalidArgument
from rft_widgets.statistics._inputs import (
    TOLERANCE,
    Booleans,
    Clusters,
    Floats,
    Integers,
    Numbers,
    cluster_codes,
    numbers,
    same_length,
)
from rft_widgets.statistics._resampling import (
    check_resampling,
    renumbered_by_content,
    resampled_counts,
)
from rft_widgets.statistics.few import Confusion, confusion
from rft_widgets.statistics.intervals import Interval, interval


class FittedThreshold(Struct, frozen=True, kw_only=True):
    """The cut that agrees best with people.

    Attributes
    ----------
    cut
        Scores from it on pass. Its interval holds the cuts that resamples choose, each with all of
        the gap between two scores that it lies in.
    kappa
        Cohen's kappa on the labels that it was chosen on: flattered by that.
    tried
        What cuts come to on labels that they were not chosen on (cross-validation).
    passed
        For each score whether it passed there.
    """

    cut: Interval
    kappa: float
    tried: Confusion
    passed: tuple[bool, ...]


def fit_threshold(
    scores: Numbers,
    human: Sequence[bool],
    clusters: Clusters | None = None,
    *,
    prefer: float = 0.5,
    folds: int = 10,
    level: float = 0.95,
    samples: int = 1000,
    seed: int = 0,
) -> FittedThreshold | None:
    """Find the cut with the largest Cohen's kappa (MaxKappa: Freeman & Moisen 2008).

    Cuts lie midway between neighbouring scores, so that both sides hold answers; of cuts that are
    equally good, the one nearest to ``prefer`` is taken. The largest of many kappas flatters:
    so whole clusters are left out in turn, in ``folds`` parts, and their scores are cut where the
    others say (cross-validation, Stone 1974).

    Parameters
    ----------
    scores
        n >= 2 finite scores.
    human
        Whether people passed each answer.
    clusters, level, samples, seed
        As for `bootstrap_mean`.
    prefer
        The cut in use.
    folds
        Parts, >= 2; no more than there are clusters.

    Returns
    -------
    ``None`` where there is nothing to choose: all scores are equal, all answers have one label, or
    there are fewer than two clusters.

    Raises
    ------
    InvalidArgument
        Lengths differ, a score is not finite, or an option is out of range.
    """
    values = numbers(scores, "scores")
    same_length(human, values.size, "human")
    if folds < 2:
        raise InvalidArgument(f"folds is {folds}; it must be at least 2.")
    check_resampling(level, samples)
    passed = np.asarray(human, dtype=bool)
    codes, units = cluster_codes(clusters, values.size)
    cuts = _Cuts(values, passed, prefer)
    if units < 2 or not cuts.middles.size or passed.all() or not passed.any():
        return None
    codes = renumbered_by_content(
        np.column_stack((values, passed, values * passed, np.ones_like(values))), codes, units
    )
    place, kappa = cuts.best(np.ones((1, values.size)))
    chosen = np.concatenate(
        [
            cuts.best(counts[:, codes])[0]
            for counts in resampled_counts(units, samples, seed, width=values.size)
        ]
    )
    tail = 100 * (1 - level) / 2
    low = min(float(np.percentile(cuts.below[chosen], tail)), float(cuts.below[place[0]]))
    high = max(float(np.percentile(cuts.above[chosen], 100 - tail)), float(cuts.above[place[0]]))
    verdicts = _left_out(cuts, codes, units, min(folds, units), seed)
    estimate = float(cuts.middles[place[0]])
    return FittedThreshold(
        cut=interval(estimate, (low, high), level=level, n=values.size, clusters=units),
        kappa=float(kappa[0]),
        tried=confusion(
            verdicts.astype(int), passed.astype(int), codes, labels=(0, 1), level=level, seed=seed
        ),
        passed=tuple(bool(one) for one in verdicts),
    )


class _Cuts:
    """Every cut between two neighbouring scores, and its kappa under weights of the answers."""

    def __init__(self, values: Floats, passed: Booleans, prefer: float) -> None:
        self.values, self._passed = values, passed
        self._order = np.argsort(values, kind="stable")
        ordered = values[self._order]
        self._ends = np.flatnonzero(np.diff(ordered) > TOLERANCE)
        """Place of the last score below each cut, in the order of the scores."""
        self.below: Floats = ordered[self._ends]
        self.above: Floats = ordered[self._ends + 1]
        self.middles: Floats = (self.below + self.above) / 2
        # The first of equals is taken, so that the nearest to the preferred one comes first.
        self._preference = np.argsort(abs(self.middles - prefer), kind="stable")

    def best(self, weights: Floats) -> tuple[Integers, Floats]:
        """The best cut for each row of weights (rows, n): its place among them, and its kappa."""
        ordered = weights[:, self._order]
        below = ordered.cumsum(axis=1)[:, self._ends]
        good_below = (ordered * self._passed[self._order]).cumsum(axis=1)[:, self._ends]
        total = weights.sum(axis=1, keepdims=True)
        good = (weights * self._passed).sum(axis=1, keepdims=True)
        agreed = (below - good_below) + (good - good_below)
        chance = (below * (total - good) + (total - below) * good) / total
        room = total - chance
        kappa = np.divide(agreed - chance, room, out=np.zeros_like(room), where=room > TOLERANCE)
        # Rounded: equal kappas that differ by the order of summing are equal.
        ranked = np.round(kappa, 12)[:, self._preference]
        first = ranked.argmax(axis=1)
        return self._preference[first], ranked[np.arange(len(first)), first]


def _left_out(cuts: _Cuts, codes: Integers, units: int, folds: int, seed: int) -> Booleans:
    """Whether each score passes the cut that the other parts choose."""
    part_of_unit = np.random.default_rng((seed, 2)).permutation(units) % folds
    part = part_of_unit[codes]
    weights = (part[None, :] != np.arange(folds)[:, None]).astype(np.float64)
    places, _ = cuts.best(weights)
    verdicts: Booleans = cuts.values >= cuts.middles[places][part] - TOLERANCE
    return verdicts
