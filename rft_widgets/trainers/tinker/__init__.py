"""The trainer ``tinker``: reinforcement learning on somebody's GPUs, with your grader here.

The service samples and computes gradients when it is asked to; the loop, the grader and the
rewards stay on this machine. Thinking Machines, Together and servers of your own speak it.
"""

from __future__ import annotations

from importlib.util import find_spec

from rft_widgets.errors import ExtraRequired, InvalidArgument
from rft_widgets.graders.compiled import asks_models
from rft_widgets.model.training_plan import TrainerCapabilities, TrainerInfo, TrainingEstimate
from rft_widgets.trainers.base import Trainer, TrainingRequest
from rft_widgets.trainers.graders import EVERY_GRADER
from rft_widgets.trainers.hyperparameters import read_settings
from rft_widgets.trainers.tinker.artifact import open_policy
from rft_widgets.trainers.tinker.prices import Tokens, prices_of
from rft_widgets.trainers.tinker.service import INSTALL, MODULES, key_of, service_url
from rft_widgets.trainers.tinker.settings import (
    TINKER_FIELDS,
    measured_at,
    most_gradings,
    steps_of,
    tinker_hyperparameters,
)
from rft_widgets.trainers.tinker.train import train

__all__ = ["TRAINER"]


def _info() -> TrainerInfo:
    return TrainerInfo(
        name="tinker",
        title="Tinker",
        description=(
            "Trains a LoRA adapter of an open-weight model at a service, step by step from here: "
            "it samples and computes gradients, your grader gives the rewards on this machine."
        ),
        needs="A key of the service, or a server of your own that speaks its protocol.",
        base_model="A model of the service, such as Qwen/Qwen3-8B.",
        capabilities=TrainerCapabilities(
            grader_runs="here",
            graders=EVERY_GRADER,
            pauses=True,
            survives_restart=True,
            rollouts=True,
            checkpoints=True,
            measures=True,
            tools=True,
            serving="By the service, which speaks the OpenAI protocol.",
        ),
        base_models=("Qwen/Qwen3-8B",),
        needs_base_model=True,
        needs_connection=True,
        hyperparameters=TINKER_FIELDS,
        missing="" if find_spec("tinker") is not None else INSTALL["tinker"],
    )


def _check(request: TrainingRequest) -> None:
    """Refuse what cannot begin; what the service alone knows, it says when the run does."""
    settings = tinker_hyperparameters(request.config)
    read_settings(_info(), request.config)
    if not request.config.base_model:
        raise InvalidArgument(
            "No base model is named.", hint="Name one of the service, such as Qwen/Qwen3-8B."
        )
    if request.connection is None:
        raise InvalidArgument(
            "No connection is named.",
            hint="Add one with the service's address and the variable that holds its key.",
        )
    service_url(request.connection)
    key_of(request.connection, settings.sdk)
    if not _is_there(MODULES[settings.sdk]):
        raise ExtraRequired(
            f"The package of {MODULES[settings.sdk]} is not installed.", hint=INSTALL[settings.sdk]
        )


def _is_there(module: str) -> bool:
    package, _, _ = module.partition(".")
    return find_spec(package) is not None


def _estimate(request: TrainingRequest) -> TrainingEstimate:
    settings = tinker_hyperparameters(request.config)
    _, steps = steps_of(settings, request.train)
    looks = len(measured_at(settings, steps)) * request.valid
    prompts = request.train * settings.n_epochs
    answers = prompts * settings.group_size
    tokens = Tokens(
        prefill=round((prompts + looks) * request.prompt_tokens),
        sample=(answers + looks) * settings.max_tokens,
        train=round(answers * (request.prompt_tokens + settings.max_tokens)),
    )
    prices = prices_of(settings, request.config.base_model or "", request.connection)
    cost = prices.cost(tokens)
    basis = f"At most, if every answer has {settings.max_tokens:,} tokens."
    if cost is None:
        basis = (
            f"Up to {tokens.prefill:,} tokens of prompts, {tokens.sample:,} sampled and "
            f"{tokens.train:,} trained on; give prefill_usd, sample_usd and train_usd for a price."
        )
    elif asks_models(request.grader):
        cost, basis = None, f"{basis} The grader's calls come on top."
    return TrainingEstimate(
        seconds=None,
        basis="",
        gradings=most_gradings(settings, request.train, request.valid),
        cost_micro_usd=cost,
        cost_basis=basis,
    )


TRAINER = Trainer(info=_info, check=_check, estimate=_estimate, train=train, policy=open_policy)
