"""Which records: filters and selections as SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Connection

from rft_widgets.model.record import RecordFilter, Selection
from rft_widgets.model.settings import TOPICS
from rft_widgets.store import search
from rft_widgets.store.clock import now_us
from rft_widgets.store.datasets import set_and_revision
from rft_widgets.store.schema import imports, issues, payloads, records, search_texts
from rft_widgets.store.texts import can_hold

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

_LOADING_FOR_US = 30_000_000  # an import that wrote nothing for so long will not index either


def select_seqs(
    store: Store, connection: Connection, set_id: int, selection: Selection
) -> sa.Select[Any]:
    """Build the query of the row numbers of a selection."""
    if selection.where is None and not selection.ids:
        return sa.select(records.c.seq).where(sa.false())
    where = selection.where or RecordFilter()
    query = sa.select(records.c.seq).where(
        *Source(store, connection, set_id, where).conditions(driven_by_search=False)
    )
    if selection.ids:
        query = query.where(records.c.id.in_(_listed(store, selection.ids)))
    if selection.except_ids:
        listed = _listed(store, selection.except_ids)
        if store.is_sqlite:
            query = query.where(records.c.id.not_in(listed))
        else:
            # Above some ten thousand ids PostgreSQL walks the whole list of a NOT IN for each row.
            names = listed.subquery()
            query = query.where(~sa.exists().where(names.c[0] == records.c.id))
    return query


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
            found.append(c.topic == where.topic)
        if where.uncategorized is not None:
            found.append(c.topic.is_(None) if where.uncategorized else c.topic.is_not(None))
        # Literals, not parameters: only so does SQLite see that a partial index fits.
        if where.valid is not None:
            found.append(c.is_valid == sa.literal_column("1" if where.valid else "0"))
        if where.source != "all":
            generated = where.source == "generated"
            found.append(c.is_generated == sa.literal_column("1" if generated else "0"))
        if where.min_score is not None:
            found.append(c.score >= where.min_score)
        if where.max_score is not None:
            found.append(c.score <= where.max_score)
        if where.low_confidence:
            found.append(c.topic_confidence < TOPICS.low_confidence)
        if where.code is not None:
            found.append(c.is_valid == sa.literal_column("0"))
            found.append(sa.exists().where(issues.c.seq == c.seq, issues.c.code == where.code))
        found += self._search_conditions(driven_by_search=driven_by_search)
        return found

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


def _listed(store: Store, ids: tuple[str, ...]) -> sa.Select[Any]:
    """Ids as rows of one parameter: databases take only some ten thousand parameters."""
    ids = tuple(filter(can_hold, ids))
    if store.is_sqlite:
        array = msgspec.json.encode(ids).decode()
        return sa.select(sa.func.json_each(array).table_valued("value").c.value)
    return sa.select(sa.func.unnest(sa.cast(list(ids), ARRAY(sa.Text))).column_valued())
