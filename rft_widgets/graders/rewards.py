"""Rewards of any grader on one scale, so that one set of bounds fits all."""

from __future__ import annotations

from rft_widgets.model.grader import Grader, GradingResult, reward_range


def normalized_reward(grader: Grader, result: GradingResult) -> float | None:
    """Rescale a reward to 0..1 where the grader's range is known.

    Parameters
    ----------
    grader
        What gave the reward; a judge with the range 0..5 gives 0.6 for 3.
    result
        One grading.

    Returns
    -------
    The reward; ``None`` for a failed grading, which is not a zero. Where code or a formula decides,
    nobody knows the range: the reward is left as it is, and `out_of_range` tells.
    """
    known = reward_range(grader)
    if result.reward is None or known is None:
        return result.reward
    low, high = known
    return min(1.0, max(0.0, (result.reward - low) / (high - low)))


def out_of_range(grader: Grader, result: GradingResult) -> bool:
    """Whether the reward still lies outside 0..1 when it is normalised."""
    return reward_range(grader) is None and result.metadata.out_of_range
