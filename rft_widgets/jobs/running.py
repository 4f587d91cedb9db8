"""A job at work: it beats, tells how far it is, hears that it should stop, and ends in the store.

The same for a worker process and for a notebook that runs its jobs itself: only who claims them
differs.
"""

from __future__ import annotations

import contextvars
import logging
import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from rft_widgets.errors import RftError, TrainingStopped
from rft_widgets.model.problem import problem_of
from rft_widgets.steps.progress import Told
from rft_widgets.store import history, job_queue
from rft_widgets.store.job_queue import ClaimedJob

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

logger = logging.getLogger(__name__)

JOBS_VARIABLE = "RFT_WIDGETS_JOBS"
"""Environment variable: ``worker`` leaves jobs to a worker process (``rft-widgets worker``)."""

BEAT_S = 0.5
_HEAR_S = 0.1
"""How often it is looked whether somebody wants the job to stop."""

Work = Callable[[Told, Callable[[], bool]], tuple[str, str | None]]
"""Gets ``progress(share, doing)`` and ``cancelled()``; returns how it ended in words, and what came
of it as JSON."""


def left_to_worker() -> bool:
    """Whether jobs are left to a worker process."""
    return os.environ.get(JOBS_VARIABLE, "").strip().lower() == "worker"


class RunningJob:
    """One attempt at a job, in the thread that calls `run`."""

    def __init__(self, store: Store, job: ClaimedJob) -> None:
        self._store = store
        self.job = job
        self._told: tuple[float | None, str] = (None, "")
        self._stop = threading.Event()
        self._wanted = False
        self._is_mine = True
        self._ends = False

    def put_back(self) -> None:
        """Stop soon and let the job wait for its turn again, for the process ends."""
        self._ends = True
        self._stop.set()

    def run(self, work: Work) -> None:
        """Work on it to its end; whatever happens stands in the store."""
        done = threading.Event()
        beats = threading.Thread(
            target=self._beat, args=(done,), name=f"rft-beat-{self.job.id}", daemon=True
        )
        beats.start()
        try:
            # Whatever this changes and logs names the job, so that it is not done a second time.
            context = contextvars.copy_context()
            outcome, result = context.run(self._begin, work)
        except Exception as error:  # noqa: BLE001 - the thread ends here: whoever looks learns why
            done.set()
            beats.join()
            self._failed(error)
        else:
            done.set()
            beats.join()
            job_queue.end(
                self._store, self.job.id, self.job.owner, "succeeded",
                outcome=outcome, result=result,
            )  # fmt: skip

    def _begin(self, work: Work) -> tuple[str, str | None]:
        history.current_job.set(self.job.id)
        return work(self._progress, self._stop.is_set)

    def _failed(self, error: Exception) -> None:
        job = self.job
        if self._ends and not self._wanted:
            job_queue.put_back(self._store, job.id, job.owner)
        elif isinstance(error, TrainingStopped) or (
            self._wanted and isinstance(error, RftError)
        ):  # a training can be paused without a word to its job
            job_queue.end(self._store, job.id, job.owner, "cancelled", outcome=error.message)
        elif self._is_mine:  # else it is another's now, or gone with its dataset
            problem = problem_of(error)
            if problem.code == "internal":
                logger.error("%s (job %s) failed.", job.title, job.id, exc_info=error)
            job_queue.end(self._store, job.id, job.owner, "failed", problem=problem)

    def _progress(self, share: float | None, doing: str) -> None:
        self._told = (share, doing)

    def _beat(self, done: threading.Event) -> None:
        job, told = self.job, time.monotonic()
        while not done.wait(_HEAR_S):
            try:
                heard = job_queue.hear(self._store, job.id, job.owner)
                self._is_mine = heard.is_mine
                if heard.is_cancelled:
                    self._wanted = True
                if self._wanted or not heard.is_mine:
                    self._stop.set()
                if time.monotonic() - told >= BEAT_S:
                    told = time.monotonic()
                    share, doing = self._told
                    words = "Stopping..." if self._wanted else doing
                    job_queue.beat(self._store, job.id, job.owner, share, words)
            except Exception:  # the store is busy or away; the next time it may be there
                logger.warning("Job %s could not beat.", job.id, exc_info=True)


def run_inline(store: Store, job: ClaimedJob, work: Work) -> None:
    """Work on a job in a thread of this process."""
    threading.Thread(
        target=RunningJob(store, job).run, args=(work,), name=f"rft-job-{job.kind}", daemon=True
    ).start()
