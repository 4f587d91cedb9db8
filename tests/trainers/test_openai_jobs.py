"""Jobs of fine-tuning services from their start to their end, at a real server of each dialect."""

from __future__ import annotations

import itertools
import json
import time
import urllib.request

import pytest
from child_worker import ChildWorker
from fine_tuned import (
    ARN,
    BASE,
    KEY,
    KEY_ENV,
    config,
    dataset_at,
    lines,
    sent,
    service,
    task_at,
    until,
    words_of,
)

from rft_widgets.errors import InvalidArgument, TrainingStopped
from rft_widgets.jobs.running import JOBS_VARIABLE
from rft_widgets.testing.process import server_process
from rft_widgets.testing.seeded import digest
from rft_widgets.trainers import MemoryRun, trainer


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv(KEY_ENV, KEY)


def rows_at(server, file_id):
    request = urllib.request.Request(
        f"{server.base_url}/files/{file_id}/content", headers={"Authorization": f"Bearer {KEY}"}
    )
    with urllib.request.urlopen(request) as answer:
        return [json.loads(line) for line in answer.read().splitlines()]


def at_work(server, looks=2):
    """Wait until a job has been looked at so often."""
    until(lambda: sum(one.path.endswith("/events") for one in server.requests) >= looks)


# -- a whole life ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", ["openai", "azure", "bedrock"])
def test_a_run_sends_its_records_and_follows_the_job_to_its_end(tmp_path, dialect):
    n = 150 if dialect == "bedrock" else 60
    with service(dialect) as server, dataset_at(server, tmp_path, n) as dataset:
        job = dataset.train(config(dialect)).wait(60)
        assert job.status == "completed", words_of(job)
        (made,) = sent(server, "/fine_tuning/jobs")
        assert len(sent(server, "/files")) == 2
        rows = rows_at(server, made.body["training_file"])
        valid = rows_at(server, made.body["validation_file"])
        by_id = {record.id: record for record in dataset.iterate()}
        assert (len(rows), len(valid)) == (len(job.split.train), len(job.split.valid))
        assert {(row["messages"][-1]["content"], row["reference_answer"]) for row in rows} == {
            (by_id[one].input.messages[-1].text, by_id[one].item["reference_answer"])
            for one in job.split.train
        }
        assert all([one["role"] for one in row["messages"]] == ["system", "user"] for row in rows)
        method = made.body["method"]["reinforcement"]
        assert method["hyperparameters"] == {"n_epochs": 1}
        assert {one.key_in for one in server.requests if "/fine_tuning" in one.path} == {
            "api-key" if dialect == "azure" else "authorization"
        }
        if dialect == "bedrock":
            assert method["grader"] == {"type": "lambda", "lambda": {"function": ARN}}
            assert not {"suffix", "metadata", "seed"} & made.body.keys()
        else:
            assert method["grader"]["input"] == "{{ sample.output_text }}"
            assert made.body["suffix"] == "names"
            assert made.body["metadata"] == {"rft_widgets_run": f"rft-{job.id}"}
        curve = job.progress.curve
        assert [point.step for point in curve] == list(range(1, len(curve) + 1))
        assert all(0 <= point.train_reward <= 1 and point.metrics for point in curve)
        assert all(point.completion_tokens for point in curve)
        assert any(point.valid for point in curve) == (dialect != "bedrock")
        assert all(point.entropy for point in curve) == (dialect == "bedrock")
        assert job.progress.cost_micro_usd is None
        assert [one.step for one in job.checkpoints] == sorted(one.step for one in job.checkpoints)
        assert job.checkpoints[-1].model.startswith("ft:")
        assert job.checkpoints[-1].valid_reward is not None
        assert words_of(job).count("Fine-tuning job started") == 1
        assert KEY not in words_of(job)
        report = job.report
        assert report.served_step == curve[-1].step
        assert report.fit_prompts == len(rows)
        if dialect == "azure":
            assert report.outcome == "not_measured"
            assert "deploy_at_service" in report.summary
            with pytest.raises(InvalidArgument, match="not deployed"):
                job.policy()
        else:
            assert report.outcome in ("improved", "no_clear_change", "regressed")
            assert report.change.n == len(valid)
            policy = job.policy()
            assert policy.upstream.model.startswith(f"ft:{BASE}")
            policy.close()
            step = job.checkpoints[0].step
            assert f":ckpt-step-{step}" in job.policy(step).upstream.model
            with pytest.raises(InvalidArgument, match="already; there is nothing to deploy"):
                job.deploy_at_service(name="names-1")


def test_a_run_is_paused_and_goes_on_where_it_was(tmp_path):
    with service("azure") as server, dataset_at(server, tmp_path, 150) as dataset:
        job = dataset.train(config("azure"))
        at_work(server, 3)
        with server.held():
            job.pause()
            time.sleep(0.7)
        job.wait(30)
        assert job.status == "paused", words_of(job)
        before = len(job.progress.curve)
        assert before > 0
        dataset.add_records(lines(3))  # what was sent stays what it was
        job.resume().wait(30)
        assert job.status == "completed", words_of(job)
        curve = [point.step for point in job.progress.curve]
        assert curve == list(range(1, len(curve) + 1))
        assert len(curve) > before
        assert "The records changed since" in words_of(job)
        assert len(sent(server, "/files")) == 2
        assert len(sent(server, "/fine_tuning/jobs")) == 1
        said = words_of(job)
        assert said.index("Job is pausing") < said.index("job paused") < said.index("resumed")


def test_a_run_that_the_service_pauses_says_why_and_goes_on_when_resumed(tmp_path):
    with service("azure") as server, dataset_at(server, tmp_path, 150) as dataset:
        job = dataset.train(config("azure"))
        at_work(server, 3)
        server.happens("pause", "The job reached its limit.")
        job.wait(30)
        assert job.status == "paused", words_of(job)
        assert "5,000 dollars" in words_of(job)
        assert "The job reached its limit." in words_of(job)
        job.resume().wait(30)
        assert job.status == "completed", words_of(job)


def test_a_run_ends_as_the_job_does(tmp_path):
    with service() as server, dataset_at(server, tmp_path, 150) as dataset:
        failed = dataset.train(config())
        at_work(server, 2)
        server.happens("fail", "Too many gradings failed.")
        failed.wait(30)
        assert failed.status == "failed"
        assert "Too many gradings failed." in failed.error
        server.forget_requests()
        cancelled = dataset.train(config())
        at_work(server, 3)
        with server.held():
            cancelled.cancel()
            time.sleep(0.7)
        cancelled.wait(30)
        assert cancelled.status == "cancelled", words_of(cancelled)
        assert len(sent(server, "/cancel")) == 1
        server.forget_requests()
        elsewhere = dataset.train(config())
        at_work(server, 2)
        server.happens("cancel", "Cancelled in the console.")
        elsewhere.wait(30)
        assert elsewhere.status == "failed"
        assert "was cancelled at the service" in elsewhere.error


def test_a_service_that_cannot_pause_says_so_and_goes_on(tmp_path):
    with service("bedrock") as server, dataset_at(server, tmp_path, 150) as dataset:
        job = dataset.train(config("bedrock"))
        at_work(server, 3)
        with server.held():
            job.pause()
            time.sleep(0.7)
        job.wait(30)
        assert job.status == "paused"  # before its model was measured
        assert "cannot pause" in words_of(job)
        assert "New fine-tuned model created" in words_of(job)
        assert not sent(server, "/pause")
        job.resume().wait(30)
        assert job.status == "completed"


# -- what is lost on the way ----------------------------------------------------------------------


def test_nothing_is_sent_twice_when_answers_are_lost(tmp_path):
    with service(retry_after_s=0.02) as server, dataset_at(server, tmp_path) as dataset:
        server.queue("503", path="/checkpoints")
        server.queue("cut", path="/fine_tuning/jobs")
        job = dataset.train(config()).wait(60)
        assert job.status == "completed", words_of(job)
        assert len(sent(server, "/fine_tuning/jobs")) == 1
        assert len(sent(server, "/files")) == 2
        assert "It is asked again." in words_of(job)
        assert "The job was started before: it is found again." in words_of(job)


def test_a_refused_key_pauses_a_run_that_has_a_job(tmp_path):
    with service() as server, dataset_at(server, tmp_path, 150) as dataset:
        job = dataset.train(config())
        at_work(server, 2)
        server.queue("401", path="/events")
        job.wait(30)
        assert job.status == "paused", words_of(job)
        assert f"Check what {KEY_ENV} holds" in words_of(job)
        job.resume().wait(30)
        assert job.status == "completed", words_of(job)
        assert len(sent(server, "/fine_tuning/jobs")) == 1


class Watched(MemoryRun):
    """Does something when the job is heard to be in another state, or a message of it comes."""

    def __init__(self, heard):
        super().__init__()
        self.heard, self.states = heard, []

    def report(self, progress):
        super().report(progress)
        state = progress.message.split(":")[0].rstrip("0123456789 of")
        if state not in self.states:
            self.states.append(state)
            self.heard(state)

    def log(self, message):
        super().log(message)
        self.heard(message)


JOB = f"ftjob-{digest(0, 1).hex()[:24]}"


@pytest.mark.parametrize("dialect", ["openai", "azure", "bedrock"])
def test_a_lost_connection_in_any_state_fails_no_run(tmp_path, dialect):
    with service(dialect) as server:
        ways = iter(["429", "cut", "503", "html", "429_date", "truncated"])
        paths = itertools.cycle(["/models", f"{JOB}/events", JOB, "/checkpoints"])

        def lose(state):
            if state in ("Sending the records", "Waiting for its turn at the service", "Step"):
                server.queue(next(ways), path=next(paths))
            if state == "Step":
                server.queue(next(ways), path=next(paths))

        run = Watched(lose)
        task = task_at(server, tmp_path, settings=config(dialect)["settings"])
        outcome = trainer("openai").train(task, run)
        assert [one.fault for one in server.requests if one.fault] == ["429", "cut", "503", "html"]
        assert [point.step for point in outcome.report.curve] == list(range(1, 14))
        assert len(sent(server, "/files")) == 2
        assert len(sent(server, "/fine_tuning/jobs")) == 1
        assert run.states[-1] == outcome.report.summary.split(":")[0]


@pytest.mark.parametrize("dialect", ["openai", "azure"])
def test_pausing_and_resuming_outlast_a_lost_connection(tmp_path, dialect):
    with service(dialect) as server:

        def wish(state):
            if state == "Step":
                server.queue("429", path="/pause")
                server.queue("429", path=JOB)
                run.stop = "pause"

        run = Watched(wish)
        task = task_at(server, tmp_path, settings=config(dialect)["settings"])
        with pytest.raises(TrainingStopped) as stopped:
            trainer("openai").train(task, run)
        assert stopped.value.reason == "pause"
        assert len(sent(server, "/pause")) == 2
        run.stop = ""
        server.queue("cut", path="/resume")  # it is resumed, and nobody hears of it
        server.queue("429", path=f"{JOB}/events")
        outcome = trainer("openai").train(task, run)
        assert [point.step for point in outcome.report.curve] == list(range(1, 14))
        assert len(sent(server, "/resume")) == 1
        assert len(sent(server, "/files")) == 2


@pytest.mark.parametrize(
    "moment", ["Sent rft-job_1-train", "Sent rft-job_1-valid", "calls the job"]
)
def test_a_run_that_ends_while_it_sends_goes_on_without_sending_twice(tmp_path, moment):
    with service() as server:

        def end(said):
            if moment in said:
                raise KeyboardInterrupt

        run = Watched(end)
        with pytest.raises(KeyboardInterrupt):
            trainer("openai").train(task_at(server, tmp_path), run)
        run.heard = str
        outcome = trainer("openai").train(task_at(server, tmp_path), run)
        assert len(outcome.report.curve) == 13
        assert len(sent(server, "/files")) == 2
        assert len(sent(server, "/fine_tuning/jobs")) == 1


def test_a_run_can_be_ended_although_the_service_cannot_be_told(tmp_path):
    with service() as server:

        def wish(said):
            if said == "Step":
                server.queue("429", path="/cancel", times=4)
                run.stop = "cancel"

        run = Watched(wish)
        with pytest.raises(TrainingStopped, match=f"told to cancel the job {JOB}") as stopped:
            trainer("openai").train(task_at(server, tmp_path), run)
        assert stopped.value.reason == "cancel"
        assert len(sent(server, "/cancel")) == 4


def test_a_file_whose_answer_was_lost_is_not_sent_again(tmp_path):
    with service() as server:

        def lose(said):
            if "Sent" in said and "train.jsonl" in said:
                server.queue("cut", path="/files")

        run = Watched(lose)
        trainer("openai").train(task_at(server, tmp_path), run)
        assert [one.fault for one in sent(server, "/files")] == [None, "cut"]
        assert any("valid.jsonl is at the service already" in one for one in run.messages)


def test_a_model_that_cannot_be_measured_is_kept_all_the_same(tmp_path):
    with service() as server:
        server.queue("403", path="/chat/completions")
        outcome = trainer("openai").train(task_at(server, tmp_path), MemoryRun())
        assert outcome.report.outcome == "not_measured"
        assert "Measure it later with ds.benchmark()" in outcome.report.summary
        assert b"ft:base-1" in outcome.artifact


@pytest.mark.parametrize("is_found", [True, False])
def test_cancelling_a_job_that_nobody_knows_of_looks_for_it(tmp_path, is_found):
    with service() as server:

        def wish(state):
            if "asked again" in state:
                run.stop = "cancel"
                if not is_found:
                    server.queue("500", path="/files")

        run = Watched(wish)
        server.queue("cut", path="/fine_tuning/jobs")
        with pytest.raises(TrainingStopped) as stopped:
            trainer("openai").train(task_at(server, tmp_path), run)
        assert stopped.value.reason == "cancel"
        assert len(sent(server, "/cancel")) == is_found
        assert ("Look there for a job of rft-job_1" in str(stopped.value)) == (not is_found)


@pytest.mark.slow
def test_a_killed_worker_finds_its_job_again(tmp_path, monkeypatch):
    monkeypatch.setenv(JOBS_VARIABLE, "worker")
    log = tmp_path / "requests.jsonl"
    with (
        server_process(latency_ms=60, models={BASE: None}, key_env=KEY_ENV, log=log) as server,
        dataset_at(server, tmp_path, 150) as dataset,
        ChildWorker(tmp_path / "store.db") as worker,
    ):
        job = dataset.train(config())
        until(lambda: job.progress is not None and job.progress.step >= 4, 60)
        worker.kill()
        before = len(job.progress.curve)
        asked = len(server.requests)
        worker.start()
        until(lambda: job.status == "completed", 60)
        assert before < len(job.progress.curve)
        assert [point.step for point in job.progress.curve] == list(range(1, 15))
        assert len(server.requests) > asked
        assert len(sent(server, "/files")) == 2
        assert len(sent(server, "/fine_tuning/jobs")) == 1
        assert words_of(job).count("Fine-tuning job started") == 1
        assert job.report.change is not None
