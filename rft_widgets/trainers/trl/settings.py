"""The hyperparameters of the trainer ``trl``, and the program's settings that follow from them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.training import EPOCHS, TrainingConfig
from rft_widgets.trainers.hyperparameters import fields_of, read_hyperparameters
from rft_widgets.trainers.program.rft_training.settings import Settings

LARGEST_BATCH = 16
"""Answers that one process computes gradients of at a time, unless that is set."""
_FULL_RATE, _LORA_RATE = 1e-6, 1e-5


class TrlHyperparameters(Struct, frozen=True, kw_only=True):
    """Every number of the trainer ``trl``, each one changeable in the configuration."""

    n_epochs: Annotated[
        int, Meta(ge=1, le=10, title="Epochs", description="Times each prompt is learned from.")
    ] = EPOCHS
    max_steps: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=1_000_000,
                title="Most steps",
                description="Ends the run after so many steps, whatever the epochs.",
            ),
        ]
        | None
    ) = None
    learning_rate: (
        Annotated[
            float,
            Meta(
                ge=1e-9,
                le=1.0,
                title="Learning rate",
                description="By default 1e-6 for all weights and 1e-5 for LoRA.",
            ),
        ]
        | None
    ) = None
    prompts_per_step: Annotated[
        int, Meta(ge=1, le=10_000, title="Prompts a step", description="Prompts of one step.")
    ] = 8
    generations: Annotated[
        int,
        Meta(
            ge=2,
            le=128,
            title="Answers a prompt",
            description="Answers that are sampled for each prompt and compared with each other.",
        ),
    ] = 8
    max_completion_tokens: Annotated[
        int,
        Meta(
            ge=1,
            le=131_072,
            title="Longest answer",
            description="Most tokens of an answer; longer ones are cut off.",
        ),
    ] = 512
    temperature: Annotated[
        float,
        Meta(
            ge=0.05,
            le=5.0,
            title="Temperature",
            description="Of the answers that are learned from; higher tries more.",
        ),
    ] = 1.0
    beta: Annotated[
        float,
        Meta(
            ge=0.0,
            le=10.0,
            title="KL weight",
            description=(
                "Weight of the divergence from the base model; with 0 there is no second model "
                "in memory."
            ),
        ),
    ] = 0.0
    loss_type: Annotated[
        Literal["dapo", "grpo", "dr_grpo", "bnpo", "cispo", "sapo"],
        Meta(title="Loss", description="How the loss of tokens is brought together."),
    ] = "dapo"
    scale_rewards: Annotated[
        Literal["group", "batch", "none"],
        Meta(title="Scale rewards", description="What an advantage is divided by."),
    ] = "group"
    lora: Annotated[
        Literal["full", "lora"],
        Meta(
            title="Weights", description="Train all weights, or a small adapter beside them (LoRA)."
        ),
    ] = "full"
    lora_rank: Annotated[
        int, Meta(ge=1, le=1024, title="LoRA rank", description="Size of the adapter.")
    ] = 16
    per_device_batch: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=4096,
                title="Batch a process",
                description=(
                    "Answers that one process computes gradients of at a time; lower it when "
                    "memory runs out. By default as many as divide a step, up to 16."
                ),
            ),
        ]
        | None
    ) = None
    num_processes: Annotated[
        int,
        Meta(ge=1, le=64, title="Processes", description="One a GPU; without a GPU, on the CPU."),
    ] = 1
    evaluations: Annotated[
        int,
        Meta(
            ge=1,
            le=100,
            title="Evaluations",
            description="Times the validation prompts are answered, beside the base model.",
        ),
    ] = 4
    save_every: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=1_000_000,
                title="Steps between checkpoints",
                description="By default a checkpoint whenever validation is measured.",
            ),
        ]
        | None
    ) = None
    precision: Annotated[
        Literal["auto", "bf16", "fp32"],
        Meta(title="Precision", description="auto: bf16 on GPUs that have it, else fp32."),
    ] = "auto"
    use_vllm: Annotated[
        Literal["auto", "no", "colocate"],
        Meta(
            title="vLLM",
            description="Samples answers faster on a GPU; auto: when vLLM is installed.",
        ),
    ] = "auto"
    scheduler: Annotated[
        Literal["constant", "linear", "cosine"],
        Meta(title="Learning rate over time", description="Constant, or falling to 0."),
    ] = "constant"


FIELDS = fields_of(TrlHyperparameters)


def trl_settings(config: TrainingConfig) -> Settings:
    """Everything that the program reads, from a configuration.

    Raises
    ------
    InvalidArgument
        A hyperparameter is not right, or they do not fit together.
    """
    read = read_hyperparameters(TrlHyperparameters, config)
    if config.seed < 0:
        raise InvalidArgument(f"The seed is {config.seed}; it must not be negative.")
    if not config.base_model:
        raise InvalidArgument(
            "No base_model is given.", hint="Give a folder with a model, or its name of the hub."
        )
    answers = read.prompts_per_step * read.generations
    if answers % read.num_processes:
        raise InvalidArgument(
            f"A step has {answers} answers ({read.prompts_per_step} prompts x {read.generations}), "
            f"which {read.num_processes} processes cannot share equally.",
            hint="Make prompts_per_step x generations a multiple of num_processes.",
        )
    share = answers // read.num_processes
    batch = read.per_device_batch or _largest_divisor(share, LARGEST_BATCH)
    if share % batch:
        raise InvalidArgument(
            f"per_device_batch is {batch}, and a process has {share} answers a step "
            f"({read.prompts_per_step} prompts x {read.generations} / {read.num_processes}).",
            hint=f"Use a divisor of {share}, such as {_largest_divisor(share, batch)}.",
        )
    rate = _LORA_RATE if read.lora == "lora" else _FULL_RATE
    folder = model_folder(config.base_model)
    return Settings(
        model=config.base_model if folder is None else str(folder),
        is_folder=folder is not None,
        seed=config.seed,
        n_epochs=read.n_epochs,
        max_steps=read.max_steps,
        learning_rate=rate if read.learning_rate is None else read.learning_rate,
        scheduler=read.scheduler,
        prompts_per_step=read.prompts_per_step,
        generations=read.generations,
        per_device_batch=batch,
        num_processes=read.num_processes,
        max_completion_tokens=read.max_completion_tokens,
        temperature=read.temperature,
        beta=read.beta,
        loss_type=read.loss_type,
        scale_rewards=read.scale_rewards,
        lora=read.lora,
        lora_rank=read.lora_rank,
        precision=read.precision,
        use_vllm=read.use_vllm,
        measure_at_most=read.evaluations,
        save_every=read.save_every,
    )


def model_folder(base_model: str) -> Path | None:
    """The folder that a base model is; ``None`` for a name of the hub."""
    path = Path(base_model).expanduser()
    looks_like_one = base_model.startswith((".", "/", "~")) or base_model.count("/") > 1
    return path.absolute() if path.is_dir() or looks_like_one else None


def _largest_divisor(number: int, limit: int) -> int:
    return max(n for n in range(1, min(number, limit) + 1) if number % n == 0)
