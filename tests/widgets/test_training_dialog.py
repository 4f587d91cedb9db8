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
from rft_widgets.model.training import TrainingConfig, TrainingProgress, TrainingRollout
from rft_widgets.sample.grader import sample_grader
from rft_widgets.sample.support import write_sample
from rft_widgets.store import training
from rft_widgets.store.training import SplitIds
from rft_widgets.trainers import NAMES
from rft_widgets.widgets.dialogs.training import ROLLOUT_CHARS, ROLLOUTS

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
        {"trainer": "nobody"},
        {"connection": "gone"},
        {"train_ratio": 1.0},
        {"hyperparameters": {"n_epochs": 11}},
        {"hyperparameters": {"learning_rat": 0.1}},
    ],
)
def test_a_configuration_that_cannot_be_used_is_refused(graded, shown, changed):
    page = shown(graded)
    given = {"config": CONFIG | changed}
    error = page.refused("train", given | {"despite_no_go": True})
    assert error["code"] == ("not_found" if "connection" in changed else "invalid_argument")
    assert graded.training_jobs == ()
    if "train_ratio" in changed:  # then there is no split either
        assert page.refused("plan", given)["message"] == error["message"]
        return
    plan = page.ask("plan", given)
    assert plan["refusal"] == error
    assert plan["estimate"] is None
    assert plan["train"] == len(graded.split().train_ids)


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


def test_a_run_says_who_trains_what(graded, shown):
    job = claimed(graded, base_model="/models/tiny")
    (row,) = shown(graded).ask("load")["runs"]
    assert (row["id"], row["trainer"], row["base_model"]) == (job, "local", "/models/tiny")


def test_what_a_service_costs_is_told_or_unknown(graded, shown):
    job, page = claimed(graded), shown(graded)
    for told in (1_250_000, None):
        progress = TrainingProgress(
            phase="training", share=0.5, step=1, steps=2, epoch=0.5, gradings=0, message="",
            cost_micro_usd=told,
        )  # fmt: skip
        text = msgspec.json.encode(progress).decode()
        training.report_progress(graded._store, job, "somebody", text)
        assert page.ask("load_run", {"job": job})["cost_micro_usd"] == told


def test_answers_of_a_step_come_bounded(graded, shown):
    job, page = claimed(graded), shown(graded)
    assert page.ask("load_run", {"job": job})["rollout_steps"] == []
    answer = TrainingRollout(step=4, record_id="r", prompt="p" * 9_000, answer="a", reward=0.5)
    text = msgspec.json.encode(answer).decode()
    training.save_rollouts(graded._store, job, "somebody", 4, [text] * (ROLLOUTS + 1))
    assert page.ask("load_run", {"job": job})["rollout_steps"] == [4]
    found = page.ask("rollouts", {"job": job, "step": 4})
    assert (len(found["rollouts"]), found["total"]) == (ROLLOUTS, ROLLOUTS + 1)
    assert len(found["rollouts"][0]["prompt"]) == ROLLOUT_CHARS + 1
    assert found["rollouts"][0]["answer"] == "a"
    assert page.ask("rollouts", {"job": job, "step": 5})["rollouts"] == []


def test_another_checkpoint_is_served_on_request(trained, shown):
    page, job = shown(trained), trained.training_jobs[0].id
    view = page.ask("load_run", {"job": job})
    its_own = view["report"]["served_step"]
    assert view["served_step"] == its_own
    other = next(one["step"] for one in view["checkpoints"] if one["step"] != its_own)
    page.ask("choose_checkpoint", {"job": job, "step": other})
    assert page.ask("load_run", {"job": job})["served_step"] == other
    assert trained.training_job(job).served_step == other
    assert page.refused("choose_checkpoint", {"job": job, "step": 99_999})["code"] == "not_found"
    page.ask("choose_checkpoint", {"job": job})
    assert page.ask("load_run", {"job": job})["served_step"] == its_own


def test_checkpoints_are_compared_and_the_run_card_is_taken_away(trained, shown):
    page, job = shown(trained), trained.training_jobs[0].id
    assert page.ask("comparison", {"job": job}) is None
    page.ask("compare_checkpoints", {"job": job})
    work = trained.last_job("compare_checkpoints", subject=job, only_succeeded=False)
    assert work.wait(60).status == "succeeded"
    found = page.ask("comparison", {"job": job})
    assert found["sentence"]
    assert found["checkpoints"][0]["step"] == 0
    shown_card = page.ask("card", {"job": job})
    assert "<script" not in shown_card
    assert job in shown_card
    for file_format in ("html", "json"):
        made = page.ask("download_card", {"job": job, "file_format": file_format})
        assert made["name"] == f"Trained-run-{job}.{file_format}"
        assert job.encode() in page.ask("read_download", {"download": made["id"], "offset": 0})


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
    for method in ("load_run", "pause", "cancel", "choose_checkpoint", "comparison", "card"):
        assert page.refused(method, {"job": foreign})["code"] == "not_found"
    assert trained.training_jobs[0].status == "completed"


def test_the_state_of_the_widget_holds_no_record(trained, shown):
    page = shown(trained)
    job = trained.training_jobs[0]
    record = trained.record(job.split.valid[0])
    page.ask("load_run", {"job": job.id})
    page.ask("load")
    assert record.messages[-1].text not in str(page.widget.get_state())


def claimed(dataset: rft.OptimizationDataset, **config: Any) -> str:
    """A job that says that it runs, and that nobody works on."""
    job = training.create(
        dataset._store,
        dataset.id,
        config=msgspec.json.encode(TrainingConfig(**config)).decode(),
        inputs=RunInputs(data="d", topics="t", grader="g", grader_version=1, records_revision=0),
        split=SplitIds(train=(), valid=()),
    )
    training.claim(dataset._store, job, "somebody")
    return job
