"""Reading records: pages, counts, single records, and streams of them."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Connection

from rft_widgets.errors import InvalidArgument, NotFound
from rft_widgets.model.record import (
    Record,
    RecordFilter,
    RecordPage,
    Selection,
    SortKey,
    ValidationIssue,
)
from rft_widgets.model.settings import STORE, TOPICS
from rft_widgets.store import search
from rft_widgets.store.clock import now_us, to_datetime
from rft_widgets.store.datasets import set_and_revision
from rft_widgets.store.payload import Codec
from rft_widgets.store.schema import imports, issues, payloads, record_sets, records, search_texts
from rft_widgets.store.texts import can_hold

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

_SORTS: dict[str, sa.Column[Any]] = {
    "position": records.c.seq,
    "messages": records.c.messages,
    "topic": records.c.topic,
    "valid": records.c.is_valid,
    "score": records.c.score,
    "updated": records.c.updated_us,
}
_NULLABLE = frozenset({"topic", "score"})
_LOADING_FOR_US = 30_000_000  # an import that wrote nothing for so long will not index either
_VERIFIED_COUNT_LIMIT = 1_000  # each match costs the reading of a body


class _Cursor(Struct, frozen=True, array_like=True):
    """Where a page ended: order, last value (``None``: among those without one), row."""

    sort: str
    value: int | float | str | None
    seq: int


def page(
    store: Store,
    dataset_id: str,
    where: RecordFilter,
    *,
    sort: SortKey = "position",
    limit: int = 100,
    after: str | None = None,
) -> RecordPage:
    """Read one page of the records that match a filter.

    Parameters
    ----------
    store, dataset_id
        Where.
    where
        Which records.
    sort
        Order; ties are broken by position.
    limit
        Most records on the page, 1..10,000.
    after
        ``next`` of the page before, or ``None`` for the first page.

    Raises
    ------
    InvalidArgument
        If ``sort``, ``limit`` or ``after`` is not one this takes.
    """
    if sort.removeprefix("-") not in _SORTS:
        raise InvalidArgument(
            f"There is no order {sort!r}.", hint=f"Use one of {', '.join(_SORTS)}."
        )
    if not 1 <= limit <= 10_000:
        raise InvalidArgument(f"limit is {limit}.", hint="Ask for 1 to 10,000 records a page.")
    cursor = _decode_cursor(after, sort)
    complete = _is_searchable(store, dataset_id, where)
    with store.read() as connection:
        set_id, revision = set_and_revision(connection, dataset_id)
        source = Source(store, connection, set_id, where)
        total, exact = _count(source, dataset_id, revision)
        source.is_common = not exact
        rows = _page_rows(source, sort, limit + 1, cursor)
        last = rows[limit - 1] if len(rows) > limit else None
        found = _to_records(store, connection, dataset_id, rows[:limit])
    following = None
    if last is not None:
        value = getattr(last, _SORTS[sort.removeprefix("-")].name)
        following = _encode_cursor(_Cursor(sort, value, last.seq))
    return RecordPage(records=found, total=total, total_is_exact=exact and complete, next=following)


def count(store: Store, dataset_id: str, where: RecordFilter) -> tuple[int, bool]:
    """Count the records that match, and whether the count is exact or a lower bound."""
    complete = _is_searchable(store, dataset_id, where)
    with store.read() as connection:
        set_id, revision = set_and_revision(connection, dataset_id)
        number, exact = _count(Source(store, connection, set_id, where), dataset_id, revision)
        return number, exact and complete


def get(store: Store, dataset_id: str, record_id: str) -> Record:
    """Read one record; `NotFound` if the dataset has none of that id."""
    if not can_hold(record_id):
        raise missing_record(dataset_id, record_id)
    with store.read() as connection:
        set_id, _ = set_and_revision(connection, dataset_id)
        rows = connection.execute(
            full_rows(
                sa.select(records.c.seq).where(
                    records.c.set_id == set_id, records.c.id == record_id
                )
            )
        ).all()
        if not rows:
            raise missing_record(dataset_id, record_id)
        return _to_records(store, connection, dataset_id, rows)[0]


def seq_of(connection: Connection, dataset_id: str, record_id: str) -> int:
    """Row number of a record; `NotFound` if the dataset has none of that id."""
    set_id, _ = set_and_revision(connection, dataset_id)
    if not can_hold(record_id):
        raise missing_record(dataset_id, record_id)
    seq = connection.execute(
        sa.select(records.c.seq).where(records.c.set_id == set_id, records.c.id == record_id)
    ).scalar()
    if seq is None:
        raise missing_record(dataset_id, record_id)
    return int(seq)


def stream(
    store: Store, dataset_id: str, selection: Selection, *, chunk: int = 1000
) -> Iterator[Record]:
    """Read all records of a selection in order of position, in chunks of one transaction each.

    Rows that others add or remove meanwhile may or may not be seen; each row is seen once at most,
    and no transaction stays open while the caller works.
    """
    where = selection.where or RecordFilter()
    make_searchable(store, dataset_id, where)
    done = 0
    while True:
        with store.read() as connection:
            set_id, _ = set_and_revision(connection, dataset_id)
            chosen = select_seqs(store, connection, set_id, selection).order_by(records.c.seq)
            some = chosen.where(records.c.seq > done).limit(chunk)
            rows = connection.execute(full_rows(some).order_by(records.c.seq)).all()
            found = _to_records(store, connection, dataset_id, rows)
        if not rows:
            return
        done = rows[-1].seq
        yield from found


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


def _listed(store: Store, ids: tuple[str, ...]) -> sa.Select[Any]:
    """Ids as rows of one parameter: databases take only some ten thousand parameters."""
    ids = tuple(filter(can_hold, ids))
    if store.is_sqlite:
        array = msgspec.json.encode(ids).decode()
        return sa.select(sa.func.json_each(array).table_valued("value").c.value)
    return sa.select(sa.func.unnest(sa.cast(list(ids), ARRAY(sa.Text))).column_valued())


def facets(connection: Connection, set_id: int) -> list[tuple[str | None, bool, bool, int]]:
    """Count the records of a set by topic, validity and origin."""
    c = records.c
    rows = connection.execute(
        sa.select(c.topic, c.is_valid, c.is_generated, sa.func.count())
        .where(c.set_id == set_id)
        .group_by(c.topic, c.is_valid, c.is_generated)
    )
    return [(topic, bool(valid), bool(generated), n) for topic, valid, generated, n in rows]


def codes(connection: Connection, set_id: int) -> dict[str, int]:
    """Count the records of a set by each validation code they break."""
    rows = connection.execute(
        sa.select(issues.c.code, sa.func.count())
        .join(records, records.c.seq == issues.c.seq)
        .where(records.c.set_id == set_id, records.c.is_valid == sa.literal_column("0"))
        .group_by(issues.c.code)
    )
    return {row[0]: row[1] for row in rows}


def missing_record(dataset_id: str, record_id: str) -> NotFound:
    """Make the error for a record id that a dataset does not have."""
    return NotFound(
        f"Dataset {dataset_id} has no record {record_id!r}.",
        hint="It may have been deleted; records() lists those that exist.",
    )


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


def _page_rows(source: Source, sort: SortKey, limit: int, cursor: _Cursor | None) -> list[Any]:
    if source.query is not None and source.query.nothing:
        return []
    key = sort.removeprefix("-")
    down = sort.startswith("-")
    if key == "position":
        return _by_position(source, limit, cursor.seq if cursor else None, down=down)
    if key == "valid":
        return _by_validity(source, limit, cursor, down=down)
    column = _SORTS[key]
    rows: list[Any] = []
    if cursor is None or cursor.value is not None:
        rows = _by_value(source, column, limit, cursor, down=down)
    if key in _NULLABLE and len(rows) < limit:
        after = cursor.seq if cursor is not None and cursor.value is None else None
        rows += _without_value(source, column, limit - len(rows), after)
    return rows


def _by_validity(source: Source, limit: int, cursor: _Cursor | None, *, down: bool) -> list[Any]:
    # Two values only: each side is a page by position, which needs no sorting.
    sides = [1, 0] if down else [0, 1]
    rows: list[Any] = []
    for side in sides[sides.index(int(cursor.value or 0)) if cursor else 0 :]:
        after = cursor.seq if cursor is not None and cursor.value == side else None
        only = records.c.is_valid == sa.literal_column(str(side))
        rows += _by_position(source, limit - len(rows), after, only, down=down)
        if len(rows) >= limit:
            break
    return rows


def _by_position(
    source: Source,
    limit: int,
    after: int | None,
    *also: sa.ColumnElement[bool],
    down: bool,
) -> list[Any]:
    driven = source.is_driven
    query = sa.select(records.c.seq).where(*also)
    position: sa.ColumnElement[int] = records.c.seq
    if driven:
        # The full-text table gives its rows in this order: a page reads no more than its rows.
        index = source.index
        position = index.c.rowid
        query = query.select_from(source.from_index()).where(source.matches_index())
    query = query.where(*source.conditions(driven_by_search=driven))
    if after is not None:
        query = query.where(position < after if down else position > after)
    query = query.order_by(position.desc() if down else position).limit(limit)
    return _with_bodies(source, query, ["seq"], down=down)


def _by_value(
    source: Source, column: sa.Column[Any], limit: int, cursor: _Cursor | None, *, down: bool
) -> list[Any]:
    seq = records.c.seq
    # Few matches are fetched and sorted; many are met soon enough on the way along the order.
    driven = source.is_driven and not source.is_common
    query = sa.select(seq).where(*source.conditions(driven_by_search=driven))
    if driven:
        query = query.select_from(source.from_index()).where(source.matches_index())
    if column.nullable:
        query = query.where(column.is_not(None))
    if cursor is not None:
        here, there = sa.tuple_(column, seq), sa.tuple_(cursor.value, cursor.seq)
        query = query.where(here < there if down else here > there)
    order = (column.desc(), seq.desc()) if down else (column, seq)
    return _with_bodies(
        source, query.order_by(*order).limit(limit), [column.name, "seq"], down=down
    )


def _without_value(
    source: Source, column: sa.Column[Any], limit: int, after: int | None
) -> list[Any]:
    # These rows come last in both directions, by position.
    seq = records.c.seq
    query = sa.select(seq).where(*source.conditions(driven_by_search=False), column.is_(None))
    if after is not None:
        query = query.where(seq > after)
    return _with_bodies(source, query.order_by(seq).limit(limit), ["seq"], down=False)


def _with_bodies(
    source: Source, narrow: sa.Select[Any], order: list[str], *, down: bool
) -> list[Any]:
    # The order of a subquery is not the order of what holds it: it is said again, on few rows.
    keys = [records.c[name].desc() if down else records.c[name] for name in order]
    return list(source.connection.execute(full_rows(narrow).order_by(*keys)).all())


# The limit stands inside the subquery, on the narrow table: bodies are read for its rows only.
_FULL = sa.select(records, payloads.c.data).join(payloads, payloads.c.seq == records.c.seq)


def full_rows(seqs: sa.Select[Any]) -> sa.Select[Any]:
    """Rows with their bodies, for a query of row numbers."""
    return _FULL.where(records.c.seq.in_(seqs))


def _to_records(
    store: Store, connection: Connection, dataset_id: str, rows: list[Any] | Any
) -> tuple[Record, ...]:
    broken = [row.seq for row in rows if not row.is_valid]
    errors: dict[int, list[ValidationIssue]] = {}
    for start in range(0, len(broken), 500):
        found = connection.execute(
            sa.select(issues.c.seq, issues.c.code, issues.c.message)
            .where(issues.c.seq.in_(broken[start : start + 500]))
            .order_by(issues.c.id)
        )
        for seq, code, message in found:
            errors.setdefault(seq, []).append(ValidationIssue(code, message))
    return tuple(_to_record(store.codec, dataset_id, row, errors) for row in rows)


def _to_record(
    codec: Codec, dataset_id: str, row: Any, errors: dict[int, list[ValidationIssue]]
) -> Record:
    # Taken apart at once, in the order of `schema.records`: by name it takes twice as long.
    (
        seq, _, record_id, span_id, thread_id, topic, confidence, method, is_valid, is_generated,
        source_record_id, _, tokens, _, score, version, created_us, updated_us, data,
    ) = row  # fmt: skip
    body = codec.body(data)
    return Record(
        id=record_id,
        dataset_id=dataset_id,
        input=body.input,
        output=body.output,
        item=body.item,
        metadata=body.metadata,
        span_id=span_id,
        thread_id=thread_id,
        topic=topic,
        topic_confidence=confidence,
        topic_method=method,
        is_generated=bool(is_generated),
        source_record_id=source_record_id,
        is_valid=bool(is_valid),
        validation_errors=tuple(errors.get(seq, ())),
        dry_run_score=score,
        tokens=tokens,
        version=version,
        created_at=to_datetime(created_us),
        updated_at=to_datetime(updated_us),
    )


def _count(source: Source, dataset_id: str, revision: int) -> tuple[int, bool]:
    # Equal revisions mean equal content, so a count is made once however often a page asks for it.
    key = (dataset_id, revision, source.where)
    known = source.store.counts.get(key)
    if known is not None:
        return known
    if source.query is not None and source.query.nothing:
        return 0, True
    if source.where.search.strip():
        limit = _VERIFIED_COUNT_LIMIT if source.is_verified else STORE.exact_count_limit
        some = _matches(source).limit(limit + 1).subquery()
        number = source.connection.execute(
            sa.select(sa.func.count()).select_from(some)
        ).scalar_one()
        result = (min(number, limit), number <= limit)
    else:
        query = sa.select(sa.func.count()).where(*source.conditions(driven_by_search=False))
        result = (source.connection.execute(query.select_from(records)).scalar_one(), True)
    source.store.counts.put(key, result)
    return result


def _matches(source: Source) -> sa.Select[Any]:
    """A row for every record that a search finds, as cheaply as the other filters allow."""
    one = sa.select(sa.literal(1))
    if not source.is_driven:
        return one.select_from(records).where(*source.conditions(driven_by_search=False))
    nothing_else = source.where == RecordFilter(search=source.where.search)
    if nothing_else and not source.is_verified and not _has_departed(source):
        return one.select_from(source.index).where(source.matches_index())
    found = one.select_from(source.from_index()).where(source.matches_index())
    return found.where(*source.conditions(driven_by_search=True))


def _has_departed(source: Source) -> bool:
    query = sa.select(record_sets.c.departed).where(record_sets.c.id == source.set_id)
    return bool(source.connection.execute(query).scalar())


def make_searchable(store: Store, dataset_id: str, where: RecordFilter | None) -> None:
    """Index what is not indexed yet, so that a search misses no record."""
    if where is not None and where.search.strip():
        with store.read() as connection:
            set_id, _ = set_and_revision(connection, dataset_id)
        search.index_pending(store, set_id)


def _is_searchable(store: Store, dataset_id: str, where: RecordFilter) -> bool:
    """Whether a search will see every record; what is pending is indexed if that is quick.

    Under a load it is not: the loader indexes at its end, and a reader that did it in its place
    would make both wait.
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
    search.index_pending(store, set_id)
    return True


def _fits(cursor: _Cursor) -> bool:
    """Whether the column of the order can hold the cursor's value: nobody else makes cursors."""
    key = cursor.sort.removeprefix("-")
    value = cursor.value
    if abs(cursor.seq) >= 2**63:
        return False
    if value is None:
        return key in _NULLABLE
    if key == "topic":
        return isinstance(value, str) and "\0" not in value
    if key == "score":
        return not isinstance(value, str) and abs(value) < 2**63
    return isinstance(value, int) and abs(value) < 2**63


def _encode_cursor(cursor: _Cursor) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def _decode_cursor(text: str | None, sort: str) -> _Cursor | None:
    if text is None:
        return None
    cursor = None
    with contextlib.suppress(ValueError, msgspec.DecodeError):  # both mean: not one of ours
        padded = text + "=" * (-len(text) % 4)
        cursor = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=_Cursor)
    if cursor is None or cursor.sort != sort or not _fits(cursor):
        raise InvalidArgument(
            "'after' is not the end of a page in this order.",
            hint="Pass the 'next' of the page before, with the same sort.",
        )
    return cursor
