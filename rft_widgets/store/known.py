"""What of records to come is here already, and between when those that are here came."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from rft_widgets.store.bulk import FEW
from rft_widgets.store.clock import to_datetime
from rft_widgets.store.schema import record_sets, records


class Known(Struct, frozen=True):
    """Span ids and hashes of inputs that are here."""

    spans: frozenset[str]
    hashes: frozenset[int]


def known(
    connection: Connection, sets: Sequence[int], spans: Sequence[str], hashes: Sequence[int]
) -> Known:
    """Which of these span ids and hashes some record of the sets has."""
    c = records.c
    found_spans: set[str] = set()
    found_hashes: set[int] = set()
    for start in range(0, len(spans), FEW):
        query = sa.select(c.span_id).where(
            c.set_id.in_(sets), c.span_id.in_(spans[start : start + FEW])
        )
        found_spans |= {span for span in connection.execute(query).scalars() if span is not None}
    for start in range(0, len(hashes), FEW):
        query_hashes = sa.select(c.input_hash).where(
            c.set_id.in_(sets), c.input_hash.in_(hashes[start : start + FEW])
        )
        found_hashes |= set(connection.execute(query_hashes).scalars())
    return Known(frozenset(found_spans), frozenset(found_hashes))


def sets_of(connection: Connection, dataset_id: str) -> tuple[int, ...]:
    """Sets of a dataset that hold records or held them: the live one, and the trash."""
    query = sa.select(record_sets.c.id).where(
        record_sets.c.dataset_id == dataset_id, record_sets.c.role != "staging"
    )
    return tuple(connection.execute(query).scalars())


def added_between(connection: Connection, set_id: int) -> tuple[datetime, datetime] | None:
    """When the first and the last record of a set came; ``None`` for an empty set."""
    c = records.c
    query = sa.select(c.created_us).where(c.set_id == set_id).limit(1)
    first = connection.execute(query.order_by(c.seq)).scalar()
    last = connection.execute(query.order_by(c.seq.desc())).scalar()
    return None if first is None or last is None else (to_datetime(first), to_datetime(last))
