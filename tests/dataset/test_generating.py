"""The plan to generate, from what the store holds."""

from __future__ import annotations

import pytest
from builders import assistant, chat_line, draft, user

import rft_widgets as rft
from rft_widgets.errors import InvalidArgument, NotFound
from rft_widgets.model.generation import GenerationPlan

LONG = "word " * 400


@pytest.fixture
def dataset(workspace: rft.Workspace) -> rft.OptimizationDataset:
    made = workspace.create("labelled")
    made.add_records(chat_line(f"A question number {n} of A", topic="A") for n in range(60))
    made.add_records(
        {
            "messages": [user(f"{LONG} {n}"), assistant("Go on."), user(f"And then, {n}?")],
            "topic": "B",
        }
        for n in range(20)
    )
    made.set_topics(["A", "B", "C"])
    return made


def strategies(plan: GenerationPlan) -> dict[str, str]:
    return {one.topic: one.strategy for one in plan.topics}


def test_strategies_and_tokens_come_from_recorded_records(dataset: rft.OptimizationDataset) -> None:
    plan = dataset.plan_generation()
    assert strategies(plan) == {"B": "message_variation", "C": "topic_description"}
    assert plan.wanted == 7 + 27
    # What was generated tells nothing of how people write: the strategy stays.
    dataset.add_records(
        draft(f"A generated question {n} of C", topic="C", is_generated=True) for n in range(4)
    )
    assert strategies(dataset.plan_generation())["C"] == "topic_description"
    short = dataset.plan_generation({"source": "topics", "topics": ["A"], "records_per_topic": 1})
    long = dataset.plan_generation({"source": "topics", "topics": ["B"], "records_per_topic": 1})
    # A variation shows the whole conversation, and is one message.
    assert long.input_tokens - short.input_tokens == pytest.approx(len(LONG) / 4, rel=0.1)
    assert long.output_tokens < short.output_tokens < 20


def test_room_counts_every_record_and_what_was_generated_before(
    dataset: rft.OptimizationDataset,
) -> None:
    assert dataset.plan_generation(rft.GenerationConfig(max_synthetic_ratio=0.2)).room == 20
    dataset.add_records(
        draft(f"A generated question {n} of C", topic="C", is_generated=True) for n in range(10)
    )
    dataset.add_records([chat_line("short", topic="A")] * 5)  # invalid ones are records, too
    plan = dataset.plan_generation(rft.GenerationConfig(max_synthetic_ratio=0.2))
    assert plan.room == 11  # (10 + 11) / (95 + 11)
    assert plan.total == 11
    assert plan.synthetic_share == pytest.approx(21 / 106)


def test_plans_follow_targets(dataset: rft.OptimizationDataset) -> None:
    dataset.set_targets({"A": 75, "B": 25})
    plan = dataset.plan_generation()
    assert (plan.total, plan.topics, plan.balance_before) == (0, (), 1.0)
    dataset.set_targets({"A": 50, "B": 50})
    plan = dataset.plan_generation()
    assert {one.topic: one.wanted for one in plan.topics} == {"B": 20}
    report = dataset.coverage(near_duplicates=False)
    assert plan.balance_after == report.what_if({"B": 20}).balance_score


def test_what_cannot_be_planned_is_refused(
    dataset: rft.OptimizationDataset, workspace: rft.Workspace
) -> None:
    with pytest.raises(InvalidArgument, match="temperature"):
        dataset.plan_generation({"temperature": 3})
    with pytest.raises(InvalidArgument, match="no topic 'Z'"):
        dataset.plan_generation({"source": "topics", "topics": ["Z"]})
    assert workspace.create("empty").plan_generation().topics == ()
    workspace.delete(dataset.id)
    with pytest.raises(NotFound):
        dataset.plan_generation()
