"""Training jobs of a dataset: what they keep, how they are stopped, resumed and refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import msgspec
import pytest
from builders import chat_line

import rft_widgets as rft
from rft_widgets.errors import InvalidArgument, NotFound, TrainingRefused
from rft_widgets.model.training import TrainingConfig, TrainingReport
from rft_widgets.sample.grader import sample_grader
from rft_widgets.sample.support import sample_records
from rft_widgets.store import jobs, training


def ended(job: rft.TrainingJob, *statuses: str) -> None:
    deadline = time.monotonic() + 60
    while job.status not in statuses:
        assert time.monotonic() < deadline, job
        time.sleep(0.05)


# -- a finished job -------------------------------------------------------------------------------


def test_a_job_ends_with_a_measured_policy(trained: rft.OptimizationDataset):
    (job,) = trained.training_jobs
    assert (job.status, job.error) == ("completed", None)
    report = job.report
    assert report is not None
    assert report.change is not None
    assert job.progress is not None
    assert job.progress.share == 1.0
    assert [c.step for c in job.checkpoints] == sorted({c.step for c in job.checkpoints})
    split = job.split
    assert not set(split.train) & set(split.valid)
    assert report.valid_prompts <= len(split.valid)
    assert report.change.n + report.excluded.no_candidate + report.excluded.failed_grading == len(
        split.valid
    )
    assert any("no dry run" in words for _, words in job.log)
    assert report.summary in [words for _, words in job.log]
    assert msgspec.json.decode(msgspec.json.encode(report), type=TrainingReport) == report
    with trained._store.read() as connection:
        row = training.read(connection, job.id)
    assert row.inputs == trained.run_inputs(trained.grader_version)
    kinds = [event.kind for event in trained.events]
    assert kinds[-2:] == ["train", "training_ended"]
    assert trained.training_job(job.id).status == "completed"
    assert trained.stats.training_runs == 1


def test_no_answer_of_a_validation_conversation_is_ever_given(trained: rft.OptimizationDataset):
    (job,) = trained.training_jobs
    policy = job.policy()
    train = set(job.split.train)
    threads = {r.thread_id for r in trained.iterate() if r.id in set(job.split.valid)}
    for record_id in job.split.valid:
        record = trained.record(record_id)
        answer = policy.respond(record.input.messages, record.input.tools)
        assert answer.source_record_id in train
        assert trained.record(answer.source_record_id).thread_id not in threads


def test_unknown_jobs_are_not_found(trained: rft.OptimizationDataset, sample):
    with pytest.raises(NotFound):
        trained.training_job("job_0")
    with pytest.raises(NotFound):
        sample.training_job(trained.training_jobs[0].id)


# -- what is refused ------------------------------------------------------------------------------


def test_training_needs_a_grader_and_records(sqlite_workspace: rft.Workspace):
    dataset = sqlite_workspace.create("Empty")
    with pytest.raises(InvalidArgument, match="no grader"):
        dataset.train()
    dataset.set_grader(sample_grader())
    with pytest.raises(InvalidArgument, match="no valid record"):
        dataset.train()


@pytest.mark.parametrize(
    "config",
    [
        {"trainer": "magic"},
        {"train_ratio": 1.5},
        {"hyperparameters": {"n_epochs": 0}},
        {"hyperparameters": {"n_epochs": 11}},
        {"hyperparameters": {"no_such_number": 1}},
        {"unknown": 1},
        {"seed": "one"},
    ],
)
def test_a_wrong_configuration_is_refused_before_anything_starts(
    sample: rft.OptimizationDataset, config: dict[str, object]
):
    with pytest.raises(InvalidArgument):
        sample.train(config)
    assert sample.training_jobs == ()


def test_a_no_go_refuses_training_until_it_is_overridden(sample: rft.OptimizationDataset):
    sample.set_grader(
        {"type": "python", "name": "one", "source": "def grade(sample, item):\n    return 1.0\n"}
    )
    assert sample.dry_run(n=50).verdict == "NO_GO"
    with pytest.raises(TrainingRefused, match="NO_GO"):
        sample.train()
    job = sample.train(despite_no_go=True).wait(60)
    assert job.report is not None
    assert job.report.outcome == "no_learning"
    assert job.report.kept_reference
    assert any("although the last dry run says NO_GO" in words for _, words in job.log)
    assert sample.pipeline.nodes[5].summary == "No clear change"


def test_a_stale_dry_run_is_said(sample: rft.OptimizationDataset):
    sample.dry_run(n=50)
    sample.add_records([chat_line("A question that came later", "An answer")])
    job = sample.train()
    assert any("stale" in words for _, words in job.log)
    job.cancel()
    ended(job, "cancelled", "completed")


# -- stopping and going on ------------------------------------------------------------------------


def test_pause_resume_and_cancel(sample: rft.OptimizationDataset):
    whole = sample.train().wait(60).report
    job = sample.train()
    job.pause()
    ended(job, "paused")
    assert sample.pipeline.nodes[5].status == "attention"
    assert job.report is None
    job.resume().wait(60)
    assert job.report == whole, "a paused run ends as one that was not"
    with pytest.raises(InvalidArgument, match="has ended"):
        job.resume()
    other = sample.train()
    with pytest.raises(InvalidArgument, match="being worked on"):
        other.resume()
    other.cancel()
    ended(other, "cancelled")
    with pytest.raises(InvalidArgument, match="no policy"):
        other.policy()
    assert sample.pipeline.nodes[5].status == "complete", "the policy from before is still there"


KILLED = textwrap.dedent(
    """
    import sys, time
    import rft_widgets as rft
    with rft.Workspace(sys.argv[1]) as ws:
        job = ws.datasets()[0].train()
        print(job.id, flush=True)
        seen = None
        while job.status in ("pending", "running"):
            now = job.progress
            if now is not None and (now.phase, now.step) != seen:
                seen = (now.phase, now.step)
                print(now.phase, now.step, flush=True)
            time.sleep(0.005)
        time.sleep(60)
    """
)


SOME = [
    pytest.param(one, marks=pytest.mark.slow) for one in ("grading", "training 0", "training 8")
]


@pytest.mark.parametrize("moment", ["training 4", *SOME])
def test_a_killed_job_is_resumed_to_the_same_end(
    tmp_path: Path, moment: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(training, "SILENT_S", 3.0)
    monkeypatch.setattr(jobs, "FORSAKEN_S", 3.0)
    with rft.Workspace(tmp_path / "store.db") as workspace:
        dataset = workspace.create("Killed")
        dataset.add_records(sample_records(n=160))
        dataset.set_grader(sample_grader())
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, tmp_path / "store.db"],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        job_id = process.stdout.readline().strip()
        phase, _, step = moment.partition(" ")
        for line in process.stdout:
            now, at = line.split()
            order = ("preparing", "grading", "training", "evaluating", "done")
            if (now == phase and int(at) >= int(step or 0)) or order.index(now) > order.index(
                phase
            ):
                os.killpg(process.pid, signal.SIGKILL)
                break
        process.wait(30)
        process.stdout.close()
        job = dataset.training_job(job_id)
        assert job.status in ("pending", "running")
        time.sleep(3.1)
        assert job.was_killed
        with pytest.raises(InvalidArgument, match="was killed"):
            job.wait(5)
        job.resume().wait(60)
        assert job.report == dataset.train().wait(60).report


def test_a_job_is_not_resumed_on_other_records(sample: rft.OptimizationDataset):
    job = sample.train()
    job.pause()
    ended(job, "paused")
    sample.add_records([chat_line("A question that came later", "An answer")])
    job.resume()
    ended(job, "failed")
    assert job.error is not None
    assert "records changed" in job.error
    assert sample.pipeline.nodes[5].status == "failed"


def test_a_taken_over_job_has_one_worker(sample: rft.OptimizationDataset):
    job = sample.train()
    ended(job, "running")
    with sample._store.write() as connection:
        connection.execute(
            training.training_jobs.update()
            .where(training.training_jobs.c.id == job.id)
            .values(owner="somebody else")
        )
    time.sleep(1.5)
    assert job.status == "running", "the former worker let go without a word"
    assert job.report is None


def test_the_trainer_may_be_configured(sample: rft.OptimizationDataset):
    config = TrainingConfig(train_ratio=0.8, seed=3, hyperparameters={"n_epochs": 1})
    job = sample.train(config).wait(60)
    assert job.config == config
    share = len(job.split.train) / (len(job.split.train) + len(job.split.valid))
    assert 0.7 < share < 0.9
    assert job.report is not None
    assert job.report.curve[-1].epoch == pytest.approx(1.0)
