"""Shares and kappas of few ratings, with intervals that do not flatter.

Resampling what was seen never shows what was not: a grader that agrees on 50 of 50 answers would
have an interval of no width, and from 50 answers the interval of a kappa holds the truth in 73 to
93 of 100 cases instead of 95. So the weights of the answers are drawn, not the answers (the
Bayesian bootstrap, Rubin 1981), and two pseudo-answers spread over all cells stand for what was not
seen. For a share that is Jeffreys' interval, which covers the truth as it should down to a few
answers (Brown, Cai & DasGupta 2001).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeAlias

import numpy as np
from msgspec import Struct

from rft_widgets.errors import InvalidArgument
from rft_widgets.statistics._inputs import (
    Clusters,
    Floats,
    Integers,
    Labels,
    Numbers,
    cluster_codes,
    label_list,
    numbers,
    same_length,
)
from rft_widgets.statistics._resampling import BLOCK, check_resampling, order_of_rows, unit_sums
from rft_widgets.statistics.intervals import Interval, interval
from rft_widgets.statistics.raters import KappaWeights

PSEUDO_ANSWERS = 2.0
"""Pseudo-answers in all: a half in each of four cells, as Jeffreys' prior has it for two."""

Statistic: TypeAlias = Callable[[Floats], Floats]
"""From counts of cells (rows, cells) to a value a row."""


class Confusion(Struct, frozen=True, kw_only=True):
    """Two raters' labels of the same answers.

    Attributes
    ----------
    agreement
        Share of the answers on which both agree.
    kappa
        Agreement beyond chance; see `cohen_kappa`.
    base_rate
        Share of the answers to which the second rater (people) gave the last label.
    constant_baseline
        Agreement of a rater that always says ``constant_label``.
    gain
        ``agreement`` less ``constant_baseline``: above 0 the first rater knows more than what is
        usual.
    recall
        For each label the share of the answers so labelled by the second rater that the first
        labels so, too; ``None`` where there is none.
    constant_label
        Place in ``labels`` of what the second rater said most often.
    """

    agreement: Interval
    kappa: Interval
    base_rate: Interval
    constant_baseline: Interval
    gain: Interval
    recall: tuple[Interval | None, ...]
    constant_label: int
    n: int
    clusters: int


def confusion(
    first: Labels,
    second: Labels,
    clusters: Clusters | None = None,
    *,
    labels: Sequence[Hashable],
    weights: KappaWeights | None = None,
    level: float = 0.95,
    samples: int = 2000,
    seed: int = 0,
) -> Confusion:
    """Compare two raters, with intervals that hold for few answers.

    Parameters
    ----------
    first, second
        n >= 1 labels each: what a grader says, and what people say.
    clusters, level, samples, seed
        As for `bootstrap_mean`. Whole clusters have one weight.
    labels
        All labels in their order, at least two.
    weights
        As for `cohen_kappa`; of kappa alone.

    Raises
    ------
    InvalidArgument
        Lengths differ, there is nothing, or a label is not one of ``labels``.
    """
    order = label_list(labels, "labels")
    if len(order) < 2 or len(set(order)) != len(order):
        raise InvalidArgument("labels must be at least two, each once.")
    kinds = len(order)
    rows, columns = _codes(first, order, "first"), _codes(second, order, "second")
    same_length(columns, len(rows), "second")
    cells = np.zeros((len(rows), kinds * kinds))
    cells[np.arange(len(rows)), rows * kinds + columns] = 1
    people = np.bincount(columns, minlength=kinds)
    constant = int(np.argmax(people))
    measure = _Measured(cells, clusters, level=level, samples=samples, seed=seed)
    kappa = _kappa(kinds, weights)

    def recall(kind: int) -> Interval | None:
        if people[kind] == 0:
            return None
        found = measure(
            lambda counts: counts[:, kind * kinds + kind] / counts[:, kind::kinds].sum(axis=1)
        )
        return interval(
            found.estimate, _bounds(found), level=level, n=int(people[kind]),
            clusters=found.clusters, method="bayesian",
        )  # fmt: skip

    return Confusion(
        agreement=measure(lambda counts: _share(counts, slice(0, None, kinds + 1))),
        kappa=measure(kappa),
        base_rate=measure(lambda counts: _share(counts, slice(kinds - 1, None, kinds))),
        constant_baseline=measure(lambda counts: _share(counts, slice(constant, None, kinds))),
        gain=measure(
            lambda counts: (
                _share(counts, slice(0, None, kinds + 1))
                - _share(counts, slice(constant, None, kinds))
            )
        ),
        recall=tuple(recall(kind) for kind in range(kinds)),
        constant_label=constant,
        n=len(rows),
        clusters=measure.units,
    )


def bounded_mean(
    values: Numbers,
    clusters: Clusters | None = None,
    *,
    low: float = 0.0,
    high: float = 1.0,
    level: float = 0.95,
    samples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Mean of values that cannot leave ``low..high``, with an interval that holds for few of them.

    One pseudo-answer at each end, each counting half: values that are all equal have an interval of
    some width, too.

    Parameters
    ----------
    values
        n >= 1 numbers in ``low..high``.
    clusters, level, samples, seed
        As for `bootstrap_mean`.

    Raises
    ------
    InvalidArgument
        A value is out of bounds, or as for `bootstrap_mean`.
    """
    array = numbers(values, "values")
    if high <= low or (array < low - 1e-9).any() or (array > high + 1e-9).any():
        raise InvalidArgument(f"values must lie in {low:g}..{high:g}.")
    place = ((array - low) / (high - low)).clip(0, 1)
    # Each value is shared out to the two ends, so that its mean is the share of the upper end.
    ends = np.column_stack((1 - place, place))
    measure = _Measured(
        ends, clusters, level=level, samples=samples, seed=seed, pseudo=PSEUDO_ANSWERS / 2
    )
    return measure(lambda counts: low + (high - low) * counts[:, 1] / counts.sum(axis=1))


class _Measured:
    """Statistics of counts of cells, and what they could as well be."""

    def __init__(
        self,
        cells: Floats,
        clusters: Clusters | None,
        *,
        level: float,
        samples: int,
        seed: int,
        pseudo: float = PSEUDO_ANSWERS,
    ) -> None:
        check_resampling(level, samples)
        codes, self.units = cluster_codes(clusters, len(cells))
        self._n, self._level = len(cells), level
        self._counts = cells.sum(axis=0, keepdims=True)
        sums = unit_sums(cells, codes, self.units)
        self._drawn = (
            _weighted(sums[order_of_rows(sums)], samples, seed, pseudo) if self.units > 1 else None
        )

    def __call__(self, statistic: Statistic) -> Interval:
        estimate = float(statistic(self._counts)[0])
        bounds = None
        if self._drawn is not None:
            tail = (1 - self._level) / 2
            low, high = np.quantile(statistic(self._drawn), (tail, 1 - tail))
            # What was seen is possible: pseudo-answers must not shut it out.
            bounds = min(float(low), estimate), max(float(high), estimate)
        return interval(
            estimate, bounds, level=self._level, n=self._n, clusters=self.units, method="bayesian"
        )


def _weighted(sums: Floats, samples: int, seed: int, pseudo: float) -> Floats:
    """Counts of cells with random weights of the units, (samples, cells)."""
    rng = np.random.default_rng(seed)
    units, cells = sums.shape
    drawn = np.empty((samples, cells))
    rows = max(1, BLOCK // units)
    for start in range(0, samples, rows):
        weights = rng.standard_exponential((min(rows, samples - start), units))
        drawn[start : start + rows] = weights @ sums
    drawn += rng.standard_gamma(pseudo / cells, (samples, cells))
    return drawn


def _kappa(kinds: int, weights: KappaWeights | None) -> Statistic:
    distance = abs(np.subtract.outer(np.arange(kinds), np.arange(kinds))).astype(np.float64)
    if weights not in {None, "linear", "quadratic"}:
        raise InvalidArgument(f"weights is {weights!r}; it must be None, 'linear' or 'quadratic'.")
    cost = {None: (distance > 0).astype(np.float64), "linear": distance, "quadratic": distance**2}[
        weights
    ]

    def kappa(counts: Floats) -> Floats:
        table = counts.reshape(-1, kinds, kinds)
        observed = (table * cost).sum(axis=(1, 2))
        expected: Floats = (table.sum(axis=2) @ cost * table.sum(axis=1)).sum(axis=1)
        expected /= counts.sum(axis=1)
        ratio: Floats = np.divide(
            observed, expected, out=np.ones_like(expected), where=expected > 0
        )
        return 1 - ratio

    return kappa


def _share(counts: Floats, cells: slice) -> Floats:
    share: Floats = counts[:, cells].sum(axis=1) / counts.sum(axis=1)
    return share


def _codes(side: Labels, order: list[Hashable], name: str) -> Integers:
    index = {label: place for place, label in enumerate(order)}
    found = label_list(side, name)
    for position, label in enumerate(found):
        if label not in index:
            raise InvalidArgument(f"{name}[{position}] is {label!r}, not one of {order!r}.")
    return np.array([index[label] for label in found], dtype=np.intp)


def _bounds(found: Interval) -> tuple[float, float] | None:
    if found.low is None or found.high is None:
        return None
    return found.low, found.high
