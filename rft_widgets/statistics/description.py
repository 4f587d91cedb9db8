"""The shape of a set of scores in a few numbers."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from rft_widgets.statistics._inputs import TOLERANCE, Integers, Numbers, numbers

BIN_EDGES = tuple(i / 10 for i in range(11))


class Description(Struct, frozen=True, kw_only=True):
    """Distribution of ``n`` scores."""

    n: int
    mean: float
    std: float
    """Standard deviation of the population: divided by n."""
    minimum: float
    p10: float
    p25: float
    median: float
    p75: float
    p90: float
    maximum: float
    share_above_zero: float
    """Share (0..1) of the scores above 0."""
    share_one: float
    """Share (0..1) of the scores equal to 1."""
    most_common: float
    """The score that occurs most often; the lowest of them where several do."""
    most_common_share: float
    """Share (0..1) of the scores equal to ``most_common``."""
    histogram: tuple[int, ...]
    """Scores in [0, 0.1), [0.1, 0.2), ... [0.9, 1]; what lies outside counts in the outer bins."""
    outside: int
    """Scores below 0 or above 1."""


def describe(scores: Numbers) -> Description:
    """Describe the distribution of scores.

    Percentiles interpolate linearly between order statistics (Hyndman & Fan 1996, type 7). Scores
    within 1e-9 of 0, of 1 or of each other are taken as equal to it.

    Parameters
    ----------
    scores
        n >= 1 finite scores, normally in 0..1.

    Raises
    ------
    InvalidArgument
        There is no score, or one is not a finite number.
    """
    values = numbers(scores, "scores")
    n = values.size
    p10, p25, median, p75, p90 = (float(v) for v in np.percentile(values, (10, 25, 50, 75, 90)))
    distinct, counts = np.unique(np.round(values, 9), return_counts=True)
    top = int(np.argmax(counts))
    histogram = np.bincount(bins_of(values), minlength=10)
    return Description(
        n=n,
        mean=float(values.mean()),
        std=float(values.std()),
        minimum=float(values.min()),
        p10=p10,
        p25=p25,
        median=median,
        p75=p75,
        p90=p90,
        maximum=float(values.max()),
        share_above_zero=float((values > TOLERANCE).mean()),
        share_one=float((abs(values - 1) <= TOLERANCE).mean()),
        most_common=float(distinct[top]),
        most_common_share=int(counts[top]) / n,
        histogram=tuple(int(count) for count in histogram),
        outside=int(((values < -TOLERANCE) | (values > 1 + TOLERANCE)).sum()),
    )


def bins_of(scores: Numbers) -> Integers:
    """Which bin of the histogram each score counts in (0..9).

    Scores within 1e-9 of an edge lie on it; what lies outside of 0..1 counts in the outer bins.

    Raises
    ------
    InvalidArgument
        There is no score, or one is not a finite number.
    """
    values = numbers(scores, "scores")
    places = np.searchsorted(BIN_EDGES, values + TOLERANCE, side="right") - 1
    return np.clip(places, 0, len(BIN_EDGES) - 2)
