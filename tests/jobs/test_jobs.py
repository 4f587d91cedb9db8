"""Jobs in the store: asked for, seen, stopped, begun again, taken over, forgotten."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from builders import chat_line

import rft_widgets as rft
from rft_widgets.errors import AlreadyAtWork, InvalidArgument, NotFound, RunInterrupted
from rft_widgets.jobs import running
from rft_widgets.jobs.running import RunningJob
from rft_widgets.model.job import JobState
from rft_widgets.sample.support import write_sample
from rft_widgets.store import job_queue, jobs
from rft_widgets.store.schema import job_items, job_log
from rft_widgets.store.schema import jobs as job_table
from rft_widgets.worker.definitions import DEFINITIONS, work_of

SCORED = {
    "type": "python",
    "name": "scored",
    "source": "def grade(sample, item):\n    return item['reward']\n",
}
SLOW = {
    "type": "python",
    "name": "slow",
    "source": "def grade(sample, item):\n    sum(range(4_000_000))\n    return item['reward']\n",
}
SUBJECTS = ("parcels", "refunds", "sizes")


def lines(count: int, **more: Any) -> list[dict[str, Any]]:
    return [
        chat_line(
            f"Question number {n} about the {SUBJECTS[n % 3]} of order {n}",
            f"answer {n}",
            reward=n % 11 / 10,
            label=n % 2,
            **more,
        )
        for n in range(count)
    ]


def eventually(check: Callable[[], Any], timeout_s: float = 20) -> Any:
    ends = time.monotonic() + timeout_s
    while not (found := check()):
        assert time.monotonic() < ends, "it never came"
        time.sleep(0.01)
    return found


def filled(workspace: rft.Workspace) -> rft.OptimizationDataset:
    made = workspace.create("Support")
    made.add_records(lines(60))
    made.set_grader(SCORED)
    return made


@pytest.fixture
def dataset(sqlite_workspace: rft.Workspace) -> rft.OptimizationDataset:
    return filled(sqlite_workspace)


@pytest.fixture
def anywhere(workspace: rft.Workspace) -> rft.OptimizationDataset:
    """A dataset in each kind of database, for what depends on its locks."""
    return filled(workspace)


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs are left to a worker, and there is none."""
    monkeypatch.setenv("RFT_WIDGETS_JOBS", "worker")


@pytest.fixture(autouse=True)
def no_thread_left():
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("rft-"):
            thread.join(10)
            assert not thread.is_alive(), f"{thread.name} was left behind"


def take(dataset: rft.OptimizationDataset, **options: Any) -> RunningJob:
    """Claim what waits longest, as a worker does."""
    job = job_queue.claim(dataset._store, job_queue.new_owner("worker"), **options)
    assert job is not None
    return RunningJob(dataset._store, job)


def do(dataset: rft.OptimizationDataset) -> None:
    """Do what waits longest, in this thread."""
    taken = take(dataset)
    taken.run(work_of(dataset._store, taken.job))


def fall_silent(dataset: rft.OptimizationDataset, job: rft.Job, seconds: float) -> None:
    with dataset._store.write() as connection:
        connection.execute(
            job_table.update()
            .where(job_table.c.id == job.id)
            .values(beat_us=job_table.c.beat_us - int(seconds * 1e6))
        )


# -- asking ---------------------------------------------------------------------------------------


def test_a_job_is_done_at_once_in_a_notebook(dataset):
    job = dataset.submit("evaluate", {"selection": {"where": {}}})
    assert job.status in ("running", "succeeded")
    state = job.wait(30).state
    assert (state.status, state.kind, state.title) == ("succeeded", "evaluate", "Evaluate")
    assert state.outcome.startswith("60 graded, mean ")
    assert job.result.graded == 60
    assert (state.share, state.attempts, state.problem) == (1.0, 1, None)
    assert state.created_at <= state.started_at <= state.finished_at
    assert next(words for _, words in job.log) == "Begun by the process that asked for it."
    assert job.log[-1][1] == f"Succeeded. {state.outcome}"
    assert dataset.count(rft.RecordFilter(min_score=0.0)) == 60


def test_every_process_sees_the_same_job(anywhere, store_url):
    job = anywhere.submit("generate_topics", {"method": "template", "template": "support"})
    with rft.Workspace(store_url) as other:
        seen = other.job(job.id).wait(30)
        assert seen.state.status == "succeeded"
        assert seen.result == job.result
        assert [one.id for one in other.jobs()] == [one.id for one in anywhere.jobs] == [job.id]
        assert other.dataset(anywhere.id).job(job.id).params["template"] == "support"
        elsewhere = other.create("Another")
        with pytest.raises(NotFound, match="no job"):
            elsewhere.job(job.id)
    with pytest.raises(NotFound, match="There is no job 'run_none'"):
        _ = rft.Job(anywhere._store, "run_none").state


@pytest.mark.parametrize(
    ("kind", "params", "words"),
    [
        ("sing", {}, "no kind of job 'sing'"),
        ("categorize", {"mode": "all"}, "mode"),
        ("categorize", {"mood": "good"}, "mood"),
        ("dry_run", {"n": 0}, "n"),
        ("split_topic", {}, "path"),
        ("import_records", {}, "name an upload or a path"),
        ("import_records", {"path": "a", "upload": "b"}, "name an upload or a path"),
        ("categorize", 7, "cannot be made of that"),
    ],
)
def test_what_is_no_job_is_refused_before_there_is_one(dataset, kind, params, words):
    with pytest.raises(InvalidArgument, match=words):
        dataset.submit(kind, params)
    assert dataset.jobs == ()


def test_parameters_as_a_value_are_checked_as_well(dataset):
    definition = DEFINITIONS["dry_run"]
    with pytest.raises(InvalidArgument, match="n"):
        dataset.submit("dry_run", definition.params(n=-3))


@pytest.mark.usefixtures("queued")
def test_one_of_a_kind_and_one_of_those_that_undo_each_other(dataset):
    first = dataset.submit("categorize")
    for kind, params in (
        ("categorize", {}),
        ("generate_topics", {}),
        ("split_topic", {"path": "Billing"}),
    ):
        with pytest.raises(AlreadyAtWork, match="Apply to unlabeled waits for its turn already"):
            dataset.submit(kind, params)
    dataset.submit("evaluate", {"selection": {"where": {}}})
    dataset.submit("outcome", {"deployment": "dep_1"})
    dataset.submit("outcome", {"deployment": "dep_2"})
    with pytest.raises(AlreadyAtWork):
        dataset.submit("outcome", {"deployment": "dep_2"})
    assert len(dataset.jobs) == 4
    assert first.cancel()
    dataset.submit("generate_topics")


@pytest.mark.usefixtures("queued")
def test_many_that_ask_at_once_get_one_job(anywhere):
    got: list[str] = []

    def ask() -> None:
        try:
            anywhere.submit("categorize")
        except AlreadyAtWork:
            got.append("refused")
        else:
            got.append("made")

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(got) == ["made", *["refused"] * 7]


# -- waiting, claiming, stopping ------------------------------------------------------------------


@pytest.mark.usefixtures("queued")
def test_what_waits_is_claimed_in_order_and_once(anywhere):
    kinds = ["evaluate", "pull_traces", "check_file", "dry_run"]
    params = {"evaluate": {"selection": {"where": {}}}, "check_file": {"path": "/none"}}
    asked = [anywhere.submit(kind, params.get(kind)) for kind in kinds]
    assert {job.status for job in asked} == {"queued"}
    assert all(job.state.started_at is None for job in asked)
    store = anywhere._store
    quick = take(anywhere, kinds=("check_file",))
    assert quick.job.id == asked[2].id
    got: list[str] = []

    def claim() -> None:
        job = job_queue.claim(store, job_queue.new_owner("worker"))
        if job is not None:
            got.append(job.id)

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(got) == sorted(one.id for one in (asked[0], asked[1], asked[3]))
    with store.read() as connection:
        assert not jobs.has_waiting(connection)


@pytest.mark.usefixtures("queued")
def test_what_waits_is_stopped_at_once_and_can_be_asked_for_again(dataset):
    job = dataset.submit("evaluate", {"selection": {"where": {}}})
    assert job.cancel()
    assert not job.cancel()
    assert (job.status, job.state.outcome) == ("cancelled", "It was stopped.")
    assert job.retry().status == "queued"
    with pytest.raises(InvalidArgument, match="Evaluate is queued"):
        rft.Job(dataset._store, job.id).retry()
    do(dataset)
    assert job.status == "succeeded"
    with pytest.raises(InvalidArgument, match="Only what failed"):
        job.retry()


def test_what_runs_is_stopped_from_another_process(anywhere, store_url):
    anywhere.set_grader(SLOW)
    job = anywhere.submit("evaluate", {"selection": {"where": {}}})
    eventually(lambda: (job.state.share or 0) > 0)
    with rft.Workspace(store_url) as other:
        assert other.job(job.id).cancel()
    state = job.wait(20).state
    assert state.status == "cancelled"
    assert "their scores stay" in state.outcome
    assert "Somebody asked to stop it." in [words for _, words in job.log]


@pytest.mark.usefixtures("queued")
def test_progress_is_seen_while_it_lasts(dataset):
    job = dataset.submit("evaluate", {"selection": {"where": {}}})
    taken, gate = take(dataset), threading.Event()

    def work(progress, cancelled):
        progress(0.25, "counting")
        gate.wait(20)
        return "Counted 4.", None

    thread = threading.Thread(target=taken.run, args=(work,))
    thread.start()
    state = eventually(lambda: (s := job.state).doing and s)
    assert (state.share, state.doing, state.status) == (0.25, "counting", "running")
    gate.set()
    thread.join()
    assert (job.status, job.state.outcome, job.result) == ("succeeded", "Counted 4.", None)


@pytest.mark.usefixtures("queued")
@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (InvalidArgument("There is nothing to count.", hint="Import."), "invalid_argument", "noth"),
        (RunInterrupted("It was cut off."), "run_interrupted", "cut off"),  # nobody asked for it
        (KeyError("/home/somebody/secret"), "internal", "should not have"),
    ],
)
def test_what_failed_is_said_and_nothing_more(dataset, error, code, words):
    job = dataset.submit("evaluate", {"selection": {"where": {}}})

    def work(progress, cancelled):
        raise error

    take(dataset).run(work)
    state = job.state
    assert (state.status, state.problem.code) == ("failed", code)
    assert words in state.problem.message
    assert "secret" not in f"{state} {job.log}"


def test_a_failed_job_is_begun_again(sqlite_workspace):
    dataset = sqlite_workspace.create("Support")
    dataset.add_records(lines(10))
    job = dataset.submit("evaluate", {"selection": {"where": {}}}).wait(20)
    assert (job.status, job.state.problem.message) == ("failed", "The dataset has no grader.")
    dataset.set_grader(SCORED)
    assert job.retry().wait(20).status == "succeeded"
    assert job.result.graded == 10


def test_a_job_may_take_longer_than_one_waits(dataset, queued):
    with pytest.raises(TimeoutError, match="takes longer"):
        dataset.submit("categorize").wait(0.1)


# -- killed processes -----------------------------------------------------------------------------


@pytest.mark.usefixtures("queued")
def test_a_silent_job_goes_on_elsewhere_and_its_former_worker_is_ignored(anywhere):
    job = anywhere.submit("evaluate", {"selection": {"where": {}}})
    former = take(anywhere)
    assert job_queue.recover(anywhere._store, worker_is_alone=False) == 0
    fall_silent(anywhere, job, 11)
    assert job_queue.recover(anywhere._store, worker_is_alone=False) == 1
    assert job.status == "queued"
    later = take(anywhere)
    assert later.job.again
    heard = threading.Event()

    def work(progress, cancelled):
        while not cancelled():
            time.sleep(0.01)
        heard.set()
        return "I was first.", None

    former.run(work)
    assert heard.is_set()
    assert job.status == "running"
    later.run(lambda *_: ("It is done.", None))
    assert (job.state.outcome, job.state.attempts) == ("It is done.", 2)


@pytest.mark.usefixtures("queued")
def test_a_new_worker_takes_over_at_once_but_not_from_a_notebook(dataset, monkeypatch):
    of_worker = dataset.submit("evaluate", {"selection": {"where": {}}})
    take(dataset)
    monkeypatch.delenv("RFT_WIDGETS_JOBS")
    dataset.set_grader(SLOW)
    of_notebook = dataset.submit("dry_run", {"probes": False})
    assert job_queue.recover(dataset._store, worker_is_alone=True) == 1
    assert (of_worker.status, of_notebook.status) == ("queued", "running")
    assert of_notebook.cancel()
    assert of_notebook.wait(30).status == "cancelled"


@pytest.mark.usefixtures("queued")
def test_what_kills_its_process_is_given_up(anywhere):
    job = anywhere.submit("evaluate", {"selection": {"where": {}}})
    for _ in range(job_queue.MOST_ATTEMPTS):
        assert job.status == "queued"
        take(anywhere)
        job_queue.recover(anywhere._store, worker_is_alone=True)
    assert job.status == "failed"
    assert "was killed 3 times" in job.state.problem.message
    job.retry()
    do(anywhere)
    assert job.status == "succeeded"


@pytest.mark.usefixtures("queued")
def test_an_orderly_end_is_no_attempt(dataset):
    job = dataset.submit("evaluate", {"selection": {"where": {}}})

    def work(progress, cancelled):
        while not cancelled():
            time.sleep(0.005)
        raise RunInterrupted("It was stopped.")

    for _ in range(job_queue.MOST_ATTEMPTS + 1):
        taken = take(dataset)
        threading.Timer(0.05, taken.put_back).start()
        taken.run(work)
        assert (job.status, job.state.attempts) == ("queued", 0)
    do(dataset)
    assert job.status == "succeeded"


@pytest.mark.usefixtures("queued")
def test_what_a_kernel_left_counts_as_failed_and_blocks_nothing(dataset):
    job = dataset.submit("evaluate", {"selection": {"where": {}}})
    take(dataset)
    fall_silent(dataset, job, 31)
    assert (job.status, job.state.problem.code) == ("failed", "interrupted")
    assert [one.id for one in dataset.jobs] == [job.id]
    again = dataset.submit("evaluate", {"selection": {"where": {}}})
    assert (job.status, again.status) == ("failed", "queued")
    with dataset._store.read() as connection:
        found = jobs.read_all(connection, status="failed")
    assert [one.id for one in found] == [job.id]


@pytest.mark.usefixtures("queued")
def test_a_stop_that_was_asked_of_a_killed_worker_holds(dataset):
    job = dataset.submit("evaluate", {"selection": {"where": {}}})
    take(dataset)
    assert job.cancel()
    assert job.state.doing == "Stopping..."
    job_queue.recover(dataset._store, worker_is_alone=True)
    assert job.status == "cancelled"


def killed_at_the_end(dataset: rft.OptimizationDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do what waits, and be killed when all is done but the job does not say so yet."""
    with monkeypatch.context() as patch:
        patch.setattr(job_queue, "end", lambda *_, **__: None)
        do(dataset)
    assert job_queue.recover(dataset._store, worker_is_alone=True) == 1


def once_more(kind: str, dataset: rft.OptimizationDataset, tmp_path: Path) -> dict[str, Any]:
    """Make ready what a kind of job works on; returns its parameters."""
    if kind in ("import_records", "prepare"):
        path = tmp_path / "more.jsonl"
        path.write_text("".join(json.dumps(one) + "\n" for one in lines(40)), encoding="utf-8")
        if kind == "import_records":
            return {"path": str(path)}
        upload = dataset.uploads.begin("more.jsonl", path.stat().st_size)
        dataset.uploads.write(upload.id, 0, path.read_bytes())
        return {"source": {"kind": "upload", "upload": upload.id}}
    if kind == "pull_traces":
        source = write_sample(tmp_path / "spans.jsonl", n=10).path
        dataset.add_traces(rft.open_traces(source))
        more = write_sample(tmp_path / "later.jsonl", n=15, seed=9).path
        source.write_bytes(source.read_bytes() + more.read_bytes())
        return {}
    if kind in ("split_topic", "categorize"):
        dataset.generate_topics("template", template="support")
        if kind == "categorize":
            return {"mode": "recategorize_all"}
        dataset.assign_topic(dataset.select(), dataset.topics.paths[0])
        return {"path": dataset.topics.paths[0]}
    return {"evaluate": {"selection": {"where": {}}}, "dry_run": {"probes": False}}.get(kind, {})


CHANGING = [
    "prepare", "import_records", "pull_traces", "generate_topics", "split_topic", "categorize",
    "evaluate", "dry_run",
]  # fmt: skip


@pytest.mark.usefixtures("queued")
@pytest.mark.parametrize("kind", CHANGING)
def test_nothing_is_done_twice_when_only_the_end_was_not_said(dataset, monkeypatch, tmp_path, kind):
    params = once_more(kind, dataset, tmp_path)
    job = dataset.submit(kind, params)
    killed_at_the_end(dataset, monkeypatch)
    events = len(dataset.events)
    content, records = dataset.content_hash, dataset.stats.total_records
    imports, runs = dataset.imports, dataset.dry_runs
    do(dataset)
    assert job.status == "succeeded", job.state.problem
    assert (dataset.content_hash, dataset.stats.total_records) == (content, records)
    assert (dataset.imports, dataset.dry_runs) == (imports, runs)
    assert len(dataset.events) == events
    assert dataset.unfinished_imports == ()


@pytest.mark.usefixtures("queued")
def test_no_record_is_graded_twice(dataset):
    """A judge is paid by the call."""
    dataset.set_grader(SLOW)
    job = dataset.submit("evaluate", {"selection": {"where": {}}})
    taken = take(dataset)
    real = work_of(dataset._store, taken.job)

    def cut_off(progress, cancelled):
        def told(share, doing):
            progress(share, doing)
            if share > 0.2:
                taken.put_back()

        return real(told, cancelled)

    taken.run(cut_off)
    with dataset._store.read() as connection:
        graded = connection.execute(sa.select(sa.func.count()).select_from(job_items)).scalar_one()
    assert 0 < graded < 60
    assert dataset.count(rft.RecordFilter(min_score=0.0)) == graded
    taken = take(dataset)
    real = work_of(dataset._store, taken.job)
    seen: list[str] = []

    def noted(progress, cancelled):
        return real(lambda share, doing: seen.append(doing) or progress(share, doing), cancelled)

    taken.run(noted)
    assert (seen[0], seen[-1]) == (f"{graded} of 60", "60 of 60")
    assert job.result.graded == 60
    assert job.result.mean == pytest.approx(sum(n % 11 / 10 for n in range(60)) / 60)
    # Nothing of it is left, and another grader would have been asked anew.
    with dataset._store.read() as connection:
        assert connection.execute(sa.select(job_items)).all() == []


@pytest.mark.usefixtures("queued")
def test_what_another_grader_said_does_not_count(dataset):
    dataset.set_grader(SLOW)
    job = dataset.submit("evaluate", {"selection": {"where": {}}})
    taken = take(dataset)
    real = work_of(dataset._store, taken.job)
    taken.run(lambda progress, cancelled: real(lambda *_: job.cancel(), cancelled))
    assert job.status == "cancelled"
    ones = {
        "type": "python",
        "name": "ones",
        "source": "def grade(sample, item):\n    return 1.0\n",
    }
    dataset.set_grader(ones)
    job.retry()
    do(dataset)
    assert (job.result.graded, job.result.mean) == (60, 1.0)


@pytest.mark.usefixtures("queued")
def test_the_script_of_the_log_is_the_same_by_jobs(dataset):
    job = dataset.submit("generate_topics", {"n_topics": 3, "depth": 1})
    do(dataset)
    assert job.status == "succeeded"
    event = next(event for event in dataset.events if event.kind == "generate_topics")
    assert event.details["by_job"] == job.id
    assert "by_job" not in dataset.to_script()


# -- keeping and forgetting -----------------------------------------------------------------------


def test_results_come_back_as_they_were(dataset):
    """What each kind keeps is read back as the value that the call itself gives."""
    cases = [
        ("evaluate", {"selection": {"where": {}}}),
        ("dry_run", {}),
        ("test_grader", {"grader": json.dumps(SCORED)}),
        ("grader_labels", {"grader": SCORED, "field": "label"}),
        ("compare_graders", {"before": 1, "after": SLOW}),
        ("generate_topics", {"n_topics": 3, "depth": 1}),
        ("categorize", {"mode": "recategorize_all"}),
    ]
    for kind, params in cases:
        job = dataset.submit(kind, params).wait(60)
        assert job.status == "succeeded", (kind, job.state.problem)
        result = job.result
        known = DEFINITIONS[kind]
        assert isinstance(result, known.result), kind
        text = msgspec.json.encode(result)
        assert msgspec.json.decode(text, type=known.result) == result
    dataset.add_records([chat_line("One more", "yes", reward=1.0)])
    report = dataset.last_job("dry_run").result
    assert report == dataset.dry_runs[-1].report
    assert dataset.last_job("test_grader").params["grader"] == json.dumps(SCORED)
    assert dataset.last_job("benchmark") is None


@pytest.mark.usefixtures("queued")
def test_the_newest_ended_jobs_are_kept_and_none_at_work_is_lost(workspace, monkeypatch):
    monkeypatch.setattr(job_queue, "KEPT_JOBS", 5)
    dataset, other = workspace.create("Support"), workspace.create("Other")
    waiting = dataset.submit("dry_run")
    foreign = other.submit("evaluate", {"selection": {"where": {}}})
    asked = []
    for _ in range(12):
        asked.append(dataset.submit("evaluate", {"selection": {"where": {}}}))
        asked[-1].cancel()
    left = {job.id for job in dataset.jobs}
    assert left == {waiting.id, *(job.id for job in asked[-5:])}
    assert foreign.status == "queued"
    with dataset._store.read() as connection:
        logs = connection.execute(sa.select(job_log.c.job_id).distinct()).scalars().all()
    assert set(logs) <= left


@pytest.mark.usefixtures("queued")
def test_job_rows_are_never_lost(anywhere):
    """Whatever happens in whatever order, a job is there and in one state until it is forgotten."""
    made: list[str] = []
    steps = itertools.cycle(["ask", "take", "stop", "ask", "recover", "retry", "end"])
    taken: list[RunningJob] = []
    for step in itertools.islice(steps, 70):
        with_job = rft.Job(anywhere._store, made[-1]) if made else None
        try:
            if step == "ask":
                made.append(anywhere.submit("evaluate", {"selection": {"where": {}}}).id)
            elif step == "take":
                taken.append(take(anywhere))
            elif step == "stop" and with_job:
                with_job.cancel()
            elif step == "recover":
                job_queue.recover(anywhere._store, worker_is_alone=True)
            elif step == "retry" and with_job:
                with_job.retry()
            elif step == "end" and taken:
                taken.pop().run(lambda *_: ("Done.", None))
        except (InvalidArgument, AssertionError):
            pass
        states = {job.id: job.state for job in anywhere.jobs}
        assert set(states) == set(made)
        at_work = [one for one in states.values() if one.is_at_work]
        assert len(at_work) <= 1
        for one in states.values():
            assert (one.finished_at is None) == one.is_at_work, one


def test_a_deleted_dataset_takes_its_jobs_along_and_stops_them(anywhere, workspace):
    anywhere.set_grader(SLOW)
    job = anywhere.submit("evaluate", {"selection": {"where": {}}})
    eventually(lambda: (job.state.share or 0) > 0)
    workspace.delete(anywhere.id)
    assert workspace.jobs() == ()
    with pytest.raises(NotFound, match="Jobs go with their dataset"):
        job.wait(20)
    for thread in threading.enumerate():
        if thread.name == "rft-job-evaluate":
            thread.join(20)
            assert not thread.is_alive()
    assert workspace.jobs() == ()


@pytest.mark.usefixtures("queued")
def test_a_list_of_jobs_has_all_at_work_and_the_newest_that_ended(dataset, sqlite_workspace):
    at_work = dataset.submit("pull_traces")
    ended = []
    for _ in range(3):
        ended.append(dataset.submit("evaluate", {"selection": {"where": {}}}))
        ended[-1].cancel()
    listed = sqlite_workspace.job_states(limit=2)
    assert [one.id for one in listed] == [ended[2].id, ended[1].id, at_work.id]
    assert sqlite_workspace.job_states("queued", limit=1) == (at_work.state,)
    assert [one.id for one in sqlite_workspace.job_states("cancelled", limit=1)] == [ended[2].id]
    assert sqlite_workspace.job_states("failed") == ()
    taken = take(dataset)
    fall_silent(dataset, rft.Job(dataset._store, taken.job.id), 3_600)
    assert [one.id for one in sqlite_workspace.job_states("failed", limit=1)] == [at_work.id]
    assert sqlite_workspace.job_states("running") == ()
    with pytest.raises(NotFound):
        sqlite_workspace.job_states(dataset="ds_none")


def test_views_show_the_last_of_each_kind(dataset, queued):
    first = dataset.submit("evaluate", {"selection": {"where": {}}})
    first.cancel()
    second = dataset.submit("evaluate", {"selection": {"where": {}}})
    third = dataset.submit("outcome", {"deployment": "dep_1"})
    fourth = dataset.submit("outcome", {"deployment": "dep_2"})
    shown = dataset.job_states
    assert [one.id for one in shown] == [second.id, third.id, fourth.id]
    assert all(isinstance(one, JobState) for one in shown)


@pytest.mark.usefixtures("queued")
def test_whatever_happens_to_a_job_is_a_change(anywhere, workspace):
    """What views of a PostgreSQL store ask for; those of SQLite ask the file."""
    elsewhere = workspace.create("Another")
    seen = []

    def look() -> None:
        with anywhere._store.read() as connection:
            now = jobs.version(connection, anywhere.id)
        assert now not in seen
        seen.append(now)

    look()
    job = anywhere.submit("evaluate", {"selection": {"where": {}}})
    look()
    taken = take(anywhere)
    look()
    job_queue.beat(anywhere._store, job.id, taken.job.owner, 0.5, "half")
    look()
    job.cancel()
    look()
    taken.run(lambda *_: ("Done.", None))
    look()
    elsewhere.submit("evaluate", {"selection": {"where": {}}})
    with anywhere._store.read() as connection:
        assert jobs.version(connection, anywhere.id) == seen[-1]


def test_the_queue_is_the_setting_of_the_environment(monkeypatch):
    for value, expected in (("worker", True), (" Worker", True), ("", False), ("inline", False)):
        monkeypatch.setenv(running.JOBS_VARIABLE, value)
        assert running.left_to_worker() is expected
