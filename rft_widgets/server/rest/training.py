"""Training runs: starting, watching, pausing and ending them."""

from __future__ import annotations

from msgspec import structs

from rft_widgets.dataset.training import TrainingJob
from rft_widgets.dataset.training_state import TrainingState
from rft_widgets.model.job import LogLine
from rft_widgets.model.training import TrainingConfig
from rft_widgets.server.rest.routing import Id, Routes, Underway
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
    """A training run as it stands."""

    id: str
    dataset_id: str


def view(job: TrainingJob) -> TrainingView:
    """Read how a run stands."""
    return TrainingView(id=job.id, dataset_id=job.dataset_id, **structs.asdict(job.state))


def _underway(job: TrainingJob) -> Underway[TrainingView]:
    return Underway(
        lambda: view(job), lambda: job.status not in ("pending", "running"), f"/training/{job.id}"
    )


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
