"""What a dry run says: every bound of its table, real rewards, resampled by what is independent."""

from __future__ import annotations

import json
from collections import defaultdict
from hashlib import sha256
from itertools import combinations
from statistics import fmean, pstdev

import msgspec
import numpy as np
import pytest
from builders import data_folder
from graded import graded
from hypothesis import given, settings
from hypothesis import strategies as st

from rft_widgets.errors import InvalidArgument
from rft_widgets.graders import compile_grader
from rft_widgets.model.dry_run_settings import DryRunSettings
from rft_widgets.model.message import message_from_json
from rft_widgets.model.record import RecordInput
from rft_widgets.model.report import DryRunReport, GradedAnswer
from rft_widgets.statistics import samples_to_decide
from rft_widgets.steps.dry_run import (
    Answer,
    Candidate,
    build_report,
    choose_sample,
    grade_answers,
)

QUICK = DryRunSettings(resamples=200)


def level(report, name):
    return next((check.level for check in report.checks if check.name == name), None)


def checks(rewards, **more):
    return build_report(graded(rewards, **more), settings=QUICK)


def two(a, b, n=100, share=0.5):
    """``n`` rewards, ``share`` of them ``a``, the others ``b``."""
    first = round(n * share)
    return [a] * first + [b] * (n - first)


# Rewards that were really given


@pytest.fixture(scope="module")
def airline():
    """Fifty prompts with four recorded answers each, and the rewards they had."""
    text = (data_folder() / "datasets" / "tau_bench" / "gpt-4o-airline.json").read_text()
    found = []
    for place, run in enumerate(json.loads(text)):
        policy = message_from_json({"role": "system", "content": run["traj"][0]["content"]})
        task = message_from_json({"role": "user", "content": run["info"]["task"]["instruction"]})
        prompt = RecordInput((policy, task))
        output = tuple(message_from_json(one) for one in run["traj"][2:])
        key = sha256(msgspec.json.encode(prompt)).hexdigest()
        found.append(
            Answer(
                record_id=f"run_{place}", prompt_key=key, repeat=run["trial"], input=prompt,
                output=output, item={"reward": run["reward"]}, cluster=f"conversation_{place}",
            )
        )  # fmt: skip
    return found


@pytest.fixture(scope="module")
def airline_graded(airline):
    grader = {
        "type": "python",
        "source": "def grade(sample, item):\n    return item['reward']\n",
    }
    rows = [Candidate(id=one.record_id, prompt_key=one.prompt_key) for one in airline]
    sample = choose_sample(rows, 300, k=4)
    assert {len(prompt.record_ids) for prompt in sample.prompts} == {4}
    by_id = {one.record_id: one for one in airline}
    chosen = [by_id[name] for prompt in sample.prompts for name in prompt.record_ids]
    with compile_grader(grader) as compiled:
        return grade_answers(compiled, chosen)


def test_real_rewards_give_the_published_figures(airline_graded):
    report = build_report(airline_graded)
    repeats = report.repeats
    assert repeats is not None
    assert {k: round(v, 3) for k, v in repeats.pass_at.items()} == {
        1: 0.42, 2: 0.567, 3: 0.66, 4: 0.72,
    }  # fmt: skip
    assert {k: round(v, 3) for k, v in repeats.pass_hat.items()} == {
        1: 0.42, 2: 0.273, 3: 0.22, 4: 0.2,
    }  # fmt: skip
    assert (repeats.prompts, repeats.unvaried_prompts) == (50, 24)
    assert repeats.mixed_share == pytest.approx(26 / 50)
    assert report.mean is not None
    # Four conversations of one prompt are no four independent ones.
    assert (report.mean.n, report.mean.clusters) == (200, 50)
    assert report.mean.estimate == pytest.approx(0.42)
    assert report.verdict == "CAUTION"
    assert {check.name for check in report.checks if check.level != "good"} == {
        "above_zero", "std",
    }  # fmt: skip
    assert "42% of the answers score above 0" in report.reasons[0]
    assert "split a binary reward" in report.reasons[1]
    assert {one.prompt_key for one in report.best} != {report.best[0].prompt_key}


def test_pass_at_k_is_what_drawing_k_answers_gives(airline_graded):
    groups = defaultdict(list)
    for one in airline_graded:
        groups[one.prompt_key].append(one.reward)
    repeats = build_report(airline_graded, settings=QUICK).repeats
    assert repeats is not None
    for k in range(1, 5):
        draws = [list(combinations(rewards, k)) for rewards in groups.values()]
        one = fmean(fmean(max(draw) for draw in found) for found in draws)
        every = fmean(fmean(min(draw) for draw in found) for found in draws)
        assert repeats.pass_at[k] == pytest.approx(one)
        assert repeats.pass_hat[k] == pytest.approx(every)


# The table


@pytest.mark.parametrize(
    ("mean", "expected", "words"),
    [
        (0.099, "fail", "nothing to start from"), (0.10, "warn", "earn little"),
        (0.249, "warn", "earn little"), (0.25, "good", "room"), (0.65, "good", "room"),
        (0.651, "warn", "harder"), (0.95, "warn", "harder"), (0.951, "warn", "unnecessary"),
    ],
)  # fmt: skip
def test_the_mean(mean, expected, words):
    report = checks(two(mean - 0.04, mean + 0.04))
    found = next(check for check in report.checks if check.name == "mean")
    assert (found.level, round(found.value, 6)) == (expected, mean)
    assert words in found.sentence


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.09, "fail"), (0.10, "warn"), (0.49, "warn"), (0.50, "good"), (1.0, "good")],
)
def test_the_share_above_zero(share, expected):
    assert level(checks(two(0.7, 0.0, share=share)), "above_zero") == expected


@pytest.mark.parametrize(
    ("std", "expected"),
    [
        (0.0499, "fail"), (0.05, "warn"), (0.0999, "warn"), (0.10, "good"), (0.35, "good"),
        (0.3501, "warn"),
    ],
)  # fmt: skip
def test_the_standard_deviation(std, expected):
    rewards = two(0.5 - std, 0.5 + std)
    assert pstdev(rewards) == pytest.approx(std)
    assert level(checks(rewards), "std") == expected


@pytest.mark.parametrize(("share", "expected"), [(0.50, "good"), (0.51, "warn")])
def test_the_share_of_ones(share, expected):
    assert level(checks(two(1.0, 0.3, share=share)), "perfect") == expected


@pytest.mark.parametrize(
    ("share", "expected"), [(0.70, "good"), (0.71, "warn"), (0.90, "warn"), (0.91, "fail")]
)
def test_one_value_repeated(share, expected):
    rest = 100 - round(100 * share)
    rewards = [0.4] * (100 - rest) + [0.5 + i / 200 for i in range(rest)]
    assert level(checks(rewards), "repeated_value") == expected


@pytest.mark.parametrize(("mean", "expected"), [(0.15, "good"), (0.149, "warn")])
def test_a_low_topic(mean, expected):
    report = checks([mean, 0.6] * 50, topics=("hard", "easy"))
    assert level(report, "topics") == expected
    if expected == "warn":
        assert any("'hard' (0.15 of 50)" in reason for reason in report.reasons)


def test_what_has_no_topic_is_no_topic():
    report = checks([0.0, 0.6] * 50, topics=(None, "easy"))
    assert level(report, "topics") == "good"
    assert [(one.topic, one.count) for one in report.topics] == [("easy", 50), (None, 50)]
    assert level(checks([0.2, 0.6] * 5), "topics") is None


@pytest.mark.parametrize(
    ("failed", "expected"), [(5, "good"), (6, "warn"), (20, "warn"), (21, "fail")]
)
def test_failed_gradings(failed, expected):
    report = checks([None] * failed + two(0.3, 0.6, n=100 - failed))
    assert level(report, "failed_gradings") == expected
    assert report.excluded == {"failed_grading": failed}
    assert report.scores is not None
    assert report.scores.n == 100 - failed
    assert any("it broke" in reason for reason in report.reasons) == (expected != "good")


@pytest.mark.parametrize(
    ("mixed", "expected"), [(9, "fail"), (10, "warn"), (29, "warn"), (30, "good")]
)
def test_prompts_with_mixed_scores(mixed, expected):
    same = [reward for i in range(100 - mixed) for reward in [0.2 + 0.5 * (i % 2)] * 2]
    report = checks([0.3, 0.6] * mixed + same, answers_per_prompt=2)
    assert level(report, "mixed") == expected
    assert report.repeats is not None
    assert report.repeats.unvaried_prompts == 100 - mixed


def test_go_is_possible_and_the_worst_level_decides():
    report = checks(two(0.3, 0.6))
    assert (report.verdict, report.reasons) == ("GO", ())
    assert report.fix_first == "Nothing needs to be fixed."
    assert (report.dataset_quality, report.grader_quality) == ("good", "good")
    assert report.summary.startswith("Mean: 0.45 [0.4")
    assert report.summary.endswith(" • GO")
    caution = checks(two(0.3, 0.6) + [None] * 8)
    assert (caution.verdict, caution.grader_quality) == ("CAUTION", "attention")
    no_go = checks(two(0.3, 0.6) + [None] * 30)
    assert (no_go.verdict, no_go.grader_quality) == ("NO_GO", "problem")


def test_failures_come_first_among_the_reasons():
    report = checks([None] * 8 + two(0.0, 0.12, n=92))
    levels = {check.sentence: check.level for check in report.checks}
    found = [levels[reason] for reason in report.reasons]
    assert found == sorted(found)  # "fail" before "warn"
    assert (found[0], found[-1]) == ("fail", "warn")
    assert report.checks[0].level == "warn"


def test_rewards_outside_0_to_1_are_to_be_normalised():
    rows = [
        msgspec.structs.replace(one, out_of_range=one.reward > 1)
        for one in graded(two(0.5, 4.0, n=60))
    ]
    report = build_report(rows)
    assert (report.verdict, level(report, "range")) == ("NO_GO", "fail")
    assert "30 of 60 rewards lie outside 0..1 (0.5 to 4): normalise" in report.reasons[0]
    assert report.grader_quality == "problem"


# How sure, and whose fault


def test_an_undecided_mean_says_how_many_more_decide_it():
    rewards = list(np.random.default_rng(5).uniform(0.0, 0.56, 60))
    report = checks(rewards)
    assert level(report, "interval") == "warn"
    assert report.more_samples == samples_to_decide(rewards, None, [0.1, 0.25, 0.65, 0.95])
    assert report.more_samples > 0
    assert any(f"{report.more_samples:,} more samples decide it." in r for r in report.reasons)
    longer = checks(rewards * (2 + report.more_samples // 60))
    assert level(longer, "interval") == "good"
    assert longer.more_samples is None


def test_the_nearest_bound_is_the_one_to_decide():
    rewards = list(np.random.default_rng(6).uniform(0.3, 0.95, 60))
    report = checks(rewards)
    assert "crosses 0.65; " in next(c.sentence for c in report.checks if c.name == "interval")
    assert report.more_samples == samples_to_decide(rewards, None, [0.65])
    assert level(checks([0.25] * 20), "interval") == "good"


def test_prompts_with_one_answer_say_nothing_about_repeats():
    rows = graded([0.0, 1.0, 0.5, 0.5], answers_per_prompt=2) + graded([0.3], prompt_key="alone")
    repeats = build_report(rows, settings=QUICK).repeats
    assert repeats is not None
    assert (repeats.prompts, repeats.mixed_share, list(repeats.pass_at)) == (2, 0.5, [1, 2])
    assert repeats.variance.scores == 4
    assert checks([0.2, 0.4]).repeats is None


def test_several_answers_a_prompt_are_counted_in_prompts_too():
    rewards = [reward for i in range(60) for reward in [i % 7 / 12] * 4]
    report = checks(rewards, answers_per_prompt=4)
    assert report.more_samples is not None
    prompts = -(-report.more_samples // 4)
    assert any(f"(about {prompts:,} prompts)" in reason for reason in report.reasons)


def test_a_mean_on_a_bound_is_never_decided_and_one_prompt_tells_nothing():
    assert any("no number of samples" in reason for reason in checks(two(0.15, 0.35)).reasons)
    alone = checks([0.3, 0.6, 0.4, 0.5], answers_per_prompt=4)
    assert (level(alone, "interval"), alone.verdict) == ("warn", "CAUTION")
    assert alone.summary == "Mean: 0.45 • CAUTION"


def test_low_and_flat_everywhere_points_to_the_grader():
    report = checks(two(0.0, 0.02), topics=("a", "b"))
    assert (report.grader_quality, report.dataset_quality) == ("problem", "good")
    assert report.fix_first.startswith("First the grader: ")


def test_low_and_flat_with_a_better_topic_points_to_the_data_as_well():
    report = checks([0.2, 0.2, 0.26] * 40, topics=("a", "b", "c"))
    assert report.scores is not None
    assert (report.scores.mean < 0.25, report.scores.std < 0.1) == (True, True)
    assert (report.grader_quality, report.dataset_quality) == ("problem", "attention")


def test_one_low_topic_points_to_the_data():
    report = checks([0.05, 0.5, 0.6, 0.45] * 30, topics=("hard", "a", "b", "c"))
    assert (report.grader_quality, report.dataset_quality) == ("good", "attention")
    assert "'hard'" in report.fix_first
    assert report.fix_first.startswith("The grader is fine")


def test_low_with_rare_successes_points_to_the_data_and_both_name_the_grader_first():
    report = checks(two(1.0, 0.0, share=0.08))
    assert report.dataset_quality == "problem"
    assert report.fix_first.startswith("First the grader: 92% of the scores are 0")
    assert " Then the data: " in report.fix_first


# The report as a value


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.sampled_from([0.0, 0.2, 0.5, 0.75, 1.0, None]), min_size=1, max_size=40),
    st.integers(1, 4),
    st.booleans(),
)
def test_any_answers_make_a_report_that_comes_back_from_json(rewards, per_prompt, with_topics):
    topics = ("<b>&x", "b$") if with_topics else (None,)
    rows = graded(rewards, answers_per_prompt=per_prompt, topics=topics)
    report = build_report(rows, settings=DryRunSettings(resamples=50))
    assert msgspec.json.decode(msgspec.json.encode(report), type=DryRunReport) == report
    levels = {check.level for check in report.checks}
    assert report.verdict == (
        "NO_GO" if "fail" in levels else "CAUTION" if "warn" in levels else "GO"
    )
    scored = [reward for reward in rewards if reward is not None]
    assert [one.reward for one in report.best] == sorted(
        (one.reward for one in report.best), reverse=True
    )
    assert len(report.best) == len(report.worst) == len(report.middle) == min(5, len(scored))
    if scored:
        assert report.best[0].reward == max(scored)
        assert report.worst[0].reward == min(scored)
        nearest = min(abs(reward - fmean(scored)) for reward in scored)
        assert abs(report.middle[0].reward - fmean(scored)) == pytest.approx(nearest)
        assert sum(report.scores.histogram) == sum(one.count for one in report.topics)
    assert "<b>&x" not in report._repr_html_()


def test_examples_are_of_different_prompts_while_there_are_enough():
    report = checks([1.0] * 8 + [0.5] * 8 + [0.2] * 8, answers_per_prompt=4)
    assert [one.prompt_key for one in report.best] == ["p0", "p1", "p2", "p3", "p4"]
    few = checks([1.0, 0.9, 0.8, 0.7, 0.1, 0.2], answers_per_prompt=3)
    assert [one.record_id for one in few.best] == ["r0", "r1", "r2", "r3", "r5"]


def test_a_partial_run_says_so():
    report = build_report(graded(two(0.3, 0.6, n=40)), planned=300, excluded={"invalid": 7})
    assert report.partial
    assert report.summary.endswith("partial: 40 of 300 answers")
    assert report.excluded == {"invalid": 7}
    assert not checks(two(0.3, 0.6)).partial
    with pytest.raises(InvalidArgument, match="no graded answer"):
        build_report([])


def test_html_holds_the_texts_and_nothing_of_them_runs():
    hostile = "<script>alert(1)</script>"
    rows = graded(
        [0.2, 0.9, None], topics=(hostile,), prompt=hostile, response=hostile, reasoning=hostile
    )
    text = build_report(rows)._repr_html_()
    assert "<script" not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3 * 6
    assert "http" not in text
    assert "failed_grading: 1" in text


def test_the_plot_shows_what_was_measured():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    report = checks([0.05, 0.55, 0.95, 1.0], topics=("costs $5 or $6", None))
    left, right = report.plot()
    assert [bar.get_height() for bar in left.patches] == list(report.scores.histogram)
    assert [bar.get_width() for bar in right.patches] == [0.5, 0.775]
    left.figure.canvas.draw()
    assert [label.get_text() for label in right.get_yticklabels()][1] == "(no topic)"
    plt.close(left.figure)


def test_a_stored_answer_without_defaults_reads_back():
    one = graded([0.5])[0]
    text = msgspec.json.encode(one)
    assert b"sub_rewards" not in text
    assert msgspec.json.decode(text, type=GradedAnswer) == one
