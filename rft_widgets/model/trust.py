"""What a grader's trust card says: whether it judges as people do, and how sure that is."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from rft_widgets.model import trust_view
from rft_widgets.model.human_label import LabelScale
from rft_widgets.statistics import Confusion, Interval, PairedDifference

TrustLevel: TypeAlias = Literal["trusted", "care", "unclear", "not_trusted", "too_few"]
"""``unclear``: the labels would go with a good grader and with a bad one."""

FindingTone: TypeAlias = Literal["good", "warn", "bad", "note"]


class TrustFinding(Struct, frozen=True, kw_only=True):
    """One thing that the labels say of the grader."""

    tone: FindingTone
    sentence: str


class ConfusionCell(Struct, frozen=True, kw_only=True):
    """Answers of which grader and people say the same two things.

    Attributes
    ----------
    grader, human
        Places in the card's ``steps``.
    record_ids
        Their records, at most `TRUST.cell_records` of them.
    """

    grader: int
    human: int
    count: int
    record_ids: tuple[str, ...]


class PersonLabel(Struct, frozen=True, kw_only=True):
    """What one person said of an answer, in words."""

    labeller: str
    words: str
    note: str


class Disagreement(Struct, frozen=True, kw_only=True):
    """An answer that grader and people judge differently, to be read."""

    record_id: str
    prompt: str
    response: str
    score: float
    reasoning: str | None
    human: float
    """0..1; the mean where several people labelled it."""
    labels: tuple[PersonLabel, ...]


class RaterPair(Struct, frozen=True, kw_only=True):
    """Two people who labelled the same answers."""

    first: str
    second: str
    agreement: Interval
    """Of passed and not passed."""
    kappa: Interval
    weighted_kappa: Interval | None
    """Quadratic, of 1 to 5; ``None`` where they used pass and fail."""
    n: int


class SelfConsistency(Struct, frozen=True, kw_only=True):
    """Each answer graded several times.

    Attributes
    ----------
    equal
        Share of the pairs of gradings of one answer with the same verdict, passed or not.
    difference
        Mean absolute difference of two scores of one answer.
    answers
        Those with at least two scores.
    """

    repeats: int
    answers: int
    equal: Interval
    difference: Interval
    sentence: str


class OrderSwap(Struct, frozen=True, kw_only=True):
    """A judge that compares two answers, asked in both orders.

    Attributes
    ----------
    same
        Share of the pairs of which it prefers the same answer in both orders.
    first
        Share of its choices, over both orders, that fall on what was shown first: 0.5 where the
        order does not matter.
    """

    pairs: int
    failed: int
    same: Interval
    first: Interval
    sentence: str


class ThresholdAdvice(Struct, frozen=True, kw_only=True):
    """The cut of the scores that agrees best with people.

    Attributes
    ----------
    cut
        Scores from it on would pass; the interval holds what other labels might have chosen.
    kappa
        On the labels that it was chosen on.
    tried_agreement, tried_kappa
        On labels that it was not chosen on.
    change
        Agreement there, less that of the cut in use.
    sentence
        Whether to move it.
    """

    cut: Interval
    kappa: float
    tried_agreement: Interval
    tried_kappa: Interval
    change: PairedDifference
    sentence: str


class VersionOnLabels(Struct, frozen=True, kw_only=True):
    """Another version on the same labels.

    Attributes
    ----------
    version
        Its number.
    agreement, kappa
        Of that version.
    change
        Agreement of the card's grader, less that of this version, answer by answer.
    """

    version: int
    agreement: Interval
    kappa: Interval
    change: PairedDifference
    sentence: str


class LabellerCount(Struct, frozen=True, kw_only=True):
    """A person, and how many answers they labelled."""

    labeller: str
    labels: int


class TrustCard(Struct, frozen=True, kw_only=True):
    """Whether a grader judges as people do.

    Attributes
    ----------
    level, sentence
        The verdict, and why, in one sentence.
    findings
        What else the labels say, what matters most first.
    grader, version, hash
        Which grader: its name, its number where it is saved, and its hash.
    labels
        Answers with a label and a score; everything is of these.
    scale
        ``five`` where all of them were labelled 1 to 5.
    steps
        What rows and columns of ``cells`` stand for, in words.
    threshold
        Score (0..1) from which an answer counts as passed.
    passed
        Agreement of passed and not passed, with its kappa, the base rate and the constant judge.
    weighted_kappa
        Quadratic, of 1 to 5, the grader's scores put on the nearest step; ``None`` on the other
        scale.
    rank_correlation
        Spearman's; ``None`` where a side is constant or both know 0 and 1 only.
    ordering
        How often, of two answers of which people passed one, that one has the higher score (0.5 is
        chance); ``None`` where the grader knows 0 and 1 only, or people passed all or none.
    constant_score
        The one score that the grader gives to every answer; ``None`` where it gives several.
    more_labels
        Labels to add until the open question is likely to be decided; ``None`` where none is open,
        or too many would be needed.
    raters
        Every two people who labelled the same answers.
    unscored, stale, disputed
        Labelled answers that are left out: the grading failed, the record was edited since, or
        people say passed and not passed equally often.
    """

    level: TrustLevel
    sentence: str
    findings: tuple[TrustFinding, ...]
    grader: str
    version: int | None
    hash: str
    labels: int
    clusters: int
    labellers: tuple[LabellerCount, ...]
    scale: LabelScale
    steps: tuple[str, ...]
    threshold: float
    passed: Confusion
    weighted_kappa: Interval | None
    rank_correlation: Interval | None
    ordering: Interval | None
    constant_score: float | None
    more_labels: int | None
    cells: tuple[ConfusionCell, ...]
    disagreements: tuple[Disagreement, ...]
    raters: tuple[RaterPair, ...]
    fit: ThresholdAdvice | None
    consistency: SelfConsistency | None
    order_swap: OrderSwap | None
    against: VersionOnLabels | None
    unscored: int
    first_error: str | None
    stale: int
    disputed: int

    def to_json(self) -> str:
        """Write the card as JSON, indented."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode()

    def __repr__(self) -> str:
        return f"<TrustCard {self.level}: {self.sentence}>"

    def _repr_html_(self) -> str:
        return trust_view.html(self)
