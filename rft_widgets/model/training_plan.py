"""What is known before a training run: who could do it, on what, how long, and what warns."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from rft_widgets.model.training import TopicSplit


class HyperparameterField(Struct, frozen=True, kw_only=True):
    """A setting of a trainer that can be changed: a number within bounds, or one of ``choices``.

    ``default`` is ``None`` where the service decides unless something is given.
    """

    name: str
    title: str
    description: str
    default: float | str | None
    low: float | None = None
    high: float | None = None
    is_whole: bool = False
    choices: tuple[str, ...] = ()


class SettingField(Struct, frozen=True, kw_only=True):
    """A text that a trainer needs, such as an address or an id at the service; never a key."""

    name: str
    title: str
    description: str
    example: str = ""
    is_required: bool = False


class TrainerCapabilities(Struct, frozen=True, kw_only=True):
    """What a trainer supports.

    Attributes
    ----------
    grader_runs
        ``here``, on this machine, so that every grader will do; ``service``, at the service.
    graders
        Types of graders that it takes.
    pauses
        Whether a run can be paused and resumed.
    survives_restart
        Whether a run goes on after the process here was killed, or another machine's.
    rollouts
        Whether the answers that it learned from can be read, with their rewards.
    checkpoints
        Whether the model after several of the steps can be asked, and not the last alone.
    measures
        Whether the result is measured here, on the validation split with the dataset's grader,
        when the run ends. Else it is once it is deployed.
    tools
        Whether the tools of a prompt are on offer to the model.
    serving
        How the result is served, in words.
    """

    grader_runs: Literal["here", "service"]
    graders: tuple[str, ...]
    pauses: bool
    survives_restart: bool
    rollouts: bool
    checkpoints: bool
    measures: bool
    tools: bool
    serving: str


class TrainerInfo(Struct, frozen=True, kw_only=True):
    """A way to train: what it needs, what it supports, and whether it can be used right now.

    Attributes
    ----------
    base_model
        Which model it starts from, in words.
    base_models
        Models that are known to do, to choose from; any other may be given.
    needs_base_model, needs_connection
        Whether `TrainingConfig.base_model` and `TrainingConfig.connection` have to be given.
    missing
        What has to be done before it can be used, in words; empty if it is ready.
    """

    name: str
    title: str
    description: str
    needs: str
    base_model: str
    capabilities: TrainerCapabilities
    base_models: tuple[str, ...] = ()
    needs_base_model: bool = False
    needs_connection: bool = False
    hyperparameters: tuple[HyperparameterField, ...] = ()
    settings: tuple[SettingField, ...] = ()
    missing: str = ""


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
    bound. ``cost_micro_usd`` is ``None`` where it is not known: the grader asks a model, or a
    service trains whose price nobody could tell; ``cost_basis`` says what it is made of.
    """

    seconds: float | None
    basis: str
    gradings: int
    cost_micro_usd: int | None
    cost_basis: str = ""


class TrainingPlan(Struct, frozen=True, kw_only=True):
    """The split that a configuration makes, in counts, and what the run will take."""

    train: int
    valid: int
    groups: int
    topics: tuple[TopicSplit, ...]
    notes: tuple[str, ...]
    estimate: TrainingEstimate
