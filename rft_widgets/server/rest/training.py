"""Training runs: starting, watching, pausing and ending them."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, structs

from rft_widgets.dataset.training_job import TrainingJob
from rft_widgets.dataset.training_state import TrainingState
from rft_widgets.model.job import LogLine
from rft_widgets.model.training import Checkpoint, TrainingConfig, TrainingRollout
from rft_widgets.model.training_plan import TrainerInfo
from rft_widgets.server.rest.routing import Id, Routes, Underway
from rft_widgets.trainers import available
from rft_widgets.workspace import Workspace

routes = Routes("training")


class TrainBody(TrainingConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is trained, on which part of the records.

    ``despite_no_go`` trains although the last dry run says NO_GO.
    """

    despite_no_go: bool = False

    @property
    def config(self) -> TrainingConfig:
        """The configuration alone."""
        names = TrainingConfig.__struct_fields__
        return TrainingConfig(**{name: getattr(self, name) for name in names})


class TrainingView(TrainingState, frozen=True, kw_only=True):
    """A training run as it stands; ``served_step`` is the checkpoint that is served."""

    id: str
    dataset_id: str
    served_step: int | None


_Step = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class RolloutsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which answers."""

    step: Annotated[
        _Step | None, Meta(description="Of the run; by default the newest one that has answers.")
    ] = None


class RolloutsView(Struct, frozen=True, kw_only=True):
    """Answers of one step that a run learned from, and the steps that have answers."""

    steps: tuple[int, ...]
    rollouts: tuple[TrainingRollout, ...]


class CheckpointChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The checkpoint to serve; ``null`` for the one that the run chose."""

    step: _Step | None


def view(job: TrainingJob) -> TrainingView:
    """Read how a run stands."""
    return TrainingView(
        id=job.id,
        dataset_id=job.dataset_id,
        served_step=job.served_step,
        **structs.asdict(job.state),
    )


def _underway(job: TrainingJob) -> Underway[TrainingView]:
    return Underway(
        lambda: view(job), lambda: job.status not in ("pending", "running"), f"/training/{job.id}"
    )


@routes.add("GET", "/trainers")
def list_trainers(_ws: Workspace) -> tuple[TrainerInfo, ...]:
    """Every way to train: what it is, needs and supports, its settings, and what is missing."""
    return available()


@routes.add("POST", "/datasets/{dataset_id}/train")
def start_training(
    ws: Workspace,
    dataset_id: Id,
    body: TrainBody = TrainBody(),  # noqa: B008 - frozen
) -> Underway[TrainingView]:
    """Start to train; by default with the trainer that needs nothing but this computer."""
    job = ws.dataset(dataset_id).train(body.config, despite_no_go=body.despite_no_go)
    return _underway(job)


@routes.add("GET", "/datasets/{dataset_id}/training")
def list_training_jobs(ws: Workspace, dataset_id: Id) -> tuple[TrainingView, ...]:
    """Every training run of a dataset, the oldest first."""
    return tuple(view(job) for job in ws.dataset(dataset_id).training_jobs)


@routes.add("GET", "/training/{training_id}")
def get_training_job(ws: Workspace, training_id: Id) -> TrainingView:
    """How a run stands: its progress with the curve so far, and the report when it has ended."""
    return view(ws.training_job(training_id))


@routes.add("GET", "/training/{training_id}/log")
def get_training_log(ws: Workspace, training_id: Id) -> tuple[LogLine, ...]:
    """What happened in a run, line by line."""
    log = ws.training_job(training_id).log
    return tuple(LogLine(at=at, message=message) for at, message in log)


@routes.add("GET", "/training/{training_id}/rollouts")
def get_rollouts(ws: Workspace, training_id: Id, query: RolloutsQuery) -> RolloutsView:
    """Answers that a run learned from, with their rewards; none where its trainer gives none."""
    job = ws.training_job(training_id)
    return RolloutsView(steps=job.rollout_steps, rollouts=job.rollouts(query.step))


@routes.add("GET", "/training/{training_id}/checkpoints")
def list_checkpoints(ws: Workspace, training_id: Id) -> tuple[Checkpoint, ...]:
    """The model after some of the steps of a run."""
    return ws.training_job(training_id).checkpoints


@routes.add("PUT", "/training/{training_id}/checkpoint")
def choose_checkpoint(ws: Workspace, training_id: Id, body: CheckpointChoice) -> TrainingView:
    """Have a checkpoint served from the next deployment on, instead of the run's own choice."""
    job = ws.training_job(training_id)
    job.choose_checkpoint(body.step)
    return view(job)


@routes.add("POST", "/training/{training_id}/cancel")
def cancel_training(ws: Workspace, training_id: Id) -> Underway[TrainingView]:
    """End a run soon and for good."""
    job = ws.training_job(training_id)
    job.cancel()
    return _underway(job)


@routes.add("POST", "/training/{training_id}/pause")
def pause_training(ws: Workspace, training_id: Id) -> Underway[TrainingView]:
    """Stop a run soon, so that it can be resumed."""
    job = ws.training_job(training_id)
    job.pause()
    return _underway(job)


@routes.add("POST", "/training/{training_id}/resume")
def resume_training(ws: Workspace, training_id: Id) -> Underway[TrainingView]:
    """Go on with a run that was paused or killed, from its last saved state."""
    return _underway(ws.training_job(training_id).resume())
