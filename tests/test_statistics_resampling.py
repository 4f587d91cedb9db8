"""Intervals, paired comparison and sample sizes: against scipy, enumeration and simulation."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.api import OLS
from statsmodels.stats.multitest import multipletests

from rft_widgets import statistics as stats
from rft_widgets.statistics import _resampling as resampling
from rft_widgets.statistics import raters

UNTIMED = settings(deadline=None)  # other work on the machine is no failure
TENTHS = st.integers(0, 10).map(lambda tenth: tenth / 10)
PAIRS = st.lists(st.tuples(TENTHS, TENTHS, st.integers(0, 6)), min_size=1, max_size=40)


def bounds(interval: stats.Interval) -> tuple[float, float]:
    assert interval.low is not None
    assert interval.high is not None
    return interval.low, interval.high


def clustered(rng, clusters=40, size=5, between=0.8):
    """Scores around 0.5, of which ``between`` is the share of variance that clusters have."""
    shared = np.repeat(rng.normal(0, np.sqrt(between), clusters), size)
    own = rng.normal(0, np.sqrt(1 - between), clusters * size)
    return 0.5 + 0.1 * (shared + own), np.repeat(np.arange(clusters), size)


# The mean


@pytest.mark.parametrize("values", ["continuous", "binary"])
def test_the_bca_interval_is_scipys(values):
    scores = np.random.default_rng(1).beta(0.4, 2, 60)
    if values == "binary":  # many resamples have the very mean of the data
        scores = np.repeat([0.0, 1.0], [51, 9])
    found = stats.bootstrap_mean(scores, samples=5000, seed=3)
    sums = np.column_stack((scores, np.ones(60)))
    totals = resampling.resampled_totals(sums, 5000, 3)

    class Drawn:
        bootstrap_distribution = totals[:, 0] / totals[:, 1]

    percentiles = resampling.percentile_bounds(Drawn.bootstrap_distribution, 0.95)
    for method, expected in (("BCa", bounds(found)), ("percentile", percentiles)):
        other = scipy.stats.bootstrap(
            (scores,), np.mean, n_resamples=0, bootstrap_result=Drawn, method=method
        ).confidence_interval
        assert expected == pytest.approx(tuple(other), rel=1e-9)
    assert found.method == "bca"
    independent = scipy.stats.bootstrap(
        (scores,), np.mean, n_resamples=5000, rng=np.random.default_rng(2)
    ).confidence_interval
    step = 1 / 60 if values == "binary" else 0.005
    assert bounds(found) == pytest.approx(tuple(independent), abs=step + 1e-9)


def test_the_clustered_interval_is_scipys_over_clusters():
    rng = np.random.default_rng(4)
    sizes = rng.integers(1, 12, 25)
    clusters = np.repeat(np.arange(25), sizes)
    scores = rng.random(25)[clusters] * rng.random(clusters.size)
    found = stats.bootstrap_mean(scores, clusters, samples=10_000)
    sums = np.bincount(clusters, weights=scores)
    other = scipy.stats.bootstrap(
        (sums, sizes),
        lambda s, n, axis: s.sum(axis) / n.sum(axis),
        paired=True,
        vectorized=True,
        n_resamples=10_000,
        method="percentile",
        rng=rng,
    ).confidence_interval
    assert found.method == "percentile"
    assert bounds(found) == pytest.approx(tuple(other), abs=0.006)
    assert found.estimate == pytest.approx(scores.mean())
    assert (found.n, found.clusters) == (clusters.size, 25)


def test_resamples_follow_the_enumerated_distribution():
    sums = np.array([[0.0, 1], [1.0, 1], [5.0, 2], [2.5, 3]])
    every = [sums[list(draw)].sum(axis=0) for draw in itertools.product(range(4), repeat=4)]
    expected = np.sort([s / n for s, n in every])
    totals = resampling.resampled_totals(sums, 40_000, 0)
    gap = scipy.stats.ks_2samp(totals[:, 0] / totals[:, 1], expected).statistic
    assert gap < 0.01 + 1e-9


def test_clusters_are_needed_for_the_interval_to_hold():
    rng = np.random.default_rng(5)
    naive = by_cluster = 0
    for seed in range(300):
        scores, clusters = clustered(rng)
        low, high = bounds(stats.bootstrap_mean(scores, samples=400, seed=seed))
        naive += low <= 0.5 <= high
        low, high = bounds(stats.bootstrap_mean(scores, clusters, samples=400, seed=seed))
        by_cluster += low <= 0.5 <= high
    assert naive / 300 < 0.8
    assert 0.90 <= by_cluster / 300 <= 0.99


def test_the_bca_interval_holds_for_skewed_scores():
    rng = np.random.default_rng(6)
    held = 0
    for seed in range(300):
        low, high = bounds(stats.bootstrap_mean(rng.beta(0.5, 4, 50), samples=400, seed=seed))
        held += low <= 0.5 / 4.5 <= high
    assert 0.90 <= held / 300 <= 0.99


@UNTIMED
@given(PAIRS, st.randoms(use_true_random=False))
def test_the_interval_depends_on_the_scores_only(rows, random):
    scores = [score for score, _, _ in rows]
    clusters = [cluster for _, _, cluster in rows]
    found = stats.bootstrap_mean(scores, clusters, samples=200)
    if found.low is not None:
        assert min(scores) - 1e-9 <= found.low <= found.high <= max(scores) + 1e-9
    random.shuffle(rows)
    shuffled = stats.bootstrap_mean(
        [score for score, _, _ in rows], [f"c{cluster}" for _, _, cluster in rows], samples=200
    )
    assert (shuffled.low, shuffled.high) == pytest.approx((found.low, found.high), abs=1e-9)
    alone = stats.bootstrap_mean(scores, samples=200)
    assert stats.bootstrap_mean(scores, [None] * len(scores), samples=200) == alone
    assert stats.bootstrap_mean(scores, range(len(scores)), samples=200) == alone


@UNTIMED
@given(st.lists(TENTHS, min_size=3, max_size=30), st.floats(0.1, 9), st.floats(-5, 5))
def test_the_interval_moves_and_stretches_with_the_scores(scores, factor, shift):
    found = stats.bootstrap_mean(scores, samples=200)
    moved = stats.bootstrap_mean([factor * score + shift for score in scores], samples=200)
    assert bounds(moved) == pytest.approx(
        tuple(factor * bound + shift for bound in bounds(found)), abs=1e-6
    )


def test_higher_levels_are_wider():
    scores = np.random.default_rng(7).random(80)
    intervals = [bounds(stats.bootstrap_mean(scores, level=level)) for level in (0.5, 0.9, 0.99)]
    assert [low for low, _ in intervals] == sorted((low for low, _ in intervals), reverse=True)
    assert [high for _, high in intervals] == sorted(high for _, high in intervals)


def test_one_cluster_or_one_score_has_no_interval():
    for found in (stats.bootstrap_mean([0, 1, 1], ["a"] * 3), stats.bootstrap_mean([0.5])):
        assert (found.low, found.high, found.clusters) == (None, None, 1)
    assert stats.bootstrap_mean([0, 1, 1], ["a"] * 3).estimate == pytest.approx(2 / 3)
    mixed = stats.bootstrap_mean([0, 1, 1, 0], ["a", None, float("nan"), "a"])
    assert mixed.clusters == 3


def test_scores_that_are_all_equal_have_an_interval_of_no_width():
    found = stats.bootstrap_mean([0.1] * 7)
    assert (found.estimate, *bounds(found)) == pytest.approx((0.1, 0.1, 0.1))


def test_the_seed_decides():
    scores = np.random.default_rng(8).random(50)
    assert stats.bootstrap_mean(scores, seed=1) == stats.bootstrap_mean(scores, seed=1)
    assert stats.bootstrap_mean(scores, seed=1) != stats.bootstrap_mean(scores, seed=2)


def test_three_thousand_scores_take_a_moment():
    rng = np.random.default_rng(9)
    scores, clusters = rng.random(3000), rng.integers(0, 600, 3000)

    def seconds(*arguments):
        start = time.perf_counter()
        stats.bootstrap_mean(*arguments)
        return time.perf_counter() - start

    assert min(seconds(scores) for _ in range(5)) < 0.3
    assert min(seconds(scores, clusters) for _ in range(5)) < 0.3


# Agreement and correlation


@pytest.mark.parametrize("weights", [None, "linear", "quadratic"])
def test_kappa_of_a_resample_is_sklearns(weights):
    rng = np.random.default_rng(10)
    a, b, codes = rng.integers(0, 4, 60), rng.integers(0, 4, 60), rng.integers(0, 12, 60)
    b = np.where(rng.random(60) < 0.6, a, b)
    cells = raters._Cells(a.tolist(), b.tolist(), weights, [0, 1, 2, 3])
    for _ in range(20):
        drawn = rng.integers(0, 12, 12)
        rows = np.concatenate([np.flatnonzero(codes == cluster) for cluster in drawn])
        counts = np.bincount(cells.cell_of[rows], minlength=len(cells.counts)) * 1.0
        expected = sklearn.metrics.cohen_kappa_score(a[rows], b[rows], weights=weights)
        if set(a[rows]) | set(b[rows]) == {0, 1, 2, 3}:
            assert cells.kappa(counts[None, :])[0] == pytest.approx(expected)


def test_the_interval_of_kappa_has_its_asymptotic_width():
    from statsmodels.stats.inter_rater import cohens_kappa

    rng = np.random.default_rng(11)
    human = rng.integers(0, 2, 800)
    grader = np.where(rng.random(800) < 0.8, human, 1 - human)
    found = stats.agreement_report(grader, human).kappa
    expected = cohens_kappa(sklearn.metrics.confusion_matrix(grader, human))
    assert bounds(found) == pytest.approx((expected.kappa_low, expected.kappa_upp), abs=0.01)


def test_clusters_that_repeat_ratings_widen_the_report():
    rng = np.random.default_rng(12)
    human = np.repeat(rng.integers(0, 2, 100), 8)
    grader = np.where(np.repeat(rng.random(100), 8) < 0.8, human, 1 - human)
    naive = stats.agreement_report(grader, human)
    found = stats.agreement_report(grader, human, np.repeat(np.arange(100), 8))
    alone = stats.agreement_report(grader[::8], human[::8])
    for name in ("agreement", "kappa", "base_rate", "constant_baseline"):
        low, high = bounds(getattr(found, name))
        naive_low, naive_high = bounds(getattr(naive, name))
        assert getattr(found, name).estimate == pytest.approx(getattr(naive, name).estimate)
        assert high - low > 2 * (naive_high - naive_low)
        assert (low, high) == pytest.approx(bounds(getattr(alone, name)), abs=0.03)
    order = rng.permutation(800)
    shuffled = stats.agreement_report(
        grader[order], human[order], np.repeat(np.arange(100), 8)[order]
    )
    assert shuffled == found


def test_spearman_of_a_resample_is_scipys():
    rng = np.random.default_rng(13)
    a = rng.integers(0, 8, 50) / 8
    b = np.where(rng.random(50) < 0.5, a, rng.random(50))
    ranks = raters._Ranks(a), raters._Ranks(b)
    counts = np.concatenate(list(resampling.resampled_counts(50, 100, 0)))
    found = raters._rank_correlation(counts, *ranks)
    for row, value in zip(counts.astype(int), found, strict=True):
        drawn = np.repeat(np.arange(50), row)
        assert value == pytest.approx(scipy.stats.spearmanr(a[drawn], b[drawn]).statistic)


def test_spearman_intervals():
    rng = np.random.default_rng(14)
    a = rng.normal(size=300)
    b = a + rng.normal(size=300)
    found = stats.spearman(a, b)
    low, high = bounds(found)
    # Bonett & Wright (2000): Fisher's z with variance (1 + r^2 / 2) / (n - 3).
    half = 1.96 * np.sqrt((1 + found.estimate**2 / 2) / 297)
    centre = np.arctanh(found.estimate)
    assert (low, high) == pytest.approx((np.tanh(centre - half), np.tanh(centre + half)), abs=0.02)
    order = rng.permutation(300)
    assert stats.spearman(a[order], b[order]) == found
    clusters = np.arange(300) // 10
    grouped = stats.spearman(a, b, clusters)
    assert grouped.clusters == 30
    assert stats.spearman(a[order], b[order], clusters[order]) == grouped
    assert stats.spearman(a, b, [1] * 300).low is None
    assert stats.spearman(a, a).high == 1


def test_spearman_with_resamples_that_are_constant():
    found = stats.spearman([0, 0, 0, 1], [0, 0, 1, 1])
    assert found.estimate > 0
    assert (found.low, found.high) == (None, None)


def test_spearman_overlooks_rounding():
    assert stats.spearman([0.3, 0.1 + 0.2, 1], [0, 0, 1], samples=40).estimate == 1


# Paired comparison


@UNTIMED
@given(PAIRS)
def test_paired_difference_keeps_its_promises(rows):
    before, after, clusters = (list(side) for side in zip(*rows, strict=True))
    found = stats.paired_difference(before, after, clusters, samples=200, permutations=199)
    assert found.difference.estimate == pytest.approx(np.mean(after) - np.mean(before), abs=1e-12)
    assert (found.before_mean, found.after_mean) == pytest.approx((np.mean(before), np.mean(after)))
    assert 0 < found.p_value <= 1
    assert (found.relative is None) == (sum(before) == 0)
    if found.relative is not None:
        assert found.relative.estimate == pytest.approx(
            (sum(after) - sum(before)) / sum(before), abs=1e-9
        )
    back = stats.paired_difference(after, before, clusters, samples=200, permutations=199)
    assert back.difference.estimate == pytest.approx(-found.difference.estimate, abs=1e-12)
    if found.clusters <= 7:  # exact
        assert back.p_value == found.p_value
    if found.difference.low is None:
        assert found.clusters == 1
        assert found.verdict == "no_clear_change"
    if found.verdict == "improved":
        assert found.difference.low > 0
    if found.verdict == "regressed":
        assert found.difference.high < 0


@UNTIMED
@given(st.lists(st.integers(-9, 9), min_size=2, max_size=9))
def test_the_exact_p_value_is_scipys(changes):
    values = np.array(changes) / 10
    found = stats.paired_difference(np.zeros(len(values)), values, samples=40)
    expected = scipy.stats.permutation_test(
        (values,),
        lambda x, axis: np.round(x.sum(axis), 9),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
    )
    assert found.p_value == pytest.approx(expected.pvalue)


def test_the_exact_p_value_flips_whole_clusters():
    rng = np.random.default_rng(15)
    change, clusters = rng.normal(0.3, 1, 40), np.arange(40) % 8
    sums = np.bincount(clusters, weights=change)
    every = [abs(np.dot(signs, sums)) for signs in itertools.product((-1, 1), repeat=8)]
    expected = np.mean(np.array(every) >= abs(sums.sum()) - 1e-9)
    found = stats.paired_difference(np.zeros(40), change, clusters)
    assert found.p_value == pytest.approx(expected)


def test_the_random_p_value_is_near_the_exact_one():
    rng = np.random.default_rng(16)
    change = rng.normal(0.5, 1, 14)
    exact = stats.paired_difference(np.zeros(14), change, permutations=2**14).p_value
    drawn = stats.paired_difference(np.zeros(14), change).p_value
    assert drawn == pytest.approx(exact, abs=0.01)
    assert drawn != exact
    certain = stats.paired_difference(np.zeros(100), np.ones(100), permutations=999)
    assert certain.p_value == 1 / 1000


def test_changes_that_cancel_have_a_p_value_of_one():
    found = stats.paired_difference([0, 0, 0], [0.1, 0.2, -0.3])
    assert found.p_value == 1
    assert stats.paired_difference([0.5] * 9, [0.5] * 9).p_value == 1


def test_verdicts():
    rng = np.random.default_rng(17)
    before = rng.random(200)
    noise = rng.normal(0, 0.05, 200)
    assert stats.paired_difference(before, before + 0.1 + noise).verdict == "improved"
    assert stats.paired_difference(before, before - 0.1 + noise).verdict == "regressed"
    assert (
        stats.paired_difference(before, before + noise - noise.mean()).verdict == "no_clear_change"
    )


def test_a_handful_of_changes_decides_nothing():
    for changed, verdict in ((5, "no_clear_change"), (6, "improved")):
        found = stats.paired_difference([0.0] * 6, [0.5] * changed + [0.0] * (6 - changed))
        assert found.verdict == verdict
    one_cluster = stats.paired_difference([0.0] * 20, [1.0] * 20, ["thread"] * 20)
    assert (one_cluster.verdict, one_cluster.p_value) == ("no_clear_change", 1)
    assert one_cluster.difference.low is None


def test_relative_improvement():
    rng = np.random.default_rng(18)
    before = rng.integers(0, 2, 200).astype(float)
    after = np.maximum(before, rng.integers(0, 2, 200))
    found = stats.paired_difference(before, after, samples=10_000)
    other = scipy.stats.bootstrap(
        (before, after),
        lambda b, a, axis: a.sum(axis) / b.sum(axis) - 1,
        paired=True,
        vectorized=True,
        method="percentile",
        rng=rng,
    ).confidence_interval
    assert bounds(found.relative) == pytest.approx(tuple(other), abs=0.02)
    percent = stats.paired_difference(before * 100, after * 100, samples=10_000)
    assert bounds(percent.relative) == pytest.approx(bounds(found.relative))


def test_relative_improvement_that_is_unknown():
    assert stats.paired_difference([0, 0], [0, 1]).relative is None
    assert stats.paired_difference([-1, 0], [0, 1]).relative is None
    # A third of the resamples has a baseline of 0.
    thin = stats.paired_difference([1, 0, 0, 0], [1, 1, 1, 1]).relative
    assert thin.estimate == 3
    assert (thin.low, thin.high) == (None, None)


def test_the_paired_interval_and_test_hold():
    rng = np.random.default_rng(19)
    held = rejected = 0
    for seed in range(300):
        before, clusters = clustered(rng, clusters=30)
        after, _ = clustered(rng, clusters=30)
        found = stats.paired_difference(
            before, after, clusters, samples=400, permutations=199, seed=seed
        )
        held += found.verdict == "no_clear_change"
        rejected += found.p_value <= 0.05
    assert 0.90 <= held / 300 <= 0.99
    assert 0.01 <= rejected / 300 <= 0.09


# Many tests, sample sizes


@settings(deadline=None, max_examples=5)  # statsmodels collects garbage each time
@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_against_statsmodels(p_values):
    found = stats.holm(p_values)
    if p_values:
        assert found == pytest.approx(list(multipletests(p_values, method="holm")[1]))
    assert len(found) == len(p_values)
    assert all(p <= adjusted <= 1 for p, adjusted in zip(p_values, found, strict=True))


def test_holm_by_hand():
    assert stats.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert stats.holm([]) == []


def robust_error(scores, clusters):
    model = OLS(scores, np.ones(len(scores)))
    return float(model.fit(cov_type="cluster", cov_kwds={"groups": clusters}).bse[0])


def test_samples_to_decide_is_the_first_number_that_does():
    rng = np.random.default_rng(20)
    scores, clusters = clustered(rng)
    bound = float(scores.mean()) + 0.005
    more = stats.samples_to_decide(scores, clusters, [0.1, bound, 0.9])
    error = robust_error(scores, clusters)
    z = scipy.stats.norm.ppf(0.975)

    def crosses(n):
        return z * error * np.sqrt(len(scores) / n) >= 0.005

    assert more > 0
    assert crosses(len(scores) + more - 1)
    assert not crosses(len(scores) + more)
    assert stats.samples_to_decide(scores, None, [bound]) < more
    assert stats.samples_to_decide(scores, clusters, [bound], level=0.8) < more


def test_samples_to_decide_of_single_scores_uses_the_sample_variance():
    scores = np.random.default_rng(21).random(40)
    bound = float(scores.mean()) - 0.01
    needed = (scipy.stats.norm.ppf(0.975) / 0.01) ** 2 * scores.var(ddof=1)
    assert stats.samples_to_decide(scores, None, [bound]) == int(np.floor(needed)) + 1 - 40


def test_samples_to_decide_at_its_ends():
    assert stats.samples_to_decide([0, 1, 0, 1], None, [0.5]) is None
    assert stats.samples_to_decide([0, 1, 0, 1], ["a"] * 4, [0.1]) is None
    assert stats.samples_to_decide([0.3] * 4, None, [0.25]) == 0
    assert stats.samples_to_decide([0.3, 0.31] * 50, None, [0.25, 0.65]) == 0
