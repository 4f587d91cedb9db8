"""Jobs that grade answers: to score records, to try a grader, to see whether training is worth it.

A grader comes as its number or its JSON, never as a file: who may ask for a job need not be allowed
to read files of this machine.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from rft_widgets.graders.version import load_grader
from rft_widgets.model.dry_run_settings import DRY_RUN, GRADER_TEST
from rft_widgets.model.evaluation import Evaluation
from rft_widgets.model.grader import SANDBOX
from rft_widgets.model.llm import ModelConnection
from rft_widgets.model.record import Selection
from rft_widgets.model.report import DryRunReport, GraderTest, RunComparison
from rft_widgets.steps.grader_labels import LabelReport
from rft_widgets.worker.definition import Attempt, Definition

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


class Evaluate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which records to score."""

    selection: Selection


class DryRunParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to grade on recorded answers; or to go on with the last run that was cut off."""

    n: Prompts = DRY_RUN.prompts
    k: Answers = DRY_RUN.responses
    seed: Seed = 0
    probes: bool = True
    resume: bool = False


class TriedGrader(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A saved version, or a grader that is not saved; by default the one in use."""

    version: Version | None = None
    grader: GraderJson | None = None
    connection: ModelConnection | None = None
    seed: Seed = 0


class TestGrader(TriedGrader, frozen=True, kw_only=True):
    """A grader to try on a few answers."""

    n: Records = GRADER_TEST.records


class GraderLabels(TriedGrader, frozen=True, kw_only=True):
    """A grader to hold against people's labels."""

    field: Field
    n: Records = 1_000


class CompareGraders(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Two graders, each as the number of a version or its JSON."""

    before: Version | GraderJson
    after: Version | GraderJson
    connection: ModelConnection | None = None
    n: Records = 100
    seed: Seed = 0


def _evaluate(at: Attempt[Evaluate]) -> tuple[str, Evaluation]:
    done = at.done("evaluate")
    found = (
        msgspec.convert(done, Evaluation)
        if done is not None
        else at.dataset.evaluate(at.params.selection, progress=at.progress, cancelled=at.cancelled)
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
        progress=at.progress,
        cancelled=at.cancelled,
    )
    return found.summary, found


def _tried(at: Attempt[Any]) -> dict[str, Any]:
    """What a trial of one grader is given, whatever it is tried on."""
    params: TriedGrader = at.params
    return {
        "version": params.version,
        "grader": None if params.grader is None else load_grader(params.grader),
        "connection": params.connection,
        "seed": params.seed,
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
        kind="compare_graders",
        title="Compare with a version",
        params=CompareGraders,
        result=RunComparison,
        work=_compare,
        is_quick=True,
    ),
)
