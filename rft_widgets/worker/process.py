"""The worker process: it does the jobs that wait in the store, and serves what is to be served.

It is nobody's child: pages, kernels and the app come and go. It may be killed at any moment; the
next one goes on where it was.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from rft_widgets.errors import AlreadyAtWork
from rft_widgets.jobs.running import RunningJob
from rft_widgets.store import job_queue, jobs
from rft_widgets.store.connection import Store
from rft_widgets.store.job_queue import ClaimedJob
from rft_widgets.store.pulse import Pulse
from rft_widgets.worker.definitions import QUICK, work_of
from rft_widgets.worker.serving import Endpoints

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

logger = logging.getLogger(__name__)

LOCK_FILE = "worker.lock"
LOG_FILE = "worker.log"
LONG_JOBS = 2
"""Jobs at once."""
QUICK_JOBS = 2
"""Beside them, of the kinds that somebody looks on at: they do not wait behind training."""

_LOOK_S = 0.1
_ANYWAY_S = 2.0
"""How often the store is looked at though nothing tells that it changed."""
_SERVE_S = 0.5
_LOCK_WAIT_S = 2.0
"""How long the lock may be taken: by who only looks whether it is, or by one that is ending."""
_END_S = 10.0
"""How long jobs may take to stop where they can be taken up again."""
_AWAY_S = 2.0


class Worker:
    """Does jobs until it is told to stop.

    Parameters
    ----------
    store
        Where they wait.
    is_alone
        Whether no other worker works on the store: what another one began is then taken up at once.
    """

    def __init__(self, store: Store, *, is_alone: bool) -> None:
        self._store = store
        self._is_alone = is_alone
        self._stop = threading.Event()
        self._running: dict[str, tuple[RunningJob, threading.Thread]] = {}
        self._endpoints = Endpoints(store, job_queue.new_owner("worker"), is_alone=is_alone)

    def stop(self) -> None:
        """End soon; jobs that are at work wait for the next worker."""
        self._stop.set()

    def run(self) -> bool:
        """Work until told to stop; whether all that was at work has stopped, too."""
        recovered = job_queue.recover(self._store, worker_is_alone=self._is_alone)
        if recovered:
            logger.info("%s jobs of killed processes go on.", recovered)
        pulse = Pulse(self._store)
        seen: object = None
        looked_at = served_at = -1e9
        while not self._stop.is_set():
            now = time.monotonic()
            try:
                # On SQLite one cheap number tells whether anything changed.
                number = pulse.read() if self._store.is_sqlite else object()
                changed, seen = number != seen, number
                if now - looked_at > _ANYWAY_S:
                    looked_at, changed = now, True
                    job_queue.recover(self._store, worker_is_alone=False, but=tuple(self._running))
                self._reap()
                if changed or self._running:
                    self._begin_waiting()
                if now - served_at > _SERVE_S:
                    served_at = now
                    self._endpoints.tick()
            except Exception:  # the store is busy or away: it comes back, or somebody ends this
                logger.exception("The worker could not look at its store.")
                seen = None
                self._stop.wait(_AWAY_S)
            self._stop.wait(_LOOK_S)
        pulse.close()
        return self._end()

    def _begin_waiting(self) -> None:
        """Begin what waits, as far as there is room."""
        with self._store.read() as connection:
            if not jobs.has_waiting(connection):
                return
        while True:
            quick = sum(running.job.kind in QUICK for running, _ in self._running.values())
            kinds = None
            if len(self._running) - quick >= LONG_JOBS:
                if quick >= QUICK_JOBS:
                    return
                kinds = QUICK
            job = job_queue.claim(self._store, job_queue.new_owner("worker"), kinds=kinds)
            if job is None:
                return
            self._begin(job)

    def _begin(self, job: ClaimedJob) -> None:
        logger.info(
            "%s %s (%s, dataset %s)",
            "Goes on:" if job.again else "Begun:", job.title, job.id, job.dataset_id,
        )  # fmt: skip
        running = RunningJob(self._store, job)
        thread = threading.Thread(
            target=running.run,
            args=(work_of(self._store, job),),
            name=f"rft-job-{job.kind}",
            daemon=True,
        )
        self._running[job.id] = (running, thread)
        thread.start()

    def _reap(self) -> None:
        for job_id, (running, thread) in list(self._running.items()):
            if not thread.is_alive():
                del self._running[job_id]
                logger.info("Ended: %s (%s)", running.job.title, job_id)
                # Nothing happens here, unless the store was away when it wanted to say so.
                job_queue.put_back(self._store, job_id, running.job.owner)

    def _end(self) -> bool:
        for running, _ in self._running.values():
            running.put_back()
        self._endpoints.close()
        deadline = time.monotonic() + _END_S
        for running, thread in self._running.values():
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                logger.warning(
                    "%s does not stop; the process ends all the same.", running.job.title
                )
            job_queue.put_back(self._store, running.job.id, running.job.owner)
        logger.info("The worker has ended.")
        return not any(thread.is_alive() for _, thread in self._running.values())


@contextlib.contextmanager
def held_lock(folder: Path) -> Iterator[None]:
    """Be the one worker of a store, for a block. The lock goes with the process, however it ends.

    Raises
    ------
    AlreadyAtWork
        Another worker is.
    """
    number = os.open(folder / LOCK_FILE, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        deadline = time.monotonic() + _LOCK_WAIT_S
        while not _try_lock(number):
            if time.monotonic() > deadline:
                raise AlreadyAtWork(
                    "A worker is at work on this store already.",
                    hint=f"One is enough; its log is {folder / LOG_FILE}.",
                )
            time.sleep(_LOOK_S)
        yield
    finally:
        os.close(number)


def _try_lock(number: int) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
