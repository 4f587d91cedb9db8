"""The dry-run dialog: what it tells the page in every state, and what the page may ask of it."""

from __future__ import annotations

import functools
import json
import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from builders import chat_line

import rft_widgets as rft
from rft_widgets.errors import InvalidArgument, RunInterrupted
from rft_widgets.model.message import Message
from rft_widgets.model.record import RecordFilter
from rft_widgets.testing.openai_server import OpenAIServer

SCORED = {
    "type": "python",
    "name": "scored",
    "source": "def grade(sample, item):\n    return item['reward']\n",
}
ZERO = {"type": "python", "name": "zero", "source": "def grade(sample, item):\n    return 0.0\n"}
SLOW = {
    "type": "python",
    "name": "slow",
    "source": "def grade(sample, item):\n    sum(range(3_000_000))\n    return item['reward']\n",
}
OPTIONS = {"n": 300, "k": 1, "seed": 0, "probes": True}


def lines(count: int) -> list[dict[str, Any]]:
    """Prompts of three topics; rewards on bin edges, beside them, and between."""
    chance = random.Random(0)
    edges = [0.1, 0.3, 0.1 + 0.2, 0.7 - 0.4, 0.3999, 0.4, 0.8999999, 0.0, 1.0]
    return [
        chat_line(
            f"Question number {n} about {('parcels', 'refunds', 'sizes')[n % 3]}",
            f"answer {n}",
            topic=("parcels", "refunds", "sizes")[n % 3],
            reward=edges[n] if n < len(edges) else round(chance.random(), 3),
        )
        for n in range(count)
    ]


@pytest.fixture
def filled(dataset: rft.OptimizationDataset) -> rft.OptimizationDataset:
    dataset.add_records(lines(60))
    dataset.set_grader(SCORED)
    return dataset


@pytest.fixture
def show(show_dialog):
    return functools.partial(show_dialog, "dry-run")


def eventually(check: Callable[[], Any], timeout_s: float = 20) -> Any:
    ends = time.monotonic() + timeout_s
    while not (found := check()):
        assert time.monotonic() < ends, "it never came"
        time.sleep(0.005)
    return found


def state_of(dataset: rft.OptimizationDataset) -> Any:
    return next((job for job in dataset.job_states if job.kind == "dry_run"), None)


def ended(dataset: rft.OptimizationDataset) -> Any:
    return eventually(lambda: (s := state_of(dataset)) and not s.is_at_work and s)


# -- before a run ---------------------------------------------------------------------------------


def test_without_records_or_grader_it_names_the_dialog_that_comes_first(dataset, show):
    page = show(dataset)
    assert page.ask("load")["blocked_by"] == "records"
    dataset.add_records(lines(3))
    view = page.ask("load")
    assert (view["blocked_by"], view["grader"], view["runs"], view["shown"]) == (
        "grader", "", [], None,
    )  # fmt: skip
    page.call("plan", OPTIONS, id="refused")
    reply = eventually(lambda: page.reply("refused"))
    assert reply["error"]["message"] == "The dataset has no grader."


def test_the_estimate_counts_what_there_is(dataset, show):
    dataset.add_records([*lines(40), chat_line("A question without an answer")])
    dataset.set_grader(SCORED)
    page = show(dataset)
    found = page.ask("plan", {**OPTIONS, "n": 25})
    assert {
        key: found[key] for key in ("available", "several", "prompts", "answers", "excluded")
    } == {
        "available": 40,
        "several": 0,
        "prompts": 25,
        "answers": 25,
        "excluded": {"no_recorded_answer": 1},
    }
    assert (found["probe_gradings"], found["judge_calls"]) == (56, 0)
    assert (found["seconds"], found["cost_micro_usd"]) == (None, 0)
    assert (list(found["notes"]), found["not_ready"]) == ([], None)
    many = page.ask("plan", {**OPTIONS, "k": 4, "probes": False})
    assert (many["answers"], many["probe_gradings"]) == (40, 0)
    assert list(many["notes"]) == [
        "Only 40 prompts have a recorded answer.",
        "No prompt has a second recorded answer: one answer each is graded.",
    ]


def test_a_model_answers_at_a_price_that_is_told_before_and_goes_on_for_more(
    dataset, show, tmp_path
):
    dataset.add_records(lines(12))
    dataset.set_grader(
        {
            "type": "python",
            "name": "length",
            "source": "def grade(sample, item):\n    return len(sample['output_text']) / 500",
        }
    )
    page = show(dataset)
    with OpenAIServer() as server, rft.Workspace(tmp_path / "store.db") as workspace:
        workspace.add_connection(
            "base", server.base_url, "m", input_usd_per_million=100, output_usd_per_million=100
        )
        asked = {**OPTIONS, "k": 2, "probes": False, "model": "base", "temperature": 0.5}
        found = page.ask("plan", asked)
        assert (found["answers"], found["rollouts"]["calls"]) == (24, 24)
        price = found["cost_micro_usd"]
        assert price == found["rollouts"]["cost_micro_usd"] > 0
        assert not server.requests
        page.call("start", {**asked, "max_tokens": 300, "max_cost_usd": 0.001})
        assert ended(dataset).problem.code == "budget_reached"
        cut_off = page.ask("load")["cut_off"]
        assert (cut_off["config"]["model"], cut_off["obstacle"]) == ("base", None)
        page.call("resume", {"max_cost_usd": 5.0})
        assert ended(dataset).status == "succeeded"
        shown = page.ask("load")["shown"]
        assert shown["answered"].startswith("m gave 24 answers at temperature 0.5")
        assert shown["report"]["repeats"] is not None
        assert dataset.costs["rollout"].calls == 24


def test_the_time_is_that_of_this_graders_last_run(filled, show):
    page = show(filled)
    began = time.perf_counter()
    filled.dry_run(n=40)
    took = time.perf_counter() - began
    seconds = page.ask("plan", {**OPTIONS, "n": 40, "probes": False})["seconds"]
    assert 0 < seconds <= took
    filled.set_grader(ZERO)
    assert page.ask("plan", OPTIONS)["seconds"] is None
    filled.set_grader(1)
    assert page.ask("plan", {**OPTIONS, "n": 40, "probes": False})["seconds"] == seconds


def test_a_judge_costs_calls_and_what_nobody_knows(filled, show):
    filled.set_grader(
        {
            "type": "score_model",
            "name": "judge",
            "model": "some-model",
            "input": [{"role": "user", "content": "Rate {{ sample.output_text }}"}],
        }
    )
    page = show(filled)
    found = page.ask("plan", {**OPTIONS, "n": 10})
    assert found["judge_calls"] == 10 + found["probe_gradings"] == 66
    assert found["cost_micro_usd"] is None
    assert "no connection" in found["not_ready"]
    assert page.ask("load")["grader"] == "Judge: some-model, version 2"
    page.call("start", OPTIONS)
    assert "connection" in ended(filled).problem.message
    assert filled.dry_runs == (), "nothing was begun that could be resumed"


@pytest.mark.parametrize("wrong", [{"n": 0}, {"k": 0}, {"n": 50_001}, {"k": 65}, {"seed": -1}])
def test_options_have_bounds(filled, show, wrong):
    assert show(filled).call("start", {**OPTIONS, **wrong})["error"]["code"] == "invalid_params"
    assert state_of(filled) is None


# -- a run ----------------------------------------------------------------------------------------


def test_a_run_from_the_page_is_the_run_of_a_cell(filled, show):
    page = show(filled)
    begun = page.call("start", {**OPTIONS, "n": 30, "seed": 3})["value"]
    assert (begun["kind"], begun["status"]) == ("dry_run", "running")
    job = ended(filled)
    report = filled.dry_runs[-1].report
    assert (job.status, job.outcome) == ("succeeded", report.summary)
    assert report == filled.dry_run(30, seed=3)
    assert page.ask("so_far") is None


def test_scores_are_told_while_they_come_and_each_is_read_once(filled, show):
    filled.set_grader(SLOW)
    page = show(filled)
    page.call("start", OPTIONS)
    part = eventually(lambda: (found := page.ask("so_far")) and 0 < found["scored"] < 60 and found)
    kept = filled.dry_run_answers(part["run"])[: part["last"] + 1]
    assert part["scored"] == sum(part["histogram"]) == len(kept)
    assert part["mean"] == pytest.approx(sum(one.reward for one in kept) / len(kept))
    later = eventually(
        lambda: (found := page.ask("so_far")) and found["scored"] > part["scored"] and found
    )
    assert later["last"] > part["last"]
    assert ended(filled).status == "succeeded"


def test_failed_gradings_are_counted_while_they_come(filled):
    source = "def grade(sample, item):\n    assert item['reward'] > 0.5\n    return 1.0\n"
    filled.set_grader({"type": "python", "name": "picky", "source": source})
    with pytest.raises(RunInterrupted):
        filled.dry_run(
            cancelled=lambda: bool((found := filled.dry_run_scores_so_far()) and found.scored > 5)
        )
    part = filled.dry_run_scores_so_far()
    kept = filled.dry_run_answers(part.run)
    assert part.failed == sum(one.reward is None for one in kept) > 0
    assert part == filled.dry_run_scores_so_far(part), "nothing came since"


def test_a_stopped_run_is_offered_and_resumed(filled, show):
    filled.set_grader(SLOW)
    page = show(filled)
    page.call("start", {**OPTIONS, "seed": 5})
    eventually(lambda: (found := page.ask("so_far")) and found["scored"])
    assert page.ask("load")["cut_off"] is None, "it is still at work"
    page.call("cancel_job", {"job": state_of(filled).id})
    job = ended(filled)
    assert (job.status, "what was graded is kept" in job.outcome) == ("cancelled", True)
    view = page.ask("load")
    assert view["cut_off"]["config"]["seed"] == 5
    assert 0 < view["cut_off"]["graded"] < 60
    assert view["cut_off"]["obstacle"] is None
    assert [run["verdict"] for run in view["runs"]] == [None]
    page.call("resume")
    assert ended(filled).status == "succeeded"
    view = page.ask("load")
    assert (view["cut_off"], len(view["runs"])) == (None, 1)
    assert view["shown"]["report"]["answers"] == 60


def test_a_new_run_does_not_begin_with_the_scores_of_one_that_was_cut_off(filled, show):
    filled.set_grader(SLOW)
    page = show(filled)
    with pytest.raises(RunInterrupted):
        filled.dry_run(cancelled=iter([False] * 5 + [True] * 99).__next__)
    (given_up,) = filled.dry_runs
    page.call("start", OPTIONS)
    seen = []
    while state_of(filled).status in ("queued", "running"):
        found = page.ask("so_far")
        seen.append(found and found["run"])
    assert given_up.id not in seen
    assert len(filled.dry_runs) == 2


def test_what_keeps_a_run_from_being_resumed_is_said(filled, show):
    page = show(filled)
    with pytest.raises(RunInterrupted):
        filled.dry_run(cancelled=iter([False] * 5 + [True] * 99).__next__)
    filled.set_grader(ZERO)
    assert page.ask("load")["cut_off"]["obstacle"] == "The grader has changed since."
    page.call("resume")
    assert "changed since" in ended(filled).problem.message
    filled.set_grader(1)
    with pytest.raises(RunInterrupted):
        filled.dry_run(
            respond=lambda *_: [Message("assistant", "x")],
            cancelled=iter([False] * 5 + [True] * 99).__next__,
        )
    assert "respond=" in page.ask("load")["cut_off"]["obstacle"]
    filled.dry_run()
    assert page.ask("load")["cut_off"] is None


# -- results --------------------------------------------------------------------------------------


def test_every_bin_opens_as_many_records_as_it_counts(filled, show):
    filled.dry_run()
    shown = show(filled).ask("load")["shown"]
    assert [each["count"] for each in shown["bins"]] == shown["report"]["scores"]["histogram"]
    assert sum(each["count"] for each in shown["bins"]) == 60
    for each in shown["bins"]:
        where = RecordFilter(**each["where"])
        assert filled.count(where) == each["count"], each
    third = shown["bins"][3]
    assert third["words"] == "Score 0.3 to 0.4"
    assert third["where"]["max_score"] == 0.3999
    assert third["where"]["min_score"] == pytest.approx(0.3)
    assert third["count"] >= 4


def test_bins_of_an_older_run_open_what_it_graded(filled, show):
    filled.dry_run()
    filled.set_grader(ZERO)
    filled.dry_run(n=20)
    page = show(filled)
    newest = page.ask("load")
    old = page.ask("load", {"run": newest["runs"][1]["id"]})["shown"]
    assert old["report"]["answers"] == 60
    for each in old["bins"]:
        assert filled.count(RecordFilter(**each["where"])) == each["count"]
    new = newest["shown"]["bins"]
    assert (new[0]["count"], filled.count(RecordFilter(**new[0]["where"]))) == (20, 20)
    assert newest["shown"]["call"] == "ds.dry_runs[-1].report"
    assert old["call"] == "ds.dry_runs[-2].report"
    assert page.ask("load", {"run": "dry_unknown"})["shown"]["id"] == newest["runs"][0]["id"]


def test_topics_and_the_lowest_scores_open_their_records(filled, show):
    filled.dry_run()
    shown = show(filled).ask("load")["shown"]
    for scores, topic in zip(shown["report"]["topics"], shown["topics"], strict=True):
        assert filled.count(RecordFilter(**topic["opens"]["where"])) == scores["count"] == 20
        assert topic["opens"]["badge"] == f"Graded: {scores['topic']}"
        assert topic["is_low"] is False
    lowest = shown["lowest"]
    rewards = sorted(one.reward for one in filled.dry_run_answers(shown["id"]))
    found = filled.records(RecordFilter(**lowest["where"])).records
    assert sorted(one.dry_run_score for one in found) == rewards[: len(found)]
    assert 5 <= len(found) <= 8


def test_low_topics_are_marked(dataset, show):
    rows = lines(60)
    for row in rows:
        row["reward"] = 0.1 if row["topic"] == "sizes" else row["reward"]
    dataset.add_records(rows)
    dataset.set_grader(SCORED)
    dataset.dry_run()
    shown = show(dataset).ask("load")["shown"]
    assert [topic["is_low"] for topic in shown["topics"]] == [False, False, True]


def test_every_check_has_its_value_its_bound_and_what_to_do(filled, show):
    filled.set_grader(ZERO)
    filled.dry_run()
    shown = show(filled).ask("load")["shown"]
    report = shown["report"]
    assert report["verdict"] == "NO_GO"
    assert report["fix_first"].startswith("First the grader")
    checks = {check["name"]: check for check in report["checks"]}
    assert checks["mean"]["bound"] == "0.25 to 0.65; fails below 0.10"
    assert checks["above_zero"]["bound"] == "at least 50%; fails below 10%"
    assert checks["above_zero"]["is_share"]
    assert all(check["bound"] for check in report["checks"])
    assert {probe["name"]: probe["passed"] for probe in report["probes"]}["empty"] is True
    assert (report["grader_quality"], report["dataset_quality"]) == ("problem", "good")


def test_several_answers_to_a_prompt(dataset, show):
    rows = [
        chat_line(f"Question number {n} is asked often", f"answer {m}", reward=float((n + m) % 2))
        for n in range(10)
        for m in range(4)
    ] + [chat_line("A question that is asked but once", "answer", reward=0.5)]
    dataset.add_records(rows)
    dataset.set_grader(SCORED)
    page = show(dataset)
    found = page.ask("plan", {**OPTIONS, "k": 4})
    assert (found["available"], found["several"], found["answers"]) == (11, 10, 41)
    assert found["notes"][-1] == "1 of 11 prompts have fewer than 4 recorded answers."
    dataset.dry_run(k=4)
    shown = page.ask("load")["shown"]
    repeats = shown["report"]["repeats"]
    assert repeats["prompts"] == 10
    assert repeats["mixed_share"] == 1.0
    assert repeats["pass_at"]["1"] == 0.5
    for each in shown["bins"]:
        assert dataset.count(RecordFilter(**each["where"])) == each["count"]


def test_answers_of_a_model_open_their_records_once(filled, show):
    def respond(_prompt: Any, repeat: int) -> list[Message]:
        return [Message("assistant", "y" * (repeat + 1))]

    source = "def grade(sample, item):\n    return len(sample['output_text']) / 4\n"
    filled.set_grader({"type": "python", "name": "length", "source": source})
    filled.dry_run(n=10, k=4, respond=respond)
    shown = show(filled).ask("load")["shown"]
    assert [each["count"] for each in shown["bins"]] == [0, 0, 10, 0, 0, 10, 0, 10, 0, 10]
    counts = [filled.count(RecordFilter(**each["where"])) for each in shown["bins"]]
    assert counts == [0, 0, 10, 0, 0, 10, 0, 10, 0, 10]
    # One answer of a record lies in the bin, its mean need not.
    assert filled.count(RecordFilter(dry_run=shown["id"])) == 10


def test_failed_gradings_are_grouped_with_their_flags(filled, show):
    source = (
        "def grade(sample, item):\n    assert item['reward'] > 0.5, 'too low'\n    return 1.0\n"
    )
    filled.set_grader({"type": "python", "name": "picky", "source": source})
    filled.dry_run()
    report = show(filled).ask("load")["shown"]["report"]
    failed = sum(row["reward"] <= 0.5 for row in lines(60))
    assert report["excluded"] == {"failed_grading": failed}
    assert sum(group["count"] for group in report["failures"]) == failed
    group = report["failures"][0]
    assert group["flags"] == ["python_grader_runtime_error"]
    assert "too low" in group["error"]
    assert group["example"]["prompt"].startswith("[USR] Question number")
    assert report["verdict"] == "NO_GO"


def test_a_run_without_any_score(filled, show):
    source = "def grade(sample, item):\n    return 1 / 0\n"
    filled.set_grader({"type": "python", "name": "broken", "source": source})
    filled.dry_run()
    shown = show(filled).ask("load")["shown"]
    assert (shown["report"]["scores"], shown["report"]["mean"]) == (None, None)
    assert [each["count"] for each in shown["bins"]] == [0] * 10
    assert shown["lowest"] == {"badge": "No score"}


def test_what_changed_since_is_said_of_any_run(filled, show):
    filled.dry_run()
    page = show(filled)
    assert page.ask("load")["shown"]["changes"] == []
    filled.set_grader(ZERO)
    assert page.ask("load")["shown"]["changes"] == ["The grader has changed since."]
    filled.add_records([chat_line("A question that came later on", "answer", reward=0.5)])
    assert page.ask("load")["shown"]["changes"] == [
        "The grader has changed since.",
        "The records have changed since.",
    ]
    filled.dry_run()
    view = page.ask("load")
    assert view["shown"]["changes"] == []
    assert len(page.ask("load", {"run": view["runs"][1]["id"]})["shown"]["changes"]) == 2


def test_two_runs_are_compared(filled, show):
    filled.dry_run()
    filled.set_grader(ZERO)
    filled.dry_run()
    page = show(filled)
    after, before = (run["id"] for run in page.ask("load")["runs"])
    found = page.ask("compare", {"before": before, "after": after})
    assert (found["matched"], found["overall"]["verdict"]) == (60, "regressed")
    assert [topic["topic"] for topic in found["topics"]] == ["parcels", "refunds", "sizes"]
    page.call("compare", {"before": "dry_unknown", "after": after}, id="missing")
    assert eventually(lambda: page.reply("missing"))["error"]["code"] == "not_found"


def test_the_report_is_downloaded_whole(filled, show):
    report = filled.dry_run()
    page = show(filled)
    text = page.ask("report_json", {"run": filled.dry_runs[-1].id})
    assert text == report.to_json()
    assert json.loads(text)["verdict"] == report.verdict


def test_one_run_at_a_time(filled, show):
    filled.set_grader(SLOW)
    page = show(filled)
    page.call("start", OPTIONS)
    assert "already running" in page.call("start", OPTIONS)["error"]["message"]
    page.call("cancel_job", {"job": state_of(filled).id})
    ended(filled)


def test_no_record_stands_in_the_saved_state(filled, show):
    filled.dry_run()
    page = show(filled)
    page.ask("load")
    assert "Question number" not in json.dumps(page.widget.get_state(), default=str)


def test_the_filter_of_a_run_counts_only_what_it_scored(filled):
    filled.dry_run(n=20)
    run = filled.dry_runs[-1].id
    assert filled.records(dry_run=run).total == 20
    graded = {one.record_id for one in filled.dry_run_answers(run)}
    assert {record.id for record in filled.iterate(filled.select(RecordFilter(dry_run=run)))} == (
        graded
    )
    assert filled.count(RecordFilter(dry_run="dry_unknown")) == 0
    with pytest.raises(InvalidArgument, match="n is 0"):
        filled.plan_dry_run(n=0)
