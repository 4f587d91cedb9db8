"""Several writers and readers at the same moment, on both kinds of database."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from builders import chat_line, errors, prompts, user, write_jsonl

import rft_widgets as rft
from rft_widgets.errors import ImportInterrupted, StaleEdit


def together(url: str, *actions: Callable[[rft.Workspace], Any]) -> list[Any]:
    """Run actions at the same time, each in a thread with a workspace of its own."""
    barrier = threading.Barrier(len(actions))
    results: list[Any] = [None] * len(actions)

    def run(place: int, action: Callable[[rft.Workspace], Any]) -> None:
        with rft.Workspace(url) as workspace:
            barrier.wait(30)
            try:
                results[place] = action(workspace)
            except BaseException as error:  # it is looked at in the test's own thread
                results[place] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return results


def succeed(results: list[Any]) -> list[Any]:
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


def test_equal_files_appended_at_once(store_url: str, tmp_path: Path):
    """Ids stay unique, and each record is valid once."""
    path = write_jsonl(tmp_path, [chat_line(f"The question {n}", id=f"r{n}") for n in range(2_500)])
    with rft.Workspace(store_url) as workspace:
        dataset = workspace.create("shared")
        results = succeed(
            together(store_url, *[lambda w: w.dataset(dataset.id).import_records(path)] * 3)
        )
        records = list(dataset.iterate())
        assert len(records) == 7_500
        assert len({r.id for r in records}) == 7_500
        seen: set[str] = set()
        for record in records:
            prompt = record.input.messages[0].text
            assert errors(record) == (["duplicate"] if prompt in seen else [])
            seen.add(prompt)
        assert sum(result.duplicates for result in results) == dataset.health.duplicates == 5_000
        assert dataset.records(search="question").total == 7_500


def test_edits_of_one_record_are_all_kept(store_url: str):
    def count_up(workspace: rft.Workspace) -> int:
        dataset = workspace.datasets()[0]
        tries = 0
        for _ in range(10):
            while True:
                tries += 1
                record = dataset.record("r")
                try:
                    dataset.edit_record(record, item={"count": record.item["count"] + 1})
                except StaleEdit:
                    continue
                break
        return tries

    with rft.Workspace(store_url) as workspace:
        dataset = workspace.create("counter")
        dataset.add_records([chat_line("The question", id="r", count=0)])
        succeed(together(store_url, *[count_up] * 4))
        record = dataset.record("r")
        assert (record.item["count"], record.version) == (40, 41)
        assert [version.item["count"] for version in dataset.history("r")] == list(range(40))


def test_a_record_is_deleted_once(store_url: str):
    def take(workspace: rft.Workspace) -> Any:
        dataset = workspace.datasets()[0]
        return dataset.delete_records(dataset.select(rft.RecordFilter(search="tent")))

    with rft.Workspace(store_url) as workspace:
        dataset = workspace.create("deleted")
        dataset.add_records([chat_line(f"The tent {n % 40}", id=f"r{n}") for n in range(80)])
        before = [(r.id, errors(r)) for r in dataset.iterate()]
        deletions = succeed(together(store_url, *[take] * 4))
        assert sum(deletion.count for deletion in deletions) == 80
        assert dataset.count() == 0
        for deletion in deletions:
            assert dataset.undo_delete(deletion) == deletion.count
        assert [(r.id, errors(r)) for r in dataset.iterate()] == before


def test_append_beside_replace(store_url: str, tmp_path: Path):
    """What an append says it stored is there, or it says that it was replaced."""
    more = write_jsonl(tmp_path, [chat_line(f"More {n} of it") for n in range(4_000)], "more.jsonl")
    new = write_jsonl(tmp_path, [chat_line(f"New {n} of it") for n in range(1_500)], "new.jsonl")
    with rft.Workspace(store_url) as workspace:
        for _ in range(3):
            dataset = workspace.create("replaced")
            dataset.add_records([chat_line("Old question")])
            append, replace = together(
                store_url,
                lambda w, key=dataset.id: w.dataset(key).import_records(more),
                lambda w, key=dataset.id: w.dataset(key).import_records(new, mode="replace"),
            )
            found = Counter(prompt.split()[0] for prompt in prompts(dataset))
            succeed([replace])
            assert found["New"] == 1_500
            if isinstance(append, ImportInterrupted):
                assert found["More"] == 0
            else:
                succeed([append])
                # All of it came before the replacement, or all of it after.
                assert found["More"] in (0, 4_000)
            assert found["Old"] == 0
            assert dataset.records(search="of it").total == sum(found.values())


def test_two_replacements_at_once(store_url: str, tmp_path: Path):
    paths = [
        write_jsonl(tmp_path, [chat_line(f"Set {name} {n}") for n in range(1_200)], f"{name}.jsonl")
        for name in "ab"
    ]
    with rft.Workspace(store_url) as workspace:
        dataset = workspace.create("replaced")
        succeed(
            together(
                store_url,
                *(
                    lambda w, p=path: w.dataset(dataset.id).import_records(p, mode="replace")
                    for path in paths
                ),
            )
        )
        assert Counter(prompt.split()[1] for prompt in prompts(dataset)) in (
            {"a": 1_200},
            {"b": 1_200},
        )
        assert workspace.empty_trash() == 1_200


def test_a_dataset_is_deleted_while_it_grows(store_url: str, tmp_path: Path):
    path = write_jsonl(tmp_path, [chat_line(f"The question {n}") for n in range(4_000)])
    with rft.Workspace(store_url) as workspace:
        dataset = workspace.create("short-lived")

        def delete(other: rft.Workspace) -> None:
            while dataset.count() == 0:
                pass
            other.delete(dataset.id)

        grown, deleted = together(
            store_url, lambda w: w.dataset(dataset.id).import_records(path), delete
        )
        succeed([deleted])
        assert isinstance(grown, rft.RftError)
        workspace.empty_trash()
        with workspace._store.engine.connect() as connection:
            for table in ("records", "payloads", "issues", "imports", "record_sets"):
                left = connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one()
                assert left == 0, table


def test_a_search_counts_what_came_between(store_url: str):
    """A record that comes while a search runs is not missing from the next one's count."""
    with rft.Workspace(store_url) as mine, rft.Workspace(store_url) as yours:
        dataset = mine.create("shared")
        dataset.add_records([chat_line("The first question")])
        other = yours.dataset(dataset.id)
        for number in range(1, 9):
            left = [1 + number % 2]

            def before(*arguments: Any, left: list[int] = left, number: int = number) -> None:
                # This is asked at the start of each reading transaction of a search.
                if "datasets.revision" in arguments[2]:
                    left[0] -= 1
                    if left[0] == 0:
                        dataset.add_records([chat_line(f"Another question {number}")])

            other.edit_record(other.records().records[0], metadata={"n": number})
            sa.event.listen(yours._store.engine, "before_cursor_execute", before)
            try:
                other.records(search="question")
            finally:
                sa.event.remove(yours._store.engine, "before_cursor_execute", before)
            assert left[0] <= 0
            expected = dataset.count()
            page = other.records(search="question", limit=1_000)
            assert (len(page.records), page.total) == (expected, expected), number


def fail_at(engine: sa.Engine, number: int) -> Callable[[], bool]:
    """Let the n-th statement that writes fail; the result takes that back and tells if it did."""
    left = [number]

    def before(*arguments: Any) -> None:
        if arguments[2].lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
            left[0] -= 1
            if left[0] == 0:
                raise MemoryError("no room")

    sa.event.listen(engine, "before_cursor_execute", before)

    def stop() -> bool:
        sa.event.remove(engine, "before_cursor_execute", before)
        return left[0] <= 0

    return stop


def snapshot(workspace: rft.Workspace) -> list[Any]:
    return [
        (ds.id, ds.name, ds.info.revision, ds.health, len(ds.events), list(ds.iterate()))
        for ds in workspace.datasets(sort="name")
    ]


OPERATIONS: dict[str, Callable[[rft.Workspace, rft.OptimizationDataset, Any], Any]] = {
    "edit": lambda _, ds, __: ds.edit_record("r3", messages=[user("The question 4")]),
    "delete": lambda _, ds, __: ds.delete_records(ds.select(ids=["r0", "r1", "r5"])),
    "undo": lambda _, ds, deletion: ds.undo_delete(deletion),
    "assign": lambda _, ds, __: ds.assign_topic(ds.select(rft.RecordFilter(search="3")), "t"),
    "duplicate": lambda ws, ds, _: ws.duplicate(ds.id),
    "create": lambda ws, _, __: ws.create("another"),
    "update": lambda _, ds, __: ds.update(name="other", objective="o"),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_write_may_fail(workspace: rft.Workspace, operation: str):
    """An operation is done whole or not at all, whichever of its statements fails."""
    dataset = workspace.create("written")
    dataset.add_records([chat_line(f"The question {n // 2}", id=f"r{n}") for n in range(20)])
    deletion = dataset.delete_records(dataset.select(ids=["r6", "r8"]))
    dataset.records(search="question")
    before = snapshot(workspace)
    number = 0
    while True:
        number += 1
        stop = fail_at(workspace._store.engine, number)
        try:
            OPERATIONS[operation](workspace, dataset, deletion)
        except MemoryError:
            assert stop()
            assert snapshot(workspace) == before, number
            assert dataset.records(search="question").total == 18
            continue
        assert not stop()
        break
    assert number > 1
    assert snapshot(workspace) != before
    assert dataset.records(search="question").total == dataset.count()
