"""The worker as a process: killed at any moment, ended in order, one at a time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import openai
import psutil
import pytest
from builders import chat_line
from child_worker import ChildWorker

import rft_widgets as rft
from rft_widgets.jobs.running import JOBS_VARIABLE
from rft_widgets.model.message import to_json
from rft_widgets.sample.grader import sample_grader
from rft_widgets.sample.support import sample_records, write_sample

SUBJECTS = ("parcels", "refunds", "sizes", "returns", "payments", "accounts")
SLOW = {
    "type": "python",
    "name": "slow",
    "source": "def grade(sample, item):\n    sum(range(4_000_000))\n    return item['reward']\n",
}
BY_LENGTH = (
    "def grade(sample, item):\n    sum(range(4_000_000))\n"
    "    return len(sample['output_text']) % 11 / 10\n"
)
VOLATILE = {
    "by_job", "import", "import_id", "run", "seconds_per_answer", "started_at", "fingerprint",
    "file", "origin", "job", "deployment", "base_latency_s", "tuned_latency_s", "took_s",
}  # fmt: skip
"""What differs between two stores that hold the same: ids that are drawn, and times."""


@pytest.fixture(autouse=True)
def left_to_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(JOBS_VARIABLE, "worker")


def lines(count: int, start: int = 0) -> list[dict[str, Any]]:
    return [
        chat_line(
            f"Question number {n} about the {SUBJECTS[n % 6]} of order {n * 7}",
            f"answer {n}",
            reward=n % 11 / 10,
            label=n % 2,
        )
        for n in range(start, start + count)
    ]


def jsonl(path: Path, count: int, start: int = 0) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in lines(count, start)), "utf-8")
    return path


def eventually(check: Callable[[], Any], timeout_s: float = 60) -> Any:
    ends = time.monotonic() + timeout_s
    while not (found := check()):
        assert time.monotonic() < ends, "it never came"
        time.sleep(0.005)
    return found


def said(value: Any) -> Any:
    """A value without what no two runs have in common."""
    if isinstance(value, dict):
        return {key: said(one) for key, one in value.items() if key not in VOLATILE}
    if isinstance(value, list):
        return [said(one) for one in value]
    return round(value, 9) if isinstance(value, float) else value


def facts(dataset: rft.OptimizationDataset, job: rft.Job) -> dict[str, Any]:
    """What a job has come to, all of it."""
    state = job.state
    assert state.status == "succeeded", state.problem
    runs = [run.report and said(msgspec.to_builtins(run.report)) for run in dataset.dry_runs]
    trained = [
        (one.status, one.report and said(msgspec.to_builtins(one.report)))
        for one in dataset.training_jobs
    ]
    return {
        "outcome": state.outcome,
        "result": said(msgspec.to_builtins(job.result)),
        "content": dataset.content_hash,
        "stats": said(msgspec.to_builtins(dataset.stats)),
        "scores": sorted(
            (record.messages[-1].text, record.topic or "", record.dry_run_score or 0.0)
            for record in dataset.iterate()
        ),
        "imports": [(one.imported, one.lines, one.finished) for one in dataset.imports],
        "events": [(event.kind, said(dict(event.details))) for event in dataset.events],
        "runs": runs,
        "trained": trained,
    }


# -- what each kind of job works on ---------------------------------------------------------------

Case = Callable[[rft.OptimizationDataset, Path], Any]


def imported(dataset: rft.OptimizationDataset, folder: Path) -> Any:
    return "import_records", {"path": str(jsonl(folder / "more.jsonl", 12_000))}


def replaced(dataset: rft.OptimizationDataset, folder: Path) -> Any:
    dataset.add_records(lines(20, start=50_000))
    path = jsonl(folder / "more.jsonl", 12_000)
    return "import_records", {"path": str(path), "mode": "replace"}


def imported_traces(dataset: rft.OptimizationDataset, folder: Path) -> Any:
    path = write_sample(folder / "spans.jsonl", n=3_000).path
    return "import_records", {"path": str(path)}


def uploaded(dataset: rft.OptimizationDataset, folder: Path) -> Any:
    path = jsonl(folder / "more.jsonl", 3_000)
    upload = dataset.uploads.begin("more.jsonl", path.stat().st_size)
    dataset.uploads.write(upload.id, 0, path.read_bytes())
    return "prepare", {"source": {"kind": "upload", "upload": upload.id}}


def checked(dataset: rft.OptimizationDataset, folder: Path) -> Any:
    return "check_file", {"path": str(jsonl(folder / "more.jsonl", 15_000))}


def pulled(dataset: rft.OptimizationDataset, folder: Path) -> Any:
    path = write_sample(folder / "spans.jsonl", n=50).path
    dataset.add_traces(rft.open_traces(path))
    more = write_sample(folder / "later.jsonl", n=3_000, seed=9).path
    path.write_bytes(path.read_bytes() + more.read_bytes())
    return "pull_traces", {}


def topics(dataset: rft.OptimizationDataset, _folder: Path) -> Any:
    dataset.add_records(lines(4_000))
    return "generate_topics", {"n_topics": 6, "depth": 1}


def split(dataset: rft.OptimizationDataset, _folder: Path) -> Any:
    dataset.add_records(lines(4_000))
    dataset.add_topic("", "Everything")
    dataset.assign_topic(dataset.select(), "Everything")
    return "split_topic", {"path": "Everything", "n_topics": 6}


def categorized(dataset: rft.OptimizationDataset, _folder: Path) -> Any:
    dataset.add_records(lines(4_000))
    for subject in SUBJECTS:
        dataset.add_topic("", subject, keywords=[subject])
    return "categorize", {"mode": "recategorize_all"}


def graded(kind: str, count: int = 60, **params: Any) -> Case:
    def case(dataset: rft.OptimizationDataset, _folder: Path) -> Any:
        dataset.add_records(lines(count))
        dataset.set_grader(SLOW)
        return kind, params

    return case


def small(dataset: rft.OptimizationDataset) -> None:
    dataset.add_records(sample_records(n=120))
    dataset.set_grader(sample_grader())


def trained(dataset: rft.OptimizationDataset, _folder: Path) -> Any:
    small(dataset)
    dataset.train({"hyperparameters": {"n_epochs": 6}})
    (job,) = dataset.jobs
    return job


def benchmarked(dataset: rft.OptimizationDataset, folder: Path) -> Any:
    small(dataset)
    run = dataset.train({"train_ratio": 0.5, "hyperparameters": {"n_epochs": 1}})
    with ChildWorker(folder / "store.db"):
        run.wait(60)
        eventually(lambda: not dataset.jobs[0].state.is_at_work)
    return "benchmark", {"training_job": run.id}


EVERYTHING = {"selection": {"where": {}}}
CASES: dict[str, Case] = {
    "import_records": imported,
    "import_records by replacing": replaced,
    "import_records of traces": imported_traces,
    "prepare": uploaded,
    "check_file": checked,
    "pull_traces": pulled,
    "generate_topics": topics,
    "split_topic": split,
    "categorize": categorized,
    "evaluate": graded("evaluate", **EVERYTHING),
    "dry_run": graded("dry_run", probes=True),
    "test_grader": graded("test_grader", n=60),
    "grader_labels": graded("grader_labels", field="label"),
    "compare_graders": graded("compare_graders", before=1, after=SLOW, n=30),
    "train": trained,
    "benchmark": benchmarked,
}


def begun(case: str, folder: Path) -> tuple[rft.Workspace, rft.OptimizationDataset, rft.Job]:
    folder.mkdir()
    workspace = rft.Workspace(folder / "store.db")
    dataset = workspace.create("Support")
    asked = CASES[case](dataset, folder)
    if isinstance(asked, rft.Job):
        return workspace, dataset, asked
    kind, params = asked
    return workspace, dataset, dataset.submit(kind, params)


def killed_on_the_way(case: str, folder: Path, moments: tuple[float, ...]) -> None:
    """Kill the worker at these parts of the time that the job takes; compare with no kill."""
    workspace, dataset, job = begun(case, folder / "undisturbed")
    with workspace, ChildWorker(folder / "undisturbed" / "store.db"):
        state = eventually(lambda: (s := job.state) and not s.is_at_work and s, 120)
        expected = facts(dataset, job)
    took = (state.finished_at - state.started_at).total_seconds()
    for number, moment in enumerate(moments):
        place = folder / f"killed-{number}"
        workspace, dataset, job = begun(case, place)
        with workspace, ChildWorker(place / "store.db") as worker:
            eventually(lambda job=job: job.status != "queued")
            time.sleep(took * moment)
            worker.kill()
            was_cut_off = job.state.is_at_work
            worker.start()
            eventually(lambda job=job: not job.state.is_at_work, 120)
            assert facts(dataset, job) == expected
            if was_cut_off:
                assert job.state.attempts == 2
            assert dataset.unfinished_imports == ()


@pytest.mark.slow
def test_a_killed_import_ends_as_if_nothing_had_happened(tmp_path):
    killed_on_the_way("import_records", tmp_path, (0.5,))


@pytest.mark.slow
@pytest.mark.parametrize("case", list(CASES))
def test_every_kind_of_job_survives_its_worker(tmp_path, case):
    killed_on_the_way(case, tmp_path, (0.1, 0.4, 0.7, 0.95))


@pytest.mark.slow
def test_a_killed_measurement_of_a_deployment_comes_to_the_same(tmp_path, monkeypatch):
    database = tmp_path / "store.db"
    with rft.Workspace(database) as workspace:
        dataset = workspace.create("Support")
        small(dataset)
        monkeypatch.delenv(JOBS_VARIABLE)
        dataset.train({"hyperparameters": {"n_epochs": 1}}).wait(60)
        monkeypatch.setenv(JOBS_VARIABLE, "worker")
        with ChildWorker(database) as worker:
            deployment = dataset.deploy(mode="ab_test", ratio=50)
            deployment.wait_served()
            with openai.OpenAI(
                base_url=deployment.base_url, api_key=deployment.token, max_retries=0, timeout=20
            ) as client:
                for n, record in enumerate(islice(dataset.iterate(), 40)):
                    client.chat.completions.create(
                        model="rft-support", messages=to_json(record.input.messages), user=f"u{n}"
                    )
            eventually(lambda: sum(arm.requests for arm in deployment.counts.values()) == 40)
            dataset.set_grader(SLOW | {"source": BY_LENGTH})
            asked = {"deployment": deployment.id}
            whole = dataset.submit("outcome", asked)
            state = eventually(lambda: (s := whole.state) and not s.is_at_work and s)
            again = dataset.submit("outcome", asked)
            eventually(lambda: (again.state.share or 0) > 0)
            worker.kill()
            assert again.state.is_at_work
            worker.start()
            eventually(lambda: not again.state.is_at_work)
    assert (state.status, again.status, again.state.attempts) == ("succeeded", "succeeded", 2)
    assert again.result == whole.result
    assert whole.result.tuned.graded + whole.result.base.graded == 40


# -- the process ----------------------------------------------------------------------------------


@pytest.fixture
def dataset(tmp_path) -> Iterator[rft.OptimizationDataset]:
    with rft.Workspace(tmp_path / "store.db") as workspace:
        made = workspace.create("Support")
        made.add_records(lines(60))
        made.set_grader(SLOW)
        yield made


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rft_widgets", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_jobs_are_begun_at_once_stopped_from_anywhere_and_put_back(dataset, tmp_path):
    database = tmp_path / "store.db"
    dataset.add_records(lines(600, start=1_000))  # longer than a command takes to begin
    with ChildWorker(database) as worker:
        first = dataset.submit("test_grader", {"n": 1})
        eventually(lambda: first.status == "succeeded")  # it is up
        second = command("worker", "--database", database)
        assert second.returncode == 1
        assert "A worker is at work on this store already." in second.stderr
        job = dataset.submit("evaluate", EVERYTHING)
        eventually(lambda: (job.state.share or 0) > 0)
        # An orderly end puts it back, and it is no failure.
        assert worker.end() == 0
        assert (job.status, job.state.attempts) == ("queued", 0)
        log = dataset._store.side_folder / "worker.log"
        assert "The worker has ended." in log.read_text("utf-8")
        assert log.stat().st_mode & 0o077 == 0
        worker.start()
        eventually(lambda: (job.state.share or 0) > 0 and job.status == "running")
        stopped = command("jobs", "--database", database, "--cancel", job.id)
        assert stopped.returncode == 0, stopped.stderr
        eventually(lambda: job.status == "cancelled")
        assert "their scores stay" in job.state.outcome
        dataset.set_grader({**SLOW, "source": "def grade(sample, item):\n    return 1.0\n"})
        again = command("jobs", "--database", database, "--retry", job.id)
        assert again.returncode == 0, again.stderr
        eventually(lambda: job.status == "succeeded")
        assert (job.result.graded, job.result.mean) == (660, 1.0)
        listed = command("jobs", dataset.id, "--database", database).stdout
        assert job.id in listed
        assert "660 graded" in listed
        told = command("jobs", "--database", database, "--log", job.id).stdout
        assert "The worker ends; the job waits for the next one." in told
        assert "Somebody asked to stop it." in told


def test_long_jobs_do_not_keep_somebody_who_looks_on_waiting(dataset, tmp_path):
    others = [dataset]
    with rft.Workspace(tmp_path / "store.db") as workspace, ChildWorker(tmp_path / "store.db"):
        others += [workspace.duplicate(dataset.id) for _ in range(2)]
        long = [one.submit("evaluate", EVERYTHING) for one in others]
        eventually(lambda: sorted(job.status for job in long) == ["queued", "running", "running"])
        quick = dataset.submit("test_grader", {"n": 2})
        eventually(lambda: quick.status == "succeeded")
        assert not all(job.status == "succeeded" for job in long)
        for job in long:
            job.cancel()
        eventually(lambda: not any(job.state.is_at_work for job in long))


def test_a_job_of_a_deleted_dataset_stops_and_the_worker_goes_on(dataset, tmp_path):
    with rft.Workspace(tmp_path / "store.db") as workspace, ChildWorker(tmp_path / "store.db"):
        other = workspace.duplicate(dataset.id)
        job = dataset.submit("evaluate", EVERYTHING)
        eventually(lambda: (job.state.share or 0) > 0)
        workspace.delete(dataset.id)
        again = other.submit("test_grader", {"n": 1})
        eventually(lambda: again.status == "succeeded")
        assert [one.id for one in workspace.jobs()] == [again.id]


def test_an_idle_worker_costs_next_to_nothing_and_begins_at_once(dataset, tmp_path):
    """Measured: 0.4 % of a core idle, 0.02 to 0.08 s from asking to running."""
    with ChildWorker(tmp_path / "store.db") as worker:
        dataset.submit("test_grader", {"n": 1}).wait(30)
        process = psutil.Process(worker._process.pid)
        before, began = sum(process.cpu_times()[:2]), time.monotonic()
        time.sleep(4)
        idle = (sum(process.cpu_times()[:2]) - before) / (time.monotonic() - began)
        assert idle < 0.02  # twice the aim: the clock of CPU time ticks in hundredths
        waits = []
        for _ in range(5):
            asked = time.monotonic()
            job = dataset.submit("test_grader", {"n": 1})
            eventually(lambda job=job: job.status != "queued")
            waits.append(time.monotonic() - asked)
            job.wait(30)
        assert sorted(waits)[2] < 0.5  # on a machine that does other things, too


@pytest.mark.slow
def test_several_workers_share_a_postgresql_store(postgres_url):
    environment = {**os.environ, JOBS_VARIABLE: "worker"}
    arguments = [sys.executable, "-m", "rft_widgets", "worker", "--database", postgres_url]
    with rft.Workspace(postgres_url) as workspace:
        made = []
        for number in range(4):
            dataset = workspace.create(f"Support {number}")
            dataset.add_records(lines(40))
            dataset.set_grader(SLOW)
            made.append(dataset)
        workers = [
            subprocess.Popen(arguments, env=environment, stdout=subprocess.DEVNULL)
            for _ in range(2)
        ]
        try:
            jobs = [one.submit("evaluate", EVERYTHING) for one in made]
            eventually(lambda: sum(job.status == "running" for job in jobs) >= 3, 60)
            workers[0].kill()
            workers[0].wait()
            eventually(lambda: all(job.status == "succeeded" for job in jobs), 120)
            assert sum(job.state.attempts for job in jobs) > len(jobs)
            for one in made:
                kinds = [event.kind for event in one.events]
                assert kinds.count("evaluate") == 1
        finally:
            for worker in workers:
                worker.terminate()
                worker.wait(30)
        shutil.rmtree(workspace._store.side_folder)
