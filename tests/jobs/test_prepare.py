"""The job that fills a new dataset: what it makes, how it goes on after a kill, how it fails."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from builders import chat_line

import rft_widgets as rft
from rft_widgets.errors import ImportInterrupted, InvalidArgument, NotFound
from rft_widgets.model.creation import CreationSource, FromTraces, FromUpload, TraceFilter
from rft_widgets.sample.support import write_sample
from rft_widgets.uploads import UploadRefused

WAIT_S = 90


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[rft.Workspace]:
    with rft.Workspace(tmp_path / "store.db") as opened:
        yield opened


def uploaded(workspace: rft.Workspace, content: bytes, name: str = "calls.jsonl") -> str:
    upload = workspace.uploads.begin(name, len(content))
    workspace.uploads.write(upload.id, 0, content)
    return upload.id


def lines(count: int) -> bytes:
    subjects = ("parcel", "refund", "password", "invoice", "colour")
    made = (
        chat_line(f"My {subjects[n % 5]} is missing, please help me with number {n}", "Yes.")
        for n in range(count)
    )
    return b"".join(json.dumps(one).encode() + b"\n" for one in made)


def gateway_store(path: Path, count: int, *, start: int = 0) -> Path:
    """A vLLora store; the ids of the traces come in no order of time."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS traces (trace_id TEXT, span_id TEXT, thread_id TEXT, "
            "parent_span_id TEXT, operation_name TEXT, start_time_us BIGINT, "
            "finish_time_us BIGINT, attribute TEXT, run_id TEXT, project_id TEXT, "
            "PRIMARY KEY (trace_id, span_id))"
        )
        for n in range(start, start + count):
            request = {
                "model": "m",
                "messages": [{"role": "user", "content": f"A question about number {n}"}],
            }
            answer = {"choices": [{"message": {"role": "assistant", "content": f"Answer {n}"}}]}
            attribute = {"request": json.dumps(request), "output": json.dumps(answer)}
            key = f"{n * 7919 % 100_003:06d}"
            connection.execute(
                "INSERT INTO traces VALUES (?, ?, NULL, NULL, 'openai', ?, ?, ?, NULL, NULL)",
                (key, key, n * 1000, n * 1000 + 10, json.dumps(attribute)),
            )
    return path


def contents(dataset: Any) -> Counter[bytes]:
    """What the records hold, less their ids."""
    found: Counter[bytes] = Counter()
    for record in dataset.iterate():
        found[msgspec.json.encode((record.input, record.output, record.is_valid))] += 1
    return found


def changes(dataset: Any) -> Counter[str]:
    return Counter(event.kind for event in dataset.events)


def test_traces_of_a_filter_become_records_under_topics(
    workspace: rft.Workspace, tmp_path: Path
) -> None:
    path = write_sample(tmp_path / "spans.jsonl", n=60).path
    expected = rft.open_traces(path).filter(min_turns=2).count()
    source = FromTraces(source=str(path), where=TraceFilter(min_turns=2))
    dataset = workspace.create_and_start(source, name="Two turns", objective="Be kind")
    job = dataset.jobs[0].wait(WAIT_S)
    stats = dataset.stats
    assert job.state.status == "succeeded", job.state
    assert stats.total_records == expected
    assert job.state.outcome.startswith(f"{expected} records")
    assert f"{stats.topics_count} topics, balance {stats.balance_score:.2f}." in job.state.outcome
    assert job.result.imported == expected
    assert (dataset.info.source, dataset.info.objective) == ("gateway", "Be kind")
    assert dataset.pulled_sources[0].location == str(path), "what comes later can be pulled"


def test_chosen_traces_and_no_others(workspace: rft.Workspace, tmp_path: Path) -> None:
    path = write_sample(tmp_path / "spans.jsonl", n=30).path
    ids = tuple(trace.id for trace in rft.open_traces(path))[3:9]
    source = FromTraces(source=str(path), trace_ids=ids)
    dataset = workspace.create_and_start(source, name="Six", expected=6)
    assert dataset.jobs[0].wait(WAIT_S).state.status == "succeeded"
    assert {record.metadata["trace"]["span_id"] for record in dataset.iterate()} == set(ids)


def test_an_upload_is_used_and_then_gone(workspace: rft.Workspace) -> None:
    upload = uploaded(workspace, lines(50) + b"{\n")
    dataset = workspace.create_and_start(FromUpload(upload=upload), name="Mine")
    job = dataset.jobs[0].wait(WAIT_S)
    assert job.state.status == "succeeded", job.state
    assert (job.result.imported, job.result.refused) == (50, 1)
    assert dataset.imports[0].source == "calls.jsonl"
    with pytest.raises(NotFound):
        workspace.uploads.state(upload)


def test_topics_that_the_data_bring_stay(workspace: rft.Workspace) -> None:
    made = [chat_line(f"A long question {n}", "Yes.", topic=("A", "B")[n % 2]) for n in range(40)]
    content = b"\n".join(json.dumps(one).encode() for one in made)
    dataset = workspace.create_and_start(
        FromUpload(upload=uploaded(workspace, content)), name="Labelled"
    )
    assert dataset.jobs[0].wait(WAIT_S).state.status == "succeeded"
    assert set(dataset.topics.paths) == {"A", "B"}


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"[1, 2", "cut.json", "cut.json starts as a JSON array"),
        (b"\x1f\x8b" + b"x" * 50, "bad.jsonl.gz", "bad.jsonl.gz is damaged"),
        (b"{\n{\n", "empty.jsonl", "The file holds no records: 2 lines refused"),
    ],
)
def test_a_file_without_records_fails_in_words_and_the_dataset_says_so(
    workspace: rft.Workspace, content: bytes, name: str, said: str
) -> None:
    upload = uploaded(workspace, content, name)
    dataset = workspace.create_and_start(FromUpload(upload=upload), name="Mine")
    state = dataset.jobs[0].wait(WAIT_S).state
    assert state.status == "failed"
    assert state.problem.message.startswith(said)
    node = dataset.pipeline.nodes[0]
    assert node.status == "failed"
    assert node.summary == state.problem.message
    assert dataset.pipeline.list_status == "attention"


def test_what_cannot_be_is_refused_before_there_is_a_dataset(
    workspace: rft.Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = workspace.uploads.begin("a.jsonl", 10)
    monkeypatch.setenv("RFT_WIDGETS_APP", "1")
    refused: tuple[tuple[CreationSource, type[Exception]], ...] = (
        (FromUpload(upload=half.id), UploadRefused),
        (FromUpload(upload="../secret"), NotFound),
        (FromTraces(source="upload:../secret"), NotFound),
        (FromTraces(source=str(tmp_path / "spans.jsonl")), InvalidArgument),
    )
    for source, kind in refused:
        with pytest.raises(kind):
            workspace.create_and_start(source, name="No")
    assert workspace.datasets() == ()


@pytest.mark.parametrize("is_store", [True, False])
def test_an_extraction_that_was_cut_off_takes_the_rest_and_no_more(
    workspace: rft.Workspace, tmp_path: Path, is_store: bool
) -> None:
    if is_store:
        path = gateway_store(tmp_path / "vllora.db", 2500)
    else:
        path = write_sample(tmp_path / "spans.jsonl", n=800).path
    whole = workspace.create("Whole")
    whole.add_traces(rft.open_traces(path))
    cut = workspace.create("Cut")
    with pytest.raises(ImportInterrupted):
        cut.add_traces(rft.open_traces(path), import_id="imp_1", cancelled=lambda: True)
    half = cut.stats.total_records
    assert 0 < half < whole.stats.total_records
    if is_store:  # new traces come meanwhile, before and between the others
        gateway_store(path, 100, start=2500)
        whole.pull_traces()
    result = cut.add_traces(rft.open_traces(path), import_id="imp_1")
    assert result.imported == cut.stats.total_records == whole.stats.total_records
    assert contents(cut) == contents(whole)
    assert [one.finished for one in cut.imports] == [True]


# A worker that is killed -------------------------------------------------------------------------


def start_worker(database: Path) -> subprocess.Popen[bytes]:
    command = [str(Path(sys.executable).parent / "rft-widgets"), "worker"]
    return subprocess.Popen(
        [*command, "--database", str(database)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def until(said: Callable[[], bool]) -> None:
    ends = time.monotonic() + WAIT_S
    while not said():
        assert time.monotonic() < ends, "it did not come to that"
        time.sleep(0.005)


AT = {
    "records": lambda dataset: dataset.count() >= 1000,
    "indexing": lambda dataset: changes(dataset)["import_records"] == 1,
    "topics": lambda dataset: changes(dataset)["generate_topics"] == 1,
}
"""Moments at which a worker is killed."""


@pytest.mark.parametrize(
    ("kind", "moments"),
    [
        ("upload", ["records", "topics"]),
        pytest.param("upload", ["indexing", "indexing"], marks=pytest.mark.slow),
        pytest.param("store", ["records", "indexing"], marks=pytest.mark.slow),
        pytest.param("traces", ["records", "topics"], marks=pytest.mark.slow),
    ],
)
def test_a_killed_worker_leaves_nothing_out_and_does_nothing_twice(
    workspace: rft.Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    moments: list[str],
) -> None:
    monkeypatch.delenv("RFT_WIDGETS_JOBS", raising=False)

    def source() -> CreationSource:
        if kind == "upload":
            return FromUpload(upload=uploaded(workspace, lines(5_000)))
        if kind == "store":
            path = tmp_path / "vllora.db"
            return FromTraces(source=str(path if path.exists() else gateway_store(path, 6000)))
        return FromTraces(source=str(write_sample(tmp_path / "spans.jsonl", n=1200).path))

    calm = workspace.create_and_start(source(), name="Calm")
    assert calm.jobs[0].wait(WAIT_S).state.status == "succeeded"

    monkeypatch.setenv("RFT_WIDGETS_JOBS", "worker")
    dataset = workspace.create_and_start(source(), name="Killed")
    job = dataset.jobs[0]
    for moment in moments:
        worker = start_worker(tmp_path / "store.db")
        try:
            until(lambda moment=moment: AT[moment](dataset) or not job.state.is_at_work)
        finally:
            worker.kill()
            worker.wait()
    worker = start_worker(tmp_path / "store.db")
    try:
        job.wait(WAIT_S)
    finally:
        worker.terminate()
        with suppress(subprocess.TimeoutExpired):
            worker.wait(15)
        worker.kill()
        worker.wait()
    assert job.state.status == "succeeded", job.state
    assert contents(dataset) == contents(calm)
    assert changes(dataset) == changes(calm)
    assert dataset.topics == calm.topics
    assert dataset.stats.topics_count == calm.stats.topics_count
    assert job.state.outcome == calm.jobs[0].state.outcome
    assert not list((tmp_path / "store.db-files" / "uploads").glob("*.data"))
