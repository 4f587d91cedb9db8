"""Datasets of a store: made, listed, copied, deleted, backed up, and shared between workspaces."""

from __future__ import annotations

import itertools
import os
import random
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from builders import (
    chat_line,
    content,
    draft,
    errors,
    prompts,
    user,
    write_jsonl,
)

import rft_widgets as rft
from rft_widgets.errors import (
    ImportRejected,
    InvalidArgument,
    NotFound,
    RftError,
    StaleEdit,
    StoreUnavailable,
)
from rft_widgets.model.run import RunInputs
from rft_widgets.store import schema

VARIABLE = "RFT_WIDGETS_DATABASE_URL"


def row_counts(url: str) -> dict[str, int]:
    """Rows of every table that the database has, whoever made it."""
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    try:
        with engine.connect() as connection:
            names = set(sa.inspect(connection).get_table_names()) - {"sqlite_sequence"}
            # SQLite's full-text tables cannot be counted, but their own tables can.
            countable = {name for name in names if f"{name}_data" not in names}
            return {
                name: connection.execute(sa.text(f'SELECT count(*) FROM "{name}"')).scalar_one()
                for name in sorted(countable)
            }
    finally:
        engine.dispose()


def drafts(count: int, *, start: int = 0) -> Iterator[rft.RecordDraft]:
    """Enough different texts that a dictionary is trained on them."""
    chance = random.Random(count)
    words = [f"word{n}" for n in range(300)]
    for n in range(start, start + count):
        yield draft(f"Question {n} about {' '.join(chance.sample(words, 12))}", id=f"r{n}")


def busy_dataset(workspace: rft.Workspace, folder: Path, name: str = "Busy") -> Any:
    """A dataset with everything one can have: refusals, duplicates, history, trash, a search."""
    dataset = workspace.create(name, objective="Everything")
    lines = [chat_line(f"A question number {n}", id=f"f{n}") for n in range(30)]
    path = write_jsonl(folder, [b"no json", *lines, chat_line("Short"), lines[3]], f"{name}.jsonl")
    dataset.import_records(path)
    dataset.add_records(drafts(1_300))
    dataset.assign_topic(dataset.select(ids=["f1", "f2"]), "topic")
    for n in range(3):
        dataset.edit_record("f4", messages=[user(f"An edited question {n}")])
    dataset.edit_record("f5", messages=[user("An edited question, too")])
    assert dataset.count(rft.RecordFilter(search="edited")) == 2
    dataset.delete_records(dataset.select(ids=["f5", "f6", "f7"]))
    with dataset._store.write() as connection:  # what steps after the first leave behind
        for table, row in leftovers(dataset.id):
            connection.execute(schema.metadata.tables[table].insert().values(**row))
    return dataset


def leftovers(dataset_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """A row of each table that later steps fill."""
    mine = {"dataset_id": dataset_id}
    job, run, dep = f"job_{dataset_id}", f"dry_{dataset_id}", f"dep_{dataset_id}"
    inputs = RunInputs(data="", topics="", grader="", grader_version=1, records_revision=1)
    texts = {"config": "{}", "inputs": msgspec.json.encode(inputs).decode()}
    yield "activities", mine | {"step": 5, "doing": "Dry run", "updated_us": 1}
    yield "grader_versions", mine | {"version": 1, "hash": "", "grader": "{}", "created_us": 1}
    yield "dry_runs", mine | texts | {"id": run, "status": "running", "started_us": 1}
    yield "dry_run_answers", {"run_id": run, "position": 0, "data": "{}"}
    yield (
        "training_jobs",
        mine
        | texts
        | {"id": job, "status": "failed", "requested": "", "owner": "", "split": b""}
        | {"created_us": 1, "updated_us": 1},
    )
    yield "training_checkpoints", {"job_id": job, "step": 0, "data": "{}"}
    yield "training_rollouts", {"job_id": job, "step": 1, "position": 0, "data": "{}"}
    yield "training_documents", {"job_id": job, "name": "attempts", "at_us": 1, "data": "[]"}
    yield "training_log", {"job_id": job, "at_us": 1, "message": ""}
    status = {"status": "active", "config": "{}", "created_us": 1}
    yield "deployments", mine | status | {"id": dep, "job_id": job}
    counted = {"arm": "tuned", "failed": 0, "at_us": 1, "duration_us": 1}
    yield "exchanges", counted | {"deployment_id": dep}
    said = {"asked_us": 1, "asked_port": 0, "port": 0, "owner": "", "said": ""}
    yield "served", said | {"deployment_id": dep, "wanted": 1, "host": "127.0.0.1"}
    work = f"run_{dataset_id}"
    asked = {"kind": "evaluate", "title": "Evaluate", "params": "{}", "status": "failed"}
    yield "jobs", mine | asked | {"id": work, "created_us": 1}
    yield "job_log", {"job_id": work, "at_us": 1, "message": ""}
    yield "job_items", {"job_id": work, "item": "1", "data": "{}"}
    call = {"state": "sent", "purpose": "judge", "model": "m", "request": b"", "sent_us": 1}
    yield "model_calls", mine | call | {"key": "1", "owner": ""}
    work = {"purpose": "judge", "model": "m", "at_us": 1, "is_whole": 1, "seconds": 1.0}
    yield "model_works", mine | work | {"calls": 1, "cached": 0, "tokens": 1}
    yield "model_notes", mine | {"key": "1", "data": b""}
    batch, at = f"gen_{dataset_id}", {"created_us": 1, "updated_us": 1}
    planned = {"number": 1, "status": "done", "plan": "{}", "model": "{}", "fill": "{}"}
    yield "generation_batches", mine | planned | at | {"id": batch}
    place = {"topic": "t", "round": 0, "request": 0, "state": "open", "data": "{}"}
    yield "candidates", place | {"batch_id": batch, "position": 0}
    said = {"answer_hash": "", "value": 1.0, "scale": "pass_fail", "at_us": 1}
    yield "human_labels", mine | said | {"record_id": "f1", "labeller": "me"}


# -- making ---------------------------------------------------------------------------------------


def test_create(workspace: rft.Workspace):
    before = datetime.now(UTC)
    dataset = workspace.create("  Support ", objective=" Answer briefly\n", source="gateway")
    info = dataset.info
    assert (info.name, info.objective, info.source) == ("Support", "Answer briefly", "gateway")
    assert before <= info.created_at == info.updated_at <= datetime.now(UTC)
    assert (dataset.name, dataset.objective, dataset.source) == info_fields(info)
    assert (dataset.created_at, dataset.updated_at) == (info.created_at, info.updated_at)
    assert dataset.id == info.id
    assert workspace.create("Support").id != dataset.id, "names need not be unique"
    assert workspace.create("Uploaded").source == "upload"
    assert dataset.stats.total_records == 0
    assert dataset.health.status == "empty"
    assert dataset.records().records == ()
    assert (dataset.records().total, dataset.records().next) == (0, None)


def info_fields(info: Any) -> tuple[str, str, str]:
    return (info.name, info.objective, info.source)


NO_NAMES = ["", " ", "\n\t "]
ODD_TEXTS = ["a\0b", "half \ud800"]


def test_names_that_no_dataset_can_have(workspace: rft.Workspace, tmp_path: Path):
    kept = workspace.create("Kept", objective="Same")
    path = write_jsonl(tmp_path, [chat_line()])
    attempts: list[Callable[[str], object]] = [
        workspace.create,
        lambda name: workspace.create_from_traces([], name=name),
        kept.rename,
        lambda name: kept.update(name=name, objective="Other"),
    ]
    # Where a name may be left out, an empty one is left out, too.
    optional: list[Callable[[str], object]] = [
        lambda name: workspace.create_from_file(path, name=name),
        lambda name: workspace.duplicate(kept.id, name=name),
    ]
    described: list[Callable[[str], object]] = [
        lambda text: workspace.create("Fine", objective=text),
        lambda text: kept.update(objective=text),
    ]
    for texts, calls in (
        (NO_NAMES + ODD_TEXTS, attempts),
        (NO_NAMES[1:] + ODD_TEXTS, optional),
        (ODD_TEXTS, described),
    ):
        for text, attempt in itertools.product(texts, calls):
            with pytest.raises(InvalidArgument):
                attempt(text)
    assert [(d.name, d.objective) for d in workspace.datasets()] == [("Kept", "Same")]


def test_create_from_a_file(workspace: rft.Workspace, tmp_path: Path):
    path = write_jsonl(
        tmp_path, [chat_line(f"A question number {n}") for n in range(5)], "a.b.jsonl"
    )
    progress = []
    dataset = workspace.create_from_file(path, objective="Better", progress=progress.append)
    assert (dataset.name, dataset.objective, dataset.source) == ("a", "Better", "upload")
    assert prompts(dataset) == [f"A question number {n}" for n in range(5)]
    assert progress[-1].phase == "done"
    assert workspace.create_from_file(str(path), name=" Named ").name == "Named"


def test_nothing_is_left_of_a_dataset_whose_file_cannot_be_read(
    workspace: rft.Workspace, store_url: str, tmp_path: Path
):
    before = row_counts(store_url)
    broken = tmp_path / "broken.json"
    broken.write_bytes(b"[1, 2")
    for path, error in ((tmp_path / "nowhere.jsonl", NotFound), (broken, ImportRejected)):
        with pytest.raises(error):
            workspace.create_from_file(path)
    with pytest.raises(RftError):
        workspace.create_from_file(
            write_jsonl(tmp_path, [chat_line(f"A question number {n}") for n in range(2_000)]),
            cancelled=lambda: True,
        )
    with pytest.raises(ZeroDivisionError):
        workspace.create_from_traces((1 / 0 for _ in range(1)), name="Failing")
    assert workspace.datasets() == ()
    assert row_counts(store_url) == before


def test_create_from_drafts(workspace: rft.Workspace):
    made = [
        draft(f"A question number {n}", "Answer", id=f"r{n}", span_id=f"s{n}") for n in range(4)
    ]
    dataset = workspace.create_from_traces(iter(made), name="Drafts", objective="Better")
    assert (dataset.name, dataset.objective, dataset.source) == ("Drafts", "Better", "gateway")
    for record, given in zip(dataset.iterate(), made, strict=True):
        assert [getattr(record, n) for n in given.__struct_fields__] == list(
            msgspec.structs.astuple(given)
        )


# -- listing and describing -----------------------------------------------------------------------


def names(workspace: rft.Workspace, **options: Any) -> list[str]:
    return [dataset.name for dataset in workspace.datasets(**options)]


def test_list(workspace: rft.Workspace):
    assert workspace.datasets() == ()
    for name, size in (("beta", 3), ("Alpha", 1), ("Größe", 2), ("alphabet 100%", 0)):
        workspace.create(name).add_records([draft(f"A question number {n}") for n in range(size)])
    assert names(workspace) == ["alphabet 100%", "Größe", "Alpha", "beta"]
    assert names(workspace, sort="updated") == names(workspace)
    assert names(workspace, sort="name") == ["Alpha", "alphabet 100%", "beta", "Größe"]
    assert names(workspace, sort="records") == ["beta", "Größe", "Alpha", "alphabet 100%"]
    assert names(workspace, search="ALPHA", sort="name") == ["Alpha", "alphabet 100%"]
    assert names(workspace, search=" grÖß ") == ["Größe"]
    assert names(workspace, search="%") == ["alphabet 100%"]
    assert names(workspace, search="_") == names(workspace, search="nowhere") == []
    with pytest.raises(InvalidArgument, match="no order 'size'"):
        workspace.datasets(sort="size")


def test_a_change_moves_a_dataset_to_the_top(workspace: rft.Workspace):
    datasets = {name: workspace.create(name) for name in ("a", "b", "c")}
    datasets["a"].add_records([draft("A question number 1", id="r")])
    assert names(workspace) == ["a", "c", "b"]
    datasets["b"].rename("bb")
    assert names(workspace) == ["bb", "a", "c"]
    datasets["a"].edit_record("r", item={"x": 1})
    assert names(workspace) == ["a", "bb", "c"]
    datasets["c"].records()
    assert names(workspace) == ["a", "bb", "c"]


def test_open(workspace: rft.Workspace):
    dataset = workspace.create("Opened")
    again = workspace.dataset(dataset.id)
    assert (again.id, again.info) == (dataset.id, dataset.info)
    assert "Opened" in repr(again)
    assert "Opened" in again._repr_html_()


def test_markup_in_names_is_text(sqlite_workspace: rft.Workspace):
    dataset = sqlite_workspace.create("<script>alert(1)</script>", objective="<b>")
    shown = dataset._repr_html_()
    assert "<script>" not in shown
    assert "<b>" not in shown
    assert "&lt;script&gt;" in shown


def test_rename_and_update(workspace: rft.Workspace):
    dataset = workspace.create("Old", objective="Old goal")
    dataset.rename(" New ")
    assert (dataset.name, dataset.objective) == ("New", "Old goal")
    dataset.update(objective="")
    assert (dataset.name, dataset.objective) == ("New", "")
    dataset.update(name="Newer", objective="Newest")
    before = dataset.info
    assert (before.name, before.objective) == ("Newer", "Newest")
    dataset.update()
    assert dataset.info == before
    assert before.updated_at > before.created_at


def test_a_revision_counts_every_change(workspace: rft.Workspace, tmp_path: Path):
    dataset = workspace.create("Revisions")
    deletions: list[Any] = []
    path = write_jsonl(tmp_path, [chat_line("A question number 1", id="a")])
    changes: list[Callable[[], object]] = [
        lambda: dataset.import_records(path),
        lambda: dataset.add_records([draft("A question number 2", id="b")]),
        lambda: dataset.edit_record("a", item={"x": 1}),
        lambda: dataset.assign_topic("a", "topic"),
        lambda: deletions.append(dataset.delete_records("a")),
        lambda: dataset.undo_delete(deletions[0]),
        lambda: dataset.rename("Other"),
        lambda: dataset.import_records(path, mode="replace"),
    ]
    seen = [dataset.info.revision]
    for change in changes:
        change()
        seen.append(dataset.info.revision)
    assert seen == sorted(set(seen)), seen
    dataset.records(search="question")
    dataset.to_pandas()
    assert dataset.info.revision == seen[-1]


def test_events(workspace: rft.Workspace, tmp_path: Path):
    dataset = workspace.create("Events", objective="Goal")
    other = workspace.create("Other")
    path = write_jsonl(tmp_path, [b"no json", chat_line("A question number 1", id="a")])
    dataset.import_records(path)
    dataset.add_records([draft("A question number 2", id="b")], source="notebook")
    dataset.edit_record("a", item={"x": 1})
    dataset.assign_topic("a", "topic")
    deletion = dataset.delete_records(dataset.select(rft.RecordFilter(topic="topic")))
    dataset.undo_delete(deletion)
    dataset.rename("Renamed")
    with pytest.raises(NotFound):
        dataset.edit_record("nobody", item={})
    events = dataset.events
    assert [event.kind for event in events] == [
        "create", "import_records", "import_records", "edit_record", "assign_topic",
        "delete_records", "undo_delete", "update",
    ]  # fmt: skip
    create, imported, added, edited, assigned, deleted, undone, updated = (
        event.details for event in events
    )
    assert create == {"name": "Events", "objective": "Goal"}
    assert (imported["source"], imported["imported"], imported["refused"]) == ("lines.jsonl", 1, 1)
    assert (added["source"], added["imported"]) == ("notebook", 1)
    assert edited == {"record": "a", "changes": {"item": {"x": 1}}}
    assert (assigned["topic"], assigned["count"]) == ("topic", 1)
    assert (deleted["count"], deleted["deletion"]) == (1, deletion.id)
    assert deleted["selection"] == {"where": {"topic": "topic"}}
    assert undone == {"deletion": deletion.id, "count": 1}
    assert updated == {"name": "Renamed"}
    assert [event.seq for event in events] == sorted({event.seq for event in events})
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert [event.kind for event in other.events] == ["create"]


# -- unknown ids ----------------------------------------------------------------------------------


def dataset_calls(dataset: rft.OptimizationDataset, path: Path) -> dict[str, Callable[[], object]]:
    return {
        "info": lambda: dataset.info,
        "name": lambda: dataset.name,
        "stats": lambda: dataset.stats,
        "health": lambda: dataset.health,
        "pipeline": lambda: dataset.pipeline,
        "events": lambda: dataset.events,
        "records": dataset.records,
        "search": lambda: dataset.records(search="question"),
        "record": lambda: dataset.record("a"),
        "count": dataset.count,
        "count search": lambda: dataset.count(rft.RecordFilter(search="question")),
        "iterate": lambda: list(dataset.iterate()),
        "history": lambda: dataset.history("a"),
        "to_pandas": dataset.to_pandas,
        "import": lambda: dataset.import_records(path),
        "replace": lambda: dataset.import_records(path, mode="replace"),
        "add": lambda: dataset.add_records([draft("A question that is long")]),
        "export": lambda: dataset.export_records(path.parent / "out.jsonl"),
        "edit": lambda: dataset.edit_record("a", item={}),
        "assign": lambda: dataset.assign_topic("a", "topic"),
        "delete": lambda: dataset.delete_records("a"),
        "delete search": lambda: dataset.delete_records(
            dataset.select(rft.RecordFilter(search="question"))
        ),
        "undo": lambda: dataset.undo_delete("del_0"),
        "rename": lambda: dataset.rename("New"),
    }


def test_a_dataset_that_was_deleted_is_not_found(workspace: rft.Workspace, tmp_path: Path):
    dataset = workspace.create("Gone")
    dataset.add_records([draft("A question that is long", id="a")])
    path = write_jsonl(tmp_path, [chat_line()])
    workspace.delete(dataset.id)
    for name, attempt in dataset_calls(dataset, path).items():
        with pytest.raises(NotFound, match="no dataset"):
            attempt()
        assert not (tmp_path / "out.jsonl").exists(), name
    assert dataset.id in repr(dataset), "a repr never raises"


def test_unknown_datasets_are_not_found(workspace: rft.Workspace):
    kept = workspace.create("Kept")
    for dataset_id in ["ds_nothing", "", "'; --", "%", "a\0b", "\ud800"]:
        for attempt in (workspace.dataset, workspace.delete, workspace.duplicate):
            with pytest.raises(NotFound, match="no dataset"):
                attempt(dataset_id)
    assert names(workspace) == ["Kept"]
    assert kept.name == "Kept"


def test_unknown_records_are_not_found(workspace: rft.Workspace):
    dataset, other = workspace.create("Records"), workspace.create("Other")
    dataset.add_records([draft("A question that is long", id="a")])
    other.add_records([draft("A question that is long", id="nobody")])
    reads: list[Callable[[str], object]] = [
        dataset.record,
        dataset.history,
        lambda record_id: dataset.edit_record(record_id, item={}),
    ]
    for record_id in ["nobody", "", "A", "'; --", "a\0", "\ud800"]:
        for attempt in reads:
            with pytest.raises(NotFound, match="has no record"):
                attempt(record_id)
        assert dataset.assign_topic(record_id, "topic") == 0
        assert dataset.delete_records(record_id).count == 0
        with pytest.raises(NotFound, match="no deletion"):
            dataset.undo_delete(record_id)
    assert other.record("nobody").topic is None


def test_an_unknown_import_is_not_found(workspace: rft.Workspace, tmp_path: Path):
    dataset, other = workspace.create("Imports"), workspace.create("Other")
    result = dataset.import_records(write_jsonl(tmp_path, [b"no json", chat_line()]))
    assert [error.line for error in dataset.import_errors(result.import_id)] == [1]
    for attempt in (
        lambda: dataset.import_errors("imp_nothing"),
        lambda: other.import_errors(result.import_id),
    ):
        with pytest.raises(NotFound, match="no import"):
            attempt()


# -- copies ---------------------------------------------------------------------------------------


def standing(dataset: rft.OptimizationDataset) -> list[tuple[Any, ...]]:
    return [
        (content(r), errors(r), [e.message for e in r.validation_errors], r.tokens, r.is_valid)
        for r in dataset.iterate()
    ]


def test_a_copy_is_equal_and_independent(workspace: rft.Workspace, tmp_path: Path):
    original = busy_dataset(workspace, tmp_path)
    before, stats, health = standing(original), original.stats, original.health
    copy = workspace.duplicate(original.id)
    assert (copy.name, copy.objective) == ("Busy (copy)", "Everything")
    assert standing(copy) == before
    assert copy.stats == msgspec.structs.replace(stats, training_runs=0), "runs stay behind"
    assert copy.health.errors_by_code == health.errors_by_code
    assert copy.history("f4") == ()
    assert [event.kind for event in copy.events] == ["duplicate"]
    assert copy.events[0].details == {"of": original.id, "records": stats.total_records}

    copy.edit_record("f8", messages=[user("Only in the copy from now on")])
    copy.assign_topic("f9", "copied")
    copy.delete_records(copy.select(ids=["f10", "r11"]))
    copy.add_records([draft("A record of the copy", id="new")])
    assert standing(original) == before
    assert original.history("f8") == ()
    changed = standing(copy)
    original.edit_record("f8", messages=[user("Only in the original from now on")])
    original.delete_records(original.select(rft.RecordFilter(search="word7")))
    original.add_records([draft("A record of the original", id="new")])
    assert standing(copy) == changed

    for dataset, theirs, mine in ((original, "copy", "original"), (copy, "original", "copy")):
        search = f'"in the {mine} from"'
        assert [r.id for r in dataset.records(search=search).records] == ["f8"]
        assert dataset.records(search=f'"in the {theirs} from"').total == 0
        assert [r.id for r in dataset.records(search=f"record {mine}").records] == ["new"]
        found = dataset.count(rft.RecordFilter(search="number 12"))
        assert found == sum("number 12" in text for text in prompts(dataset))

    workspace.delete(original.id)
    workspace.empty_trash()
    assert standing(copy) == changed
    assert copy.records(search="word9").total == sum("word9" in text for text in prompts(copy))


def test_a_copy_can_be_named_and_copied_again(workspace: rft.Workspace):
    original = workspace.create("One")
    copy = workspace.duplicate(original.id, name=" Two ")
    assert copy.name == "Two"
    assert copy.stats.total_records == 0
    copy.add_records([draft("A question that is long", id="a")])
    third = workspace.duplicate(copy.id)
    assert prompts(third) == ["A question that is long"]
    assert original.stats.total_records == 0


def test_copies_made_while_others_write_are_whole(workspace: rft.Workspace, store_url: str):
    dataset = workspace.create("Moving")
    dataset.add_records(drafts(400))
    stop = threading.Event()
    failures: list[BaseException] = []

    def churn(seed: int) -> None:
        chance = random.Random(seed)
        try:
            with rft.Workspace(store_url) as other:
                theirs = other.dataset(dataset.id)
                for turn in itertools.count():
                    if stop.is_set():
                        return
                    if seed:
                        some = [f"r{chance.randrange(400)}" for _ in range(20)]
                        theirs.undo_delete(theirs.delete_records(theirs.select(ids=some)))
                    else:
                        made = (f"n{turn}x{n}" for n in range(30))
                        theirs.add_records(
                            draft(f"Question {name} is new", id=name) for name in made
                        )
        except BaseException as error:  # it must reach the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=churn, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    try:
        copies = [workspace.duplicate(dataset.id) for _ in range(8)]
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert failures == []
    for copy in copies:
        found = list(copy.iterate())
        assert len(found) == copy.stats.total_records == copy.events[0].details["records"]
        assert len(found) > 300
        for record in found:
            assert f"Question {record.id.removeprefix('r')} " in record.input.messages[0].text
        assert copy.records(search="question").total == len(found)
    assert dataset.records(search="question").total == dataset.stats.total_records


# -- deleting -------------------------------------------------------------------------------------


def test_deleting_leaves_nothing_behind(workspace: rft.Workspace, store_url: str, tmp_path: Path):
    empty = row_counts(store_url)
    dataset = busy_dataset(workspace, tmp_path)
    dataset.import_records(write_jsonl(tmp_path, [b"no json", chat_line()]), mode="replace")
    busy_dataset(workspace, tmp_path, "Second")
    copy = workspace.duplicate(dataset.id)
    assert copy.records(search="question").total
    with pytest.raises(RftError):
        dataset.import_records(
            write_jsonl(tmp_path, [b"no json", *(chat_line(f"Line {n}") for n in range(1_500))]),
            mode="replace",
            cancelled=lambda: True,
        )
    full = row_counts(store_url)
    untouched = {"alembic_version", "connections", "counters"}
    used = {name for name in empty if full[name] > empty[name]}
    assert used | untouched | ({"search_texts"} - used) == set(empty), "some table was not tried"
    for one in workspace.datasets():
        workspace.delete(one.id)
    assert row_counts(store_url) == empty
    assert workspace.datasets() == ()


def test_deleting_one_dataset_spares_the_others(
    workspace: rft.Workspace, store_url: str, tmp_path: Path
):
    kept = busy_dataset(workspace, tmp_path, "Kept")
    before, events = standing(kept), kept.events
    imported = events[1].details["import"]
    rows = row_counts(store_url)
    gone = busy_dataset(workspace, tmp_path, "Gone")
    copy = workspace.duplicate(kept.id)
    workspace.delete(gone.id)
    workspace.delete(copy.id)
    assert row_counts(store_url) == rows
    assert (standing(kept), kept.events) == (before, events)
    assert len(kept.history("f4")) == 3
    assert [error.line for error in kept.import_errors(imported)] == [1]
    assert kept.records(search="edited").total == 1
    deletion = next(e.details["deletion"] for e in kept.events if e.kind == "delete_records")
    assert kept.undo_delete(deletion) == 3


def test_empty_trash(workspace: rft.Workspace, store_url: str):
    first, second = workspace.create("First"), workspace.create("Second")
    for dataset in (first, second):
        dataset.add_records(drafts(50))
        assert dataset.records(search="question").total == 50
    clean = row_counts(store_url)
    assert workspace.empty_trash() == 0
    first.delete_records(first.select(ids=[f"r{n}" for n in range(10)]))
    first.delete_records("r10")
    second.add_records([draft("A new question for all", id="new")], mode="replace")
    assert workspace.empty_trash() == 61
    assert workspace.empty_trash() == 0
    after = row_counts(store_url)
    assert after["records"] == after["payloads"] == clean["records"] - 60
    assert (after["record_sets"], after["deletions"]) == (2, 0)
    assert first.records(search="question").total == 39
    assert [r.id for r in second.iterate()] == ["new"]
    assert second.records(search="new question").total == 1


def test_giving_up_unfinished_imports_leaves_no_lines_behind(
    workspace: rft.Workspace, store_url: str, tmp_path: Path
):
    dataset = workspace.create("Unfinished")
    dataset.add_records([draft("A question that is long")])
    before = row_counts(store_url)
    path = write_jsonl(tmp_path, [b"no json", *(chat_line(f"A line {n}") for n in range(1_500))])
    with pytest.raises(RftError):
        dataset.import_records(path, mode="replace", cancelled=lambda: True)
    assert dataset.discard_unfinished_imports() == 1
    assert dataset.discard_unfinished_imports() == 0
    assert row_counts(store_url) == before
    assert prompts(dataset) == ["A question that is long"]


# -- several workspaces ---------------------------------------------------------------------------


def test_two_workspaces_see_each_others_changes_at_once(workspace: rft.Workspace, store_url: str):
    with rft.Workspace(store_url) as other:
        mine = workspace.create("Shared")
        theirs = other.dataset(mine.id)
        mine.add_records([draft(f"A question number {n}", id=f"r{n}") for n in range(3)])
        assert theirs.stats == mine.stats
        assert [r.id for r in theirs.records().records] == ["r0", "r1", "r2"]
        assert theirs.count(rft.RecordFilter(valid=True)) == 3
        theirs.edit_record("r0", messages=[user("Hm")])
        assert mine.count(rft.RecordFilter(valid=True)) == 2
        assert mine.health == theirs.health
        stale = mine.record("r1")
        theirs.edit_record("r1", item={"x": 1})
        with pytest.raises(StaleEdit):
            mine.edit_record(stale, item={"x": 2})
        deletion = theirs.delete_records("r2")
        assert mine.stats.total_records == 2
        assert mine.undo_delete(deletion) == 1
        assert theirs.stats.total_records == 3
        theirs.assign_topic("r2", "topic")
        assert mine.records(topic="topic").total == 1
        theirs.rename("Renamed")
        assert (mine.name, mine.events) == ("Renamed", theirs.events)
        assert names(workspace) == names(other) == ["Renamed"]
        theirs.add_records(drafts(300), mode="replace")
        assert [r.id for r in mine.iterate()] == [f"r{n}" for n in range(300)]
        other.delete(mine.id)
        assert workspace.datasets() == ()
        with pytest.raises(NotFound):
            mine.records()


def test_another_process_sees_changes_at_once(workspace: rft.Workspace, store_url: str):
    dataset = workspace.create("Shared")
    dataset.add_records(drafts(250))
    script = (
        "import sys, rft_widgets as rft\n"
        "with rft.Workspace(sys.argv[1]) as ws:\n"
        "    ds = ws.dataset(sys.argv[2])\n"
        "    assert ds.records(search='question').total == 250\n"
        "    ds.edit_record('r7', messages=[{'role': 'user', 'content': 'Edited elsewhere'}])\n"
    )
    subprocess.run([sys.executable, "-c", script, store_url, dataset.id], check=True, timeout=120)
    assert [r.id for r in dataset.records(search="elsewhere").records] == ["r7"]


def test_a_workspace_works_again_after_close(workspace: rft.Workspace):
    dataset = workspace.create("Kept")
    workspace.close()
    workspace.close()
    assert dataset.name == "Kept"


# -- where the store is ---------------------------------------------------------------------------


def test_the_default_store_is_the_one_in_the_environment(
    store_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(VARIABLE, store_url)
    with rft.Workspace() as first:
        first.create("Here")
    with rft.Workspace(store_url) as second:
        assert names(second) == ["Here"]


@pytest.mark.skipif(sys.platform != "linux", reason="the folder of other systems differs")
@pytest.mark.parametrize("value", [None, ""])
def test_the_default_store_lies_in_the_users_data_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
):
    if value is None:
        monkeypatch.delenv(VARIABLE, raising=False)
    else:
        monkeypatch.setenv(VARIABLE, value)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    with rft.Workspace() as workspace:
        workspace.create("Home")
        path = tmp_path / ".local/share/rft_widgets/rft_widgets.db"
        assert path.is_file()
        assert str(path) in workspace.url
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    with rft.Workspace() as workspace:
        assert workspace.datasets() == ()
        assert (tmp_path / "xdg/rft_widgets/rft_widgets.db").is_file()


def test_paths_in_every_spelling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with rft.Workspace(tmp_path / "new folder" / "störe %41?x#y.db") as workspace:
        workspace.create("Odd")
    assert [p.name for p in (tmp_path / "new folder").glob("*.db")] == ["störe %41?x#y.db"]
    with rft.Workspace("plain.db") as workspace:
        workspace.create("Plain")
    for url in (tmp_path / "plain.db", "~/plain.db", "sqlite:///plain.db", "./plain.db"):
        with rft.Workspace(url) as workspace:
            assert names(workspace) == ["Plain"], url


BAD_URLS = {
    "": "",
    "memory": "sqlite://",
    "named memory": "sqlite:///:memory:",
    "another database": "mysql://user:s3cret@localhost/db",
    "no database at all": "nonsense://x",
    "no kind": "://x",
    "a port that is none": "postgresql://user:s3cret@localhost:port/db",
    "nobody there": "postgresql://user:s3cret@127.0.0.1:1/db",
    "a web page": "https://example.com/store.db",
}


@pytest.mark.parametrize("url", BAD_URLS.values(), ids=BAD_URLS)
def test_urls_that_name_no_store(url: str):
    with pytest.raises(StoreUnavailable) as caught:
        rft.Workspace(url)
    assert "s3cret" not in str(caught.value)
    assert caught.value.hint


def test_files_that_are_no_store(tmp_path: Path):
    text = tmp_path / "text.db"
    text.write_text("This is a text and no database at all. " * 100)
    (tmp_path / "folder").mkdir()
    for path in (text, tmp_path / "folder", text / "store.db"):
        with pytest.raises(StoreUnavailable):
            rft.Workspace(path)
    assert text.read_text().startswith("This is a text")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_one_may_not_write_to(tmp_path: Path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(StoreUnavailable):
        rft.Workspace(tmp_path / "folder" / "store.db")


def test_a_password_is_not_shown(postgres_url: str):
    with_password = postgres_url.replace("postgres@", "postgres:s3cret@")
    with rft.Workspace(with_password) as workspace:
        assert "s3cret" not in workspace.url
        assert "s3cret" not in repr(workspace)
        assert workspace.create("Works").name == "Works"


# -- backup ---------------------------------------------------------------------------------------


def test_backup(sqlite_workspace: rft.Workspace, tmp_path: Path):
    dataset = busy_dataset(sqlite_workspace, tmp_path)
    before = standing(dataset)
    target = tmp_path / "copy's.db"
    assert sqlite_workspace.backup(target) == target
    dataset.delete_records(dataset.select())
    with rft.Workspace(target) as copied:
        kept = copied.dataset(dataset.id)
        assert standing(kept) == before
        assert kept.records(search="edited").total == 1
        assert len(kept.history("f4")) == 3
        kept.add_records([draft("Added to the copy", id="new")])
        assert kept.records(search="added").total == 1
    assert dataset.stats.total_records == 0
    connection = sqlite3.connect(target)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_a_backup_overwrites_nothing(sqlite_workspace: rft.Workspace, tmp_path: Path):
    taken = tmp_path / "taken.db"
    taken.write_text("Mine")
    with pytest.raises(StoreUnavailable, match="exists already"):
        sqlite_workspace.backup(str(taken))
    assert taken.read_text() == "Mine"
    with pytest.raises(StoreUnavailable):
        sqlite_workspace.backup(tmp_path / "no folder" / "copy.db")


def test_a_backup_of_postgresql_is_left_to_its_own_tools(postgres_url: str, tmp_path: Path):
    with (
        rft.Workspace(postgres_url) as workspace,
        pytest.raises(StoreUnavailable, match="pg_dump"),
    ):
        workspace.backup(tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()
