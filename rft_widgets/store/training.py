"""Training jobs as the store has them: who works on them, how far they are, what came of them.

A job belongs to whoever claimed it last. Every write of a worker names itself as the owner and is
refused when somebody else has taken the job over, so that no job has two workers for long.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import sqlalchemy as sa
import zstandard
from msgspec import Struct
from sqlalchemy.engine import Connection

from rft_widgets.errors import AlreadyAtWork, InvalidArgument, NotFound, TrainingStopped
from rft_widgets.model.run import RunInputs
from rft_widgets.store import datasets as dataset_rows
from rft_widgets.store import history, job_queue, jobs
from rft_widgets.store.clock import now_us, to_datetime
from rft_widgets.store.schema import (
    training_checkpoints,
    training_documents,
    training_jobs,
    training_log,
    training_rollouts,
)

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

JobStatus = Literal["pending", "running", "paused", "completed", "failed", "cancelled"]
Request = Literal["", "pause", "cancel"]

FINAL: tuple[JobStatus, ...] = ("completed", "failed", "cancelled")
KIND = "train"
"""Kind of the job that works on a training job, which its params name."""
SILENT_S = 5.0
"""One that nobody is to work on, and that was not heard of for so long, was killed."""


class Runner(Struct, frozen=True):
    """The job that works on a training job, or waits for its turn to."""

    job_id: str
    is_waiting: bool


class TrainingRow(Struct, frozen=True, kw_only=True):
    """A training job; ``config``, ``progress`` and ``report`` are JSON.

    ``served_step`` is the checkpoint that somebody chose. ``runner`` is the job that works on it or
    is about to; ``None`` where there is none.
    """

    id: str
    dataset_id: str
    status: JobStatus
    requested: Request
    owner: str
    config: str
    inputs: RunInputs
    progress: str | None
    report: str | None
    error: str | None
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None
    served_step: int | None = None
    runner: Runner | None = None


class SplitIds(Struct, frozen=True, kw_only=True):
    """Ids of the records that a job trains and validates on."""

    train: tuple[str, ...]
    valid: tuple[str, ...]


def create(
    store: Store, dataset_id: str, *, config: str, inputs: RunInputs, split: SplitIds
) -> str:
    """Make a job that waits to be worked on."""
    job_id, now = f"job_{secrets.token_hex(6)}", now_us()
    with store.write(durable=True) as connection:
        dataset_rows.change(connection, dataset_id)
        connection.execute(
            training_jobs.insert().values(
                id=job_id,
                dataset_id=dataset_id,
                status="pending",
                requested="",
                owner="",
                config=config,
                inputs=msgspec.json.encode(inputs).decode(),
                split=zstandard.compress(msgspec.json.encode(split)),
                created_us=now,
                updated_us=now,
            )
        )
        details = {"job": job_id, "config": msgspec.json.decode(config)}
        history.log(
            connection, dataset_id, "train", details | {"inputs": msgspec.to_builtins(inputs)}
        )
    return job_id


def claim(store: Store, job_id: str, owner: str) -> TrainingRow:
    """Take a job: from now on its former worker's writes are refused.

    One that was paused or has ended stays so.
    """
    with store.write(durable=True) as connection:
        if _read(connection, job_id, lock=True).status in ("pending", "running"):
            # What was asked of its former worker is asked of this one.
            _set(connection, job_id, status="running", owner=owner, error=None)
        return _read(connection, job_id)


def reopen(store: Store, job_id: str) -> TrainingRow:
    """Let a job that was paused or killed wait to be worked on again.

    Raises
    ------
    InvalidArgument
        It has ended, or somebody is at work on it.
    """
    with store.write(durable=True) as connection:
        row = _read(connection, job_id, lock=True)
        if row.status in FINAL:
            raise InvalidArgument(
                f"Training job {job_id} has ended: {row.status}.", hint="Start a new one."
            )
        if row.status != "paused" and not is_silent(row):
            raise AlreadyAtWork(
                f"Training job {job_id} is being worked on.",
                hint="Let it go on, or pause it first.",
            )
        _set(connection, job_id, status="pending", requested="", error=None)
        dataset_rows.change(connection, row.dataset_id)
    return row


def is_silent(row: TrainingRow) -> bool:
    """Whether a job that is neither paused nor at its end has nobody who works on it."""
    if row.status not in ("pending", "running") or row.runner is not None:
        return False
    return (now_us() - int(row.updated_at.timestamp() * 1e6)) / 1e6 > SILENT_S


def beat(store: Store, job_id: str, owner: str) -> Request:
    """Say that a job is being worked on, and learn what was asked of it."""
    with store.write() as connection:
        _update(connection, job_id, owner)
        return _read(connection, job_id).requested


def save_state(store: Store, job_id: str, owner: str, state: bytes) -> None:
    """Keep what the trainer needs to go on from here."""
    with store.write(durable=True) as connection:
        _update(connection, job_id, owner, state=state)


def load_state(store: Store, job_id: str) -> bytes | None:
    """What was kept last."""
    with store.read() as connection:
        found = connection.execute(
            sa.select(training_jobs.c.state).where(training_jobs.c.id == job_id)
        ).scalar()
    return None if found is None else bytes(found)


def report_progress(store: Store, job_id: str, owner: str, progress: str) -> None:
    """Say how far a job is."""
    with store.write() as connection:
        _update(connection, job_id, owner, progress=progress)
        dataset_rows.change(connection, _read(connection, job_id).dataset_id)


def save_checkpoint(store: Store, job_id: str, owner: str, step: int, data: str) -> None:
    """Keep a checkpoint; one of the same step is replaced."""
    with store.write(durable=True) as connection:
        _update(connection, job_id, owner)
        mine = sa.and_(training_checkpoints.c.job_id == job_id, training_checkpoints.c.step == step)
        connection.execute(training_checkpoints.delete().where(mine))
        connection.execute(
            training_checkpoints.insert().values(job_id=job_id, step=step, data=data)
        )


def checkpoints(store: Store, job_id: str) -> tuple[str, ...]:
    """Checkpoints of a job as JSON, by step."""
    with store.read() as connection:
        return tuple(
            connection.execute(
                sa.select(training_checkpoints.c.data)
                .where(training_checkpoints.c.job_id == job_id)
                .order_by(training_checkpoints.c.step)
            ).scalars()
        )


def save_rollouts(
    store: Store, job_id: str, owner: str, step: int, rollouts: Sequence[str]
) -> None:
    """Keep answers of a step as JSON; those of the same step that were kept before go."""
    with store.write() as connection:
        _update(connection, job_id, owner)
        mine = sa.and_(training_rollouts.c.job_id == job_id, training_rollouts.c.step == step)
        connection.execute(training_rollouts.delete().where(mine))
        if rollouts:
            connection.execute(
                training_rollouts.insert(),
                [
                    {"job_id": job_id, "step": step, "position": position, "data": data}
                    for position, data in enumerate(rollouts)
                ],
            )


def rollout_steps(store: Store, job_id: str) -> tuple[int, ...]:
    """Steps of a job that have answers, in order."""
    column = training_rollouts.c.step
    query = sa.select(column).where(training_rollouts.c.job_id == job_id).distinct()
    with store.read() as connection:
        return tuple(connection.execute(query.order_by(column)).scalars())


def rollouts(store: Store, job_id: str, step: int) -> tuple[str, ...]:
    """Answers of a step as JSON, in order."""
    mine = sa.and_(training_rollouts.c.job_id == job_id, training_rollouts.c.step == step)
    query = sa.select(training_rollouts.c.data).where(mine)
    with store.read() as connection:
        return tuple(connection.execute(query.order_by(training_rollouts.c.position)).scalars())


def save_document(store: Store, job_id: str, name: str, data: str) -> None:
    """Keep something about a job as JSON, by its name; what was kept by that name goes."""
    mine = sa.and_(training_documents.c.job_id == job_id, training_documents.c.name == name)
    with store.write(durable=True) as connection:
        row = _read(connection, job_id, lock=True)
        connection.execute(training_documents.delete().where(mine))
        connection.execute(
            training_documents.insert().values(job_id=job_id, name=name, at_us=now_us(), data=data)
        )
        dataset_rows.change(connection, row.dataset_id)


def read_document(store: Store, job_id: str, name: str) -> tuple[datetime, str] | None:
    """What was kept by a name, and when."""
    mine = sa.and_(training_documents.c.job_id == job_id, training_documents.c.name == name)
    query = sa.select(training_documents.c.at_us, training_documents.c.data).where(mine)
    with store.read() as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else (to_datetime(row.at_us), row.data)


def choose(store: Store, job_id: str, step: int | None) -> None:
    """Have a checkpoint served instead of the one that the run chose; ``None`` for that one."""
    with store.write(durable=True) as connection:
        row = _read(connection, job_id, lock=True)
        _set(connection, job_id, served_step=step)
        dataset_rows.change(connection, row.dataset_id)
        details = {"job": job_id, "step": step}
        history.log(connection, row.dataset_id, "checkpoint_chosen", details)


def run_folder(store: Store, job_id: str) -> Path:
    """The folder of a job, for what is large; it is made by whoever writes to it."""
    return store.side_folder / "runs" / job_id


def remove_folders(store: Store, job_ids: Iterable[str]) -> None:
    """Remove the folders of jobs that are no more."""
    for job_id in job_ids:
        shutil.rmtree(run_folder(store, job_id), ignore_errors=True)


def log(store: Store, job_id: str, message: str) -> None:
    """Append a line to a job's log."""
    with store.write() as connection:
        connection.execute(
            training_log.insert().values(job_id=job_id, at_us=now_us(), message=message)
        )


def read_log(store: Store, job_id: str) -> tuple[tuple[datetime, str], ...]:
    """Lines of a job's log with their times."""
    with store.read() as connection:
        rows = connection.execute(
            sa.select(training_log.c.at_us, training_log.c.message)
            .where(training_log.c.job_id == job_id)
            .order_by(training_log.c.seq)
        ).all()
    return tuple((to_datetime(row.at_us), row.message) for row in rows)


def request(store: Store, job_id: str, wish: Request) -> TrainingRow:
    """Ask the worker of a job to pause or to cancel; without a worker it takes effect at once."""
    with store.write(durable=True) as connection:
        row = _read(connection, job_id, lock=True)
        if row.status in FINAL or (row.status == "paused" and wish == "pause"):
            return row
        runner = row.runner
        is_idle = runner.is_waiting if runner is not None else row.status != "running"
        if is_idle or is_silent(row):
            status = {"pause": "paused", "cancel": "cancelled"}[wish]
            _end(connection, row, status=status, owner="", requested="")
            if runner is not None:
                job_queue.cancel_waiting(connection, runner.job_id, f"It was {status}.")
        else:
            _set(connection, job_id, requested=wish)
            dataset_rows.change(connection, row.dataset_id)
        return _read(connection, job_id)


def end(store: Store, job_id: str, owner: str, status: JobStatus, **values: Any) -> None:
    """End a worker's work on a job: ``report``, ``artifact`` or ``error`` as the status has it."""
    with store.write(durable=True) as connection:
        _update(connection, job_id, owner)
        _end(connection, _read(connection, job_id), status=status, requested="", **values)


def read(connection: Connection, job_id: str, dataset_id: str | None = None) -> TrainingRow:
    """One job; `NotFound` if there is none of that id (in that dataset)."""
    row = _read(connection, job_id)
    if dataset_id is not None and row.dataset_id != dataset_id:
        raise _missing(job_id)
    return row


def read_all(connection: Connection, dataset_id: str) -> tuple[TrainingRow, ...]:
    """Jobs of a dataset, the oldest first."""
    rows = connection.execute(
        sa.select(*_NARROW)
        .where(training_jobs.c.dataset_id == dataset_id)
        .order_by(training_jobs.c.created_us, training_jobs.c.id)
    ).all()
    runners = runners_of(connection, dataset_id) if rows else {}
    return tuple(_row(row, runners) for row in rows)


def runners_of(connection: Connection, dataset_id: str) -> dict[str, Runner]:
    """The jobs that work on training jobs of a dataset or are about to, by those."""
    found = {}
    for one in jobs.at_work(connection, dataset_id, KIND):
        params = msgspec.json.decode(one.params, type=_RunnerParams)
        found[params.training_job] = Runner(one.id, one.is_waiting)
    return found


class _RunnerParams(Struct):
    training_job: str


def count(connection: Connection, dataset_id: str) -> int:
    """How many jobs a dataset has had."""
    query = sa.select(sa.func.count()).where(training_jobs.c.dataset_id == dataset_id)
    return int(connection.execute(query).scalar_one())


def read_split(store: Store, job_id: str) -> SplitIds:
    """What a job trains and validates on."""
    with store.read() as connection:
        data = connection.execute(
            sa.select(training_jobs.c.split).where(training_jobs.c.id == job_id)
        ).scalar_one()
    return msgspec.json.decode(zstandard.decompress(bytes(data)), type=SplitIds)


def read_artifact(store: Store, job_id: str) -> bytes | None:
    """The trained policy; ``None`` where none came of it."""
    with store.read() as connection:
        data = connection.execute(
            sa.select(training_jobs.c.artifact).where(training_jobs.c.id == job_id)
        ).scalar()
    return None if data is None else bytes(data)


_NARROW = tuple(
    training_jobs.c[name]
    for name in (
        "id", "dataset_id", "status", "requested", "owner", "config", "inputs", "progress",
        "report", "error", "created_us", "updated_us", "finished_us", "served_step",
    )
)  # fmt: skip


def _read(connection: Connection, job_id: str, *, lock: bool = False) -> TrainingRow:
    query = sa.select(*_NARROW).where(training_jobs.c.id == job_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise _missing(job_id)
    is_over = row.status not in ("pending", "running")
    return _row(row, {} if is_over else runners_of(connection, row.dataset_id))


def _update(connection: Connection, job_id: str, owner: str, **values: Any) -> None:
    mine = sa.and_(
        training_jobs.c.id == job_id,
        training_jobs.c.owner == owner,
        training_jobs.c.status == "running",
    )
    moved = connection.execute(
        training_jobs.update().where(mine).values(updated_us=now_us(), **values)
    ).rowcount
    if moved != 1:
        raise TrainingStopped(
            f"Training job {job_id} was taken over or ended by somebody else.",
            hint="Nothing is lost: it goes on there.",
            reason="taken_over",
        )


def _set(connection: Connection, job_id: str, **values: Any) -> None:
    connection.execute(
        training_jobs.update()
        .where(training_jobs.c.id == job_id)
        .values(updated_us=now_us(), **values)
    )


def _end(connection: Connection, row: TrainingRow, *, status: str, **values: Any) -> None:
    if status in FINAL:
        values["finished_us"] = now_us()
        values["state"] = None
    _set(connection, row.id, status=status, **values)
    dataset_rows.change(connection, row.dataset_id)
    history.log(connection, row.dataset_id, "training_ended", {"job": row.id, "status": status})


def _row(row: Any, runners: Mapping[str, Runner]) -> TrainingRow:
    return TrainingRow(
        id=row.id,
        dataset_id=row.dataset_id,
        status=row.status,
        requested=row.requested,
        owner=row.owner,
        config=row.config,
        inputs=msgspec.json.decode(row.inputs, type=RunInputs),
        progress=row.progress,
        report=row.report,
        error=row.error,
        created_at=to_datetime(row.created_us),
        updated_at=to_datetime(row.updated_us),
        finished_at=None if row.finished_us is None else to_datetime(row.finished_us),
        served_step=row.served_step,
        runner=runners.get(row.id) if row.status in ("pending", "running") else None,
    )


def _missing(job_id: str) -> NotFound:
    return NotFound(f"There is no training job {job_id!r}.", hint="training_jobs lists them.")
