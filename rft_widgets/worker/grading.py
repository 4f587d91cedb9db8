"""Jobs that grade answers: to score records, to try a grader, to see whether training is worth it.

A grader comes as its number or its JSON, never as a file: who may ask for a job need not be allowed
to read files of this machine.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from rft_widgets.graders.pairwise import CRITERIA
from rft_widgets.graders.version import load_grader
from rft_widgets.model.connection import ConnectionName
from rft_widgets.model.dry_run_settings import DRY_RUN, GRADER_TEST
from rft_widgets.model.evaluation import Evaluation
from rft_widgets.model.grader import SANDBOX
from rft_widgets.model.grader_version import JudgedAt
from rft_widgets.model.pairwise import PAIRWISE, PairwiseReport
from rft_widgets.model.parity import ParityReport
from rft_widgets.model.record import Selection
from rft_widgets.model.report import DryRunReport, GraderTest, RunComparison
from rft_widgets.steps.grader_labels import LabelReport
from rft_widgets.worker.definition import Attempt, Definition, MaxCost

MAX_GRADER_CHARS = 2 * SANDBOX.max_source_bytes + 64 * 1024

GraderText = Annotated[str, Meta(max_length=MAX_GRADER_CHARS)]
"""JSON of a grader."""
GraderJson = GraderText | dict[str, Any]
Version = Annotated[int, Meta(ge=1)]
Field = Annotated[str, Meta(min_length=1, max_length=200)]
Records = Annotated[int, Meta(ge=1, le=100_000)]
Seed = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Prompts = Annotated[int, Meta(ge=1, le=DRY_RUN.most_prompts)]
Answers = Annotated[int, Meta(ge=1, le=DRY_RUN.most_responses)]
Temperature = Annotated[float, Meta(ge=0, le=2)]
Tokens = Annotated[int, Meta(ge=1, le=1_000_000)]
Target = Annotated[str, Meta(min_length=1, max_length=40)]
RunId = Annotated[str, Meta(min_length=1, max_length=200)]
Criteria = Annotated[str, Meta(min_length=1, max_length=10_000)]


class Evaluate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which records to score; a judge may cost ``max_cost_usd``."""

    selection: Selection
    max_cost_usd: MaxCost | None = None


class PlannedDryRun(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to grade.

    ``model`` answers every prompt anew, ``k`` times; without one recorded answers are graded.
    ``temperature`` and ``max_tokens`` are of its answers, by default those of the settings.
    """

    n: Prompts = DRY_RUN.prompts
    k: Answers = DRY_RUN.responses
    seed: Seed = 0
    probes: bool = True
    model: ConnectionName | None = None
    temperature: Temperature | None = None
    max_tokens: Tokens | None = None


class DryRunParams(PlannedDryRun, frozen=True, kw_only=True):
    """What to grade; or to go on with the last run that was cut off.

    ``max_cost_usd`` is for the answers of a model and for a judge together.
    """

    resume: bool = False
    max_cost_usd: MaxCost | None = None


class TriedGrader(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A saved version, or a grader that is not saved; by default the one in use.

    ``max_cost_usd`` is the most that its models may cost.
    """

    version: Version | None = None
    grader: GraderJson | None = None
    connection: JudgedAt | None = None
    seed: Seed = 0
    max_cost_usd: MaxCost | None = None


class TestGrader(TriedGrader, frozen=True, kw_only=True):
    """A grader to try on a few answers."""

    n: Records = GRADER_TEST.records


class GraderLabels(TriedGrader, frozen=True, kw_only=True):
    """A grader to hold against people's labels."""

    field: Field
    n: Records = 1_000


class GraderParity(TriedGrader, frozen=True, kw_only=True):
    """A grader to hold against its compiled form; ``target`` is what it is compiled for."""

    target: Target
    n: Records = 1_000


class CompareGraders(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Two graders, each as the number of a version or its JSON."""

    before: Version | GraderJson
    after: Version | GraderJson
    connection: JudgedAt | None = None
    n: Records = 100
    seed: Seed = 0
    max_cost_usd: MaxCost | None = None


class CompareAnswers(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Two sets of answers, each the id of a dry run, texts by record id, or the recorded ones."""

    first: RunId | dict[str, str] | None = None
    second: RunId | dict[str, str] | None = None
    model: ConnectionName
    criteria: Criteria = CRITERIA
    n: Records = PAIRWISE.pairs
    seed: Seed = 0
    max_cost_usd: MaxCost | None = None


def _evaluate(at: Attempt[Evaluate]) -> tuple[str, Evaluation]:
    done = at.done("evaluate")
    found = (
        msgspec.convert(done, Evaluation)
        if done is not None
        else at.dataset.evaluate(
            at.params.selection,
            max_cost_usd=at.params.max_cost_usd,
            progress=at.progress,
            cancelled=at.cancelled,
        )
    )
    return found.sentence, found


def _dry_run(at: Attempt[DryRunParams]) -> tuple[str, DryRunReport]:
    params, dataset = at.params, at.dataset
    done = at.done("dry_run")
    report = (
        dataset.dry_run_report(done["run"])
        if done is not None
        else dataset.dry_run(
            params.n,
            params.k,
            seed=params.seed,
            probes=params.probes,
            model=params.model,
            temperature=params.temperature,
            max_tokens=params.max_tokens,
            max_cost_usd=params.max_cost_usd,
            resume=params.resume,
            run_id=at.id_for("dry"),
            progress=at.progress,
            cancelled=at.cancelled,
        )
    )
    return report.summary, report


def _test(at: Attempt[TestGrader]) -> tuple[str, GraderTest]:
    found = at.dataset.test_grader(at.params.n, **_tried(at))
    return found.sentence, found


def _labels(at: Attempt[GraderLabels]) -> tuple[str, LabelReport]:
    found = at.dataset.grader_against_labels(at.params.field, n=at.params.n, **_tried(at))
    return found.sentence, found


def _parity(at: Attempt[GraderParity]) -> tuple[str, ParityReport]:
    found = at.dataset.grader_parity(at.params.target, at.params.n, **_tried(at))
    return found.sentence, found


def _compare(at: Attempt[CompareGraders]) -> tuple[str, RunComparison]:
    params = at.params
    found = at.dataset.compare_graders(
        *(
            one if isinstance(one, int) else load_grader(one)
            for one in (params.before, params.after)
        ),
        connection=params.connection,
        n=params.n,
        seed=params.seed,
        max_cost_usd=params.max_cost_usd,
        progress=at.progress,
        cancelled=at.cancelled,
    )
    return found.summary, found


def _compare_answers(at: Attempt[CompareAnswers]) -> tuple[str, PairwiseReport]:
    params = at.params
    found = at.dataset.compare_answers(
        params.first,
        params.second,
        model=params.model,
        criteria=params.criteria,
        n=params.n,
        seed=params.seed,
        max_cost_usd=params.max_cost_usd,
        progress=at.progress,
        cancelled=at.cancelled,
    )
    return found.sentence, found


def _tried(at: Attempt[Any]) -> dict[str, Any]:
    """What a trial of one grader is given, whatever it is tried on."""
    params: TriedGrader = at.params
    return {
        "version": params.version,
        "grader": None if params.grader is None else load_grader(params.grader),
        "connection": params.connection,
        "seed": params.seed,
        "max_cost_usd": params.max_cost_usd,
        "progress": at.progress,
        "cancelled": at.cancelled,
    }


DEFINITIONS: tuple[Definition[Any], ...] = (
    Definition(
        kind="evaluate", title="Evaluate", params=Evaluate, result=Evaluation, work=_evaluate
    ),
    Definition(
        kind="dry_run", title="Dry run", params=DryRunParams, result=DryRunReport, work=_dry_run
    ),
    Definition(
        kind="test_grader",
        title="Test the grader",
        params=TestGrader,
        result=GraderTest,
        work=_test,
        is_quick=True,
    ),
    Definition(
        kind="grader_labels",
        title="Compare with labels",
        params=GraderLabels,
        result=LabelReport,
        work=_labels,
        is_quick=True,
    ),
    Definition(
        kind="grader_parity",
        title="Compare with the compiled grader",
        params=GraderParity,
        result=ParityReport,
        work=_parity,
        is_quick=True,
    ),
    Definition(
        kind="compare_graders",
        title="Compare with a version",
        params=CompareGraders,
        result=RunComparison,
        work=_compare,
        is_quick=True,
    ),
    Definition(
        kind="compare_answers",
        title="Compare answers",
        params=CompareAnswers,
        result=PairwiseReport,
        work=_compare_answers,
    ),
)
