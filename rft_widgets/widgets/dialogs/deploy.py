"""Deployments: the trained model as an endpoint."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar

from msgspec import Meta, Struct

from rft_widgets.dataset.deployment import Deployment
from rft_widgets.errors import InvalidArgument
from rft_widgets.llm.allowed import allowed_from_page
from rft_widgets.model.deployed import Benchmark, DeploymentOutcome, PlaygroundAnswer
from rft_widgets.model.deployment import DeploymentMode, DeploymentStatus
from rft_widgets.model.llm import ModelConnection
from rft_widgets.model.served import ServedStatus
from rft_widgets.model.training import TrainingOutcomeName, TrainingReport
from rft_widgets.statistics import PairedDifference
from rft_widgets.trainers.measure import shown_answer, shown_prompt
from rft_widgets.widgets import rpc
from rft_widgets.widgets.dialogs.base import Dialog
from rft_widgets.worker.training import MeasureOutcome, MeasureTraining

PROMPTS = 50
"""Validation prompts that the playground offers."""
HIDDEN_TOKEN = "<token>"  # noqa: S105 - what is shown instead of one
"""Stands for the token in lines that are only shown."""

Id = Annotated[str, Meta(min_length=1, max_length=64)]
Name = Annotated[str, Meta(max_length=500)]
Text = Annotated[str, Meta(min_length=1, max_length=20_000)]


class TrainedModel(Struct, frozen=True, kw_only=True):
    """A completed training run, whose policy can be deployed."""

    job: str
    created_at: datetime
    outcome: TrainingOutcomeName
    served_step: int
    kept_reference: bool
    change: PairedDifference | None
    against_recorded: PairedDifference | None
    benchmark: Benchmark | None


class ServedArm(Struct, frozen=True, kw_only=True):
    """What went through one arm: requests, how many failed, mean seconds of the others."""

    arm: str
    requests: int
    failed: int
    mean_duration_s: float | None


class DeploymentView(Struct, frozen=True, kw_only=True):
    """A deployment as it stands; ``base_url`` and ``snippet`` while it is served.

    ``said`` is why it is not served, or that its address is another one than before; ``by_worker``
    whether the worker serves it or is to. The snippet has `HIDDEN_TOKEN` instead of the token,
    which a page has to ask for.
    """

    id: str
    mode: DeploymentMode
    status: DeploymentStatus
    model: str
    base_model: str
    ratio: float
    upstream: str | None
    keep_exchanges: bool
    job: str
    created_at: datetime
    rolled_back_at: datetime | None
    served: ServedStatus
    by_worker: bool
    said: str
    base_url: str | None
    snippet: str | None
    arms: tuple[ServedArm, ...]
    outcome: DeploymentOutcome | None


class DeployOverview(Struct, frozen=True, kw_only=True):
    """What can be deployed, and what is; the newest first."""

    models: tuple[TrainedModel, ...]
    deployments: tuple[DeploymentView, ...]
    model_name: str


class PlaygroundPrompt(Struct, frozen=True, kw_only=True):
    """A prompt that the playground offers."""

    record_id: str
    text: str
    topic: str | None


class PlayedAnswer(Struct, frozen=True, kw_only=True):
    """One answer of the playground: its text with tool calls, reward (0..1), and the seconds."""

    text: str
    source_record_id: str | None
    similarity: float | None
    reward: float | None
    error: str | None
    latency_s: float


class PlayedPair(Struct, frozen=True, kw_only=True):
    """Both answers to one prompt."""

    base: PlayedAnswer
    tuned: PlayedAnswer


class RevealedToken(Struct, frozen=True, kw_only=True):
    """What a person asked to see or to copy. It is stored nowhere."""

    token: str
    snippet: str


class DeployDialog(Dialog):
    """Deployments: the trained model as an endpoint."""

    component: ClassVar[str] = "dialogs/deploy"
    step: ClassVar[int] = 7

    @rpc.method(background=True, packed=True)
    def load(self) -> DeployOverview:
        """Trained models, and the deployments as they stand."""
        ds = self._dataset
        states = [(job.id, job.state) for job in ds.training_jobs]
        return DeployOverview(
            models=tuple(
                self._model(job, state.created_at, state.report)
                for job, state in reversed(states)
                if state.report is not None
            ),
            deployments=tuple(self._view(one) for one in reversed(ds.deployments)),
            model_name=ds.model_name,
        )

    @rpc.method(background=True)
    def deploy(
        self,
        job: Id,
        mode: DeploymentMode,
        model: Name = "",
        base_model: Name = "",
        ratio: float = 50.0,
        upstream_url: Name = "",
        upstream_model: Name = "",
        api_key_env: Name = "",
        keep_exchanges: bool = True,
    ) -> str:
        """Serve a trained policy on this machine; the id of the deployment."""
        deployment = self._dataset.deploy(
            mode,
            job=job,
            model=model or None,
            base_model=base_model or None,
            ratio=ratio,
            upstream=self._upstream(upstream_url, upstream_model, api_key_env),
            upstream_model=upstream_model or None,
            keep_exchanges=keep_exchanges,
        )
        return deployment.id

    def _upstream(self, url: str, model: str, api_key_env: str) -> ModelConnection | None:
        if not url:
            if model or api_key_env:
                raise InvalidArgument(
                    "An upstream model needs the address of its service.",
                    hint="Give its base URL, or leave model and key empty.",
                )
            return None
        connection = ModelConnection(base_url=url, api_key_env=api_key_env or None)
        return allowed_from_page(connection, self._dataset.bound_connections)

    @rpc.method(background=True)
    def start(self, deployment: Id) -> None:
        """Serve a deployment, by the worker or from this process."""
        self._dataset.deployment(deployment).start()

    @rpc.method(background=True)
    def stop(self, deployment: Id) -> None:
        """Serve a deployment no more."""
        self._dataset.deployment(deployment).stop()

    @rpc.method(background=True)
    def roll_back(self, deployment: Id) -> None:
        """Send everything to the base arm from the next request on."""
        self._dataset.deployment(deployment).roll_back()

    @rpc.method(background=True)
    def reveal(self, deployment: Id) -> RevealedToken:
        """The token of a deployment that is served, because somebody asked for it."""
        found = self._dataset.deployment(deployment)
        return RevealedToken(token=found.token, snippet=found.snippet())

    @rpc.method()
    def measure(self, job: Id) -> None:
        """Begin to measure both policies on the validation prompts with the grader of now."""
        self._dataset.submit("benchmark", MeasureTraining(training_job=job))

    @rpc.method()
    def measure_outcome(self, deployment: Id) -> None:
        """Begin to measure what a deployment's arms have answered."""
        self._dataset.submit("outcome", MeasureOutcome(deployment=deployment))

    def _measured(self, kind: str, subject: str) -> Any:
        """What was measured last of a training run or a deployment."""
        job = self._dataset.last_job(kind, subject=subject)
        return None if job is None else job.result

    @rpc.method(background=True, packed=True)
    def prompts(self, job: Id) -> tuple[PlaygroundPrompt, ...]:
        """Validation prompts of a run, to try it on."""
        ids = self._dataset.training_job(job).split.valid[:PROMPTS]
        return tuple(
            PlaygroundPrompt(record_id=record.id, text=shown_prompt(record), topic=record.topic)
            for record in self._dataset.iterate(self._dataset.select(ids=ids))
        )

    @rpc.method(background=True)
    def play(self, job: Id, text: Text) -> PlayedPair:
        """Both answers to what a user might write."""
        return _pair(self._dataset.playground(text, job=job))

    @rpc.method(background=True)
    def play_record(self, job: Id, record: Name) -> PlayedPair:
        """Both answers to the prompt of a record, graded with its item."""
        return _pair(self._dataset.playground(self._dataset.record(record), job=job))

    def _model(self, job: str, created_at: datetime, report: TrainingReport) -> TrainedModel:
        return TrainedModel(
            job=job,
            created_at=created_at,
            outcome=report.outcome,
            served_step=report.served_step,
            kept_reference=report.kept_reference,
            change=report.change,
            against_recorded=report.against_recorded,
            benchmark=self._measured("benchmark", job),
        )

    def _view(self, one: Deployment) -> DeploymentView:
        config, served = one.config, one.served
        return DeploymentView(
            id=one.id,
            mode=config.mode,
            status=one.status,
            model=config.model,
            base_model=config.base_model,
            ratio=config.ratio,
            upstream=None if config.upstream is None else config.upstream.base_url,
            keep_exchanges=config.keep_exchanges,
            job=one.job.id,
            created_at=one.created_at,
            rolled_back_at=one.rolled_back_at,
            served=served.status,
            by_worker=served.by_worker,
            said=served.said,
            base_url=served.base_url,
            snippet=served.base_url and one.snippet(base_url=served.base_url, token=HIDDEN_TOKEN),
            arms=tuple(
                ServedArm(
                    arm=name,
                    requests=arm.requests,
                    failed=arm.failed,
                    mean_duration_s=arm.mean_duration_s,
                )
                for name, arm in one.counts.items()
            ),
            outcome=self._measured("outcome", one.id),
        )


def _pair(answers: dict[str, PlaygroundAnswer]) -> PlayedPair:
    return PlayedPair(**{arm: _shown(answer) for arm, answer in answers.items()})


def _shown(answer: PlaygroundAnswer) -> PlayedAnswer:
    return PlayedAnswer(
        text=shown_answer(answer.message),
        source_record_id=answer.source_record_id,
        similarity=answer.similarity,
        reward=answer.reward,
        error=answer.error,
        latency_s=answer.latency_s,
    )


WIDGET = DeployDialog
