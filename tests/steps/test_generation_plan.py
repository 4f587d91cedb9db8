"""What generating would come to: as much as is wanted, and no more than there is room for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.coverage import measure
from rft_widgets.model.generation import DifficultyMix, GenerationConfig, TopicShape
from rft_widgets.steps.generation import choose_strategy, plan_generation

SINGLE = TopicShape(multi_turn=0.1, prompt_tokens=40.0, message_tokens=30.0)
MULTI = TopicShape(multi_turn=0.8, prompt_tokens=200.0, message_tokens=50.0)


def coverage(counts, targets=None):
    return measure(counts, targets or dict.fromkeys(counts, 100 / len(counts)))


def plan(counts, *, targets=None, generated=0, shapes=None, selected=None, **config):
    return plan_generation(
        coverage(counts, targets),
        GenerationConfig(**config),
        total=sum(counts.values()),
        generated=generated,
        shapes=shapes or {},
        selected=selected,
    )


def by_topic(made):
    return {one.topic: one.to_generate for one in made.topics}


def test_gaps_are_filled_where_there_is_room():
    made = plan({"a": 100, "b": 80, "c": 60})
    assert by_topic(made) == {"c": 20}
    assert (made.total, made.wanted, made.room) == (20, 20, 102)
    assert made.balance_before == pytest.approx(0.6)
    assert made.balance_after == pytest.approx(0.8)
    assert made.synthetic_share == pytest.approx(20 / 260)


def test_little_room_goes_where_the_balance_gains_most():
    made = plan({"a": 100, "b": 10, "c": 0}, max_synthetic_ratio=0.1)
    assert made.room == 12
    assert by_topic(made) == {"b": 1, "c": 11}  # 11 each: as even as it gets
    assert made.wanted == 27 + 37
    assert plan({"a": 100, "b": 10}, max_synthetic_ratio=0).total == 0


def test_what_was_generated_before_counts():
    assert plan({"a": 70, "b": 30}, generated=30, max_synthetic_ratio=0.3).room == 0
    assert plan({"a": 70, "b": 30}, generated=60, max_synthetic_ratio=0.3).room == 0


def test_a_topic_that_should_have_nothing_gets_nothing():
    made = plan({"a": 50, "b": 0}, targets={"a": 100.0, "b": 0.0})
    assert made.topics == ()
    assert made.balance_after == made.balance_before == 1.0


def test_topics_by_name_and_records_by_selection():
    named = plan({"a": 50, "b": 50}, source="topics", topics=("b", "b"), records_per_topic=4)
    assert by_topic(named) == {"b": 4}
    chosen = plan(
        {"a": 50, "b": 50}, source="selected", variations_per_record=2, selected={"a": 3, "gone": 9}
    )
    assert by_topic(chosen) == {"a": 6}
    assert chosen.topics[0].strategy == "message_variation"
    with pytest.raises(InvalidArgument, match="no topic 'x'"):
        plan({"a": 1}, source="topics", topics=("x",))


def test_strategies_follow_the_records():
    assert choose_strategy(0, None) == "topic_description"
    assert choose_strategy(5, SINGLE) == "few_shot"
    assert choose_strategy(5, MULTI) == "message_variation"
    shapes = {"a": SINGLE, "b": MULTI}
    made = plan({"a": 20, "b": 20, "c": 0, "d": 400}, shapes=shapes)
    assert {one.topic: one.strategy for one in made.topics} == {
        "a": "few_shot", "b": "message_variation", "c": "topic_description",
    }  # fmt: skip
    same = plan({"a": 20, "c": 0, "d": 400}, shapes=shapes, strategy="tool_chain")
    assert {one.topic: one.strategy for one in same.topics} == {
        "a": "tool_chain", "c": "topic_description",
    }  # fmt: skip


def test_tokens_grow_with_what_is_asked_and_cost_is_not_guessed():
    small = plan({"a": 10, "b": 90}, shapes={"a": SINGLE})
    large = plan({"a": 10, "b": 90}, shapes={"a": MULTI})
    assert 0 < small.input_tokens < large.input_tokens
    assert 0 < small.output_tokens < large.output_tokens
    assert small.estimate is None
    assert (small.calls, large.calls) == (8, 14)  # 40 records: 5 a request, 3 of each record
    many = plan({"a": 10, "b": 90}, shapes={"a": SINGLE}, candidates_per_request=20)
    assert (many.calls, many.output_tokens) == (2, small.output_tokens)
    assert many.input_tokens < small.input_tokens


def test_settings_that_contradict_each_other_are_refused():
    with pytest.raises(InvalidArgument, match="longer than the longest"):
        plan({"a": 1}, min_length=30, max_length=20)
    with pytest.raises(InvalidArgument, match="no scenario"):
        plan({"a": 1}, strategy="scenario_expansion", scenario=" ")
    with pytest.raises(InvalidArgument, match="weight 0"):
        plan({"a": 1}, difficulty=DifficultyMix(easy=0, medium=0, hard=0))


def test_nothing_there_nothing_planned():
    made = plan({"a": 0, "b": 0})
    assert (made.total, made.balance_before, made.synthetic_share) == (0, None, 0.0)


counts_of = st.dictionaries(
    st.sampled_from("abcdef"), st.integers(0, 5_000), min_size=1, max_size=6
)


@given(
    counts=counts_of,
    ratio=st.floats(0, 0.9),
    part=st.floats(0, 1),
    weights=st.lists(st.integers(0, 9), min_size=6, max_size=6),
)
def test_never_more_than_wanted_nor_than_there_is_room(counts, ratio, part, weights):
    total = sum(counts.values())
    generated = int(part * total)
    chosen = dict(zip(counts, weights, strict=False))
    whole = sum(chosen.values())
    targets = {path: 100 * one / whole for path, one in chosen.items()} if whole else None
    made = plan(counts, targets=targets, generated=generated, max_synthetic_ratio=ratio)
    for one in made.topics:
        assert 0 <= one.to_generate <= one.wanted
    assert made.total == sum(one.to_generate for one in made.topics) == min(made.wanted, made.room)
    if made.total:
        assert generated + made.total <= ratio * (total + made.total) + 1e-6 * (total + 1)
        assert made.balance_after is not None
        assert made.balance_after >= (made.balance_before or 0.0) - 1e-9
