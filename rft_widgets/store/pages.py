"""Pages of records in any order, and counts."""

from __future__ import annotations

import base64
import contextlib
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.record import RecordFilter, RecordPage, SortKey
from rft_widgets.model.settings import STORE
from rft_widgets.store.datasets import set_and_revision
from rft_widgets.store.filters import Source, is_searchable
from rft_widgets.store.records import full_rows, to_records
from rft_widgets.store.schema import record_sets, records

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

SORTS: dict[str, sa.Column[Any]] = {
    "position": records.c.seq,
    "messages": records.c.messages,
    "topic": records.c.topic,
    "valid": records.c.is_valid,
    "score": records.c.score,
    "updated": records.c.updated_us,
}
NULLABLE = frozenset({"topic", "score"})
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
    check_sort(sort)
    if not 1 <= limit <= 10_000:
        raise InvalidArgument(f"limit is {limit}.", hint="Ask for 1 to 10,000 records a page.")
    cursor = _decode_cursor(after, sort)
    complete = is_searchable(store, dataset_id, where)
    with store.read() as connection:
        set_id, revision = set_and_revision(connection, dataset_id)
        source = Source(store, connection, set_id, where)
        total, exact = count_matches(source, dataset_id, revision)
        source.is_common = not exact
        rows = _page_rows(source, sort, limit + 1, cursor)
        last = rows[limit - 1] if len(rows) > limit else None
        found = to_records(store, connection, dataset_id, rows[:limit])
    following = None
    if last is not None:
        value = getattr(last, SORTS[sort.removeprefix("-")].name)
        following = _encode_cursor(_Cursor(sort, value, last.seq))
    return RecordPage(records=found, total=total, total_is_exact=exact and complete, next=following)


def check_sort(sort: str) -> None:
    """Raise `InvalidArgument` for an order that there is not."""
    if sort.removeprefix("-") not in SORTS:
        raise InvalidArgument(
            f"There is no order {sort!r}.", hint=f"Use one of {', '.join(SORTS)}."
        )


def count(store: Store, dataset_id: str, where: RecordFilter) -> tuple[int, bool]:
    """Count the records that match, and whether the count is exact or a lower bound."""
    complete = is_searchable(store, dataset_id, where)
    with store.read() as connection:
        set_id, revision = set_and_revision(connection, dataset_id)
        number, exact = count_matches(
            Source(store, connection, set_id, where), dataset_id, revision
        )
        return number, exact and complete


def _page_rows(source: Source, sort: SortKey, limit: int, cursor: _Cursor | None) -> list[Any]:
    if source.query is not None and source.query.nothing:
        return []
    key = sort.removeprefix("-")
    down = sort.startswith("-")
    if key == "position":
        return _by_position(source, limit, cursor.seq if cursor else None, down=down)
    if key == "valid":
        return _by_validity(source, limit, cursor, down=down)
    column = SORTS[key]
    rows: list[Any] = []
    if cursor is None or cursor.value is not None:
        rows = _by_value(source, column, limit, cursor, down=down)
    if key in NULLABLE and len(rows) < limit:
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


def count_matches(source: Source, dataset_id: str, revision: int) -> tuple[int, bool]:
    """Count the records of a source, and whether the count is exact or a lower bound."""
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


def _fits(cursor: _Cursor) -> bool:
    """Whether the column of the order can hold the cursor's value: nobody else makes cursors."""
    key = cursor.sort.removeprefix("-")
    value = cursor.value
    if abs(cursor.seq) >= 2**63:
        return False
    if value is None:
        return key in NULLABLE
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
