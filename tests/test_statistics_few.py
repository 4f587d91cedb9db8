"""Statistics of few labels: against other implementations, and whether their intervals hold."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable

import numpy as np
import pytest
import sklearn.metrics
from builders import data_folder
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from rft_widgets.errors import InvalidArgument
from rft_widgets.statistics import (
    Confusion,
    Interval,
    bounded_mean,
    cohen_kappa,
    confusion,
    fit_threshold,
    ordering,
)

PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40)
SCORED = st.lists(
    st.tuples(st.floats(0, 1).map(lambda x: round(x, 2)), st.booleans()), min_size=2, max_size=30
)
SOME = settings(max_examples=20, deadline=None)
FEW = 200
"""Resamples where intervals are not looked at closely."""


def holds(found: Interval) -> bool:
    return (
        found.low is None or found.high is None or found.low <= found.estimate <= found.high
    )  # fmt: skip


@SOME
@given(PAIRS)
def test_a_confusion_is_what_other_implementations_say(pairs):
    first, second = zip(*pairs, strict=True)
    found = confusion(first, second, labels=range(5), weights="quadratic", samples=FEW)
    assert found.agreement.estimate == pytest.approx(sklearn.metrics.accuracy_score(second, first))
    assert found.kappa.estimate == pytest.approx(
        cohen_kappa(first, second, weights="quadratic", labels=range(5)), abs=1e-9
    )
    most = max(second.count(label) for label in range(5))
    assert found.constant_baseline.estimate == pytest.approx(most / len(second))
    assert found.gain.estimate == pytest.approx(
        found.agreement.estimate - found.constant_baseline.estimate
    )
    assert [one is None for one in found.recall] == [label not in second for label in range(5)]
    every = (found.agreement, found.kappa, found.base_rate, found.gain, *filter(None, found.recall))
    assert all(map(holds, every))
    assert all(-1e-9 <= one.estimate <= 1 + 1e-9 for one in filter(None, found.recall))


@SOME
@given(PAIRS, st.randoms(use_true_random=False))
def test_the_order_of_the_answers_does_not_matter(pairs, shuffled):
    clusters = [f"thread {place % 3}" for place in range(len(pairs))]
    rows = list(zip(pairs, clusters, strict=True))
    moved = list(rows)
    shuffled.shuffle(moved)
    one, other = (
        confusion(
            [a for (a, _), _ in some], [b for (_, b), _ in some], [c for _, c in some],
            labels=range(5), samples=FEW,
        )
        for some in (rows, moved)
    )  # fmt: skip
    assert one.kappa.estimate == pytest.approx(other.kappa.estimate, abs=1e-9)
    for name in ("agreement", "kappa"):
        first, second = getattr(one, name), getattr(other, name)
        if first.low is not None:
            assert (first.low, first.high) == pytest.approx((second.low, second.high), abs=1e-9)


def test_a_share_has_the_interval_of_jeffreys():
    for hits in (0, 3, 25, 49, 50):
        found = bounded_mean([1.0] * hits + [0.0] * (50 - hits), samples=40_000)
        low, high = proportion_confint(hits, 50, method="jeffreys")
        expected = (min(low, hits / 50), max(high, hits / 50))
        assert (found.low, found.high) == pytest.approx(expected, abs=0.004)


def test_values_that_are_all_equal_have_an_interval_of_some_width():
    found = bounded_mean([1.0] * 30)
    assert found.high == 1.0
    assert 0.85 < found.low < 0.97
    moved = bounded_mean([5.0] * 30, low=1, high=5)
    assert moved.low == pytest.approx(1 + 4 * found.low)


@SOME
@given(SCORED)
def test_ordering_is_the_area_under_the_curve(scored):
    scores, passed = zip(*scored, strict=True)
    found = ordering(scores, passed, samples=FEW)
    if len(set(passed)) == 1:
        assert found is None
        return
    assert found.estimate == pytest.approx(sklearn.metrics.roc_auc_score(passed, scores), abs=1e-9)
    assert holds(found)


def sharp(seed: int, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Scores, and people who pass from 0.7, but for one in twelve."""
    rng = np.random.default_rng(seed)
    scores = rng.random(n)
    return scores, (scores >= 0.7) ^ (rng.random(n) < 1 / 12)


def test_a_threshold_fit_recovers_a_known_cut():
    fits = [fit_threshold(*sharp(seed), seed=seed) for seed in range(25)]
    assert np.median([one.cut.estimate for one in fits]) == pytest.approx(0.7, abs=0.03)
    covered = [one.cut.low <= 0.7 <= one.cut.high for one in fits]
    assert np.mean(covered) >= 0.85
    flattered = np.mean([one.kappa for one in fits])
    tried = np.mean([one.tried.kappa.estimate for one in fits])
    grid = np.random.default_rng(1).random(20_000)
    human = (grid >= 0.7) ^ (np.random.default_rng(2).random(20_000) < 1 / 12)
    kappas = [sklearn.metrics.cohen_kappa_score(grid >= one.cut.estimate, human) for one in fits]
    truth = np.mean(kappas)
    # What a cut is worth on new labels is what leaving out says, not what it was chosen on says.
    assert abs(tried - truth) < abs(flattered - truth)
    assert flattered > truth


@SOME
@given(SCORED)
def test_no_other_cut_has_a_larger_kappa(scored):
    scores, passed = zip(*scored, strict=True)
    found = fit_threshold(scores, passed, samples=FEW)
    distinct = sorted(set(scores))
    cuts = [(a + b) / 2 for a, b in itertools.pairwise(distinct)]
    if found is None:
        assert not cuts or len(set(passed)) == 1
        return
    kappas = [cohen_kappa([s >= cut for s in scores], passed) for cut in cuts]
    assert found.kappa == pytest.approx(max(kappas), abs=1e-9)
    at = cohen_kappa([score >= found.cut.estimate for score in scores], passed)
    assert at == pytest.approx(found.kappa, abs=1e-9)
    assert holds(found.cut)


def test_what_cannot_be_is_refused():
    with pytest.raises(InvalidArgument, match="not one of"):
        confusion([0, 2], [0, 1], labels=(0, 1))
    with pytest.raises(InvalidArgument, match="at least two"):
        confusion([0], [0], labels=(0,))
    with pytest.raises(InvalidArgument, match="must lie in"):
        bounded_mean([0.5, 1.5])
    with pytest.raises(InvalidArgument, match="folds"):
        fit_threshold([0.1, 0.9], [False, True], folds=1)
    assert fit_threshold([0.5, 0.5], [False, True]) is None
    assert fit_threshold([0.1, 0.9], [True, True]) is None


# Taskmaster-4: what people said of 3,228 answers stands for all answers there are; a label set is a
# draw of few of them. Do the intervals of such draws hold what is true of all?

GRADERS: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "good": lambda human, rng: np.where(rng.random(len(human)) < 0.06, 1 - human, human),
    "lenient": lambda human, rng: np.where(rng.random(len(human)) < 0.7, 1, human),
    "chance": lambda human, rng: (rng.random(len(human)) < 0.8).astype(int),
    "nearly right": lambda human, rng: np.where(rng.random(len(human)) < 0.01, 1 - human, human),
}
MEASURES = ("agreement", "kappa", "base_rate", "gain")


def taskmaster() -> np.ndarray:
    path = data_folder() / "datasets/taskmaster4/reward_all.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return np.array([int(row["reward"]) for row in rows])


def coverage(grader: str, n: int, draws: int) -> dict[str, float]:
    """Share of the intervals from ``n`` labels that hold what is true of all answers."""
    human = taskmaster()
    said = GRADERS[grader](human, np.random.default_rng(1))

    def measured(which: np.ndarray, seed: int, samples: int) -> Confusion:
        return confusion(said[which], human[which], labels=(0, 1), seed=seed, samples=samples)

    truth = measured(np.arange(len(human)), 0, FEW)
    hits = dict.fromkeys(MEASURES, 0)
    rng = np.random.default_rng(2)
    for seed in range(draws):
        found = measured(rng.choice(len(human), n, replace=False), seed, 1_000)
        for name in MEASURES:
            interval: Interval = getattr(found, name)
            hits[name] += interval.low <= getattr(truth, name).estimate <= interval.high
    return {name: count / draws for name, count in hits.items()}


@pytest.mark.parametrize("grader", ["good", "lenient"])
def test_intervals_of_few_labels_cover_the_truth(grader):
    # 200 draws of a share of 0.95 vary by 0.015: below 0.90 lie three of their deviations.
    assert min(coverage(grader, 50, 200).values()) >= 0.90


@pytest.mark.slow
@pytest.mark.parametrize("n", [30, 50, 100])
@pytest.mark.parametrize("grader", GRADERS)
def test_intervals_cover_the_truth_for_any_grader_and_number(grader, n):
    found = coverage(grader, n, 1_500)
    assert min(found.values()) >= 0.90, found
    assert np.mean(list(found.values())) >= 0.93, found
