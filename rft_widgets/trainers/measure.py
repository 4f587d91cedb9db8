"""What a trained language model is worth: its answers to the validation prompts, in pairs.

Every trainer that has answers of the model before and after measures them here, so that a verdict
means the same whoever trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from msgspec import Struct

from rft_widgets.graders.sample import item_of, sample_of
from rft_widgets.model.change import topic_changes
from rft_widgets.model.message import Message
from rft_widgets.model.record import Record
from rft_widgets.model.training import (
    CurvePoint,
    Excluded,
    TrainingExample,
    TrainingOutcomeName,
    TrainingReport,
)
from rft_widgets.statistics import Interval, PairedDifference, bootstrap_mean, paired_difference
from rft_widgets.steps.split import record_groups
from rft_widgets.trainers.base import Rewarder

LEVEL = 0.95
EXAMPLES = 8
SHOWN_CHARS = 2_000
FEW_PROMPTS = 30
"""With fewer validation prompts a report says that small changes cannot be seen."""


class MeasuredStep(Struct, frozen=True, kw_only=True):
    """Greedy answers of the model after a step, one a validation record, and their rewards.

    ``None`` stands for no answer, and for a failed grading. Step 0 is the model from before.
    """

    step: int
    answers: tuple[Message | None, ...]
    rewards: tuple[float | None, ...]


class Validation:
    """The validation records, with which of them are no independent measurements."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = tuple(records)
        groups = record_groups(self.records)
        self._groups = [groups[record.id] for record in self.records]

    def mean(self, rewards: Sequence[float | None]) -> Interval | None:
        """Mean with its interval over groups; ``None`` where there is no reward."""
        known = [i for i, reward in enumerate(rewards) if reward is not None]
        if not known:
            return None
        values = [reward for reward in rewards if reward is not None]
        return bootstrap_mean(values, [self._groups[i] for i in known], level=LEVEL)

    def change(
        self,
        before: Sequence[float | None],
        after: Sequence[float | None],
        *,
        among: Sequence[int] | None = None,
        level: float = LEVEL,
    ) -> PairedDifference | None:
        """From one set of rewards to another, over the prompts that have both.

        ``among`` are places of the records that count; by default all of them.
        """
        places = range(len(self.records)) if among is None else among
        pairs = [(i, before[i], after[i]) for i in places]
        both = [(i, x, y) for i, x, y in pairs if x is not None and y is not None]
        if not both:
            return None
        return paired_difference(
            [x for _, x, _ in both],
            [y for *_, y in both],
            [self._groups[i] for i, *_ in both],
            level=level,
        )

    def by_topic(
        self, before: Sequence[float | None], after: Sequence[float | None]
    ) -> dict[str | None, PairedDifference]:
        """The same in each topic that has a pair."""
        places: dict[str | None, list[int]] = {}
        for i, record in enumerate(self.records):
            places.setdefault(record.topic, []).append(i)
        found = {topic: self.change(before, after, among=some) for topic, some in places.items()}
        return {topic: change for topic, change in found.items() if change is not None}


def reward_answers(
    records: Sequence[Record], answers: Sequence[Message | None], rewarder: Rewarder
) -> tuple[float | None, ...]:
    """Rewards of answers to records, in their order; ``None`` where there is no answer."""
    asked = [i for i, answer in enumerate(answers) if answer is not None]
    pairs = [
        (sample_of(record.input, [answer]), item_of(record))
        for record, answer in zip(records, answers, strict=True)
        if answer is not None
    ]
    found: list[float | None] = [None] * len(records)
    for i, reward in zip(asked, rewarder(pairs) if pairs else (), strict=True):
        found[i] = reward
    return tuple(found)


def recorded_rewards(records: Sequence[Record], rewarder: Rewarder) -> tuple[float | None, ...]:
    """Rewards of what the system answered itself; ``None`` where it did not."""
    there = [i for i, record in enumerate(records) if record.output.messages]
    pairs = [(sample_of(records[i].input, records[i].output.messages), item_of(records[i]))
             for i in there]  # fmt: skip
    found: list[float | None] = [None] * len(records)
    for i, reward in zip(there, rewarder(pairs) if pairs else (), strict=True):
        found[i] = reward
    return tuple(found)


def joint_level(looks: int) -> float:
    """Level of an interval that the best of several looks is judged by (Bonferroni).

    The best of several looks better than it is.
    """
    return 1 - (1 - LEVEL) / max(1, looks)


def measured_report(
    valid: Validation,
    steps: Sequence[MeasuredStep],
    *,
    curve: Sequence[CurvePoint],
    recorded: Sequence[float | None],
    baseline: str,
    fit_prompts: int,
    gradings: int,
    notes: Sequence[str] = (),
) -> TrainingReport:
    """Compare the last step with step 0 on the validation prompts, and say what came of it.

    Parameters
    ----------
    valid
        The validation records.
    steps
        What was measured, in the order of steps; the first is the model from before, the last the
        one that is served.
    curve
        The run step by step.
    recorded
        Rewards of what the system answered itself.
    baseline
        What the model from before is, in words.
    fit_prompts, gradings
        Prompts that were learned from, and answers that were graded.
    notes
        What else is worth knowing.
    """
    before, after = steps[0], steps[-1]
    change = valid.change(before.rewards, after.rewards)
    flat = [point.flat_share for point in curve if point.flat_share is not None]
    has_learned = not flat or min(flat) < 1
    outcome: TrainingOutcomeName = "no_clear_change" if change is None else change.verdict
    if not has_learned:
        outcome = "no_learning"
    paired = [
        x is not None and y is not None for x, y in zip(before.rewards, after.rewards, strict=True)
    ]
    comparable = [reward if there else None for reward, there in zip(recorded, paired, strict=True)]
    against = valid.change(comparable, after.rewards)
    overfitting = is_overfitting(valid, steps, curve)
    unanswered = sum(
        x is None or y is None for x, y in zip(before.answers, after.answers, strict=True)
    )
    return TrainingReport(
        outcome=outcome,
        summary=summary_words(outcome, change),
        notes=(*_notes(valid, against, overfitting=overfitting), *notes),
        overfitting=overfitting,
        kept_reference=False,
        served_step=after.step,
        change=change,
        topics=topic_changes(valid.by_topic(before.rewards, after.rewards)),
        selection_change=None,
        recorded=valid.mean(comparable),
        against_recorded=against,
        excluded=Excluded(
            no_candidate=unanswered,
            failed_grading=len(valid.records) - unanswered - sum(paired),
        ),
        curve=tuple(curve),
        examples=_examples(valid.records, before, after),
        fit_prompts=fit_prompts,
        selection_prompts=0,
        valid_prompts=len(valid.records),
        gradings=gradings,
        baseline=baseline,
    )  # fmt: skip


def unmeasured_report(
    *,
    curve: Sequence[CurvePoint],
    served_step: int,
    baseline: str,
    fit_prompts: int,
    valid_prompts: int,
    why: str,
    notes: Sequence[str] = (),
) -> TrainingReport:
    """Say that nothing was measured here; ``why`` goes on "The training ended, ..."."""
    return TrainingReport(
        outcome="not_measured",
        summary=f"The training ended, and its result is not measured: {why}",
        notes=tuple(notes),
        overfitting=False,
        kept_reference=False,
        served_step=served_step,
        change=None,
        topics=(),
        selection_change=None,
        recorded=None,
        against_recorded=None,
        excluded=Excluded(no_candidate=0, failed_grading=0),
        curve=tuple(curve),
        examples=(),
        fit_prompts=fit_prompts,
        selection_prompts=0,
        valid_prompts=valid_prompts,
        gradings=0,
        baseline=baseline,
    )


def is_overfitting(
    valid: Validation, steps: Sequence[MeasuredStep], curve: Sequence[CurvePoint]
) -> bool:
    """Whether validation fell clearly from its best step to the last while training rose."""
    means = [(valid.mean(one.rewards), one) for one in steps]
    scored = [(mean.estimate, one) for mean, one in means if mean is not None]
    if len(scored) < 2:
        return False
    best, last = max(scored, key=lambda pair: pair[0])[1], scored[-1][1]
    if best.step == last.step:
        return False
    change = valid.change(best.rewards, last.rewards, level=joint_level(len(scored) - 1))
    if change is None or change.verdict != "regressed":
        return False
    return training_rose(curve, best.step)


def training_rose(curve: Sequence[CurvePoint], step: int) -> bool:
    """Whether the rewards in training are higher after a step than up to it."""
    rewards = [(p.step, p.train_reward) for p in curve if p.train_reward is not None]
    earlier = [reward for at, reward in rewards if at <= max(1, step)]
    later = [reward for at, reward in rewards if at > step]
    return bool(earlier and later and fmean(later) > fmean(earlier))


def summary_words(outcome: TrainingOutcomeName, change: PairedDifference | None) -> str:
    """The outcome in one sentence."""
    if outcome == "no_learning":
        return (
            "Nothing was learned: the answers to one prompt all had the same reward, so none "
            "could be preferred."
        )
    if change is None:
        return "There is no validation prompt that both policies have a graded answer to."
    words = {"improved": "Improved", "regressed": "Regressed"}.get(outcome, "No clear change")
    low, high = change.difference.low, change.difference.high
    interval = "" if low is None or high is None else f", 95 % interval {low:+z.2f} to {high:+z.2f}"
    return (
        f"{words}: the reward went from {change.before_mean:.2f} to {change.after_mean:.2f} on "
        f"{change.n} validation prompts ({change.difference.estimate:+z.2f}{interval})."
    )


def against_words(against: PairedDifference, what: str) -> str:
    """How ``what`` is beside what the system answered itself."""
    better = {
        "improved": "better than",
        "regressed": "worse than",
        "no_clear_change": "not clearly different from",
    }[against.verdict]
    return (
        f"{what} is {better} what your system answered itself on these prompts "
        f"({against.after_mean:.2f} against {against.before_mean:.2f})."
    )


OVERFITTING = "Validation fell towards the end while the training reward rose: overfitting."


def few_words(prompts: int) -> str:
    """What is to be said of so few validation prompts."""
    return f"Only {prompts} validation prompts: small changes cannot be seen."


def _notes(valid: Validation, against: PairedDifference | None, *, overfitting: bool) -> list[str]:
    notes = []
    if against is not None:
        notes.append(against_words(against, "The trained model"))
    if overfitting:
        notes.append(OVERFITTING)
    if len(valid.records) < FEW_PROMPTS:
        notes.append(few_words(len(valid.records)))
    return notes


def _examples(
    records: Sequence[Record], before: MeasuredStep, after: MeasuredStep
) -> tuple[TrainingExample, ...]:
    """Prompts whose answer changed, from the greatest gain to the greatest loss."""
    found = []
    for i, record in enumerate(records):
        old, new = before.answers[i], after.answers[i]
        low, high = before.rewards[i], after.rewards[i]
        if old is None or new is None or low is None or high is None or old == new:
            continue
        found.append(
            TrainingExample(
                record_id=record.id,
                prompt=shown_prompt(record),
                baseline_answer=shown_answer(old),
                baseline_reward=low,
                tuned_answer=shown_answer(new),
                tuned_reward=high,
            )
        )
    found.sort(key=lambda one: (one.baseline_reward - one.tuned_reward, one.record_id))
    return both_ends(found)


def both_ends(examples: Sequence[TrainingExample]) -> tuple[TrainingExample, ...]:
    """The first and the last of many, so that what got worse is seen as well."""
    half = EXAMPLES // 2
    if len(examples) <= EXAMPLES:
        return tuple(examples)
    return (*examples[:half], *examples[-half:])


def shown_prompt(record: Record) -> str:
    """The last message of a prompt, and before a tool result what the user said last."""
    users = [m.text for m in record.input.messages if m.role == "user"]
    last = record.input.messages[-1] if record.input.messages else None
    shown = users[-1:] + ([last.text] if last is not None and last.role == "tool" else [])
    return "\n".join(shown)[:SHOWN_CHARS]


def shown_answer(answer: Message) -> str:
    """Text of an answer with its tool calls."""
    calls = [f"{c.function.name}({c.function.arguments})" for c in answer.tool_calls if c.function]
    return "\n".join(filter(None, [answer.text, *calls]))[:SHOWN_CHARS]
