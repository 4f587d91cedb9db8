"""Jobs as they are read: how each stands, what it was asked for, what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from rft_widgets.errors import NotFound
from rft_widgets.model.job import AT_WORK, JobState, JobStatus
from rft_widgets.model.problem import Problem
from rft_widgets.store.clock import now_us, to_datetime
from rft_widgets.store.schema import job_log, jobs
from rft_widgets.store.texts import can_hold

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

FORSAKEN_S = 30.0
"""A running job that was not heard of for so long has nobody who works on it: it counts as failed
until somebody begins it again."""

FORSAKEN = Problem(
    code="interrupted",
    message="The process that was at work on it has ended.",
    hint="Begin it again: it goes on where it was, as far as it can.",
)

_j = jobs.c
_SHOWN = (
    _j.id, _j.dataset_id, _j.kind, _j.subject, _j.title, _j.status, _j.created_us, _j.started_us,
    _j.finished_us, _j.share, _j.doing, _j.outcome, _j.problem, _j.attempts, _j.beat_us,
)  # fmt: skip


def read(connection: Connection, job_id: str) -> JobState:
    """One job; `NotFound` if there is none of that id."""
    return _state(row_of(connection, job_id, *_SHOWN))


def read_all(
    connection: Connection,
    *,
    dataset_id: str | None = None,
    status: JobStatus | None = None,
    limit: int | None = None,
) -> tuple[JobState, ...]:
    """Jobs of a dataset or of all, the newest first.

    ``limit`` is the most that have ended; those at work are all there.
    """
    mine = sa.true() if dataset_id is None else _j.dataset_id == dataset_id
    newest_first = sa.select(*_SHOWN).where(mine).order_by(_j.created_us.desc(), _j.id.desc())
    rows = list(connection.execute(newest_first.where(_j.status.in_(AT_WORK))))
    if status not in AT_WORK:
        ended = _j.status.not_in(AT_WORK) if status is None else _j.status == status
        rows += connection.execute(newest_first.where(ended).limit(limit))
    # What its process left counts as failed though its row says that it runs.
    states = (state for state in map(_state, rows) if status in (None, state.status))
    return tuple(sorted(states, key=lambda state: (state.created_at, state.id), reverse=True))


class JobAtWork(Struct, frozen=True, kw_only=True):
    """A job that is being worked on, or waits for that; ``params`` are JSON."""

    id: str
    params: str
    is_waiting: bool


def at_work(connection: Connection, dataset_id: str, kind: str) -> tuple[JobAtWork, ...]:
    """Jobs of one kind on a dataset that have not ended."""
    rows = connection.execute(
        sa.select(_j.id, _j.params, _j.status, _j.beat_us).where(
            _j.dataset_id == dataset_id, _j.kind == kind, _j.status.in_(AT_WORK)
        )
    )
    return tuple(
        JobAtWork(id=row.id, params=row.params, is_waiting=row.status == "queued")
        for row in rows
        if not is_forsaken(row)
    )


def current(connection: Connection, dataset_id: str) -> tuple[JobState, ...]:
    """Of each kind of work on a dataset what was asked for last, the oldest first.

    Work on something within the dataset counts for each such thing.
    """
    newest: dict[tuple[str, str], JobState] = {}
    for state in read_all(connection, dataset_id=dataset_id):
        newest.setdefault((state.kind, state.subject), state)
    return tuple(sorted(newest.values(), key=lambda state: (state.created_at, state.id)))


def read_params(store: Store, job_id: str) -> str:
    """What a job was asked for, as JSON."""
    with store.read() as connection:
        return str(row_of(connection, job_id, _j.params).params)


def read_result(store: Store, job_id: str) -> tuple[str, str | None]:
    """Kind of a job, and what came of it as JSON."""
    with store.read() as connection:
        row = row_of(connection, job_id, _j.kind, _j.result)
    return row.kind, row.result


def has_waiting(connection: Connection) -> bool:
    """Whether any job waits for its turn."""
    found = connection.execute(sa.select(_j.id).where(_j.status == "queued").limit(1))
    return found.first() is not None


def newest(
    connection: Connection, dataset_id: str, kind: str, *, subject: str, only_succeeded: bool
) -> str | None:
    """Id of the job of a kind on a subject that was asked for last."""
    query = sa.select(_j.id).where(
        _j.dataset_id == dataset_id, _j.kind == kind, _j.subject == subject
    )
    if only_succeeded:
        query = query.where(_j.status == "succeeded")
    query = query.order_by(_j.created_us.desc(), _j.id.desc()).limit(1)
    return connection.execute(query).scalar()


def version(connection: Connection, dataset_id: str) -> tuple[Any, ...]:
    """Another value after each change of the jobs of a dataset."""
    mine = _j.dataset_id == dataset_id
    at_work = sa.select(_j.id, _j.status, _j.share, _j.doing).where(mine, _j.status.in_(AT_WORK))
    ended = sa.select(sa.func.count(), sa.func.max(_j.finished_us)).where(mine)
    return tuple(
        tuple(map(tuple, connection.execute(query))) for query in (at_work.order_by(_j.id), ended)
    )


def is_unwanted(store: Store, job_id: str) -> bool:
    """Whether somebody asked for a job that is at work to stop."""
    with store.read() as connection:
        return bool(row_of(connection, job_id, _j.wanted).wanted == "cancel")


def read_log(store: Store, job_id: str) -> tuple[tuple[datetime, str], ...]:
    """Lines of a job's log with their times."""
    with store.read() as connection:
        rows = connection.execute(
            sa.select(job_log.c.at_us, job_log.c.message)
            .where(job_log.c.job_id == job_id)
            .order_by(job_log.c.seq)
        ).all()
    return tuple((to_datetime(row.at_us), row.message) for row in rows)


def is_forsaken(row: Any) -> bool:
    """Whether nobody is at work on a job that says that it runs."""
    return (
        row.status == "running"
        and row.beat_us is not None
        and now_us() - row.beat_us > FORSAKEN_S * 1e6
    )


def row_of(
    connection: Connection, job_id: str, *columns: sa.Column[Any], lock: bool = False
) -> Any:
    """Some columns of a job; `NotFound` if there is none of that id."""
    row = None
    if can_hold(job_id):
        query = sa.select(*columns).where(_j.id == job_id)
        row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFound(
            f"There is no job {job_id!r}.",
            hint="Jobs go with their dataset; of a dataset, the newest are kept.",
        )
    return row


def _state(row: Any) -> JobState:
    forsaken = is_forsaken(row)
    problem = msgspec.json.decode(row.problem, type=Problem) if row.problem else None
    return JobState(
        id=row.id,
        dataset_id=row.dataset_id,
        kind=row.kind,
        subject=row.subject,
        title=row.title,
        status="failed" if forsaken else row.status,
        created_at=to_datetime(row.created_us),
        started_at=_moment(None if row.status == "queued" else row.started_us),
        finished_at=_moment(row.finished_us),
        share=row.share,
        doing=row.doing,
        outcome=row.outcome,
        problem=FORSAKEN if forsaken else problem,
        attempts=row.attempts,
    )


def _moment(us: int | None) -> datetime | None:
    return None if us is None else to_datetime(us)
