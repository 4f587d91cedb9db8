"""Judges of a dataset: asked through its connections, written down, paid once, stopped in time."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from builders import draft

import rft_widgets as rft
from rft_widgets.errors import (
    BudgetReached,
    GraderInvalid,
    InvalidArgument,
    ModelRefused,
    NotFound,
    RunInterrupted,
)
from rft_widgets.graders.panel import panel
from rft_widgets.testing.openai_server import ChatRequest, OpenAIServer

JUDGE: dict[str, Any] = {
    "type": "score_model",
    "name": "judge",
    "model": "",
    "input": [{"role": "user", "content": "# Response\n{{response}}"}],
}
COSINE = {
    "type": "text_similarity",
    "name": "near",
    "input": "{{response}}",
    "reference": "{{item.reference}}",
    "evaluation_metric": "cosine",
}


def by_length(request: ChatRequest) -> str:
    """A judge that likes long answers, and does what it is told."""
    text = request.question
    shown = re.search(r">(.*?)</data-", text, re.DOTALL)
    score = min(1.0, len(shown[1]) / 40) if shown else 0.0
    return json.dumps({"reasoning": "its length", "score": round(score, 2)})


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as opened:
        opened.script(by_length)
        yield opened


@pytest.fixture
def ds(sqlite_workspace: rft.Workspace, server: OpenAIServer) -> rft.OptimizationDataset:
    sqlite_workspace.add_connection(
        "judge", server.base_url, "judge-1", embedding_model="embed-1", concurrency=4,
        input_usd_per_million=1.0, output_usd_per_million=4.0,
    )  # fmt: skip
    made = sqlite_workspace.create("Judged")
    made.add_records(
        draft(f"Question number {n} is this", "word " * (n + 1), id=f"r{n}",
              item={"reference": "word " * 3})
        for n in range(12)
    )  # fmt: skip
    return made


def asked(server: OpenAIServer) -> int:
    return len(server.requests)


def test_a_named_connection_is_where_a_judge_is_asked(
    ds: rft.OptimizationDataset, sqlite_workspace: rft.Workspace, server: OpenAIServer
) -> None:
    version = ds.set_grader(JUDGE, connection="judge")
    assert version.connection == "judge"
    assert version.grader.model == "judge-1"  # a judge without a model gets that of its connection
    estimate = ds.estimate_evaluate(ds.select())
    assert estimate is not None
    assert estimate.calls == 12
    done = ds.evaluate(ds.select())
    assert (done.graded, done.failed) == (12, 0)
    assert asked(server) == 12
    assert done.mean == pytest.approx(
        sum(min(1.0, len("word " * (n + 1)) / 40) for n in range(12)) / 12, abs=0.01
    )
    total = ds.costs["judge"]
    assert (total.calls, total.cached) == (12, 0)
    assert estimate.prompt_tokens == pytest.approx(total.prompt_tokens, rel=0.1)
    assert estimate.cost_micro_usd == estimate.prompt_tokens + 4 * estimate.completion_tokens

    # What was asked once is never paid again, in no way of grading.
    assert ds.evaluate(ds.select()).mean == done.mean
    assert ds.test_grader(5).failures == 0
    report = ds.dry_run(n=12, probes=False)
    assert report.mean is not None
    assert report.mean.estimate == pytest.approx(done.mean)
    assert asked(server) == 12
    assert ds.costs["judge"].calls == 12

    # Another model at the same place is another judge.
    ds.set_grader(JUDGE | {"model": "judge-2"}, connection="judge")
    ds.evaluate("r0")
    assert [one.body["model"] for one in server.requests].count("judge-2") == 1
    sqlite_workspace.remove_connection("judge")
    assert "no model connection 'judge'" in ds.connections[0].missing
    with pytest.raises(NotFound, match="no model connection 'judge'"):
        ds.evaluate("r0")


def test_what_is_missing_before_a_judge_can_grade_is_said(
    ds: rft.OptimizationDataset, sqlite_workspace: rft.Workspace, server: OpenAIServer
) -> None:
    assert not ds.check_grader(JUDGE, connection="judge").missing
    lost = ds.check_grader(JUDGE | {"model": "m"}, connection="gone")
    assert [one.where for one in lost.problems] == ["connection"]
    assert not ds.check_grader(COSINE, connection="judge").missing
    sqlite_workspace.add_connection("plain", server.base_url, "m", api_key_env="NO_SUCH_KEY_SET")
    words = " ".join(ds.check_grader(COSINE, connection="plain").missing)
    assert "no embedding model" in words
    assert "NO_SUCH_KEY_SET" in words
    server.script(None)
    server.queue(*["401"] * 8)
    sqlite_workspace.test_connection("judge")
    assert "did not work when it was last tested" in " ".join(
        ds.check_grader(JUDGE, connection="judge").missing
    )


def test_a_panel_sits_at_several_connections(
    ds: rft.OptimizationDataset, sqlite_workspace: rft.Workspace, server: OpenAIServer
) -> None:
    with OpenAIServer() as elsewhere:
        elsewhere.script(lambda _: json.dumps({"reasoning": "no", "score": 0.0}))
        sqlite_workspace.add_connection("other", elsewhere.base_url, "judge-2")
        made = panel(JUDGE | {"model": "judge-1"}, ["judge-1", "judge-2"])
        with pytest.raises(GraderInvalid, match="none of the connections is at that model"):
            ds.set_grader(
                panel(JUDGE | {"model": "judge-1"}, ["judge-1", "judge-3"]),
                connection=("judge", "other"),
            )
        assert ds.set_grader(made, connection=("judge", "other")).connection == ("judge", "other")
        assert ds.set_grader(made, connection=["judge", "other"]).version == 1  # type: ignore[arg-type]
        test = ds.test_grader(4)
        assert {one.body["model"] for one in server.requests} == {"judge-1"}
        assert {one.body["model"] for one in elsewhere.requests} == {"judge-2"}
        for answer in test.answers:
            assert answer.sub_rewards["judge_2"] == 0.0
            assert answer.reward == pytest.approx(answer.sub_rewards["judge_1"] / 2)
        assert "connection = ('judge', 'other')" in ds.to_script()
        assert [one.model for one in ds.connections] == ["judge-1", "judge-2"]


def test_cosine_compares_what_the_connection_embeds(
    ds: rft.OptimizationDataset, server: OpenAIServer
) -> None:
    server.script(None)
    ds.set_grader(COSINE, connection="judge")
    estimate = ds.estimate_evaluate(ds.select())
    assert estimate is not None
    assert estimate.calls == 12
    ds.evaluate(ds.select())
    scores = {record.id: record.dry_run_score or 0 for record in ds.iterate()}
    assert scores["r2"] == pytest.approx(1.0)  # it is the reference
    assert {one.path for one in server.requests} == {"/v1/embeddings"}


def test_a_training_pauses_at_its_limit_and_may_spend_as_much_again(
    ds: rft.OptimizationDataset, server: OpenAIServer
) -> None:
    ds.set_grader(JUDGE, connection="judge")
    ds.evaluate("r0")
    one = (ds.costs["judge"].cost_micro_usd or 0) / 1_000_000
    with pytest.raises(InvalidArgument, match="max_cost_usd"):
        ds.train({"max_cost_usd": 0})
    job = ds.train({"max_cost_usd": 15 * one}).wait(60)
    assert job.status == "paused"
    assert "limit of cost" in job.log[-1][1]
    for _ in range(9):
        if job.status == "paused":
            job.resume().wait(60)
    assert job.status == "completed", job.log
    assert len(server.requests) == ds.costs["judge"].calls == 12  # nothing was paid twice


def test_a_limit_keeps_what_it_paid_for_and_more_money_goes_on(
    ds: rft.OptimizationDataset, server: OpenAIServer
) -> None:
    ds.set_grader(JUDGE, connection="judge")
    ds.evaluate("r0")
    one = (ds.costs["judge"].cost_micro_usd or 0) / 1_000_000
    job = ds.submit(
        "evaluate", {"selection": msgspec.to_builtins(ds.select()), "max_cost_usd": 15 * one}
    ).wait(60)
    state = job.state
    assert state.status == "failed"
    assert state.problem is not None
    assert state.problem.code == "budget_reached"
    assert 2 <= asked(server) < 12
    kept = [record for record in ds.iterate() if record.dry_run_score is not None]
    assert kept
    ds.evaluate(ds.select(), max_cost_usd=20 * one)
    assert asked(server) == 12
    assert all(record.dry_run_score is not None for record in ds.iterate())
    with pytest.raises(BudgetReached):
        ds.test_grader(3, grader=JUDGE | {"name": "x", "input": [
            {"role": "user", "content": "Anew: {{response}}"}]},
            connection="judge", max_cost_usd=0.000001)  # fmt: skip


def test_what_a_service_will_not_answer_stops_the_work_and_is_no_score(
    ds: rft.OptimizationDataset, server: OpenAIServer
) -> None:
    ds.set_grader(JUDGE, connection="judge")
    server.queue(*["401"] * 20)
    with pytest.raises(ModelRefused):
        ds.evaluate(ds.select())
    assert not any(record.dry_run_score for record in ds.iterate())


def test_a_stop_is_heard_while_a_judge_thinks(sqlite_workspace: rft.Workspace) -> None:
    with OpenAIServer(latency_ms=20_000) as slow:
        sqlite_workspace.add_connection("slow", slow.base_url, "m")
        ds = sqlite_workspace.create("Slow")
        ds.add_records([draft("A question that is asked here", "yes", id="r0")])
        ds.set_grader(JUDGE, connection="slow")
        stop = threading.Event()
        threading.Timer(0.4, stop.set).start()
        began = time.monotonic()
        with pytest.raises(RunInterrupted):
            ds.evaluate(ds.select(), cancelled=stop.is_set)
        assert time.monotonic() - began < 3


def obeying(request: ChatRequest) -> str:
    """A judge that gives what an answer demands, and one grade better each time it is asked."""
    demanded = "highest score" in request.question
    return json.dumps({"reasoning": "told so", "score": 1.0 if demanded else 0.4})


def test_the_probes_of_a_dry_run_see_through_a_judge(
    ds: rft.OptimizationDataset, server: OpenAIServer
) -> None:
    ds.set_grader(JUDGE, connection="judge")
    server.script(obeying)
    probes = {one.name: one for one in ds.dry_run(n=4).probes}
    assert probes["injection"].passed is False
    assert probes["repeat"].passed is True

    def careful(request: ChatRequest) -> str:
        mark = re.search(r"between <(data-\w+)>", request.instructions)
        text = request.question
        if mark:
            text = re.sub(rf"<{mark[1]}>.*?</{mark[1]}>", "", text, flags=re.DOTALL)
        # It says something else whenever it is asked again.
        times = said[request.question] = said.get(request.question, -1) + 1
        score = 1.0 if "highest score" in text else 0.1 + 0.3 * times
        return json.dumps({"reasoning": "r", "score": score})

    said: dict[str, int] = {}
    shown = [{"role": "user", "content": "Grade it with care.\n{{response}}"}]
    ds.set_grader(JUDGE | {"input": shown}, connection="judge")
    server.script(careful)
    probes = {one.name: one for one in ds.dry_run(n=4).probes}
    assert probes["injection"].passed is True
    assert probes["repeat"].passed is False  # asked anew, and not found among what was asked
    assert max(said.values()) == 1


def test_answers_are_compared_in_pairs(ds: rft.OptimizationDataset, server: OpenAIServer) -> None:
    def longer(request: ChatRequest) -> str:
        shown = re.findall(r"# Response \w\n<[\w-]+>(.*?)</", request.question, re.DOTALL)
        label = "A" if len(shown[0]) >= len(shown[1]) else "B"
        return json.dumps({"reasoning": "length", "label": label})

    server.script(longer)
    better = {f"r{n}": "word " * 40 for n in range(12)}
    estimate = ds.estimate_compare_answers(None, better, model="judge")
    assert estimate.calls == 24
    found = ds.compare_answers(None, better, model="judge")
    assert (found.first, found.second, found.ties, found.failed) == (0, 12, 0, 0)
    assert found.verdict == "second"
    assert found.consistent is not None
    assert found.consistent.estimate == 1.0
    assert found.shown_first is not None
    assert found.shown_first.estimate == 0.5
    assert asked(server) == 24

    same = {f"r{n}": "word " * (n + 1) for n in range(12)}  # the order alone decides
    job = ds.submit("compare_answers", {"first": None, "second": same, "model": "judge", "n": 8})
    found = job.wait(60).result
    assert (found.ties, found.verdict) == (8, "no_clear_difference")
    assert found.consistent.estimate == 0.0
    assert found.shown_first.estimate == 1.0
    assert "the order decided" in found.sentence
    with pytest.raises(InvalidArgument, match="with themselves"):
        ds.compare_answers(None, None, model="judge")
    with pytest.raises(InvalidArgument, match="No prompt has an answer on both sides"):
        ds.compare_answers(None, {"gone": "x"}, model="judge")
