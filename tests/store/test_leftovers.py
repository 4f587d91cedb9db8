"""What is deleted is gone: no row of it stays in any table."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from builders import chat_line, dump, prompts, user, write_jsonl

import rft_widgets as rft
from rft_widgets.errors import ImportInterrupted


def rows(workspace: rft.Workspace) -> dict[str, int]:
    """Number of rows of every table, those that hold the full-text search included."""
    with workspace._store.engine.connect() as connection:
        names = sa.inspect(connection).get_table_names()
        if connection.dialect.name == "sqlite":
            # A virtual table itself cannot be counted, and has its rows in others.
            virtual = connection.exec_driver_sql(
                "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL%'"
            )
            names = sorted(set(names) - set(virtual.scalars()))
        return {
            name: connection.execute(
                sa.select(sa.func.count()).select_from(sa.table(name))
            ).scalar_one()
            for name in names
            if not name.startswith("sqlite_")
        }


def lived(workspace: rft.Workspace, folder: Path) -> rft.OptimizationDataset:
    """A dataset that everything was done to."""
    lines: list[Any] = [
        chat_line(f"The question {n} about a tent", f"Answer {n}", id=f"r{n}", number=n)
        for n in range(1_200)
    ]
    path = write_jsonl(folder, [*lines, *lines[:50], b"bad", b"{}", chat_line("short")])
    dataset = workspace.create("lived", objective="to be deleted")
    dataset.import_records(path)
    dataset.records(search="tent")
    dataset.edit_record("r1", messages=[user("An edited question")])
    dataset.edit_record("r1", item={"again": True})
    dataset.delete_records(dataset.select(ids=["r2", "r3"]))
    dataset.undo_delete(dataset.delete_records("r4"))
    dataset.assign_topic(dataset.select(ids=["r5"]), "topic")
    dataset.import_records(path, mode="replace")
    dataset.edit_record("r1", item={"again": True})
    dataset.delete_records(dataset.select(ids=["r7", "r8"]))
    for mode in ("append", "replace"):
        with pytest.raises(ImportInterrupted):
            dataset.import_records(path, mode=mode, cancelled=lambda: True)
    return dataset


def test_a_deleted_dataset_leaves_nothing_behind(workspace: rft.Workspace, tmp_path: Path):
    before = rows(workspace)
    dataset = lived(workspace, tmp_path)
    assert {k: n for k, n in rows(workspace).items() if n} != {k: n for k, n in before.items() if n}
    workspace.delete(dataset.id)
    after = rows(workspace)
    assert {k: n for k, n in after.items() if n != before.get(k, 0)} == {}
    assert set(after) == set(before)


def test_a_deleted_dataset_leaves_the_others_alone(workspace: rft.Workspace, tmp_path: Path):
    kept = workspace.create("kept")
    lines = [chat_line(f"A kept question {n}", f"Answer {n}", id=f"r{n}") for n in range(1_200)]
    kept.import_records(write_jsonl(tmp_path, [*lines, b"bad"], "kept.jsonl"))
    kept.edit_record("r1", item={"edited": True})
    deletion = kept.delete_records("r2")
    copy = workspace.duplicate(kept.id)
    before = (list(kept.iterate()), kept.health, kept.events, kept.history("r1"))
    dataset = lived(workspace, tmp_path)
    workspace.delete(dataset.id)
    assert (list(kept.iterate()), kept.health, kept.events, kept.history("r1")) == before
    assert kept.count(rft.RecordFilter(search="kept")) == 1_199
    assert kept.undo_delete(deletion) == 1
    workspace.delete(kept.id)
    assert len(prompts(copy)) == 1_199
    copy.add_records([chat_line("One more question")])
    assert copy.count() == 1_200


def test_an_emptied_trash_leaves_no_words_in_the_index(sqlite_workspace: rft.Workspace):
    dataset = sqlite_workspace.create("words")
    dataset.add_records([chat_line("A question about zanzibar"), chat_line("A question of tents")])
    assert dataset.records(search="zanzi").total == 1
    dataset.delete_records(dataset.select(rft.RecordFilter(search="zanzibar")))
    assert sqlite_workspace.empty_trash() == 1
    path = sqlite_workspace.url.removeprefix("sqlite:///")
    with sqlite3.connect(path) as raw:
        terms = {row[0] for row in raw.execute("SELECT term FROM search_1_terms")}
    raw.close()
    assert "tents" in terms
    assert "zanzibar" not in terms
    assert dataset.records(search="tent").total == 1
    assert dataset.records(search="zanzi").total == 0
    # A word that comes later is found by processes that knew the old vocabulary.
    dataset.add_records([chat_line("A question about kayaks")])
    assert dataset.records(search="kayak").total == 1


def test_an_empty_trash_holds_nothing(workspace: rft.Workspace, tmp_path: Path):
    dataset = lived(workspace, tmp_path)
    expected = prompts(dataset)
    dataset.discard_unfinished_imports()
    workspace.empty_trash()
    assert prompts(dataset) == expected
    found = rows(workspace)
    assert found["records"] == found["payloads"] == len(expected)
    assert found["record_versions"] == 1
    assert found["deletions"] == 0
    assert found["record_sets"] == 1


def test_the_file_of_a_store_holds_no_deleted_text(tmp_path: Path):
    """What was deleted cannot be read from the free pages of the file either, after a backup."""
    path = tmp_path / "store.db"
    with rft.Workspace(path) as workspace:
        dataset = workspace.create("secret dataset")
        dataset.import_records(write_jsonl(tmp_path, [dump(chat_line("The xylophone is secret"))]))
        assert dataset.count(rft.RecordFilter(search="xylophone")) == 1
        workspace.delete(dataset.id)
        copy = workspace.backup(tmp_path / "copy.db")
    assert b"xylophone" not in copy.read_bytes()
    with sqlite3.connect(copy) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
