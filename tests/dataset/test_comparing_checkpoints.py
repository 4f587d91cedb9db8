"""Checkpoints of a run compared and chosen, and the run on one page: in Python, REST and CLI."""

from __future__ import annotations

import json
import threading
import time
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from command_line import answer, run

import rft_widgets as rft
from rft_widgets.dataset.checkpoints import kept_comparison
from rft_widgets.errors import InvalidArgument, NotFound, RunInterrupted
from rft_widgets.model.checkpoints import CheckpointComparison
from rft_widgets.model.run_card import RunCard
from rft_widgets.sample.grader import sample_grader
from rft_widgets.server.rest import ROUTES
from rft_widgets.server.rest.calling import Request, call
from rft_widgets.store import training
from rft_widgets.trainers import LocalPolicy


class Page(HTMLParser):
    """What stands on a page, and what it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.loads: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        names = ("src", "href", "action", "srcset", "data")
        self.loads += [f"{tag} {name}={value}" for name, value in attrs if name in names]
        self.loads += [f"{tag} {name}" for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def compared(sample_workspace: rft.Workspace) -> tuple[rft.TrainingJob, CheckpointComparison]:
    dataset = next(one for one in sample_workspace.datasets() if one.name == "Trained")
    (job,) = dataset.training_jobs
    steps = [one.step for one in job.checkpoints if one.step]
    assert job.comparison is None
    told = []
    found = dataset.compare_checkpoints(
        steps=[steps[0], job.served_step or steps[1], steps[-1]],
        n=20,
        progress=lambda share, words: told.append((share, words)),
    )
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    assert any("of the model from before" in words for _, words in told)
    return job, found


def timeless(found: CheckpointComparison) -> CheckpointComparison:
    """All but how long answers took."""
    measured = tuple(msgspec.structs.replace(one, seconds=None) for one in found.checkpoints)
    return msgspec.structs.replace(found, checkpoints=measured)


def test_checkpoints_are_compared_on_the_same_prompts(trained, compared):
    job, found = compared
    assert found.checkpoints[0].step == 0
    assert found.last_step == found.checkpoints[-1].step == job.checkpoints[-1].step
    assert found.served_step == job.served_step
    assert (found.prompts, found.length_unit, found.grader_version) == (20, "characters", 1)
    assert set(found.left_out) == {one.step for one in job.checkpoints if one.step} - {
        one.step for one in found.checkpoints
    }
    for one in found.checkpoints:
        assert one.answers + one.no_answer == 20
        assert one.cost_micro_usd == 0
        assert one.seconds is not None
    assert job.comparison == kept_comparison(trained._store, job.id) == found
    assert msgspec.json.decode(found.to_json(), type=CheckpointComparison) == found
    steps = [one.step for one in found.checkpoints[1:]]
    again = trained.compare_checkpoints(job, steps, n=20, seed=0)
    assert timeless(again) == timeless(found)


def test_what_cannot_be_compared(trained, sample, compared):
    with pytest.raises(NotFound, match="no checkpoint of step 9999"):
        trained.compare_checkpoints(steps=[9999])
    with pytest.raises(InvalidArgument, match="0 checkpoints"):
        trained.compare_checkpoints(steps=[0])
    with pytest.raises(InvalidArgument, match="at least 1"):
        trained.compare_checkpoints(n=0)
    with pytest.raises(InvalidArgument, match="no trained policy"):
        sample.compare_checkpoints()
    with pytest.raises(RunInterrupted):
        trained.compare_checkpoints(cancelled=lambda: True)
    assert trained.training_jobs[0].comparison is not None


def test_a_job_that_was_stopped_asks_only_for_what_it_lacks(trained, monkeypatch):
    (job,) = trained.training_jobs
    steps = [one.step for one in job.checkpoints if one.step][-2:]
    asked, reached = [], threading.Event()
    original = LocalPolicy.respond_many

    def counted(self, prompts, *, reference=False):
        asked.append(reference)
        if len(asked) == 3:  # the second checkpoint: let it be stopped here
            reached.set()
        for found in original(self, prompts, reference=reference):
            if len(asked) == 3:
                time.sleep(0.1)  # so that its end is not there before the stop
            yield found

    monkeypatch.setattr(LocalPolicy, "respond_many", counted)
    params = {"training_job": job.id, "steps": steps, "n": 25}
    work = trained.submit("compare_checkpoints", params)
    assert reached.wait(30)
    work.cancel()
    work.wait(30)
    assert work.status == "cancelled"
    work.retry().wait(60)
    assert work.status == "succeeded"
    assert asked == [True, False, False, False]
    assert work.result.sentence == work.state.outcome
    assert job.comparison == work.result


# -- the run on one page --------------------------------------------------------------------------


def test_a_run_card_says_all_that_is_known(trained, compared):
    job, _ = compared
    card = job.run_card()
    assert (card.job_id, card.status, card.trainer) == (job.id, "completed", "local")
    assert card.report == job.report
    assert card.comparison == job.comparison
    assert len(card.hyperparameters) == 15
    assert (card.hyperparameters["n_epochs"], card.given) == (2, ())
    assert card.data.is_unchanged
    assert sum(one.train for one in card.data.topics) == card.data.train == len(job.split.train)
    assert sum(one.valid for one in card.data.topics) == card.data.valid
    assert card.grader.definition["type"] == card.grader.type
    assert card.grader.hash == trained.grader_version.hash
    (attempt,) = card.attempts
    assert attempt.packages["rft-widgets"] == card.made_by == rft.__version__
    assert attempt.cpus >= 1
    assert attempt.job_id == trained.jobs[-1].id
    assert card.costs.service_micro_usd == 0
    assert [line.message for line in card.log] == [words for _, words in job.log]
    assert any("no trust card" in sentence for sentence in card.not_measured)
    assert any("no dry run" in sentence for sentence in card.not_measured)
    assert not any("not compared" in sentence for sentence in card.not_measured)
    assert msgspec.json.decode(card.to_json(), type=RunCard) == card
    assert repr(card) == f"<RunCard {job.id}: {job.report.summary}>"


def test_what_was_chosen_is_deployed_and_the_page_stands_alone(sample, tmp_path: Path):
    sample.rename("<script>alert(1)</script> & co")
    sample.set_grader(sample_grader() | {"name": "<img src=x onerror=alert(1)>"})
    job = sample.train({"hyperparameters": {"n_epochs": 1, "evaluations": 2}})
    early = job.run_card()
    assert early.report is None
    assert "result is not measured" in " ".join(early.not_measured)
    assert "<h1>Run card: &lt;script&gt;" in early.to_html()
    job.wait(60)
    training.log(sample._store, job.id, "The service calls the job ftjob-<1>.")
    other = next(one.step for one in job.checkpoints if one.step not in (0, job.served_step))
    job.choose_checkpoint(other)
    found = sample.compare_checkpoints(job, [other], n=10)
    assert [one.is_served for one in found.checkpoints] == [False, True]
    record = sample.record(job.split.valid[0])
    chosen = job.policy(other).respond(record.input.messages, record.input.tools)
    assert job.policy().respond(record.input.messages, record.input.tools) == chosen
    deployment = sample.deploy(start=False)
    card = job.run_card()
    assert [(one.id, one.outcome) for one in card.deployments] == [(deployment.id, None)]
    assert any(deployment.id in sentence for sentence in card.not_measured)
    assert card.service_job == "ftjob-<1>"
    assert (card.is_chosen, card.served_step) == (True, other)
    assert card.hyperparameters["evaluations"] == 2
    text = card.to_html(tmp_path / "card.html")
    assert (tmp_path / "card.html").read_text(encoding="utf-8") == text
    page = Page(text)
    assert not page.tags & {"script", "img", "link", "iframe", "object", "form", "a"}
    assert page.loads == []
    assert "svg" in page.tags
    words = " ".join(page.words)
    for part in ("<script>alert(1)</script> & co", "ftjob-<1>", "onerror=alert(1)", "evaluations",
                 "chosen by somebody", card.data.hash):  # fmt: skip
        assert part in words
    assert "default-src 'none'" in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    sample.add_records([{"messages": [{"role": "user", "content": "Something new"}]}])
    assert not job.run_card().data.is_unchanged


# -- the same over REST and on the command line ---------------------------------------------------


def test_over_rest(sample_workspace: rft.Workspace, compared):
    job, _ = compared
    routes = {route.name: route for route in ROUTES}

    def ask(name: str, body: object = None, query: str = ""):
        data = b"" if body is None else msgspec.json.encode(body)
        asked = Request(path={"training_id": job.id}, query=query, body=data)
        return call(routes[name], sample_workspace, asked)

    begun = ask("compare_checkpoints", {"steps": [job.checkpoints[-1].step], "n": 12})
    done = sample_workspace.job(begun.view().id).wait(60)
    assert ask("get_checkpoint_comparison") == done.result
    assert done.result.prompts == 12
    assert ask("get_run_card").comparison == done.result
    page = ask("download_run_card")
    assert page.name == f"{job.id}-run-card.html"
    assert page.path.read_text(encoding="utf-8").startswith("<!doctype html>")
    data = ask("download_run_card", query="format=json")
    assert json.loads(data.path.read_bytes())["job_id"] == job.id


def test_on_the_command_line(sample_workspace: rft.Workspace, compared, tmp_path: Path):
    job, _ = compared
    store = sample_workspace._store.url.removeprefix("sqlite:///")
    base = (job.dataset_id, "--job", job.id, "--database", store)
    step = job.checkpoints[-1].step
    shown = run("compare-checkpoints", *base, "--steps", step, "-n", 10).stdout
    assert f"step {step} (" in shown
    assert "against before" in shown
    found = answer("compare-checkpoints", *base, "--steps", step, "-n", 10)
    assert found["sentence"] in shown
    run("run-card", *base, "--to", tmp_path / "card.html")
    run("run-card", *base, "--to", tmp_path / "card.json")
    assert "<svg" in (tmp_path / "card.html").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "card.json").read_text())["comparison"]["prompts"] == 10
    assert answer("run-card", *base)["job_id"] == job.id
    assert "neither a page" in run("run-card", *base, "--to", "card.pdf", check=1).stderr
