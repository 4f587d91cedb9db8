"""Long work on a dataset as a job: every process sees it, and it outlives the page."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from rft_widgets.dataset.description import Described
from rft_widgets.errors import NotFound
from rft_widgets.jobs import running
from rft_widgets.llm.costs import costs
from rft_widgets.model.job import JobState, JobStatus
from rft_widgets.model.llm import CallTotals, Purpose
from rft_widgets.store import job_queue
from rft_widgets.store import jobs as job_rows
from rft_widgets.store.connection import Store

if TYPE_CHECKING:
    from types import ModuleType

_POLL_S = 0.05


class Job:
    """A piece of long work. Every property reads the store when it is asked."""

    def __init__(self, store: Store, job_id: str) -> None:
        self._store = store
        self.id = job_id

    @property
    def state(self) -> JobState:
        """How it stands; `NotFound` when it is gone, with its dataset for instance."""
        with self._store.read() as connection:
            return job_rows.read(connection, self.id)

    @property
    def status(self) -> JobStatus:
        """``queued``, ``running``, ``succeeded``, ``failed`` or ``cancelled``."""
        return self.state.status

    @property
    def log(self) -> tuple[tuple[datetime, str], ...]:
        """What happened, with the times."""
        return job_rows.read_log(self._store, self.id)

    @property
    def params(self) -> Any:
        """What was asked for, as JSON value."""
        return msgspec.json.decode(job_rows.read_params(self._store, self.id))

    @property
    def costs(self) -> dict[Purpose, CallTotals]:
        """What asking models for it came to, by purpose, in all its attempts."""
        dataset_id = self.state.dataset_id
        return {} if dataset_id is None else costs(self._store, dataset_id, job_id=self.id)

    @property
    def result(self) -> Any:
        """What came of it; ``None`` unless it succeeded and its kind has a result.

        So it is of a job of another version of this package that kept something else.
        """
        kind, text = job_rows.read_result(self._store, self.id)
        return _kinds().decode_result(kind, text)

    def wait(self, timeout_s: float | None = None) -> Job:
        """Wait until it has ended; `state` says how.

        Raises
        ------
        TimeoutError
            It takes longer than that; it goes on.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while self.state.is_at_work:
            if deadline is not None and time.monotonic() > deadline:
                raise TimeoutError(f"Job {self.id} takes longer than {timeout_s:g} s.")
            time.sleep(_POLL_S)
        return self

    def cancel(self) -> bool:
        """Ask it to stop at its next chance, wherever it runs; whether there was one to ask."""
        return job_queue.request_cancel(self._store, self.id)

    def retry(self) -> Job:
        """Begin it again after it failed or was cancelled; it goes on where it was, if it can.

        Raises
        ------
        InvalidArgument
            It is at work or has succeeded, or one of its kind is at work.
        """
        kinds, owner = _kinds(), _own_owner()
        kinds.reopen(self._store, self.state, self.params)
        job_queue.retry(
            self._store, self.id, excludes=kinds.excluded_by(self.state.kind), owner=owner
        )
        if owner is not None:
            self._run(again=True)
        return self

    def _run(self, *, again: bool) -> None:
        job = job_queue.claimed(self._store, self.id, again=again)
        running.run_inline(self._store, job, _kinds().work_of(self._store, job))

    def __repr__(self) -> str:
        with contextlib.suppress(Exception):  # a repr never raises
            state = self.state
            words = state.outcome or (state.problem.message if state.problem else state.doing)
            return f"<Job {self.id} {state.title}: {state.status}. {words}".rstrip(". ") + ">"
        return f"<Job {self.id}>"


class HasJobs(Described):
    """Long work on a dataset that somebody else does: a worker process, or a thread."""

    def submit(self, kind: str, params: Mapping[str, Any] | Struct | None = None) -> Job:
        """Ask for long work on the dataset.

        Where ``RFT_WIDGETS_JOBS`` is ``worker``, as in the app, the worker process does it, and it
        goes on when this process ends. Else a thread of this process begins at once.

        Parameters
        ----------
        kind
            What to do: ``import_records``, ``generate_topics``, ``categorize``, ``evaluate``,
            ``dry_run``, ``train`` and more; see the documentation of jobs.
        params
            With what: the arguments of the dataset's method that does the same.

        Raises
        ------
        InvalidArgument
            There is no such kind, it takes no such parameters, or one of it is at work already.

        Examples
        --------
        >>> ds.submit("categorize", {"mode": "recategorize_all"}).wait()  # doctest: +SKIP
        """
        kinds, owner = _kinds(), _own_owner()
        definition = kinds.definition(kind)
        asked = definition.read(params)
        job_id = job_queue.create(
            self._store,
            self.id,
            kind=kind,
            subject=definition.about(asked),
            title=definition.named(asked),
            params=msgspec.json.encode(asked).decode(),
            excludes=kinds.excluded_by(kind),
            owner=owner,
        )
        job = Job(self._store, job_id)
        if owner is not None:
            job._run(again=False)  # noqa: SLF001 - the one other place that begins a job
        return job

    @property
    def jobs(self) -> tuple[Job, ...]:
        """Jobs of the dataset, the newest first; of those that have ended, the newest are kept."""
        with self._store.read() as connection:
            states = job_rows.read_all(connection, dataset_id=self.id)
        return tuple(Job(self._store, state.id) for state in states)

    def last_job(self, kind: str, *, subject: str = "", only_succeeded: bool = True) -> Job | None:
        """The job of a kind that was asked for last; by default of those that succeeded.

        Parameters
        ----------
        kind
            As for `submit`.
        subject
            Id of what it is about within the dataset, where its kind is about such a thing.
        only_succeeded
            Whether only those count that have come to their end, and have a result.
        """
        with self._store.read() as connection:
            found = job_rows.newest(
                connection, self.id, kind, subject=subject, only_succeeded=only_succeeded
            )
        return None if found is None else Job(self._store, found)

    @property
    def job_states(self) -> tuple[JobState, ...]:
        """How the last job of each kind stands, the oldest first: what a view shows."""
        with self._store.read() as connection:
            return job_rows.current(connection, self.id)

    def job(self, job_id: str) -> Job:
        """One job; `NotFound` if the dataset has none of that id."""
        with self._store.read() as connection:
            state = job_rows.read(connection, job_id)
        if state.dataset_id != self.id:
            raise NotFound(f"Dataset {self.id} has no job {job_id!r}.", hint="jobs lists them.")
        return Job(self._store, job_id)


def _own_owner() -> str | None:
    """Who begins a job at once in this process; nobody, where a worker does."""
    return None if running.left_to_worker() else job_queue.new_owner("inline")


def _kinds() -> ModuleType:
    # What jobs do is made of datasets: it is loaded when the first job is asked for.
    from rft_widgets.worker import definitions  # noqa: PLC0415

    return definitions
