"""The difference of two sets of records: against scipy, a plain bootstrap, and simulation."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from rft_widgets import statistics as stats
from rft_widgets.errors import InvalidArgument

TENTHS = st.integers(0, 10).map(lambda tenth: tenth / 10)
SETS = st.lists(st.tuples(TENTHS, st.integers(0, 6)), min_size=1, max_size=25)


def bounds(found: stats.IndependentDifference) -> tuple[float, float]:
    assert found.difference.low is not None
    assert found.difference.high is not None
    return found.difference.low, found.difference.high


def difference_of_means(first, second, axis):
    return second.mean(axis) - first.mean(axis)


def test_the_interval_is_scipys():
    rng = np.random.default_rng(1)
    before, after = rng.beta(2, 3, 80), rng.beta(3, 2, 45)
    found = stats.independent_difference(before, after, samples=10_000)
    other = scipy.stats.bootstrap(
        (before, after), difference_of_means, n_resamples=10_000, method="percentile", rng=rng
    ).confidence_interval
    assert bounds(found) == pytest.approx(tuple(other), abs=0.005)
    assert found.difference.estimate == pytest.approx(after.mean() - before.mean())
    assert found.verdict == "improved"
    assert (found.before_n, found.after_n, found.difference.n) == (80, 45, 125)


def test_clusters_are_drawn_whole_as_in_a_plain_bootstrap():
    rng = np.random.default_rng(2)
    sets = []
    for clusters in (15, 22):
        sizes = rng.integers(1, 9, clusters)
        names = np.repeat(np.arange(clusters), sizes)
        sets.append((rng.random(clusters)[names] + 0.1 * rng.random(names.size), names))
    (before, first), (after, second) = sets
    found = stats.independent_difference(before, after, first, second, samples=4_000)

    def drawn_mean(scores, names):
        groups = [scores[names == name] for name in np.unique(names)]
        return np.concatenate([groups[i] for i in rng.integers(0, len(groups), len(groups))]).mean()

    plain = [drawn_mean(after, second) - drawn_mean(before, first) for _ in range(4_000)]
    assert bounds(found) == pytest.approx(tuple(np.quantile(plain, (0.025, 0.975))), abs=0.02)
    assert (found.before_clusters, found.after_clusters) == (15, 22)
    alone = stats.independent_difference(before, after, samples=4_000)
    assert np.ptp(bounds(found)) > 1.3 * np.ptp(bounds(alone))


def test_the_two_sets_are_drawn_independently():
    # Drawn alike, two equal sets would differ by nothing in every resample.
    scores = np.random.default_rng(3).random(60)
    found = stats.independent_difference(scores, scores, samples=4_000)
    expected = 1.96 * scores.std() * np.sqrt(2 / 60)
    assert bounds(found) == pytest.approx((-expected, expected), rel=0.1)
    assert found.verdict == "no_clear_change"


def test_the_interval_holds_the_true_difference():
    rng = np.random.default_rng(4)
    held = 0
    for seed in range(300):
        before, after = rng.random(40) < 0.4, rng.random(60) < 0.6
        low, high = bounds(
            stats.independent_difference(before * 1.0, after * 1.0, samples=400, seed=seed)
        )
        held += low <= 0.2 <= high
    assert 0.90 <= held / 300 <= 0.99


@settings(deadline=None)
@given(SETS, SETS, st.randoms(use_true_random=False))
def test_order_and_names_do_not_matter(first, second, random):
    def compare():
        (a, own_a), (b, own_b) = zip(*first, strict=True), zip(*second, strict=True)
        return stats.independent_difference(a, b, own_a, own_b, samples=100)

    found = compare()
    random.shuffle(first)
    random.shuffle(second)
    first, second = ([(score, f"c{name}") for score, name in rows] for rows in (first, second))
    again = compare()
    assert again.verdict == found.verdict
    for name in ("estimate", "low", "high"):
        assert getattr(again.difference, name) == pytest.approx(
            getattr(found.difference, name), abs=1e-9
        )


@pytest.mark.parametrize(
    ("n", "verdict"), [(1, "no_clear_change"), (5, "no_clear_change"), (6, "improved")]
)
def test_a_few_clusters_decide_nothing(n, verdict):
    assert stats.independent_difference([0.0] * 50, [1.0] * n).verdict == verdict
    swapped = stats.independent_difference([1.0] * n, [0.0] * 50).verdict
    assert swapped == ("regressed" if n == 6 else "no_clear_change")


def test_one_cluster_has_no_bounds_and_bad_input_is_refused():
    found = stats.independent_difference([0.1, 0.2], [0.3, 0.4], ["a", "a"], None)
    assert (found.difference.low, found.difference.high) == (None, None)
    for before, after in (([], [1.0]), ([1.0], []), ([float("nan")], [1.0])):
        with pytest.raises(InvalidArgument):
            stats.independent_difference(before, after)
