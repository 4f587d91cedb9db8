"""Answers compared two by two: by a judge that sees each pair in both orders."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

from msgspec import Struct

from rft_widgets.graders.pairwise import PairJudge, PairVerdict
from rft_widgets.graders.sample import sample_of
from rft_widgets.llm.concurrent import in_order
from rft_widgets.model.message import Message
from rft_widgets.model.pairwise import (
    PAIRWISE,
    ComparedPair,
    PairwiseReport,
    PairwiseSettings,
    PairwiseVerdict,
)
from rft_widgets.model.record import RecordInput
from rft_widgets.model.report import with_bounds
from rft_widgets.statistics import Interval, bootstrap_mean
from rft_widgets.steps.dry_run.answers import output_text


class Pair(Struct, frozen=True, kw_only=True):
    """Two answers to one prompt. ``cluster`` names what depends on each other, for intervals."""

    record_id: str
    repeat: int
    input: RecordInput
    first: tuple[Message, ...]
    second: tuple[Message, ...]
    cluster: str


def compare_pairs(
    judge: PairJudge,
    pairs: Sequence[Pair],
    *,
    concurrency: int = 1,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] = bool,
    settings: PairwiseSettings = PAIRWISE,
) -> PairwiseReport:
    """Ask a judge which answer of each pair is better.

    Parameters
    ----------
    judge
        The judge.
    pairs
        What to compare.
    concurrency
        How many at a time.
    seed
        Of the intervals.
    progress
        Gets the number of pairs that are done, and of all.
    cancelled
        Asked often.

    Raises
    ------
    RunInterrupted
        It was cancelled.
    RftError
        The judge may not be asked any more.
    """

    def compare(pair: Pair) -> PairVerdict:
        first, second = (sample_of(pair.input, one) for one in (pair.first, pair.second))
        return judge.compare(first, second)

    done: list[ComparedPair] = []
    with closing(
        in_order(compare, pairs, concurrency=concurrency, cancelled=cancelled)
    ) as verdicts:
        for pair, verdict in zip(pairs, verdicts, strict=True):
            done.append(_compared(pair, verdict, settings))
            if progress is not None:
                progress(len(done), len(pairs))
    return report_of(done, [pair.cluster for pair in pairs], seed=seed)


def report_of(
    pairs: Sequence[ComparedPair], clusters: Sequence[str], *, seed: int = 0
) -> PairwiseReport:
    """Say what the verdicts on pairs come to."""
    decided = [
        (pair, cluster)
        for pair, cluster in zip(pairs, clusters, strict=True)
        if pair.preference is not None
    ]
    units = [cluster for _, cluster in decided]
    count = {
        side: sum(pair.preference == side for pair, _ in decided)
        for side in ("first", "second", "tie")
    }
    worth = {"first": 0.0, "tie": 0.5, "second": 1.0}
    wins = [worth[str(pair.preference)] for pair, _ in decided]
    second_wins = bootstrap_mean(wins, units, seed=seed) if decided else None
    shown = list(_shown_first(decided))
    verdict = _verdict(second_wins)
    agreed = [float(pair.is_consistent or 0) for pair, _ in decided]
    consistent = bootstrap_mean(agreed, units, seed=seed) if decided else None
    return PairwiseReport(
        pairs=tuple(pairs),
        first=count["first"],
        second=count["second"],
        ties=count["tie"],
        failed=len(pairs) - len(decided),
        second_wins=second_wins,
        consistent=consistent,
        shown_first=bootstrap_mean(
            [one for one, _ in shown], [unit for _, unit in shown], seed=seed
        )
        if shown
        else None,
        verdict=verdict,
        sentence=_sentence(verdict, second_wins, consistent, len(decided)),
    )


def _shown_first(decided: Sequence[tuple[ComparedPair, str]]) -> Iterator[tuple[float, str]]:
    for pair, cluster in decided:
        if pair.forward != "tie":
            yield float(pair.forward == "first"), cluster
        if pair.backward != "tie":
            yield float(pair.backward == "second"), cluster


def _compared(pair: Pair, verdict: PairVerdict, settings: PairwiseSettings) -> ComparedPair:
    return ComparedPair(
        record_id=pair.record_id,
        repeat=pair.repeat,
        first=output_text(pair.first)[: settings.shown_chars],
        second=output_text(pair.second)[: settings.shown_chars],
        forward=verdict.forward,
        backward=verdict.backward,
        preference=verdict.preference,
        is_consistent=verdict.is_consistent,
        reasoning=verdict.reasoning,
        error=verdict.error,
        errors=verdict.errors,
    )


def _verdict(second_wins: Interval | None) -> PairwiseVerdict:
    if second_wins is None or second_wins.low is None or second_wins.high is None:
        return "no_clear_difference"
    if second_wins.low > 0.5:
        return "second"
    return "first" if second_wins.high < 0.5 else "no_clear_difference"


def _sentence(
    verdict: PairwiseVerdict, wins: Interval | None, consistent: Interval | None, n: int
) -> str:
    if wins is None or consistent is None:
        return "No pair has a verdict: every grading failed."
    words = {
        "first": "The first answers are better",
        "second": "The second answers are better",
        "no_clear_difference": "No clear difference",
    }[verdict]
    text = (
        f"{words}: the second win {with_bounds(wins, '.0%')} of {n:,} pairs, a tie counting half."
    )
    swayed = 1 - consistent.estimate
    return text if swayed == 0 else f"{text} In {swayed:.0%} of them the order decided: a tie."
