"""Rows of datasets and their record sets."""

from __future__ import annotations

import secrets
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from rft_widgets.errors import InvalidArgument, NotFound
from rft_widgets.model.dataset import DatasetInfo, DatasetSource
from rft_widgets.store.clock import now_us, to_datetime
from rft_widgets.store.schema import (
    activities,
    candidates,
    datasets,
    deletions,
    deployments,
    dry_run_answers,
    dry_runs,
    events,
    exchanges,
    generation_batches,
    grader_versions,
    human_labels,
    imports,
    issues,
    job_items,
    job_log,
    jobs,
    model_calls,
    model_notes,
    model_works,
    record_sets,
    served,
    training_checkpoints,
    training_documents,
    training_jobs,
    training_log,
    training_rollouts,
)
from rft_widgets.store.texts import can_hold


def create(connection: Connection, *, name: str, objective: str, source: DatasetSource) -> str:
    """Make an empty dataset and return its id."""
    _check_texts({"name": name, "objective": objective})
    dataset_id = f"ds_{secrets.token_hex(6)}"
    now = now_us()
    connection.execute(
        datasets.insert().values(
            id=dataset_id,
            name=name,
            objective=objective,
            source=source,
            set_id=create_set(connection, dataset_id, "live"),
            revision=1,
            created_us=now,
            updated_us=now,
        )
    )
    return dataset_id


def create_set(connection: Connection, dataset_id: str, role: str) -> int:
    """Make an empty record set: ``live``, ``staging`` or ``trash``."""
    result = connection.execute(
        record_sets.insert().values(dataset_id=dataset_id, role=role, created_us=now_us())
    )
    key = result.inserted_primary_key
    assert key is not None  # noqa: S101 - an insert of one row always has it
    return int(key[0])


def read(connection: Connection, dataset_id: str) -> DatasetInfo:
    """Describe one dataset; `NotFound` if there is none of that id."""
    _check_id(dataset_id)
    row = connection.execute(sa.select(datasets).where(datasets.c.id == dataset_id)).one_or_none()
    if row is None:
        raise _missing(dataset_id)
    return _info(row)


def read_all(connection: Connection) -> tuple[DatasetInfo, ...]:
    """Describe every dataset, the last changed first."""
    rows = connection.execute(sa.select(datasets).order_by(datasets.c.updated_us.desc()))
    return tuple(_info(row) for row in rows)


def live_set(connection: Connection, dataset_id: str, *, keep: bool = False) -> int:
    """Id of the set that holds a dataset's records; `NotFound` if there is no such dataset.

    With ``keep`` nobody else replaces that set until the end of the transaction.
    """
    _check_id(dataset_id)
    query = sa.select(datasets.c.set_id).where(datasets.c.id == dataset_id)
    set_id = connection.execute(query.with_for_update() if keep else query).scalar()
    if set_id is None:
        raise _missing(dataset_id)
    return int(set_id)


def copy_setup(connection: Connection, source: str, to: str) -> None:
    """Give a dataset the topics and the coverage targets of another one."""
    query = sa.select(datasets.c.topics, datasets.c.targets).where(datasets.c.id == source)
    row = connection.execute(query).one()
    change(connection, to, topics=row.topics, targets=row.targets)


def set_and_revision(connection: Connection, dataset_id: str) -> tuple[int, int]:
    """Id of the live set and the revision of its dataset."""
    _check_id(dataset_id)
    row = connection.execute(
        sa.select(datasets.c.set_id, datasets.c.revision).where(datasets.c.id == dataset_id)
    ).one_or_none()
    if row is None:
        raise _missing(dataset_id)
    return row.set_id, row.revision


def records_revision(connection: Connection, dataset_id: str) -> int:
    """Count of the changes of a dataset's records and of their topics."""
    query = sa.select(datasets.c.records_revision).where(datasets.c.id == dataset_id)
    return int(connection.execute(query).scalar_one())


def touch(connection: Connection, dataset_id: str) -> None:
    """Count a change of the dataset's records or of their topics."""
    change(connection, dataset_id, records_revision=datasets.c.records_revision + 1)


def change(connection: Connection, dataset_id: str, **values: Any) -> None:
    """Change columns of a dataset, and count that; nothing but a count without any."""
    result = connection.execute(
        datasets.update()
        .where(datasets.c.id == dataset_id)
        .values(revision=datasets.c.revision + 1, updated_us=now_us(), **values)
    )
    if result.rowcount == 0:
        raise _missing(dataset_id)


def describe(connection: Connection, dataset_id: str, **values: str) -> None:
    """Change name or objective."""
    _check_texts(values)
    change(connection, dataset_id, **values)


def make_live(connection: Connection, dataset_id: str, set_id: int) -> int:
    """Point a dataset to another set, and return the set that was live before."""
    before = live_set(connection, dataset_id)
    connection.execute(datasets.update().where(datasets.c.id == dataset_id).values(set_id=set_id))
    _set_role(connection, before, "trash")
    _set_role(connection, set_id, "live")
    return before


def remove(connection: Connection, dataset_id: str) -> tuple[int, ...]:
    """Remove a dataset's row at once and return its sets, now orphans, for `purge`."""
    live_set(connection, dataset_id, keep=True)  # nobody makes another set of it meanwhile
    sets = tuple(
        connection.execute(
            sa.select(record_sets.c.id).where(record_sets.c.dataset_id == dataset_id)
        ).scalars()
    )
    connection.execute(datasets.delete().where(datasets.c.id == dataset_id))
    # Issues of records go with the records; those of refused lines belong to the imports.
    owned = sa.select(imports.c.id).where(imports.c.dataset_id == dataset_id)
    connection.execute(issues.delete().where(issues.c.seq.is_(None), issues.c.import_id.in_(owned)))
    for parts, column, whole in (
        (dry_run_answers, dry_run_answers.c.run_id, dry_runs),
        (training_checkpoints, training_checkpoints.c.job_id, training_jobs),
        (training_documents, training_documents.c.job_id, training_jobs),
        (training_log, training_log.c.job_id, training_jobs),
        (training_rollouts, training_rollouts.c.job_id, training_jobs),
        (exchanges, exchanges.c.deployment_id, deployments),
        (served, served.c.deployment_id, deployments),
        (job_log, job_log.c.job_id, jobs),
        (job_items, job_items.c.job_id, jobs),
        (candidates, candidates.c.batch_id, generation_batches),
    ):
        mine = sa.select(whole.c.id).where(whole.c.dataset_id == dataset_id)
        connection.execute(parts.delete().where(column.in_(mine)))
    for table in (
        deletions, imports, events, activities, grader_versions, dry_runs, training_jobs,
        deployments, jobs, model_calls, model_works, model_notes, generation_batches,
        human_labels,
    ):  # fmt: skip
        connection.execute(table.delete().where(table.c.dataset_id == dataset_id))
    connection.execute(
        record_sets.update().where(record_sets.c.dataset_id == dataset_id).values(role="trash")
    )
    return sets


def trash_sets(connection: Connection) -> tuple[int, ...]:
    """Ids of the sets that hold deleted or replaced records."""
    return tuple(
        connection.execute(
            sa.select(record_sets.c.id).where(record_sets.c.role == "trash")
        ).scalars()
    )


def _set_role(connection: Connection, set_id: int, role: str) -> None:
    connection.execute(record_sets.update().where(record_sets.c.id == set_id).values(role=role))


def _info(row: sa.Row[tuple[object, ...]]) -> DatasetInfo:
    return DatasetInfo(
        id=row.id,
        name=row.name,
        objective=row.objective,
        source=row.source,
        created_at=to_datetime(row.created_us),
        updated_at=to_datetime(row.updated_us),
        revision=row.revision,
        reset_at=None if row.reset_us is None else to_datetime(row.reset_us),
    )


def _check_id(dataset_id: str) -> None:
    if not can_hold(dataset_id):
        raise _missing(dataset_id)


def _check_texts(values: dict[str, str]) -> None:
    if not values.get("name", "unchanged"):
        raise InvalidArgument("A dataset needs a name.", hint="Pass a text that is not empty.")
    for what, text in values.items():
        if not can_hold(text):
            raise InvalidArgument(
                f"The {what} {text[:40]!r} holds U+0000 or half of a surrogate pair.",
                hint="Leave that character out.",
            )


def _missing(dataset_id: str) -> NotFound:
    return NotFound(
        f"There is no dataset {dataset_id!r} in this store.",
        hint="Workspace.datasets() lists those that exist.",
    )
