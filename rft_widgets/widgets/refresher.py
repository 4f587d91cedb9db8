"""Views follow their dataset: one thread a store, while anything is shown, asks if it changed.

What it asks is one cheap counter: on SQLite the file's own (microseconds, and it sees every
process), on PostgreSQL the dataset's revision and its steps at work. Only when that moved is the
state read, once for all views of the dataset, and sent where it differs.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable, Hashable
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from rft_widgets.dataset import OptimizationDataset
from rft_widgets.model.job import JobState
from rft_widgets.model.pipeline import PipelineState
from rft_widgets.model.problem import Problem, problem_of
from rft_widgets.model.record import HealthReport
from rft_widgets.store import jobs
from rft_widgets.store.connection import Store
from rft_widgets.store.pulse import FileChanges
from rft_widgets.store.schema import activities, datasets, training_jobs

logger = logging.getLogger(__name__)

EVERY_S = 0.1
"""How often the counter is asked for: at most ten changes a second reach a page."""
ANYWAY_S = 15.0
"""How often the state is read without a change: a step that fell silent is no longer at work."""
REST = 3.0
"""Pause after reading a state, in multiples of what that took: a large dataset that changes all
the time leaves most of a core to what changes it."""


class Snapshot(Struct, frozen=True, kw_only=True):
    """How a dataset stands, or why that cannot be told."""

    name: str = ""
    revision: int = 0
    jobs: tuple[JobState, ...] = ()
    pipeline: PipelineState | None = None
    health: HealthReport | None = None
    problem: Problem | None = None


Listener = Callable[[Snapshot], None]


def read_snapshot(dataset: OptimizationDataset) -> Snapshot:
    """Read how a dataset stands now. Never raises: a view shows what went wrong."""
    try:
        info = dataset.info
        return Snapshot(
            name=info.name,
            revision=info.revision,
            jobs=dataset.job_states,
            pipeline=dataset.pipeline,
            health=dataset.health,
        )
    except Exception as error:  # a view that dies silently shows yesterday's state for ever
        problem = problem_of(error)
        if problem.code == "internal":
            logger.exception("The dataset %s cannot be read.", dataset.id)
        return Snapshot(problem=problem)


class _Followed:
    """A dataset, and who listens to it."""

    def __init__(self, dataset: OptimizationDataset) -> None:
        self.dataset = dataset
        self.listeners: dict[int, Listener] = {}
        self.fresh: set[int] = set()
        self.counter: Hashable = None
        self.last: Snapshot | None = None
        self.read_at = 0.0
        self.rest_until = 0.0


class Refresher:
    """Follows the datasets of one store while anybody listens."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._followed: dict[str, _Followed] = {}
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._next = 0

    def follow(self, dataset: OptimizationDataset, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with the state now and after each change, until the result is called.

        Listeners are called in the refresher's thread, one after the other.
        """
        with self._lock:
            followed = self._followed.setdefault(dataset.id, _Followed(dataset))
            self._next += 1
            key = self._next
            followed.listeners[key] = listener
            followed.fresh.add(key)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="rft-refresher", daemon=True)
                self._thread.start()
        self._wake.set()

        def stop() -> None:
            with self._lock:
                followed.listeners.pop(key, None)
                followed.fresh.discard(key)
                if not followed.listeners and self._followed.get(dataset.id) is followed:
                    del self._followed[dataset.id]
            self._wake.set()

        return stop

    def _run(self) -> None:
        counter = _Counter(self._store)
        try:
            while True:
                self._wake.clear()
                with self._lock:
                    if not self._followed:
                        # Said under the lock: who follows from now on starts another thread.
                        self._thread = None
                        return
                    work = list(self._followed.values())
                for followed in work:
                    self._refresh(followed, counter)
                self._wake.wait(EVERY_S)
        finally:
            counter.close()

    def _refresh(self, followed: _Followed, counter: _Counter) -> None:
        now = time.monotonic()
        if now < followed.rest_until and not followed.fresh:
            return
        # The counter is read first: a change between the two is seen the next time.
        value = counter.read(followed.dataset.id)
        due = now - followed.read_at > ANYWAY_S
        with self._lock:
            fresh = {key: followed.listeners[key] for key in followed.fresh}
            followed.fresh.clear()
        if not fresh and value == followed.counter and not due:
            return
        followed.counter = value
        snapshot = read_snapshot(followed.dataset)
        followed.read_at = time.monotonic()
        followed.rest_until = followed.read_at + max(EVERY_S, REST * (followed.read_at - now))
        changed = snapshot != followed.last
        followed.last = snapshot
        with self._lock:
            told = dict(followed.listeners) if changed else fresh
        for listener in told.values():
            try:
                listener(snapshot)
            except Exception:  # one view that fails keeps no other from its news
                logger.exception("A view of the dataset %s failed.", followed.dataset.id)


class _Counter:
    """What moves when a dataset changes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._file = FileChanges(store)
        self._failures = 0

    def read(self, dataset_id: str) -> Hashable:
        """Read the counter; a store that cannot be read counts as changed."""
        try:
            return self._file.read() if self._store.is_sqlite else self._of_dataset(dataset_id)
        except Exception:  # what is wrong shows when the state is read
            logger.debug("The counter of %s cannot be read.", self._store.url, exc_info=True)
            self.close()
            self._failures += 1
            return ("failed", self._failures)

    def _of_dataset(self, dataset_id: str) -> Hashable:
        at_work, runs = activities.c, training_jobs.c
        queries: list[sa.Select[*tuple[Any, ...]]] = [
            sa.select(datasets.c.revision).where(datasets.c.id == dataset_id),
            # What these two tell of progress counts as no change of the dataset.
            sa.select(sa.func.count(), sa.func.max(at_work.updated_us)).where(
                at_work.dataset_id == dataset_id
            ),
            sa.select(sa.func.max(runs.updated_us)).where(runs.dataset_id == dataset_id),
        ]
        with self._store.read() as connection:
            found = [tuple(map(tuple, connection.execute(query))) for query in queries]
            return *found, jobs.version(connection, dataset_id)

    def close(self) -> None:
        """Give the connection back."""
        self._file.close()


_lock = threading.Lock()
# By the store's id: a refresher holds its store, so an id is not given again while it is here.
_refreshers: weakref.WeakValueDictionary[int, Refresher] = weakref.WeakValueDictionary()


def follow(dataset: OptimizationDataset, listener: Listener) -> Callable[[], None]:
    """Follow a dataset, see `Refresher.follow`."""
    store = dataset._store  # noqa: SLF001 - views are made of datasets and see what they stand on
    with _lock:
        refresher = _refreshers.get(id(store))
        if refresher is None:
            refresher = _refreshers[id(store)] = Refresher(store)
        return refresher.follow(dataset, listener)
