"""A grader tried on a few answers before it is saved."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rft_widgets.graders.compiled import CompiledGrader
from rft_widgets.model.dry_run_settings import GRADER_TEST, ROUNDING, GraderTestSettings
from rft_widgets.model.report import GraderTest
from rft_widgets.statistics import Description, describe
from rft_widgets.steps.dry_run.answers import Answer, grade_answers

GOOD = "Good variance - the grader differentiates"
"""What is said of a grader that can be built on."""


def try_grader(
    compiled: CompiledGrader,
    answers: Sequence[Answer],
    *,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    settings: GraderTestSettings = GRADER_TEST,
) -> GraderTest:
    """Grade a few answers, and say in one sentence whether the grader differentiates.

    Parameters
    ----------
    compiled
        The grader.
    answers
        Those of a small sample, as `choose_sample` and `make_answers` give them.
    progress, cancelled
        As for `grade_answers`.
    settings
        When it is too lenient, too strict, or says nothing; looked at in this order.

    Raises
    ------
    RunInterrupted
        It was cancelled.
    SandboxUnavailable
        If the system stops confining grader code.
    """
    graded = grade_answers(compiled, answers, progress=progress, cancelled=cancelled)
    rewards = [one.reward for one in graded if one.reward is not None]
    found = describe(rewards) if rewards else None
    return GraderTest(
        answers=tuple(graded),
        mean=found.mean if found else None,
        std=found.std if found else None,
        minimum=found.minimum if found else None,
        maximum=found.maximum if found else None,
        failures=len(graded) - len(rewards),
        sentence=_sentence(found, settings),
    )


def _sentence(found: Description | None, settings: GraderTestSettings) -> str:
    if found is None:
        return "No score - every grading failed"
    if found.minimum > settings.lenient + ROUNDING:
        return "Too lenient"
    if found.maximum < settings.strict - ROUNDING:
        return "Too strict"
    if found.std < settings.no_variance - ROUNDING:
        return "No variance"
    return GOOD
