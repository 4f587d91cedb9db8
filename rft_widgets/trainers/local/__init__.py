"""The trainer ``local``: a retrieval policy, trained on this computer by policy gradient.

It answers with what the system has already said, chosen by what the grader rewarded. It writes
nothing of its own.
"""

from __future__ import annotations

from rft_widgets.graders.compiled import asks_models
from rft_widgets.model.training_plan import TrainerCapabilities, TrainerInfo, TrainingEstimate
from rft_widgets.trainers.base import Trainer, TrainingRequest
from rft_widgets.trainers.graders import EVERY_GRADER
from rft_widgets.trainers.hyperparameters import read_settings
from rft_widgets.trainers.local.artifact import LocalPolicy, load_policy
from rft_widgets.trainers.local.settings import LOCAL_FIELDS, local_hyperparameters, most_gradings
from rft_widgets.trainers.local.train import train

__all__ = ["TRAINER", "LocalPolicy", "load_policy", "train"]

_INFO = TrainerInfo(
    name="local",
    title="Embedded trainer",
    description=(
        "Learns from your grader's rewards which recorded answer to give to which prompt. "
        "It writes no text of its own."
    ),
    needs="Nothing but this computer: no key, no GPU, no download.",
    base_model="None. It chooses among recorded answers; no language model is trained.",
    capabilities=TrainerCapabilities(
        grader_runs="here",
        graders=EVERY_GRADER,
        pauses=True,
        survives_restart=True,
        rollouts=False,
        checkpoints=True,
        measures=True,
        tools=True,
        serving="By the app's own endpoint.",
    ),
    hyperparameters=LOCAL_FIELDS,
)


def _check(request: TrainingRequest) -> None:
    read_settings(_INFO, request.config)
    local_hyperparameters(request.config)


def _estimate(request: TrainingRequest) -> TrainingEstimate:
    return TrainingEstimate(
        seconds=None,
        basis="",
        gradings=most_gradings(request.config, request.train, request.valid),
        cost_micro_usd=None if asks_models(request.grader) else 0,
        cost_basis="On this machine.",
    )


TRAINER = Trainer(
    info=lambda: _INFO,
    check=_check,
    estimate=_estimate,
    train=lambda task, run: train(task.data, task.config, task.rewarder, run),
    policy=lambda artifact, _place, checkpoint: load_policy(artifact, checkpoint),
)
