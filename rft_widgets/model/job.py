"""Long work on a dataset as a value: what it is, how far it is, how it ended."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from rft_widgets.model.problem import Problem

JobStatus = Literal["running", "succeeded", "failed", "cancelled"]


class JobState(Struct, frozen=True, kw_only=True):
    """A piece of long work as it stands."""

    id: str
    kind: str
    """What is done, such as ``categorize``; one of a kind runs on a dataset at a time."""
    title: str
    status: JobStatus
    started_at: datetime
    share: float | None = None
    """Part that is done (0..1); ``None`` while that is not known."""
    doing: str = ""
    outcome: str = ""
    """How it ended, in words."""
    problem: Problem | None = None
