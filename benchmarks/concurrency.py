"""Four reading processes beside a bulk writer, against the same reads alone.

Each reader opens first pages, counts and searches in turn and pauses 10 ms after each, as people
do. Counts are forgotten before each read, so that every read goes to the store. The writer loads
the generated file, again and again, until the readers are done: into another dataset of the store,
then by appending to the one that is read.
"""

from __future__ import annotations

import multiprocessing
import queue
import random
import time
from multiprocessing.context import SpawnProcess
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path
from typing import Any, Literal

from benchmarks.material import Material, remove_store
from benchmarks.measure import Row, Times, row
from benchmarks.pages import PAGE, dataset_id
from benchmarks.search import words_to_find
from benchmarks.vocabulary import TOPICS
from rft_widgets.dataset import OptimizationDataset
from rft_widgets.errors import ImportInterrupted
from rft_widgets.model.record import RecordFilter
from rft_widgets.store.connection import Store

READERS = 4
_PAUSE_S = 0.01
_KINDS = ("first page", "count", "search")
_TIMEOUT_S = 600
Writer = Literal["none", "another dataset", "same dataset"]


def measure(material: Material) -> list[Row]:
    """Rows of each kind of read for each kind of writer, and of the errors."""
    n, key, jsonl = material.records, dataset_id(material), material.jsonl()
    words = words_to_find(jsonl)["mid-frequency word"]
    path = material.copy_of_store()
    duration_s = 1.0 if n < 10_000 else 10.0
    rows: list[Row] = []
    try:
        material.say("reading alone")
        alone, _, failed = _run(path, key, jsonl, words, duration_s, "none")
        for writer in ("another dataset", "same dataset"):
            material.say(f"reading beside a writer into {writer}")
            beside, rate, errors = _run(path, key, jsonl, words, duration_s, writer)
            failed += errors
            rows += [
                row(f"{kind}, {READERS} readers, writer into {writer}, p95", n, beside[kind].p95,
                    "ms", floor=alone[kind].p95, floor_name="the same reads without a writer",
                    ratio_at_most=3)
                for kind in _KINDS
            ]  # fmt: skip
            rows.append(row(f"writer into {writer} beside {READERS} readers", n, rate, "records/s"))
    finally:
        remove_store(path)
    for error in failed:
        material.say(f"error: {error}")
    rows.append(row("errors of readers and writers", n, len(failed), "errors", at_most=0))
    return rows


def _run(
    path: Path, key: str, jsonl: Path, words: list[str], duration_s: float, writer: Writer
) -> tuple[dict[str, Times], float, list[str]]:
    """Times by kind of read, the records a second that were written, and what went wrong."""
    # Fresh processes: a forked one would share this one's connections.
    spawn = multiprocessing.get_context("spawn")
    answers: Queue[Any] = spawn.Queue()
    ready = spawn.Barrier(READERS + (writer != "none"))
    stop = spawn.Event()
    processes = [
        spawn.Process(target=_read, args=(i, path, key, words, duration_s, ready, answers))
        for i in range(READERS)
    ]
    if writer != "none":
        target = key if writer == "same dataset" else None
        processes.append(
            spawn.Process(target=_write, args=(path, target, jsonl, ready, stop, answers))
        )
    for process in processes:
        process.start()
    collected: dict[str, list[float]] = {kind: [] for kind in _KINDS}
    errors: list[str] = []
    for _ in range(READERS):
        found, failed = _answer(answers, processes)
        errors += failed
        for kind, values in found.items():
            collected[kind] += values
    stop.set()
    rate = 0.0
    if writer != "none":
        rate, failed = _answer(answers, processes)
        errors += failed
    for process in processes:
        process.join()
    return {kind: Times.of_seconds(values) for kind, values in collected.items()}, rate, errors


def _answer(answers: Queue[Any], processes: list[SpawnProcess]) -> Any:
    """Next answer of any process; an error when one of them died instead."""
    while True:
        try:
            return answers.get(timeout=1)
        except queue.Empty:
            dead = [process.exitcode for process in processes if process.exitcode]
            if dead:
                for process in processes:
                    process.terminate()
                raise RuntimeError(f"A process ended with status {dead[0]}.") from None


def _read(
    number: int,
    path: Path,
    key: str,
    words: list[str],
    duration_s: float,
    ready: Barrier,
    answers: Queue[Any],
) -> None:
    rng = random.Random(number)
    store = Store(path)
    dataset = OptimizationDataset(store, key)
    dataset.records(search=words[0])
    times: dict[str, list[float]] = {kind: [] for kind in _KINDS}
    errors: list[str] = []
    ready.wait(_TIMEOUT_S)
    end = time.perf_counter() + duration_s
    turn = number
    while time.perf_counter() < end:
        turn += 1
        kind = _KINDS[turn % len(_KINDS)]
        topic, word = rng.choice(list(TOPICS)), rng.choice(words)
        store.counts.clear()
        start = time.perf_counter()
        try:
            if kind == "first page":
                dataset.records(limit=PAGE)
            elif kind == "count":
                dataset.count(RecordFilter(topic=topic, valid=rng.random() < 0.5))
            else:
                dataset.records(search=word, limit=PAGE)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong is what is counted
            errors.append(f"reader, {kind}: {error!r}")
        times[kind].append(time.perf_counter() - start)
        time.sleep(_PAUSE_S)
    answers.put((times, errors))
    store.close()


def _write(
    path: Path, key: str | None, jsonl: Path, ready: Barrier, stop: Event, answers: Queue[Any]
) -> None:
    from rft_widgets.workspace import Workspace

    written = 0
    errors: list[str] = []
    with Workspace(path) as workspace:
        dataset = workspace.dataset(key) if key else workspace.create("written")
        ready.wait(_TIMEOUT_S)
        start = time.perf_counter()
        before = dataset.stats.total_records
        while not stop.is_set():
            try:
                dataset.import_records(jsonl, cancelled=stop.is_set)
            except ImportInterrupted:
                break
            except Exception as error:  # noqa: BLE001 - whatever goes wrong is what is counted
                errors.append(f"writer: {error!r}")
                break
        duration_s = time.perf_counter() - start
        written = dataset.stats.total_records - before
    answers.put((written / duration_s, errors))


if __name__ == "__main__":
    from benchmarks.__main__ import main

    main(["--only", "concurrency"])
