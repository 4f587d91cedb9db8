"""Training: settings, the run, and what it brought."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta, Struct

from rft_widgets.dataset.training import TrainingJob
from rft_widgets.dataset.training_state import TrainingState
from rft_widgets.model.job import LogLine
from rft_widgets.model.training import (
    Checkpoint,
    CurvePoint,
    TrainingConfig,
    TrainingOutcomeName,
    TrainingProgress,
    TrainingReport,
)
from rft_widgets.model.training_curve import thinned
from rft_widgets.model.training_plan import TrainerInfo, TrainingPlan, TrainingReadiness
from rft_widgets.pipeline import grader_words
from rft_widgets.store.training import JobStatus, Request
from rft_widgets.trainers import available
from rft_widgets.widgets import rpc
from rft_widgets.widgets.dialogs.base import Dialog

LOG_LINES = 200
"""Newest lines of a run's log that a page gets."""

JobId = Annotated[str, Meta(min_length=1, max_length=64)]

_TRACEBACK = "Traceback (most recent call last)"


class TrainingMaterial(Struct, frozen=True, kw_only=True):
    """What there is to train on, and what judges it."""

    valid_records: int
    invalid_records: int
    generated_records: int
    topics: int
    balance_score: float | None
    grader: str
    grader_version: int | None
    dry_run: str


class TrainingRunRow(Struct, frozen=True, kw_only=True):
    """One run in the history; ``data`` is the beginning of the hash of the records it saw."""

    id: str
    status: JobStatus
    was_killed: bool
    created_at: datetime
    finished_at: datetime | None
    n_epochs: int
    grader_version: int
    data: str
    outcome: TrainingOutcomeName | None
    summary: str


class TrainingSetup(Struct, frozen=True, kw_only=True):
    """What a page needs before a run: ways to train, data, warnings, defaults, earlier runs.

    ``config`` is that of the last run. ``runs`` have the newest first.
    """

    trainers: tuple[TrainerInfo, ...]
    data: TrainingMaterial
    readiness: TrainingReadiness
    config: TrainingConfig
    runs: tuple[TrainingRunRow, ...]


class TrainingRunView(Struct, frozen=True, kw_only=True):
    """A run as it stands. ``cost_micro_usd`` is ``None`` where the grader asks a model.

    ``progress`` and ``report`` come without their curves: ``curve`` is the one to draw.
    ``log_lines`` counts those that are not in ``log``, too.
    """

    run: TrainingRunRow
    config: TrainingConfig
    train_records: int
    valid_records: int
    requested: Request
    progress: TrainingProgress | None
    curve: tuple[CurvePoint, ...]
    eta_s: float | None
    cost_micro_usd: int | None
    report: TrainingReport | None
    checkpoints: tuple[Checkpoint, ...]
    error: str | None
    log: tuple[LogLine, ...]
    log_lines: int


class TrainingDialog(Dialog):
    """Training: settings, the run, and what it brought."""

    component: ClassVar[str] = "dialogs/training"
    step: ClassVar[int] = 6

    @rpc.method(background=True, packed=True)
    def load(self) -> TrainingSetup:
        """What a run would be made of, and the runs there were."""
        ds = self._dataset
        jobs = ds.training_jobs
        return TrainingSetup(
            trainers=available(),
            data=self._data(),
            readiness=ds.training_readiness,
            config=jobs[-1].config if jobs else TrainingConfig(),
            runs=tuple(_row(job.id, job.state) for job in reversed(jobs)),
        )

    @rpc.method(background=True, packed=True)
    def plan(self, config: TrainingConfig) -> TrainingPlan:
        """The split that a configuration makes, and what the run will take."""
        return self._dataset.plan_training(config)

    @rpc.method(background=True)
    def train(self, config: TrainingConfig, despite_no_go: bool) -> str:
        """Start a run; its id."""
        return self._dataset.train(config, despite_no_go=despite_no_go).id

    @rpc.method(background=True, packed=True)
    def load_run(self, job: JobId) -> TrainingRunView:
        """One run as it stands."""
        found = self._dataset.training_job(job)
        state = found.state
        versions = {one.version: one for one in self._dataset.grader_versions}
        version = versions.get(state.inputs.grader_version)
        asks_model = version is not None and version.connection is not None
        return _view(found, state, cost_micro_usd=None if asks_model else 0)

    @rpc.method(background=True)
    def pause(self, job: JobId) -> None:
        """Ask a run to stop so that it can go on."""
        self._dataset.training_job(job).pause()

    @rpc.method(background=True)
    def resume(self, job: JobId) -> None:
        """Go on with a run that was paused or killed."""
        self._dataset.training_job(job).resume()

    @rpc.method(background=True)
    def cancel(self, job: JobId) -> None:
        """Ask a run to end for good."""
        self._dataset.training_job(job).cancel()

    def _data(self) -> TrainingMaterial:
        stats, version = self._dataset.stats, self._dataset.grader_version
        return TrainingMaterial(
            valid_records=stats.valid_records,
            invalid_records=stats.invalid_records,
            generated_records=stats.generated_records,
            topics=stats.topics_count,
            balance_score=stats.balance_score,
            grader="" if version is None else grader_words(version.grader),
            grader_version=None if version is None else version.version,
            dry_run=self._dataset.pipeline.nodes[4].summary,
        )


def _row(job_id: str, state: TrainingState) -> TrainingRunRow:
    report = state.report
    return TrainingRunRow(
        id=job_id,
        status=state.status,
        was_killed=state.was_killed,
        created_at=state.created_at,
        finished_at=state.finished_at,
        n_epochs=state.config.n_epochs,
        grader_version=state.inputs.grader_version,
        data=state.inputs.data[:12],
        outcome=None if report is None else report.outcome,
        summary=report.summary if report is not None else state.error or "",
    )


def _view(job: TrainingJob, state: TrainingState, *, cost_micro_usd: int | None) -> TrainingRunView:
    progress, report, split, log = state.progress, state.report, job.split, job.log
    curve = report.curve if report is not None else progress.curve if progress is not None else ()
    return TrainingRunView(
        run=_row(job.id, state),
        config=state.config,
        train_records=len(split.train),
        valid_records=len(split.valid),
        requested=state.requested,
        progress=None if progress is None else msgspec.structs.replace(progress, curve=()),
        curve=thinned(curve),
        eta_s=state.eta_s,
        cost_micro_usd=cost_micro_usd,
        report=None if report is None else msgspec.structs.replace(report, curve=()),
        checkpoints=job.checkpoints,
        error=state.error,
        log=tuple(
            LogLine(at=at, message=_shown(message, job.id)) for at, message in log[-LOG_LINES:]
        ),
        log_lines=len(log),
    )


def _shown(message: str, job_id: str) -> str:
    """A line for a page: where the code failed is for whoever reads the log in Python."""
    if message.startswith(_TRACEBACK):
        return f'Where it failed stands in ds.training_job("{job_id}").log.'
    return message


WIDGET = TrainingDialog
