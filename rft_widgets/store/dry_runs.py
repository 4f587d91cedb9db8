"""Dry runs as the store has them: every graded answer as it comes, and the report at the end."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from rft_widgets.errors import NotFound
from rft_widgets.model.run import RunInputs
from rft_widgets.store import datasets as dataset_rows
from rft_widgets.store import history
from rft_widgets.store.clock import now_us, to_datetime
from rft_widgets.store.schema import datasets, dry_run_answers, dry_runs, records
from rft_widgets.store.texts import can_hold

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store


class DryRunRow(Struct, frozen=True, kw_only=True):
    """A dry run; ``report`` is JSON, ``None`` until it is finished."""

    id: str
    is_finished: bool
    config: dict[str, Any]
    inputs: RunInputs
    report: str | None
    started_at: datetime
    finished_at: datetime | None


def begin(
    store: Store,
    dataset_id: str,
    config: dict[str, Any],
    inputs: RunInputs,
    *,
    run_id: str | None = None,
) -> DryRunRow:
    """Open a dry run, under an id of the caller's choice if there is one."""
    run_id, now = run_id or f"dry_{secrets.token_hex(6)}", now_us()
    with store.write(durable=True) as connection:
        dataset_rows.change(connection, dataset_id)
        connection.execute(
            dry_runs.insert().values(
                id=run_id,
                dataset_id=dataset_id,
                status="running",
                config=msgspec.json.encode(config).decode(),
                inputs=msgspec.json.encode(inputs).decode(),
                started_us=now,
            )
        )
    return DryRunRow(
        id=run_id,
        is_finished=False,
        config=config,
        inputs=inputs,
        report=None,
        started_at=to_datetime(now),
        finished_at=None,
    )


def keep(store: Store, run_id: str, answers: Iterable[tuple[int, str]]) -> None:
    """Keep graded answers (place and JSON); what another process kept first stays."""
    rows = dict(answers)
    with store.write(durable=True) as connection:
        known = set(
            connection.execute(
                sa.select(dry_run_answers.c.position).where(
                    dry_run_answers.c.run_id == run_id, dry_run_answers.c.position.in_(rows)
                )
            ).scalars()
        )
        fresh = [
            {"run_id": run_id, "position": position, "data": data}
            for position, data in rows.items()
            if position not in known
        ]
        if fresh:
            connection.execute(dry_run_answers.insert(), fresh)


def kept(store: Store, run_id: str, *, after: int = -1) -> dict[int, str]:
    """Graded answers of a run that have a later place, as JSON, by place."""
    with store.read() as connection:
        rows = connection.execute(
            sa.select(dry_run_answers.c.position, dry_run_answers.c.data)
            .where(dry_run_answers.c.run_id == run_id, dry_run_answers.c.position > after)
            .order_by(dry_run_answers.c.position)
        ).all()
    return {row.position: row.data for row in rows}


def of_record(connection: Connection, run_id: str, record_id: str) -> tuple[str, ...]:
    """Graded answers of a run, as JSON, that name a record; few others may be among them."""
    if not can_hold(record_id):
        return ()
    named = f'"record_id":{msgspec.json.encode(record_id).decode()}'
    rows = connection.execute(
        sa.select(dry_run_answers.c.data)
        .where(
            dry_run_answers.c.run_id == run_id,
            dry_run_answers.c.data.contains(named, autoescape=True),
        )
        .order_by(dry_run_answers.c.position)
    )
    return tuple(rows.scalars())


def count_kept(store: Store, run_id: str) -> int:
    """How many graded answers of a run there are."""
    with store.read() as connection:
        return connection.execute(
            sa.select(sa.func.count()).where(dry_run_answers.c.run_id == run_id)
        ).scalar_one()


def finish(
    store: Store,
    dataset_id: str,
    run: DryRunRow,
    report: str,
    scores: dict[str, float],
    outcome: dict[str, Any],
) -> None:
    """End a run: its report, the records' scores (0..1 by id) and the event, in one transaction."""
    with store.write(durable=True) as connection:
        set_id = dataset_rows.live_set(connection, dataset_id, keep=True)
        connection.execute(
            dry_runs.update()
            .where(dry_runs.c.id == run.id)
            .values(status="done", report=report, finished_us=now_us())
        )
        if scores:
            place = sa.and_(records.c.set_id == set_id, records.c.id == sa.bindparam("record"))
            connection.execute(
                records.update().where(place).values(score=sa.bindparam("reward")),
                [{"record": key, "reward": value} for key, value in scores.items()],
            )
        dataset_rows.change(connection, dataset_id)
        inputs = msgspec.to_builtins(run.inputs)
        history.log(
            connection,
            dataset_id,
            "dry_run",
            {"run": run.id, **run.config, "inputs": inputs, "outcome": outcome},
        )


def read_all(connection: Connection, dataset_id: str) -> tuple[DryRunRow, ...]:
    """Dry runs of a dataset since its pipeline was last reset, the oldest first."""
    query = _since_reset(dataset_id).order_by(dry_runs.c.started_us, dry_runs.c.id)
    return tuple(_row(row) for row in connection.execute(query))


def last_finished(connection: Connection, dataset_id: str) -> DryRunRow | None:
    """The newest of them that has a report."""
    newest = (
        _since_reset(dataset_id)
        .where(dry_runs.c.status == "done")
        .order_by(dry_runs.c.started_us.desc(), dry_runs.c.id.desc())
        .limit(1)
    )
    row = connection.execute(newest).one_or_none()
    return None if row is None else _row(row)


def newest(connection: Connection, dataset_id: str) -> DryRunRow | None:
    """The dry run that was begun last, whether it is finished or not."""
    query = _since_reset(dataset_id).order_by(dry_runs.c.started_us.desc(), dry_runs.c.id.desc())
    row = connection.execute(query.limit(1)).one_or_none()
    return None if row is None else _row(row)


def read(connection: Connection, dataset_id: str, run_id: str) -> DryRunRow:
    """One dry run; `NotFound` if the dataset has none of that id."""
    row = connection.execute(
        sa.select(dry_runs).where(dry_runs.c.dataset_id == dataset_id, dry_runs.c.id == run_id)
    ).one_or_none()
    if row is None:
        raise NotFound(
            f"Dataset {dataset_id} has no dry run {run_id!r}.", hint="dry_runs lists them."
        )
    return _row(row)


def _since_reset(dataset_id: str) -> sa.Select[Any]:
    since = (
        sa.select(sa.func.coalesce(datasets.c.reset_us, 0))
        .where(datasets.c.id == dataset_id)
        .scalar_subquery()
    )
    return sa.select(dry_runs).where(
        dry_runs.c.dataset_id == dataset_id, dry_runs.c.started_us > since
    )


def _row(row: Any) -> DryRunRow:
    return DryRunRow(
        id=row.id,
        is_finished=row.status == "done",
        config=msgspec.json.decode(row.config),
        inputs=msgspec.json.decode(row.inputs, type=RunInputs),
        report=row.report,
        started_at=to_datetime(row.started_us),
        finished_at=None if row.finished_us is None else to_datetime(row.finished_us),
    )
