"""Views: the rows of a filter in an order, listed once, so that any place of them is one look away.

A view is a vector of row numbers. It is made when it is first asked for, kept while it is among
those used last, and never changes: a change of the dataset makes another one.
"""

from __future__ import annotations

import contextlib
import sqlite3
from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from rft_widgets.errors import RunInterrupted
from rft_widgets.model.imports import CODE_WORDS
from rft_widgets.model.record import RecordFilter, Selection, SortKey, preview_of
from rft_widgets.model.record_rows import RecordRows, SelectionSize
from rft_widgets.store import pages
from rft_widgets.store.clock import to_datetime
from rft_widgets.store.datasets import set_and_revision
from rft_widgets.store.driver import sqlite_connection
from rft_widgets.store.filters import Source, is_searchable, make_searchable, select_seqs
from rft_widgets.store.pages import NULLABLE, SORTS, check_sort, count_matches
from rft_widgets.store.schema import issues, payloads, records
from rft_widgets.store.texts import can_hold

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

_CHECK_EVERY = 20_000  # steps of SQLite's machine between two questions whether to go on
_INT32 = 2**31


class View(Struct, frozen=True):
    """Row numbers of the records that matched a filter at one revision of a dataset, in order.

    ``is_complete`` is false where a search has more matches than are listed.
    """

    revision: int
    seqs: array[int]
    is_complete: bool


def view(
    store: Store,
    dataset_id: str,
    where: RecordFilter,
    sort: SortKey = "position",
    *,
    revision: int | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> View:
    """The view of a filter in an order, made unless it is kept.

    Parameters
    ----------
    revision
        Of a view that was had before: it is given again while it is kept, though the dataset has
        changed. Without, or when it is not kept any more, the view of now is.
    cancelled
        Asked while it is being made.

    Raises
    ------
    InvalidArgument
        There is no such order.
    RunInterrupted
        It was cancelled.
    """
    check_sort(sort)
    if revision is not None:
        kept = store.views.get((dataset_id, revision, where, sort))
        if kept is not None:
            return kept
    complete = is_searchable(store, dataset_id, where)
    with store.read() as connection:
        set_id, now = set_and_revision(connection, dataset_id)
        key = (dataset_id, now, where, sort)
        known = store.views.get(key)
        if known is not None:
            return known
        with _interruptible(store, connection, cancelled):
            source = Source(store, connection, set_id, where)
            limit, exact = None, True
            if where.search.strip():
                limit, exact = count_matches(source, dataset_id, now)
                source.is_common = not exact
            seqs = _listed(source, sort, limit)
    made = View(now, seqs, exact and complete)
    if complete:  # else the index is behind: the next look may find more at the same revision
        store.views.put(key, made)
    return made


def record_rows(
    store: Store,
    dataset_id: str,
    shown: View,
    start: int,
    count: int,
    *,
    find: str | None = None,
    chosen: RecordFilter | None = None,
) -> RecordRows:
    """Some rows of a view; records that are gone leave a gap.

    Parameters
    ----------
    shown
        The view.
    start, count
        Which of its rows, counted from 0.
    find
        Id of a record whose place is wanted.
    chosen
        Another filter: of every row is said whether it matches.
    """
    some = shown.seqs[start : start + count]
    everything, _ = pages.count(store, dataset_id, RecordFilter())
    if chosen is not None:
        make_searchable(store, dataset_id, chosen)
    with store.read() as connection:
        set_id, _ = set_and_revision(connection, dataset_id)
        found = _rows(store, connection, set_id, some, chosen)
        place = None if find is None else _place(connection, set_id, shown, find)
    columns = zip(*(_cells(store, found.get(seq)) for seq in some), strict=True)
    return RecordRows(
        revision=shown.revision,
        start=start,
        total=len(shown.seqs),
        total_is_exact=shown.is_complete,
        everything=everything,
        found=place,
        **dict(zip(_COLUMNS, columns if some else ((),) * len(_COLUMNS), strict=True)),
    )


def _rows(
    store: Store,
    connection: Connection,
    set_id: int,
    seqs: Sequence[int],
    chosen: RecordFilter | None,
) -> dict[int, Any]:
    c = records.c
    fault = (
        sa.select(issues.c.code)
        .where(issues.c.seq == c.seq)
        .order_by(issues.c.id)
        .limit(1)
        .correlate(records)
        .scalar_subquery()
    )
    found = connection.execute(
        sa.select(
            c.seq, c.id, c.topic, c.topic_confidence, c.is_valid, c.is_generated, c.score,
            c.updated_us, payloads.c.data,
            sa.case((c.is_valid == 0, fault), else_=None).label("code"),
            _matches(store, connection, set_id, chosen, seqs).label("is_chosen"),
        )
        .join(payloads, payloads.c.seq == c.seq)
        .where(c.set_id == set_id, c.seq.in_(seqs))
    )  # fmt: skip
    return {row.seq: row for row in found}


_COLUMNS = (
    "ids", "tags", "texts", "more", "topics", "confidences", "valid", "faults", "generated",
    "scores", "updated", "chosen",
)  # fmt: skip
_GONE = (None, (), (), 0, None, None, False, None, False, None, None, False)


def _cells(store: Store, row: Any) -> tuple[Any, ...]:
    """What the columns hold of a row."""
    if row is None:
        return _GONE
    body = store.codec.body(row.data)
    messages = body.input.messages + body.output.messages
    shown = preview_of(messages)
    return (
        row.id, tuple(one.tag for one in shown), tuple(one.text for one in shown),
        len(messages) - len(shown), row.topic, row.topic_confidence, bool(row.is_valid),
        CODE_WORDS.get(row.code), bool(row.is_generated), row.score, to_datetime(row.updated_us),
        bool(row.is_chosen),
    )  # fmt: skip


def _place(connection: Connection, set_id: int, shown: View, record_id: str) -> int | None:
    if not can_hold(record_id):
        return None
    seq = connection.execute(
        sa.select(records.c.seq).where(records.c.set_id == set_id, records.c.id == record_id)
    ).scalar()
    try:
        return None if seq is None else shown.seqs.index(seq)
    except ValueError:  # it is not in the view
        return None


def size(store: Store, dataset_id: str, selection: Selection) -> SelectionSize:
    """How much a selection has now."""
    make_searchable(store, dataset_id, selection.where)
    with store.read() as connection:
        set_id, _ = set_and_revision(connection, dataset_id)
        chosen = select_seqs(store, connection, set_id, selection)
        tokens = sa.func.coalesce(sa.func.sum(records.c.tokens), 0)
        row = connection.execute(
            sa.select(sa.func.count(), tokens).where(records.c.seq.in_(chosen))
        ).one()
    return SelectionSize(records=int(row[0]), tokens=int(row[1]))


def _matches(
    store: Store,
    connection: Connection,
    set_id: int,
    chosen: RecordFilter | None,
    seqs: Sequence[int],
) -> sa.ColumnElement[bool]:
    if chosen is None:
        return sa.false()
    if chosen == RecordFilter():
        return sa.true()
    conditions = Source(store, connection, set_id, chosen).conditions(driven_by_search=False)
    return records.c.seq.in_(sa.select(records.c.seq).where(records.c.seq.in_(seqs), *conditions))


def _listed(source: Source, sort: SortKey, limit: int | None) -> array[int]:
    """Row numbers in the order of `pages.page`."""
    listed = array("q")
    if source.query is not None and source.query.nothing:
        return array("i")
    for query in _parts(source, sort):
        left = None if limit is None else limit - len(listed)
        if left == 0:
            break
        result = source.connection.execute(query.limit(left))
        # The driver's own rows: made into SQLAlchemy's, a million take three times as long.
        listed.extend(chain.from_iterable(result.cursor))  # type: ignore[arg-type]
        result.close()
    small = max(listed, default=0) < _INT32
    return array("i", listed) if small else listed


def _parts(source: Source, sort: SortKey) -> Iterator[sa.Select[Any]]:
    """Queries whose rows, one after the other, are the view."""
    key, down = sort.removeprefix("-"), sort.startswith("-")
    column, seq = SORTS[key], records.c.seq
    driven = source.is_driven and (key == "position" or not source.is_common)
    every = sa.select(seq).where(*source.conditions(driven_by_search=driven))
    if driven:
        every = every.select_from(source.from_index()).where(source.matches_index())
    by_seq = seq.desc() if down else seq
    if key == "position":
        yield (
            every.order_by(source.index.c.rowid.desc() if down else source.index.c.rowid)
            if (driven)
            else every.order_by(by_seq)
        )
        return
    if key == "valid":
        for side in ("1", "0") if down else ("0", "1"):
            yield every.where(column == sa.literal_column(side)).order_by(by_seq)
        return
    ordered = every.where(column.is_not(None)) if key in NULLABLE else every
    yield ordered.order_by(column.desc() if down else column, by_seq)
    if key in NULLABLE:
        yield every.where(column.is_(None)).order_by(seq)


@contextlib.contextmanager
def _interruptible(
    store: Store, connection: Connection, cancelled: Callable[[], bool] | None
) -> Iterator[None]:
    if cancelled is None or not store.is_sqlite:
        yield
        return
    raw = sqlite_connection(connection)
    raw.set_progress_handler(cancelled, _CHECK_EVERY)
    try:
        yield
    except (sa.exc.OperationalError, sqlite3.OperationalError) as error:
        if cancelled():
            raise RunInterrupted("The search was given up for another one.") from error
        raise
    finally:
        raw.set_progress_handler(None, 0)
