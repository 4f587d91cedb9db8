"""Answers of two models to the same prompts, compared by a judge."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import TypeAlias

from rft_widgets.dataset.asking import ModelLike
from rft_widgets.dataset.grader_trials import TriesGraders
from rft_widgets.errors import InvalidArgument
from rft_widgets.graders.pairwise import CRITERIA, PairJudge, pairwise_judge
from rft_widgets.model.dry_run import DryRun
from rft_widgets.model.estimate import WorkEstimate, micro_usd
from rft_widgets.model.message import Message
from rft_widgets.model.pairwise import PAIRWISE, PairwiseReport
from rft_widgets.model.record import Record
from rft_widgets.steps.dry_run.sample import seeded_rank
from rft_widgets.steps.judge_workload import pairs_workload
from rft_widgets.steps.pairwise import Pair, compare_pairs
from rft_widgets.steps.progress import Progress
from rft_widgets.store.payload import input_hash

AnswersLike: TypeAlias = DryRun | str | Mapping[str, str] | None
"""Answers to prompts: of a dry run (or its id), texts by record id, or ``None`` for those that the
records were imported with."""


class ComparesAnswers(TriesGraders):
    """Which of two sets of answers is better."""

    def compare_answers(
        self,
        first: AnswersLike,
        second: AnswersLike,
        *,
        model: ModelLike,
        criteria: str = CRITERIA,
        n: int = PAIRWISE.pairs,
        seed: int = 0,
        max_cost_usd: float | None = None,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> PairwiseReport:
        """Let a judge say which of two answers to each prompt is better.

        It sees each pair in both orders; where these contradict each other, the order decided, and
        the pair is a tie.

        Parameters
        ----------
        first, second
            What to compare: a dry run in which a model answered anew, texts by record id, such as
            the answers of the arms of a deployment, or ``None`` for the recorded answers.
        model
            The judge.
        criteria
            What makes an answer better, in your words.
        n
            Pairs at most; of more, a sample is drawn.
        seed
            Of that choice and of the intervals.
        max_cost_usd
            Most dollars that the judge may cost.
        progress
            Called with the share that is done and what is being done.
        cancelled
            Asked often.

        Raises
        ------
        InvalidArgument
            No prompt has an answer on both sides.
        RunInterrupted, BudgetReached, ModelRefused, TooManyFailures
            It was stopped. What was answered is not asked, or paid, again.

        Examples
        --------
        >>> runs = ds.dry_runs  # doctest: +SKIP
        >>> ds.compare_answers(runs[-2], runs[-1], model="judge").sentence  # doctest: +SKIP
        """
        pairs = self._pairs(first, second, n, seed)
        named = self.named_connection(model)
        judge = pairwise_judge(named.model, criteria)

        def tell(done: int, total: int) -> None:
            if progress is not None:
                progress(done / total, f"Compared {done:,} of {total:,} pairs")

        with self._client(
            named,
            purpose="judge",
            cap_micro_usd=micro_usd(max_cost_usd),
            cancelled=cancelled,
            planned=pairs_workload(judge, pairs),
        ) as client:
            return compare_pairs(
                PairJudge(judge, client),
                pairs,
                concurrency=client.concurrency,
                seed=seed,
                progress=tell,
                cancelled=cancelled,
            )

    def estimate_compare_answers(
        self,
        first: AnswersLike,
        second: AnswersLike,
        *,
        model: ModelLike,
        criteria: str = CRITERIA,
        n: int = PAIRWISE.pairs,
        seed: int = 0,
    ) -> WorkEstimate:
        """What `compare_answers` is expected to take; its arguments are the same."""
        named = self.named_connection(model)
        pairs = self._pairs(first, second, n, seed)
        load = pairs_workload(pairwise_judge(named.model, criteria), pairs)
        return self._estimate(named, "judge", load)

    def _pairs(self, first: AnswersLike, second: AnswersLike, n: int, seed: int) -> list[Pair]:
        sides = [self._answers_of(side) for side in (first, second)]
        given = [side for side in sides if side is not None]
        if not given:
            raise InvalidArgument(
                "The recorded answers cannot be compared with themselves.",
                hint="Name a dry run with answers of a model, or give texts by record id.",
            )
        shared = set(given[0]).intersection(*given[1:])
        chosen = sorted(shared, key=lambda key: seeded_rank(seed, key))[:n]
        records = {record.id: record for record in self.iterate(self.select(ids=chosen))}
        pairs = []
        for key in chosen:
            record = records.get(key)
            if record is None:
                continue
            one, other = (_answers(side, record) for side in sides)
            pairs += [
                Pair(
                    record_id=key,
                    repeat=repeat,
                    input=record.input,
                    first=a,
                    second=b,
                    cluster=record.thread_id or f"{input_hash(record.input):x}",
                )
                for repeat, (a, b) in enumerate(zip(one, other, strict=False))
            ]
        if not pairs:
            raise InvalidArgument(
                "No prompt has an answer on both sides.",
                hint="Compare answers to the same records.",
            )
        return pairs[:n]

    def _answers_of(self, side: AnswersLike) -> dict[str, list[tuple[Message, ...]]] | None:
        """Answers by record, in their order; ``None`` for those that are recorded."""
        if side is None:
            return None
        if isinstance(side, Mapping):
            return {key: [(Message("assistant", text),)] for key, text in side.items()}
        found: defaultdict[str, list[tuple[Message, ...]]] = defaultdict(list)
        for answer in self.dry_run_answers(side):
            if answer.status != "failed_answer":
                found[answer.record_id].append(answer.output)
        return dict(found)


def _answers(
    side: dict[str, list[tuple[Message, ...]]] | None, record: Record
) -> list[tuple[Message, ...]]:
    recorded = tuple(record.output.messages)
    if side is None:
        return [recorded] if any(one.role == "assistant" for one in recorded) else []
    return [answer or recorded for answer in side[record.id]]  # a run keeps no recorded answers
