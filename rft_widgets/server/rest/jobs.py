"""Long work: how it stands, its log, and stopping it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from rft_widgets.dataset.job import Job
from rft_widgets.model.job import JobState, JobStatus, LogLine
from rft_widgets.server.rest.routing import Id, Routes, Underway
from rft_widgets.workspace import Workspace

routes = Routes("jobs")


class JobView(JobState, frozen=True, kw_only=True):
    """A job as it stands, and what came of it.

    ``result`` is ``null`` unless the job succeeded and its kind has one, such as the report of a
    dry run.
    """

    result: Any = None


class JobsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which jobs."""

    status: JobStatus | None = None
    limit: Annotated[
        int, Meta(ge=1, le=1_000, description="Most that have ended; those at work are all given.")
    ] = 100


def view(job: Job) -> JobView:
    """Read how a job stands."""
    return JobView(**msgspec.structs.asdict(job.state), result=job.result)


def underway(job: Job) -> Underway[JobView]:
    """A job that was begun."""
    return Underway(lambda: view(job), lambda: not job.state.is_at_work, f"/jobs/{job.id}")


@routes.add("GET", "/jobs")
def list_jobs(ws: Workspace, query: JobsQuery) -> tuple[JobState, ...]:
    """Long work of all datasets, the newest first."""
    return ws.job_states(query.status, limit=query.limit)


@routes.add("GET", "/datasets/{dataset_id}/jobs")
def list_dataset_jobs(ws: Workspace, dataset_id: Id) -> tuple[JobState, ...]:
    """Long work of a dataset, the newest first."""
    return ws.job_states(dataset=dataset_id)


@routes.add("GET", "/jobs/{job_id}")
def get_job(ws: Workspace, job_id: Id) -> JobView:
    """How long work stands, and what came of it."""
    return view(ws.job(job_id))


@routes.add("GET", "/jobs/{job_id}/log")
def get_job_log(ws: Workspace, job_id: Id) -> tuple[LogLine, ...]:
    """What happened in a job, line by line."""
    return tuple(LogLine(at=at, message=message) for at, message in ws.job(job_id).log)


@routes.add("POST", "/jobs/{job_id}/cancel", status=202)
def cancel_job(ws: Workspace, job_id: Id) -> Underway[JobView]:
    """Ask a job to stop at its next chance; one that has ended stays as it is."""
    job = ws.job(job_id)
    job.cancel()
    return underway(job)


@routes.add("POST", "/jobs/{job_id}/retry")
def retry_job(ws: Workspace, job_id: Id) -> Underway[JobView]:
    """Begin a job again that failed or was cancelled; it goes on where it was, if it can."""
    return underway(ws.job(job_id).retry())
