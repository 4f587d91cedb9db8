"""Saved graders of a dataset, each a version, and which of them is in use."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from rft_widgets.errors import NotFound
from rft_widgets.model.grader import Grader, grader_from_json, grader_to_json
from rft_widgets.model.grader_version import GraderVersion, JudgedAt
from rft_widgets.store import datasets as dataset_rows
from rft_widgets.store import history
from rft_widgets.store.clock import now_us, to_datetime
from rft_widgets.store.schema import datasets, grader_versions


def save(
    connection: Connection,
    dataset_id: str,
    grader: Grader,
    grader_hash: str,
    model: JudgedAt | None,
) -> GraderVersion:
    """Save a grader and take it into use; one that was saved before keeps its version."""
    dataset_rows.live_set(connection, dataset_id, keep=True)  # nobody else saves meanwhile
    for known in read_all(connection, dataset_id):
        if known.hash == grader_hash and known.connection == model:
            use(connection, dataset_id, known)
            return known
    newest = connection.execute(
        sa.select(sa.func.coalesce(sa.func.max(grader_versions.c.version), 0)).where(
            grader_versions.c.dataset_id == dataset_id
        )
    ).scalar_one()
    now = now_us()
    made = GraderVersion(
        version=newest + 1,
        hash=grader_hash,
        grader=grader,
        connection=model,
        created_at=to_datetime(now),
    )
    connection.execute(
        grader_versions.insert().values(
            dataset_id=dataset_id,
            version=made.version,
            hash=grader_hash,
            grader=msgspec.json.encode(grader_to_json(grader)).decode(),
            connection=None if model is None else msgspec.json.encode(model).decode(),
            created_us=now,
        )
    )
    use(connection, dataset_id, made)
    return made


def use(connection: Connection, dataset_id: str, chosen: GraderVersion) -> None:
    """Take a saved version into use."""
    dataset_rows.change(connection, dataset_id, grader_version=chosen.version)
    history.log(
        connection,
        dataset_id,
        "set_grader",
        {
            "grader": grader_to_json(chosen.grader),
            "connection": None
            if chosen.connection is None
            else msgspec.to_builtins(chosen.connection),
            "version": chosen.version,
            "hash": chosen.hash,
        },
    )


def current(connection: Connection, dataset_id: str) -> GraderVersion | None:
    """The version in use."""
    row = connection.execute(
        sa.select(grader_versions)
        .join(
            datasets,
            sa.and_(
                datasets.c.id == grader_versions.c.dataset_id,
                datasets.c.grader_version == grader_versions.c.version,
            ),
        )
        .where(datasets.c.id == dataset_id)
    ).one_or_none()
    return None if row is None else _version(row)


def read(connection: Connection, dataset_id: str, version: int) -> GraderVersion:
    """One saved version; `NotFound` if there is none of that number."""
    for known in read_all(connection, dataset_id):
        if known.version == version:
            return known
    raise NotFound(
        f"Dataset {dataset_id} has no grader version {version}.",
        hint="grader_versions lists those that were saved.",
    )


def read_all(connection: Connection, dataset_id: str) -> tuple[GraderVersion, ...]:
    """Every saved version, the oldest first."""
    rows = connection.execute(
        sa.select(grader_versions)
        .where(grader_versions.c.dataset_id == dataset_id)
        .order_by(grader_versions.c.version)
    )
    return tuple(_version(row) for row in rows)


def _version(row: sa.Row[tuple[object, ...]]) -> GraderVersion:
    return GraderVersion(
        version=row.version,
        hash=row.hash,
        grader=grader_from_json(msgspec.json.decode(row.grader)),
        connection=None
        if row.connection is None
        else msgspec.json.decode(row.connection, type=JudgedAt),
        created_at=to_datetime(row.created_us),
    )
