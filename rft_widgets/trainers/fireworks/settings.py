"""What the trainer ``fireworks`` is, and what a configuration for it may hold."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from rft_widgets.model.training import TrainingConfig
from rft_widgets.model.training_plan import SettingField, TrainerCapabilities, TrainerInfo
from rft_widgets.trainers.graders import EVERY_GRADER
from rft_widgets.trainers.hyperparameters import fields_of, read_hyperparameters

ACCOUNT, EVALUATOR = "account", "evaluator"


class FireworksHyperparameters(Struct, frozen=True, kw_only=True):
    """Every number of the trainer ``fireworks``; what is ``None`` the service decides."""

    n_epochs: (
        Annotated[
            int, Meta(ge=1, le=10, title="Epochs", description="Times each prompt is learned from.")
        ]
        | None
    ) = None
    learning_rate: (
        Annotated[
            float,
            Meta(ge=1e-8, le=1.0, title="Learning rate", description="Step length of training."),
        ]
        | None
    ) = None
    lora_rank: (
        Annotated[
            int,
            Meta(
                ge=1, le=256, title="LoRA rank", description="Size of the adapter that is trained."
            ),
        ]
        | None
    ) = None
    batch_size_samples: (
        Annotated[
            int,
            Meta(ge=1, le=4_096, title="Samples a batch", description="Samples of one gradient."),
        ]
        | None
    ) = None
    group_size: (
        Annotated[
            int,
            Meta(
                ge=2,
                le=64,
                title="Answers a prompt",
                description="Answers that are sampled for each prompt.",
            ),
        ]
        | None
    ) = None
    max_tokens: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=131_072,
                title="Tokens an answer",
                description="Longest answer, in tokens; a longer one is cut there.",
            ),
        ]
        | None
    ) = None
    temperature: (
        Annotated[
            float,
            Meta(
                ge=0.05,
                le=2.0,
                title="Temperature",
                description="Of the answers that are learned from.",
            ),
        ]
        | None
    ) = None
    loss: (
        Annotated[
            Literal["GRPO", "DAPO", "GSPO_TOKEN"],
            Meta(title="Loss", description="The method of reinforcement learning."),
        ]
        | None
    ) = None
    kl_beta: (
        Annotated[
            float,
            Meta(
                ge=0.0,
                le=10.0,
                title="KL weight",
                description="Weight of the divergence from the base model.",
            ),
        ]
        | None
    ) = None


_INFO = TrainerInfo(
    name="fireworks",
    title="Fireworks",
    description=(
        "Managed reinforcement fine-tuning of open-weight models at Fireworks. It samples answers, "
        "grades them with a copy of the dataset's grader and trains a LoRA adapter."
    ),
    needs="An account with Fireworks whose key may make evaluators, and a connection to it.",
    base_model="A model of Fireworks, by its whole name.",
    base_models=("accounts/fireworks/models/qwen3-4b",),
    capabilities=TrainerCapabilities(
        grader_runs="service",
        graders=EVERY_GRADER,
        pauses=False,
        survives_restart=True,
        rollouts=False,
        checkpoints=False,
        measures=False,
        tools=True,
        serving="By Fireworks, once it is deployed there; each second of its GPUs costs.",
    ),
    needs_base_model=True,
    needs_connection=True,
    hyperparameters=fields_of(FireworksHyperparameters),
    settings=(
        SettingField(
            name=ACCOUNT,
            title="Account",
            description="Id of the account at Fireworks that trains, and pays.",
            example="my-company",
            is_required=True,
        ),
        SettingField(
            name=EVALUATOR,
            title="Evaluator",
            description=(
                "Id of an evaluator that is there already. Empty: one is made of the dataset's "
                "grader and sent."
            ),
            example="support-grader",
        ),
    ),
)


def trainer_info() -> TrainerInfo:
    """What it is, and what is missing here."""
    if find_spec("fireworks") is not None:
        return _INFO
    return msgspec.structs.replace(
        _INFO, missing="Install it with: pip install 'rft-widgets[fireworks]'."
    )


def job_options(config: TrainingConfig) -> dict[str, Any]:
    """The hyperparameters that are given, as a job takes them.

    Raises
    ------
    InvalidArgument
        One is not right.
    """
    read = read_hyperparameters(FireworksHyperparameters, config)
    training: dict[str, Any] = {
        "base_model": config.base_model,
        "epochs": read.n_epochs,
        "learning_rate": read.learning_rate,
        "lora_rank": read.lora_rank,
        "batch_size_samples": read.batch_size_samples,
    }
    sampling: dict[str, Any] = {
        "response_candidates_count": read.group_size,
        "max_output_tokens": read.max_tokens,
        "temperature": read.temperature,
    }
    loss: dict[str, Any] = {"method": read.loss, "kl_beta": read.kl_beta}
    parts = {"training_config": training, "inference_parameters": sampling, "loss_config": loss}
    given = {
        name: {key: value for key, value in part.items() if value is not None}
        for name, part in parts.items()
    }
    return {name: part for name, part in given.items() if part}
