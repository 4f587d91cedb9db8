"""What a job has done piece by piece, so that it does no piece twice after a kill."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from rft_widgets.store.history import current_job
from rft_widgets.store.schema import job_items

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store


def keep(connection: Connection, items: Mapping[str, str]) -> None:
    """Note what the job of this thread has done, in the transaction of that; without one nothing.

    ``items`` are what came of each piece, by its name; what was noted of it before goes.
    """
    job_id = current_job.get()
    if job_id is not None and items:
        mine = sa.and_(job_items.c.job_id == job_id, job_items.c.item.in_(items))
        connection.execute(job_items.delete().where(mine))
        connection.execute(
            job_items.insert(),
            [{"job_id": job_id, "item": item, "data": data} for item, data in items.items()],
        )


def kept(store: Store) -> dict[str, str]:
    """What the job of this thread has noted, in this attempt and those before."""
    job_id = current_job.get()
    if job_id is None:
        return {}
    mine = sa.select(job_items.c.item, job_items.c.data).where(job_items.c.job_id == job_id)
    with store.read() as connection:
        return {row.item: row.data for row in connection.execute(mine)}
