"""Several differences judged together: what they are, what they leave open, and that they hold."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rft_widgets import statistics as stats
from rft_widgets.errors import InvalidArgument

SCORE = st.one_of(st.none(), st.integers(0, 4).map(lambda quarter: quarter / 4))
TABLES = st.integers(1, 30).flatmap(
    lambda n: st.tuples(
        st.lists(st.lists(SCORE, min_size=n, max_size=n), min_size=2, max_size=4),
        st.lists(st.integers(0, 9), min_size=n, max_size=n),
    )
)


def drawn(rng, n, shifts, *, is_binary):
    """Scores of systems that share the difficulty of prompts, with conversations of 1 to 3."""
    groups = np.repeat(np.arange(n), rng.integers(1, 4, n))[:n]
    shared = rng.normal(size=n)[groups] + rng.normal(size=n)
    noise = rng.normal(size=(len(shifts), n)) / 2
    logits = shared + noise + np.array(shifts)[:, None]
    scores = (logits > 0).astype(float) if is_binary else 1 / (1 + np.exp(-logits))
    return scores.tolist(), groups.tolist()


def coverage(n, systems, *, is_binary, runs, samples):
    shifts = np.linspace(0, 0.6, systems)
    pairs = list(combinations(range(systems), 2))
    whole, _ = drawn(np.random.default_rng(0), 200_000, shifts, is_binary=is_binary)
    means = np.mean(whole, axis=1)
    held = 0
    for run in range(runs):
        scores, groups = drawn(np.random.default_rng((run, n)), n, shifts, is_binary=is_binary)
        found = stats.joint_differences(
            scores, pairs, groups, samples=samples, permutations=1, seed=run
        )
        held += all(
            one.difference.low is None
            or one.difference.low <= means[j] - means[i] <= one.difference.high
            for (i, j), one in zip(pairs, found, strict=True)
        )
    return held / runs


def test_all_intervals_hold_at_once():
    # 150 runs at 0.95: one in a thousand would have fewer than 0.88 hold.
    assert coverage(60, 4, is_binary=False, runs=150, samples=1_000) >= 0.88


@pytest.mark.slow
@pytest.mark.parametrize("is_binary", [False, True])
@pytest.mark.parametrize(("n", "systems"), [(30, 3), (60, 9), (200, 5)])
def test_all_intervals_hold_at_once_in_many_runs(n, systems, is_binary):
    assert coverage(n, systems, is_binary=is_binary, runs=800, samples=4_000) >= 0.93


def test_one_at_a_time_they_would_not_hold():
    """The best of equal systems looks better than it is unless all looks are counted."""
    single = joint = 0
    for run in range(60):
        scores, groups = drawn(np.random.default_rng(run), 60, [0.0] * 8, is_binary=False)
        best = 1 + int(np.argmax(np.mean(scores[1:], axis=1)))
        pairs = [(0, at) for at in range(1, 8)]
        found = stats.joint_differences(scores, pairs, groups, samples=1_000, permutations=199)
        joint += found[best - 1].verdict != "no_clear_change"
        alone = stats.paired_difference(scores[0], scores[best], groups, permutations=1)
        single += alone.verdict != "no_clear_change"
    assert joint <= 3 < single


@pytest.mark.parametrize(("n", "is_told"), [(4, False), (40, True)])
def test_changes_that_are_all_alike_are_sure_only_where_they_are_many(n, is_told):
    pairs = [(0, 1), (0, 2), (1, 2)]
    found = stats.joint_differences([[0.0] * n, [1.0] * n, [1.0] * n], pairs)
    gain = found[0]
    assert gain.difference.estimate == 1.0
    assert (gain.difference.low is not None) is is_told
    assert gain.verdict == ("improved" if is_told else "no_clear_change")


def test_a_pair_is_what_it_is_alone():
    scores, groups = drawn(np.random.default_rng(3), 80, [0.0, 0.5, 0.6], is_binary=False)
    found = stats.joint_differences(scores, [(0, 1), (0, 2), (1, 2)], groups)
    for (i, j), one in zip([(0, 1), (0, 2), (1, 2)], found, strict=True):
        alone = stats.paired_difference(scores[i], scores[j], groups)
        assert one.difference.estimate == pytest.approx(alone.difference.estimate)
        assert (one.before_mean, one.after_mean) == (alone.before_mean, alone.after_mean)
        assert one.p_value == alone.p_value <= one.adjusted_p_value
        assert one.clusters == alone.clusters
        width = alone.difference.high - alone.difference.low
        assert one.difference.high - one.difference.low > width
    assert [one.verdict for one in found] == ["improved", "improved", "no_clear_change"]
    wider = stats.joint_differences(scores, [(0, 1)], groups, level=0.99)[0]
    narrow = stats.joint_differences(scores, [(0, 1)], groups, level=0.9)[0]
    assert wider.difference.low < narrow.difference.low < narrow.difference.high


def test_a_pair_that_hardly_differs_does_not_widen_the_others():
    scores, _ = drawn(np.random.default_rng(4), 100, [0.0, 0.8], is_binary=False)
    nearly = list(scores[1])
    for at in range(7):
        nearly[at] = min(1.0, nearly[at] + 0.4)
    alone = stats.joint_differences(scores, [(0, 1)])[0]
    found = stats.joint_differences([*scores, nearly], [(0, 1), (1, 2)])
    assert found[0].difference.low > alone.difference.low - 0.1
    assert found[1].changed == 7
    same = stats.joint_differences([scores[0], scores[0]], [(0, 1)])[0]
    assert (same.changed, same.difference.low, same.verdict) == (0, None, "no_clear_change")


@settings(max_examples=40)
@given(TABLES)
def test_whatever_is_scored(table):
    scores, groups = table
    pairs = list(combinations(range(len(scores)), 2))
    found = stats.joint_differences(scores, pairs, groups, samples=200, permutations=99)
    order = np.random.default_rng(1).permutation(len(groups))
    mixed = [[row[at] for at in order] for row in scores]
    other = stats.joint_differences(
        mixed, pairs, [groups[at] for at in order], samples=200, permutations=99
    )
    turned = stats.joint_differences(
        scores, [(j, i) for i, j in pairs], groups, samples=200, permutations=99
    )
    for (i, j), one, again, back in zip(pairs, found, other, turned, strict=True):
        both = [(x, y) for x, y in zip(scores[i], scores[j], strict=True) if None not in (x, y)]
        assert (one is None) == (not both)
        if one is None:
            continue
        assert one.n == len(both)
        assert one.difference.estimate == pytest.approx(np.mean([y - x for x, y in both]))
        assert again.difference.low == pytest.approx(one.difference.low)
        assert back.difference.estimate == pytest.approx(-one.difference.estimate)
        if one.difference.low is not None:
            assert one.changed >= 6
            assert one.difference.low <= one.difference.estimate <= one.difference.high
        else:
            assert one.verdict == "no_clear_change"


@pytest.mark.parametrize(
    "scores", [[], [[]], [[1.0], [1.0, 2.0]], [[float("nan")], [1.0]], [[float("inf")], [1.0]]]
)
def test_what_cannot_be_compared(scores):
    with pytest.raises(InvalidArgument):
        stats.joint_differences(scores, [(0, 1)] if len(scores) > 1 else [])
