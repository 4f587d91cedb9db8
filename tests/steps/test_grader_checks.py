"""A grader on a few answers, and against what people say."""

from __future__ import annotations

import json
from statistics import pstdev

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics
from builders import data_folder
from graded import answer
from hypothesis import given, settings
from hypothesis import strategies as st

from rft_widgets.errors import InvalidArgument
from rft_widgets.graders import compile_grader
from rft_widgets.steps.grader_labels import grader_against_labels
from rft_widgets.steps.grader_test import try_grader


def tried(rewards):
    """Test a script that gives these rewards; it fails where there is none."""
    rows = [
        answer(f"r{i}", f"Question {i} of the test", f"Answer {i}", item={"reward": reward})
        for i, reward in enumerate(rewards)
    ]
    source = "def grade(sample, item):\n    return float(item['reward'])\n"
    with compile_grader({"type": "python", "source": source}) as compiled:
        return try_grader(compiled, rows)


@pytest.mark.parametrize(
    ("rewards", "sentence"),
    [
        ([0.0, 0.5, 1.0, 0.7, 0.2], "Good variance - the grader differentiates"),
        ([0.91, 0.95, 1.0, 1.0, 0.99], "Too lenient"),
        ([1.0] * 5, "Too lenient"),
        ([0.9, 1.0, 1.0, 1.0, 1.0], "No variance"),
        ([0.0] * 5, "Too strict"),
        ([0.0, 0.05, 0.09], "Too strict"),
        ([0.1, 0.1], "No variance"),
        ([0.4, 0.5, 0.55, 0.45, 0.5], "No variance"),
        ([0.4, 0.6], "Good variance - the grader differentiates"),
        ([None, 1.0, 0.0], "Good variance - the grader differentiates"),
        ([None] * 3, "No score - every grading failed"),
    ],
)
def test_one_sentence_says_what_a_grader_is_worth(rewards, sentence):
    found = tried(rewards)
    assert found.sentence == sentence
    scored = [reward for reward in rewards if reward is not None]
    assert found.failures == len(rewards) - len(scored)
    if scored:
        assert found.std == pytest.approx(pstdev(scored))
        assert (found.minimum, found.maximum) == (min(scored), max(scored))
    else:
        assert (found.mean, found.std, found.minimum, found.maximum) == (None,) * 4


def test_a_test_shows_prompt_response_score_and_reason_together():
    found = tried([0.25, None])
    assert [(one.prompt, one.response, one.reward) for one in found.answers] == [
        ("[USR] Question 0 of the test", "Answer 0", 0.25),
        ("[USR] Question 1 of the test", "Answer 1", None),
    ]
    page = found._repr_html_()
    assert page.index("Question 0") < page.index("Answer 0") < page.index("no score")
    assert "TypeError" in page


# Labels


def test_a_grader_that_always_passes_is_told_so():
    path = data_folder() / "datasets" / "taskmaster4" / "reward_all.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    labels = [row["reward"] for row in rows]
    found = grader_against_labels(
        [1.0] * len(rows), labels, [row["conversation_id"] for row in rows]
    )
    report = found.agreement
    assert report.n == 3_228
    assert round(report.base_rate.estimate, 3) == 0.860
    assert report.agreement.estimate == report.constant_baseline.estimate
    assert (report.kappa.estimate, report.kappa.low, report.kappa.high) == (0.0, 0.0, 0.0)
    assert found.rank_correlation is None
    assert found.sentence == (
        "The grader agrees with people on 86% of 3,228 answers (passed from 0.5); always saying "
        "'passed' would agree on 86%. Cohen's kappa is 0.00 [0.00, 0.00]: no better than chance."
    )


def test_numeric_scores_are_cut_at_the_threshold_and_ranked():
    rng = np.random.default_rng(1)
    labels = (rng.random(200) < 0.5).astype(float)
    scores = np.clip(0.3 + 0.35 * labels + rng.normal(0, 0.15, 200), 0, 1)
    found = grader_against_labels(list(scores), list(labels))
    passed = (scores >= 0.5).astype(int)
    assert found.threshold == 0.5
    assert found.agreement.agreement.estimate == pytest.approx((passed == labels).mean())
    assert found.agreement.kappa.estimate == pytest.approx(
        sklearn.metrics.cohen_kappa_score(passed, labels)
    )
    assert found.rank_correlation is not None
    assert found.rank_correlation.estimate == pytest.approx(
        scipy.stats.spearmanr(scores, labels).statistic
    )
    assert "says more than chance would" in found.sentence
    assert "rank correlation" in found.sentence


def test_the_right_order_with_the_wrong_bound_is_no_stand_in():
    labels = [place / 100 for place in range(100)]
    found = grader_against_labels([0.4 * label for label in labels], labels)
    assert "no better than chance" in found.sentence
    assert "orders answers as people do, but passes others" in found.sentence
    assert "stand in for people" not in found.sentence


@pytest.mark.parametrize(
    ("noise", "words"),
    [(0.0, "it can stand in for people"), (1.0, "usable, with care"), (2.0, "fix the grader")],
)
def test_scores_of_people_are_taken_too(noise, words):
    rng = np.random.default_rng(2)
    labels = rng.random(300)
    found = grader_against_labels(list(labels + noise * rng.random(300)), list(labels))
    assert found.rank_correlation is not None
    assert found.rank_correlation.estimate == pytest.approx(
        {0.0: 1.0, 1.0: 0.7, 2.0: 0.45}[noise], abs=0.1
    )
    assert found.sentence.endswith(f"{words}.")


def test_the_threshold_itself_passes():
    found = grader_against_labels([0.5, 0.4999, 0.5, 0.0], [1, 0, 1, 0])
    assert found.agreement.agreement.estimate == 1.0


def test_what_is_missing_is_left_out_and_counted():
    found = grader_against_labels([1.0, None, 0.0, 1.0, None], [1, 1, 0, None, None], list("aabbc"))
    assert (found.agreement.n, found.unscored, found.unlabelled) == (2, 1, 2)
    assert found.agreement.clusters == 2


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_agreement_and_kappa_are_scikit_learns(pairs):
    scores, labels = (list(side) for side in zip(*pairs, strict=True))
    found = grader_against_labels(scores, labels).agreement
    assert found.agreement.estimate == pytest.approx(np.mean(np.equal(scores, labels)))
    constant = max(np.mean(labels), 1 - np.mean(labels))
    assert found.constant_baseline.estimate == pytest.approx(constant)
    assert found.base_rate.estimate == pytest.approx(np.mean(labels))
    if len(set(scores)) > 1 and len(set(labels)) > 1:
        assert found.kappa.estimate == pytest.approx(
            sklearn.metrics.cohen_kappa_score(scores, labels)
        )
    else:
        assert found.kappa.estimate == 0.0


@pytest.mark.parametrize(
    ("scores", "labels"),
    [([1.0], [1, 0]), ([None], [1]), ([], []), ([float("nan")], [1]), ([1.0], [2]), ([0.5], [-1])],
)
def test_what_cannot_be_compared_is_refused(scores, labels):
    with pytest.raises(InvalidArgument):
        grader_against_labels(scores, labels)
