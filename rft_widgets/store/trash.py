"""Deleting records, bringing them back, and erasing them for good."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from rft_widgets.errors import InvalidArgument, NotFound
from rft_widgets.model.record import Deletion, Selection
from rft_widgets.store import datasets, history, search
from rft_widgets.store.clock import now_us, to_datetime
from rft_widgets.store.filters import make_searchable, select_seqs
from rft_widgets.store.inserts import reserve
from rft_widgets.store.schema import (
    deletions,
    dictionaries,
    imports,
    issues,
    payloads,
    record_sets,
    record_versions,
    records,
)
from rft_widgets.store.texts import can_hold
from rft_widgets.store.validity import keys_of, refresh_duplicates

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

_PURGE_ROWS = 5_000


def delete(store: Store, dataset_id: str, selection: Selection) -> Deletion:
    """Move the records of a selection to the trash, from where `undo` brings them back."""
    make_searchable(store, dataset_id, selection.where)
    with store.write(durable=True) as connection:
        set_id = datasets.live_set(connection, dataset_id, keep=True)
        # What leaves is indexed already, so that it can come back without an index to mend.
        search.index_within(store, connection, set_id)
        chosen = select_seqs(store, connection, set_id, selection)
        trash = datasets.create_set(connection, dataset_id, "trash")
        moved = connection.execute(
            records.update().where(records.c.seq.in_(chosen)).values(set_id=trash)
        ).rowcount
        _depart(connection, set_id, moved)
        refresh_duplicates(connection, dataset_id, set_id, keys_of(connection, trash))
        key, now = f"del_{secrets.token_hex(6)}", now_us()
        connection.execute(
            deletions.insert().values(
                id=key,
                dataset_id=dataset_id,
                set_id=set_id,
                trash_id=trash,
                count=moved,
                deleted_us=now,
            )
        )
        datasets.touch(connection, dataset_id)
        history.log(
            connection,
            dataset_id,
            "delete_records",
            {"selection": msgspec.to_builtins(selection), "count": moved, "deletion": key},
        )
    return Deletion(id=key, dataset_id=dataset_id, count=moved, deleted_at=to_datetime(now))


def undo(store: Store, dataset_id: str, deletion_id: str) -> int:
    """Bring deleted records back to their old places; returns how many.

    Raises
    ------
    NotFound
        If there is no such deletion, or it was undone or purged already.
    InvalidArgument
        If all records were replaced since, or an id that a record had is used by another now.
    """
    with store.write(durable=True) as connection:
        set_id = datasets.live_set(connection, dataset_id, keep=True)
        row = None
        if can_hold(deletion_id):
            row = connection.execute(
                sa.select(deletions).where(
                    deletions.c.id == deletion_id, deletions.c.dataset_id == dataset_id
                )
            ).one_or_none()
        if row is None:
            raise NotFound(
                f"There is no deletion {deletion_id!r} to undo.",
                hint="It was undone already, or the trash was emptied.",
            )
        if row.set_id != set_id:
            raise InvalidArgument(
                f"The {row.count:,} deleted records belong to data that was replaced since.",
                hint="Import the file they came from again.",
            )
        gone = records.alias("gone")
        clash = connection.execute(
            sa.select(records.c.id)
            .join(gone, sa.and_(gone.c.id == records.c.id, gone.c.set_id == row.trash_id))
            .where(records.c.set_id == set_id)
            .limit(1)
        ).scalar()
        if clash is not None:
            raise InvalidArgument(
                f"The id {clash!r} of a deleted record is used by another one now.",
                hint="Delete that one first.",
            )
        keys = keys_of(connection, row.trash_id)
        back = connection.execute(
            records.update().where(records.c.set_id == row.trash_id).values(set_id=set_id)
        ).rowcount
        _depart(connection, set_id, -back)
        refresh_duplicates(connection, dataset_id, set_id, keys)
        connection.execute(deletions.delete().where(deletions.c.id == deletion_id))
        connection.execute(record_sets.delete().where(record_sets.c.id == row.trash_id))
        datasets.touch(connection, dataset_id)
        history.log(connection, dataset_id, "undo_delete", {"deletion": deletion_id, "count": back})
        return back


def purge(store: Store, set_ids: Iterable[int]) -> int:
    """Erase the records of sets that nobody can see any more, a few thousand a transaction."""
    erased = 0
    for set_id in set_ids:
        with store.write() as connection:
            search.drop_index(store, connection, set_id)
        while True:
            with store.write() as connection:
                some = (
                    sa.select(records.c.seq)
                    .where(records.c.set_id == set_id)
                    .order_by(records.c.seq)
                    .limit(_PURGE_ROWS)
                )
                for table in (payloads, issues, record_versions):
                    connection.execute(table.delete().where(table.c.seq.in_(some)))
                gone = connection.execute(records.delete().where(records.c.seq.in_(some))).rowcount
                erased += gone
                if gone < _PURGE_ROWS:
                    owned = sa.select(imports.c.id).where(imports.c.set_id == set_id)
                    connection.execute(
                        issues.delete().where(issues.c.seq.is_(None), issues.c.import_id.in_(owned))
                    )
                    connection.execute(deletions.delete().where(deletions.c.trash_id == set_id))
                    connection.execute(record_sets.delete().where(record_sets.c.id == set_id))
                    break
    _forget_dictionaries(store)
    return erased


def _forget_dictionaries(store: Store) -> None:
    """Erase compression dictionaries that no set uses: they hold pieces of deleted texts."""
    used = sa.select(record_sets.c.dictionary_id).where(record_sets.c.dictionary_id.is_not(None))
    with store.write() as connection:
        reserve(connection, 0)  # nobody starts to use one meanwhile
        connection.execute(dictionaries.delete().where(dictionaries.c.id.not_in(used)))


def _depart(connection: Connection, set_id: int, count: int) -> None:
    connection.execute(
        record_sets.update()
        .where(record_sets.c.id == set_id)
        .values(departed=record_sets.c.departed + count)
    )
