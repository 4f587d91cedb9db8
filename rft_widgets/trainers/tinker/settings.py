"""The hyperparameters of the trainer ``tinker``, and what follows from them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from rft_widgets.model.training import EPOCHS, TrainingConfig
from rft_widgets.trainers.hyperparameters import fields_of, read_hyperparameters

Sdk = Literal["tinker", "together"]
_Usd = Annotated[float, Meta(ge=0, le=1_000)]


class TinkerHyperparameters(Struct, frozen=True, kw_only=True):
    """Every number of the trainer ``tinker``, each one changeable in the configuration."""

    n_epochs: Annotated[
        int, Meta(ge=1, le=10, title="Epochs", description="Times each prompt is learned from.")
    ] = EPOCHS
    learning_rate: Annotated[
        float,
        Meta(
            ge=1e-7,
            le=10.0,
            title="Learning rate",
            description="Step length of Adam; LoRA wants about ten times that of full weights.",
        ),
    ] = 4e-5
    batch_prompts: Annotated[
        int, Meta(ge=1, le=4_096, title="Prompts a step", description="Prompts of one step.")
    ] = 32
    group_size: Annotated[
        int,
        Meta(
            ge=2,
            le=64,
            title="Answers a prompt",
            description="Answers that are sampled for each prompt of a step.",
        ),
    ] = 8
    max_tokens: Annotated[
        int,
        Meta(
            ge=1,
            le=131_072,
            title="Tokens an answer",
            description="Longest answer, in tokens; a longer one is cut there.",
        ),
    ] = 512
    temperature: Annotated[
        float,
        Meta(
            ge=0.05,
            le=2.0,
            title="Temperature",
            description="Of the answers that are learned from; measured are greedy ones.",
        ),
    ] = 1.0
    loss: Annotated[
        Literal["importance_sampling", "ppo"],
        Meta(
            title="Loss",
            description="ppo holds back tokens whose probability has moved too far.",
        ),
    ] = "importance_sampling"
    lora_rank: Annotated[
        int,
        Meta(ge=1, le=256, title="LoRA rank", description="Size of the adapter that is trained."),
    ] = 32
    evaluations: Annotated[
        int,
        Meta(
            ge=1,
            le=100,
            title="Evaluations",
            description="Checkpoints that are measured over a run, beside the model from before.",
        ),
    ] = 4
    save_every: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000,
            title="Steps between saves",
            description="Steps that a pause or a kill costs at most; 1 costs no whole one.",
        ),
    ] = 1
    sdk: Annotated[
        Sdk,
        Meta(
            title="SDK",
            description="together: the same loop by together.post_training.tinker, which rents "
            "GPUs until the run ends.",
        ),
    ] = "tinker"
    prefill_usd: Annotated[
        _Usd | None,
        Meta(
            title="Price of prompts",
            description="Dollars for a million prompt tokens; by default the connection's price.",
        ),
    ] = None
    sample_usd: Annotated[
        _Usd | None,
        Meta(
            title="Price of answers",
            description="Dollars for a million sampled tokens; by default the connection's price.",
        ),
    ] = None
    train_usd: Annotated[
        _Usd | None,
        Meta(
            title="Price of training",
            description="Dollars for a million tokens trained on; without it no cost is said.",
        ),
    ] = None


TINKER_FIELDS = fields_of(TinkerHyperparameters)


def tinker_hyperparameters(config: TrainingConfig) -> TinkerHyperparameters:
    """Read the hyperparameters of a configuration; those that are not given have their defaults.

    Raises
    ------
    InvalidArgument
        One is unknown, of the wrong type or out of bounds.
    """
    return read_hyperparameters(TinkerHyperparameters, config)


def steps_of(settings: TinkerHyperparameters, prompts: int) -> tuple[int, int]:
    """Steps of an epoch, and of the whole run."""
    batches = -(-prompts // settings.batch_prompts)
    return batches, batches * settings.n_epochs


def measured_at(settings: TinkerHyperparameters, steps: int) -> frozenset[int]:
    """Steps whose model is measured: the one from before, evenly many, and the last."""
    times = settings.evaluations
    return frozenset({0, *(round(steps * i / times) for i in range(1, times + 1))})


def most_gradings(settings: TinkerHyperparameters, train: int, valid: int) -> int:
    """Most answers that are graded: those learned from, measured ones, and recorded ones."""
    _, steps = steps_of(settings, train)
    learned = train * settings.n_epochs * settings.group_size
    return learned + valid * (len(measured_at(settings, steps)) + 1)
