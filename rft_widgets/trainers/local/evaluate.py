"""What a run is measured by: greedy answers, since those are what is served, in pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from rft_widgets.model.change import TopicChange, topic_changes
from rft_widgets.model.message import Message
from rft_widgets.model.record import Record
from rft_widgets.model.training import (
    Checkpoint,
    CurvePoint,
    Excluded,
    TrainingExample,
    TrainingOutcomeName,
    TrainingReport,
)
from rft_widgets.statistics import (
    Interval,
    PairedDifference,
    bootstrap_mean,
    paired_difference,
)
from rft_widgets.trainers.local.policy import greedy
from rft_widgets.trainers.local.pool import Floats
from rft_widgets.trainers.local.retrieve import FEATURES
from rft_widgets.trainers.local.rewards import Rewards
from rft_widgets.trainers.measure import (
    FEW_PROMPTS,
    LEVEL,
    OVERFITTING,
    against_words,
    both_ends,
    few_words,
    joint_level,
    shown_answer,
    shown_prompt,
    summary_words,
    training_rose,
)


class Prompt(Struct, frozen=True):
    """A record's prompt with the answers offered for it; there may be none.

    ``table`` is answers by standardised features. Prompts of one ``group`` are no independent
    measurements.
    """

    record: Record
    group: int
    answers: tuple[Message, ...]
    table: Floats


class Part(Struct, frozen=True):
    """Prompts that are measured together."""

    prompts: tuple[Prompt, ...]

    def choose(self, weights: Floats) -> list[int]:
        """Greedy choices; -1 for a prompt without candidates."""
        return [greedy(p.table, weights) if p.answers else -1 for p in self.prompts]

    def rewards(self, weights: Floats, asked: Rewards) -> Floats:
        """Rewards of the greedy answers; NaN without a candidate or a reward."""
        choices = self.choose(weights)
        there = [i for i, choice in enumerate(choices) if choice >= 0]
        found = np.full(len(self.prompts), np.nan)
        found[there] = asked.ask(
            [(self.prompts[i].record, [self.prompts[i].answers[choices[i]]]) for i in there]
        )
        return found

    def recorded(self, asked: Rewards) -> Floats:
        """Rewards of what the system answered itself; NaN where it did not, or grading failed."""
        there = [i for i, p in enumerate(self.prompts) if p.record.output.messages]
        found = np.full(len(self.prompts), np.nan)
        found[there] = asked.ask(
            [(self.prompts[i].record, self.prompts[i].record.output.messages) for i in there]
        )
        return found

    def mean(self, rewards: Floats) -> Interval | None:
        """Mean with its interval over groups; ``None`` where there is no reward."""
        known = ~np.isnan(rewards)
        if not known.any():
            return None
        return bootstrap_mean(rewards[known].tolist(), self._clusters(known), level=LEVEL)

    def change(
        self, before: Floats, after: Floats, level: float = LEVEL
    ) -> PairedDifference | None:
        """From one set of rewards to another, over the prompts that have both."""
        both = ~np.isnan(before) & ~np.isnan(after)
        if not both.any():
            return None
        return paired_difference(
            before[both].tolist(), after[both].tolist(), self._clusters(both), level=level
        )

    def by_topic(self, before: Floats, after: Floats) -> tuple[TopicChange, ...]:
        """The same in each topic, with p-values adjusted for their number."""
        topics = [p.record.topic for p in self.prompts]
        both = ~np.isnan(before) & ~np.isnan(after)
        found = {}
        for topic in {topic for topic, counted in zip(topics, both, strict=True) if counted}:
            inside = both & np.array([other == topic for other in topics])
            found[topic] = paired_difference(
                before[inside].tolist(), after[inside].tolist(), self._clusters(inside)
            )
        return topic_changes(found)

    def _clusters(self, counted: np.ndarray) -> list[int]:
        return [p.group for p, inside in zip(self.prompts, counted, strict=True) if inside]


class Measured(Struct, frozen=True, kw_only=True):
    """All that a report is made of."""

    fit: Part
    selection: Part
    valid: Part
    checkpoints: Sequence[Checkpoint]
    curve: Sequence[CurvePoint]
    pool: int


def choose_checkpoint(
    selection: Part, checkpoints: Sequence[Checkpoint], asked: Rewards
) -> tuple[Checkpoint, PairedDifference | None]:
    """The checkpoint that is served, and what it changed on the selection prompts.

    That is the one with the highest mean, if it is clearly better than the reference, which comes
    first; else the reference. The best of several looks better than it is, so the interval is as
    wide as for all of them together (Bonferroni).
    """
    reference = checkpoints[0]
    scored = [c for c in checkpoints if c.selection_reward is not None]
    if not scored:
        return reference, None
    best = max(scored, key=lambda c: (c.selection_reward or 0.0, -c.step))
    before = selection.rewards(np.array(reference.weights), asked)
    after = selection.rewards(np.array(best.weights), asked)
    change = selection.change(before, after, joint_level(len(scored) - 1))
    if change is None or change.verdict != "improved":
        return reference, selection.change(before, before)
    return best, change


def make_report(
    measured: Measured,
    served: Checkpoint,
    selection_change: PairedDifference | None,
    asked: Rewards,
) -> TrainingReport:
    """Measure the served policy on the validation prompts, and say what came of it."""
    valid = measured.valid
    reference = np.array(measured.checkpoints[0].weights)
    final = np.array(served.weights)
    before, after = valid.rewards(reference, asked), valid.rewards(final, asked)
    recorded = valid.recorded(asked)
    change = valid.change(before, after)
    counted = ~np.isnan(before) & ~np.isnan(after)
    none = sum(not prompt.answers for prompt in valid.prompts)
    trained = [point for point in measured.curve if point.flat_share is not None]
    learned = any(point.flat_share is not None and point.flat_share < 1 for point in trained)
    outcome: TrainingOutcomeName = "no_clear_change" if change is None else change.verdict
    if not learned:
        outcome = "no_learning"
    kept = served.step == 0
    overfitting = _is_overfitting(measured, asked)
    against = valid.change(np.where(counted, recorded, np.nan), after)
    return TrainingReport(
        outcome=outcome,
        summary=_summary(outcome, change, kept=kept),
        notes=tuple(_notes(measured, against, kept=kept, overfitting=overfitting)),
        overfitting=overfitting,
        kept_reference=kept,
        served_step=served.step,
        change=change,
        topics=valid.by_topic(before, after),
        selection_change=selection_change,
        recorded=valid.mean(np.where(counted, recorded, np.nan)),
        against_recorded=against,
        excluded=Excluded(
            no_candidate=none, failed_grading=len(valid.prompts) - none - int(counted.sum())
        ),
        curve=tuple(measured.curve),
        examples=_examples(valid, reference, final, before, after),
        weights=dict(zip(FEATURES, served.weights, strict=True)),
        fit_prompts=len(measured.fit.prompts),
        selection_prompts=len(measured.selection.prompts),
        valid_prompts=len(valid.prompts),
        pool=measured.pool,
        gradings=len(asked.known),
    )


def _is_overfitting(measured: Measured, asked: Rewards) -> bool:
    """Whether validation fell clearly from its best checkpoint to the last while training rose."""
    scored = [c for c in measured.checkpoints if c.valid_reward is not None]
    if len(scored) < 2:
        return False
    best, last = max(scored, key=lambda c: c.valid_reward or 0.0), scored[-1]
    if best.step == last.step:
        return False
    change = measured.valid.change(
        measured.valid.rewards(np.array(best.weights), asked),
        measured.valid.rewards(np.array(last.weights), asked),
        joint_level(len(scored) - 1),
    )
    if change is None or change.verdict != "regressed":
        return False
    return training_rose(measured.curve, best.step)


def _summary(outcome: TrainingOutcomeName, change: PairedDifference | None, *, kept: bool) -> str:
    if kept and change is not None and outcome != "no_learning":
        return (
            "No clear change: on the prompts that choose the checkpoint, nothing was clearly "
            f"better than the most similar recorded answer (reward {change.before_mean:.2f})."
        )
    return summary_words(outcome, change)


def _notes(
    measured: Measured, against: PairedDifference | None, *, kept: bool, overfitting: bool
) -> list[str]:
    notes = []
    if against is not None:
        notes.append(against_words(against, "The served policy"))
    if overfitting:
        notes.append(OVERFITTING)
    if kept:
        notes.append("The reference policy is kept: it gives the most similar recorded answer.")
    if measured.fit.prompts and len(measured.valid.prompts) < FEW_PROMPTS:
        notes.append(few_words(len(measured.valid.prompts)))
    return notes


def _examples(
    valid: Part, reference: Floats, final: Floats, before: Floats, after: Floats
) -> tuple[TrainingExample, ...]:
    """Prompts whose answer changed, from the greatest gain to the greatest loss."""
    first, last = valid.choose(reference), valid.choose(final)
    changed = [
        i
        for i in range(len(valid.prompts))
        if first[i] != last[i] and not np.isnan(before[i]) and not np.isnan(after[i])
    ]
    ordered = sorted(changed, key=lambda i: (before[i] - after[i], valid.prompts[i].record.id))
    return both_ends([
        TrainingExample(
            record_id=valid.prompts[i].record.id,
            prompt=shown_prompt(valid.prompts[i].record),
            baseline_answer=shown_answer(valid.prompts[i].answers[first[i]]),
            baseline_reward=float(before[i]),
            tuned_answer=shown_answer(valid.prompts[i].answers[last[i]]),
            tuned_reward=float(after[i]),
        )
        for i in ordered
    ])  # fmt: skip
