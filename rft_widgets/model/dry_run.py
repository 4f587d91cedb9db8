"""A dry run as it is kept: what was asked for, what it worked from, and its report."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from rft_widgets.model.estimate import WorkEstimate
from rft_widgets.model.record import RecordFilter
from rft_widgets.model.report import DryRunReport
from rft_widgets.model.run import RunInputs


class DryRunConfig(Struct, frozen=True, kw_only=True):
    """What a dry run was asked for.

    ``n`` prompts, at most ``k`` answers to each, ``seed`` of the choice; ``answers`` says whether
    recorded ones were graded or such that a model gave during the run. ``model`` is the name of its
    connection, empty where a function answered, and ``asked`` the model; ``temperature`` and
    ``max_tokens`` are what it was asked with.
    """

    n: int
    k: int
    seed: int
    probes: bool
    answers: Literal["recorded", "model"]
    model: str = ""
    asked: str = ""
    temperature: float | None = None
    max_tokens: int | None = None


class DryRun(Struct, frozen=True, kw_only=True):
    """One dry run of a dataset; ``report`` is ``None`` of one that was cut off."""

    id: str
    config: DryRunConfig
    inputs: RunInputs
    report: DryRunReport | None
    started_at: datetime
    finished_at: datetime | None


class DryRunEstimate(Struct, frozen=True, kw_only=True):
    """What a dry run would take; ``None`` is unknown.

    Attributes
    ----------
    available, several
        Prompts with a recorded answer, and those of them that have at least two.
    prompts, answers
        What would be graded.
    excluded
        Records that cannot be chosen, by reason.
    probe_gradings
        Gradings in addition, at most, of answers that deserve nothing.
    judge_calls
        Times that a model is asked for a grade, at most.
    seconds
        From the pace of this grader's last dry run, or of the models that are asked.
    cost_micro_usd
        Of answers and judges together; 0 where no model is asked.
    notes
        What differs from what was asked for, in words.
    not_ready
        Why the grader cannot grade as it was saved.
    rollouts, judging
        What the answers of a model take, and their grades; ``None`` where no model is asked.
    """

    available: int
    several: int
    prompts: int
    answers: int
    excluded: dict[str, int]
    probe_gradings: int
    judge_calls: int
    seconds: float | None
    cost_micro_usd: int | None
    notes: tuple[str, ...]
    not_ready: str | None
    rollouts: WorkEstimate | None = None
    judging: WorkEstimate | None = None


class ScoresSoFar(Struct, frozen=True, kw_only=True):
    """Scores of a dry run that is not finished, as far as they are kept."""

    run: str
    started_at: datetime
    scored: int
    failed: int
    """Answers without a score."""
    mean: float | None
    histogram: tuple[int, ...]
    """As in `Description`."""
    last: int
    """Place of the last answer that was read; -1 before the first."""


class ScoreBin(Struct, frozen=True, kw_only=True):
    """A bin of the histogram of a dry run: scores from ``low`` to below ``high``.

    ``where`` are the records behind it: as many as answers, unless one record had several answers
    or was deleted since.
    """

    low: float
    high: float
    count: int
    where: RecordFilter
    words: str


class CutOffRun(Struct, frozen=True, kw_only=True):
    """A dry run that was stopped or killed; ``obstacle`` says why it cannot be resumed, if so."""

    id: str
    config: DryRunConfig
    started_at: datetime
    graded: int
    obstacle: str | None
