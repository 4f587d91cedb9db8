"""A grader tried on recorded answers, saved or not: alone, against people, against another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rft_widgets.dataset.dry_runs import HasDryRuns
from rft_widgets.dataset.grading import GraderLike
from rft_widgets.errors import InvalidArgument
from rft_widgets.model.dry_run_settings import GRADER_TEST
from rft_widgets.model.estimate import WorkEstimate
from rft_widgets.model.grader_version import JudgedAt
from rft_widgets.model.report import GradedAnswer, GraderTest, RunComparison
from rft_widgets.steps.dry_run import Answer, compare_runs, grade_answers
from rft_widgets.steps.grader_labels import LabelReport, grader_against_labels
from rft_widgets.steps.grader_test import try_grader
from rft_widgets.steps.progress import Progress

_IN_METADATA = "metadata."


class TriesGraders(HasDryRuns):
    """Whether a grader is any good, before anything is built on it."""

    def test_grader(
        self,
        n: int = GRADER_TEST.records,
        *,
        version: int | None = None,
        grader: GraderLike | None = None,
        connection: JudgedAt | None = None,
        seed: int = 0,
        max_cost_usd: float | None = None,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> GraderTest:
        """Grade a few recorded answers, side by side with their prompts.

        Parameters
        ----------
        n
            Records.
        version
            Of a saved grader; by default the one in use.
        grader, connection
            A grader that is not saved, as `set_grader` takes it; instead of a version.
        seed
            Of the choice.
        max_cost_usd
            Most dollars that its models may cost.
        progress
            Called with the share that is done and what is being done.
        cancelled
            Asked after every answer, and often while a model is asked.

        Raises
        ------
        RunInterrupted
            It was cancelled.
        BudgetReached, ModelRefused, TooManyFailures
            Its models may cost no more, or do not answer.
        """
        answers, _ = self._recorded(n, 1, seed)
        which = version if grader is None else grader
        with self._opened(
            which, connection, max_cost_usd=max_cost_usd, cancelled=cancelled
        ) as compiled:
            return try_grader(compiled, answers, progress=_told(progress), cancelled=cancelled)

    def estimate_test_grader(
        self,
        n: int = GRADER_TEST.records,
        *,
        version: int | None = None,
        grader: GraderLike | None = None,
        connection: JudgedAt | None = None,
        seed: int = 0,
    ) -> WorkEstimate | None:
        """What `test_grader` is expected to take; ``None`` where the grader asks no model.

        Answers that were graded before with the same grader cost nothing, and are counted here.
        """
        answers, _ = self._recorded(n, 1, seed)
        chosen, named = self._chosen(version if grader is None else grader, connection)
        return self._grading_estimate(chosen, named, answers)

    def compare_graders(
        self,
        before: int | GraderLike,
        after: int | GraderLike,
        *,
        connection: JudgedAt | None = None,
        n: int = 100,
        seed: int = 0,
        max_cost_usd: float | None = None,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> RunComparison:
        """Grade the same recorded answers with two graders.

        Parameters
        ----------
        before, after
            The number of a saved version, or a grader that is not saved.
        connection
            Where models of graders that are not saved are asked.
        n
            Records.
        seed
            Of the choice and the intervals.
        max_cost_usd, progress, cancelled
            As for `test_grader`; the limit is for each of the two.
        """
        answers, _ = self._recorded(n, 1, seed)
        graded: list[list[GradedAnswer]] = []
        for which in (before, after):
            done = len(graded) / 2

            def tell(share: float, doing: str, done: float = done) -> None:
                if progress is not None:
                    progress(done + share / 2, doing)

            with self._opened(
                which, connection, max_cost_usd=max_cost_usd, cancelled=cancelled
            ) as compiled:
                graded.append(
                    grade_answers(compiled, answers, progress=_told(tell), cancelled=cancelled)
                )
        return compare_runs(graded[0], graded[1], seed=seed)

    def grader_against_labels(
        self,
        field: str,
        *,
        n: int = 1_000,
        version: int | None = None,
        grader: GraderLike | None = None,
        connection: JudgedAt | None = None,
        seed: int = 0,
        max_cost_usd: float | None = None,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> LabelReport:
        """Compare the grader with what people said of recorded answers.

        Parameters
        ----------
        field
            Where the label is, 0 or 1 (or a truth value), or a score in 0..1: an item field, or
            ``metadata.name``. `grader_fields` lists those that could be one.
        n
            Prompts to look at, at most; every recorded answer to them counts.
        version, grader, connection
            As for `test_grader`.
        seed
            Of the choice.
        max_cost_usd, progress, cancelled
            As for `test_grader`.
        """
        answers, _ = self._recorded(n, n, seed)
        if not answers:
            raise InvalidArgument("There is no recorded answer to grade.")
        labels = self._labels(answers, field)
        if not any(label is not None for label in labels):
            raise InvalidArgument(
                f"No answer has a number or a truth value under {field!r}.",
                hint="Name the field with people's labels; grader_fields() lists candidates.",
            )
        which = version if grader is None else grader
        with self._opened(
            which, connection, max_cost_usd=max_cost_usd, cancelled=cancelled
        ) as compiled:
            graded = grade_answers(compiled, answers, progress=_told(progress), cancelled=cancelled)
        return grader_against_labels(
            [one.reward for one in graded],
            labels,
            [answer.cluster or answer.prompt_key for answer in answers],
            seed=seed,
        )

    def _labels(self, answers: Sequence[Answer], field: str) -> list[float | None]:
        in_item = [answer.item.get(field) for answer in answers]
        if any(value is not None for value in in_item) or not field.startswith(_IN_METADATA):
            return [_number(value) for value in in_item]
        key = field.removeprefix(_IN_METADATA)
        asked = self.select(ids=[answer.record_id for answer in answers])
        found = {record.id: record.metadata.get(key) for record in self.iterate(asked)}
        return [_number(found.get(answer.record_id)) for answer in answers]


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (bool, int, float)) else None


def _told(progress: Progress | None) -> Callable[[int, int], None]:
    def tell(done: int, total: int) -> None:
        if progress is not None:
            progress(done / total, f"Graded {done:,} of {total:,} answers")

    return tell
