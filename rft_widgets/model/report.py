"""What a dry run found: graded answers, what they say together, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from rft_widgets.model import report_view
from rft_widgets.model.change import TopicChange
from rft_widgets.model.grader import GradingErrors
from rft_widgets.model.llm import STAND_IN, STAND_IN_NOTICE
from rft_widgets.model.message import Message
from rft_widgets.statistics import Description, Interval, PairedDifference, VarianceComponents

DryRunVerdict = Literal["GO", "CAUTION", "NO_GO"]
"""NO_GO with any failure, else CAUTION with any warning, else GO."""

CheckLevel = Literal["good", "warn", "fail"]

Quality = Literal["good", "attention", "problem"]

Subject = Literal["grader", "data", "sample"]
"""What a check blames: the grader, the dataset, or that too few answers were graded."""

ProbeName = Literal["empty", "echo", "refusal", "shuffled", "filler", "injection", "repeat"]

GradedStatus = Literal["graded", "failed_grading", "failed_answer"]
"""Whether there is a reward; if not, whether it was the grader that failed, or the model before."""


AnswerEnding = Literal["whole", "called_tools", "refused", "empty", "cut_off", "filtered"]
"""How the answer of a model ended; each of them is an answer, and is graded."""


class GradedAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One answer with its grade; complete in itself, so that it can be stored and shown.

    Attributes
    ----------
    record_id, repeat
        Together the identity of the answer: the record whose prompt it answers, and its number
        (from 0) among the answers to that prompt.
    prompt_key
        Equal for equal prompts.
    cluster
        Conversation that the record comes from, if it is known.
    prompt, response
        What is shown, tool calls included, cut to a readable length.
    reward
        0..1, or what an unbounded grader gave; ``None`` unless the status is ``graded``.
    raw_reward
        The reward on the grader's own scale.
    out_of_range
        The reward lies outside 0..1 although it is normalised as far as can be.
    error, errors
        Why there is no reward: in one line, and as the flags of hosted services.
    output
        What a model answered in this run; empty for recorded answers, which the dataset keeps.
    ending, model
        How that ended, and which model the service says answered.
    """

    record_id: str
    prompt_key: str
    repeat: int
    prompt: str
    response: str
    status: GradedStatus
    cluster: str | None = None
    topic: str | None = None
    reward: float | None = None
    raw_reward: float | None = None
    sub_rewards: dict[str, float | None] = field(default_factory=dict)
    reasoning: str | None = None
    out_of_range: bool = False
    error: str | None = None
    errors: GradingErrors = GradingErrors()
    isolation: str | None = None
    """What confined the code of a script grader."""
    tokens: int | None = None
    """Tokens that the grading took, where a model was asked."""
    output: tuple[Message, ...] = ()
    ending: AnswerEnding | None = None
    model: str | None = None


class AnsweredBy(Struct, frozen=True, kw_only=True):
    """Which model answered in a dry run, and how its answers ended.

    Attributes
    ----------
    connection, asked
        Name of the connection, and the model that was asked for.
    models
        Models that the service says answered, the most frequent first.
    temperature, max_tokens
        What it was asked with; ``None`` where that was left to the service.
    endings
        Answers by how they ended.
    failed
        Prompts that got none.
    """

    connection: str
    asked: str
    models: tuple[str, ...]
    temperature: float | None
    max_tokens: int | None
    endings: dict[AnswerEnding, int]
    failed: int

    @property
    def sentence(self) -> str:
        """In words."""
        how = "" if self.temperature is None else f" at temperature {self.temperature:g}"
        said = {
            "refused": "refusals", "empty": "empty", "cut_off": "cut off at their limit",
            "filtered": "stopped by a filter",
        }  # fmt: skip
        odd = [
            f"{count:,} {said[ending]}"
            for ending, count in self.endings.items()
            if ending in said and count
        ]
        odd += [f"{self.failed:,} that did not come"] if self.failed else []
        total = sum(self.endings.values()) + self.failed
        rest = f"; {', '.join(odd)}" if odd else ""
        notice = f" {STAND_IN_NOTICE}" if STAND_IN in (*self.models, self.asked) else ""
        return f"{self.asked} gave {total:,} answers{how}{rest}.{notice}"


class Check(Struct, frozen=True, kw_only=True):
    """One line of the verdict: a measured value against its bounds, in words."""

    name: str
    level: CheckLevel
    about: Subject
    value: float | None
    """``None`` where it could not be measured."""
    sentence: str
    bound: str = ""
    """Where good ends and where it fails, in words; empty where that is no number."""
    is_share: bool = False
    """Whether the value is a share, which people read in percent."""


class Probe(Struct, frozen=True, kw_only=True):
    """Answers that deserve nothing, graded; or, for ``repeat``, good ones graded once more.

    ``value`` is their mean reward; for ``repeat`` the largest difference of two gradings.
    ``passed`` and ``value`` are ``None`` where nothing could be graded.
    """

    name: ProbeName
    passed: bool | None
    value: float | None
    graded: int
    failed: int
    sentence: str
    bound: str = ""
    """What passes, in words."""


class TopicScores(Struct, frozen=True, kw_only=True):
    """Rewards of one topic; ``topic`` is ``None`` for answers without one."""

    topic: str | None
    count: int
    mean: Interval


class RepeatScores(Struct, frozen=True, kw_only=True):
    """Several answers to each prompt, of the prompts that have at least two with a score."""

    prompts: int
    mixed_share: float
    """Share (0..1) of these prompts whose scores differ: only those teach."""
    unvaried_prompts: int
    """Prompts all of whose answers have one score."""
    pass_at: dict[int, float]
    """pass@k: chance (0..1) that one of k answers succeeds, for every k that all prompts have."""
    pass_hat: dict[int, float]
    """pass^k: chance (0..1) that all of k answers succeed."""
    variance: VarianceComponents
    """Between and within prompts."""


class FailureGroup(Struct, frozen=True, kw_only=True):
    """Answers without a score that say the same of why."""

    status: GradedStatus
    error: str
    flags: tuple[str, ...]
    """Flags of hosted services that are set on any of them, by name."""
    count: int
    example: GradedAnswer


class DryRunReport(Struct, frozen=True, kw_only=True):
    """Whether training is worth it, from graded answers.

    Attributes
    ----------
    verdict, reasons
        The verdict, and what speaks against GO, failures first.
    checks
        Every line of the verdict, good ones too.
    scores, mean
        Distribution of the rewards, and their mean with its interval; ``None`` when there are none.
    topics
        By topic, in the order of their names; those without a topic last.
    repeats
        ``None`` where no prompt has two scores.
    probes
        Empty when the grader was not probed.
    more_samples
        Answers to grade in addition until the interval of the mean crosses no bound; ``None`` where
        it crosses none, and where no number would do.
    dataset_quality, grader_quality, fix_first
        The two judged apart, and what to do, the grader before the data.
    best, worst, middle
        The best answers, the worst, and those nearest the mean; each from another prompt while
        there are enough.
    excluded
        What is not in the statistics, by reason.
    answers, planned
        Answers that were tried, and that should have been.
    failures
        Why some have no score, the commonest reason first.
    answered_by
        The model that answered; ``None`` where recorded answers were graded, or those of a
        function.
    """

    verdict: DryRunVerdict
    reasons: tuple[str, ...]
    checks: tuple[Check, ...]
    scores: Description | None
    mean: Interval | None
    topics: tuple[TopicScores, ...]
    repeats: RepeatScores | None
    probes: tuple[Probe, ...]
    more_samples: int | None
    dataset_quality: Quality
    grader_quality: Quality
    fix_first: str
    best: tuple[GradedAnswer, ...]
    worst: tuple[GradedAnswer, ...]
    middle: tuple[GradedAnswer, ...]
    excluded: dict[str, int]
    answers: int
    planned: int
    failures: tuple[FailureGroup, ...] = ()
    answered_by: AnsweredBy | None = None

    @property
    def partial(self) -> bool:
        """Whether the run stopped before its end."""
        return self.answers < self.planned

    @property
    def summary(self) -> str:
        """One line, such as ``Mean: 0.45 [0.41, 0.49] • GO``."""
        mean = "No score" if self.mean is None else f"Mean: {with_bounds(self.mean)}"
        rest = f" • partial: {self.answers:,} of {self.planned:,} answers" if self.partial else ""
        return f"{mean} • {self.verdict}{rest}"

    def plot(self, axes: Sequence[Any] | None = None) -> Sequence[Any]:
        """Draw the histogram of the rewards, and the mean of each topic with its interval.

        Parameters
        ----------
        axes
            Two axes of matplotlib to draw on; by default new ones.

        Returns
        -------
        The two axes.

        Raises
        ------
        ExtraRequired
            matplotlib is not installed.
        """
        return report_view.plot(self, axes)

    def to_json(self) -> str:
        """Write the report as JSON, indented."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode()

    def __repr__(self) -> str:
        return f"<DryRunReport: {self.summary}>"

    def _repr_html_(self) -> str:
        return report_view.html(self)


class RunComparison(Struct, frozen=True, kw_only=True):
    """Two runs on the answers, or the prompts, that both have."""

    overall: PairedDifference
    topics: tuple[TopicChange, ...]
    matched: int
    """Answers (or prompts) that both runs scored; only these are compared."""
    unscored: int
    """In both runs, but without a score in one of them."""
    only_before: int
    only_after: int

    @property
    def summary(self) -> str:
        """One line, such as ``+0.12 [+0.05, +0.19] on 300: improved``."""
        verdict = self.overall.verdict.replace("_", " ")
        return f"{with_bounds(self.overall.difference, '+.2f')} on {self.matched:,}: {verdict}"

    def __repr__(self) -> str:
        return f"<RunComparison: {self.summary}>"

    def _repr_html_(self) -> str:
        return report_view.comparison_html(self)


class GraderTest(Struct, frozen=True, kw_only=True):
    """A grader tried on a few answers. Statistics are ``None`` when every grading failed."""

    answers: tuple[GradedAnswer, ...]
    mean: float | None
    std: float | None
    """Of the population."""
    minimum: float | None
    maximum: float | None
    failures: int
    sentence: str

    def __repr__(self) -> str:
        return f"<GraderTest: {self.sentence} ({len(self.answers)} answers)>"

    def _repr_html_(self) -> str:
        return report_view.grader_test_html(self)


def with_bounds(interval: Interval, form: str = ".2f") -> str:
    """Write an interval as ``0.45 [0.41, 0.49]``; without bounds where they are unknown."""
    if interval.low is None or interval.high is None:
        return f"{interval.estimate:{form}}"
    return f"{interval.estimate:{form}} [{interval.low:{form}}, {interval.high:{form}}]"
