"""Dry runs of a dataset: what they find in real data, what they keep, how they are resumed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import msgspec
import pytest
from builders import assistant, chat_line, data_folder, user

import rft_widgets as rft
from rft_widgets.errors import InvalidArgument, RunInterrupted
from rft_widgets.model.message import Message
from rft_widgets.statistics import bootstrap_mean, cohen_kappa
from rft_widgets.steps.parse import draft_from_json

REWARD = {
    "type": "python",
    "name": "recorded",
    "source": "def grade(sample, item):\n    return float(item['reward'])\n",
}
LENGTH = {
    "type": "python",
    "name": "length",
    "source": "def grade(sample, item):\n    return min(1.0, len(sample['output_text']) / 40)\n",
}


def lines(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Prompts of three topics with answers of many lengths."""
    chance = random.Random(seed)
    return [
        chat_line(
            f"Question number {n} about {('parcels', 'refunds', 'sizes')[n % 3]}",
            "x" * chance.randint(1, 50),
            topic=("parcels", "refunds", "sizes")[n % 3],
            reward=chance.random(),
        )
        for n in range(count)
    ]


@pytest.fixture
def dataset(sqlite_workspace: rft.Workspace) -> rft.OptimizationDataset:
    made = sqlite_workspace.create("Dry")
    made.add_records(lines(120))
    made.set_grader(LENGTH)
    return made


# -- real data ------------------------------------------------------------------------------------


def tau_lines() -> list[dict[str, Any]]:
    runs = json.loads(
        (data_folder() / "datasets/tau_bench/gpt-4o-airline.json").read_text(encoding="utf-8")
    )
    runs.sort(key=lambda run: (run["task_id"], run["trial"]))
    return [
        {
            "input": {"messages": [run["traj"][0], user(run["info"]["task"]["instruction"])]},
            "output": {"messages": [m for m in run["traj"][2:] if m["role"] == "assistant"][-1:]},
            "reward": run["reward"],
            "trial": run["trial"],
        }
        for run in runs
    ]


def test_tau_bench_is_fifty_prompts_with_four_answers_each(workspace: rft.Workspace):
    dataset = workspace.create("tau-bench airline")
    result = dataset.add_records(tau_lines())
    assert (result.imported, result.valid, result.duplicates) == (200, 50, 150)
    dataset.set_grader(REWARD)
    report = dataset.dry_run(n=50, k=4)
    repeats = report.repeats
    assert repeats is not None
    assert {k: round(v, 3) for k, v in repeats.pass_at.items()} == {
        1: 0.42, 2: 0.567, 3: 0.66, 4: 0.72,
    }  # fmt: skip
    assert {k: round(v, 3) for k, v in repeats.pass_hat.items()} == {
        1: 0.42, 2: 0.273, 3: 0.22, 4: 0.2,
    }  # fmt: skip
    assert (repeats.prompts, repeats.unvaried_prompts) == (50, 24)
    assert report.mean is not None
    assert (report.mean.n, report.mean.clusters) == (200, 50)
    rewards = [run["reward"] for run in tau_lines()]
    prompts = [n // 4 for n in range(200)]
    expected = bootstrap_mean(rewards, prompts)
    assert report.mean.estimate == pytest.approx(0.42)
    assert (report.mean.low, report.mean.high) == pytest.approx((expected.low, expected.high))


def test_an_always_one_grader_is_told_what_it_is_worth(sqlite_workspace: rft.Workspace):
    path = data_folder() / "datasets/taskmaster4/reward_all.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    dataset = sqlite_workspace.create("Taskmaster-4")
    dataset.add_records(
        {
            "input": {"messages": [user(f"Dialogue so far: {row['context']}")]},
            "output": {"messages": [assistant(row["generation"])]},
            "reward": row["reward"],
            "metadata": {"thread_id": row["conversation_id"]},
            "number": n,
        }
        for n, row in enumerate(rows)
    )
    dataset.set_grader(
        {"type": "python", "name": "yes", "source": "def grade(sample, item):\n    return 1.0\n"}
    )
    report = dataset.grader_against_labels("reward", n=5_000)
    found = report.agreement
    assert found.n == len(rows) == 3_228
    assert round(found.agreement.estimate, 3) == round(found.constant_baseline.estimate, 3) == 0.86
    assert found.kappa.estimate == 0.0 == cohen_kappa([1] * 3_228, [int(r["reward"]) for r in rows])
    for interval in (found.agreement, found.kappa):
        assert interval.low is not None
        assert interval.low <= interval.estimate <= interval.high
    assert found.agreement.low < 0.86 < found.agreement.high
    assert "86%" in report.sentence
    assert "no better than chance" in report.sentence


# -- what a run keeps -----------------------------------------------------------------------------


def test_a_run_keeps_its_answers_its_report_and_the_records_scores(
    dataset: rft.OptimizationDataset,
):
    seen: list[float] = []
    report = dataset.dry_run(n=60, progress=lambda share, _: seen.append(share))
    (run,) = dataset.dry_runs
    assert run.report == report
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0.0, 1.0)
    answers = dataset.dry_run_answers(run)
    assert len(answers) == report.answers == 60
    scored = {r.id: r.dry_run_score for r in dataset.iterate() if r.dry_run_score is not None}
    assert scored == {one.record_id: one.reward for one in answers}
    for one in answers:
        record = dataset.record(one.record_id)
        assert one.reward == pytest.approx(min(1.0, len(record.output.messages[0].text) / 40))
    assert [topic.count for topic in report.topics] == [20, 20, 20]
    low, high = 0.0, 0.5
    behind_bins = dataset.records(min_score=low, max_score=high).total
    assert behind_bins == sum(low <= score <= high for score in scored.values())
    event = dataset.events[-1]
    assert event.kind == "dry_run"
    assert event.details["inputs"]["grader"] == dataset.grader_version.hash


def test_what_is_excluded_is_said(sqlite_workspace: rft.Workspace):
    dataset = sqlite_workspace.create("Mixed")
    dataset.add_records(
        [
            *lines(30),
            chat_line("A question without an answer"),
            chat_line("short", "too short a question"),
            *lines(30)[:4],  # the same calls once more are no second answers
        ]
    )
    dataset.set_grader(
        {
            "type": "python",
            "name": "picky",
            "source": "def grade(sample, item):\n    assert len(sample['output_text']) > 5\n"
            "    return 0.5\n",
        }
    )
    report = dataset.dry_run(n=100)
    short = sum(len(line["messages"][1]["content"]) <= 5 for line in lines(30))
    assert short
    assert report.excluded == {"no_recorded_answer": 1, "invalid": 5, "failed_grading": short}
    assert report.scores is not None
    assert report.scores.n == 30 - short
    assert dataset.count(rft.RecordFilter(min_score=0.0)) == 30 - short


def test_the_same_call_from_two_sources_is_one_answer(sqlite_workspace: rft.Workspace):
    dataset = sqlite_workspace.create("Twice")
    plain = [draft_from_json(chat_line("A question asked often", text)) for text in ("a", "b", "b")]
    spans = [
        msgspec.structs.replace(plain[n], span_id=span)
        for n, span in ((0, "s1"), (1, "s2"), (1, "s3"))
    ]
    dataset.add_records([*spans, *plain])
    dataset.set_grader(LENGTH)
    # Three spans are three calls; what came without a span says what two of them said.
    assert dataset.dry_run(n=10, k=10).answers == 3
    again = sqlite_workspace.create("Turned round")
    again.add_records([*plain, *spans])
    again.set_grader(LENGTH)
    assert again.dry_run(n=10, k=10).answers == 2


def test_a_grader_that_always_fails_gives_no_score_and_a_no_go(dataset: rft.OptimizationDataset):
    dataset.set_grader(
        {"type": "python", "name": "x", "source": "def grade(sample, item):\n    return 1 / 0\n"}
    )
    report = dataset.dry_run(n=20)
    assert (report.verdict, report.scores, report.mean) == ("NO_GO", None, None)
    assert any("failed on all 20" in reason for reason in report.reasons)
    assert all(record.dry_run_score is None for record in dataset.iterate())
    assert dataset.pipeline.nodes[4].status == "failed"
    assert dataset.pipeline.nodes[4].summary == "No score • NO_GO"


def test_a_model_may_answer_anew(dataset: rft.OptimizationDataset):
    def respond(prompt: Any, repeat: int) -> list[Message]:
        return [Message("assistant", "y" * (10 * (repeat + 1)))]

    report = dataset.dry_run(n=10, k=4, respond=respond)
    assert report.answers == 40
    assert report.repeats is not None
    assert report.repeats.mixed_share == 1.0
    assert report.mean is not None
    assert report.mean.estimate == pytest.approx((0.25 + 0.5 + 0.75 + 1) / 4)


def test_versions_and_runs_are_compared_on_the_same_answers(dataset: rft.OptimizationDataset):
    dataset.dry_run(n=60)
    dataset.set_grader(
        {
            "type": "python",
            "name": "length",
            "source": "def grade(sample, item):\n"
            "    return min(1.0, 0.1 + len(sample['output_text']) / 40)\n",
        }
    )
    dataset.dry_run(n=60)
    before, after = dataset.dry_runs
    found = dataset.compare_dry_runs(before, after)
    assert found.matched == 60
    assert found.overall.verdict == "improved"
    pairs = zip(dataset.dry_run_answers(before), dataset.dry_run_answers(after), strict=True)
    mean = sum(b.reward - a.reward for a, b in pairs) / 60
    assert found.overall.difference.estimate == pytest.approx(mean)
    again = dataset.compare_graders(1, 2, n=60)
    assert again.overall.difference.estimate == pytest.approx(mean)
    backwards = dataset.compare_dry_runs(after.id, before.id)
    assert backwards.overall.verdict == "regressed"


def test_records_are_found_by_their_score_in_any_run(workspace: rft.Workspace):
    dataset = workspace.create("Found")
    dataset.add_records(lines(60))
    dataset.set_grader(REWARD)
    dataset.dry_run(n=40)
    dataset.set_grader(LENGTH)
    dataset.dry_run(n=20, seed=1)
    for run in dataset.dry_runs:
        rewards = {one.record_id: one.reward for one in dataset.dry_run_answers(run)}
        low, high = 0.25, max(rewards.values())
        found = dataset.select(rft.RecordFilter(dry_run=run.id, min_score=low, max_score=high))
        assert {record.id for record in dataset.iterate(found)} == {
            key for key, reward in rewards.items() if low <= reward <= high
        }
        assert dataset.records(dry_run=run.id, topic="parcels").total == sum(
            one.topic == "parcels" for one in dataset.dry_run_answers(run)
        )
        bins = dataset.dry_run_bins(run)
        assert run.report is not None
        assert run.report.scores is not None
        assert tuple(one.count for one in bins) == run.report.scores.histogram
        assert [dataset.count(one.where) for one in bins] == [one.count for one in bins]
    assert dataset.count(rft.RecordFilter(dry_run="dry_unknown")) == 0


# -- interrupted runs -----------------------------------------------------------------------------


def test_a_cancelled_run_is_resumed_to_the_same_report(dataset: rft.OptimizationDataset):
    whole = dataset.dry_run(n=80, seed=3)
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > 30

    with pytest.raises(RunInterrupted, match="of 80 answers"):
        dataset.dry_run(n=80, seed=3, cancelled=cancelled)
    assert [run.report is None for run in dataset.dry_runs] == [False, True]
    kept = len(dataset.dry_run_answers(dataset.dry_runs[-1]))
    assert 0 < kept < 80
    resumed = dataset.dry_run(resume=True)
    assert resumed == whole
    assert len(dataset.dry_runs) == 2
    with pytest.raises(InvalidArgument, match="no dry run to resume"):
        dataset.dry_run(resume=True)


def test_a_run_is_not_resumed_on_other_data_or_another_grader(dataset: rft.OptimizationDataset):
    with pytest.raises(RunInterrupted):
        dataset.dry_run(n=80, cancelled=iter([False] * 9 + [True] * 99).__next__)
    first = dataset.records(limit=1).records[0]
    dataset.edit_record(first.id, item={"reward": 2})
    with pytest.raises(InvalidArgument, match="changed since"):
        dataset.dry_run(resume=True)
    dataset.edit_record(first.id, item=first.item)
    dataset.set_grader(REWARD)
    with pytest.raises(InvalidArgument, match="changed since"):
        dataset.dry_run(resume=True)
    dataset.set_grader(1)
    assert dataset.dry_run(resume=True).answers == 80


KILLED = textwrap.dedent(
    """
    import sys
    import rft_widgets as rft
    with rft.Workspace(sys.argv[1]) as ws:
        ds = ws.datasets()[0]
        ds.dry_run(n=120, seed=5, progress=lambda share, doing: print(doing, flush=True))
    """
)


@pytest.mark.parametrize("moment", [1, 3, 6])
def test_a_killed_run_is_resumed_to_the_same_report(tmp_path: Path, moment: int):
    slow = LENGTH["source"].replace("return", "sum(range(20000)); return")
    with rft.Workspace(tmp_path / "store.db") as workspace:
        dataset = workspace.create("Killed")
        dataset.add_records(lines(120))
        dataset.set_grader({"type": "python", "name": "slow", "source": slow})
        whole = dataset.dry_run(n=120, seed=5)
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, tmp_path / "store.db"],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        graded = 0
        for line in process.stdout:
            graded += line.startswith("Graded")
            if graded == moment:
                os.killpg(process.pid, signal.SIGKILL)
                break
        process.wait(30)
        process.stdout.close()
        assert process.returncode == -signal.SIGKILL
        run = dataset.dry_runs[-1]
        assert run.report is None
        before = dataset.dry_run_answers(run)
        assert 0 < len(before) < 120
        assert dataset.dry_run(resume=True) == whole
        after = dataset.dry_run_answers(run)
        assert [one for one in after if one in before] == list(before), "something was graded anew"


def test_reports_come_back_from_json(dataset: rft.OptimizationDataset):
    report = dataset.dry_run(n=30)
    assert msgspec.json.decode(msgspec.json.encode(report), type=type(report)) == report
    html = report._repr_html_()
    assert report.verdict.replace("_", " ") in html or report.verdict in html
