"""Whether a grader of a dataset judges as people do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from rft_widgets.dataset.grading import GraderLike
from rft_widgets.dataset.labelling import HasLabels
from rft_widgets.errors import InvalidArgument
from rft_widgets.graders.compiled import asks_models
from rft_widgets.graders.sample import item_of
from rft_widgets.graders.version import grader_hash
from rft_widgets.model.estimate import WorkEstimate
from rft_widgets.model.grader import Grader
from rft_widgets.model.grader_version import JudgedAt
from rft_widgets.model.human_label import HumanLabel
from rft_widgets.model.pairwise import PairwiseReport
from rft_widgets.model.record import Record
from rft_widgets.model.report import GradedAnswer
from rft_widgets.model.trust import TrustCard
from rft_widgets.model.trust_settings import TRUST
from rft_widgets.steps.dry_run import Answer, grade_answers
from rft_widgets.steps.judge_workload import combined, workloads
from rft_widgets.steps.label_sample import Labelable, choose_to_label
from rft_widgets.steps.progress import Progress
from rft_widgets.steps.trust import GraderName, OtherVersion, trust_card
from rft_widgets.steps.trust_repeats import order_swap
from rft_widgets.steps.trust_words import nothing_to_compare
from rft_widgets.store.payload import input_hash


class ChecksTrust(HasLabels):
    """Trust cards of a dataset's graders."""

    def trust_card(
        self,
        *,
        version: int | None = None,
        grader: GraderLike | None = None,
        connection: JudgedAt | None = None,
        labeller: str | None = None,
        repeats: int | None = None,
        against: int | None = None,
        pairwise: PairwiseReport | None = None,
        n: int = TRUST.most_labels,
        max_cost_usd: float | None = None,
        seed: int = 0,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> TrustCard:
        """Grade the labelled answers, and say whether the grader judges as people do.

        Everything comes with its interval, and with what it means in words: agreement, Cohen's
        kappa, the rank correlation, what a judge that always says the same would agree on, how
        steady the grader is when asked again, and whether another cut of its scores would do
        better.

        Parameters
        ----------
        version
            Of a saved grader; by default the one in use.
        grader, connection
            A grader that is not saved, as `set_grader` takes it; instead of a version.
        labeller
            Whose labels count; by default those of everybody, the majority deciding.
        repeats
            Gradings of each answer, 1 to `TRUST.most_repeats`; by default several where a model is
            asked, and one where the same answer always gets the same score.
        against
            Number of a saved version to compare with on the same labels.
        pairwise
            What a judge of pairs preferred: whether the order sways it stands on the card, too.
        n
            Labelled answers to grade at most; of more, a sample is drawn.
        max_cost_usd
            Most dollars that the models of each of the graders may cost.
        seed
            Of the intervals and of that choice.
        progress, cancelled
            As for `test_grader`.

        Raises
        ------
        InvalidArgument
            There are no labels, or no labelled answer could be graded.
        BudgetReached, ModelRefused, TooManyFailures
            The models may cost no more, or do not answer; what they said costs nothing again.
        RunInterrupted
            It was cancelled.

        Examples
        --------
        >>> card = ds.trust_card(against=1)  # doctest: +SKIP
        >>> card.level, card.passed.kappa.low  # doctest: +SKIP
        """
        which = version if grader is None else grader
        chosen, _ = self._chosen(which, connection)
        labels = [one for one in self.labels if labeller in (None, one.labeller)]
        answers = self._labelled(labels, n, seed)
        if not answers:
            raise nothing_to_compare(())
        name = self._grader_name(version, grader, chosen)
        share = 1.0 if against is None else 0.5
        graded = self._held(
            which,
            connection,
            _turns(answers, chosen, repeats),
            (progress, 0.0, share),
            max_cost_usd,
            cancelled,
        )
        before = None
        if against is not None:
            found = self._held(
                against, None, answers, (progress, share, 1.0), max_cost_usd, cancelled
            )
            scores = {one.record_id: one.reward for one in found}
            before = OtherVersion(version=against, scores=scores)
        swap = None if pairwise is None else order_swap(pairwise, seed=seed)
        return trust_card(graded, labels, grader=name, before=before, order_swap=swap, seed=seed)

    def trust_estimate(
        self,
        *,
        version: int | None = None,
        labeller: str | None = None,
        repeats: int | None = None,
        against: int | None = None,
        n: int = TRUST.most_labels,
    ) -> WorkEstimate | None:
        """What `trust_card` is expected to take; ``None`` where no model is asked.

        Answers that were graded before cost nothing, and are counted here.
        """
        labels = [one for one in self.labels if labeller in (None, one.labeller)]
        answers = self._labelled(labels, n, 0)
        found = []
        for which, times in ((version, repeats), (against, 1)):
            if which is None and times == 1:
                continue
            grader, named = self._chosen(which)
            turns = _turns(answers, grader, times)
            if turns and (estimate := self._grading_estimate(grader, named, turns)):
                found.append(estimate)
        return combined(found) if found else None

    def _held(
        self,
        which: int | GraderLike | None,
        connection: JudgedAt | None,
        answers: Sequence[Answer],
        told: tuple[Progress | None, float, float],
        max_cost_usd: float | None,
        cancelled: Callable[[], bool],
    ) -> list[GradedAnswer]:
        grader, _ = self._chosen(which, connection)
        with self._opened(
            which,
            connection,
            max_cost_usd=max_cost_usd,
            cancelled=cancelled,
            planned=workloads(grader, answers),
        ) as compiled:
            return grade_answers(compiled, answers, progress=_told(*told), cancelled=cancelled)

    def _grader_name(
        self, version: int | None, grader: GraderLike | None, chosen: Grader
    ) -> GraderName:
        if grader is not None:
            return GraderName(name=chosen.name, version=None, hash=grader_hash(chosen))
        saved = self._version(version)
        return GraderName(name=saved.grader.name, version=saved.version, hash=saved.hash)

    def _labelled(self, labels: Sequence[HumanLabel], n: int, seed: int) -> list[Answer]:
        """The labelled answers, or of very many a sample."""
        ids = list(dict.fromkeys(one.record_id for one in labels if not one.is_stale))
        records = {record.id: record for record in self._by_id(ids)}
        if not records:
            return []
        known = [
            Labelable(id=record.id, topic=record.topic, score=record.dry_run_score)
            for record in records.values()
        ]
        return [_answer(records[key]) for key in choose_to_label(known, n, seed)]


def _answer(record: Record) -> Answer:
    return Answer(
        record_id=record.id,
        prompt_key=f"{input_hash(record.input) & (1 << 64) - 1:016x}",
        repeat=0,
        input=record.input,
        output=record.output.messages,
        item=item_of(record),
        cluster=record.thread_id,
        topic=record.topic,
    )


def _turns(answers: Sequence[Answer], grader: Grader, repeats: int | None) -> list[Answer]:
    """Each answer as often as it is to be graded; all for the first time, then all again."""
    if repeats is None:
        repeats = TRUST.repeats if asks_models(grader) else 1
    if not 1 <= repeats <= TRUST.most_repeats:
        raise InvalidArgument(
            f"repeats is {repeats}.", hint=f"Pass a number from 1 to {TRUST.most_repeats}."
        )
    return [
        msgspec.structs.replace(one, repeat=turn, grading=turn)
        for turn in range(repeats)
        for one in answers
    ]


def _told(progress: Progress | None, start: float, end: float) -> Callable[[int, int], None]:
    def tell(done: int, total: int) -> None:
        if progress is not None:
            share = start + (end - start) * done / total
            progress(share, f"Graded {done:,} of {total:,} answers")

    return tell
