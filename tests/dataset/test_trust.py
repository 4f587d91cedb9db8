"""Trust cards: what they say of graders that are known to be good, constant, strict or unsteady."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pytest
from builders import assistant, chat_line, data_folder, user

import rft_widgets as rft
from rft_widgets.errors import InvalidArgument
from rft_widgets.model.human_label import HumanLabel
from rft_widgets.model.pairwise import ComparedPair, PairwiseReport
from rft_widgets.model.record import RecordFilter
from rft_widgets.model.report import GradedAnswer
from rft_widgets.model.trust import TrustCard
from rft_widgets.steps.trust import GraderName, OtherVersion, trust_card
from rft_widgets.steps.trust_repeats import order_swap
from rft_widgets.testing.openai_server import OpenAIServer

NAME = GraderName(name="a grader", version=2, hash="abc")


def graded(key: str, reward: float | None, turn: int = 0) -> GradedAnswer:
    return GradedAnswer(
        record_id=key,
        prompt_key=key,
        repeat=turn,
        prompt=f"Question {key}",
        response=f"Answer {key}",
        status="failed_grading" if reward is None else "graded",
        reward=reward,
        error="no score" if reward is None else None,
    )


def label(key: str, value: float, *, who: str = "ada", five: bool = False, stale: bool = False):
    return HumanLabel(
        record_id=key,
        labeller=who,
        value=value,
        scale="five" if five else "pass_fail",
        note="because",
        at=datetime(2026, 1, 1, tzinfo=UTC),
        is_stale=stale,
    )


def card_of(scores, human, *, five=False, repeats=1, jitter=0.0, **more) -> TrustCard:
    rng = np.random.default_rng(5)
    again = [
        graded(str(n), float(np.clip(score + jitter * turn * rng.normal(), 0, 1)), turn)
        for turn in range(repeats)
        for n, score in enumerate(scores)
    ]
    labels = [label(str(n), float(value), five=five) for n, value in enumerate(human)]
    return trust_card(again, labels, grader=NAME, **more)


def people(n: int, share: float = 0.7, seed: int = 1) -> np.ndarray:
    return (np.random.default_rng(seed).random(n) < share).astype(float)


def told(card: TrustCard) -> str:
    return " ".join([card.sentence, *(one.sentence for one in card.findings)])


def test_a_grader_that_says_what_people_say_can_be_trusted():
    human = people(80)
    scores = np.where(np.random.default_rng(2).random(80) < 0.04, 1 - human, human)
    card = card_of(scores * 0.8 + 0.1, human)
    assert card.level == "trusted"
    assert card.passed.kappa.low > 0.4
    assert card.more_labels is None
    assert card.ordering.estimate > 0.9
    assert "can stand in for people" in card.sentence
    assert "it knows more than what is usual" in told(card)
    assert "can stand in" in repr(card)
    page = card._repr_html_()
    assert "Always saying" in page
    assert json.loads(card.to_json())["labels"] == 80


def test_an_always_one_grader_is_flagged_in_words_however_many_labels():
    path = data_folder() / "datasets/taskmaster4/reward_all.jsonl"
    human = [json.loads(line)["reward"] for line in path.read_text("utf-8").splitlines()]
    for n in (20, 60, 3_228):
        card = card_of([1.0] * n, human[-n:])
        assert card.level == "not_trusted"
        assert card.constant_score == 1.0
        assert "gives 1.00 to every answer: it tells nothing apart" in card.sentence
        assert (
            f"{np.mean(human[-n:]):.0%} of {n:,} answers, is merely the share that people pass"
            in (card.sentence)
        )
        assert card.passed.kappa.estimate == 0.0
        assert card.fit is card.rank_correlation is None
        assert "knows more than what is usual" not in told(card)


def test_chance_is_not_trusted_and_few_labels_are_said_to_be_few():
    rng = np.random.default_rng(3)
    assert card_of(rng.random(90), people(90, 0.5)).level == "not_trusted"
    few = card_of(people(12), people(12))
    assert (few.level, few.more_labels) == ("too_few", 18)
    assert "too few labels to judge it by" in few.sentence
    rare = people(60, 1.0)
    rare[:3] = 0
    card = card_of(rare, rare)
    assert card.level == "too_few"
    assert "Only 3 labelled answers are not passed" in told(card)
    assert card.more_labels == 40  # two more in sixty, as there were three
    human = people(60, 0.5)
    wrong = human.copy()
    wrong[::4] = 1 - wrong[::4]
    open_one = card_of(wrong, human)
    assert open_one.level == "care"
    assert open_one.more_labels > 10
    assert "more labels would tell whether kappa is above" in open_one.sentence
    assert card.passed.agreement.low < 1  # of what was not seen, something may be


def test_a_cut_at_the_wrong_place_is_found_and_moved():
    rng = np.random.default_rng(4)
    human = people(120, 0.6)
    scores = np.clip(0.25 + 0.2 * human + rng.normal(0, 0.04, 120), 0, 1)
    card = card_of(scores, human)
    assert card.level == "care"
    assert "passes others than they do: see the cut" in card.sentence
    assert 0.3 < card.fit.cut.low <= card.fit.cut.estimate <= card.fit.cut.high < 0.45
    assert card.fit.change.verdict == "improved"
    assert "would agree better with people" in card.fit.sentence
    right = card_of(scores + 0.15, human)
    assert right.level == "trusted"
    assert "no reason to move it" in right.fit.sentence


def test_labels_from_1_to_5_are_held_against_steps_and_ranks():
    rng = np.random.default_rng(6)
    human = rng.integers(0, 5, 100) / 4
    card = card_of(np.clip(human + rng.normal(0, 0.12, 100), 0, 1), human, five=True)
    assert card.scale == "five"
    assert card.steps == ("Wrong", "Poor", "Acceptable", "Good", "Excellent")
    assert card.weighted_kappa.estimate > 0.85
    assert card.rank_correlation.estimate > 0.85
    assert sum(cell.count for cell in card.cells) == card.labels == 100
    assert all(len(cell.record_ids) == cell.count for cell in card.cells)
    one = card_of([0.7, 0.1], [0.5, 0.0], five=True)
    assert {(cell.grader, cell.human) for cell in one.cells} == {(3, 2), (0, 0)}


def test_a_judge_that_contradicts_itself_is_told_so():
    human = people(60, 0.5)
    near = 0.5 + 0.06 * (2 * human - 1)
    steady = card_of(near, human, repeats=3)
    assert steady.consistency.equal.estimate == 1.0
    assert steady.consistency.equal.low < 1.0
    assert (steady.level, steady.consistency.repeats) == ("trusted", 3)
    unsteady = card_of(near, human, repeats=3, jitter=0.2)
    assert unsteady.level == "care"
    assert unsteady.consistency.equal.high < 0.9
    assert "too much chance in it" in told(unsteady)


def test_two_versions_are_compared_on_the_same_labels():
    human = people(100, 0.6)
    rng = np.random.default_rng(8)
    worse = np.where(rng.random(100) < 0.3, 1 - human, human)
    before = OtherVersion(version=1, scores={str(n): float(x) for n, x in enumerate(worse)})
    card = card_of(human, human, before=before)
    assert card.against.change.verdict == "improved"
    assert card.against.change.before_mean == pytest.approx((worse == human).mean())
    assert "Beside version 1 on the same 100 labels" in card.against.sentence
    missing = OtherVersion(version=1, scores=dict.fromkeys(map(str, range(100))))
    assert card_of(human, human, before=missing).against is None


def test_several_people_decide_together_and_are_compared():
    keys = [str(n) for n in range(40)]
    human = people(40, 0.6)
    other = human.copy()
    other[:8] = 1 - other[:8]
    labels = [label(key, float(x)) for key, x in zip(keys, human, strict=True)]
    labels += [label(key, float(x), who="bo") for key, x in zip(keys, other, strict=True)]
    labels += [label(key, float(human[n]), who="cy") for n, key in enumerate(keys[:4])]
    labels += [label("gone", 1.0), label("old", 1.0, stale=True)]
    again = [graded(key, float(x)) for key, x in zip(keys, human, strict=True)]
    card = trust_card([*again, graded("gone", None)], labels, grader=NAME)
    # Four of the eight have a majority, four are split.
    assert (card.labels, card.disputed, card.unscored, card.stale) == (36, 4, 1, 1)
    assert card.first_error == "no score"
    assert card.passed.agreement.estimate == 1.0
    assert [(pair.first, pair.second, pair.n) for pair in card.raters] == [
        ("ada", "bo", 40), ("ada", "cy", 4), ("bo", "cy", 4),
    ]  # fmt: skip
    assert card.raters[0].agreement.estimate == 0.8
    assert [(one.labeller, one.labels) for one in card.labellers] == [
        ("ada", 36), ("bo", 36), ("cy", 4),
    ]  # fmt: skip
    assert "ada and bo agree on 80%" in told(card)
    assert "less than the grader with them" in told(card)


def test_where_they_differ_is_shown_the_furthest_apart_first():
    card = card_of([0.9, 0.6, 0.1, 0.8], [0.0, 0.0, 0.0, 1.0])
    assert [(one.record_id, one.score, one.human) for one in card.disagreements] == [
        ("0", 0.9, 0.0), ("1", 0.6, 0.0),
    ]  # fmt: skip
    assert card.disagreements[0].labels[0].words == "Fail"
    assert card.disagreements[0].labels[0].note == "because"


def test_a_judge_of_pairs_that_favours_the_first_is_told_so():
    def pair(n: int, forward: str | None, backward: str | None) -> ComparedPair:
        same = None if forward is None or backward is None else forward == backward
        return ComparedPair(
            record_id=str(n), repeat=0, first="", second="", forward=forward, backward=backward,
            preference=None, is_consistent=same,
        )  # fmt: skip

    def report(*pairs: ComparedPair) -> PairwiseReport:
        return PairwiseReport(
            pairs=pairs, first=0, second=0, ties=0, failed=0, second_wins=None, consistent=None,
            shown_first=None, verdict="no_clear_difference", sentence="",
        )  # fmt: skip

    swayed = order_swap(report(*(pair(n, "first", "second") for n in range(30))))
    assert (swayed.same.estimate, swayed.first.estimate) == (0.0, 1.0)
    assert "it favours what comes first" in swayed.sentence
    fair = order_swap(
        report(
            *(pair(n, *(["first", "second"][n % 2],) * 2) for n in range(30)), pair(30, None, "tie")
        )
    )
    assert (fair.same.estimate, fair.first.estimate, fair.pairs, fair.failed) == (1.0, 0.5, 30, 1)
    assert "no favour for a place" in fair.sentence
    assert order_swap(report(pair(0, None, None))) is None
    assert card_of([0.0, 1.0], [0.0, 1.0], order_swap=fair).order_swap == fair


# Of a dataset


def test_a_card_of_taskmaster_labels(sqlite_workspace: rft.Workspace):
    path = data_folder() / "datasets/taskmaster4/reward_all.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()[:120]]
    dataset = sqlite_workspace.create("Taskmaster-4")
    dataset.add_records(
        {
            "input": {"messages": [user(f"Dialogue so far: {row['context']}")]},
            "output": {"messages": [assistant(row["generation"])]},
            "reward": row["reward"],
            "metadata": {"thread_id": row["conversation_id"]},
        }
        for row in rows
    )
    dataset.set_grader(_script("always", "return 1.0"))
    with pytest.raises(InvalidArgument, match="has both a label and a score"):
        dataset.trust_card()
    dataset.import_labels("reward")
    card = dataset.trust_card()
    assert card.constant_score == 1.0
    assert (card.grader, card.version, card.labels) == ("always", 1, 120)
    dataset.set_grader(_script("oracle", "return item['reward']"))
    told = []
    job = dataset.submit("trust_card", {"against": 1, "n": 100}).wait()
    best = job.result
    assert (best.level, best.labels) == ("trusted", 100)
    assert best.against.change.verdict == "improved"
    assert job.state.outcome == best.sentence
    found = dataset.records(RecordFilter(ids=best.cells[0].record_ids))
    assert len(found.records) == best.cells[0].count
    assert dataset.trust_estimate() is None
    again = dataset.trust_card(against=1, n=100, progress=lambda *at: told.append(at))
    assert again == best
    assert told[-1][0] == 1.0
    with pytest.raises(InvalidArgument, match="repeats is 11"):
        dataset.trust_card(repeats=11)


def test_a_judge_is_asked_anew_for_each_repeat_and_never_twice(sqlite_workspace: rft.Workspace):
    dataset = sqlite_workspace.create("Judged")
    dataset.add_records(
        chat_line(f"What is {n} plus {n}, please?", str(2 * n), right=n % 3 > 0) for n in range(12)
    )
    dataset.import_labels("right")
    with OpenAIServer() as server:
        turn = iter(range(1_000))
        server.script(lambda _: json.dumps({"score": (next(turn) % 7) / 6, "reasoning": "so"}))
        sqlite_workspace.add_connection("judge", server.base_url, "stand-in", api_key_env=None)
        dataset.set_grader(
            {
                "type": "score_model",
                "name": "judge",
                "model": "stand-in",
                "input": [{"role": "user", "content": "Grade this: {{ response }}"}],
            },
            connection="judge",
        )
        estimate = dataset.trust_estimate()
        assert estimate.calls == 36
        card = dataset.trust_card()
        assert len(server.paid) == 36
        assert card.consistency.repeats == 3
        assert card.consistency.difference.estimate > 0
        assert dataset.trust_card() == card
        assert len(server.paid) == 36


def _script(name: str, body: str) -> dict[str, str]:
    return {"type": "python", "name": name, "source": f"def grade(sample, item):\n    {body}\n"}
