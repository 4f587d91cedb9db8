"""The dry run: whether training could learn anything from this grader and these records."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar

from msgspec import Meta, Struct

from rft_widgets.dataset import OptimizationDataset
from rft_widgets.model.connection import ConnectionName
from rft_widgets.model.dry_run import (
    CutOffRun,
    DryRun,
    DryRunConfig,
    DryRunEstimate,
    ScoreBin,
    ScoresSoFar,
)
from rft_widgets.model.dry_run_settings import DRY_RUN_BOUNDS, ROUNDING
from rft_widgets.model.job import JobState
from rft_widgets.model.record import RecordFilter
from rft_widgets.model.report import DryRunReport, DryRunVerdict, RunComparison, TopicScores
from rft_widgets.model.views import DialogName, RecordsPreset
from rft_widgets.pipeline import grader_words
from rft_widgets.widgets import rpc
from rft_widgets.widgets.dialogs.base import Dialog
from rft_widgets.worker.definition import MaxCost
from rft_widgets.worker.grading import (
    Answers,
    DryRunParams,
    Prompts,
    Seed,
    Temperature,
    Tokens,
)

JOB = "dry_run"

RunId = Annotated[str, Meta(max_length=64)]


class RunLine(Struct, frozen=True, kw_only=True):
    """A dry run in the list of them; no verdict where it was cut off."""

    id: str
    started_at: datetime
    config: DryRunConfig
    grader_version: int
    verdict: DryRunVerdict | None
    mean: float | None
    answers: int | None


class TopicOfRun(Struct, frozen=True, kw_only=True):
    """A topic of a run: whether its mean warns, and its graded records."""

    is_low: bool
    opens: RecordsPreset


class ShownRun(Struct, frozen=True, kw_only=True):
    """A finished dry run with all that is shown of it.

    ``changes`` says what is different from what it worked from, ``answered`` how a model answered
    (empty where recorded answers were graded); ``call`` how to get at it in
    Python; ``lowest`` are the records with its lowest scores, ``topics`` those of each topic in
    the order of the report.
    """

    id: str
    started_at: datetime
    config: DryRunConfig
    grader_version: int
    report: DryRunReport
    bins: tuple[ScoreBin, ...]
    topics: tuple[TopicOfRun, ...]
    lowest: RecordsPreset
    changes: tuple[str, ...]
    answered: str
    call: str


class DryRunView(Struct, frozen=True, kw_only=True):
    """Dry runs, the newest first, and one of them; or which dialog comes before any."""

    blocked_by: DialogName | None

    grader: str
    """The grader in use, in words; empty when there is none."""
    runs: tuple[RunLine, ...]
    shown: ShownRun | None
    cut_off: CutOffRun | None


class DryRunDialog(Dialog):
    """The dry run: whether training could learn anything from this grader and these records."""

    component: ClassVar[str] = "dialogs/dry_run"
    step: ClassVar[int] = 5

    def __init__(self, dataset: OptimizationDataset, **values: Any) -> None:
        self._so_far: ScoresSoFar | None = None
        super().__init__(dataset, **values)

    @rpc.method(background=True, packed=True)
    def load(self, run: RunId | None = None) -> DryRunView:
        """Read the runs, and one of them: by default the newest that is finished."""
        ds = self._dataset
        version, runs = ds.grader_version, ds.dry_runs
        finished = [one for one in runs if one.report is not None]
        chosen = next(
            (one for one in finished if one.id == run), finished[-1] if finished else None
        )
        before: DialogName | None = "grader" if version is None else None
        return DryRunView(
            blocked_by=before if ds.health.valid else "records",
            grader=""
            if version is None
            else f"{grader_words(version.grader)}, version {version.version}",
            runs=tuple(_line(one) for one in reversed(runs)),
            shown=None if chosen is None else _shown(ds, chosen, runs.index(chosen) - len(runs)),
            cut_off=ds.cut_off_dry_run,
        )

    @rpc.method(background=True)
    def plan(
        self,
        *,
        n: Prompts,
        k: Answers,
        seed: Seed,
        probes: bool,
        model: ConnectionName | None = None,
        temperature: Temperature | None = None,
        max_tokens: Tokens | None = None,
    ) -> DryRunEstimate:
        """Count what a run with these options would grade, and what it would take."""
        return self._dataset.plan_dry_run(
            n,
            k,
            seed=seed,
            probes=probes,
            model=model,
            temperature=temperature,
            max_tokens=max_tokens,
        )

    @rpc.method()
    def start(
        self,
        *,
        n: Prompts,
        k: Answers,
        seed: Seed,
        probes: bool,
        model: ConnectionName | None = None,
        temperature: Temperature | None = None,
        max_tokens: Tokens | None = None,
        max_cost_usd: MaxCost | None = None,
    ) -> JobState:
        """Begin a run on recorded answers, or on those that a model gives."""
        asked = DryRunParams(
            n=n,
            k=k,
            seed=seed,
            probes=probes,
            model=model,
            temperature=temperature,
            max_tokens=max_tokens,
            max_cost_usd=max_cost_usd,
        )
        return self._dataset.submit(JOB, asked).state

    @rpc.method()
    def resume(self, max_cost_usd: MaxCost | None = None) -> JobState:
        """Go on with the run that was cut off."""
        asked = DryRunParams(resume=True, max_cost_usd=max_cost_usd)
        return self._dataset.submit(JOB, asked).state

    @rpc.method(background=True)
    def so_far(self) -> ScoresSoFar | None:
        """Scores of the run under way; every call reads only what came since the one before."""
        found = self._dataset.dry_run_scores_so_far(self._so_far)
        self._so_far = found
        job = self._dataset.last_job(JOB, only_succeeded=False)
        if found is None or job is None or job.params["resume"]:
            return found
        # What was cut off before the run that somebody began last is no part of it.
        return None if found.started_at < job.state.created_at else found

    @rpc.method(background=True, packed=True)
    def compare(self, before: RunId, after: RunId) -> RunComparison:
        """Compare two runs on what both graded."""
        return self._dataset.compare_dry_runs(before, after)

    @rpc.method(background=True, packed=True)
    def report_json(self, run: RunId) -> str:
        """The report of a run, to be downloaded."""
        found = next((one.report for one in self._dataset.dry_runs if one.id == run), None)
        return "" if found is None else found.to_json()


WIDGET = DryRunDialog


def _line(run: DryRun) -> RunLine:
    report = run.report
    return RunLine(
        id=run.id,
        started_at=run.started_at,
        config=run.config,
        grader_version=run.inputs.grader_version,
        verdict=None if report is None else report.verdict,
        mean=None if report is None or report.mean is None else report.mean.estimate,
        answers=None if report is None else report.answers,
    )


def _shown(ds: OptimizationDataset, run: DryRun, place: int) -> ShownRun:
    report = run.report
    assert report is not None  # noqa: S101 - only finished runs are shown
    return ShownRun(
        id=run.id,
        started_at=run.started_at,
        config=run.config,
        grader_version=run.inputs.grader_version,
        report=report,
        bins=ds.dry_run_bins(run),
        topics=tuple(_of_topic(run, one) for one in report.topics),
        lowest=_lowest(run, report),
        changes=ds.dry_run_changes(run),
        answered="" if report.answered_by is None else report.answered_by.sentence,
        call=f"ds.dry_runs[{place}].report",
    )


def _of_topic(run: DryRun, scores: TopicScores) -> TopicOfRun:
    if scores.topic is None:
        where = RecordFilter(dry_run=run.id, uncategorized=True)
        opens = RecordsPreset(where=where, badge="Graded, without a topic")
    else:
        where = RecordFilter(dry_run=run.id, topic=scores.topic)
        opens = RecordsPreset(where=where, badge=f"Graded: {scores.topic}")
    is_low = scores.mean.estimate < DRY_RUN_BOUNDS.topic_low - ROUNDING
    return TopicOfRun(is_low=is_low and scores.topic is not None, opens=opens)


def _lowest(run: DryRun, report: DryRunReport) -> RecordsPreset:
    """The records in the lowest tenth of the scores; all of them where nothing scored."""
    if report.scores is None:
        return RecordsPreset(badge="No score")
    limit = report.scores.p10
    return RecordsPreset(
        where=RecordFilter(dry_run=run.id, max_score=limit), badge=f"Score up to {limit:.2f}"
    )
