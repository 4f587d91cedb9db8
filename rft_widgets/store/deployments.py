"""Deployments as the store has them, and what went through them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import sqlalchemy as sa
import zstandard
from msgspec import Struct
from sqlalchemy.engine import Connection

from rft_widgets.errors import NotFound
from rft_widgets.store import datasets as dataset_rows
from rft_widgets.store import history, served
from rft_widgets.store.clock import now_us, to_datetime
from rft_widgets.store.schema import deployments, exchanges

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

DeploymentStatus = Literal["active", "rolled_back"]
_CHUNK = 500


class DeploymentRow(Struct, frozen=True, kw_only=True):
    """A deployment; ``config`` is JSON."""

    id: str
    dataset_id: str
    job_id: str
    status: DeploymentStatus
    config: str
    created_at: datetime
    rolled_back_at: datetime | None


class ArmTotals(Struct, frozen=True, kw_only=True):
    """What went through one arm: requests, how many failed, mean seconds of the others."""

    requests: int
    failed: int
    mean_duration_s: float | None


def create(store: Store, dataset_id: str, job_id: str, config: dict[str, Any]) -> str:
    """Make a deployment."""
    key = f"dep_{secrets.token_hex(6)}"
    with store.write(durable=True) as connection:
        dataset_rows.change(connection, dataset_id)
        connection.execute(
            deployments.insert().values(
                id=key,
                dataset_id=dataset_id,
                job_id=job_id,
                status="active",
                config=msgspec.json.encode(config).decode(),
                created_us=now_us(),
            )
        )
        history.log(connection, dataset_id, "deploy", {"deployment": key, "job": job_id, **config})
    return key


def roll_back(store: Store, deployment_id: str, *, has_base: bool) -> bool:
    """Send everything to the base arm from now on; whether that was new.

    Without a base arm there is nothing left to serve, and the worker ends.
    """
    with store.write(durable=True) as connection:
        row = read(connection, deployment_id)
        moved = connection.execute(
            deployments.update()
            .where(deployments.c.id == deployment_id, deployments.c.status == "active")
            .values(status="rolled_back", rolled_back_us=now_us())
        ).rowcount
        if moved:
            if not has_base:
                served.unwant(connection, deployment_id)
            dataset_rows.change(connection, row.dataset_id)
            history.log(connection, row.dataset_id, "roll_back", {"deployment": deployment_id})
    return bool(moved)


def read(
    connection: Connection, deployment_id: str, dataset_id: str | None = None
) -> DeploymentRow:
    """One deployment; `NotFound` if there is none of that id (in that dataset)."""
    row = connection.execute(
        sa.select(deployments).where(deployments.c.id == deployment_id)
    ).one_or_none()
    if row is None or (dataset_id is not None and row.dataset_id != dataset_id):
        raise NotFound(f"There is no deployment {deployment_id!r}.", hint="deployments lists them.")
    return _row(row)


def read_all(connection: Connection, dataset_id: str) -> tuple[DeploymentRow, ...]:
    """Deployments of a dataset, the oldest first."""
    rows = connection.execute(
        sa.select(deployments)
        .where(deployments.c.dataset_id == dataset_id)
        .order_by(deployments.c.created_us, deployments.c.id)
    )
    return tuple(_row(row) for row in rows)


def record(
    store: Store,
    deployment_id: str,
    *,
    arm: str,
    failed: bool,
    duration_s: float,
    data: bytes | None,
) -> None:
    """Keep one exchange; ``data`` is its JSON."""
    with store.write() as connection:
        connection.execute(
            exchanges.insert().values(
                deployment_id=deployment_id,
                arm=arm,
                failed=int(failed),
                at_us=now_us(),
                duration_us=int(duration_s * 1e6),
                data=None if data is None else zstandard.compress(data),
            )
        )


def totals(store: Store, deployment_id: str) -> dict[str, ArmTotals]:
    """What went through each arm."""
    answered = sa.case((exchanges.c.failed == 0, exchanges.c.duration_us))
    with store.read() as connection:
        rows = connection.execute(
            sa.select(
                exchanges.c.arm,
                sa.func.count().label("requests"),
                sa.func.sum(exchanges.c.failed).label("failed"),
                sa.func.avg(answered).label("mean"),
            )
            .where(exchanges.c.deployment_id == deployment_id)
            .group_by(exchanges.c.arm)
            .order_by(exchanges.c.arm)
        ).all()
    return {
        row.arm: ArmTotals(
            requests=row.requests,
            failed=int(row.failed),
            mean_duration_s=None if row.mean is None else float(row.mean) / 1e6,
        )
        for row in rows
    }


def iterate(store: Store, deployment_id: str) -> Iterator[tuple[str, datetime, bytes]]:
    """Arm, time and JSON of every exchange that was kept whole, in order."""
    done = 0
    while True:
        with store.read() as connection:
            rows = connection.execute(
                sa.select(exchanges)
                .where(
                    exchanges.c.deployment_id == deployment_id,
                    exchanges.c.seq > done,
                    exchanges.c.data.is_not(None),
                )
                .order_by(exchanges.c.seq)
                .limit(_CHUNK)
            ).all()
        if not rows:
            return
        done = rows[-1].seq
        for row in rows:
            yield row.arm, to_datetime(row.at_us), zstandard.decompress(bytes(row.data))


def _row(row: Any) -> DeploymentRow:
    return DeploymentRow(
        id=row.id,
        dataset_id=row.dataset_id,
        job_id=row.job_id,
        status=row.status,
        config=row.config,
        created_at=to_datetime(row.created_us),
        rolled_back_at=None if row.rolled_back_us is None else to_datetime(row.rolled_back_us),
    )
