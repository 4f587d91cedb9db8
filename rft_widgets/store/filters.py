"""Which records: filters and selections as SQL."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Connection

from rft_widgets.model.record import RecordFilter, Selection
from rft_widgets.model.settings import TOPICS
from rft_widgets.model.topic import SEPARATOR
from rft_widgets.store import search
from rft_widgets.store.clock import now_us
from rft_widgets.store.datasets import set_and_revision
from rft_widgets.store.schema import (
    dry_run_answers,
    imports,
    issues,
    payloads,
    records,
    search_texts,
)
from rft_widgets.store.texts import can_hold

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

_LOADING_FOR_US = 30_000_000  # an import that wrote nothing for so long will not index either


def select_seqs(
    store: Store, connection: Connection, set_id: int, selection: Selection
) -> sa.Select[Any]:
    """Build the query of the row numbers of a selection."""
    if selection.where is None and not selection.ids:
        chosen: list[sa.ColumnElement[bool]] = [sa.false()]
    else:
        where = selection.where or RecordFilter()
        chosen = Source(store, connection, set_id, where).conditions(driven_by_search=False)
    if selection.ids:
        chosen.append(records.c.id.in_(_listed(store, selection.ids)))
    if selection.except_ids:
        listed = _listed(store, selection.except_ids)
        if store.is_sqlite:
            chosen.append(records.c.id.not_in(listed))
        else:
            # Above some ten thousand ids PostgreSQL walks the whole list of a NOT IN for each row.
            names = listed.subquery()
            chosen.append(~sa.exists().where(names.c[0] == records.c.id))
    if selection.also_ids:
        also = records.c.id.in_(_listed(store, selection.also_ids))
        chosen = [records.c.set_id == set_id, sa.or_(sa.and_(*chosen), also)]
    return sa.select(records.c.seq).where(*chosen)


def count_topics(
    store: Store, connection: Connection, set_id: int, selection: Selection
) -> dict[str, int]:
    """Count the valid records of a selection by topic; those without one are left out."""
    chosen = select_seqs(store, connection, set_id, selection)
    rows = connection.execute(
        sa.select(records.c.topic, sa.func.count().label("n"))
        .where(records.c.seq.in_(chosen), records.c.is_valid == 1, records.c.topic.is_not(None))
        .group_by(records.c.topic)
    )
    return {row.topic: row.n for row in rows}


def make_searchable(store: Store, dataset_id: str, where: RecordFilter | None) -> None:
    """Index what is not indexed yet, so that a search misses no record."""
    if where is not None and where.search.strip():
        with store.read() as connection:
            set_id, _ = set_and_revision(connection, dataset_id)
        search.index_pending(store, set_id)


def is_searchable(store: Store, dataset_id: str, where: RecordFilter) -> bool:
    """Whether a search will see every record; what is pending is indexed first.

    Not so beside a load that is far ahead or writes just now: it indexes at its end, and a reader
    that did it in its place would make both wait.
    """
    if not where.search.strip():
        return True
    with store.read() as connection:
        set_id, _ = set_and_revision(connection, dataset_id)
        if search.is_current(connection, set_id):
            return True
        loading = connection.execute(
            sa.select(imports.c.id).where(
                imports.c.set_id == set_id, imports.c.updated_us > now_us() - _LOADING_FOR_US
            )
        ).first()
        if loading and search.is_far_behind(connection, set_id):
            return False
    if loading:
        return search.index_if_free(store, set_id)
    search.index_pending(store, set_id)
    return True


class Source:
    """The records of one set that match one filter, as SQL."""

    def __init__(
        self, store: Store, connection: Connection, set_id: int, where: RecordFilter
    ) -> None:
        self.store = store
        self.connection = connection
        self.set_id = set_id
        self.where = where
        self.query: search.Query | None = None
        if where.search.strip() and store.is_sqlite:
            self.query = search.prepare(store, connection, set_id, where.search)
        self.is_common = False
        """Whether a search has so many matches that they are not worth listing."""
        name = search.table_name(set_id)
        self.index = sa.table(name, sa.column("rowid", sa.Integer), sa.column(name))

    @property
    def is_driven(self) -> bool:
        """Whether the full-text table can name the rows."""
        return self.query is not None and bool(self.query.match)

    @property
    def is_verified(self) -> bool:
        """Whether matches must be checked against their text."""
        return self.query is not None and bool(self.query.verify)

    def from_index(self) -> sa.Join:
        """The full-text table with the record of each of its rows."""
        # The plus makes SQLite look up records for matches. Without it, it may take record by
        # record and ask the full-text table each time whether that one matches.
        rowid: sa.ColumnElement[int] = sa.literal_column(f"+{self.index.name}.rowid")
        return self.index.join(records, records.c.seq == rowid)

    def matches_index(self) -> sa.ColumnElement[bool]:
        """The condition on the full-text table."""
        assert self.query is not None  # noqa: S101 - callers look at `query` first
        return self.index.c[self.index.name].op("MATCH")(self.query.match)

    def conditions(self, *, driven_by_search: bool) -> list[sa.ColumnElement[bool]]:
        """All conditions on `records`; the index's own is left out when a join brings it."""
        c, where = records.c, self.where
        if not (can_hold(where.search) and can_hold(where.topic or "")):
            return [sa.false()]
        found: list[sa.ColumnElement[bool]] = [c.set_id == self.set_id]
        if where.topic is not None:
            found.append(self._under(where.topic))
        if where.uncategorized is not None:
            found.append(c.topic.is_(None) if where.uncategorized else c.topic.is_not(None))
        # Literals, not parameters: only so does SQLite see that a partial index fits.
        if where.valid is not None:
            found.append(c.is_valid == sa.literal_column("1" if where.valid else "0"))
        if where.source != "all":
            generated = where.source == "generated"
            found.append(c.is_generated == sa.literal_column("1" if generated else "0"))
        if where.dry_run is not None:
            scored = _scored_in(self.connection, where.dry_run, where)
            found.append(c.id.in_(_listed(self.store, scored)))
        else:
            if where.min_score is not None:
                found.append(c.score >= where.min_score)
            if where.max_score is not None:
                found.append(c.score <= where.max_score)
        if where.low_confidence:
            found.append(c.topic_confidence < TOPICS.low_confidence)
        if where.ids:
            found.append(c.id.in_(_listed(self.store, where.ids)))
        if where.code is not None:
            found.append(c.is_valid == sa.literal_column("0"))
            found.append(sa.exists().where(issues.c.seq == c.seq, issues.c.code == where.code))
        found += self._search_conditions(driven_by_search=driven_by_search)
        return found

    def _under(self, path: str) -> sa.ColumnElement[bool]:
        """Records of a topic; where it has none itself, those of the topics below it."""
        c = records.c
        itself = c.topic == path
        labels = sa.select(c.topic).where(c.set_id == self.set_id)
        if self.connection.execute(labels.where(itself).limit(1)).first() is not None:
            return itself
        by_bytes = c.topic if self.store.is_sqlite else c.topic.collate("C")
        first, beyond = f"{path}{SEPARATOR}", f"{path}{chr(ord(SEPARATOR) + 1)}"
        inside = labels.where(by_bytes > first, by_bytes < beyond).distinct()
        below = list(self.connection.execute(inside).scalars())
        return c.topic.in_(below) if below else itself

    def _search_conditions(self, *, driven_by_search: bool) -> list[sa.ColumnElement[bool]]:
        c = records.c
        if not self.where.search.strip():
            return []
        if not self.store.is_sqlite:
            text = search_texts.c.text
            return [
                c.seq.in_(
                    sa.select(search_texts.c.seq).where(
                        *(
                            text.contains(n, autoescape=True)
                            for n in search.needles(self.where.search)
                        )
                    )
                )
            ]
        assert self.query is not None  # noqa: S101 - made in __init__ for SQLite
        if self.query.nothing:
            return [sa.false()]
        found: list[sa.ColumnElement[bool]] = []
        if self.query.match and not driven_by_search:
            found.append(c.seq.in_(sa.select(self.index.c.rowid).where(self.matches_index())))
        for needle in self.query.verify:
            body = (
                sa.select(payloads.c.data).where(payloads.c.seq == c.seq).correlate(records)
            ).scalar_subquery()
            found.append(getattr(sa.func, search.CONTAINS)(body, needle) == 1)
        return found


class _Scored(Struct):
    record_id: str
    reward: float | None = None


def _scored_in(connection: Connection, run_id: str, where: RecordFilter) -> tuple[str, ...]:
    """Ids of the records with a score of a dry run within the bounds.

    Read here and not by the database: its JSON functions need not read numbers as we wrote them.
    """
    low = -math.inf if where.min_score is None else where.min_score
    high = math.inf if where.max_score is None else where.max_score
    rows = connection.execute(
        sa.select(dry_run_answers.c.data).where(dry_run_answers.c.run_id == run_id)
    ).scalars()
    answers = (msgspec.json.decode(row, type=_Scored) for row in rows)
    return tuple(
        one.record_id for one in answers if one.reward is not None and low <= one.reward <= high
    )


def _listed(store: Store, ids: tuple[str, ...]) -> sa.Select[Any]:
    """Ids as rows of one parameter: databases take only some ten thousand parameters."""
    ids = tuple(filter(can_hold, ids))
    if store.is_sqlite:
        array = msgspec.json.encode(ids).decode()
        return sa.select(sa.func.json_each(array).table_valued("value").c.value)
    return sa.select(sa.func.unnest(sa.cast(list(ids), ARRAY(sa.Text))).column_valued())
