"""What came of a job: measured where it can be asked at once, and made ready to answer."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from rft_widgets.errors import InvalidArgument, RftError, RunInterrupted
from rft_widgets.model.message import Message
from rft_widgets.model.training import Checkpoint, TrainingProgress, TrainingReport
from rft_widgets.trainers.base import Policy, PolicyPlace, TrainingRun, TrainingTask
from rft_widgets.trainers.hosted import FollowedJob
from rft_widgets.trainers.language.served import ServedPolicy
from rft_widgets.trainers.measure import (
    MeasuredStep,
    Validation,
    measured_report,
    recorded_rewards,
    reward_answers,
    unmeasured_report,
)
from rft_widgets.trainers.openai.planning import Plan

DEPLOYED = "deployed.json"
"""File in a run's folder: names of deployments by the models that they serve."""


class Artifact(Struct, frozen=True, kw_only=True):
    """What a run leaves: the model at the service, and the one from before."""

    model: str
    base_model: str
    job: str
    needs_deployment: bool


def read_artifact(artifact: bytes) -> Artifact:
    """Read what a run left."""
    return msgspec.json.decode(artifact, type=Artifact)


def open_policy(artifact: bytes, place: PolicyPlace, checkpoint: Checkpoint | None) -> Policy:
    """Make the result ready to answer.

    Raises
    ------
    InvalidArgument
        There is no connection any more, or the model has to be deployed first.
    """
    found = read_artifact(artifact)
    if place.connection is None:
        raise InvalidArgument(
            "The connection to the service that trained is gone.",
            hint="Make one of the same name with ws.add_connection(...).",
        )
    model = checkpoint.model if checkpoint is not None and checkpoint.model else found.model
    if found.needs_deployment:
        model = _deployment_of(place.folder, model)
    return ServedPolicy(place.ask, place.connection, model, found.base_model)


def keep_deployment(folder: Path, model: str, name: str) -> None:
    """Keep under which name a model is deployed."""
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f"{DEPLOYED}.new"
    beside.write_bytes(msgspec.json.encode({**_deployments(folder), model: name}))
    beside.replace(folder / DEPLOYED)


def _deployments(folder: Path) -> dict[str, str]:
    path = folder / DEPLOYED
    return msgspec.json.decode(path.read_bytes(), type=dict[str, str]) if path.exists() else {}


def _deployment_of(folder: Path, model: str) -> str:
    name = _deployments(folder).get(model)
    if name is None:
        raise InvalidArgument(
            f"The model {model} is not deployed, so that nobody can ask it.",
            hint="Deploy it with job.deploy_at_service(name=..., resource=...).",
        )
    return name


def ended(followed: FollowedJob, report: TrainingReport) -> TrainingProgress:
    """Where a run is when all is done."""
    return TrainingProgress(
        phase="done",
        share=1.0,
        step=report.served_step,
        steps=report.served_step,
        epoch=followed.curve[-1].epoch if followed.curve else 0.0,
        gradings=report.gradings,
        message=report.summary,
        curve=followed.curve,
        cost_micro_usd=None,
    )


def report_of(
    task: TrainingTask, plan: Plan, followed: FollowedJob, run: TrainingRun, notes: Sequence[str]
) -> TrainingReport:
    """Measure the model from before and the trained one on the validation prompts.

    What cannot be measured now is said in words: the model is there all the same.
    """
    last = max((point.step for point in followed.curve), default=0)
    baseline = f"{plan.base_model} as the service has it"
    why = ""
    if plan.dialect.needs_deployment:
        why = (
            f"{plan.dialect.title} answers with a model once it is deployed. Deploy it with "
            "job.deploy_at_service(...), and measure it with ds.benchmark()."
        )
    elif task.ask is None:
        why = "there is no way to ask the service from here."
    if not why:
        try:
            return _measured(task, plan, followed, run, notes, last=last, baseline=baseline)
        except RunInterrupted:
            raise
        except RftError as error:
            why = f"{error} Measure it later with ds.benchmark()."
    return unmeasured_report(
        curve=followed.curve,
        served_step=last,
        baseline=baseline,
        fit_prompts=len(task.data.train),
        valid_prompts=len(task.data.valid),
        why=why,
        notes=notes,
    )


def _measured(
    task: TrainingTask,
    plan: Plan,
    followed: FollowedJob,
    run: TrainingRun,
    notes: Sequence[str],
    *,
    last: int,
    baseline: str,
) -> TrainingReport:
    records = task.data.valid
    policy = ServedPolicy(task.ask, plan.connection, followed.model, plan.compared)
    done = itertools.count(1)
    total = max(1, 2 * len(records))

    def report(asked: int, message: str) -> None:
        run.report(
            TrainingProgress(
                phase="evaluating",
                share=0.95 + 0.05 * asked / total,
                step=last,
                steps=last,
                epoch=followed.curve[-1].epoch if followed.curve else 0.0,
                gradings=0,
                message=message,
                curve=followed.curve,
                cost_micro_usd=None,
            )
        )

    def answers(*, reference: bool) -> list[Message | None]:
        found = []
        prompts = [record.input for record in records]
        for answer in policy.respond_many(prompts, reference=reference):
            found.append(None if answer is None else answer.message)
            asked = next(done)
            report(asked, f"Measuring: {asked:,} of {total:,} answers")
        return found

    report(0, "Measuring both models on the validation prompts")
    try:
        both = answers(reference=True), answers(reference=False)
    finally:
        policy.close()
    before, after = (
        MeasuredStep(
            step=step,
            answers=tuple(found),
            rewards=reward_answers(records, found, task.rewarder),
        )
        for step, found in zip((0, last), both, strict=True)
    )
    return measured_report(
        Validation(records),
        (before, after),
        curve=followed.curve,
        recorded=recorded_rewards(records, task.rewarder),
        baseline=baseline,
        fit_prompts=len(task.data.train),
        gradings=sum(one is not None for step in (before, after) for one in step.answers),
        notes=notes,
    )
