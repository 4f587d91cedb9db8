"""The schema: made by migrations, the same on each database, opened by many, never downgraded."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

import rft_widgets as rft
from rft_widgets.errors import StoreUnavailable
from rft_widgets.model.message import Message
from rft_widgets.model.record import RecordInput, RecordOutput
from rft_widgets.store import schema
from rft_widgets.store.connection import Store, refuse_network_drive
from rft_widgets.store.payload import Body, decode, encode, input_hash
from tests.builders import draft


@contextmanager
def engine_of(url: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    try:
        yield engine
    finally:
        engine.dispose()


# -- migrations -----------------------------------------------------------------------------------


def test_migrations_make_what_the_queries_are_written_against(
    workspace: rft.Workspace, store_url: str
):
    dataset = workspace.create("Searched")
    dataset.add_records([draft("A question that is long enough")])
    assert dataset.records(search="question").total == 1

    def ours(item: Any, name: str | None, kind: str, reflected: bool, _: Any) -> bool:
        # The full-text tables of SQLite and the trigram index of PostgreSQL are made by hand.
        return not (reflected and kind in ("table", "index") and str(name).startswith("search_"))

    with engine_of(store_url) as engine, engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"compare_type": True, "compare_server_default": True, "include_object": ours},
        )
        assert compare_metadata(context, schema.metadata) == []
        found = {index["name"]: index for index in sa.inspect(engine).get_indexes("records")}
        assert set(found) == {index.name for index in schema.metadata.tables["records"].indexes}
        if engine.dialect.name == "postgresql":
            texts = sa.inspect(engine).get_indexes("search_texts")
            assert [index["name"] for index in texts] == ["search_texts_trigrams"]
            assert texts[0]["dialect_options"]["postgresql_using"] == "gin"


def test_partial_indexes_hold_few_rows_only(workspace: rft.Workspace, store_url: str):
    wanted = {
        "records_span": "span_id IS NOT NULL",
        "records_score": "score IS NOT NULL",
        "records_invalid": "is_valid = 0",
        "records_generated": "is_generated = 1",
        "issues_refused": "seq IS NULL",
    }
    with engine_of(store_url) as engine, engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            rows = connection.execute(
                sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'index'")
            )
        else:
            rows = connection.execute(sa.text("SELECT indexname, indexdef FROM pg_indexes"))
        made = {name: str(text).replace("(", "").replace(")", "") for name, text in rows}
    assert {name: made[name].partition(" WHERE ")[2] for name in wanted} == wanted


def test_the_version_is_that_of_the_newest_migration(workspace: rft.Workspace, store_url: str):
    folder = Path(schema.__file__).parent / "migrations"
    assert ScriptDirectory(str(folder)).get_heads() == [schema.HEAD]
    with engine_of(store_url) as engine, engine.connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == schema.HEAD


def test_opening_again_changes_nothing(workspace: rft.Workspace, store_url: str):
    dataset = workspace.create("Kept")
    with rft.Workspace(store_url) as again:
        assert [one.id for one in again.datasets()] == [dataset.id]


def test_a_store_of_a_newer_version_is_refused_in_words(store_url: str):
    with rft.Workspace(store_url) as workspace:
        workspace.create("Kept")
    with engine_of(store_url) as engine:
        for version in ("9999", schema.HEAD):
            with engine.begin() as connection:
                connection.execute(
                    sa.text("UPDATE alembic_version SET version_num = :version"),
                    {"version": version},
                )
            if version != schema.HEAD:
                with pytest.raises(StoreUnavailable) as caught:
                    rft.Workspace(store_url)
                assert "schema version 9999, newer than this package" in str(caught.value)
                assert "Update rft-widgets" in str(caught.value)
    with rft.Workspace(store_url) as workspace:
        assert [dataset.name for dataset in workspace.datasets()] == ["Kept"]


OPEN = """
import sys, time, pathlib
import rft_widgets as rft, alembic.command
url, name, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
(folder / name).touch()
while not (folder / "go").exists():
    time.sleep(0.005)
with rft.Workspace(url) as workspace:
    workspace.create(name)
    assert len(workspace.datasets()) >= 1
"""


def test_eight_processes_open_a_new_store_at_once(store_url: str, tmp_path: Path):
    folder = tmp_path / "ready"
    folder.mkdir()
    names = [f"p{n}" for n in range(8)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", OPEN, store_url, name, str(folder)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    try:
        deadline = time.monotonic() + 120
        while len(list(folder.iterdir())) < len(names) and time.monotonic() < deadline:
            time.sleep(0.01)
        (folder / "go").touch()
        for process in processes:
            _, text = process.communicate(timeout=120)
            assert process.returncode == 0, text
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.communicate()
    with rft.Workspace(store_url) as workspace:
        assert sorted(dataset.name for dataset in workspace.datasets()) == names


# -- where a SQLite file may lie ------------------------------------------------------------------

LOCAL = """\
sysfs /sys sysfs rw,nosuid 0 0
/dev/sda1 / ext4 rw,relatime 0 0
tmpfs /tmp tmpfs rw 0 0
broken
"""


def mounts_file(folder: Path, *lines: str) -> Path:
    path = folder / "mounts"
    path.write_text(LOCAL + "".join(f"{line}\n" for line in lines))
    return path


def escaped(path: Path) -> str:
    """A path as the kernel writes it: white space and backslashes as octal numbers."""
    return "".join(f"\\{ord(c):03o}" if c in " \t\n\\" else c for c in str(path))


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph"])
def test_a_network_drive_is_refused(tmp_path: Path, kind: str):
    share = tmp_path / "share"
    share.mkdir()
    mounts = mounts_file(tmp_path, f"server:/export {escaped(share)} {kind} rw,vers=4 0 0")
    with pytest.raises(StoreUnavailable) as caught:
        refuse_network_drive(share / "store.db", mounts=mounts)
    assert f"network drive ({kind} at {share})" in str(caught.value)
    assert "RFT_WIDGETS_DATABASE_URL" in str(caught.value)
    refuse_network_drive(tmp_path / "store.db", mounts=mounts)
    refuse_network_drive(tmp_path / "share2" / "store.db", mounts=mounts)


def test_the_innermost_mount_counts(tmp_path: Path):
    inner = tmp_path / "share" / "disk"
    inner.mkdir(parents=True)
    mounts = mounts_file(
        tmp_path,
        f"/dev/sdb1 {escaped(inner)} xfs rw 0 0",
        f"server:/export {escaped(inner.parent)} nfs4 rw 0 0",
    )
    refuse_network_drive(inner / "store.db", mounts=mounts)
    with pytest.raises(StoreUnavailable):
        refuse_network_drive(inner.parent / "store.db", mounts=mounts)
    over = mounts_file(
        tmp_path,
        f"/dev/sdb1 {escaped(inner)} xfs rw 0 0",
        f"server:/export {escaped(inner)} nfs4 rw 0 0",
    )
    with pytest.raises(StoreUnavailable):  # what was mounted last covers the others
        refuse_network_drive(inner / "store.db", mounts=over)


def test_links_and_odd_names_of_network_drives(tmp_path: Path):
    share = tmp_path / "my share\twith\\things"
    share.mkdir()
    (tmp_path / "link").symlink_to(share)
    mounts = mounts_file(tmp_path, f"//server/x {escaped(share)} cifs rw 0 0")
    for path in (share / "store.db", tmp_path / "link" / "store.db", share / "sub" / "store.db"):
        with pytest.raises(StoreUnavailable, match="cifs"):
            refuse_network_drive(path, mounts=mounts)


def test_a_file_that_links_to_a_network_drive(tmp_path: Path):
    share = tmp_path / "share"
    share.mkdir()
    (tmp_path / "store.db").symlink_to(share / "store.db")
    mounts = mounts_file(tmp_path, f"server:/export {escaped(share)} nfs rw 0 0")
    with pytest.raises(StoreUnavailable, match="nfs"):
        refuse_network_drive(tmp_path / "store.db", mounts=mounts)


def test_systems_without_a_list_of_mounts(tmp_path: Path):
    refuse_network_drive(tmp_path / "store.db", mounts=tmp_path / "none")


# -- bodies ---------------------------------------------------------------------------------------


def bodies(count: int) -> list[Body]:
    chance = random.Random(count)
    words = ["refund", "Zürich", "退款", "😡", 'quo"te', "back\\slash", "line\nend", "\u2028", ""]
    return [
        Body(
            RecordInput((Message("user", " ".join(chance.choices(words, k=30))),)),
            RecordOutput((Message("assistant", f"Answer {n}"),), "stop" if n % 2 else None),
            {"n": n, "float": n / 7, "nested": {"list": [None, True, 2**53 + n, "ü"]}},
            {} if n % 3 else {"model": f"m{n}"},
        )
        for n in range(count)
    ]


def test_bodies_come_back_from_bytes(sqlite_workspace: rft.Workspace):
    store = sqlite_workspace._store
    some = [*bodies(300), Body(RecordInput()), Body(RecordInput((Message("user", "x" * 10**6),)))]
    with store.write() as connection:
        key = store.codec.train(connection, [encode(body) for body in some])
    assert key
    with reopened(store) as fresh:
        for body in some:
            data = encode(body)
            assert decode(data) == body
            plain = store.codec.compress(data, None)
            short = store.codec.compress(data, key)
            for codec in (store.codec, fresh.codec):
                assert codec.decompress(plain) == codec.decompress(short) == data
                assert codec.body(plain) == codec.body(short) == body
    small = encode(some[7])
    assert len(store.codec.compress(small, key)) < len(store.codec.compress(small, None)) / 2


@contextmanager
def reopened(store: Store) -> Iterator[Store]:
    fresh = Store(store.path)
    try:
        yield fresh
    finally:
        fresh.close()


def test_a_dictionary_needs_enough_samples(sqlite_workspace: rft.Workspace):
    store = sqlite_workspace._store
    for samples in ([], [b"few"] * 10, [b""] * 500):
        with store.write() as connection:
            assert store.codec.train(connection, samples) is None


def test_a_missing_dictionary_is_said_in_words(sqlite_workspace: rft.Workspace):
    dataset = sqlite_workspace.create("Broken")
    dataset.add_records(
        draft(f"Question {n} about {'refund parcel'[n % 9 :]}", id=f"r{n}") for n in range(400)
    )
    store = sqlite_workspace._store
    with store.write() as connection:
        assert connection.execute(sa.text("DELETE FROM dictionaries")).rowcount == 1
    with reopened(store) as fresh:
        again = rft.OptimizationDataset(fresh, dataset.id)
        with pytest.raises(StoreUnavailable, match="lacks the compression dictionary"):
            again.record("r7")


def test_records_of_every_dictionary_are_read_after_a_copy_and_a_replace(
    workspace: rft.Workspace, store_url: str
):
    dataset = workspace.create("Mixed")
    texts = {}
    for size, word in ((50, "few"), (400, "trained"), (300, "later")):
        chance = random.Random(size)
        made = {
            f"{word}{n}": f"{word} {n} " + " ".join(f"w{chance.randint(0, 99)}" for _ in range(20))
            for n in range(size)
        }
        dataset.add_records(draft(text, id=name) for name, text in made.items())
        texts |= made
    copy = workspace.duplicate(dataset.id)
    dataset.add_records([draft("Replaced by this", id="new")], mode="replace")
    with rft.Workspace(store_url) as other:
        found = {r.id: r.input.messages[0].text for r in other.dataset(copy.id).iterate()}
    assert found == texts


def test_equal_inputs_have_equal_hashes():
    """Key order does not matter, everything else does."""
    one = RecordInput((Message("user", ({"type": "text", "text": "a"},)),))
    same = RecordInput((Message("user", ({"text": "a", "type": "text"},)),))
    assert input_hash(one) == input_hash(same)
    others = [
        RecordInput((Message("user", "a"),)),
        RecordInput((Message("user", "A"),)),
        RecordInput((Message("system", "a"),)),
        RecordInput((Message("user", "a"), Message("user", "a"))),
        RecordInput((Message("user", "a", name="x"),)),
        RecordInput((Message("user", "a"),), tool_choice="auto"),
        one,
    ]
    hashes = [input_hash(other) for other in others]
    assert len(set(hashes)) == len(others)
    assert all(-(2**63) <= value < 2**63 for value in hashes)
