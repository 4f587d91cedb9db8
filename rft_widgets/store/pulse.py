"""What tells that something is another than before, of all datasets of a store at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from contextlib import suppress
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from rft_widgets.store import activity
from rft_widgets.store.schema import datasets, events, jobs, training_jobs

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store


def read_all(connection: Connection) -> dict[str, Hashable]:
    """Of each dataset a value: while it stays the same, its pipeline and its statistics do.

    Every operation counts the dataset's revision or is logged; what a running step or a training
    tells of its progress is neither.
    """
    found: defaultdict[str, list[Hashable]] = defaultdict(list)
    newest_event = sa.select(sa.func.max(events.c.seq)).where(events.c.dataset_id == datasets.c.id)
    last_heard = sa.select(sa.func.max(training_jobs.c.updated_us)).where(
        training_jobs.c.dataset_id == datasets.c.id
    )
    query = sa.select(
        datasets.c.id,
        datasets.c.revision,
        newest_event.scalar_subquery(),
        last_heard.scalar_subquery(),
    )
    for dataset_id, *values in connection.execute(query):
        found[dataset_id] += values
    for dataset_id, at_work in activity.read_all(connection).items():
        found[dataset_id] += at_work
    return {dataset_id: tuple(values) for dataset_id, values in found.items()}


class FileChanges:
    """A number that is another one after each commit to a SQLite file, whoever makes it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._raw: sa.PoolProxiedConnection | None = None

    def read(self) -> Hashable:
        """Ask for the number now: microseconds."""
        # The pragma tells of the commits of every *other* connection: it needs one of its own.
        if self._raw is None:
            self._raw = self._store.engine.raw_connection()
        cursor = self._raw.cursor()
        try:
            cursor.execute("PRAGMA data_version")
            return tuple(cursor.fetchone() or ())
        finally:
            cursor.close()

    def close(self) -> None:
        """Give the connection back; the next number is asked for over another one."""
        if self._raw is not None:
            with suppress(Exception):
                self._raw.close()
            self._raw = None


class Pulse:
    """A value that is another one after each change of a store, cheap to ask for often."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._file = FileChanges(store)

    def read(self) -> Hashable:
        """Ask for the value now."""
        if self._store.is_sqlite:
            return self._file.read()
        ended = sa.select(sa.func.count(), sa.func.max(jobs.c.finished_us))
        at_work = sa.select(jobs.c.id, jobs.c.status, jobs.c.share, jobs.c.doing).where(
            jobs.c.finished_us.is_(None)
        )
        with self._store.read() as connection:
            return (
                tuple(sorted(read_all(connection).items())),
                *(tuple(map(tuple, connection.execute(query))) for query in (ended, at_work)),
            )

    def close(self) -> None:
        """Give the connection back."""
        self._file.close()
