"""Checkpoints of a run beside each other: what each is worth, and which differences are clear."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct

from rft_widgets.model import checkpoint_view
from rft_widgets.statistics import Interval, JointDifference

LengthUnit = Literal["tokens", "characters"]

AnswerProbeName = Literal["identical", "repetition", "echo", "length", "reward_by_length"]

REFERENCE = 0
"""The step of the model from before the training."""


class AnswerProbe(Struct, frozen=True, kw_only=True):
    """One look at answers for signs that a model learned to please the grader, and nothing else.

    Attributes
    ----------
    value, reference
        What was measured, and the same of the model from before; ``None`` where it cannot be.
    flagged
        Whether it calls for a look at the answers. It is a sign, and no proof.
    sentence
        It in words.
    """

    name: AnswerProbeName
    value: float | None
    reference: float | None
    flagged: bool
    sentence: str


class CheckpointMeasure(Struct, frozen=True, kw_only=True):
    """One checkpoint on the validation prompts; step 0 is the model from before the training.

    Attributes
    ----------
    reward
        Mean reward (0..1) of its greedy answers, with an interval of its own.
    answers, no_answer, failed_gradings
        Prompts with an answer, without one, and with one that could not be graded.
    empty, refusals
        Answers without a text and without a call of a tool, and such that the service marked as
        refused or filtered. A refusal in other words is not seen as one.
    length
        Mean length of an answer in the comparison's ``length_unit``.
    cost_micro_usd
        Mean price of an answer in millionths of a dollar; ``None`` where nobody knows it.
    seconds
        Median of an answer; ``None`` where all of them were paid for before, and came at once.
    against_reference, against_best, against_last
        What the reward is beside that of the model from before, of the checkpoint with the highest
        mean, and of the last one; ``None`` for itself. All differences of a comparison are judged
        together, so that it does not matter that the best was picked by looking.
    """

    step: int
    is_served: bool
    reward: Interval | None
    answers: int
    no_answer: int
    failed_gradings: int
    empty: int
    refusals: int
    length: Interval | None
    cost_micro_usd: float | None
    seconds: float | None
    against_reference: JointDifference | None
    against_best: JointDifference | None
    against_last: JointDifference | None
    probes: tuple[AnswerProbe, ...]

    @property
    def name(self) -> str:
        """What it is called."""
        return "before training" if self.step == REFERENCE else f"step {self.step}"


class TopicCheckpoint(Struct, frozen=True, kw_only=True):
    """A checkpoint beside the model from before in one topic, judged together with all topics.

    ``topic`` is ``None`` for records without one.
    """

    topic: str | None
    step: int
    difference: JointDifference


class CheckpointComparison(Struct, frozen=True, kw_only=True):
    """What the checkpoints of a run are worth, on the same prompts, by the grader in use.

    Attributes
    ----------
    sentence
        What follows from it, in words. Nothing is chosen: that is for
        `TrainingJob.choose_checkpoint`.
    suggested_step
        The checkpoint that is clearly better than the one that is served; ``None`` where there is
        none.
    notes
        What else is worth knowing, one sentence each.
    checkpoints
        The model from before, then every checkpoint by its step.
    topics
        Each checkpoint beside the model from before, topic by topic.
    best_step, last_step, served_step
        The checkpoint with the highest mean reward (``None`` without rewards), the last one, and
        the one that is served.
    prompts, seed, level
        Prompts that were asked, the seed of their choice and of the intervals, and the chance that
        all intervals hold at once.
    left_out
        Checkpoints that were not compared.
    grader_version, grader_hash
        The grader that gave the rewards.
    """

    job_id: str
    sentence: str
    suggested_step: int | None
    notes: tuple[str, ...]
    checkpoints: tuple[CheckpointMeasure, ...]
    topics: tuple[TopicCheckpoint, ...]
    best_step: int | None
    last_step: int
    served_step: int
    prompts: int
    seed: int
    level: float
    length_unit: LengthUnit
    left_out: tuple[int, ...]
    grader_version: int
    grader_hash: str

    def to_json(self) -> str:
        """Write it as JSON, indented."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode()

    def __repr__(self) -> str:
        return f"<CheckpointComparison: {self.sentence}>"

    def _repr_html_(self) -> str:
        return checkpoint_view.html(self)
