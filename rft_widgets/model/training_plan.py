"""What is known before a training run: who could do it, on what, how long, and what warns."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from rft_widgets.model.training import TopicSplit


class HyperparameterField(Struct, frozen=True, kw_only=True):
    """A number of a trainer that can be changed, with its bounds."""

    name: str
    title: str
    description: str
    default: float
    low: float
    high: float
    is_whole: bool


class TrainerInfo(Struct, frozen=True, kw_only=True):
    """A way to train, with what it needs; ``ready`` ones are taken by ``TrainingConfig.trainer``.

    ``base_model`` says in words which model it starts from.
    """

    name: str
    title: str
    description: str
    needs: str
    status: Literal["ready", "not_available"]
    base_model: str
    hyperparameters: tuple[HyperparameterField, ...] = ()


class TrainingReadiness(Struct, frozen=True, kw_only=True):
    """Whether training may start.

    ``blocked`` says what has to be done first, ``no_go`` why the last dry run advises against it
    (`train` refuses then, unless it is overridden), ``warnings`` what is worth a thought.
    """

    blocked: str | None
    no_go: str | None
    warnings: tuple[str, ...]


class TrainingEstimate(Struct, frozen=True, kw_only=True):
    """What a run will take, as far as is known.

    ``seconds`` follows from the last run that ended, ``basis`` says how; ``gradings`` is an upper
    bound. ``cost_micro_usd`` is ``None`` where the grader asks a model, whose price is not known.
    """

    seconds: float | None
    basis: str
    gradings: int
    cost_micro_usd: int | None


class TrainingPlan(Struct, frozen=True, kw_only=True):
    """The split that a configuration makes, in counts, and what the run will take."""

    train: int
    valid: int
    groups: int
    topics: tuple[TopicSplit, ...]
    notes: tuple[str, ...]
    estimate: TrainingEstimate
