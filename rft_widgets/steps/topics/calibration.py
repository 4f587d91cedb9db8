"""Confidences that mean what they say, and how far they do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rft_widgets.errors import InvalidArgument
from rft_widgets.steps.topics.features import Vectors

Probabilities = npt.NDArray[np.float64]

_BINS = 10


def softmax(scores: Vectors, temperature: float) -> Probabilities:
    """Probabilities of the columns, row by row; a higher temperature evens them out."""
    scaled = scores.astype(np.float64) / temperature
    scaled -= scaled.max(1, keepdims=True)
    np.exp(scaled, out=scaled)
    return np.asarray(scaled / scaled.sum(1, keepdims=True))


def fit_temperature(scores: Vectors, truth: npt.NDArray[np.intp]) -> float:
    """Temperature under which the probabilities of held-out records are most likely.

    Parameters
    ----------
    scores
        Scores of n records for k topics, from a model that did not see the records.
    truth
        The column that is right for each.
    """
    if len(scores) == 0 or scores.shape[1] < 2:
        return 1.0
    from scipy.optimize import minimize_scalar  # noqa: PLC0415 - slow to load

    rows = np.arange(len(truth))

    def loss(logarithm: float) -> float:
        chances = softmax(scores, float(np.exp(logarithm)))[rows, truth]
        return float(-np.log(np.maximum(chances, 1e-12)).mean())

    found = minimize_scalar(loss, bounds=(-7.0, 4.0), method="bounded")
    return float(np.exp(found.x))


def calibration_error(confidences: Sequence[float], right: Sequence[bool]) -> float:
    """Expected calibration error (0..1) of confidences.

    The confidences are sorted into ten bins of equal width; the error is the mean distance between
    the mean confidence of a bin and the share of it that is right, weighted by records.

    Parameters
    ----------
    confidences
        From 0 to 1.
    right
        Whether each decision was right.

    Raises
    ------
    InvalidArgument
        There is nothing to measure, or the lengths differ.
    """
    if len(confidences) != len(right) or not len(confidences):
        raise InvalidArgument("As many confidences as outcomes are needed, at least one.")
    sure = np.asarray(confidences, np.float64)
    hits = np.asarray(right, np.float64)
    bins = np.minimum((sure * _BINS).astype(np.int64), _BINS - 1)
    distance = np.bincount(bins, sure, _BINS) - np.bincount(bins, hits, _BINS)
    return float(np.abs(distance).sum() / len(sure))


def error_beyond_chance(confidences: Sequence[float], right: Sequence[bool]) -> float:
    """Expected calibration error (0..1), less what few records show of it by chance.

    Of 400 records that come out exactly as likely as was said, the plain error is still about 0.05.
    That much, the mean error of outcomes drawn at the said confidences, is taken off; at least 0
    is left.
    """
    plain = calibration_error(confidences, right)
    rng = np.random.default_rng(0)
    sure = np.asarray(confidences, np.float64)
    drawn = [calibration_error(confidences, (rng.random(len(sure)) < sure).tolist())
             for _ in range(20)]  # fmt: skip
    return max(0.0, plain - float(np.mean(drawn)))


def folds_of(truth: npt.NDArray[np.intp], count: int, seed: int) -> npt.NDArray[np.intp]:
    """Fold of each record, topic by topic in turn, so that every fold has some of each topic."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(truth))
    order = order[np.argsort(truth[order], kind="stable")]
    folds = np.empty(len(truth), np.intp)
    folds[order] = np.arange(len(truth)) % count
    return folds
