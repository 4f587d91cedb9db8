"""Whether a confidence of 0.8 is right eight times in ten."""

from __future__ import annotations

import numpy as np

from rft_widgets.errors import InvalidArgument
from rft_widgets.statistics._inputs import Floats, Numbers, numbers, same_length


def expected_calibration_error(confidences: Numbers, correct: Numbers, bins: int = 10) -> float:
    """Mean distance of confidence and accuracy, over bins of equal width weighted by their size.

    Bin m of M holds the confidences in ((m - 1) / M, m / M], the first one 0 as well (Guo et al.
    2017, "On Calibration of Modern Neural Networks", eq. 3).

    Parameters
    ----------
    confidences
        n >= 1 values, 0..1.
    correct
        n outcomes, each 0, 1 or bool.
    bins
        M >= 1.

    Returns
    -------
    0 (calibrated) to 1.

    Raises
    ------
    InvalidArgument
        Lengths differ, there are no values, or one is out of range.
    """
    shares, outcomes = _checked(confidences, correct)
    if bins < 1:
        raise InvalidArgument(f"bins is {bins}; it must be at least 1.")
    edges = np.arange(1, bins) / bins
    gaps = np.bincount(np.searchsorted(edges, shares, side="left"), weights=outcomes - shares)
    return float(abs(gaps).sum()) / shares.size


def brier(confidences: Numbers, correct: Numbers) -> float:
    """Mean squared distance of confidence and outcome, 0 (certain and right) to 1 (Brier 1950).

    Parameters and errors as for `expected_calibration_error`.
    """
    shares, outcomes = _checked(confidences, correct)
    return float(((shares - outcomes) ** 2).mean())


def _checked(confidences: Numbers, correct: Numbers) -> tuple[Floats, Floats]:
    shares, outcomes = numbers(confidences, "confidences"), numbers(correct, "correct")
    same_length(outcomes, shares.size, "correct")
    if ((shares < 0) | (shares > 1)).any():
        raise InvalidArgument("confidences must lie in 0..1.")
    if not np.isin(outcomes, (0, 1)).all():
        raise InvalidArgument("correct must hold only 0, 1, False and True.")
    return shares, outcomes
