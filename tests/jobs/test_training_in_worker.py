"""Training in the worker: it outlives who asked for it, and a killed worker goes on by itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from child_worker import ChildWorker

import rft_widgets as rft
from rft_widgets.errors import InvalidArgument
from rft_widgets.jobs.running import JOBS_VARIABLE
from rft_widgets.model.training import TrainingReport
from rft_widgets.sample.grader import sample_grader
from rft_widgets.sample.support import sample_records
from rft_widgets.store import training

SLOW = {"hyperparameters": {"n_epochs": 6, "evaluations": 60}}


@pytest.fixture(scope="module")
def database(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("training") / "store.db"
    with rft.Workspace(path) as workspace:
        dataset = workspace.create("Original")
        dataset.add_records(sample_records(n=120))
        dataset.set_grader(sample_grader())
    return path


@pytest.fixture(scope="module")
def undisturbed(database) -> TrainingReport:
    """What a run in this process, that nothing disturbs, comes to."""
    with rft.Workspace(database) as workspace:
        copy = workspace.duplicate(workspace.datasets()[0].id, name="Undisturbed")
        report = copy.train(SLOW).wait(120).report
    assert report is not None
    return report


@pytest.fixture
def dataset(database, monkeypatch) -> Iterator[rft.OptimizationDataset]:
    """A copy, in a process that leaves work to the worker."""
    monkeypatch.setenv(JOBS_VARIABLE, "worker")
    with rft.Workspace(database) as workspace:
        original = next(one for one in workspace.datasets() if one.name == "Original")
        copy = workspace.duplicate(original.id, name="Copy")
        yield copy
        workspace.delete(copy.id)


@pytest.fixture
def worker(database) -> Iterator[ChildWorker]:
    with ChildWorker(database) as started:
        yield started


def until(condition: Callable[[], bool], what: object, within_s: float = 60) -> None:
    ends = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < ends, what
        time.sleep(0.02)


def has_reached(run: rft.TrainingJob, step: int) -> Callable[[], bool]:
    def reached() -> bool:
        now = run.progress
        assert run.status in ("pending", "running"), run
        return now is not None and now.phase == "training" and now.step >= step

    return reached


def only_job(dataset: rft.OptimizationDataset) -> rft.Job:
    (job,) = dataset.jobs
    return job


def test_a_killed_worker_goes_on_by_itself_to_the_same_end(dataset, worker, undisturbed):
    run = dataset.train(SLOW)
    until(has_reached(run, 3), "some steps")
    job = only_job(dataset)
    assert (job.status, job.state.title) == ("running", "Training")
    with pytest.raises(InvalidArgument, match="is at work"):
        dataset.train()
    worker.kill()
    assert not run.was_killed, "nobody has to resume it: a worker will"
    assert run.status == "running"
    worker.start()
    run.wait(120)
    assert run.report == undisturbed
    assert not run.was_killed
    assert job.wait(10).status == "succeeded"
    assert job.state.outcome == undisturbed.summary
    assert job.state.attempts == 2
    assert [event.kind for event in dataset.events][-2:] == ["train", "training_ended"]
    assert dataset.pipeline.nodes[5].status == "complete"


def test_a_run_that_waits_is_paused_resumed_and_cancelled_at_once(dataset):
    run = dataset.train()
    job = only_job(dataset)
    assert (run.status, job.status) == ("pending", "queued")
    with pytest.raises(InvalidArgument, match="being worked on"):
        run.resume()
    run.pause()
    assert (run.status, job.status) == ("paused", "cancelled")
    assert dataset.pipeline.nodes[5].summary == "Paused at 0%"
    run.resume()
    assert run.status == "pending"
    again = dataset.jobs[0]
    assert (again.id != job.id, again.status) == (True, "queued")
    run.cancel()
    assert (run.status, again.status) == ("cancelled", "cancelled")
    with pytest.raises(InvalidArgument, match="has ended"):
        again.retry()


def test_a_job_that_is_stopped_while_it_waits_leaves_a_run_to_resume(dataset, monkeypatch):
    monkeypatch.setattr(training, "SILENT_S", 0.0)
    run = dataset.train()
    job = only_job(dataset)
    assert job.cancel()
    assert run.was_killed
    assert dataset.pipeline.nodes[5].status_label == "Interrupted"
    job.retry()
    assert not run.was_killed
    assert (run.status, job.status) == ("pending", "queued")


@pytest.mark.slow
def test_pause_resume_and_cancel_from_another_process(dataset, worker, undisturbed):
    run = dataset.train(SLOW)
    until(has_reached(run, 2), "some steps")
    run.pause()
    until(lambda: run.status == "paused", "paused")
    job = only_job(dataset)
    assert job.wait(10).status == "cancelled"
    assert "paused" in job.state.outcome.lower()
    run.resume()
    run.wait(120)
    assert run.report == undisturbed
    other = dataset.train({"hyperparameters": {"n_epochs": 10, "evaluations": 100}})
    until(lambda: other.status == "running", "begun")
    other.cancel()
    until(lambda: other.status != "running", "ended")
    assert other.status == "cancelled"
    assert dataset.jobs[0].wait(10).status == "cancelled"


@pytest.mark.slow
def test_the_job_list_stops_and_retries_a_run(dataset, worker, undisturbed):
    run = dataset.train(SLOW)
    until(has_reached(run, 2), "some steps")
    job = only_job(dataset)
    until(lambda: job.state.share is not None and job.state.share > 0, "the run's progress")
    assert job.state.doing == run.progress.message or job.state.doing
    job.cancel()
    assert job.wait(20).status == "cancelled"
    assert run.status == "paused", "nothing is lost: it can go on"
    job.retry()
    run.wait(120)
    assert run.report == undisturbed
    assert job.wait(10).status == "succeeded"


@pytest.mark.slow
def test_a_worker_that_ends_in_order_leaves_the_run_to_the_next(dataset, worker, undisturbed):
    run = dataset.train(SLOW)
    until(has_reached(run, 2), "some steps")
    assert worker.end() == 0
    job = only_job(dataset)
    assert (job.status, run.status) == ("queued", "running")
    assert not run.was_killed
    worker.start()
    assert run.wait(120).report == undisturbed
    assert only_job(dataset).wait(10).status == "succeeded"


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["preparing", "grading", "training", "evaluating"])
def test_killed_in_any_phase(dataset, worker, undisturbed, moment):
    order = ("preparing", "grading", "training", "evaluating", "done")
    run = dataset.train(SLOW)
    until(
        lambda: run.progress is not None and order.index(run.progress.phase) >= order.index(moment),
        moment,
    )
    worker.kill()
    worker.start()
    assert run.wait(120).report == undisturbed


@pytest.mark.slow
def test_a_pause_that_was_asked_of_a_killed_worker_is_heard_by_the_next(dataset, worker):
    run = dataset.train(SLOW)
    until(has_reached(run, 1), "begun")
    worker.kill()
    run.pause()
    assert run.state.requested == "pause"
    worker.start()
    until(lambda: run.status == "paused", "paused")
    assert only_job(dataset).wait(10).status == "cancelled"
