"""Steps at work, so that every view can show that and how far they are."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from rft_widgets.store.clock import now_us
from rft_widgets.store.history import current_job
from rft_widgets.store.job_queue import SILENT_S
from rft_widgets.store.schema import activities, jobs

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

Tell = Callable[[float | None, str], None]
"""Is told the share that is done (0..1), ``None`` where it is not known, and what is being done."""

_EVERY_S = 0.5
_SILENT_US = 60_000_000
"""A step that was not heard of for so long was killed. One that a job does ends with the job."""


class Activity(Struct, frozen=True):
    """A step that is running: the share that is done (0..1) and what it is doing."""

    step: int
    share: float | None
    doing: str


@contextmanager
def working(store: Store, dataset_id: str, step: int, doing: str) -> Iterator[Tell]:
    """Say that a step is at work, until the block ends.

    Yields
    ------
    What to call with progress, as often as one likes: it writes twice a second. A step that stays
    silent is told of anew from time to time by a thread of its own, while the process lives.
    """
    shown: list[tuple[float | None, str]] = [(None, doing)]
    written = 0.0
    done = threading.Event()
    lock = threading.Lock()
    job_id = current_job.get()  # of this thread

    def write() -> None:
        nonlocal written
        with lock:
            written = time.monotonic()
            share, words = shown[0]
            with store.write() as connection:
                _put(connection, dataset_id, step, job_id, share, words)

    def tell(share: float | None, words: str) -> None:
        shown[0] = (share, words)
        if time.monotonic() - written >= _EVERY_S:
            write()

    def stay_known() -> None:
        while not done.wait(_SILENT_US / 3e6):
            write()

    write()
    thread = threading.Thread(target=stay_known, name="rft-activity", daemon=True)
    thread.start()
    try:
        yield tell
    finally:
        done.set()
        thread.join()
        with store.write() as connection:
            connection.execute(
                activities.delete().where(
                    activities.c.dataset_id == dataset_id, activities.c.step == step
                )
            )


def read(connection: Connection, dataset_id: str) -> dict[int, Activity]:
    """Steps of a dataset that are at work, by number."""
    rows = connection.execute(_heard_of().where(activities.c.dataset_id == dataset_id))
    return {row.step: Activity(row.step, row.share, row.doing) for row in rows}


def read_all(connection: Connection) -> dict[str, list[Activity]]:
    """Steps that are at work, by dataset."""
    found: dict[str, list[Activity]] = {}
    for row in connection.execute(_heard_of().order_by(activities.c.step)):
        found.setdefault(row.dataset_id, []).append(Activity(row.step, row.share, row.doing))
    return found


def _heard_of() -> sa.Select[Any]:
    lives = sa.and_(
        jobs.c.status == "running", jobs.c.beat_us > now_us() - int(SILENT_S * 1_000_000)
    )
    return (
        sa.select(activities)
        .outerjoin(jobs, jobs.c.id == activities.c.job_id)
        .where(
            activities.c.updated_us > now_us() - _SILENT_US,
            sa.or_(activities.c.job_id.is_(None), lives),
        )
    )


def _put(
    connection: Connection,
    dataset_id: str,
    step: int,
    job_id: str | None,
    share: float | None,
    doing: str,
) -> None:
    values = {"share": share, "doing": doing, "updated_us": now_us(), "job_id": job_id}
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    row = insert(activities).values(dataset_id=dataset_id, step=step, **values)
    # Two of them may do the same step at once.
    connection.execute(
        row.on_conflict_do_update(index_elements=["dataset_id", "step"], set_=values)
    )
