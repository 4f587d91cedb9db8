"""Descriptions, repeats, agreement, calibration and balance against other implementations."""

from __future__ import annotations

import itertools
import json
import math
from statistics import pstdev
from typing import Any

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics
from builders import data_folder
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.proportion import proportion_confint

from rft_widgets import statistics as stats
from rft_widgets.errors import InvalidArgument

UNTIMED = settings(deadline=None)  # other work on the machine is no failure
SHARES = st.floats(0, 1)
SCORES = st.lists(SHARES, min_size=1, max_size=40)
BINARY_GROUPS = st.lists(
    st.lists(st.sampled_from([0.0, 1.0]), min_size=3, max_size=7), min_size=1, max_size=8
)
RATINGS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60)
COUNTS = st.lists(st.integers(0, 1000), min_size=1, max_size=12).filter(any)


def close(value: float) -> Any:
    return pytest.approx(value, rel=1e-9, abs=1e-9)


# Input


@pytest.mark.parametrize("bad", [None, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    "function",
    [
        stats.describe,
        stats.bootstrap_mean,
        stats.normalized_entropy,
        stats.holm,
        lambda scores: stats.mixed_share([[0, 1], scores]),
        lambda scores: stats.variance_components([[0, 1], scores]),
        lambda scores: stats.pass_at_k([scores], 1),
        lambda scores: stats.pass_hat_k([scores], 1),
        lambda scores: stats.spearman([0, 1], scores),
        lambda scores: stats.paired_difference([0, 1], scores),
        lambda scores: stats.paired_difference(scores, [0, 1]),
        lambda scores: stats.samples_to_decide([0, 1], None, scores),
        lambda scores: stats.samples_to_decide(scores, None, [0]),
        lambda scores: stats.brier(scores, [0, 1]),
        lambda scores: stats.expected_calibration_error(scores, [0, 1]),
    ],
)
def test_a_failed_grading_is_refused_and_never_a_zero(function, bad):
    with pytest.raises(InvalidArgument, match=r"\[1\] is not a finite number"):
        function([1, bad])


@pytest.mark.parametrize("bad", [None, math.nan])
def test_a_missing_rating_is_refused(bad):
    for function in (stats.agreement, stats.cohen_kappa, stats.agreement_report):
        with pytest.raises(InvalidArgument, match=r"\[1\] is missing"):
            function([1, bad], [1, 1])


@pytest.mark.parametrize("values", [["0.5"], "text", [[0.5]], 0.5, [object()], [], [b"1"]])
def test_what_is_not_a_sequence_of_numbers_is_refused(values):
    with pytest.raises(InvalidArgument):
        stats.describe(values)


def test_lists_arrays_and_series_give_the_same():
    import pandas as pd

    scores = [0, 1, 0.5, True]
    expected = stats.describe(scores)
    assert stats.describe(np.array(scores)) == expected
    assert stats.describe(pd.Series([0, 1, 0.5, 1])) == expected
    assert stats.describe(pd.Series([0, 1, 0.5, 1], dtype=object)) == expected


@pytest.mark.parametrize(
    "call",
    [
        lambda: stats.bootstrap_mean([0, 1], [0]),
        lambda: stats.bootstrap_mean([0, 1], [[0], [1]]),
        lambda: stats.bootstrap_mean([0, 1], level=1),
        lambda: stats.bootstrap_mean([0, 1], samples=39),
        lambda: stats.paired_difference([0, 1], [0]),
        lambda: stats.paired_difference([0, 1], [0, 1], permutations=0),
        lambda: stats.samples_to_decide([0, 1], None, [0.1], level=0),
        lambda: stats.samples_to_decide([0, 1], None, []),
        lambda: stats.spearman([0, 1], [0]),
        lambda: stats.agreement([0, 1], [0]),
        lambda: stats.cohen_kappa([0, 1], [0, 1], labels=[0]),
        lambda: stats.cohen_kappa([0, 1], [0, 1], labels=[0, 1, 1]),
        lambda: stats.cohen_kappa([0, 1], [0, 1], weights="cubic"),
        lambda: stats.cohen_kappa(["a", 1], [1, 1], weights="linear"),
        lambda: stats.cohen_kappa([[0], [1]], [0, 1]),
        lambda: stats.cohen_kappa(range(201), range(201)),
        lambda: stats.agreement_report([0, 1], [0, 1], positive=2),
        lambda: stats.brier([0, 1.1], [0, 1]),
        lambda: stats.brier([0, 1], [0, 0.5]),
        lambda: stats.brier([0, 1], [0]),
        lambda: stats.expected_calibration_error([0, 1], [0, 1], bins=0),
        lambda: stats.holm([0.1, 1.1]),
        lambda: stats.normalized_entropy([1, -1]),
        lambda: stats.normalized_entropy([0, 0]),
        lambda: stats.balance_score([1, 1], [0, 0]),
        lambda: stats.balance_score([1, 1], [1]),
        lambda: stats.pass_at_k([], 1),
        lambda: stats.pass_at_k([[1]], 0),
        lambda: stats.variance_components([[], []]),
    ],
)
def test_bad_calls_are_refused(call):
    with pytest.raises(InvalidArgument):
        call()


# Describe


@UNTIMED
@given(SCORES)
def test_describe_against_scipy(scores):
    found = stats.describe(scores)
    assert found.n == len(scores)
    assert found.mean == close(math.fsum(scores) / len(scores))
    assert found.std == close(pstdev(scores))
    percentiles = (found.p10, found.p25, found.median, found.p75, found.p90)
    expected = scipy.stats.mstats.mquantiles(scores, (0.1, 0.25, 0.5, 0.75, 0.9), alphap=1, betap=1)
    assert percentiles == pytest.approx(tuple(expected), abs=1e-12)
    assert (found.minimum, found.maximum) == (min(scores), max(scores))
    assert sum(found.histogram) == found.n
    assert len(found.histogram) == 10
    assert found.outside == 0
    assert 0 <= found.share_one <= found.share_above_zero <= 1
    assert 1 / found.n <= found.most_common_share <= 1


@UNTIMED
@given(st.permutations([0.0, 0.1, 0.1, 0.25, 0.3, 0.7, 1.0, 1.0, 1.0]))
def test_describe_does_not_depend_on_the_order(scores):
    found = stats.describe(scores)
    assert found.histogram == (1, 2, 1, 1, 0, 0, 0, 1, 0, 3)
    assert (found.most_common, found.most_common_share) == (1.0, 3 / 9)
    assert (found.share_above_zero, found.share_one) == (8 / 9, 3 / 9)


def test_describe_overlooks_rounding():
    # Weighted sums that mean 1, 0 and 0.3 but miss them by a bit.
    scores = [0.1 * 3 + 0.7 - 2e-16, 0.1 + 0.2 - 0.3, 0.1 + 0.2, 0.3, 1 - 0.7]
    found = stats.describe(scores)
    assert found.share_one == 1 / 5
    assert found.share_above_zero == 4 / 5
    assert (found.most_common, found.most_common_share) == (0.3, 3 / 5)
    assert found.histogram == (1, 0, 0, 3, 0, 0, 0, 0, 0, 1)


def test_every_tenth_falls_into_its_own_bin():
    found = stats.describe([i / 10 for i in range(10)])
    assert found.histogram == (1,) * 10


def test_scores_outside_the_range_are_counted():
    found = stats.describe([-1, 0.5, 2])
    assert found.outside == 2
    assert found.histogram == (1, 0, 0, 0, 0, 1, 0, 0, 0, 1)


# Several scores of each prompt


@UNTIMED
@given(BINARY_GROUPS, st.integers(1, 3))
def test_pass_at_k_against_enumeration(groups, k):
    draws = [list(itertools.combinations(group, k)) for group in groups]
    any_success = [sum(any(d) for d in drawn) / len(drawn) for drawn in draws]
    all_success = [sum(all(d) for d in drawn) / len(drawn) for drawn in draws]
    assert stats.pass_at_k(groups, k) == close(sum(any_success) / len(groups))
    assert stats.pass_hat_k(groups, k) == close(sum(all_success) / len(groups))


@UNTIMED
@given(BINARY_GROUPS)
def test_pass_at_k_rises_with_k_and_pass_hat_k_falls(groups):
    at = [stats.pass_at_k(groups, k) for k in (1, 2, 3)]
    hat = [stats.pass_hat_k(groups, k) for k in (1, 2, 3)]
    assert at == sorted(at)
    assert hat == sorted(hat, reverse=True)
    assert at[0] == close(hat[0])
    assert 0 <= hat[-1] <= at[-1] <= 1


def test_pass_at_k_of_many_samples_is_exact():
    group = [1.0] * 1 + [0.0] * 9_999
    assert stats.pass_at_k([group], 5_000) == close(0.5)


def test_pass_at_k_takes_a_threshold_and_overlooks_rounding():
    groups = [[0.7 + 0.2 + 0.1, 0.6]]
    assert stats.pass_at_k(groups, 1) == 0.5
    assert stats.pass_at_k(groups, 1, threshold=0.6) == 1
    assert stats.pass_hat_k(groups, 2, threshold=0.6) == 1


@pytest.mark.parametrize("function", [stats.pass_at_k, stats.pass_hat_k])
def test_pass_at_k_names_the_group_that_is_too_small(function):
    with pytest.raises(InvalidArgument, match=r"groups\[1\] has 1 rewards; k = 2"):
        function([[0, 1], [1]], 2)


@UNTIMED
@given(BINARY_GROUPS)
def test_mixed_share_counts_groups_that_differ(groups):
    expected = sum(len(set(group)) > 1 for group in groups) / len(groups)
    assert stats.mixed_share(groups) == close(expected)
    assert stats.mixed_share([[1 - score for score in group] for group in groups]) == close(
        expected
    )


def test_mixed_share_leaves_out_what_cannot_differ():
    assert stats.mixed_share([[0, 1], [1], [], [0.3, 0.1 + 0.2]]) == 0.5
    assert stats.mixed_share([[1], []]) is None
    assert stats.mixed_share([]) is None


def test_variance_components_of_equal_groups_are_the_mixed_models():
    from statsmodels.regression.mixed_linear_model import MixedLM

    rng = np.random.default_rng(1)
    scores = rng.normal(0, 0.4, (30, 1)) + rng.normal(0, 0.3, (30, 6))
    found = stats.variance_components(list(scores))
    model = MixedLM(scores.ravel(), np.ones(scores.size), groups=np.repeat(range(30), 6))
    fit = model.fit(reml=True, method="powell")
    assert found.within == pytest.approx(fit.scale, rel=1e-3)
    assert found.between == pytest.approx(float(fit.cov_re[0, 0]), rel=1e-3)
    total = found.within + found.between
    assert found.intraclass_correlation == close(found.between / total)


@UNTIMED
@given(st.lists(st.lists(SHARES, min_size=1, max_size=6), min_size=2, max_size=8))
def test_variance_components_of_unequal_groups_give_back_the_f_ratio(groups):
    found = stats.variance_components([*groups, []])
    sizes = [len(group) for group in groups]
    assert (found.prompts, found.scores) == (len(groups), sum(sizes))
    if max(sizes) == 1:
        assert (found.between, found.within, found.intraclass_correlation) == (None, None, None)
        return
    assert found.between >= 0
    assert found.within >= 0
    if found.between < 1e-6 or found.within < 1e-6:
        return
    typical = (sum(sizes) - sum(n * n for n in sizes) / sum(sizes)) / (len(sizes) - 1)
    ratio = (found.within + typical * found.between) / found.within
    assert ratio == pytest.approx(scipy.stats.f_oneway(*groups).statistic, rel=1e-6)


def test_variance_components_are_unbiased_for_unequal_groups():
    rng = np.random.default_rng(2)
    sizes = [2, 3, 5, 8, 12, 4, 6, 2, 9, 3]
    found = [
        stats.variance_components([rng.normal(rng.normal(0, 2), 1, n) for n in sizes])
        for _ in range(400)
    ]
    assert np.mean([f.within for f in found]) == pytest.approx(1, rel=0.05)
    assert np.mean([f.between for f in found]) == pytest.approx(4, rel=0.1)


def test_variance_components_that_the_data_cannot_tell_are_none():
    one_prompt = stats.variance_components([[0, 1, 1]])
    assert (one_prompt.between, one_prompt.within) == (None, close(1 / 3))
    constant = stats.variance_components([[0.1, 0.1], [0.1] * 7])
    assert constant.between == close(0)
    assert constant.intraclass_correlation is None
    apart = stats.variance_components([[0, 0], [1, 1]])
    assert (apart.between, apart.within, apart.intraclass_correlation) == (0.5, 0, 1)


# Agreement


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("weights", [None, "linear", "quadratic"])
@UNTIMED
@given(RATINGS)
def test_kappa_against_sklearn_and_statsmodels(weights, pairs):
    a, b = zip(*pairs, strict=True)
    labels = [0, 1, 2, 3]
    found = stats.cohen_kappa(a, b, weights=weights, labels=labels)
    assert -1 - 1e-12 <= found <= 1
    if len({*a, *b}) == 1:
        assert found == 0
        return
    expected = sklearn.metrics.cohen_kappa_score(a, b, weights=weights, labels=labels)
    assert found == close(expected)
    table = sklearn.metrics.confusion_matrix(a, b, labels=labels)
    wt = {None: None, "linear": "linear", "quadratic": "fc"}[weights]
    assert found == close(cohens_kappa(table, return_results=False, wt=wt))
    if labels == sorted({*a, *b}):
        assert stats.cohen_kappa(a, b, weights=weights) == found


@UNTIMED
@given(RATINGS, st.permutations(range(4)), st.randoms(use_true_random=False))
def test_kappa_does_not_change_under_relabelling_order_or_swap(pairs, names, random):
    a, b = zip(*pairs, strict=True)
    found = stats.cohen_kappa(a, b)
    assert stats.cohen_kappa(b, a) == close(found)
    renamed = ["wxyz"[names[x]] for x in a], ["wxyz"[names[x]] for x in b]
    assert stats.cohen_kappa(*renamed) == close(found)
    random.shuffle(pairs)
    assert stats.cohen_kappa(*zip(*pairs, strict=True)) == close(found)
    for weights in ("linear", "quadratic"):
        mirrored = [3 - x for x in a], [3 - x for x in b]
        expected = stats.cohen_kappa(a, b, weights=weights, labels=range(4))
        assert stats.cohen_kappa(*mirrored, weights=weights, labels=range(4)) == close(expected)


@UNTIMED
@given(st.lists(st.sampled_from("abc"), min_size=1))
def test_kappa_of_a_constant_rater_is_exactly_zero(ratings):
    for weights in (None, "linear", "quadratic"):
        assert stats.cohen_kappa(["a"] * len(ratings), ratings, weights=weights) == 0.0


def test_kappa_by_hand():
    # Cohen (1960), table 1 in shares of 200: observed 0.70, chance 0.41.
    table = [[88, 14, 18], [10, 40, 10], [2, 6, 12]]
    cells = [(i, j) for i in range(3) for j in range(3) for _ in range(table[i][j])]
    a, b = zip(*cells, strict=True)
    assert stats.agreement(a, b) == 0.7
    assert stats.cohen_kappa(a, b) == close((0.70 - 0.41) / (1 - 0.41))


def test_steps_of_a_scale_that_do_not_occur_widen_distances():
    a, b = [1, 1, 5, 5, 1], [1, 5, 5, 2, 2]
    given_scale = stats.cohen_kappa(a, b, weights="quadratic", labels=[1, 2, 3, 4, 5])
    assert given_scale != stats.cohen_kappa(a, b, weights="quadratic")
    assert given_scale == close(
        sklearn.metrics.cohen_kappa_score(a, b, weights="quadratic", labels=[1, 2, 3, 4, 5])
    )


def test_labels_of_mixed_kinds_agree_as_python_has_it():
    assert stats.agreement([1, 1.0, True, "1"], [1.0, True, 1, 1]) == 0.75
    assert stats.cohen_kappa(["yes", 1], ["yes", 1]) == 1
    assert stats.cohen_kappa(np.array([0, 1]), np.array([False, True])) == 1


@UNTIMED
@given(RATINGS)
def test_the_report_holds_the_same_numbers(pairs):
    a, b = zip(*pairs, strict=True)
    report = stats.agreement_report(a, b, samples=100)
    assert report.agreement.estimate == close(sklearn.metrics.accuracy_score(b, a))
    assert report.kappa.estimate == close(stats.cohen_kappa(a, b))
    assert report.positive == max({*a, *b})
    assert report.base_rate.estimate == close(np.mean(np.equal(b, report.positive)))
    assert report.constant_label == scipy.stats.mode(b).mode
    assert report.constant_baseline.estimate == close(np.mean(np.equal(b, report.constant_label)))
    for found in (report.agreement, report.kappa, report.base_rate, report.constant_baseline):
        assert (found.n, found.clusters) == (len(a), len(a))
        if len(a) > 1:
            assert -1 - 1e-12 <= found.low <= found.high <= 1


def test_the_report_counts_the_label_it_is_told():
    report = stats.agreement_report(["bad", "good"], ["bad", "bad"], positive="bad")
    assert (report.base_rate.estimate, report.positive, report.constant_label) == (1, "bad", "bad")


@UNTIMED
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=50))
def test_spearman_against_scipy(pairs):
    a, b = zip(*pairs, strict=True)
    found = stats.spearman(a, b, samples=40)
    if len(set(a)) == 1 or len(set(b)) == 1:
        assert found is None
        return
    assert found.estimate == close(scipy.stats.spearmanr(a, b).statistic)
    assert -1 <= found.estimate <= 1
    raised = [math.exp(x) for x in a]
    assert stats.spearman(raised, b, samples=40).estimate == close(found.estimate)
    lowered = [-x for x in a]
    assert stats.spearman(lowered, b, samples=40).estimate == close(-found.estimate)
    assert stats.spearman(a, a, samples=40).estimate == 1


# Calibration


@UNTIMED
@given(st.lists(st.tuples(SHARES, st.booleans()), min_size=1, max_size=60), st.integers(1, 12))
def test_calibration_error_and_brier_against_loops_and_sklearn(pairs, bins):
    confidences, correct = zip(*pairs, strict=True)
    members: dict[int, list[int]] = {}
    for i, confidence in enumerate(confidences):
        edges = [m for m in range(bins) if (m / bins < confidence <= (m + 1) / bins)]
        members.setdefault(edges[0] if edges else 0, []).append(i)
    expected = sum(
        abs(sum(correct[i] for i in bin_) - sum(confidences[i] for i in bin_))
        for bin_ in members.values()
    ) / len(pairs)
    found = stats.expected_calibration_error(confidences, correct, bins)
    assert found == close(expected)
    assert 0 <= found <= 1 + 1e-12
    score = stats.brier(confidences, correct)
    assert score == close(sklearn.metrics.brier_score_loss(correct, confidences, pos_label=True))
    assert found**2 <= score + 1e-9  # Jensen's inequality


def test_certain_and_right_has_no_calibration_error():
    assert stats.expected_calibration_error([0, 1, 1], [0, 1, True]) == 0
    assert stats.brier([0, 1, 1], [False, True, 1]) == 0
    assert stats.expected_calibration_error([1, 1], [0, 0]) == 1


# Balance


@UNTIMED
@given(COUNTS)
def test_entropy_against_scipy(counts):
    found = stats.normalized_entropy(counts)
    assert 0 <= found <= 1
    if len(counts) > 1:
        assert found == close(scipy.stats.entropy(counts) / math.log(len(counts)))
    assert stats.normalized_entropy(np.array(counts) * 0.37) == close(found)
    assert stats.normalized_entropy(counts[::-1]) == close(found)


@UNTIMED
@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 9)), min_size=1, max_size=9))
def test_balance_against_loops(pairs):
    counts, targets = zip(*pairs, strict=True)
    if not any(counts) or not any(targets):
        return
    ratios = [(count / sum(counts)) / (target / sum(targets)) for count, target in pairs if target]
    found = stats.balance_score(counts, targets)
    assert found == close(min(ratios) / max(ratios) if any(ratios) else 0)
    assert 0 <= found <= 1
    distance = stats.total_variation(counts, targets)
    shares, wanted = (np.array(side) / sum(side) for side in (counts, targets))
    assert distance == close(scipy.spatial.distance.cityblock(shares, wanted) / 2)
    assert 0 <= distance <= 1
    scaled = [count * 0.01 for count in counts], [target * 7 for target in targets]
    assert stats.balance_score(*scaled) == close(found)
    assert stats.total_variation(*scaled) == close(distance)


@UNTIMED
@given(COUNTS)
def test_uniform_targets_compare_the_smallest_topic_with_the_largest(counts):
    assert stats.balance_score(counts) == close(min(counts) / max(counts))
    assert stats.balance_score(counts, [3] * len(counts)) == close(stats.balance_score(counts))
    assert stats.total_variation(counts) == close(stats.total_variation(counts, [3] * len(counts)))


def test_balance_at_its_ends():
    assert stats.balance_score([5, 0], [1, 1]) == 0  # a topic with a target is empty
    assert stats.balance_score([5, 0], [1, 0]) == 1  # an empty topic that is not wanted
    assert stats.balance_score([0, 5], [1, 0]) == 0
    assert stats.balance_score([30, 70], [0.3, 0.7]) == close(1)
    assert stats.total_variation([1, 0], [0, 1]) == 1
    assert stats.normalized_entropy([5, 0, 0]) == 0
    assert stats.normalized_entropy([7]) == 1
    assert stats.normalized_entropy([5e-324, 5e-324]) == 1


# Real data


def test_tau_bench_airline():
    runs = json.loads((data_folder() / "datasets/tau_bench/gpt-4o-airline.json").read_text())
    tasks: dict[int, list[float]] = {}
    for run in runs:
        tasks.setdefault(run["task_id"], []).append(run["reward"])
    groups = list(tasks.values())
    assert {len(group) for group in groups} == {4}
    at = [round(stats.pass_at_k(groups, k), 3) for k in (1, 2, 3, 4)]
    hat = [round(stats.pass_hat_k(groups, k), 3) for k in (1, 2, 3, 4)]
    assert at == [0.42, 0.567, 0.66, 0.72]
    assert hat == [0.42, 0.273, 0.22, 0.2]
    assert stats.mixed_share(groups) == 26 / 50
    parts = stats.variance_components(groups)
    assert parts.within == close(np.mean([np.var(group, ddof=1) for group in groups]))
    scores = np.ravel(groups)
    found = stats.bootstrap_mean(scores, np.repeat(range(50), 4))
    naive = stats.bootstrap_mean(scores)
    assert found.low < naive.low < 0.42 < naive.high < found.high


def test_taskmaster_people_against_an_always_right_grader():
    path = data_folder() / "datasets/taskmaster4/reward_all.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    human = [row["reward"] for row in rows]
    assert len(human) == 3_228
    report = stats.agreement_report([1.0] * len(human), human)
    assert round(report.agreement.estimate, 3) == 0.860
    assert report.agreement == report.base_rate == report.constant_baseline
    assert (report.kappa.estimate, report.kappa.low, report.kappa.high) == (0.0, 0.0, 0.0)
    assert report.positive == report.constant_label == 1
    wilson = proportion_confint(sum(human), len(human), method="wilson")
    assert (report.base_rate.low, report.base_rate.high) == pytest.approx(wilson, abs=0.002)
    by_dialog = stats.agreement_report(
        [1.0] * len(human), human, [row["conversation_id"] for row in rows]
    )
    assert by_dialog.clusters == len({row["conversation_id"] for row in rows})
    assert by_dialog.base_rate.estimate == report.base_rate.estimate
    assert by_dialog.kappa.high == 0.0
