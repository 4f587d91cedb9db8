"""A training job as it stood at one moment, as a value."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct

from rft_widgets.model.run import RunInputs
from rft_widgets.model.training import TrainingConfig, TrainingProgress, TrainingReport
from rft_widgets.store import training
from rft_widgets.store.training import JobStatus, Request, TrainingRow


class TrainingState(Struct, frozen=True, kw_only=True):
    """Everything about a job that goes together.

    Attributes
    ----------
    was_killed
        Whether it has not ended, and nobody is to work on it any more.
    requested
        ``pause`` or ``cancel`` from when that was asked until it has happened; else empty.
    inputs
        What it works from: the hashes of data and topics, and the grader.
    eta_s
        Seconds that are left at the pace so far; ``None`` while that cannot be told.
    """

    status: JobStatus
    was_killed: bool
    requested: Request
    created_at: datetime
    finished_at: datetime | None
    config: TrainingConfig
    inputs: RunInputs
    progress: TrainingProgress | None
    eta_s: float | None
    report: TrainingReport | None
    error: str | None


def training_state(row: TrainingRow) -> TrainingState:
    """Read a row of the store."""
    text = row.progress
    progress = None if text is None else msgspec.json.decode(text, type=TrainingProgress)
    return TrainingState(
        status=row.status,
        was_killed=training.is_silent(row),
        requested=row.requested,
        created_at=row.created_at,
        finished_at=row.finished_at,
        config=msgspec.json.decode(row.config, type=TrainingConfig),
        inputs=row.inputs,
        progress=progress,
        eta_s=_eta_s(progress) if row.status == "running" else None,
        report=None if row.report is None else msgspec.json.decode(row.report, type=TrainingReport),
        error=row.error,
    )


def _eta_s(progress: TrainingProgress | None) -> float | None:
    if progress is None or progress.elapsed_s is None:
        return None
    if progress.phase != "training" or not progress.step:
        return None  # what comes before the first step tells nothing of the others
    return progress.elapsed_s * (1 - progress.share) / progress.share
