"""A training run as values: how it is set up, how it goes, and what came of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from rft_widgets.model import training_view
from rft_widgets.model.change import TopicChange
from rft_widgets.statistics import Interval, PairedDifference

Hyperparameter = int | float | str | None

EPOCHS = 2
"""Times that each prompt is learned from, unless a configuration says otherwise."""


class TrainingConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is trained, on which part of the records.

    Attributes
    ----------
    trainer
        Name of the trainer; ``local`` needs nothing but this computer.
    base_model
        The model that is trained, as the trainer calls it: a folder with weights, a name of a hub
        or of a service; ``local`` has none.
    connection
        Name of the workspace's connection to the service that trains, for trainers that need one.
    train_ratio
        Share (0..1) of the records to learn from; the rest is only measured on.
    stratify_by_topic
        Whether every topic is split by that ratio, instead of all records together.
    include_generated_in_valid
        Whether synthetic records may be measured on.
    seed
        Makes the split and the training reproducible.
    max_cost_usd
        Most dollars that the models that are asked from here may cost, judges above all; ``None``
        for no limit. A run that reaches it pauses, and may spend as much again when it is resumed.
        What a service asks for training is not in it.
    hyperparameters
        ``n_epochs`` (1..10, by default 2) and those that the trainer knows, which
        `rft_widgets.trainers.available` lists; for ``local`` the fields of
        `LocalHyperparameters`.
    settings
        Texts that the trainer needs beside them, such as an address or an id at the service, by
        the names that `rft_widgets.trainers.available` lists. Never a key.
    """

    trainer: str = "local"
    base_model: str | None = None
    connection: str | None = None
    train_ratio: float = 0.9
    stratify_by_topic: bool = True
    include_generated_in_valid: bool = False
    seed: int = 0
    max_cost_usd: Annotated[float, Meta(gt=0)] | None = None
    hyperparameters: dict[str, Hyperparameter] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def n_epochs(self) -> int:
        """Times that each prompt is learned from."""
        return int(self.hyperparameters.get("n_epochs") or EPOCHS)


class TopicSplit(Struct, frozen=True, kw_only=True):
    """Records of one topic on either side; ``topic`` is ``None`` for those without one."""

    topic: str | None
    train: int
    valid: int


class Split(Struct, frozen=True, kw_only=True):
    """Which records are learned from and which are measured on, by their ids, sorted.

    ``groups`` counts the sets of records that belong together and stay together. ``notes`` say in
    words where the ratio could not be met.
    """

    train_ids: tuple[str, ...]
    valid_ids: tuple[str, ...]
    topics: tuple[TopicSplit, ...]
    groups: int
    notes: tuple[str, ...]


# The trainer `local` -----------------------------------------------------------------------------


class LocalHyperparameters(Struct, frozen=True, kw_only=True):
    """Every number of the trainer ``local``, each one changeable in the configuration."""

    n_epochs: Annotated[
        int, Meta(ge=1, le=10, title="Epochs", description="Times each prompt is learned from.")
    ] = EPOCHS
    learning_rate: Annotated[
        float,
        Meta(
            ge=1e-6,
            le=10.0,
            title="Learning rate",
            description="Step length of Adam, in weights of standardised features.",
        ),
    ] = 0.05
    batch_prompts: Annotated[
        int, Meta(ge=1, le=10_000, title="Prompts a step", description="Prompts of one step.")
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
    inner_iterations: Annotated[
        int,
        Meta(
            ge=1,
            le=32,
            title="Updates a step",
            description="Updates on the answers of one step; clipping holds back all but one.",
        ),
    ] = 4
    clip_ratio: Annotated[
        float,
        Meta(
            ge=0.01,
            le=1.0,
            title="Clip ratio",
            description="How far an answer's probability may move in a step, as a part of itself.",
        ),
    ] = 0.2
    kl_weight: Annotated[
        float,
        Meta(
            ge=0.0,
            le=10.0,
            title="KL weight",
            description="Weight of the divergence from the reference policy in the objective.",
        ),
    ] = 0.01
    temperature: Annotated[
        float,
        Meta(
            ge=0.05,
            le=20.0,
            title="Temperature",
            description="Divides the scores; higher tries more answers.",
        ),
    ] = 1.0
    reference_gap: Annotated[
        float,
        Meta(
            ge=0.0,
            le=20.0,
            title="Reference gap",
            description="Score by which the reference prefers the most similar recorded answer.",
        ),
    ] = 2.5
    reference_slope: Annotated[
        float,
        Meta(
            ge=0.0,
            le=100.0,
            title="Reference slope",
            description="Score that a similarity of 1 has over one of 0 in the reference.",
        ),
    ] = 4.0
    max_pool: Annotated[
        int,
        Meta(
            ge=2,
            le=200_000,
            title="Recorded answers",
            description="Recorded answers that are chosen from; of more, a seeded sample.",
        ),
    ] = 20_000
    candidates: Annotated[
        int,
        Meta(
            ge=2,
            le=128,
            title="Candidates",
            description="Most answers that are offered for one prompt.",
        ),
    ] = 16
    neighbours: Annotated[
        int,
        Meta(
            ge=2,
            le=2_000,
            title="Neighbours",
            description="Most similar recorded prompts that candidates are looked for among.",
        ),
    ] = 64
    selection_share: Annotated[
        float,
        Meta(
            ge=0.05,
            le=0.5,
            title="Selection share",
            description="Share of the training part that chooses the checkpoint instead.",
        ),
    ] = 0.25
    evaluations: Annotated[
        int,
        Meta(
            ge=1,
            le=100,
            title="Evaluations",
            description="Checkpoints that are measured over a run, beside the reference.",
        ),
    ] = 8


class Checkpoint(Struct, frozen=True, kw_only=True):
    """The model after a step; rewards (0..1) are those of its greedy answers.

    Attributes
    ----------
    weights
        Of the trainer ``local``, the weights themselves.
    model
        Of the others, where the model is: a folder under that of the run, or what the service
        calls it.
    selection_reward, valid_reward
        Mean on the prompts that choose the checkpoint, and on the validation prompts.
    metrics
        What else the trainer measured of it, by its own names.
    """

    step: int
    weights: tuple[float, ...] = ()
    model: str = ""
    selection_reward: float | None = None
    valid_reward: float | None = None
    metrics: dict[str, float] = {}


class CurvePoint(Struct, frozen=True, kw_only=True):
    """How a run stands after a step; rewards lie in 0..1 and are ``None`` where there is none.

    ``train_reward`` is the mean of the answers that were sampled in this step, ``kl`` the mean
    divergence from the reference policy in nats, ``entropy`` that of the policy in nats,
    ``clip_share`` and ``flat_share`` the shares of samples held back by clipping and of groups
    whose rewards are all alike, ``completion_tokens`` the mean length of the answers and ``step_s``
    the seconds of the step. ``selection`` and ``valid`` are set where a step was measured.
    ``metrics`` is everything that the trainer said, by its own names.
    """

    step: int
    epoch: float
    train_reward: float | None = None
    selection: Interval | None = None
    valid: Interval | None = None
    kl: float | None = None
    entropy: float | None = None
    clip_share: float | None = None
    flat_share: float | None = None
    completion_tokens: float | None = None
    step_s: float | None = None
    metrics: dict[str, float] = {}


class TrainingRollout(Struct, frozen=True, kw_only=True):
    """An answer that was sampled to learn from.

    ``reward`` (0..1) is ``None`` where grading failed, ``advantage`` how much better it is than
    the others of its prompt, and ``completion_tokens`` its length.
    """

    step: int
    record_id: str
    prompt: str
    answer: str
    reward: float | None
    advantage: float | None = None
    completion_tokens: int | None = None


TrainingPhase = Literal["preparing", "grading", "training", "evaluating", "done"]


class TrainingProgress(Struct, frozen=True, kw_only=True):
    """Where a run is.

    ``share`` (0..1) is the part of the work that is done, as far as known, ``curve`` the steps so
    far, and ``elapsed_s`` the seconds of work on it, pauses left out; ``None`` where nobody counts.
    ``cost_micro_usd`` is what the service that trains has cost so far, in millionths of a dollar;
    ``None`` where it does not say.
    """

    phase: TrainingPhase
    share: float
    step: int
    steps: int
    epoch: float
    gradings: int
    message: str
    point: CurvePoint | None = None
    curve: tuple[CurvePoint, ...] = ()
    elapsed_s: float | None = None
    cost_micro_usd: int | None = 0


class TrainingExample(Struct, frozen=True, kw_only=True):
    """One validation prompt with both answers, as text; rewards lie in 0..1."""

    record_id: str
    prompt: str
    baseline_answer: str
    baseline_reward: float
    tuned_answer: str
    tuned_reward: float


class Excluded(Struct, frozen=True, kw_only=True):
    """Validation prompts that are in no comparison, by the reason."""

    no_candidate: int
    failed_grading: int


TrainingOutcomeName = Literal[
    "improved", "no_clear_change", "regressed", "no_learning", "not_measured"
]


class TrainingReport(Struct, frozen=True, kw_only=True):
    """What came of a run, measured on validation prompts that took no part in it.

    Attributes
    ----------
    outcome
        ``no_learning`` where no group of answers had different rewards, ``not_measured`` where
        the model cannot be asked before it is deployed; else the verdict of ``change``.
    summary
        The outcome in one sentence.
    notes
        What else is worth knowing, one sentence each.
    overfitting
        Whether validation fell while the training reward rose.
    kept_reference
        Whether nothing was clearly better on the selection prompts, so that the reference is kept.
    served_step
        Step of the checkpoint that is served; 0 for the reference.
    baseline
        What the reference policy is, in words.
    change
        From the greedy answers of the reference policy to those of the served one; ``None``
        without prompts to compare on.
    topics
        The same by topic.
    selection_change
        The same on the selection prompts, which chose the checkpoint and so flatter it.
    recorded
        Reward of what the system itself answered, on the same validation prompts.
    against_recorded
        From the recorded answers to those of the served policy.
    weights
        Of the trainer ``local``: weight of each standardised feature in the served policy.
    fit_prompts, selection_prompts, valid_prompts
        Prompts that were learned from, that chose the checkpoint, and that were measured on.
    pool
        Of the trainer ``local``: recorded answers that it chose from.
    """

    outcome: TrainingOutcomeName
    summary: str
    notes: tuple[str, ...]
    overfitting: bool
    kept_reference: bool
    served_step: int
    change: PairedDifference | None
    topics: tuple[TopicChange, ...]
    selection_change: PairedDifference | None
    recorded: Interval | None
    against_recorded: PairedDifference | None
    excluded: Excluded
    curve: tuple[CurvePoint, ...]
    examples: tuple[TrainingExample, ...]
    fit_prompts: int
    selection_prompts: int
    valid_prompts: int
    gradings: int
    weights: dict[str, float] = {}
    pool: int = 0
    baseline: str = "the most similar recorded answer"

    def plot(self, ax: Any = None) -> Any:
        """Draw the rewards step by step, with bands of their intervals.

        Parameters
        ----------
        ax
            Axes of matplotlib to draw on; by default new ones.

        Returns
        -------
        The axes.

        Raises
        ------
        ExtraRequired
            matplotlib is not installed.
        """
        return training_view.plot(self, ax)

    def __repr__(self) -> str:
        return f"<TrainingReport: {self.summary}>"

    def _repr_html_(self) -> str:
        return training_view.html(self)
