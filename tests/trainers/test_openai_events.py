"""Events of a fine-tuning job as a curve, and graders as services take them."""

from __future__ import annotations

import pytest
from fine_tuned import GRADER
from hypothesis import given, settings
from hypothesis import strategies as st

from rft_widgets.errors import InvalidArgument
from rft_widgets.graders.compile.hosted import LAST_USER, SYSTEM
from rft_widgets.model.grader import grader_from_json
from rft_widgets.trainers.openai.dialects import DIALECTS
from rft_widgets.trainers.openai.events import checkpoint_of, flat, new_events, point_of
from rft_widgets.trainers.openai.grader import service_grader


def same(reward):
    return reward


def pages_of(events, size):
    """A list as services page it."""

    def page(after):
        start = next((i + 1 for i, one in enumerate(events) if one["id"] == after), 0)
        return {
            "data": events[start : start + size],
            "has_more": start + size < len(events),
        }

    return page


@given(
    looks=st.lists(st.integers(0, 30), max_size=12),
    size=st.integers(1, 20),
    a_second=st.integers(1, 9),
    is_newest_first=st.booleans(),
)
def test_every_event_is_seen_once_whatever_the_pages_and_the_restarts(
    looks, size, a_second, is_newest_first
):
    seen, told, events = "", [], []
    for more in looks:
        for _ in range(more):
            number = len(events)
            events.append({"id": f"e{number}", "created_at": number // a_second})
        listed = events[::-1] if is_newest_first else events
        found, seen = new_events(pages_of(listed, size), seen)
        told += found
    assert len({one["id"] for one in told}) == len(told)
    assert [one["created_at"] for one in told] == sorted(one["created_at"] for one in told)
    if is_newest_first or a_second < size:
        assert {one["id"] for one in told} == {one["id"] for one in events}
    if is_newest_first:
        assert told == events


def test_thousands_of_events_are_read_once_and_the_newest_alone_afterwards():
    events = [{"id": f"e{i}", "created_at": i} for i in range(3_000)][::-1]
    asked = []

    def page(after):
        asked.append(after)
        return pages_of(events, 100)(after)

    found, seen = new_events(page, "")
    assert len(found) == 3_000
    assert len(seen) < 10_000
    asked.clear()
    events.insert(0, {"id": "new", "created_at": 3_000})
    found, seen = new_events(page, seen)
    assert ([one["id"] for one in found], len(asked)) == (["new"], 1)
    assert new_events(page, seen) == ([], seen)


def test_metrics_of_each_dialect_are_points_of_a_curve():
    told = {
        "step": 3, "total_steps": 9, "train_mean_reward": 2.0, "full_valid_mean_reward": None,
        "completion_tokens_mean": 80, "timing": {"step": {"full_iteration": 7.5}},
        "scores": {"graders": [{"name": "a", "type": "python", "train_reward_mean": 0.25}]},
        "note": "words", "is_odd": True, "bad": float("nan"),
    }  # fmt: skip
    point = point_of({"data": told}, DIALECTS["openai"], lambda reward: reward / 4)
    assert (point.step, point.train_reward, point.valid) == (3, 0.5, None)
    assert (point.completion_tokens, point.step_s) == (80, 7.5)
    assert point.metrics["scores/graders/python/a/train_reward_mean"] == 0.25
    assert not {"note", "is_odd", "bad"} & point.metrics.keys()
    told = {"step": 3, "critic_rewards_mean": 0.5, "actor_entropy": 0.9, "actor_grad_norm": 1.0}
    point = point_of({"data": told}, DIALECTS["bedrock"], same)
    assert (point.train_reward, point.entropy) == (0.5, 0.9)
    assert point.metrics["actor_grad_norm"] == 1.0
    for event in ({}, {"data": None}, {"data": {}}, {"data": {"step": 3}}, {"data": []}):
        assert point_of(event, DIALECTS["openai"], same) is None


@settings(max_examples=25)
@given(st.dictionaries(st.text(), st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)))  # fmt: skip
def test_no_shape_of_what_a_service_says_breaks_the_reading(value):
    assert all(isinstance(one, float) for one in flat(value).values())
    point_of({"data": value}, DIALECTS["azure"], same)
    checkpoint_of({"fine_tuned_model_checkpoint": "m", "step_number": 1, "metrics": value}, same)


# -- graders --------------------------------------------------------------------------------------


def served(value):
    return service_grader(grader_from_json(value), DIALECTS["openai"])


def test_short_names_of_templates_are_those_of_the_services():
    asked = "{{messages}} {{ response }} {{toolCalls[0].function.name}} {{ item.response }}"
    judge = {
        "type": "score_model", "model": "m", "input": [
            {"role": "system", "content": "{{systemPrompt}}"},
            {"role": "user", "content": f"{asked} {{{{lastUserMessage}}}} {{{{tools}}}}"},
        ],
    }  # fmt: skip
    found = served(judge)
    assert found.value["name"] == "score_model"
    assert found.value["input"][1]["content"] == (
        "{{ item.messages }} {{ sample.output_text }} {{ sample.output_tools[0].function.name }} "
        "{{ item.response }} {{ item.rft_last_user_message }} {{ item.tools }}"
    )
    assert (found.models, found.row_fields) == (("m",), frozenset({LAST_USER, SYSTEM}))
    assert not found.reads_json
    assert served(GRADER).row_fields == frozenset()


def test_a_label_model_alone_is_made_the_part_of_a_combination():
    label = {
        "type": "label_model", "name": "tone", "model": "m", "labels": ["kind", "rude"],
        "passing_labels": ["kind"], "input": [{"role": "user", "content": "{{response}}"}],
    }  # fmt: skip
    value = served(label).value
    assert (value["type"], value["calculate_output"]) == ("multi", "label")
    assert value["graders"]["label"]["labels"] == ["kind", "rude"]
    both = {"type": "multi", "graders": {"a": GRADER, "b": label}, "calculate_output": "a*b"}
    found = served(both)
    assert set(found.value["graders"]) == {"a", "b"}
    assert found.models == ("m",)


def test_scripts_are_sent_as_they_are_and_told_apart_by_what_they_read():
    source = "def grade(sample, item):\n    return 1.0 if '{{x}}' in sample['output_text'] else 0.0"
    found = served({"type": "python", "source": source})
    assert found.value["source"] == source
    assert not found.reads_json
    reads = source.replace("output_text", "output_json")
    assert served({"type": "python", "source": reads}).reads_json
    with pytest.raises(InvalidArgument, match="256 kB"):
        served({"type": "python", "source": source + "#" * 256_000})
