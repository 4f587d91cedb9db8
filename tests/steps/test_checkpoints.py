"""What a comparison of checkpoints finds in answers and rewards that are known."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from rft_widgets.graders import compile_grader
from rft_widgets.model.checkpoints import CheckpointComparison
from rft_widgets.model.message import FunctionCall, Message, ToolCall
from rft_widgets.model.record import Record, RecordInput, RecordOutput
from rft_widgets.steps.checkpoint_probes import echo_share, identical_share, repeated_share
from rft_widgets.steps.checkpoints import (
    CheckpointAnswer,
    CheckpointAnswers,
    ComparedRun,
    compare,
    grade_checkpoints,
)

N = 60
NOW = datetime(2026, 6, 1, tzinfo=UTC)
LONG = "one two three four five six seven eight nine ten eleven twelve"


def records(n: int = N) -> list[Record]:
    chance = random.Random(1)
    made = []
    for i in range(n):
        words = " ".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=12))
        made.append(
            Record(
                id=f"r{i:03}", dataset_id="d", input=RecordInput((Message("user", words),)),
                output=RecordOutput(()), item={}, metadata={}, span_id=None, thread_id=None,
                topic="billing" if i % 3 else "shipping", topic_confidence=None,
                topic_method=None, topic_runner_up=None, previous_topic=None, is_generated=False,
                source_record_id=None, is_valid=True, validation_errors=(), dry_run_score=None,
                tokens=10, version=1, created_at=NOW, updated_at=NOW,
            )
        )  # fmt: skip
    return made


def said(text: str | None, *, tokens: int | None = None, **more: object) -> CheckpointAnswer:
    message = Message("assistant", text, **more)  # type: ignore[arg-type]
    return CheckpointAnswer(message, "stop", tokens, 10, 0.5)


def answers(step: int, *texts: str | None, tokens: int | None = None) -> CheckpointAnswers:
    given = texts * N if len(texts) == 1 else texts
    return CheckpointAnswers(
        step, tuple(None if text is None else said(text, tokens=tokens) for text in given)
    )


def rewards(seed: int, share: float) -> tuple[float | None, ...]:
    chance = random.Random(seed)
    return tuple(float(chance.random() < share) for _ in range(N))


def compared(served: int, *given: tuple[CheckpointAnswers, tuple[float | None, ...]]) -> (
    CheckpointComparison
):  # fmt: skip
    run = ComparedRun(
        job_id="job_1", served_step=served, left_out=(), grader_version=1, grader_hash="h"
    )
    return compare(records(), [one for one, _ in given], [two for _, two in given], run)


def test_a_better_checkpoint_is_named_and_not_chosen():
    found = compared(
        30,
        (answers(0, "before"), rewards(1, 0.2)),
        (answers(10, "ten"), rewards(2, 0.4)),
        (answers(20, "twenty"), rewards(3, 0.95)),
        (answers(30, "thirty"), rewards(4, 0.4)),
    )
    assert (found.suggested_step, found.best_step, found.last_step) == (20, 20, 30)
    assert found.sentence.startswith("Step 20 is clearly better than step 30, which is served: +")
    assert any("flattered" in note for note in found.notes)
    before, _, best, last = found.checkpoints
    assert best.is_served is False
    assert last.is_served is True
    assert best.against_best is None
    assert best.against_last.verdict == "improved"
    assert last.against_best.verdict == "regressed"
    assert last.against_best.difference.low == pytest.approx(-best.against_last.difference.high)
    assert before.against_reference is None
    assert best.against_reference.difference.estimate == pytest.approx(
        best.reward.estimate - before.reward.estimate
    )
    topics = {(one.topic, one.step): one.difference for one in found.topics}
    assert len(topics) == 2 * 3
    assert topics["billing", 20].verdict == "improved"
    assert topics["billing", 20].adjusted_p_value >= topics["billing", 20].p_value
    assert found.to_json()
    assert "step 20 (best)" in found._repr_html_()


@pytest.mark.parametrize(
    ("served", "given", "words"),
    [
        (20, (0.1, 0.9, 0.9), "No checkpoint is clearly better than another: the last one is "
         "served, and it is clearly better than the model from before"),
        (10, (0.1, 0.9, 0.9), "No checkpoint is clearly better than another: step 10 is served"),
        (20, (0.5, 0.1, 0.9), "No checkpoint is clearly better than the last one, which is served"),
        (20, (0.9, 0.1, 0.1), "Step 20, which is served, is clearly worse than the model from "),
        (0, (0.5, 0.5, 0.5), "No checkpoint is clearly better than the model from before, which "),
        (20, (0.5, 0.5, 0.5), "not clearly better than the model from before."),
    ],
)  # fmt: skip
def test_what_follows_in_words(served, given, words):
    found = compared(
        served,
        *((answers(10 * at, f"answer {at}"), rewards(at, share)) for at, share in enumerate(given)),
    )
    assert words in found.sentence
    assert found.suggested_step is None


def test_what_is_missing_is_no_zero():
    chance = random.Random(5)
    some = tuple(f"answer {i}" if i % 4 else None for i in range(N))
    graded = tuple(
        None if text is None or i % 10 == 1 else float(chance.random() < 0.5)
        for i, text in enumerate(some)
    )
    found = compared(10, (answers(0, "before"), rewards(1, 0.5)), (answers(10, *some), graded))
    one = found.checkpoints[1]
    assert (one.answers, one.no_answer) == (45, 15)
    assert one.failed_gradings == sum(
        text is not None and reward is None for text, reward in zip(some, graded, strict=True)
    )
    assert one.against_reference.n == sum(reward is not None for reward in graded)
    nothing = compared(10, (answers(0, None), (None,) * N), (answers(10, "ten"), rewards(1, 0.5)))
    assert nothing.checkpoints[0].reward is None
    assert "the model from before has no answer" in nothing.sentence


def test_lengths_are_tokens_only_where_all_are_counted():
    first = (answers(0, "a b", tokens=2), rewards(1, 0.5))
    counted = compared(10, first, (answers(10, "a b c", tokens=3), rewards(1, 0.5)))
    assert counted.length_unit == "tokens"
    assert [one.length.estimate for one in counted.checkpoints] == [2, 3]
    assert counted.checkpoints[1].cost_micro_usd == 10
    assert counted.checkpoints[1].seconds == 0.5
    other = compared(10, first, (answers(10, "a b c"), rewards(1, 0.5)))
    assert other.length_unit == "characters"
    assert [one.length.estimate for one in other.checkpoints] == [3, 5]


def test_answers_that_please_and_say_nothing_are_flagged():
    before = tuple(f"{i} {LONG}" for i in range(N))
    loop = tuple(f"{i} " + "please like this answer very much " * 8 for i in range(N))
    found = compared(
        20,
        (answers(0, *before), rewards(1, 0.1)),
        (answers(10, LONG), rewards(1, 0.1)),
        (answers(20, *loop), rewards(2, 0.9)),
    )
    flagged = [{p.name for p in one.probes if p.flagged} for one in found.checkpoints]
    assert flagged == [set(), {"identical"}, {"repetition", "length", "reward_by_length"}]
    assert any("read some answers" in note for note in found.notes)
    probe = {p.name: p for p in found.checkpoints[1].probes}["identical"]
    assert (probe.value, probe.reference) == (1.0, 0.0)
    assert probe.sentence.startswith("100% of the answers are given to another prompt")


def test_the_numbers_behind_the_flags():
    prompts = [one.input for one in records(3)]
    same = [
        Message("assistant", "Yes.  "),
        Message("assistant", "yes."),
        Message("assistant", "No"),
    ]
    assert identical_share(prompts, same) == pytest.approx(2 / 3)
    assert identical_share([prompts[0]] * 3, same) == 0  # the same prompt may have the same answer
    call = FunctionCall("look", "{}")
    calls = [
        Message("assistant", tool_calls=(ToolCall("function", f"c{i}", call),)) for i in (1, 2)
    ]
    assert identical_share(prompts[:2], calls) == 1.0
    assert identical_share(prompts, [None] * 3) is None
    assert repeated_share([Message("assistant", LONG)]) == 0
    assert repeated_share([Message("assistant", "a b c d " * 4)]) == pytest.approx(1 - 4 / 13)
    assert repeated_share([Message("assistant", "too short")]) is None
    echo = [Message("assistant", prompts[0].messages[0].text), Message("assistant", LONG), None]
    assert echo_share(prompts, echo, 0.5) == 0.5


def test_answers_that_are_alike_are_graded_once():
    some = records(4)
    grader = {
        "type": "python", "name": "length",
        "source": "def grade(sample, item):\n    return len(sample['output_text']) / 10\n",
    }  # fmt: skip
    told = []
    answered = [
        CheckpointAnswers(0, (said("abc"), said("abcde"), None, said("abcdefgh"))),
        CheckpointAnswers(5, (said("abc"), said("a"), said("ab"), said("abcdefgh"))),
    ]
    with compile_grader(grader) as compiled:
        found = grade_checkpoints(
            some, answered, compiled, progress=lambda share, words: told.append(words)
        )
    assert found == [(0.3, 0.5, None, 0.8), (0.3, 0.1, 0.2, 0.8)]
    assert told[-1] == "Graded 5 of 5 answers"
