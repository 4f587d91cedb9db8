"""Recorded records that new ones are made from."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from rft_widgets.model.record import Record, Selection
from rft_widgets.store import datasets
from rft_widgets.store.bulk import FEW
from rft_widgets.store.filters import select_seqs
from rft_widgets.store.placements import first_recorded
from rft_widgets.store.records import full_rows, to_records
from rft_widgets.store.schema import records

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

_c = records.c


def first_of_all(store: Store, dataset_id: str, most: int) -> tuple[Record, ...]:
    """The first valid records that were not generated, whatever their topic."""
    with store.read() as connection:
        query = (
            sa.select(_c.seq)
            .where(
                _c.set_id == datasets.live_set(connection, dataset_id),
                # Literals: the database need not count what may be few, and walks by position.
                _c.is_valid == sa.literal_column("1"),
                _c.is_generated == sa.literal_column("0"),
            )
            .order_by(_c.seq)
            .limit(most)
        )
        return _read(store, connection, dataset_id, list(connection.execute(query).scalars()))


def recorded_of(
    store: Store, dataset_id: str, topic: str, *, most: int, seed: str | None
) -> tuple[Record, ...]:
    """Valid records of a topic that were not generated, drawn by chance, in the order of the draw.

    Without a seed the first of them.
    """
    with store.read() as connection:
        set_id = datasets.live_set(connection, dataset_id)
        if seed is None:
            seqs = first_recorded(connection, set_id, topic, most)
        else:
            seqs = _drawn(first_recorded(connection, set_id, topic, None), most, seed)
        return _read(store, connection, dataset_id, seqs)


def selected_of(
    store: Store, dataset_id: str, selection: Selection, topic: str, *, most: int, seed: str
) -> tuple[Record, ...]:
    """Valid records of a selection under a topic, drawn by chance, in the order of the draw."""
    with store.read() as connection:
        set_id = datasets.live_set(connection, dataset_id)
        chosen = select_seqs(store, connection, set_id, selection)
        query = sa.select(_c.seq).where(_c.seq.in_(chosen), _c.is_valid == 1, _c.topic == topic)
        seqs = list(connection.execute(query.order_by(_c.seq)).scalars())
        return _read(store, connection, dataset_id, _drawn(seqs, most, seed))


def ids_and_rows(connection: Connection, dataset_id: str) -> tuple[list[str], list[int]]:
    """Ids and row numbers of the valid records, in order of position."""
    rows = connection.execute(
        sa.select(_c.id, _c.seq)
        .where(_c.set_id == datasets.live_set(connection, dataset_id), _c.is_valid == 1)
        .order_by(_c.seq)
    ).all()
    return [row.id for row in rows], [row.seq for row in rows]


def by_ids(store: Store, dataset_id: str, ids: Sequence[str]) -> dict[str, Record]:
    """Records by id; those that are gone are left out."""
    found: dict[str, Record] = {}
    with store.read() as connection:
        set_id = datasets.live_set(connection, dataset_id)
        for start in range(0, len(ids), FEW):
            some = sa.select(_c.seq).where(_c.set_id == set_id, _c.id.in_(ids[start : start + FEW]))
            rows = connection.execute(full_rows(some)).all()
            found |= {one.id: one for one in to_records(store, connection, dataset_id, rows)}
    return found


def _drawn(seqs: Sequence[int], most: int, seed: str) -> list[int]:
    drawn = list(seqs)
    random.Random(seed).shuffle(drawn)  # noqa: S311 - a choice, no secret
    return drawn[:most]


def _read(
    store: Store, connection: Connection, dataset_id: str, seqs: Sequence[int]
) -> tuple[Record, ...]:
    found: dict[int, Record] = {}
    for start in range(0, len(seqs), FEW):
        some: sa.Select[Any] = sa.select(_c.seq).where(_c.seq.in_(seqs[start : start + FEW]))
        rows = connection.execute(full_rows(some)).all()
        made = to_records(store, connection, dataset_id, rows)
        found |= {row.seq: one for row, one in zip(rows, made, strict=True)}
    return tuple(found[seq] for seq in seqs if seq in found)
