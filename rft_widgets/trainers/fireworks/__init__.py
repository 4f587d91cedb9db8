"""The trainer ``fireworks``: managed reinforcement fine-tuning by Fireworks.

Records and a copy of the grader are sent; Fireworks samples, grades and trains. The model answers
once it is deployed there, which is asked for on its own, because it costs by the second.
"""

from __future__ import annotations

from functools import partial

import msgspec

from rft_widgets.errors import InvalidArgument
from rft_widgets.graders.compiled import asks_models
from rft_widgets.model.connection import NamedConnection
from rft_widgets.model.training import TrainingConfig
from rft_widgets.model.training_plan import TrainingEstimate
from rft_widgets.trainers.base import (
    Trainer,
    TrainingOutcome,
    TrainingRequest,
    TrainingRun,
    TrainingTask,
)
from rft_widgets.trainers.fireworks import service
from rft_widgets.trainers.fireworks.deployment import Artifact, deploy, open_policy
from rft_widgets.trainers.fireworks.evaluator import write_evaluator
from rft_widgets.trainers.fireworks.jobs import JobPlan, ManagedJobs
from rft_widgets.trainers.fireworks.service import Account, check_key, service_url
from rft_widgets.trainers.fireworks.settings import (
    ACCOUNT,
    EVALUATOR,
    job_options,
    trainer_info,
)
from rft_widgets.trainers.hosted import follow
from rft_widgets.trainers.hyperparameters import read_settings
from rft_widgets.trainers.measure import unmeasured_report

__all__ = ["TRAINER", "train"]

_JUDGED = (
    "The grader asks a model. At Fireworks its key has to be a secret of the account, under the "
    "name of the variable; it is not sent from here."
)
_GIVEN = (
    "Fireworks grades with an evaluator that was there before. Whether that is this dataset's "
    "grader, nobody checks."
)


def train(task: TrainingTask, run: TrainingRun) -> TrainingOutcome:
    """Send the records and the grader, and follow the job; see `Trainer.train`."""
    connection, base_model, texts = _named(task.config, task.connection)
    options = job_options(task.config)
    notes = []
    if texts.get(EVALUATOR):
        notes.append(_GIVEN)
    elif asks_models(task.grader):
        notes.append(_JUDGED)
    if run.load_state() is None:
        for note in notes:
            run.log(note)
    with Account(connection, texts[ACCOUNT]) as account:
        plan = JobPlan(
            name=task.name,
            options=options,
            train=task.data.train,
            valid=task.data.valid,
            folder=task.folder,
            evaluator=texts.get(EVALUATOR, ""),
            write=partial(write_evaluator, task.grader, task.folder),
        )
        jobs = ManagedJobs(account, plan, run.log)
        key = f"rft-{task.job_id}".replace("_", "-")
        followed = follow(jobs, run, key=key, poll_s=service.LOOK_S)
        taken = jobs.gpu_seconds(followed.job)
    if taken:
        listed = ", ".join(f"{seconds:,.0f} s of {kind}" for kind, seconds in taken.items())
        notes.append(f"GPUs that it took: {listed}.")
    report = unmeasured_report(
        curve=followed.curve,
        served_step=max((point.step for point in followed.curve), default=0),
        baseline=f"{base_model} as Fireworks has it",
        fit_prompts=len(task.data.train),
        valid_prompts=len(task.data.valid),
        why=(
            "Fireworks answers with a model once it is deployed. Deploy it with "
            "job.deploy_at_service(shape=...), each second of which costs, measure it with "
            "ds.benchmark(), and take it down with job.deploy_at_service(take_down=True)."
        ),
        notes=notes,
    )
    artifact = Artifact(
        model=followed.model,
        base_model=base_model,
        account=texts[ACCOUNT],
        max_tokens=options.get("inference_parameters", {}).get("max_output_tokens"),
    )
    return TrainingOutcome(report=report, artifact=msgspec.json.encode(artifact))


def _named(
    config: TrainingConfig, connection: NamedConnection | None
) -> tuple[NamedConnection, str, dict[str, str]]:
    """The connection, the base model and the settings of a run; `InvalidArgument` without."""
    if connection is None:
        raise InvalidArgument(
            "No connection is named.",
            hint="Add one with ws.add_connection(name, 'https://api.fireworks.ai/inference/v1', "
            "model, api_key_env='FIREWORKS_API_KEY').",
        )
    if not config.base_model:
        raise InvalidArgument(
            "No base model is named.", hint="Name one, such as accounts/fireworks/models/qwen3-4b."
        )
    service_url(connection)
    return connection, config.base_model, read_settings(trainer_info(), config)


def _check(request: TrainingRequest) -> None:
    """Refuse what cannot begin; what the service alone knows, it says when the run does."""
    connection, _, _ = _named(request.config, request.connection)
    check_key(connection)
    job_options(request.config)


def _estimate(request: TrainingRequest) -> TrainingEstimate:  # noqa: ARG001 - nothing is known
    return TrainingEstimate(
        seconds=None,
        basis="",
        gradings=0,
        cost_micro_usd=None,
        cost_basis=(
            "Fireworks does not say its price beforehand. A deployment, which is asked for on its "
            "own, costs by the second of its GPUs."
        ),
    )


TRAINER = Trainer(
    info=trainer_info,
    check=_check,
    estimate=_estimate,
    train=train,
    policy=open_policy,
    deploy=deploy,
)
