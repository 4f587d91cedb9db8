"""Grading the recorded answers of any records, beside dry runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

import msgspec
from msgspec import Struct

from rft_widgets.dataset.grading import HasGrader
from rft_widgets.errors import RunInterrupted
from rft_widgets.graders import CompiledGrader
from rft_widgets.graders.sample import item_of
from rft_widgets.model.estimate import WorkEstimate
from rft_widgets.model.evaluation import Evaluation
from rft_widgets.model.grader_version import GraderVersion
from rft_widgets.model.record import Record, Selection, as_selection
from rft_widgets.model.report import GradedAnswer
from rft_widgets.steps.dry_run import Answer, grade_answers
from rft_widgets.steps.judge_workload import workloads
from rft_widgets.steps.progress import Progress
from rft_widgets.store import dry_runs, job_items, scores

_AT_A_TIME = 2_000
_LOOKED_AT = 100
"""Records that an estimate is made from."""


class HasEvaluation(HasGrader):
    """Scores of chosen records."""

    def evaluate(
        self,
        selection: Selection | str,
        *,
        max_cost_usd: float | None = None,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> Evaluation:
        """Grade the recorded answers of valid records and keep each reward as ``dry_run_score``.

        Unlike a dry run it draws no sample and gives no verdict. A grading that fails is counted,
        and leaves the score as it was.

        Parameters
        ----------
        selection
            Which records, or the id of one.
        max_cost_usd
            Most dollars that the grader's models may cost.
        progress
            Called with the share that is done and what is being done.
        cancelled
            Asked after every answer; scores that were given stay.

        Raises
        ------
        InvalidArgument
            There is no grader.
        RunInterrupted
            It was cancelled.
        BudgetReached
            Its models may cost no more; scores that were given stay.
        ModelRefused, TooManyFailures
            Its models do not answer; scores that were given stay.
        """
        chosen = as_selection(selection)
        version = self._version(None)
        total = self.selection_size(chosen).records
        tally = _Tally(total, progress)
        tally.take_up(self._graded_before(version))
        with self._opened(
            version,
            max_cost_usd=max_cost_usd,
            cancelled=cancelled,
            planned=workloads(version.grader, self._first_answers(chosen), tally.total),
        ) as compiled:
            records = self.iterate(chosen)
            while some := list(islice(records, _AT_A_TIME)):
                self._evaluate(compiled, version, tally.gradable(some), tally, cancelled)
        done = tally.evaluation()
        outcome = msgspec.to_builtins(done)
        details = {"selection": msgspec.to_builtins(chosen), "grader": version.hash, **outcome}
        scores.log(self._store, self.id, details)
        return done

    def estimate_evaluate(self, selection: Selection | str) -> WorkEstimate | None:
        """What `evaluate` is expected to take; ``None`` where its grader asks no model.

        Answers that were graded before with the same grader cost nothing, and are counted here.
        """
        chosen = as_selection(selection)
        grader, named = self._chosen(None)
        total = self.selection_size(chosen).records
        return self._grading_estimate(grader, named, self._first_answers(chosen), total)

    def _first_answers(self, chosen: Selection) -> list[Answer]:
        """The first of what can be graded of a selection."""
        some = islice(self.iterate(chosen), _LOOKED_AT)
        return _Tally(_LOOKED_AT, None).gradable(list(some))

    def graded_answers(self, record_id: str) -> tuple[GradedAnswer, ...]:
        """What the last finished dry run said of a record's answers; empty if it had none."""
        with self._store.read() as connection:
            run = dry_runs.last_finished(connection, self.id)
            texts = () if run is None else dry_runs.of_record(connection, run.id, record_id)
        found = (msgspec.json.decode(text, type=GradedAnswer) for text in texts)
        return tuple(one for one in found if one.record_id == record_id)

    def _graded_before(self, version: GraderVersion) -> list[GradedRecord]:
        """Records that this job has graded already, if it is begun again; failed ones are not."""
        texts = job_items.kept(self._store).values()
        found = (msgspec.json.decode(text, type=GradedRecord) for text in texts)
        return [one for one in found if one.grader == version.hash and one.reward is not None]

    def _evaluate(
        self,
        compiled: CompiledGrader,
        version: GraderVersion,
        answers: Sequence[Answer],
        tally: _Tally,
        cancelled: Callable[[], bool],
    ) -> None:
        def keep(graded: Sequence[GradedAnswer]) -> None:
            rewards = {one.record_id: one.reward for one in graded if one.reward is not None}
            done = [
                GradedRecord(one.record_id, version.hash, one.reward, one.error) for one in graded
            ]
            said = {one.record_id: msgspec.json.encode(one).decode() for one in done}
            scores.keep(self._store, self.id, rewards, said)
            tally.count(done)

        try:
            grade_answers(compiled, answers, keep=keep, cancelled=cancelled)
        except RunInterrupted:
            raise RunInterrupted(
                f"Stopped after {tally.graded:,} of {tally.total:,} records; their scores stay.",
                hint="Evaluate the rest when you like.",
            ) from None


class GradedRecord(Struct, frozen=True):
    """What grading a record came to, as a job keeps it while it may be begun again."""

    record_id: str
    grader: str
    """Its hash: what another one gave does not count."""
    reward: float | None
    error: str | None


class _Tally:
    """Counts what an evaluation came to, and tells of it."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self.total, self._progress = total, progress
        self.graded = self._failed = self._invalid = self._unanswered = 0
        self._sum = 0.0
        self._first_error: str | None = None
        self._before: set[str] = set()

    def take_up(self, graded: Sequence[GradedRecord]) -> None:
        """Count what was graded before, and leave it out of what is to be graded."""
        self._before = {one.record_id for one in graded}
        self.total = max(self.total, len(graded))
        self.count(graded)

    def gradable(self, records: Iterable[Record]) -> list[Answer]:
        return list(self._gradable(records))

    def _gradable(self, records: Iterable[Record]) -> Iterator[Answer]:
        for record in records:
            if record.id in self._before:
                continue
            if not record.is_valid:
                self._invalid += 1
            elif not any(message.role == "assistant" for message in record.output.messages):
                self._unanswered += 1
            else:
                yield Answer(
                    record_id=record.id,
                    prompt_key=record.id,
                    repeat=0,
                    input=record.input,
                    output=record.output.messages,
                    item=item_of(record),
                )

    def count(self, graded: Sequence[GradedRecord]) -> None:
        for one in graded:
            if one.reward is None:
                self._failed += 1
                self._first_error = self._first_error or one.error
            else:
                self.graded += 1
                self._sum += one.reward
        if self._progress is not None:
            done = self.graded + self._failed + self._invalid + self._unanswered
            self._progress(min(done / max(self.total, 1), 1.0), f"{done:,} of {self.total:,}")

    def evaluation(self) -> Evaluation:
        return Evaluation(
            graded=self.graded,
            failed=self._failed,
            invalid=self._invalid,
            unanswered=self._unanswered,
            mean=self._sum / self.graded if self.graded else None,
            first_error=self._first_error,
        )
