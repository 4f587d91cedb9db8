"""Deployments: the trained model as an endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar

from msgspec import Meta, Struct

from rft_widgets.dataset.deployment import Deployment
from rft_widgets.dataset.training_job import TrainingJob
from rft_widgets.errors import InvalidArgument
from rft_widgets.llm.allowed import allowed_from_page
from rft_widgets.model.deployed import Benchmark, DeploymentOutcome, PlaygroundAnswer
from rft_widgets.model.deployment import DeploymentMode, DeploymentStatus
from rft_widgets.model.llm import ModelConnection
from rft_widgets.model.served import ServedStatus
from rft_widgets.model.training import TrainingOutcomeName, TrainingReport
from rft_widgets.model.training_plan import TrainerInfo
from rft_widgets.statistics import PairedDifference
from rft_widgets.trainers import available
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
Step = Annotated[int, Meta(ge=0)]
Text = Annotated[str, Meta(min_length=1, max_length=20_000)]


class CheckpointChoice(Struct, frozen=True, kw_only=True):
    """A checkpoint that can be served; ``reward`` (0..1) is that on the validation prompts."""

    step: int
    reward: float | None


class TrainedModel(Struct, frozen=True, kw_only=True):
    """A completed training run, whose policy can be deployed.

    ``trainer`` is its title, ``base_model`` what it started from, ``serving`` how it is served, and
    ``problem`` what is missing on this machine before it is, in words. ``served_step`` is the
    checkpoint that is chosen, ``own_step`` the one that the run chose itself.
    """

    job: str
    created_at: datetime
    trainer: str
    base_model: str | None
    serving: str
    problem: str
    outcome: TrainingOutcomeName
    served_step: int
    own_step: int
    checkpoints: tuple[CheckpointChoice, ...]
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

    ``said`` is why it is not served, what answers, or that its address is another one than before;
    ``checkpoint`` the step of the run that it serves, as far as it was kept; ``by_worker`` whether
    the worker serves it or is to. The snippet has `HIDDEN_TOKEN` instead of the token, which a page
    has to ask for.
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
    checkpoint: int | None
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
    """One answer of the playground: its text with tool calls, reward (0..1), and the seconds.

    ``tokens`` is the length of what a language model wrote.
    """

    text: str
    source_record_id: str | None
    similarity: float | None
    reward: float | None
    error: str | None
    latency_s: float | None
    tokens: int | None


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
        infos = {info.name: info for info in available()}
        return DeployOverview(
            models=tuple(
                self._model(job, report, infos)
                for job in reversed(ds.training_jobs)
                if (report := job.report) is not None
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
        checkpoint: Step | None = None,
    ) -> str:
        """Serve a trained policy on this machine; the id of the deployment."""
        deployment = self._dataset.deploy(
            mode,
            job=job,
            model=model or None,
            base_model=base_model or None,
            checkpoint=checkpoint,
            ratio=ratio,
            upstream=self._upstream(upstream_url, upstream_model, api_key_env),
            upstream_model=upstream_model or None,
            keep_exchanges=keep_exchanges,
            start=False,
        )
        # The page shows that it starts, and why it does not; loading a model takes its time.
        deployment.start(wait=not deployment.loads_a_model)
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
        found = self._dataset.deployment(deployment)
        found.start(wait=not found.loads_a_model)

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
    def measure(self, job: Id, checkpoint: Step | None = None) -> None:
        """Begin to measure both policies on the validation prompts with the grader of now."""
        self._dataset.submit("benchmark", MeasureTraining(training_job=job, checkpoint=checkpoint))

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
    def play(self, job: Id, text: Text, checkpoint: Step | None = None) -> PlayedPair:
        """Both answers to what a user might write."""
        return _pair(self._dataset.playground(text, job=job, checkpoint=checkpoint))

    @rpc.method(background=True)
    def play_record(self, job: Id, record: Name, checkpoint: Step | None = None) -> PlayedPair:
        """Both answers to the prompt of a record, graded with its item."""
        asked = self._dataset.record(record)
        return _pair(self._dataset.playground(asked, job=job, checkpoint=checkpoint))

    def _model(
        self, job: TrainingJob, report: TrainingReport, infos: Mapping[str, TrainerInfo]
    ) -> TrainedModel:
        state = job.state
        info, served = infos.get(state.config.trainer), job.served_step
        return TrainedModel(
            job=job.id,
            created_at=state.created_at,
            trainer=state.config.trainer if info is None else info.title,
            base_model=state.config.base_model,
            serving="" if info is None else info.capabilities.serving,
            problem="This version has no such trainer." if info is None else info.missing,
            outcome=report.outcome,
            served_step=report.served_step if served is None else served,
            own_step=report.served_step,
            checkpoints=tuple(
                CheckpointChoice(step=one.step, reward=one.valid_reward) for one in job.checkpoints
            ),
            kept_reference=report.kept_reference,
            change=report.change,
            against_recorded=report.against_recorded,
            benchmark=self._measured("benchmark", job.id),
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
            checkpoint=config.checkpoint,
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
        tokens=None if answer.usage is None else answer.usage.completion_tokens,
    )


WIDGET = DeployDialog
