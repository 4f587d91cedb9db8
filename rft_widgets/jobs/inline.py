"""Long work in a thread of this process, so that who started it can go on, watch it and stop it."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

import msgspec

from rft_widgets.errors import InvalidArgument, RftError
from rft_widgets.model.job import JobState
from rft_widgets.model.problem import problem_of
from rft_widgets.steps.progress import Told

logger = logging.getLogger(__name__)

Work = Callable[[Told, Callable[[], bool]], str]
"""Gets ``progress(share, doing)`` and ``cancelled()``; returns how it ended, in words."""

_lock = threading.Lock()
_jobs: dict[tuple[str, str], _Job] = {}
_versions: dict[str, int] = {}
_count = itertools.count(1)


class _Job:
    def __init__(self, state: JobState) -> None:
        self.state = state
        self.stop = threading.Event()


def start(dataset_id: str, kind: str, title: str, work: Work) -> JobState:
    """Begin a piece of work; how it goes is in `states`.

    Raises
    ------
    InvalidArgument
        Work of this kind is already running on the dataset.
    """
    state = JobState(
        id=uuid4().hex[:12], kind=kind, title=title, status="running", started_at=datetime.now(UTC)
    )
    job = _Job(state)
    with _lock:
        before = _jobs.get((dataset_id, kind))
        if before is not None and before.state.status == "running":
            raise InvalidArgument(
                f"{before.state.title} is already running.", hint="Wait for it, or stop it first."
            )
        _jobs[dataset_id, kind] = job
        _versions[dataset_id] = next(_count)
    threading.Thread(
        target=_run, args=(dataset_id, job, work), name=f"rft-job-{kind}", daemon=True
    ).start()
    return state


def cancel(dataset_id: str, job_id: str) -> bool:
    """Ask a piece of work to stop at its next chance; whether there was one to ask."""
    with _lock:
        found = [
            job
            for (of, _), job in _jobs.items()
            if of == dataset_id and job.state.id == job_id and job.state.status == "running"
        ]
    for job in found:
        job.stop.set()
        _change(dataset_id, job, doing="Stopping...")
    return bool(found)


def states(dataset_id: str) -> tuple[JobState, ...]:
    """What runs on a dataset, and how the last work of each kind ended."""
    with _lock:
        return tuple(job.state for (of, _), job in _jobs.items() if of == dataset_id)


def version(dataset_id: str) -> int:
    """A number that is another one after each change of `states`."""
    return _versions.get(dataset_id, 0)


def _run(dataset_id: str, job: _Job, work: Work) -> None:
    def progress(share: float | None, doing: str) -> None:
        if not job.stop.is_set():
            _change(dataset_id, job, share=share, doing=doing)

    try:
        outcome = work(progress, job.stop.is_set)
    except Exception as error:  # the thread ends here: whoever looks learns why
        if job.stop.is_set() and isinstance(error, RftError):
            _change(dataset_id, job, status="cancelled", outcome=error.message)
            return
        problem = problem_of(error)
        if problem.code == "internal":
            logger.exception("%s failed.", job.state.title)
        _change(dataset_id, job, status="failed", problem=problem)
    else:
        _change(dataset_id, job, status="succeeded", share=1.0, outcome=outcome)


def _change(dataset_id: str, job: _Job, **values: object) -> None:
    with _lock:
        job.state = msgspec.structs.replace(job.state, **values)
        _versions[dataset_id] = next(_count)
