"""A training job at work: the trainer, the grader and the store brought together."""

from __future__ import annotations

import re
import secrets
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import msgspec

from rft_widgets.errors import (
    BudgetReached,
    InvalidArgument,
    RftError,
    RunInterrupted,
    TrainingStopped,
)
from rft_widgets.jobs.environment import note_attempt
from rft_widgets.model.estimate import micro_usd
from rft_widgets.model.record import Record, Selection
from rft_widgets.model.training import (
    Checkpoint,
    TrainingConfig,
    TrainingProgress,
    TrainingReport,
    TrainingRollout,
)
from rft_widgets.model.training_curve import thinned
from rft_widgets.steps.grade import open_version, opener
from rft_widgets.steps.progress import Told
from rft_widgets.store import connections, datasets, graders, records, training
from rft_widgets.store.fingerprint import fingerprint
from rft_widgets.store.training import JobStatus, TrainingRow
from rft_widgets.trainers import (
    TrainingData,
    TrainingOutcome,
    TrainingTask,
    grader_rewarder,
    trainer,
)

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

_BEAT_S = 0.5
_PROGRESS_S = 0.25


class Limits(TypedDict):
    """What whoever asks models for a run keeps to."""

    cap_micro_usd: int | None
    cancelled: Callable[[], bool]


def run(
    store: Store,
    job_id: str,
    *,
    progress: Told,
    cancelled: Callable[[], bool],
    is_for_good: Callable[[], bool],
) -> str:
    """Work on a training job to its end, from its last saved state; whatever happens is kept.

    Parameters
    ----------
    store, job_id
        The training job.
    progress, cancelled
        Told how far it is, and asked whether to stop.
    is_for_good
        Asked once it has stopped so: whether somebody wanted that, and it is paused. Else the
        process ends, and the job goes on elsewhere as if nothing had happened.

    Returns
    -------
    What came of it, in words.

    Raises
    ------
    TrainingStopped
        It was paused or cancelled, reached its limit of cost, or somebody else works on it.
    RftError
        It failed.
    """
    owner = secrets.token_hex(8)
    row = training.claim(store, job_id, owner)
    if row.status != "running":
        return _ended(row)  # who worked on it was killed before it could say so
    note_attempt(store, job_id)
    try:
        with _beating(store, row, owner, progress, cancelled, is_for_good) as run:
            outcome = _train(store, row, run)
    except TrainingStopped as stopped:
        ends: dict[str, JobStatus] = {
            "pause": "paused", "service": "paused", "cancel": "cancelled",
        }  # fmt: skip
        if stopped.reason in ends and (run.is_for_good() or stopped.reason != "pause"):
            training.log(store, job_id, str(stopped))
            training.end(store, job_id, owner, ends[stopped.reason])
        raise
    except BudgetReached as spent:
        at_limit = TrainingStopped(
            f"The training was paused at its limit of cost: {spent.message}",
            hint="Resume it to go on; it may then spend as much again.",
            reason="budget",
        )
        training.log(store, job_id, str(at_limit))
        training.end(store, job_id, owner, "paused")
        raise at_limit from None
    except RftError as error:
        training.log(store, job_id, str(error))
        training.end(store, job_id, owner, "failed", error=str(error))
        raise
    except Exception as error:
        training.log(store, job_id, traceback.format_exc())
        words = f"The trainer failed with {type(error).__name__}; its log says where."
        training.end(store, job_id, owner, "failed", error=words)
        raise RftError(words) from error
    summary = outcome.report.summary
    training.log(store, job_id, summary)
    training.end(
        store,
        job_id,
        owner,
        "completed",
        report=msgspec.json.encode(outcome.report).decode(),
        artifact=outcome.artifact,
    )
    return summary


def _ended(row: TrainingRow) -> str:
    """How a job ended, in words or as the error that it ended with."""
    if row.status == "completed" and row.report is not None:
        return msgspec.json.decode(row.report, type=TrainingReport).summary
    if row.status in ("paused", "cancelled"):
        reason = "pause" if row.status == "paused" else "cancel"
        raise TrainingStopped(f"Training job {row.id} is {row.status}.", reason=reason)
    raise RftError(row.error or f"Training job {row.id} failed.", hint="Train again.")


def _train(store: Store, row: TrainingRow, run: _Run) -> TrainingOutcome:
    config = msgspec.json.decode(row.config, type=TrainingConfig)
    if fingerprint(store, row.dataset_id).data != row.inputs.data:
        if not _is_sent(config, run):
            raise InvalidArgument(
                "The records changed since the job was made, so it would not end as it began.",
                hint="Train again on the records as they are.",
            )
        run.log("The records changed since; the service goes on with those that were sent.")
    split = training.read_split(store, row.id)
    with store.read() as connection:
        version = graders.read(connection, row.dataset_id, row.inputs.grader_version)
        named = connections.read(connection, config.connection) if config.connection else None
        name = datasets.read(connection, row.dataset_id).name
    data = TrainingData(
        train=_records(store, row.dataset_id, split.train),
        valid=_records(store, row.dataset_id, split.valid),
    )
    limits: Limits = {
        "cap_micro_usd": micro_usd(config.max_cost_usd),
        "cancelled": run.is_wanted_to_stop,
    }
    with open_version(store, row.dataset_id, version, **limits) as compiled:
        try:
            task = TrainingTask(
                data=data,
                config=config,
                grader=compiled.grader,
                rewarder=grader_rewarder(compiled),
                name=slug(name),
                job_id=row.id,
                folder=_made(training.run_folder(store, row.id)),
                connection=named,
                ask=opener(store, row.dataset_id, purpose="rollout", **limits),
            )
            return trainer(config.trainer).train(task, run)
        except RunInterrupted:  # a judge heard it before the trainer did
            reason = run.requested() or "pause"
            raise TrainingStopped(f"The training was asked to {reason}.", reason=reason) from None


def _is_sent(config: TrainingConfig, run: _Run) -> bool:
    """Whether a service has the records, so that what becomes of them here changes nothing."""
    at_service = trainer(config.trainer).info().capabilities.grader_runs == "service"
    return at_service and run.load_state() is not None


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def slug(name: str) -> str:
    """A name made fit for models and files."""
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:60] or "model"


def _records(store: Store, dataset_id: str, ids: tuple[str, ...]) -> tuple[Record, ...]:
    if not ids:
        return ()
    return tuple(records.stream(store, dataset_id, Selection(ids=ids)))


class _Run:
    """A job as its trainer sees it."""

    def __init__(
        self,
        store: Store,
        row: TrainingRow,
        owner: str,
        progress: Told,
        cancelled: Callable[[], bool],
        is_for_good: Callable[[], bool],
    ) -> None:
        self._store = store
        self._tell = progress
        self._cancelled = cancelled
        self._is_for_good = is_for_good
        self._job_id = row.id
        self._owner = owner
        self._told = 0.0
        self._phase = ""
        self._began = time.monotonic() - _elapsed_s(row)
        self.lost: TrainingStopped | None = None
        self.wish: training.Request = ""

    def report(self, progress: TrainingProgress) -> None:
        self._log(progress)
        self._tell(progress.share, progress.message)
        now = time.monotonic()
        if now - self._told >= _PROGRESS_S or progress.phase == "done":
            self._told = now
            counted = msgspec.structs.replace(
                progress, curve=thinned(progress.curve), elapsed_s=now - self._began
            )
            text = msgspec.json.encode(counted).decode()
            training.report_progress(self._store, self._job_id, self._owner, text)

    def requested(self) -> training.Request:
        if self.lost is not None:
            raise self.lost
        return self.wish or ("pause" if self._cancelled() else "")

    def is_wanted_to_stop(self) -> bool:
        """Whether `requested` would say so; asked while a judge is at work."""
        return self.lost is not None or self.wish != "" or self._cancelled()

    def is_for_good(self) -> bool:
        return self.wish != "" or self._is_for_good()

    def log(self, message: str) -> None:
        training.log(self._store, self._job_id, message)

    def save_state(self, state: bytes) -> None:
        training.save_state(self._store, self._job_id, self._owner, state)

    def load_state(self) -> bytes | None:
        return training.load_state(self._store, self._job_id)

    def _log(self, progress: TrainingProgress) -> None:
        """Log where a phase begins, and what was measured; the end has words of its own."""
        point = progress.point
        if point is not None and point.valid is not None:
            words = f"{progress.message}: reward {point.valid.estimate:.2f} on validation prompts"
            training.log(self._store, self._job_id, words)
        elif progress.phase != self._phase and progress.phase not in ("training", "done"):
            training.log(self._store, self._job_id, progress.message)
        self._phase = progress.phase

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        text = msgspec.json.encode(checkpoint).decode()
        training.save_checkpoint(self._store, self._job_id, self._owner, checkpoint.step, text)

    def save_rollouts(self, step: int, rollouts: Sequence[TrainingRollout]) -> None:
        texts = [msgspec.json.encode(one).decode() for one in rollouts]
        training.save_rollouts(self._store, self._job_id, self._owner, step, texts)


@contextmanager
def _beating(
    store: Store,
    row: TrainingRow,
    owner: str,
    progress: Told,
    cancelled: Callable[[], bool],
    is_for_good: Callable[[], bool],
) -> Iterator[_Run]:
    """Say twice a second that the job is alive, and hear what is asked of it."""
    run = _Run(store, row, owner, progress, cancelled, is_for_good)
    done = threading.Event()

    def beat() -> None:
        while not done.wait(_BEAT_S):
            try:
                run.wish = training.beat(store, row.id, owner)
            except TrainingStopped as lost:
                run.lost = lost
                return

    thread = threading.Thread(target=beat, name=f"rft-beat-{row.id}", daemon=True)
    thread.start()
    try:
        yield run
    finally:
        done.set()
        thread.join()


def _elapsed_s(row: TrainingRow) -> float:
    """Seconds that a job was worked on before, as it was told last."""
    if row.progress is None:
        return 0.0
    return msgspec.json.decode(row.progress, type=TrainingProgress).elapsed_s or 0.0
