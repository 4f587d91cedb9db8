"""Processes that are killed, that write at the same time, and writes that fail."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from builders import chat_line, content, prompts, write_jsonl

import rft_widgets as rft
from rft_widgets.errors import ImportInterrupted
from rft_widgets.model.settings import STORE

LINES = 12_000

IMPORT = """
    import sys
    import rft_widgets as rft
    store, dataset, path, mode, resume = sys.argv[1:]
    with rft.Workspace(store) as ws:
        print("ready", flush=True)
        ws.dataset(dataset).import_records(path, mode=mode, resume=resume == "yes")
        print("done", flush=True)
"""


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run_import(store: Path, dataset: str, path: Path, mode: str, *, resume: bool = False) -> float:
    """Import in a process of its own and return the seconds it took from opening the store."""
    process = start(IMPORT, store, dataset, path, mode, "yes" if resume else "no")
    assert process.stdout is not None
    process.stdout.readline()
    began = time.monotonic()
    out, err = process.communicate(timeout=120)
    assert "done" in out, err
    return time.monotonic() - began


def kill_import(store: Path, dataset: str, path: Path, mode: str, after_s: float) -> None:
    """Start an import, or go on with one, and kill -9 it after that many seconds."""
    with rft.Workspace(store) as ws:
        unfinished = bool(ws.dataset(dataset).unfinished_imports)
    process = start(IMPORT, store, dataset, path, mode, "yes" if unfinished else "no")
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(after_s)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)


@pytest.fixture
def numbered(tmp_path: Path) -> Path:
    """A file of many lines, some of them blank, refused or invalid."""
    rng = random.Random(11)
    lines: list[dict[str, object] | bytes] = []
    for number in range(LINES):
        kind = rng.random()
        if kind < 0.01:
            lines.append(b"")
        elif kind < 0.02:
            lines.append(b'{"messages": [')
        elif kind < 0.03:
            lines.append(chat_line("short"[: rng.randint(1, 5)], number=number))
        else:
            words = " ".join(rng.choices(("order", "refund", "tent", "parcel", "boots"), k=40))
            lines.append(chat_line(f"Question {number} about {words}", "Answer", number=number))
    return write_jsonl(tmp_path, lines, "numbered.jsonl")


def _kill_moments(count: int, whole_s: float) -> list[float]:
    rng = random.Random(5)
    # One in each part of the import, the first near its start, the last about its end.
    part_s = whole_s * 1.1 / count
    return [rng.uniform(part_s * n, part_s * (n + 1)) for n in range(count)]


def check_append(tmp_path: Path, numbered: Path, kills: int) -> None:
    store = tmp_path / "store.db"
    with rft.Workspace(store) as ws:
        reference, victim = ws.create("reference"), ws.create("victim")
        whole_s = run_import(store, reference.id, numbered, "append")
        expected = prompts(reference)
        finished = 0
        for moment in _kill_moments(kills, whole_s):
            kill_import(store, victim.id, numbered, "append", moment)
            found = prompts(victim)
            assert found == expected[: len(found)], "a gap, a repetition or another order"
            unfinished = victim.unfinished_imports
            if not unfinished:
                if found:
                    assert found == expected
                    finished += 1
                    ws.delete(victim.id)
                    victim = ws.create("victim")
                continue
            (state,) = unfinished
            assert state.lines % STORE.batch_records == 0 or state.lines == LINES
            assert state.imported == len(found) == victim.stats.total_records
        if victim.unfinished_imports:
            victim.import_records(numbered, resume=True)
        elif not victim.count():
            victim.import_records(numbered)
        assert [content(r) | {"id": ""} for r in victim.iterate()] == [
            content(r) | {"id": ""} for r in reference.iterate()
        ]
        assert victim.health == reference.health
        assert victim.records(search="boots").total == reference.records(search="boots").total
        integrity(store)


def check_replace(tmp_path: Path, numbered: Path, kills: int) -> None:
    store = tmp_path / "store.db"
    old = write_jsonl(
        tmp_path, [chat_line(f"The old question {n}") for n in range(50)], "old.jsonl"
    )
    with rft.Workspace(store) as ws:
        victim, reference = ws.create_from_file(old), ws.create("reference")
        before = prompts(victim)
        whole_s = run_import(store, reference.id, numbered, "append")
        after = prompts(reference)
        seen: Counter[str] = Counter()
        for moment in _kill_moments(kills, whole_s):
            kill_import(store, victim.id, numbered, "replace", moment)
            found = prompts(victim)
            assert found in (before, after), "half a replacement"
            if found == after:
                seen["new"] += 1
                victim.import_records(old, mode="replace")
            else:
                seen["old"] += 1
        if victim.unfinished_imports:
            result = victim.import_records(numbered, mode="replace", resume=True)
            assert result.imported + result.refused + result.blank == result.lines == LINES
        else:
            victim.import_records(numbered, mode="replace")
        assert prompts(victim) == after
        assert seen["old"] > 0
        integrity(store)


def integrity(store: Path) -> None:
    with sqlite3.connect(store) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_killed_append_keeps_whole_batches_and_goes_on(tmp_path: Path, numbered: Path) -> None:
    check_append(tmp_path, numbered, kills=5)


@pytest.mark.slow
def test_killed_replace_is_all_or_nothing(tmp_path: Path, numbered: Path) -> None:
    check_replace(tmp_path, numbered, kills=5)


@pytest.mark.slow
def test_append_killed_at_twenty_moments(tmp_path: Path, numbered: Path) -> None:
    check_append(tmp_path, numbered, kills=20)


@pytest.mark.slow
def test_replace_killed_at_twenty_moments(tmp_path: Path, numbered: Path) -> None:
    check_replace(tmp_path, numbered, kills=20)


CLIENT = """
    import random, sys, time
    import rft_widgets as rft
    from rft_widgets.errors import StaleEdit
    store, dataset, seconds, seed = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
    rng = random.Random(seed)
    edits = added = deleted = 0
    with rft.Workspace(store) as ws:
        ds = ws.dataset(dataset)
        shared = [r.id for r in ds.records(search="shared", limit=20).records]
        print("ready", flush=True)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            kind = rng.random()
            if kind < 0.5:
                while True:
                    record = ds.record(rng.choice(shared))
                    item = record.item | {"count": record.item["count"] + 1}
                    try:
                        ds.edit_record(record, item=item)
                    except StaleEdit:
                        continue
                    edits += 1
                    break
            elif kind < 0.65:
                lines = [
                    {"messages": [{"role": "user", "content": f"own {seed} {added + i} question"}]}
                    for i in range(20)
                ]
                added += ds.add_records(lines).imported
            elif kind < 0.75:
                mine = ds.records(search=f'"own {seed} "', limit=5).records
                if mine:
                    chosen = ds.select(ids=[r.id for r in mine])
                    deletion = ds.delete_records(chosen)
                    if rng.random() < 0.5:
                        assert ds.undo_delete(deletion) == deletion.count
                    else:
                        deleted += deletion.count
            elif kind < 0.85:
                ds.assign_topic(rng.choice(shared), f"topic {seed}")
            else:
                assert ds.records(search="shared", limit=5).total >= 20
                ds.health, ds.stats
        print(edits, added, deleted, flush=True)
"""


def check_clients(tmp_path: Path, seconds: float, clients: int = 8) -> None:
    store = tmp_path / "store.db"
    with rft.Workspace(store) as ws:
        lines = [chat_line(f"The shared question {n}", count=0) for n in range(20)]
        dataset = ws.create_from_file(write_jsonl(tmp_path, lines))
        running = [start(CLIENT, store, dataset.id, seconds, seed) for seed in range(clients)]
        outcomes = [process.communicate(timeout=seconds + 120) for process in running]
        for _, err in outcomes:
            assert not err, err
        counts = [[int(n) for n in out.splitlines()[1].split()] for out, _ in outcomes]
        edits, added, deleted = (sum(column) for column in zip(*counts, strict=True))
        assert edits > clients
        records = list(dataset.iterate())
        assert sum(r.item.get("count", 0) for r in records) == edits, "an update was lost"
        assert len(records) == 20 + added - deleted
        shared = [r for r in records if "count" in r.item]
        # Topics are assigned without a new version; edits alone count.
        assert sum(r.version - 1 for r in shared) == edits
        integrity(store)


def test_eight_processes_share_one_store(tmp_path: Path) -> None:
    check_clients(tmp_path, seconds=6)


@pytest.mark.slow
def test_eight_processes_share_one_store_for_a_minute(tmp_path: Path) -> None:
    check_clients(tmp_path, seconds=60)


@pytest.mark.slow
def test_only_one_process_goes_on_with_an_import(tmp_path: Path, numbered: Path) -> None:
    store = tmp_path / "store.db"
    with rft.Workspace(store) as ws:
        dataset = ws.create("shared")
        with pytest.raises(ImportInterrupted, match="cancelled"):
            dataset.import_records(numbered, cancelled=lambda: dataset.count() >= 2_000)
        running = [start(IMPORT, store, dataset.id, numbered, "append", "yes") for _ in range(3)]
        outcomes = [process.communicate(timeout=120) for process in running]
        assert sum("done" in out for out, _ in outcomes) >= 1
        for out, err in outcomes:
            assert "done" in out or "ImportInterrupted" in err, err
        found = prompts(dataset)
        assert len(found) == len(set(found) - {"s", "sh", "sho", "shor", "short"}) + sum(
            prompt in {"s", "sh", "sho", "shor", "short"} for prompt in found
        )
        reference = ws.create_from_file(numbered, name="reference")
        assert found == prompts(reference)


class Broken(Exception):  # noqa: N818
    """A write that failed."""


def fail_write(ws: rft.Workspace, number: int) -> Callable[[], bool]:
    """Let the n-th statement that writes fail; the result tells whether it was reached."""
    left = [number]

    def before(*arguments: object) -> None:
        statement = str(arguments[2]).lstrip().upper()
        if statement.startswith(("INSERT", "UPDATE", "DELETE")):
            left[0] -= 1
            if left[0] == 0:
                raise Broken

    engine = ws._store.engine
    sa.event.listen(engine, "before_cursor_execute", before)

    def stop() -> bool:
        sa.event.remove(engine, "before_cursor_execute", before)
        return left[0] <= 0

    return stop


OPERATIONS: dict[str, Callable[[rft.OptimizationDataset, Path], object]] = {
    "append": lambda ds, path: ds.import_records(path),
    "replace": lambda ds, path: ds.import_records(path, mode="replace"),
    "edit": lambda ds, path: ds.edit_record(ds.records().records[0], item={"edited": True}),
    "delete": lambda ds, path: ds.delete_records(ds.select(rft.RecordFilter(search="number"))),
    "assign": lambda ds, path: ds.assign_topic(ds.select(), "a topic"),
    "rename": lambda ds, path: ds.rename("another name"),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_failed_write_changes_nothing(tmp_path: Path, operation: str) -> None:
    path = write_jsonl(tmp_path, [chat_line(f"New question number {n}") for n in range(30)])
    with rft.Workspace(tmp_path / "store.db") as ws:
        lines = [chat_line(f"Old question number {n}") for n in range(30)]
        dataset = ws.create("before")
        dataset.add_records(lines)
        failed, number = 0, 0
        while True:
            number += 1
            before = (dataset.name, [(content(r), r.version) for r in dataset.iterate()])
            events = len(dataset.events)
            stop = fail_write(ws, number)
            try:
                OPERATIONS[operation](dataset, path)
            except Broken:
                failed += 1
                assert stop()
                found = (dataset.name, [(content(r), r.version) for r in dataset.iterate()])
                if operation == "append":
                    # Its one batch is committed before the import is marked as finished.
                    assert found[1] == before[1] or len(found[1]) == len(before[1]) + 30
                    dataset.delete_records(dataset.select(rft.RecordFilter(search="new")))
                    dataset.discard_unfinished_imports()
                elif operation == "replace":
                    # After its end only the index for searching is left to be made.
                    new = ["New" in prompt for prompt in prompts(dataset)]
                    assert found == before or (len(new) == 30 and all(new))
                    dataset.add_records(lines, mode="replace")
                else:
                    assert found == before
                    assert len(dataset.events) == events
                continue
            assert not stop()
            break
        assert failed >= 1
        assert dataset.records(search="question").total == dataset.count()
    integrity(tmp_path / "store.db")


def test_a_forked_child_opens_its_own_connections(tmp_path: Path) -> None:
    code = """
        import os, sys
        import rft_widgets as rft
        with rft.Workspace(sys.argv[1]) as ws:
            ds = ws.create("forked")
            line = {"messages": [{"role": "user", "content": "written by the parent"}]}
            ds.add_records([line])
            child = os.fork()
            if child == 0:
                line["messages"][0]["content"] = "written by the child"
                ds.add_records([line])
                os._exit(0 if ds.count() == 2 else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            print(ds.count())
    """
    out, err = start(code, tmp_path / "store.db").communicate(timeout=60)
    assert out.strip() == "2", err
    integrity(tmp_path / "store.db")
