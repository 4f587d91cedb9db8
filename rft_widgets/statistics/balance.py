"""How evenly records are spread over topics, or how near to their targets."""

from __future__ import annotations

import numpy as np

from rft_widgets.statistics._inputs import Floats, Numbers, same_length, shares_of_one


def normalized_entropy(shares: Numbers) -> float:
    """Shannon entropy of the shares over its greatest value, the logarithm of their number.

    Parameters
    ----------
    shares
        One value a topic, empty topics included: shares, percentages or counts; only their
        proportions matter.

    Returns
    -------
    0 (all in one topic) to 1 (all topics alike); 1 for a single topic.

    Raises
    ------
    InvalidArgument
        There are no shares, one is negative or not finite, or all are zero.
    """
    parts = shares_of_one(shares, "shares")
    if parts.size == 1:
        return 1.0
    filled = parts[parts > 0]
    entropy = -float((filled * np.log(filled)).sum())
    return min(1.0, max(0.0, entropy / float(np.log(parts.size))))


def balance_score(shares: Numbers, targets: Numbers | None = None) -> float:
    """Smallest share / target over the largest.

    With uniform targets this is the smallest topic over the largest. A topic whose target is 0 is
    not wanted and has no part in the score.

    Parameters
    ----------
    shares
        As for `normalized_entropy`.
    targets
        One target a topic, in any unit; None: all alike.

    Returns
    -------
    0 (a topic that has a target is empty) to 1 (all are on target).

    Raises
    ------
    InvalidArgument
        Lengths differ, a value is negative or not finite, or all shares or all targets are zero.
    """
    parts, wanted = _pair(shares, targets)
    ratios = parts[wanted > 0] / wanted[wanted > 0]
    largest = float(ratios.max())
    return float(ratios.min()) / largest if largest > 0 else 0.0


def total_variation(shares: Numbers, targets: Numbers | None = None) -> float:
    """Half the sum of abs(share - target): the share of records that is in the wrong topic.

    Parameters and errors as for `balance_score`; unlike there, a topic of target 0 counts.

    Returns
    -------
    0 (on target) to 1 (nothing where it should be).
    """
    parts, wanted = _pair(shares, targets)
    return min(1.0, float(abs(parts - wanted).sum()) / 2)


def _pair(shares: Numbers, targets: Numbers | None) -> tuple[Floats, Floats]:
    parts = shares_of_one(shares, "shares")
    if targets is None:
        return parts, np.full(parts.size, 1 / parts.size)
    wanted = shares_of_one(targets, "targets")
    same_length(wanted, parts.size, "targets")
    return parts, wanted
