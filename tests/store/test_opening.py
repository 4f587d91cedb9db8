"""Opening a store: its tables, its version, where it may lie, and copies of it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from builders import chat_line, prompts, write_jsonl

import rft_widgets as rft
from rft_widgets.errors import StoreUnavailable
from rft_widgets.model.settings import STORE
from rft_widgets.store.connection import refuse_network_drive
from rft_widgets.store.schema import metadata

OPEN = """
    import sys
    import rft_widgets as rft
    print("ready", flush=True)
    sys.stdin.readline()
    with rft.Workspace(sys.argv[1]) as ws:
        ds = ws.create("by " + sys.argv[2])
        message = {"role": "user", "content": "A question of " + sys.argv[2]}
        ds.add_records([{"messages": [message]}])
        print(ds.count(), ds.records(search="question").total)
"""


@pytest.mark.slow
def test_eight_processes_open_a_new_store_at_once(store_url: str):
    started = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(OPEN), store_url, f"process {n}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for n in range(8)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in started:
        out, err = process.communicate(timeout=60)
        assert (out, err, process.returncode) == ("1 1\n", "", 0)
    with rft.Workspace(store_url) as workspace:
        names = {dataset.name for dataset in workspace.datasets()}
        assert names == {f"by process {n}" for n in range(8)}


def test_migrations_make_the_tables_that_queries_expect(workspace: rft.Workspace):
    dataset = workspace.create("searched")
    dataset.add_records([chat_line("The question")])
    dataset.records(search="question")

    def ours(thing: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
        # The full-text tables are made by the search, the trigram index is one of PostgreSQL's own.
        table = name if kind == "table" else getattr(getattr(thing, "table", None), "name", "")
        return not (str(table).startswith("search_") and kind == "table" and other is None) and (
            name != "search_texts_trigrams"
        )

    with workspace._store.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"compare_type": True, "compare_server_default": True, "include_object": ours},
        )
        assert compare_metadata(context, metadata) == []


def test_a_store_of_a_newer_version_is_refused(store_url: str):
    with rft.Workspace(store_url) as workspace:
        workspace.create("kept")
        with workspace._store.engine.begin() as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreUnavailable, match="newer") as info:
        rft.Workspace(store_url)
    assert "9999" in str(info.value)
    engine = sa.create_engine(store_url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT name FROM datasets")).scalars().all() == ["kept"]
    engine.dispose()


def test_opening_again_changes_nothing(tmp_path: Path):
    path = tmp_path / "store.db"
    with rft.Workspace(path) as workspace:
        workspace.create("kept")
    with sqlite3.connect(path) as connection:
        before = connection.execute("PRAGMA schema_version").fetchone()
    connection.close()
    for url in (path, str(path), f"sqlite:///{path}"):
        with rft.Workspace(url) as workspace:
            assert [dataset.name for dataset in workspace.datasets()] == ["kept"]
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA schema_version").fetchone() == before
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


@pytest.mark.parametrize(
    ("mounts", "refused"),
    [
        ("/dev/sda1 / ext4 rw 0 0", False),
        ("/dev/sda1 / ext4 rw 0 0\nserver:/home {tmp} nfs4 rw 0 0", True),
        ("server:/ / nfs rw 0 0", True),
        ("server:/ / nfs rw 0 0\n/dev/sdb1 {tmp} ext4 rw 0 0", False),
        ("//server/share {tmp} cifs rw 0 0", True),
        ("user@server: {tmp}/store fuse.sshfs rw 0 0", True),
        ("server:/x {tmp}/other nfs rw 0 0\n/dev/sda1 / ext4 rw 0 0", False),
        ("server:/x {tmp}/sto nfs rw 0 0\n/dev/sda1 / ext4 rw 0 0", False),
        ("share {tmp} 9p rw 0 0", True),
        ("overlay / overlay rw 0 0\ntmpfs /tmp tmpfs rw 0 0", False),
        # The later mount hides the earlier one at the same place.
        ("server:/x {tmp} nfs rw 0 0\n/dev/sdb1 {tmp} ext4 rw 0 0", False),
        ("/dev/sdb1 {tmp} ext4 rw 0 0\nserver:/x {tmp} nfs rw 0 0", True),
        ("server:/my\\040files {tmp} nfs rw 0 0\n\nbroken line", True),
        ("", False),
    ],
)
def test_network_drives_are_refused(tmp_path: Path, mounts: str, refused: bool):
    table = tmp_path / "mounts"
    table.write_text(mounts.format(tmp=tmp_path))
    path = tmp_path / "store" / "rft.db"
    path.parent.mkdir()
    if not refused:
        refuse_network_drive(path, table)
        return
    with pytest.raises(StoreUnavailable, match="network drive") as info:
        refuse_network_drive(path, table)
    assert "PostgreSQL" in str(info.value)


@pytest.mark.parametrize(
    ("folder", "written"),
    [
        ("with space", "with\\040space"),
        ("tab\there", "tab\\011here"),
        ("back\\slash", "back\\134slash"),
    ],
)
def test_network_drives_with_odd_names_are_refused(tmp_path: Path, folder: str, written: str):
    table = tmp_path / "mounts"
    table.write_text(f"/dev/sda1 / ext4 rw 0 0\nserver:/x {tmp_path}/{written} nfs rw 0 0\n")
    (tmp_path / folder).mkdir()
    with pytest.raises(StoreUnavailable, match="network drive"):
        refuse_network_drive(tmp_path / folder / "rft.db", table)


def test_a_link_to_a_network_drive_is_refused(tmp_path: Path):
    table = tmp_path / "mounts"
    table.write_text(f"/dev/sda1 / ext4 rw 0 0\nserver:/x {tmp_path}/far nfs rw 0 0\n")
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "rft.db").touch()
    (tmp_path / "near").symlink_to(tmp_path / "far")
    (tmp_path / "link.db").symlink_to(tmp_path / "far" / "rft.db")
    for path in (tmp_path / "near" / "rft.db", tmp_path / "link.db"):
        with pytest.raises(StoreUnavailable, match="network drive"):
            refuse_network_drive(path, table)
    refuse_network_drive(tmp_path / "here.db", tmp_path / "no such file")


def test_a_backup_while_others_write(tmp_path: Path):
    lines = [chat_line(f"Question number {n}", "An answer " * 20) for n in range(8_000)]
    path = write_jsonl(tmp_path, lines)
    with rft.Workspace(tmp_path / "store.db") as workspace:
        dataset = workspace.create("growing")
        started = threading.Event()
        failures: list[BaseException] = []

        def write() -> None:
            try:
                dataset.import_records(path, progress=lambda _: started.set())
            except BaseException as error:  # it must reach the test's own thread
                failures.append(error)

        writer = threading.Thread(target=write)
        writer.start()
        assert started.wait(60)
        copies = [workspace.backup(tmp_path / f"copy{n}.db") for n in range(3)]
        writer.join()
        assert failures == []
        assert dataset.count() == 8_000
        expected = prompts(dataset)
    for copy in copies:
        with sqlite3.connect(copy) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()
        with rft.Workspace(copy) as workspace:
            (saved,) = workspace.datasets()
            found = prompts(saved)
            assert found
            assert len(found) % STORE.batch_records == 0
            assert found == expected[: len(found)]
            assert saved.records(search="number").total == len(found)
