"""Dry runs on the answers of a base model: kept, paid once, resumed, and said whose they are."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import assistant, chat_line, tool, user

import rft_widgets as rft
from rft_widgets.cli import main
from rft_widgets.errors import BudgetReached, InvalidArgument, ModelRefused, RunInterrupted
from rft_widgets.model.connection import NamedConnection
from rft_widgets.model.llm import ModelConnection
from rft_widgets.model.message import Message
from rft_widgets.model.report import GradedAnswer
from rft_widgets.server.rest.grading import plan_dry_run
from rft_widgets.testing.openai_server import Answer, ChatRequest, OpenAIServer, ToolCall
from rft_widgets.worker.grading import PlannedDryRun

GOOD = {
    "type": "string_check",
    "name": "good",
    "input": "{{sample.output_text}}",
    "reference": "good",
    "operation": "ilike",
}


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer(retry_after_s=0.01) as running:
        running.script(answer)
        yield running


@pytest.fixture
def dataset(sqlite_workspace: rft.Workspace) -> rft.OptimizationDataset:
    made = sqlite_workspace.create("Rollouts")
    made.add_records(
        chat_line(f"Question number {n} that is long enough", "recorded", topic="abc"[n % 3])
        for n in range(30)
    )
    made.set_grader(GOOD)
    return made


def answer(request: ChatRequest) -> str:
    return ("good", "bad")[request.chance.randrange(2)] + f" answer to {request.question}"


def connected(server: OpenAIServer, **more: Any) -> NamedConnection:
    where = ModelConnection(base_url=server.base_url, api_key_env=None)
    values = {"name": "base", "model": "some-base", "concurrency": 4, **more}
    return NamedConnection(connection=where, **values)


def add(workspace: rft.Workspace, server: OpenAIServer) -> None:
    workspace.add_connection("base", server.base_url, "some-base", api_key_env=None, concurrency=4)


def in_order(dataset: rft.OptimizationDataset) -> tuple[GradedAnswer, ...]:
    return dataset.dry_run_answers(dataset.dry_runs[-1])


def test_a_model_answers_every_prompt_k_times(
    dataset: rft.OptimizationDataset, server: OpenAIServer
) -> None:
    model = connected(server, input_price=1_000_000, output_price=2_000_000)
    plan = dataset.plan_dry_run(12, 4, model=model)
    assert server.requests == ()
    assert plan.rollouts is not None
    assert (plan.prompts, plan.answers, plan.rollouts.calls) == (12, 48, 48)
    assert plan.cost_micro_usd == plan.rollouts.cost_micro_usd > 0
    assert plan.judging is None
    report = dataset.dry_run(12, 4, model=model, temperature=0.7, max_tokens=50)
    assert (report.answers, len(server.requests)) == (48, 48)
    assert report.repeats is not None
    assert report.repeats.mixed_share > 0.5  # the k answers to a prompt differ
    by = report.answered_by
    assert by is not None
    assert (by.connection, by.asked) == ("base", "some-base")
    assert (by.temperature, by.max_tokens) == (0.7, 50)
    assert by.endings == {"whole": 48}
    assert "some-base gave 48 answers at temperature 0.7" in by.sentence
    assert "stand-in, not a model" in by.sentence  # as the service itself says
    assert {(one.body["temperature"], one.body["max_tokens"]) for one in server.requests} == {
        (0.7, 50)
    }
    config = dataset.dry_runs[-1].config
    assert (config.answers, config.model, config.asked) == ("model", "base", "some-base")
    graded = in_order(dataset)
    assert [one.repeat for one in graded] == list(range(4)) * 12
    for one in graded:
        assert one.output[0].text.endswith(one.prompt.removeprefix("[USR] "))
        assert one.reward == float("good" in one.response)
    spent = dataset.costs["rollout"]
    assert (spent.calls, spent.cached) == (48, 0)
    # The same again is known, and costs nothing. Without a model recorded answers are graded.
    again = dataset.dry_run(12, 4, model=model, temperature=0.7, max_tokens=50)
    assert (again, len(server.requests)) == (report, 48)
    recorded = dataset.dry_run(12)
    assert (recorded.answered_by, len(server.requests)) == (None, 48)
    assert "model='base', temperature=0.7, max_tokens=50" in dataset.to_script()


def test_tools_go_along_and_calls_come_back(
    sqlite_workspace: rft.Workspace, server: OpenAIServer
) -> None:
    dataset = sqlite_workspace.create("Tools")
    offered = tool("lookup", order={"type": "string"})
    dataset.add_records(
        [
            {
                "messages": [
                    user("Where is my order 17?") | {"seen_at": "monday"},
                    assistant("recorded answer"),
                ],
                "tools": [offered],
                "tool_choice": "required",
            }
        ]
    )
    call = {"type": "string_check", "name": "calls", "input": "{{sample.output_tools}}",
            "reference": "lookup", "operation": "ilike"}  # fmt: skip
    dataset.set_grader(call)
    server.script(
        lambda request: Answer(
            text="Let me see.", tool_calls=(ToolCall("lookup", {"order": "17"}),)
        )
    )
    report = dataset.dry_run(model=connected(server), probes=False)
    (sent,) = server.requests
    assert sent.body["tools"] == [offered]
    assert sent.body["tool_choice"] == "required"
    assert sent.body["messages"] == [{"role": "user", "content": "Where is my order 17?"}]
    (one,) = in_order(dataset)
    assert one.reward == 1.0
    assert one.ending == "called_tools"
    (made,) = one.output[0].tool_calls
    assert made.function is not None
    assert (made.function.name, json.loads(made.function.arguments)) == ("lookup", {"order": "17"})
    assert one.response == 'Let me see.\nlookup({"order":"17"})'
    assert report.answered_by is not None
    assert report.answered_by.endings == {"called_tools": 1}


def test_a_refusal_and_an_empty_answer_are_answers(
    dataset: rft.OptimizationDataset, server: OpenAIServer
) -> None:
    def script(request: ChatRequest) -> Any:
        n = int(request.question.split()[2])
        return (
            Answer(refusal="I will not be good."),
            Answer(text=None),
            Answer(text="good but c", finish_reason="length"),
            Answer(text=None, finish_reason="content_filter"),
            "good",
        )[n % 5]

    server.script(script)
    report = dataset.dry_run(model=connected(server))
    by = report.answered_by
    assert by is not None
    assert by.endings == {"refused": 6, "empty": 6, "cut_off": 6, "filtered": 6, "whole": 6}
    assert "6 refusals" in by.sentence
    kinds = {one.ending: one for one in in_order(dataset)}
    assert kinds["refused"].response == "I will not be good."
    assert kinds["refused"].output[0].extra == {"refusal": "I will not be good."}
    assert kinds["refused"].reward == 1.0  # a grader that likes the word is told by its probes
    assert (kinds["empty"].response, kinds["empty"].reward) == ("", 0.0)
    assert kinds["filtered"].reward == 0.0
    assert kinds["cut_off"].response == "good but c"
    assert {probe.name for probe in report.probes} >= {"injection", "refusal", "shuffled", "repeat"}
    assert all(probe.graded for probe in report.probes)


def test_a_prompt_without_an_answer_is_no_zero(
    dataset: rft.OptimizationDataset, server: OpenAIServer
) -> None:
    server.queue("null_choices")
    report = dataset.dry_run(model=connected(server), probes=False)
    assert report.excluded == {"failed_answer": 1}
    assert report.answered_by is not None
    assert report.answered_by.failed == 1
    assert sum(one.reward is not None for one in in_order(dataset)) == 29
    (group,) = report.failures
    assert group.error.startswith("the model gave no answer")


def test_faults_that_pass_leave_the_result_as_it_is(
    dataset: rft.OptimizationDataset, server: OpenAIServer
) -> None:
    model = connected(server)
    calm = dataset.dry_run(8, 2, model=model, temperature=0.0, probes=False)
    server.forget_requests()
    other = dataset.dry_run(8, 2, model=model, temperature=0.0, max_tokens=99, probes=False)
    server.set_faults({"429": 0.2})
    rough = dataset.dry_run(8, 2, model=model, temperature=0.0, max_tokens=98, probes=False)
    assert calm.scores == other.scores == rough.scores
    assert len([one for one in server.requests if one.paid]) == 32


def test_money_ends_and_the_run_is_resumed_with_more(
    dataset: rft.OptimizationDataset, server: OpenAIServer
) -> None:
    model = connected(server, concurrency=1, input_price=1_000_000, output_price=1_000_000)
    with pytest.raises(BudgetReached, match="are spent"):
        dataset.dry_run(20, model=model, max_tokens=20, max_cost_usd=0.0005)
    spent = dataset.costs["rollout"].cost_micro_usd
    cut = dataset.cut_off_dry_run
    assert cut is not None
    assert cut.obstacle is None
    paid = [one for one in server.requests if one.paid]
    assert 0 < cut.graded == len(paid) < 20  # what was paid for is graded, and kept
    assert spent is not None
    assert spent <= 500
    with pytest.raises(InvalidArgument, match="some-base answered"):
        dataset.dry_run(resume=True, model=connected(server, model="another"))
    report = dataset.dry_run(resume=True, model=model)
    assert len([one for one in server.requests if one.paid]) == 20
    assert report.answers == 20
    assert dataset.dry_run(20, model=model, max_tokens=20) == report


def test_a_job_resumes_by_name_and_ends_with_a_refused_key(
    sqlite_workspace: rft.Workspace, dataset: rft.OptimizationDataset, server: OpenAIServer
) -> None:
    add(sqlite_workspace, server)
    server.queue("401")
    job = dataset.submit("dry_run", {"n": 6, "model": "base", "k": 2}).wait(60)
    assert job.status == "failed"
    assert job.state.problem is not None
    assert job.state.problem.code == "model_refused"
    job.retry().wait(60)
    assert job.status == "succeeded"
    assert job.result.answered_by.asked == "some-base"
    assert job.result.answers == 12


def test_it_stops_at_once_and_goes_on_by_name(
    sqlite_workspace: rft.Workspace, dataset: rft.OptimizationDataset, server: OpenAIServer
) -> None:
    add(sqlite_workspace, server)
    asked: list[int] = []

    def cancelled() -> bool:
        asked.append(len(server.requests))
        return asked[-1] >= 5

    with pytest.raises(RunInterrupted, match="of 30 answers"):
        dataset.dry_run(model="base", cancelled=cancelled)
    report = dataset.dry_run(resume=True)
    assert report.answers == 30
    paid = [one.digest for one in server.requests if one.paid]
    assert len(paid) == len(set(paid)) + (len(paid) - 30)
    assert len(set(paid)) == 30
    assert len(paid) <= 30 + 4  # but for those that were under way


@pytest.mark.slow
def test_a_killed_run_pays_for_no_answer_twice(tmp_path: Path) -> None:
    with OpenAIServer(latency_ms=20) as server, rft.Workspace(tmp_path / "store.db") as ws:
        server.script(answer)
        dataset = ws.create("Killed")
        dataset.add_records(
            chat_line(f"Question number {n} that is long enough", "recorded") for n in range(60)
        )
        dataset.set_grader(GOOD)
        add(ws, server)
        script = f"""
            import rft_widgets as rft
            ws = rft.Workspace({str(tmp_path / "store.db")!r})
            ws.dataset({dataset.id!r}).dry_run(model="base", temperature=0.0)
        """
        child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)])
        server.wait_for(25)
        os.kill(child.pid, signal.SIGKILL)
        child.wait(30)
        before = len([one for one in server.requests if one.paid])
        assert before < 60
        report = dataset.dry_run(resume=True)
        paid = [one.digest for one in server.requests if one.paid]
        assert report.answers == len(set(paid)) == 60
        assert len(paid) <= 60 + 2 * 4  # under way at the kill, or answered and not yet written
        whole = dataset.dry_run(model="base", temperature=0.0)
        assert whole.scores == report.scores
        assert len([one for one in server.requests if one.paid]) == len(paid)


def test_what_does_not_go_together_is_refused(
    dataset: rft.OptimizationDataset, server: OpenAIServer
) -> None:
    def respond(prompt: Any, repeat: int) -> list[Message]:
        return [Message("assistant", "good")]

    model = connected(server)
    with pytest.raises(InvalidArgument, match="not both"):
        dataset.dry_run(model=model, respond=respond)
    with pytest.raises(InvalidArgument, match="of the answers of a model"):
        dataset.dry_run(temperature=0.5)
    with pytest.raises(InvalidArgument, match="no dry run to resume"):
        dataset.dry_run(resume=True, model=model)
    assert dataset.plan_dry_run(k=4, model=model, temperature=0.0).notes[-1].startswith("At temp")
    server.queue("404")
    with pytest.raises(ModelRefused):
        dataset.dry_run(model=model)


def test_the_command_line_and_the_api_take_a_model(
    tmp_path: Path, server: OpenAIServer, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "store.db"
    with rft.Workspace(store) as workspace:
        made = workspace.create("Rollouts")
        made.add_records(chat_line(f"Question number {n} that is long enough") for n in range(6))
        made.set_grader(GOOD)
        add(workspace, server)
        plan = plan_dry_run(workspace, made.id, PlannedDryRun(n=4, k=2, model="base"))
        assert plan.rollouts is not None
        assert plan.rollouts.calls == 8
        with pytest.raises(InvalidArgument, match="temperature"):
            made.submit("dry_run", {"model": "base", "temperature": 3})
    common = ("dry-run", made.id, "--database", str(store), "-n", "4", "-k", "2", "--model", "base")
    assert main([*common, "--estimate"]) == 0
    assert "Answers: 8 calls" in capsys.readouterr().out
    assert server.requests == ()
    main([*common, "--temperature", "0.5", "--max-tokens", "40", "--json"])
    said = json.loads(capsys.readouterr().out)
    assert said["report"]["answered_by"]["asked"] == "some-base"
    assert {one.body["temperature"] for one in server.requests} == {0.5}
    assert main([*common, "--max-cost", "0.1"]) == 1  # a limit of money needs a price
    assert "price" in capsys.readouterr().err
