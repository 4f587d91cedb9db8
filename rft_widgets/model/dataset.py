"""A dataset as a value: its description, its statistics, and what happened to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

DatasetSource = Literal["gateway", "upload"]
"""Where the first records came from."""


DryRunStatus = Literal["pending", "go", "caution", "no_go"]


class DatasetStats(Struct, frozen=True, kw_only=True):
    """Counts and scores of a dataset; ``None`` where there is nothing to measure yet."""

    total_records: int
    valid_records: int
    invalid_records: int
    generated_records: int
    topics_count: int
    balance_score: float | None = None
    dry_run_status: DryRunStatus | None = None
    """``pending`` while none has finished and there is a grader."""
    dry_run_mean: float | None = None
    training_runs: int = 0


class DatasetInfo(Struct, frozen=True, kw_only=True):
    """A line of the datasets list."""

    id: str
    name: str
    objective: str
    source: DatasetSource
    created_at: datetime
    updated_at: datetime
    revision: int
    """Counts every change of the dataset; equal revisions mean equal content."""
    reset_at: datetime | None = None
    """When the pipeline was last reset; runs from before are history."""


class Event(Struct, frozen=True, kw_only=True):
    """One operation on a dataset, as the append-only log has it."""

    seq: int
    at: datetime
    kind: str
    details: dict[str, Any]
