"""Group relative policy optimisation (GRPO) of a softmax policy over few candidates.

Shao et al. 2024, "DeepSeekMath", section 4.1: for each prompt a group of answers is sampled from
the policy as it is; the advantage of an answer is its reward against the group's. With a softmax
over at most a few dozen candidates nothing has to be estimated besides: the gradient and the
divergence from the reference policy are exact.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from rft_widgets.trainers.local.pool import Floats

Integers = npt.NDArray[np.int64]

SPREAD = 1e-6
"""Standard deviation of rewards below which a group teaches nothing."""


class Groups(Struct, frozen=True):
    """Sampled answers of B prompts with at most K candidates each, G samples and F features.

    ``features`` is B x K x F, ``present`` B x K says which candidates there are, ``choices`` B x G
    are the sampled ones, ``advantages`` B x G; a sample without a reward has the advantage NaN.
    ``old`` are their log-probabilities B x G when they were sampled, ``reference`` the reference
    policy's B x K.
    """

    features: Floats
    present: npt.NDArray[np.bool_]
    choices: Integers
    advantages: Floats
    old: Floats
    reference: Floats


class Surrogate(Struct, frozen=True):
    """The objective that is maximised, its gradient (F), and how it came about.

    ``kl`` and ``entropy`` are means over prompts, in nats; ``clip_share`` is the share of samples
    that clipping took the gradient of.
    """

    value: float
    gradient: Floats
    kl: float
    entropy: float
    clip_share: float


def log_policy(
    features: Floats, present: npt.NDArray[np.bool_], weights: Floats, temperature: float
) -> Floats:
    """Log-probabilities of candidates, B x K; minus infinity where there is none.

    The policy is softmax(features @ weights / temperature) over the candidates of a prompt.
    """
    scores = np.where(present, features @ weights / temperature, -np.inf)
    scores = scores - scores.max(axis=-1, keepdims=True)
    normal: Floats = scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True))
    return normal


def advantages(rewards: Floats) -> Floats:
    """(reward - mean) / standard deviation within each group.

    Parameters
    ----------
    rewards
        Groups by samples; NaN where a grading failed.

    Returns
    -------
    The same shape; NaN for a failed grading, and for all of a group whose rewards (fewer than two,
    or all alike) teach nothing.
    """
    known = ~np.isnan(rewards)
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    filled = np.where(known, rewards, 0.0)
    mean = filled.sum(axis=1, keepdims=True) / count
    deviation = np.sqrt(
        (np.where(known, filled - mean, 0.0) ** 2).sum(axis=1, keepdims=True) / count
    )
    result: Floats = np.where(
        known & (deviation > SPREAD), (filled - mean) / (deviation + 1e-4), np.nan
    )
    return result


def surrogate(
    weights: Floats, groups: Groups, *, temperature: float, clip_ratio: float, kl_weight: float
) -> Surrogate:
    """The clipped objective less the weighted divergence from the reference policy.

    mean over groups of [ mean over samples of min(q A, clip(q, 1 - e, 1 + e) A) - b KL ], where q
    is the probability now over that when sampled, and KL(policy || reference) the exact sum over
    candidates.

    Groups that teach nothing count in the divergence, and in the mean, as well.
    """
    logs = log_policy(groups.features, groups.present, weights, temperature)
    policy = np.exp(logs)
    rows = np.arange(len(logs))[:, None]
    counted = ~np.isnan(groups.advantages)
    gain = np.where(counted, groups.advantages, 0.0)
    ratio = np.exp(logs[rows, groups.choices] - groups.old)
    clipped = np.clip(ratio, 1 - clip_ratio, 1 + clip_ratio)
    size = np.maximum(counted.sum(axis=1, keepdims=True), 1) * len(logs)
    objective = np.minimum(ratio * gain, clipped * gain) / size
    # Where the clipped branch is the smaller one it is constant, and gives no gradient.
    moving = ratio * gain <= clipped * gain
    push = np.where(counted & moving, ratio * gain, 0.0) / size
    # d log p(a) / d scores = 1[a] - p, so all samples of a prompt add up to one row of K.
    towards = np.zeros_like(policy)
    np.add.at(towards, (np.broadcast_to(rows, groups.choices.shape), groups.choices), push)
    towards -= policy * push.sum(axis=1, keepdims=True)
    finite = np.zeros_like(logs)
    np.subtract(logs, groups.reference, out=finite, where=groups.present)
    divergence = (policy * finite).sum(axis=1)
    away = policy * (finite - divergence[:, None])
    by_score = towards - kl_weight * away / len(logs)
    gradient: Floats = np.einsum("bk,bkf->f", by_score, groups.features) / temperature
    entropy = -(policy * np.where(groups.present, logs, 0.0)).sum(axis=1)
    return Surrogate(
        value=float(objective.sum() - kl_weight * divergence.mean()),
        gradient=gradient,
        kl=float(divergence.mean()),
        entropy=float(entropy.mean()),
        clip_share=float((counted & ~moving).sum() / max(1, counted.sum())),
    )


class Adam(Struct, frozen=True):
    """State of the optimiser (Kingma & Ba 2015): steps taken, and both moments (F)."""

    step: int
    first: Floats
    second: Floats


def climb(
    adam: Adam, weights: Floats, gradient: Floats, learning_rate: float
) -> tuple[Adam, Floats]:
    """One step up the gradient; decays 0.9 and 0.999, epsilon 1e-8."""
    step = adam.step + 1
    first = 0.9 * adam.first + 0.1 * gradient
    second = 0.999 * adam.second + 0.001 * gradient**2
    unbiased = first / (1 - 0.9**step)
    scale = np.sqrt(second / (1 - 0.999**step)) + 1e-8
    return Adam(step, first, second), weights + learning_rate * unbiased / scale
