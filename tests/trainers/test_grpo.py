"""The objective against finite differences and against sums written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rft_widgets.trainers.local.grpo import (
    Adam,
    Groups,
    advantages,
    climb,
    log_policy,
    surrogate,
)
from rft_widgets.trainers.local.train import _sample

OPTIONS = {"temperature": 0.7, "clip_ratio": 0.2, "kl_weight": 0.3}


def random_groups(seed: int, failed: float = 0.2) -> tuple[np.ndarray, Groups]:
    rng = np.random.default_rng(seed)
    prompts, candidates, samples, features = 5, 6, 8, 4
    table = rng.normal(size=(prompts, candidates, features))
    present = np.ones((prompts, candidates), bool)
    for row in range(prompts):
        present[row, rng.integers(2, candidates + 1) :] = False
    old_weights, reference = rng.normal(size=features), rng.normal(size=features)
    old = log_policy(table, present, old_weights, OPTIONS["temperature"])
    choices = _sample(np.exp(old), samples, rng)
    rewards = rng.random((prompts, samples))
    rewards[rng.random(rewards.shape) < failed] = np.nan
    groups = Groups(
        features=table,
        present=present,
        choices=choices,
        advantages=advantages(rewards),
        old=np.take_along_axis(old, choices, axis=1),
        reference=log_policy(table, present, reference, OPTIONS["temperature"]),
    )
    return old_weights + rng.normal(scale=0.3, size=features), groups


def written_out(weights: np.ndarray, groups: Groups) -> tuple[float, float]:
    """The objective and the divergence, one candidate after the other in plain Python."""
    total = divergence = 0.0
    for row in range(len(groups.features)):
        scores = [
            sum(f * w for f, w in zip(groups.features[row, k], weights, strict=True))
            / OPTIONS["temperature"]
            for k in range(groups.features.shape[1])
            if groups.present[row, k]
        ]
        normal = math.log(sum(math.exp(score) for score in scores))
        logs = [score - normal for score in scores]
        kl = sum(
            math.exp(log) * (log - ref)
            for log, ref in zip(logs, groups.reference[row], strict=False)
        )
        gains = []
        for sample, choice in enumerate(groups.choices[row]):
            advantage = groups.advantages[row, sample]
            if math.isnan(advantage):
                continue
            ratio = math.exp(logs[choice] - groups.old[row, sample])
            low, high = 1 - OPTIONS["clip_ratio"], 1 + OPTIONS["clip_ratio"]
            gains.append(min(ratio * advantage, min(max(ratio, low), high) * advantage))
        total += (sum(gains) / len(gains) if gains else 0.0) - OPTIONS["kl_weight"] * kl
        divergence += kl
    return total / len(groups.features), divergence / len(groups.features)


@pytest.mark.parametrize("seed", range(8))
def test_the_gradient_is_that_of_finite_differences(seed):
    weights, groups = random_groups(seed)
    result = surrogate(weights, groups, **OPTIONS)
    step = 1e-6
    for i in range(len(weights)):
        up, down = weights.copy(), weights.copy()
        up[i] += step
        down[i] -= step
        slope = surrogate(up, groups, **OPTIONS).value - surrogate(down, groups, **OPTIONS).value
        assert result.gradient[i] == pytest.approx(slope / (2 * step), rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("seed", range(8))
def test_the_objective_and_the_divergence_are_the_sums_written_out(seed):
    weights, groups = random_groups(seed)
    result = surrogate(weights, groups, **OPTIONS)
    value, kl = written_out(weights, groups)
    assert result.value == pytest.approx(value, rel=1e-10)
    assert result.kl == pytest.approx(kl, rel=1e-10)
    assert result.kl > 0
    assert 0 <= result.clip_share < 1


def test_samples_that_moved_too_far_are_clipped_as_counted():
    weights, groups = random_groups(0)
    result = surrogate(weights, groups, **OPTIONS)
    logs = log_policy(groups.features, groups.present, weights, OPTIONS["temperature"])
    ratio = np.exp(np.take_along_axis(logs, groups.choices, axis=1) - groups.old)
    known = ~np.isnan(groups.advantages)
    held = ((ratio > 1.2) & (groups.advantages > 0)) | ((ratio < 0.8) & (groups.advantages < 0))
    assert held.any()
    assert result.clip_share == pytest.approx(held[known].mean())


def test_at_the_reference_there_is_no_divergence_and_nothing_is_clipped():
    weights, groups = random_groups(1)
    logs = log_policy(groups.features, groups.present, weights, OPTIONS["temperature"])
    same = Groups(
        groups.features, groups.present, groups.choices, groups.advantages,
        np.take_along_axis(logs, groups.choices, axis=1), logs,
    )  # fmt: skip
    result = surrogate(weights, same, **OPTIONS)
    assert result.kl == pytest.approx(0, abs=1e-12)
    assert result.clip_share == 0
    # Then the gradient is the plain policy gradient: mean of A (f - E f) / temperature.
    policy = np.exp(logs)
    expected = np.zeros_like(weights)
    for row in range(len(logs)):
        mean = policy[row] @ groups.features[row]
        known = [
            a * (groups.features[row, c] - mean)
            for a, c in zip(groups.advantages[row], groups.choices[row], strict=True)
            if not np.isnan(a)
        ]
        if known:
            expected += np.mean(known, axis=0) / OPTIONS["temperature"] / len(logs)
    np.testing.assert_allclose(result.gradient, expected, rtol=1e-9, atol=1e-12)


def test_advantages_by_hand():
    found = advantages(np.array([
        [0.0, 1.0, 0.0, 1.0],
        [0.0, np.nan, 1.0, np.nan],
        [0.5, 0.5, 0.5, np.nan],
        [np.nan] * 4,
        [0.3, np.nan, np.nan, np.nan],
    ]))  # fmt: skip
    one = 0.5 / (0.5 + 1e-4)
    np.testing.assert_allclose(found[0], [-one, one, -one, one])
    np.testing.assert_allclose(found[1], [-one, np.nan, one, np.nan])
    assert np.isnan(found[2:]).all()


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 5), st.floats(-3, 3))
@settings(max_examples=50, deadline=None)
def test_advantages_ignore_where_rewards_lie_and_how_wide(seed, scale, shift):
    rewards = np.random.default_rng(seed).random((3, 8)) + np.arange(8) * 0.1
    np.testing.assert_allclose(advantages(rewards * scale + shift), advantages(rewards), rtol=0.02)


def test_candidates_are_sampled_as_often_as_they_are_likely():
    policy = np.array([[0.5, 0.3, 0.2, 0.0], [0.1, 0.9, 0.0, 0.0]])
    places = _sample(policy, 40_000, np.random.default_rng(0))
    for row in range(2):
        shares = np.bincount(places[row], minlength=4) / 40_000
        np.testing.assert_allclose(shares, policy[row], atol=0.01)
        assert (policy[row][places[row]] > 0).all()


def test_adam_climbs_to_the_top():
    weights, adam = np.array([4.0, -3.0]), Adam(0, np.zeros(2), np.zeros(2))
    adam, first = climb(adam, weights, np.array([-123.0, 0.01]), 0.1)
    np.testing.assert_allclose(first, [3.9, -2.9], rtol=1e-5)  # its first step: the sign
    for _ in range(600):
        adam, weights = climb(adam, weights, -2 * (weights - [1.0, 2.0]), 0.05)
    np.testing.assert_allclose(weights, [1.0, 2.0], atol=0.01)
