"""Reading records: single ones, streams of them, and what they add up to."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from rft_widgets.errors import NotFound
from rft_widgets.model.record import Record, RecordFilter, Selection, ValidationIssue
from rft_widgets.model.settings import STORE, TOPICS
from rft_widgets.store.clock import to_datetime
from rft_widgets.store.datasets import set_and_revision
from rft_widgets.store.filters import make_searchable, select_seqs
from rft_widgets.store.payload import Codec
from rft_widgets.store.schema import issues, payloads, records
from rft_widgets.store.texts import can_hold

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store


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
        return to_records(store, connection, dataset_id, rows)[0]


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
            found = to_records(store, connection, dataset_id, rows)
        if not rows:
            return
        done = rows[-1].seq
        yield from found


def with_input(store: Store, dataset_id: str, input_hash: int) -> Record | None:
    """The first record with that input, if there is one."""
    with store.read() as connection:
        set_id, _ = set_and_revision(connection, dataset_id)
        first = (
            sa.select(records.c.seq)
            .where(records.c.set_id == set_id, records.c.input_hash == input_hash)
            .order_by(records.c.seq)
            .limit(1)
        )
        rows = connection.execute(full_rows(first)).all()
        return to_records(store, connection, dataset_id, rows)[0] if rows else None


def sampled(store: Store, dataset_id: str, seed: int) -> Selection:
    """Select all records, or of very many a sample that the seed and the ids decide alone."""
    with store.read() as connection:
        set_id, _ = set_and_revision(connection, dataset_id)
        mine = records.c.set_id == set_id
        total = connection.execute(
            sa.select(sa.func.count()).select_from(records).where(mine)
        ).scalar_one()
        if total <= STORE.sampled_records:
            return Selection(where=RecordFilter())
        ids = connection.execute(sa.select(records.c.id).where(mine)).scalars()
        chosen = heapq.nsmallest(
            STORE.sampled_records,
            ids,
            key=lambda name: hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=8).digest(),
        )
    return Selection(ids=tuple(chosen))


def facets(connection: Connection, set_id: int) -> list[tuple[str | None, bool, bool, int]]:
    """Count the records of a set by topic, validity and origin."""
    c = records.c
    rows = connection.execute(
        sa.select(c.topic, c.is_valid, c.is_generated, sa.func.count())
        .where(c.set_id == set_id)
        .group_by(c.topic, c.is_valid, c.is_generated)
    )
    return [(topic, bool(valid), bool(generated), n) for topic, valid, generated, n in rows]


class LabelCounts(Struct, frozen=True):
    """Valid records by topic: with one, with one of low confidence, and never looked at."""

    labelled: int
    uncertain: int
    unseen: int


def label_counts(
    store: Store,
    connection: Connection,
    set_id: int,
    dataset_id: str,
    revision: int,
    leaves: Sequence[str],
) -> LabelCounts:
    """Count the valid records of a set by how their topic stands; made once a revision.

    A label that is no leaf of the topics is none.
    """
    key = (dataset_id, revision)
    known = store.label_counts.get(key)
    if known is None:
        c = records.c
        has_topic = c.topic.in_(leaves)
        unsure = sa.and_(has_topic, c.topic_confidence < TOPICS.low_confidence)
        looked_at = sa.and_(c.topic.is_(None), c.topic_method.is_not(None))
        unseen = sa.not_(sa.or_(sa.func.coalesce(has_topic, sa.false()), looked_at))
        row = connection.execute(
            sa.select(
                *(
                    sa.func.coalesce(sa.func.sum(sa.case((one, 1), else_=0)), 0)
                    for one in (has_topic, unsure, unseen)
                )
            ).where(c.set_id == set_id, c.is_valid == 1)
        ).one()
        known = LabelCounts(*(int(count) for count in row))
        store.label_counts.put(key, known)
    return known


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


# The limit stands inside the subquery, on the narrow table: bodies are read for its rows only.
_FULL = sa.select(records, payloads.c.data).join(payloads, payloads.c.seq == records.c.seq)


def full_rows(seqs: sa.Select[Any]) -> sa.Select[Any]:
    """Rows with their bodies, for a query of row numbers."""
    return _FULL.where(records.c.seq.in_(seqs))


def to_records(
    store: Store, connection: Connection, dataset_id: str, rows: list[Any] | Any
) -> tuple[Record, ...]:
    """Records of rows with bodies, with the issues of those that are invalid."""
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
        source_record_id, _, tokens, _, score, version, created_us, updated_us, runner_up,
        previous_topic, data,
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
        topic_runner_up=runner_up,
        previous_topic=previous_topic,
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
