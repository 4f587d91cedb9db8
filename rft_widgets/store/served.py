"""Deployments that a worker serves: what is wanted, who does it, and how it stands.

A row is made when somebody wants a deployment served. It stays when they do not any more, so that
it is served at the same port the next time.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from rft_widgets.store import datasets as dataset_rows
from rft_widgets.store.clock import now_us, to_datetime
from rft_widgets.store.schema import deployments, served

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

SILENT_S = 10.0
"""A worker that was not heard of for so long serves no more."""


class ServedRow(Struct, frozen=True, kw_only=True):
    """How a deployment is to be served, and is.

    ``asked_us`` tells one wish from the next. ``port`` is the one that it has or had last, 0 before
    there was any; ``said`` says why it is not served, or what is different.
    """

    deployment_id: str
    dataset_id: str
    is_wanted: bool
    host: str
    asked_port: int
    port: int
    asked_us: int
    owner: str
    ready_at: datetime | None
    beat_us: int | None
    said: str

    @property
    def is_silent(self) -> bool:
        """Whether nobody that lives is at work on it."""
        return self.beat_us is None or now_us() - self.beat_us > SILENT_S * 1e6


def want(store: Store, deployment_id: str, *, host: str, port: int) -> None:
    """Ask for a deployment to be served; port 0 is that from before, or a free one."""
    with store.write(durable=True) as connection:
        before = _read(connection, deployment_id, lock=True)
        values = {
            "wanted": 1,
            "host": host,
            "asked_port": port,
            "port": before.port if before is not None and port in (0, before.port) else 0,
            "asked_us": max(now_us(), before.asked_us + 1 if before is not None else 0),
            "owner": "",
            "ready_us": None,
            "beat_us": None,
            "said": "",
        }
        if before is None:
            connection.execute(served.insert().values(deployment_id=deployment_id, **values))
        else:
            _set(connection, deployment_id, **values)
        _tell(connection, deployment_id)


def unwant(connection: Connection, deployment_id: str) -> bool:
    """Ask for a deployment to be served no more; whether it was wanted."""
    moved = connection.execute(
        served.update()
        .where(served.c.deployment_id == deployment_id, served.c.wanted == 1)
        .values(wanted=0, owner="", ready_us=None, beat_us=None, said="")
    ).rowcount
    if moved:
        _tell(connection, deployment_id)
    return bool(moved)


def read(connection: Connection, deployment_id: str) -> ServedRow | None:
    """How a deployment is to be served; ``None`` where nobody ever wanted that."""
    return _read(connection, deployment_id)


def wanted(connection: Connection) -> tuple[ServedRow, ...]:
    """Every deployment that is to be served."""
    rows = connection.execute(_QUERY.where(served.c.wanted == 1).order_by(served.c.asked_us))
    return tuple(map(_row, rows))


def claim(store: Store, row: ServedRow, owner: str, *, is_alone: bool) -> bool:
    """Take the serving of a deployment; whether that was to be had.

    With ``is_alone`` there is no other worker, so whoever has it is dead.
    """
    free = sa.or_(
        served.c.owner.in_(("", owner)),
        served.c.beat_us < now_us() - int(SILENT_S * 1e6),
        sa.literal(is_alone),
    )
    with store.write() as connection:
        moved = connection.execute(
            served.update()
            .where(_same_wish(row), free)
            .values(owner=owner, ready_us=None, beat_us=now_us(), said="")
        ).rowcount
        if moved:
            _tell(connection, row.deployment_id)
    return bool(moved)


def ready(store: Store, row: ServedRow, owner: str, *, port: int, said: str) -> bool:
    """Say that a deployment is served; whether that is still wanted from this owner."""
    return _report(store, row, owner, port=port, said=said, ready_us=now_us(), beat_us=now_us())


def failed(store: Store, row: ServedRow, owner: str, said: str) -> bool:
    """Say why a deployment is not served; whether that is still wanted from this owner."""
    return _report(store, row, owner, said=said, ready_us=None, beat_us=now_us())


def beat(store: Store, owner: str) -> None:
    """Say that an owner is alive."""
    with store.write() as connection:
        connection.execute(served.update().where(served.c.owner == owner).values(beat_us=now_us()))


def release(store: Store, owner: str) -> None:
    """Let go of everything, so that another worker takes it up at once."""
    with store.write() as connection:
        mine = served.c.owner == owner
        left = connection.execute(sa.select(served.c.deployment_id).where(mine)).scalars().all()
        connection.execute(
            served.update().where(mine).values(owner="", ready_us=None, beat_us=None, said="")
        )
        for deployment_id in left:
            _tell(connection, deployment_id)


_QUERY = sa.select(served, deployments.c.dataset_id).join(
    deployments, deployments.c.id == served.c.deployment_id
)


def _read(connection: Connection, deployment_id: str, *, lock: bool = False) -> ServedRow | None:
    query = _QUERY.where(served.c.deployment_id == deployment_id)
    row = connection.execute(query.with_for_update(of=served) if lock else query).one_or_none()
    return None if row is None else _row(row)


def _set(connection: Connection, deployment_id: str, **values: Any) -> None:
    mine = served.c.deployment_id == deployment_id
    connection.execute(served.update().where(mine).values(**values))


def _report(store: Store, row: ServedRow, owner: str, **values: Any) -> bool:
    with store.write() as connection:
        moved = connection.execute(
            served.update().where(_same_wish(row), served.c.owner == owner).values(**values)
        ).rowcount
        if moved:
            _tell(connection, row.deployment_id)
    return bool(moved)


def _same_wish(row: ServedRow) -> sa.ColumnElement[bool]:
    return sa.and_(
        served.c.deployment_id == row.deployment_id,
        served.c.wanted == 1,
        served.c.asked_us == row.asked_us,
    )


def _tell(connection: Connection, deployment_id: str) -> None:
    """Count a change of the dataset, so that every view of it looks again."""
    query = sa.select(deployments.c.dataset_id).where(deployments.c.id == deployment_id)
    dataset_id = connection.execute(query).scalar()
    if dataset_id is not None:
        dataset_rows.change(connection, dataset_id)


def _row(row: Any) -> ServedRow:
    return ServedRow(
        deployment_id=row.deployment_id,
        dataset_id=row.dataset_id,
        is_wanted=bool(row.wanted),
        host=row.host,
        asked_port=row.asked_port,
        port=row.port,
        asked_us=row.asked_us,
        owner=row.owner,
        ready_at=None if row.ready_us is None else to_datetime(row.ready_us),
        beat_us=row.beat_us,
        said=row.said,
    )
