"""How records lie in the database: partial indexes, the schema's version, compressed bodies."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from builders import draft

import rft_widgets as rft
from rft_widgets.errors import StoreUnavailable
from rft_widgets.model.message import Message
from rft_widgets.model.record import RecordInput, RecordOutput
from rft_widgets.store import schema
from rft_widgets.store.connection import Store
from rft_widgets.store.payload import Body, decode, encode, input_hash


@contextmanager
def engine_of(url: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    try:
        yield engine
    finally:
        engine.dispose()


# -- migrations -----------------------------------------------------------------------------------


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
