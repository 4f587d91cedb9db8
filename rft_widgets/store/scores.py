"""Scores of records outside of dry runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from rft_widgets.store import datasets, history, job_items
from rft_widgets.store.schema import records

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store


def keep(
    store: Store, dataset_id: str, scores: Mapping[str, float], said: Mapping[str, str]
) -> None:
    """Set the scores of records by id; those that are gone meanwhile are passed over.

    ``said`` is what a job notes of each record, also of those that have no score.
    """
    with store.write() as connection:
        job_items.keep(connection, said)
        if not scores:
            return
        set_id = datasets.live_set(connection, dataset_id, keep=True)
        place = sa.and_(records.c.set_id == set_id, records.c.id == sa.bindparam("record"))
        connection.execute(
            records.update().where(place).values(score=sa.bindparam("reward")),
            [{"record": key, "reward": value} for key, value in scores.items()],
        )
        datasets.change(connection, dataset_id)


def log(store: Store, dataset_id: str, details: dict[str, Any]) -> None:
    """Note that records were evaluated."""
    with store.write(durable=True) as connection:
        history.log(connection, dataset_id, "evaluate", details)
