"""Jobs as they are done: who works on them, how far they are, how they end.

A job belongs to whoever claimed it last. Every write of a worker names itself as the owner and does
nothing when somebody else has taken the job over, or when it is gone with its dataset. Who is at
work says so twice a second; one that falls silent was killed, and its job goes on elsewhere.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from rft_widgets.errors import AlreadyAtWork, InvalidArgument
from rft_widgets.model.job import AT_WORK, JobStatus
from rft_widgets.model.problem import Problem
from rft_widgets.store import datasets as dataset_rows
from rft_widgets.store.clock import now_us
from rft_widgets.store.jobs import FORSAKEN, is_forsaken, row_of
from rft_widgets.store.schema import job_items, job_log, jobs

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

Owner = Literal["worker", "inline"]

SILENT_S = 10.0
"""A running job that was not heard of for so long was killed; a worker takes it over."""
MOST_ATTEMPTS = 3
"""A job whose process is killed so often is not begun again: it may be what kills it."""
KEPT_JOBS = 200
"""Ended jobs of a dataset that are kept, the newest."""

_j = jobs.c


class ClaimedJob(Struct, frozen=True, kw_only=True):
    """A job that somebody is at work on."""

    id: str
    dataset_id: str | None
    kind: str
    title: str
    params: str
    owner: str
    again: bool
    """Whether it was begun before, and may have left something: it goes on there."""


class Heard(Struct, frozen=True, kw_only=True):
    """What a worker hears of its job."""

    is_mine: bool
    """Not so when the job was taken over, or deleted with its dataset."""
    is_cancelled: bool = False


def new_owner(kind: Owner) -> str:
    """A name for one attempt at a job."""
    return f"{kind}-{secrets.token_hex(6)}"


def create(
    store: Store,
    dataset_id: str | None,
    *,
    kind: str,
    title: str,
    params: str,
    excludes: Collection[str],
    subject: str = "",
    owner: str | None = None,
) -> str:
    """Make a job: one that waits for a worker, or with an owner one that is begun at once.

    ``excludes`` are the kinds of which none may be at work on the same subject of the dataset, its
    own among them.

    Raises
    ------
    InvalidArgument
        Such a job is at work.
    NotFound
        There is no such dataset.
    """
    job_id, now = f"run_{secrets.token_hex(6)}", now_us()
    with store.write(durable=True) as connection:
        if dataset_id is not None:
            # Who submits at the same moment waits here, and then sees this job.
            dataset_rows.live_set(connection, dataset_id, keep=True)
            _refuse_second(connection, dataset_id, subject, excludes)
            _forget_old(connection, dataset_id)
        connection.execute(
            jobs.insert().values(
                id=job_id,
                dataset_id=dataset_id,
                kind=kind,
                subject=subject,
                title=title,
                params=params,
                status="queued",
                created_us=now,
            )
        )
        if owner is not None:
            _begin(connection, job_id, owner, attempts=1)
    return job_id


def claim(store: Store, owner: str, *, kinds: Collection[str] | None = None) -> ClaimedJob | None:
    """Take the job that waits longest, of some kinds if they are given."""
    waiting = sa.select(_j.id, _j.attempts, _j.started_us).where(_j.status == "queued")
    if kinds is not None:
        waiting = waiting.where(_j.kind.in_(kinds))
    waiting = waiting.order_by(_j.created_us, _j.id).limit(1)
    with store.write(durable=True) as connection:
        row = connection.execute(waiting.with_for_update(skip_locked=True)).one_or_none()
        if row is None:
            return None
        _begin(connection, row.id, owner, attempts=row.attempts + 1)
        return _claimed(connection, row.id, again=row.started_us is not None)


def claimed(store: Store, job_id: str, *, again: bool = False) -> ClaimedJob:
    """A job that was begun as it was made, or begun again."""
    with store.read() as connection:
        return _claimed(connection, job_id, again=again)


def beat(store: Store, job_id: str, owner: str, share: float | None, doing: str) -> None:
    """Say that a job is being worked on, and how far it is."""
    with store.write() as connection:
        connection.execute(
            jobs.update()
            .where(_j.id == job_id, _j.owner == owner, _j.status == "running")
            .values(beat_us=now_us(), share=share, doing=doing)
        )


def hear(store: Store, job_id: str, owner: str) -> Heard:
    """Learn what was asked of a job, and whether it is still the owner's."""
    mine = sa.select(_j.wanted).where(_j.id == job_id, _j.owner == owner, _j.status == "running")
    with store.read() as connection:
        wanted = connection.execute(mine).scalar()
    return Heard(is_mine=wanted is not None, is_cancelled=wanted == "cancel")


def end(
    store: Store,
    job_id: str,
    owner: str,
    status: JobStatus,
    *,
    outcome: str = "",
    problem: Problem | None = None,
    result: str | None = None,
) -> bool:
    """End a job with all that came of it; whether it was still the owner's."""
    values: dict[str, Any] = {
        "status": status,
        "outcome": outcome,
        "problem": None if problem is None else msgspec.json.encode(problem).decode(),
        "result": result,
        "finished_us": now_us(),
        "owner": "",
        "wanted": "",
    }
    if status == "succeeded":
        values["share"] = 1.0
    words = outcome if problem is None else problem.message
    with store.write(durable=True) as connection:
        mine = connection.execute(
            jobs.update()
            .where(_j.id == job_id, _j.owner == owner, _j.status == "running")
            .values(**values)
        ).rowcount
        if mine and status == "succeeded":
            connection.execute(job_items.delete().where(job_items.c.job_id == job_id))
        if mine:
            _log(connection, job_id, f"{status.capitalize()}. {words}".strip())
    return bool(mine)


def put_back(store: Store, job_id: str, owner: str) -> None:
    """Let a job wait for its turn again, as if this attempt had not been: its worker ends."""
    with store.write(durable=True) as connection:
        _requeue(
            connection,
            sa.and_(_j.id == job_id, _j.owner == owner, _j.status == "running"),
            "The worker ends; the job waits for the next one.",
            attempts=_j.attempts - 1,
        )


def recover(store: Store, *, worker_is_alone: bool, but: Collection[str] = ()) -> int:
    """Let the jobs of killed processes wait for their turn again; how many there were.

    ``worker_is_alone``: this is called by the only worker there is, before it begins, so that no
    job of a worker is being worked on. Those begun elsewhere still may be, until they fall silent.
    ``but`` are those that the caller knows to be at work, though the store was too busy to be told.
    """
    silent = _j.beat_us < now_us() - int(SILENT_S * 1e6)
    dead = sa.or_(silent, _j.owner.startswith("worker-")) if worker_is_alone else silent
    dead = sa.and_(_j.status == "running", _j.id.not_in(but), dead)
    with store.read() as connection:
        if connection.execute(sa.select(_j.id).where(dead).limit(1)).first() is None:
            return 0
    with store.write(durable=True) as connection:
        connection.execute(sa.select(_j.id).where(dead).with_for_update())
        cancelled = sa.and_(dead, _j.wanted == "cancel")
        ended = _end_all(connection, cancelled, "cancelled", outcome="It was stopped.")
        tired = Problem(
            code="interrupted",
            message=f"The process that was at work on it was killed {MOST_ATTEMPTS} times.",
            hint="It may be what ends it, by the memory that it takes, for instance. The worker's "
            "log may say more; begin it again when that is mended.",
        )
        ended += _end_all(
            connection, sa.and_(dead, _j.attempts >= MOST_ATTEMPTS), "failed", problem=tired
        )
        return ended + _requeue(
            connection, dead, "The process that was at work on it was killed; it goes on."
        )


def request_cancel(store: Store, job_id: str) -> bool:
    """Ask for a job to stop; one that waits or whose process is gone ends at once.

    Returns whether there was anything to stop.
    """
    mine = _j.id == job_id
    with store.write(durable=True) as connection:
        row = row_of(connection, job_id, _j.status, _j.beat_us, lock=True)
        if row.status == "queued" or (row.status == "running" and is_forsaken(row)):
            return bool(_end_all(connection, mine, "cancelled", outcome="It was stopped."))
        if row.status != "running":
            return False
        connection.execute(jobs.update().where(mine).values(wanted="cancel", doing="Stopping..."))
        _log(connection, job_id, "Somebody asked to stop it.")
    return True


def cancel_waiting(connection: Connection, job_id: str, outcome: str) -> None:
    """End a job that waits for its turn, in the transaction of what makes it needless."""
    waits = sa.and_(_j.id == job_id, _j.status == "queued")
    _end_all(connection, waits, "cancelled", outcome=outcome)


def retry(
    store: Store, job_id: str, *, excludes: Collection[str], owner: str | None = None
) -> None:
    """Begin a job again that failed or was cancelled; it goes on where it was.

    Raises
    ------
    InvalidArgument
        It is at work or succeeded, or one that excludes it is at work.
    """
    with store.write(durable=True) as connection:
        row = row_of(
            connection, job_id,
            _j.status, _j.beat_us, _j.dataset_id, _j.subject, _j.title,
            lock=True,
        )  # fmt: skip
        if row.dataset_id is not None:
            dataset_rows.live_set(connection, row.dataset_id, keep=True)
            _refuse_second(connection, row.dataset_id, row.subject, excludes, but=job_id)
        if row.status not in ("failed", "cancelled") and not is_forsaken(row):
            raise InvalidArgument(
                f"{row.title} is {row.status}.",
                hint="Only what failed or was stopped can be begun again.",
            )
        _log(connection, job_id, "Begun again.")
        connection.execute(
            jobs.update()
            .where(_j.id == job_id)
            .values(
                status="queued", wanted="", owner="", share=None, doing="", outcome="",
                problem=None, finished_us=None, beat_us=None, attempts=0,
            )
        )  # fmt: skip
        if owner is not None:
            _begin(connection, job_id, owner, attempts=1)


def log(store: Store, job_id: str, message: str) -> None:
    """Append a line to a job's log."""
    with store.write() as connection:
        _log(connection, job_id, message)


def _refuse_second(
    connection: Connection,
    dataset_id: str,
    subject: str,
    kinds: Collection[str],
    *,
    but: str = "",
) -> None:
    query = sa.select(_j.id, _j.title, _j.status, _j.beat_us).where(
        _j.dataset_id == dataset_id,
        _j.subject == subject,
        _j.kind.in_(kinds),
        _j.status.in_(AT_WORK),
        _j.id != but,
    )
    for row in connection.execute(query):
        if is_forsaken(row):
            _end_all(connection, _j.id == row.id, "failed", problem=FORSAKEN)
            continue
        how = "is already running" if row.status == "running" else "waits for its turn already"
        raise AlreadyAtWork(f"{row.title} {how}.", hint="Wait for it, or stop it first.")


def _forget_old(connection: Connection, dataset_id: str) -> None:
    old = (
        sa.select(_j.id)
        .where(_j.dataset_id == dataset_id, _j.status.not_in(AT_WORK))
        .order_by(_j.created_us.desc(), _j.id.desc())
        .offset(KEPT_JOBS - 1)  # one more is about to come
    )
    if connection.dialect.name == "sqlite":
        old = old.limit(-1)
    gone = connection.execute(old).scalars().all()
    if gone:
        for parts in (job_log, job_items):
            connection.execute(parts.delete().where(parts.c.job_id.in_(gone)))
        connection.execute(jobs.delete().where(_j.id.in_(gone)))


def _begin(connection: Connection, job_id: str, owner: str, *, attempts: int) -> None:
    now = now_us()
    connection.execute(
        jobs.update()
        .where(_j.id == job_id)
        .values(status="running", owner=owner, attempts=attempts, started_us=now, beat_us=now)
    )
    where = "by the worker" if owner.startswith("worker-") else "by the process that asked for it"
    _log(connection, job_id, f"Begun {where}.")


def _requeue(
    connection: Connection, which: sa.ColumnElement[bool], words: str, **values: Any
) -> int:
    ids = connection.execute(sa.select(_j.id).where(which)).scalars().all()
    connection.execute(
        jobs.update().where(_j.id.in_(ids)).values(status="queued", owner="", **values)
    )
    for job_id in ids:
        _log(connection, job_id, words)
    return len(ids)


def _end_all(
    connection: Connection,
    which: sa.ColumnElement[bool],
    status: JobStatus,
    *,
    outcome: str = "",
    problem: Problem | None = None,
) -> int:
    ids = connection.execute(sa.select(_j.id).where(which)).scalars().all()
    connection.execute(
        jobs.update()
        .where(_j.id.in_(ids))
        .values(
            status=status,
            outcome=outcome,
            problem=None if problem is None else msgspec.json.encode(problem).decode(),
            finished_us=now_us(),
            owner="",
            wanted="",
        )
    )
    for job_id in ids:
        _log(connection, job_id, outcome if problem is None else problem.message)
    return len(ids)


def _log(connection: Connection, job_id: str, message: str) -> None:
    connection.execute(job_log.insert().values(job_id=job_id, at_us=now_us(), message=message))


def _claimed(connection: Connection, job_id: str, *, again: bool) -> ClaimedJob:
    row = row_of(connection, job_id, _j.id, _j.dataset_id, _j.kind, _j.title, _j.params, _j.owner)
    return ClaimedJob(
        id=row.id,
        dataset_id=row.dataset_id,
        kind=row.kind,
        title=row.title,
        params=row.params,
        owner=row.owner,
        again=again,
    )
