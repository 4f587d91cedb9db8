"""Two dry runs beside each other, and which of their answers depend on each other."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from graded import graded
from hypothesis import given
from hypothesis import strategies as st

from rft_widgets.errors import InvalidArgument
from rft_widgets.statistics import bootstrap_mean
from rft_widgets.steps.dry_run import build_report, compare_runs
from rft_widgets.steps.dry_run.units import independent_units


def test_two_runs_are_paired_by_what_both_graded():
    before = graded([0.2, 0.4, None, 0.6, 0.5])
    after = list(reversed(graded([0.3, 0.4, 0.9, None, 0.5, 1.0])))[:5]  # r0 is missing, r5 is new
    found = compare_runs(before, after)
    assert (found.matched, found.unscored, found.only_before, found.only_after) == (2, 2, 1, 1)
    assert found.overall.difference.estimate == pytest.approx(0.0)
    assert found.summary.endswith("on 2: no clear change")
    with pytest.raises(InvalidArgument, match="in common"):
        compare_runs(before, [])


def test_prompts_are_compared_by_their_means():
    before = graded([0.0, 1.0] * 40, answers_per_prompt=2)
    after = graded([1.0, 1.0, 0.7, 0.9] * 40, answers_per_prompt=4)
    found = compare_runs(before, after, by="prompt")
    assert (found.matched, found.overall.n) == (40, 40)
    assert found.overall.before_mean == pytest.approx(0.5)
    assert found.overall.after_mean == pytest.approx(0.9)
    assert found.overall.verdict == "improved"


def test_pairs_of_one_prompt_are_resampled_together():
    before = graded([0.2, 0.4] * 20, answers_per_prompt=2, topics=("old",))
    after = graded([0.3, 0.6] * 20, answers_per_prompt=2, topics=("new",))
    found = compare_runs(before, after)
    assert (found.overall.n, found.overall.clusters) == (40, 20)
    assert [one.topic for one in found.topics] == ["new"]


def test_topics_are_corrected_for_their_number():
    rng = np.random.default_rng(0)
    topics = [f"t{i:02}" for i in range(20)]
    before = graded(rng.random(600), topics=topics)
    after = [
        msgspec.structs.replace(
            one, reward=one.reward + rng.normal(0.3 if one.topic == "t00" else 0.0, 0.1)
        )
        for one in before
    ]
    found = compare_runs(before, after)
    assert [one.topic for one in found.topics] == topics
    assert [one.topic for one in found.topics if one.verdict != "no_clear_change"] == ["t00"]
    ordered = sorted(found.topics, key=lambda one: one.difference.p_value)
    assert ordered[0].adjusted_p_value == pytest.approx(20 * ordered[0].difference.p_value)
    assert msgspec.json.decode(msgspec.json.encode(found), type=type(found)) == found
    assert "<td style='text-align:left'>t00</td>" in found._repr_html_()


def test_a_comparison_of_hostile_names_is_escaped():
    rows = graded([0.2, 0.9], topics=("<script>alert(1)</script>",))
    text = compare_runs(rows, rows)._repr_html_()
    assert "<script" not in text
    assert "&lt;script&gt;" in text


# What depends on what


def test_conversations_and_prompts_are_joined():
    rows = [
        msgspec.structs.replace(one, cluster=cluster, prompt_key=prompt)
        for one, (cluster, prompt) in zip(
            graded([0.5] * 6),
            [("c1", "p1"), ("c1", "p2"), ("c2", "p2"), (None, "p3"), (None, "p3"), ("p3", "p4")],
            strict=True,
        )
    ]
    units = independent_units(rows)
    assert units[0] == units[1] == units[2]
    assert units[3] == units[4]
    assert len({units[0], units[3], units[5]}) == 3


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=25))
def test_units_are_the_connected_components(pairs):
    rows = [
        msgspec.structs.replace(one, cluster=f"c{c}" if c else None, prompt_key=f"p{p}")
        for one, (c, p) in zip(graded([0.5] * len(pairs)), pairs, strict=True)
    ]
    names = list(range(len(rows)))  # labels spread until nothing changes
    for _ in rows:
        for i, (c, p) in enumerate(pairs):
            for j, (d, q) in enumerate(pairs):
                if p == q or (c and c == d):
                    names[i] = names[j] = min(names[i], names[j])
    units = independent_units(rows)
    for i in range(len(rows)):
        for j in range(len(rows)):
            assert (units[i] == units[j]) == (names[i] == names[j])


def test_the_interval_is_that_of_whole_conversations():
    rewards = [(i // 5) / 12 for i in range(60)]
    rows = [
        msgspec.structs.replace(one, cluster=f"c{place // 5}")
        for place, one in enumerate(graded(rewards))
    ]
    report = build_report(rows, seed=3)
    assert report.mean == bootstrap_mean(rewards, [i // 5 for i in range(60)], seed=3)
    assert report.mean != bootstrap_mean(rewards, seed=3)
