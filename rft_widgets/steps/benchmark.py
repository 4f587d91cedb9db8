"""Two policies on the same records, by the same grader: what one earns more than the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import median

from rft_widgets.errors import RunInterrupted
from rft_widgets.graders.compiled import CompiledGrader
from rft_widgets.graders.rewards import normalized_reward
from rft_widgets.graders.sample import item_of, sample_of
from rft_widgets.model.change import topic_changes
from rft_widgets.model.deployed import Benchmark
from rft_widgets.model.message import Message
from rft_widgets.model.record import Record, RecordInput
from rft_widgets.model.training import Excluded
from rft_widgets.statistics import PairedDifference, paired_difference
from rft_widgets.steps.progress import Progress
from rft_widgets.steps.split import record_groups

Answered = tuple[Message | None, float | None]
"""An answer, ``None`` where there is none, and the seconds that it took, as far as known."""
RespondMany = Callable[[Sequence[RecordInput]], Iterable[Answered]]
"""Answers prompts in their order."""

_ASKING = 0.5
"""Part of the work that is taken to be asking; the rest is grading."""


def compare_policies(
    records: Sequence[Record],
    base: RespondMany,
    tuned: RespondMany,
    grader: CompiledGrader,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] = bool,
) -> Benchmark:
    """Let both policies answer every prompt and compare their rewards in pairs.

    Parameters
    ----------
    records
        What is asked, and the items that answers are graded with.
    base, tuned
        What answers.
    grader
        Gives the rewards; a grading that fails is no zero, it leaves the comparison.
    seed
        Of the intervals.
    progress, cancelled
        Told and asked after every answer.

    Raises
    ------
    RunInterrupted
        It was cancelled; nothing of it is kept.
    """

    def stop_if_cancelled() -> None:
        if cancelled():
            raise RunInterrupted("The measurement was stopped.", hint="Begin it again.")

    asked_so_far = 0

    def heard() -> None:
        nonlocal asked_so_far
        stop_if_cancelled()
        asked_so_far += 1
        if progress is not None:
            words = f"{asked_so_far:,} of {2 * len(records):,} prompts asked"
            progress(_ASKING * asked_so_far / (2 * len(records)), words)

    answered = [_answers(respond, records, heard) for respond in (base, tuned)]
    asked = [
        (sample_of(record.input, [answer]), item_of(record))
        for answers, _ in answered
        for record, answer in zip(records, answers, strict=True)
        if answer is not None
    ]
    given: list[float | None] = []
    for result in grader.grade_many(asked):
        given.append(normalized_reward(grader.grader, result))
        stop_if_cancelled()
        if progress is not None:
            share = _ASKING + (1 - _ASKING) * len(given) / len(asked)
            progress(share, f"{len(given):,} of {len(asked):,} answers")
    rewards = iter(given)
    before, after = (
        [None if answer is None else next(rewards) for answer in answers] for answers, _ in answered
    )
    pairs = [
        (record, one, other)
        for record, one, other in zip(records, before, after, strict=True)
        if one is not None and other is not None
    ]
    unanswered = sum(None in both for both in zip(*(one for one, _ in answered), strict=True))
    groups = record_groups([record for record, *_ in pairs])

    def change(topic: str | None, *, of_all: bool = False) -> PairedDifference | None:
        some = [pair for pair in pairs if of_all or pair[0].topic == topic]
        if not some:
            return None
        return paired_difference(
            [reward for _, reward, _ in some],
            [reward for *_, reward in some],
            [groups[record.id] for record, *_ in some],
            seed=seed,
        )

    overall = change(None, of_all=True)
    by_topic = {topic: change(topic) for topic in {record.topic for record, *_ in pairs}}
    return Benchmark(
        change=overall,
        topics=topic_changes({key: one for key, one in by_topic.items() if one is not None}),
        excluded=Excluded(
            no_candidate=unanswered,
            failed_grading=len(records) - unanswered - len(pairs),
        ),
        base_latency_s=answered[0][1],
        tuned_latency_s=answered[1][1],
        sentence=_words(overall),
    )


def _answers(
    respond: RespondMany, records: Sequence[Record], heard: Callable[[], None]
) -> tuple[list[Message | None], float | None]:
    """Answers to every prompt, and the median seconds that one took."""
    found, times = [], []
    for message, seconds in respond([record.input for record in records]):
        found.append(message)
        if seconds is not None:
            times.append(seconds)
        heard()
    return found, median(times) if times else None


def _words(change: PairedDifference | None) -> str:
    if change is None:
        return "There is no prompt that both models have a graded answer to."
    found = change.difference
    bounds = "" if found.low is None else f" [{found.low:+z.2f}, {found.high:+z.2f}]"
    words = {
        "improved": "The trained model earns more",
        "regressed": "The trained model earns less",
        "no_clear_change": "No clear difference",
    }[change.verdict]
    return f"{words}: {found.estimate:+z.2f}{bounds} on {found.n:,} validation prompts."
