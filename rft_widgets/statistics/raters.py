"""Whether a grader says what people say."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Literal, TypeAlias

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
from rft_widgets.statistics._resampling import (
    check_resampling,
    percentile_bounds,
    renumbered_by_content,
    resampled_counts,
    resampled_totals,
)
from rft_widgets.statistics.intervals import Interval, interval

KappaWeights: TypeAlias = Literal["linear", "quadratic"]


MAX_LABELS = 200
"""Different labels above which they are taken for continuous scores, and refused."""


class AgreementReport(Struct, frozen=True, kw_only=True):
    """A grader against people, and against a grader that always gives one answer."""

    agreement: Interval
    """Share of the ratings on which both agree."""
    kappa: Interval
    """Cohen's kappa: 0 is what chance gives, 1 is perfect; see `cohen_kappa`."""
    base_rate: Interval
    """Share of the human ratings that are ``positive``."""
    constant_baseline: Interval
    """Agreement of a grader that always says ``constant_label``; the one to beat."""
    positive: Any
    """The label that the base rate counts."""
    constant_label: Any
    """The label that people gave most often."""
    n: int
    clusters: int


def agreement(a: Labels, b: Labels) -> float:
    """Share of the positions at which ``a`` and ``b`` (n >= 1 labels each) are equal, 0..1.

    Raises
    ------
    InvalidArgument
        The two differ in length, are empty, or miss a label.
    """
    first, second = _pair_of_lists(a, b, ("a", "b"))
    return sum(x == y for x, y in zip(first, second, strict=True)) / len(first)


def cohen_kappa(
    a: Labels,
    b: Labels,
    *,
    weights: KappaWeights | None = None,
    labels: Sequence[Hashable] | None = None,
) -> float:
    """Agreement of two raters beyond chance (Cohen 1960; weighted: Cohen 1968).

    One minus the ratio of observed to expected disagreement. Disagreement of two labels is 1, or,
    with ``weights``, their distance in the order of the labels ("linear") or its square
    ("quadratic"). A rater that always gives one label agrees exactly as often as chance does: kappa
    is 0.0, also where both always give the same label and the ratio would be 0/0.

    Parameters
    ----------
    a, b
        n >= 1 labels each, hashable and not missing; 1, 1.0 and True are one label.
    weights
        How much two different labels disagree; None: all alike.
    labels
        All labels in their order. Default: those that occur, sorted. Give it where a scale has
        steps that do not occur, as they widen distances.

    Returns
    -------
    -1..1; below 0 the raters agree less than by chance.

    Raises
    ------
    InvalidArgument
        Lengths differ, there are no labels, one is missing or not in ``labels``, labels have no
        order though ``weights`` need one, there are more than 200 labels (then they are
        scores), or ``weights`` are unknown.
    """
    cells = _Cells(*_pair_of_lists(a, b, ("a", "b")), weights, labels)
    return float(cells.kappa(cells.counts[None, :])[0])


def agreement_report(
    grader: Labels,
    human: Labels,
    clusters: Clusters | None = None,
    *,
    weights: KappaWeights | None = None,
    labels: Sequence[Hashable] | None = None,
    positive: Hashable | None = None,
    level: float = 0.95,
    samples: int = 2000,
    seed: int = 0,
) -> AgreementReport:
    """Agreement, kappa, base rate and constant-rater baseline, each with a bootstrap interval.

    All intervals are percentile intervals of the same resamples of whole clusters.

    Parameters
    ----------
    grader, human
        n >= 1 labels each. Continuous scores are no labels: compare them with `spearman`, or cut
        them into passed and failed first.
    clusters, level, samples, seed
        As for `bootstrap_mean`.
    weights, labels
        As for `cohen_kappa`.
    positive
        The label whose share of the human ratings is the base rate. Default: the last in order,
        which is 1 of 0 and 1, and True of False and True.

    Raises
    ------
    InvalidArgument
        As for `cohen_kappa` and `bootstrap_mean`, or ``positive`` is not a label.
    """
    cells = _Cells(*_pair_of_lists(grader, human, ("grader", "human")), weights, labels)
    codes, units = cluster_codes(clusters, len(cells.cell_of))
    check_resampling(level, samples)
    human_counts = np.bincount(cells.pairs[:, 1], cells.counts, minlength=len(cells.labels))
    constant = int(np.argmax(human_counts))
    counted = len(cells.labels) - 1 if positive is None else cells.index(positive, "positive")
    totals = cells.resampled(codes, units, samples, seed) if units > 1 else None

    def with_interval(statistic: Any) -> Interval:
        bounds = None if totals is None else percentile_bounds(statistic(totals), level)
        return interval(
            float(statistic(cells.counts[None, :])[0]),
            bounds,
            level=level,
            n=len(codes),
            clusters=units,
        )

    return AgreementReport(
        agreement=with_interval(cells.agreement),
        kappa=with_interval(cells.kappa),
        base_rate=with_interval(lambda counts: cells.second_share(counts, counted)),
        constant_baseline=with_interval(lambda counts: cells.second_share(counts, constant)),
        positive=cells.labels[counted],
        constant_label=cells.labels[constant],
        n=len(codes),
        clusters=units,
    )


def spearman(
    a: Numbers,
    b: Numbers,
    clusters: Clusters | None = None,
    *,
    level: float = 0.95,
    samples: int = 2000,
    seed: int = 0,
) -> Interval | None:
    """Spearman's rank correlation with a percentile interval from resampled clusters.

    Ties (values equal to 9 decimals) have the mean of their ranks, in the data and again in each
    resample. Resamples in which a side is constant have no correlation; where they are more than
    (1 - level) / 2 of all, the bounds are None.

    Parameters
    ----------
    a, b
        n >= 1 finite scores each.
    clusters, level, samples, seed
        As for `bootstrap_mean`.

    Returns
    -------
    The correlation, -1..1, or None where ``a`` or ``b`` is constant: then there is none.

    Raises
    ------
    InvalidArgument
        Lengths differ, or as for `bootstrap_mean`.
    """
    first, second = numbers(a, "a"), numbers(b, "b")
    same_length(second, first.size, "b")
    check_resampling(level, samples)
    codes, units = cluster_codes(clusters, first.size)
    ranks = _Ranks(first), _Ranks(second)
    estimate = float(_rank_correlation(np.ones((1, first.size)), *ranks)[0])
    if np.isnan(estimate):
        return None
    bounds = None
    if units > 1:
        columns = np.column_stack((first, second, first * second, np.ones_like(first)))
        codes = renumbered_by_content(columns, codes, units)
        replicates = np.concatenate(
            [
                _rank_correlation(counts[:, codes], *ranks)
                for counts in resampled_counts(units, samples, seed, width=first.size)
            ]
        )
        bounds = percentile_bounds(replicates, level)
    return interval(estimate, bounds, level=level, n=first.size, clusters=units)


class _Cells:
    """The cells of two raters' confusion matrix that occur, and statistics of their counts."""

    def __init__(
        self,
        first: list[Hashable],
        second: list[Hashable],
        weights: KappaWeights | None,
        labels: Sequence[Hashable] | None,
    ) -> None:
        self.labels = _label_order({*first, *second}, labels, weights)
        self._index = {label: i for i, label in enumerate(self.labels)}
        codes = np.array([[self.index(x, "label") for x in side] for side in (first, second)]).T
        self.pairs, cell_of = np.unique(codes, axis=0, return_inverse=True)
        self.cell_of: Integers = cell_of.reshape(-1)
        """Cell of each position."""
        self.counts: Floats = np.bincount(self.cell_of).astype(np.float64)
        """Positions in each cell."""
        distance = abs(np.subtract.outer(np.arange(len(self.labels)), np.arange(len(self.labels))))
        self._cost = {None: distance > 0, "linear": distance, "quadratic": distance**2}[
            weights
        ].astype(np.float64)

    def resampled(self, codes: Integers, units: int, samples: int, seed: int) -> Floats:
        """Counts of the cells in each resample of the clusters; shape (samples, cells)."""
        if units == len(codes):
            rng = np.random.default_rng(seed)
            drawn = rng.multinomial(units, self.counts / units, size=samples)
            return drawn.astype(np.float64)
        places = codes * len(self.counts) + self.cell_of
        sums = np.bincount(places, minlength=units * len(self.counts)).reshape(units, -1)
        return resampled_totals(sums.astype(np.float64), samples, seed)

    def index(self, label: Hashable, name: str) -> int:
        if label not in self._index:
            raise InvalidArgument(f"{name} {label!r} is not one of {self.labels!r}.")
        return self._index[label]

    def agreement(self, counts: Floats) -> Floats:
        equal = self.pairs[:, 0] == self.pairs[:, 1]
        return self._share(counts, equal)

    def second_share(self, counts: Floats, label: int) -> Floats:
        return self._share(counts, self.pairs[:, 1] == label)

    def kappa(self, counts: Floats) -> Floats:
        # Counts are whole numbers, so that a constant rater's 0 comes out exactly.
        observed = counts @ self._cost[self.pairs[:, 0], self.pairs[:, 1]]
        sides = [counts @ np.eye(len(self.labels))[self.pairs[:, side]] for side in (0, 1)]
        expected: Floats = (sides[0] @ self._cost * sides[1]).sum(axis=1) / counts.sum(axis=1)
        ratio: Floats = np.divide(
            observed, expected, out=np.ones_like(expected), where=expected > 0
        )
        return 1 - ratio

    @staticmethod
    def _share(counts: Floats, cells: Any) -> Floats:
        share: Floats = (counts @ cells.astype(np.float64)) / counts.sum(axis=1)
        return share


class _Ranks:
    """The order of n values, with their ties."""

    def __init__(self, values: Floats) -> None:
        distinct, code_of = np.unique(np.round(values, 9), return_inverse=True)
        self.code_of: Integers = code_of.reshape(-1)
        self.order = np.argsort(self.code_of, kind="stable")
        self.starts = np.searchsorted(self.code_of[self.order], np.arange(len(distinct)))


def _rank_correlation(counts: Floats, a: _Ranks, b: _Ranks) -> Floats:
    """Spearman's correlation where position i occurs ``counts[:, i]`` times; NaN if undefined."""
    centred, variances = [], []
    for ranks in (a, b):
        mass = np.add.reduceat(counts[:, ranks.order], ranks.starts, axis=1)
        middle = mass.cumsum(axis=1) - mass / 2 - counts.sum(axis=1, keepdims=True) / 2
        centred.append(middle[:, ranks.code_of])
        variances.append((mass * middle**2).sum(axis=1))
    covariance = (counts * centred[0] * centred[1]).sum(axis=1)
    scale = np.sqrt(variances[0] * variances[1])
    undefined = np.full_like(scale, np.nan)
    correlation: Floats = np.divide(covariance, scale, out=undefined, where=scale > 0)
    return correlation.clip(-1, 1)


def _pair_of_lists(
    a: Labels, b: Labels, names: tuple[str, str]
) -> tuple[list[Hashable], list[Hashable]]:
    first, second = label_list(a, names[0]), label_list(b, names[1])
    same_length(second, len(first), names[1])
    return first, second


def _label_order(
    seen: set[Hashable], labels: Sequence[Hashable] | None, weights: KappaWeights | None
) -> list[Hashable]:
    if weights not in {None, "linear", "quadratic"}:
        raise InvalidArgument(f"weights is {weights!r}; it must be None, 'linear' or 'quadratic'.")
    if labels is not None:
        given = label_list(labels, "labels")
        if len(set(given)) != len(given):
            raise InvalidArgument("labels names a label twice.")
        return given
    if len(seen) > MAX_LABELS:
        raise InvalidArgument(
            f"There are {len(seen)} different labels; these look like scores.",
            hint="Compare scores with spearman, or cut them into passed and failed first.",
        )
    try:
        return sorted(seen)  # type: ignore[type-var]
    except TypeError:
        if weights is not None:
            raise InvalidArgument(
                "The labels have no order, which weights need.", hint="Give them as labels=[...]."
            ) from None
    return sorted(seen, key=repr)
