"""Long work on a dataset as a value: what it is, how far it is, how it ended."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from rft_widgets.model.problem import Problem

JobStatus = Literal["queued", "running", "succeeded", "failed", "cancelled"]

AT_WORK: tuple[JobStatus, ...] = ("queued", "running")
"""A job that has not ended."""


class LogLine(Struct, frozen=True, kw_only=True):
    """Something that happened in a job or a training run, and when."""

    at: datetime
    message: str


class JobState(Struct, frozen=True, kw_only=True):
    """A piece of long work as it stands."""

    id: str
    dataset_id: str | None = None
    kind: str
    """What is done, such as ``categorize``; one of a kind runs on a dataset at a time."""
    subject: str = ""
    """Id of what it is about within the dataset, a deployment for instance; one of a kind for each
    of them then."""
    title: str
    status: JobStatus
    created_at: datetime
    started_at: datetime | None = None
    """``None`` while it waits for its turn."""
    finished_at: datetime | None = None
    share: float | None = None
    """Part that is done (0..1); ``None`` while that is not known."""
    doing: str = ""
    outcome: str = ""
    """How it ended, in words."""
    problem: Problem | None = None
    attempts: int = 0
    """How often it was begun: more than once where its process was killed."""

    @property
    def is_at_work(self) -> bool:
        """Whether it has not ended: it runs, or waits for its turn."""
        return self.status in AT_WORK
