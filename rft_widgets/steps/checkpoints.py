"""Checkpoints of a run on the same prompts, by the same grader: which differences are clear."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from statistics import median
from typing import Any

import msgspec
from msgspec import Struct

from rft_widgets.errors import RunInterrupted
from rft_widgets.graders.compiled import CompiledGrader
from rft_widgets.graders.rewards import normalized_reward
from rft_widgets.graders.sample import Sample, item_of, sample_of
from rft_widgets.model.checkpoint_settings import CHECKPOINTS, CheckpointSettings
from rft_widgets.model.checkpoints import (
    REFERENCE,
    CheckpointComparison,
    CheckpointMeasure,
    LengthUnit,
    TopicCheckpoint,
)
from rft_widgets.model.message import Message
from rft_widgets.model.record import Record
from rft_widgets.statistics import (
    Interval,
    JointDifference,
    Verdict,
    bootstrap_mean,
    holm,
    joint_differences,
)
from rft_widgets.steps.checkpoint_probes import Looked, probe_answers
from rft_widgets.steps.checkpoint_words import notes, recommendation
from rft_widgets.steps.progress import Progress
from rft_widgets.steps.split import record_groups

Rewards = tuple[float | None, ...]

_FILTERED = "content_filter"


class CheckpointAnswer(Struct, frozen=True):
    """What a checkpoint answered to a prompt; ``None`` is unknown."""

    message: Message
    finish_reason: str
    tokens: int | None
    cost_micro_usd: int | None
    seconds: float | None


class CheckpointAnswers(Struct, frozen=True):
    """Answers of a checkpoint to every prompt, ``None`` where it has none."""

    step: int
    answers: tuple[CheckpointAnswer | None, ...]


class ComparedRun(Struct, frozen=True, kw_only=True):
    """What a comparison is of, and which grader gave its rewards."""

    job_id: str
    served_step: int
    left_out: tuple[int, ...]
    grader_version: int
    grader_hash: str


def grade_checkpoints(
    records: Sequence[Record],
    answered: Sequence[CheckpointAnswers],
    grader: CompiledGrader,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] = bool,
) -> list[Rewards]:
    """Rewards of the answers of each checkpoint; answers that are alike are graded once.

    Raises
    ------
    RunInterrupted
        It was cancelled.
    """
    places: dict[tuple[int, bytes], int] = {}
    wanted: list[list[int | None]] = []
    pairs: list[tuple[Sample, Mapping[str, Any]]] = []
    for one in answered:
        row: list[int | None] = []
        for at, (record, answer) in enumerate(zip(records, one.answers, strict=True)):
            if answer is None:
                row.append(None)
                continue
            key = (at, msgspec.json.encode(answer.message))
            if key not in places:
                places[key] = len(pairs)
                pairs.append((sample_of(record.input, [answer.message]), item_of(record)))
            row.append(places[key])
        wanted.append(row)
    given: list[float | None] = []
    for result in grader.grade_many(pairs):
        given.append(normalized_reward(grader.grader, result))
        if cancelled():
            raise RunInterrupted("The comparison was stopped.", hint="Begin it again.")
        if progress is not None:
            progress(len(given) / len(pairs), f"Graded {len(given):,} of {len(pairs):,} answers")
    return [tuple(None if at is None else given[at] for at in row) for row in wanted]


def compare(
    records: Sequence[Record],
    answered: Sequence[CheckpointAnswers],
    rewards: Sequence[Rewards],
    run: ComparedRun,
    *,
    seed: int = 0,
    settings: CheckpointSettings = CHECKPOINTS,
) -> CheckpointComparison:
    """Compare checkpoints with the model from before, with the best and with the last of them.

    Every difference between two of them is judged together with all others
    (`rft_widgets.statistics.joint_differences`): the best is found by looking at these very
    rewards, and only intervals that hold for all pairs at once allow for that.

    Parameters
    ----------
    records
        The prompts.
    answered
        Answers of the model from before (step 0), then of the checkpoints by their step.
    rewards
        Of these answers.
    run
        What is compared.
    seed
        Of the intervals.
    """
    steps = [one.step for one in answered]
    groups = record_groups(records)
    units = [groups[record.id] for record in records]
    pairs = list(combinations(range(len(steps)), 2))
    joint = joint_differences(rewards, pairs, units, level=settings.level, seed=seed)
    between = _Differences({
        (steps[i], steps[j]): one for (i, j), one in zip(pairs, joint, strict=True)
    })  # fmt: skip
    means = [_mean(one, units, seed=seed) for one in rewards]
    scored = [
        (mean.estimate, step) for mean, step in zip(means, steps, strict=True) if mean is not None
    ]
    # Of equals the earlier one: it moved less.
    best = max(
        (pair for pair in scored if pair[1] != REFERENCE),
        key=lambda pair: (pair[0], -pair[1]),
        default=(0.0, None),
    )[1]
    unit, lengths = _lengths(answered)
    looked = [
        Looked(tuple(_message(a) for a in one.answers), length, reward)
        for one, length, reward in zip(answered, lengths, rewards, strict=True)
    ]
    level = 1 - (1 - settings.level) / max(1, len(steps) - 1)

    def measure(at: int) -> CheckpointMeasure:
        step, one = steps[at], answered[at]
        against = between.of(REFERENCE, step)
        verdict: Verdict = "no_clear_change" if against is None else against.verdict
        there = [answer for answer in one.answers if answer is not None]
        return CheckpointMeasure(
            step=step,
            is_served=step == run.served_step,
            reward=means[at],
            answers=len(there),
            no_answer=len(one.answers) - len(there),
            failed_gradings=len(there) - sum(reward is not None for reward in rewards[at]),
            empty=sum(_is_empty(answer) for answer in there),
            refusals=sum(_is_refused(answer) for answer in there),
            length=_mean(lengths[at], units, seed=seed),
            cost_micro_usd=_cost(there),
            seconds=_seconds(there),
            against_reference=against,
            against_best=None if best is None else between.of(best, step),
            against_last=between.of(steps[-1], step),
            probes=()
            if step == REFERENCE
            else probe_answers(
                [record.input for record in records],
                looked[0],
                looked[at],
                units,
                unit=unit,
                verdict=verdict,
                level=level,
                seed=seed,
                settings=settings,
            ),
        )

    measured = tuple(map(measure, range(len(steps))))
    topics = _topics(records, steps, rewards, units, settings, seed)
    found = CheckpointComparison(
        job_id=run.job_id,
        sentence="",
        suggested_step=None,
        notes=(),
        checkpoints=measured,
        topics=topics,
        best_step=best,
        last_step=steps[-1],
        served_step=run.served_step,
        prompts=len(records),
        seed=seed,
        level=settings.level,
        length_unit=unit,
        left_out=run.left_out,
        grader_version=run.grader_version,
        grader_hash=run.grader_hash,
    )
    sentence, suggested = recommendation(found, between.of)
    found = msgspec.structs.replace(found, sentence=sentence, suggested_step=suggested)
    return msgspec.structs.replace(found, notes=notes(found, settings))


class _Differences:
    """Differences between any two steps, told from either side."""

    def __init__(self, found: Mapping[tuple[int, int], JointDifference | None]) -> None:
        self._found = found

    def of(self, before: int, after: int) -> JointDifference | None:
        """From one step to another; ``None`` for a step and itself, and without a common prompt."""
        if (before, after) in self._found:
            return self._found[before, after]
        other = self._found.get((after, before))
        return None if other is None else _turned(other)


def _turned(one: JointDifference) -> JointDifference:
    old = one.difference
    verdicts: dict[Verdict, Verdict] = {"improved": "regressed", "regressed": "improved"}
    return msgspec.structs.replace(
        one,
        before_mean=one.after_mean,
        after_mean=one.before_mean,
        difference=msgspec.structs.replace(
            old,
            estimate=-old.estimate,
            low=None if old.high is None else -old.high,
            high=None if old.low is None else -old.low,
        ),
        verdict=verdicts.get(one.verdict, one.verdict),
    )


def _topics(
    records: Sequence[Record],
    steps: Sequence[int],
    rewards: Sequence[Rewards],
    units: Sequence[int],
    settings: CheckpointSettings,
    seed: int,
) -> tuple[TopicCheckpoint, ...]:
    """Every checkpoint beside the model from before in each topic, all of them judged together.

    The intervals of one topic hold at once, and those of all topics by Bonferroni; the p-values of
    all are adjusted by Holm.
    """
    places: dict[str | None, list[int]] = {}
    for at, record in enumerate(records):
        places.setdefault(record.topic, []).append(at)
    level = 1 - (1 - settings.level) / max(1, len(places))
    pairs = [(0, at) for at in range(1, len(steps))]
    samples = max(2000, round(20 / (1 - level)))  # so many that twenty lie beyond a bound
    found: list[TopicCheckpoint] = []
    for topic in sorted(places, key=lambda name: (name is None, name or "")):
        some = places[topic]
        joint = joint_differences(
            [[row[at] for at in some] for row in rewards],
            pairs,
            [units[at] for at in some],
            level=level,
            samples=samples,
            seed=seed,
        )
        found += [
            TopicCheckpoint(topic=topic, step=steps[at], difference=one)
            for (_, at), one in zip(pairs, joint, strict=True)
            if one is not None
        ]
    adjusted = holm([one.difference.p_value for one in found])
    return tuple(
        msgspec.structs.replace(one, difference=_judged(one.difference, p, settings.level))
        for one, p in zip(found, adjusted, strict=True)
    )


def _judged(one: JointDifference, adjusted: float, level: float) -> JointDifference:
    """A difference of a topic with its p-value among those of all topics."""
    low, high = one.difference.low, one.difference.high
    verdict: Verdict = "no_clear_change"
    if low is not None and high is not None and adjusted < 1 - level:
        verdict = "improved" if low > 0 else "regressed" if high < 0 else verdict
    return msgspec.structs.replace(one, adjusted_p_value=adjusted, verdict=verdict)


def _mean(values: Sequence[float | None], units: Sequence[int], *, seed: int) -> Interval | None:
    there = [(value, unit) for value, unit in zip(values, units, strict=True) if value is not None]
    if not there:
        return None
    return bootstrap_mean([value for value, _ in there], [unit for _, unit in there], seed=seed)


def _lengths(
    answered: Sequence[CheckpointAnswers],
) -> tuple[LengthUnit, list[tuple[float | None, ...]]]:
    """Lengths of all answers: in tokens where every one of them is counted, else in characters."""
    there = [answer for one in answered for answer in one.answers if answer is not None]
    if there and all(answer.tokens is not None for answer in there):
        return "tokens", [
            tuple(
                None if answer is None or answer.tokens is None else float(answer.tokens)
                for answer in one.answers
            )
            for one in answered
        ]
    return "characters", [
        tuple(None if answer is None else _characters(answer.message) for answer in one.answers)
        for one in answered
    ]


def _characters(message: Message) -> float:
    calls = (call.function for call in message.tool_calls if call.function is not None)
    return float(len(message.text) + sum(len(one.name) + len(one.arguments) for one in calls))


def _message(answer: CheckpointAnswer | None) -> Message | None:
    return None if answer is None else answer.message


def _is_empty(answer: CheckpointAnswer) -> bool:
    return not answer.message.text.strip() and not answer.message.tool_calls


def _is_refused(answer: CheckpointAnswer) -> bool:
    return answer.finish_reason == _FILTERED or bool(answer.message.extra.get("refusal"))


def _cost(there: Sequence[CheckpointAnswer]) -> float | None:
    costs = [answer.cost_micro_usd for answer in there if answer.cost_micro_usd is not None]
    return sum(costs) / len(costs) if costs and len(costs) == len(there) else None


def _seconds(there: Sequence[CheckpointAnswer]) -> float | None:
    known = [answer.seconds for answer in there if answer.seconds is not None]
    return median(known) if known else None
