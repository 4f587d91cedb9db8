"""The training dialog: what it tells its page in every state, and what it refuses."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from builders import chat_line
from widgets.wire import Page

import rft_widgets as rft
from rft_widgets.model.run import RunInputs
from rft_widgets.model.training import TrainingConfig
from rft_widgets.sample.grader import sample_grader
from rft_widgets.sample.support import write_sample
from rft_widgets.store import training
from rft_widgets.store.training import SplitIds
from rft_widgets.trainers import NAMES

CONFIG = msgspec.to_builtins(TrainingConfig())
ONES = {"type": "python", "name": "one", "source": "def grade(sample, item):\n    return 1.0\n"}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Iterator[rft.Workspace]:
    folder = tmp_path_factory.mktemp("training")
    with rft.Workspace(folder / "store.db") as opened:
        path = write_sample(folder / "s.jsonl", format="jsonl", n=160).path
        graded = opened.create_from_file(path, name="Graded")
        graded.set_grader(sample_grader())
        opened.duplicate(graded.id, name="Trained").train().wait(60)
        yield opened


@pytest.fixture
def graded(workspace) -> rft.OptimizationDataset:
    """A copy that a test may change."""
    found = next(one for one in workspace.datasets() if one.name == "Graded")
    return workspace.duplicate(found.id, name="Copy")


@pytest.fixture
def trained(workspace) -> rft.OptimizationDataset:
    return next(one for one in workspace.datasets() if one.name == "Trained")


@pytest.fixture
def shown(show_dialog) -> Callable[[rft.OptimizationDataset], Page]:
    return functools.partial(show_dialog, "training")


def until(page: Page, job: str, *statuses: str) -> dict[str, Any]:
    ends = time.monotonic() + 60
    while True:
        view = page.ask("load_run", {"job": job})
        if view["run"]["status"] in statuses:
            return view
        assert time.monotonic() < ends, view["run"]
        time.sleep(0.02)


# -- before a run ---------------------------------------------------------------------------------


def test_what_is_missing_comes_first(dataset, shown):
    page = shown(dataset)
    setup = page.ask("load")
    assert setup["readiness"]["blocked"] == "Import data first"
    assert setup["data"]["valid_records"] == 0
    assert page.refused("plan", {"config": CONFIG})["message"] == (
        "There is no valid record to split."
    )
    dataset.add_records([chat_line("A question that is long enough", "An answer")])
    assert page.ask("load")["readiness"]["blocked"] == "Configure the grader first"
    error = page.refused("train", {"config": CONFIG, "despite_no_go": False})
    assert error["code"] == "invalid_argument"
    assert "no grader" in error["message"]
    dataset.set_grader(ONES)
    assert page.ask("load")["readiness"]["blocked"] is None


def test_the_setup_says_what_there_is(graded, shown):
    setup = shown(graded).ask("load")
    assert [one["name"] for one in setup["trainers"]] == list(NAMES)
    assert setup["trainers"][0]["missing"] == ""
    assert all(one["needs"] for one in setup["trainers"])
    assert setup["data"]["valid_records"] == graded.stats.valid_records
    assert setup["data"]["grader"] == "3 graders"
    assert setup["data"]["dry_run"] == "Ready to run"
    assert setup["config"] == CONFIG
    assert setup["runs"] == []
    (warning,) = setup["readiness"]["warnings"]
    assert "no dry run" in warning


def test_a_plan_is_the_split_and_an_estimate(graded, trained, shown):
    page = shown(graded)
    plan = page.ask("plan", {"config": CONFIG})
    split = graded.split()
    assert (plan["train"], plan["valid"]) == (len(split.train_ids), len(split.valid_ids))
    assert sum(one["train"] for one in plan["topics"]) == plan["train"]
    assert plan["estimate"]["seconds"] is None
    assert plan["estimate"]["cost_micro_usd"] == 0
    half = page.ask("plan", {"config": CONFIG | {"train_ratio": 0.5}})
    assert half["valid"] > plan["valid"]
    known = shown(trained).ask("plan", {"config": CONFIG})["estimate"]
    elapsed = trained.training_jobs[-1].progress.elapsed_s
    assert known["seconds"] == pytest.approx(elapsed)
    assert "The last run took" in known["basis"]


@pytest.mark.parametrize(
    "changed",
    [
        {"trainer": "tinker"},
        {"train_ratio": 1.0},
        {"hyperparameters": {"n_epochs": 11}},
        {"hyperparameters": {"learning_rat": 0.1}},
    ],
)
def test_a_configuration_that_cannot_be_used_is_refused(graded, shown, changed):
    page = shown(graded)
    for method, more in (("plan", {}), ("train", {"despite_no_go": True})):
        error = page.refused(method, {"config": CONFIG | changed, **more})
        assert error["code"] == "invalid_argument"
    assert graded.training_jobs == ()


def test_a_configuration_of_another_shape_does_not_come_in(graded, shown):
    page = shown(graded)
    for wrong in ({"unknown": 1}, CONFIG | {"train_ratio": "all"}, "local"):
        assert page.refused("plan", {"config": wrong})["code"] == "invalid_params"


def test_a_no_go_has_to_be_overridden(graded, shown):
    graded.set_grader(ONES)
    assert graded.dry_run(n=50).verdict == "NO_GO"
    page = shown(graded)
    readiness = page.ask("load")["readiness"]
    assert readiness["no_go"]
    assert readiness["warnings"] == []
    error = page.refused("train", {"config": CONFIG, "despite_no_go": False})
    assert error["code"] == "training_refused"
    job = page.ask("train", {"config": CONFIG, "despite_no_go": True})
    view = until(page, job, "completed")
    assert view["run"]["outcome"] == "no_learning"
    assert "although the last dry run says NO_GO" in view["log"][0]["message"]


def test_a_stale_dry_run_and_a_caution_warn(graded, shown):
    verdict = graded.dry_run(n=50).verdict
    graded.add_records([chat_line("A question that came later", "An answer")])
    warnings = shown(graded).ask("load")["readiness"]["warnings"]
    assert any("stale" in words for words in warnings)
    assert any("CAUTION" in words for words in warnings) == (verdict == "CAUTION")


# -- a run ----------------------------------------------------------------------------------------


def test_a_run_from_start_to_result(graded, shown):
    page = shown(graded)
    job = page.ask("train", {"config": CONFIG, "despite_no_go": False})
    view = until(page, job, "completed")
    report, run = view["report"], view["run"]
    assert run["outcome"] == report["outcome"]
    assert run["summary"] == report["summary"]
    assert run["finished_at"]
    assert report["curve"] == []
    assert [point["step"] for point in view["curve"]] == [
        point.step for point in graded.training_jobs[-1].report.curve
    ]
    assert view["progress"]["share"] == 1
    assert view["progress"]["elapsed_s"] > 0
    assert view["eta_s"] is None
    assert view["cost_micro_usd"] == 0
    assert report["served_step"] in [one["step"] for one in view["checkpoints"]]
    assert view["log"][-1]["message"] == report["summary"]
    assert view["log_lines"] == len(view["log"])
    setup = page.ask("load")
    assert [one["id"] for one in setup["runs"]] == [job]
    assert graded.pipeline.nodes[5].status == "complete"


def test_a_run_is_paused_resumed_and_cancelled(graded, shown):
    page = shown(graded)
    slow = CONFIG | {"hyperparameters": {"n_epochs": 10, "evaluations": 100}}
    job = page.ask("train", {"config": slow, "despite_no_go": False})
    page.ask("pause", {"job": job})
    view = until(page, job, "paused")
    assert view["requested"] == ""
    assert view["report"] is None
    page.ask("resume", {"job": job})
    assert page.refused("resume", {"job": job})["code"] == "already_at_work"
    running = until(page, job, "running")
    assert running["run"]["was_killed"] is False
    page.ask("cancel", {"job": job})
    until(page, job, "cancelled")
    assert page.refused("resume", {"job": job})["code"] == "invalid_argument"
    assert page.ask("load")["config"]["hyperparameters"] == slow["hyperparameters"]


def test_a_run_whose_worker_is_gone_says_so(graded, shown, monkeypatch):
    job = claimed(graded)
    monkeypatch.setattr(training, "SILENT_S", 0.0)
    page = shown(graded)
    view = page.ask("load_run", {"job": job})
    assert (view["run"]["status"], view["run"]["was_killed"]) == ("running", True)
    assert page.ask("load")["runs"][0]["was_killed"] is True
    page.ask("cancel", {"job": job})
    assert page.ask("load_run", {"job": job})["run"]["status"] == "cancelled"


def test_a_failed_run_says_why_and_shows_no_code(graded, shown):
    page = shown(graded)
    job = page.ask("train", {"config": CONFIG, "despite_no_go": False})
    page.ask("pause", {"job": job})
    until(page, job, "paused")
    graded.add_records([chat_line("A question that came later", "An answer")])
    page.ask("resume", {"job": job})
    view = until(page, job, "failed")
    assert "records changed" in view["error"]
    assert view["run"]["summary"] == view["error"]
    training.log(graded._store, job, 'Traceback (most recent call last):\n  File "secret.py"')
    last = page.ask("load_run", {"job": job})["log"][-1]["message"]
    assert "secret.py" not in last
    assert f'ds.training_job("{job}").log' in last


def test_a_long_log_is_cut(graded, shown):
    job = claimed(graded)
    for n in range(250):
        training.log(graded._store, job, f"Line {n}")
    view = shown(graded).ask("load_run", {"job": job})
    assert (len(view["log"]), view["log_lines"]) == (200, 250)
    assert view["log"][-1]["message"] == "Line 249"


def test_runs_of_other_datasets_are_not_there(graded, trained, shown):
    page = shown(graded)
    foreign = trained.training_jobs[0].id
    for method in ("load_run", "pause", "resume", "cancel"):
        assert page.refused(method, {"job": foreign})["code"] == "not_found"
    assert trained.training_jobs[0].status == "completed"


def test_the_state_of_the_widget_holds_no_record(trained, shown):
    page = shown(trained)
    job = trained.training_jobs[0]
    record = trained.record(job.split.valid[0])
    page.ask("load_run", {"job": job.id})
    page.ask("load")
    assert record.messages[-1].text not in str(page.widget.get_state())


def claimed(dataset: rft.OptimizationDataset) -> str:
    """A job that says that it runs, and that nobody works on."""
    job = training.create(
        dataset._store,
        dataset.id,
        config=msgspec.json.encode(TrainingConfig()).decode(),
        inputs=RunInputs(data="d", topics="t", grader="g", grader_version=1, records_revision=0),
        split=SplitIds(train=(), valid=()),
    )
    training.claim(dataset._store, job, "somebody")
    return job
