"""What happened: the append-only log of a dataset, and what a record held before each edit."""

from __future__ import annotations

import json
from contextvars import ContextVar
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from rft_widgets.model.dataset import Event
from rft_widgets.model.record import RecordVersion
from rft_widgets.store.clock import now_us, to_datetime
from rft_widgets.store.payload import Codec
from rft_widgets.store.schema import events, record_versions

_BY_JOB = "by_job"

current_job: ContextVar[str | None] = ContextVar("current_job", default=None)
"""The job that is at work in this thread. Its events name it: after a kill they tell what it has
done, because they were stored in one transaction with that."""


def log(connection: Connection, dataset_id: str, kind: str, details: dict[str, Any]) -> None:
    """Append an event, in the transaction of what it tells of."""
    by_job = current_job.get()
    if by_job is not None:
        details = {**details, _BY_JOB: by_job}
    connection.execute(
        events.insert().values(
            dataset_id=dataset_id,
            at_us=now_us(),
            kind=kind,
            # A selection may name what no record can have: half of a surrogate pair becomes "?".
            details=json.dumps(details, ensure_ascii=False).encode(errors="replace").decode(),
        )
    )


def done_by_job(connection: Connection, dataset_id: str, job_id: str) -> tuple[Event, ...]:
    """What a job has done to its dataset so far, oldest first."""
    events_of = read_log(connection, dataset_id)
    return tuple(event for event in events_of if event.details.get(_BY_JOB) == job_id)


def read_log(connection: Connection, dataset_id: str, kind: str | None = None) -> tuple[Event, ...]:
    """All events of a dataset, or those of one kind, oldest first."""
    query = sa.select(events).where(events.c.dataset_id == dataset_id)
    if kind is not None:
        query = query.where(events.c.kind == kind)
    rows = connection.execute(query.order_by(events.c.seq))
    return tuple(
        Event(
            seq=row.seq,
            at=to_datetime(row.at_us),
            kind=row.kind,
            details=msgspec.json.decode(row.details),
        )
        for row in rows
    )


def keep_version(connection: Connection, seq: int, version: int, data: bytes) -> None:
    """Keep the compressed body that an edit is about to replace."""
    connection.execute(
        record_versions.insert().values(seq=seq, version=version, data=data, replaced_us=now_us())
    )


def read_versions(connection: Connection, codec: Codec, seq: int) -> tuple[RecordVersion, ...]:
    """What a record held before each of its edits, oldest first."""
    rows = connection.execute(
        sa.select(record_versions)
        .where(record_versions.c.seq == seq)
        .order_by(record_versions.c.version)
    )
    return tuple(
        RecordVersion(
            version=row.version,
            replaced_at=to_datetime(row.replaced_us),
            **msgspec.structs.asdict(codec.body(row.data)),
        )
        for row in rows
    )
