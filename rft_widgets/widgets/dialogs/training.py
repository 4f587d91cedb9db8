"""Training: settings, the run, and what it brought."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta, Struct

from rft_widgets.dataset.training_job import TrainingJob
from rft_widgets.dataset.training_state import TrainingState
from rft_widgets.errors import RftError
from rft_widgets.model.checkpoints import CheckpointComparison
from rft_widgets.model.job import LogLine
from rft_widgets.model.problem import Problem, problem_of
from rft_widgets.model.training import (
    Checkpoint,
    CurvePoint,
    TopicSplit,
    TrainingConfig,
    TrainingOutcomeName,
    TrainingProgress,
    TrainingReport,
    TrainingRollout,
)
from rft_widgets.model.training_curve import thinned
from rft_widgets.model.training_plan import TrainerInfo, TrainingEstimate, TrainingReadiness
from rft_widgets.pipeline import grader_words
from rft_widgets.store.training import JobStatus, Request
from rft_widgets.trainers import available
from rft_widgets.widgets import rpc
from rft_widgets.widgets.dialogs.base import Dialog
from rft_widgets.widgets.downloads import Download, Offers, file_name
from rft_widgets.worker.definition import MaxCost
from rft_widgets.worker.training import CompareCheckpoints

LOG_LINES = 200
"""Newest lines of a run's log that a page gets."""
ROLLOUTS = 256
"""Most answers of a step that a page gets."""
ROLLOUT_CHARS = 2_000
"""Most characters of a prompt and of an answer among them."""

JobId = Annotated[str, Meta(min_length=1, max_length=64)]
Step = Annotated[int, Meta(ge=0)]
CardFormat = Literal["html", "json"]

_TRACEBACK = "Traceback (most recent call last)"


class TrainingMaterial(Struct, frozen=True, kw_only=True):
    """What there is to train on, and what judges it; ``asks_model`` where that costs money."""

    valid_records: int
    invalid_records: int
    generated_records: int
    topics: int
    balance_score: float | None
    grader: str
    grader_version: int | None
    asks_model: bool
    dry_run: str


class TrainingRunRow(Struct, frozen=True, kw_only=True):
    """One run in the history; ``data`` is the beginning of the hash of the records it saw."""

    id: str
    status: JobStatus
    was_killed: bool
    created_at: datetime
    finished_at: datetime | None
    trainer: str
    base_model: str | None
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


class PlannedTraining(Struct, frozen=True, kw_only=True):
    """The split that a configuration makes, and what the run will take, or why it is refused."""

    train: int
    valid: int
    groups: int
    topics: tuple[TopicSplit, ...]
    notes: tuple[str, ...]
    estimate: TrainingEstimate | None
    refusal: Problem | None


class RolloutPage(Struct, frozen=True, kw_only=True):
    """Answers of a step that were learned from, the first of ``total``, their texts shortened."""

    step: int
    rollouts: tuple[TrainingRollout, ...]
    total: int


class TrainingRunView(Struct, frozen=True, kw_only=True):
    """A run as it stands.

    ``cost_micro_usd`` is ``None`` where nobody knows it: the grader asks a model, or the service
    that trains does not say. ``progress`` and ``report`` come without their curves: ``curve`` is
    the one to draw. ``log_lines`` counts those that are not in ``log``, too. ``served_step`` is the
    checkpoint that is served, which somebody may have chosen instead of the one of the report.
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
    served_step: int | None
    rollout_steps: tuple[int, ...]
    error: str | None
    log: tuple[LogLine, ...]
    log_lines: int


class TrainingDialog(Offers, Dialog):
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
    def plan(self, config: TrainingConfig) -> PlannedTraining:
        """The split that a configuration makes, and what the run will take, or why it is refused.

        Settings that the trainer does not take leave the split as it is.
        """
        try:
            plan = self._dataset.plan_training(config)
        except RftError as refused:
            split = self._dataset.split(config)  # raises where that is what was wrong
            return PlannedTraining(
                train=len(split.train_ids),
                valid=len(split.valid_ids),
                groups=split.groups,
                topics=split.topics,
                notes=split.notes,
                estimate=None,
                refusal=problem_of(refused),
            )
        return PlannedTraining(**msgspec.structs.asdict(plan), refusal=None)

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
        service = 0 if state.progress is None else state.progress.cost_micro_usd
        return _view(found, state, cost_micro_usd=None if asks_model else service)

    @rpc.method(background=True, packed=True)
    def rollouts(self, job: JobId, step: Step) -> RolloutPage:
        """Answers of a step that were learned from."""
        found = self._dataset.training_job(job).rollouts(step)
        return RolloutPage(
            step=step, rollouts=tuple(map(_shortened, found[:ROLLOUTS])), total=len(found)
        )

    @rpc.method(background=True)
    def choose_checkpoint(self, job: JobId, step: Step | None = None) -> None:
        """Have a checkpoint served from now on; without one, the one that the run chose."""
        self._dataset.training_job(job).choose_checkpoint(step)

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

    @rpc.method()
    def compare_checkpoints(self, job: JobId, max_cost_usd: MaxCost | None = None) -> None:
        """Begin to compare the checkpoints of a run on the validation prompts."""
        asked = CompareCheckpoints(training_job=job, max_cost_usd=max_cost_usd)
        self._dataset.submit("compare_checkpoints", asked)

    @rpc.method(background=True, packed=True)
    def comparison(self, job: JobId) -> CheckpointComparison | None:
        """The newest comparison of a run's checkpoints."""
        return self._dataset.training_job(job).comparison

    @rpc.method(background=True, packed=True)
    def card(self, job: JobId) -> str:
        """The run card as a page of its own."""
        return self._dataset.training_job(job).run_card().to_html()

    @rpc.method(background=True)
    def download_card(self, job: JobId, file_format: CardFormat) -> Download:
        """The run card as a file."""
        card = self._dataset.training_job(job).run_card()
        write = card.to_html if file_format == "html" else card.to_json
        name = file_name(self._dataset.name, f"run-{job}", file_format)
        return self.offer(
            name,
            lambda path, _: write(path),
            call=f"ds.training_job({job!r}).run_card().to_{file_format}({name!r})",
        )

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
            asks_model=version is not None and version.connection is not None,
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
        trainer=state.config.trainer,
        base_model=state.config.base_model,
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
        curve=tuple(msgspec.structs.replace(point, metrics={}) for point in thinned(curve)),
        eta_s=state.eta_s,
        cost_micro_usd=cost_micro_usd,
        report=None if report is None else msgspec.structs.replace(report, curve=()),
        checkpoints=tuple(msgspec.structs.replace(one, weights=()) for one in job.checkpoints),
        served_step=job.served_step,
        rollout_steps=job.rollout_steps,
        error=state.error,
        log=tuple(
            LogLine(at=at, message=_shown(message, job.id)) for at, message in log[-LOG_LINES:]
        ),
        log_lines=len(log),
    )


def _shortened(rollout: TrainingRollout) -> TrainingRollout:
    def cut(text: str) -> str:
        return text if len(text) <= ROLLOUT_CHARS else f"{text[:ROLLOUT_CHARS]}…"

    return msgspec.structs.replace(rollout, prompt=cut(rollout.prompt), answer=cut(rollout.answer))


def _shown(message: str, job_id: str) -> str:
    """A line for a page: where the code failed is for whoever reads the log in Python."""
    if message.startswith(_TRACEBACK):
        return f'Where it failed stands in ds.training_job("{job_id}").log.'
    return message


WIDGET = TrainingDialog
