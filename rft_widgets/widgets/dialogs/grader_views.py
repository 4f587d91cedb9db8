"""What the grader dialog shows, as values for the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from rft_widgets.dataset import OptimizationDataset
from rft_widgets.dataset.job import Job
from rft_widgets.graders import PRESETS, grader_hash, load_grader, start
from rft_widgets.graders.compile import TARGETS, python_name
from rft_widgets.graders.presets import GraderType, PresetName
from rft_widgets.graders.score_model import SCHEMA
from rft_widgets.graders.templates import VARIABLES
from rft_widgets.model.grader import GRADER_TYPES, GradingErrors, grader_to_json
from rft_widgets.model.grader_check import GraderFields
from rft_widgets.model.grader_version import GraderVersion, JudgedAt
from rft_widgets.model.report import GradedAnswer, GraderTest, RunComparison, with_bounds
from rft_widgets.statistics import Interval
from rft_widgets.steps.grader_labels import LabelReport
from rft_widgets.steps.grader_test import GOOD

_REFERENCES = ("reference_answer", "reference", "expected", "expected_answer", "answer", "target")
"""Item fields that are likely to hold the right answer, the likeliest first."""


class GraderVersionView(Struct, frozen=True, kw_only=True):
    """A saved grader with what the page needs to go back to it."""

    version: int
    hash: str
    created_at: datetime
    in_use: bool
    grader: dict[str, Any]
    connection: JudgedAt | None


class TemplateVariable(Struct, frozen=True, kw_only=True):
    """What a template may name, and what it stands for."""

    name: str
    detail: str


class PresetView(Struct, frozen=True, kw_only=True):
    """A grader to start from, in words."""

    name: PresetName
    title: str
    parts: str
    needs_model: bool


class GraderStart(Struct, frozen=True, kw_only=True):
    """A grader of a type to write one's own from."""

    type: GraderType
    grader: dict[str, Any]


class ExportTarget(Struct, frozen=True, kw_only=True):
    """What a grader can be compiled for, and the file that is used there."""

    name: str
    title: str
    entry: str


class GraderView(Struct, frozen=True, kw_only=True):
    """Everything that the dialog opens with."""

    versions: tuple[GraderVersionView, ...]
    fields: GraderFields
    variables: tuple[TemplateVariable, ...]
    presets: tuple[PresetView, ...]
    starts: tuple[GraderStart, ...]
    schema: str
    """What a judge that scores is asked for, as JSON Schema."""
    targets: tuple[ExportTarget, ...]


class NamedReward(Struct, frozen=True, kw_only=True):
    """What one part of a combination gave; ``None`` where it failed."""

    name: str
    reward: float | None


class GradedRow(Struct, frozen=True, kw_only=True):
    """A graded answer, to be read. Without a reward the grading failed: that is no zero."""

    record_id: str
    topic: str | None
    prompt: str
    response: str
    reward: float | None
    raw_reward: float | None
    parts: tuple[NamedReward, ...]
    reasoning: str | None
    error: str | None
    flags: tuple[str, ...]


class TestView(Struct, frozen=True, kw_only=True):
    """A grader tried on a few answers."""

    hash: str
    """Of the grader that was tried."""
    rows: tuple[GradedRow, ...]
    mean: float | None
    std: float | None
    minimum: float | None
    maximum: float | None
    failures: int
    differentiates: bool
    sentence: str


class ComparedFigure(Struct, frozen=True, kw_only=True):
    """A figure in words, and beside it what it could as well be: ``0.45`` and ``0.41 to 0.49``."""

    name: str
    value: str
    note: str = ""


class TopicChangeView(Struct, frozen=True, kw_only=True):
    """What changed in one topic."""

    topic: str | None
    before: float
    after: float
    difference: str
    verdict: str
    n: int


class ComparisonView(Struct, frozen=True, kw_only=True):
    """A grader beside people's labels, or beside another version."""

    hash: str
    against: str
    """What it was compared with, in words."""
    sentence: str
    figures: tuple[ComparedFigure, ...]
    topics: tuple[TopicChangeView, ...] = ()


class GraderResults(Struct, frozen=True, kw_only=True):
    """What was tried last."""

    test: TestView | None = None
    labels: ComparisonView | None = None
    versions: ComparisonView | None = None


class SavedGrader(Struct, frozen=True, kw_only=True):
    """A grader that was taken into use, and what is stale for it."""

    version: int
    hash: str
    stale: tuple[str, ...]


def grader_view(dataset: OptimizationDataset, fields: GraderFields) -> GraderView:
    """Read what the dialog opens with."""
    names = [field.name for field in fields.item]
    reference = next((name for name in _REFERENCES if name in names), None)
    in_use, own_name = dataset.grader_version, python_name(dataset.name)
    own = tuple(
        TemplateVariable(name=_path(field.name), detail=field.example) for field in fields.item
    )
    return GraderView(
        versions=tuple(
            _version(one, in_use=one.version == (in_use.version if in_use else None))
            for one in reversed(dataset.grader_versions)
        ),
        fields=fields,
        variables=own + tuple(TemplateVariable(name=n, detail=d) for n, d in VARIABLES.items()),
        presets=tuple(
            PresetView(
                name=one.name,
                title=one.title,
                parts=", ".join(
                    f"{part.replace('_', ' ')} {weight:g}" for part, weight in one.weights.items()
                ),
                needs_model=one.needs_model,
            )
            for one in PRESETS.values()
        ),
        starts=tuple(
            GraderStart(type=kind, grader=grader_to_json(start(kind, reference=reference)))
            for kind in _types()
        ),
        schema=msgspec.json.format(msgspec.json.encode(SCHEMA), indent=2).decode(),
        targets=tuple(
            ExportTarget(name=one.name, title=one.title, entry=one.entry.format(name=own_name))
            for one in TARGETS.values()
        ),
    )


def read_results(dataset: OptimizationDataset) -> GraderResults:
    """What was tried last, of each kind of trial."""
    test = dataset.last_job("test_grader")
    labels = dataset.last_job("grader_labels")
    versions = dataset.last_job("compare_graders")
    return GraderResults(
        test=None if test is None else _of_test(test),
        labels=None if labels is None else _of_labels(labels),
        versions=None if versions is None else _of_versions(versions),
    )


def _of_test(job: Job) -> TestView | None:
    found, asked = job.result, job.params
    return None if found is None else test_view(found, _hash(asked.get("grader")))


def _of_labels(job: Job) -> ComparisonView | None:
    found, asked = job.result, job.params
    return None if found is None else labels_view(found, asked["field"], _hash(asked.get("grader")))


def _of_versions(job: Job) -> ComparisonView | None:
    found, asked = job.result, job.params
    if found is None or not isinstance(asked["before"], int):
        return None  # of two graders that are not saved, the dialog knows nothing
    return versions_view(found, asked["before"], _hash(asked["after"]))


def _hash(grader: Any) -> str:
    """Hash of a grader that was given as its JSON; none of one that was named by its number."""
    return grader_hash(load_grader(grader)) if isinstance(grader, (str, Mapping)) else ""


def test_view(found: GraderTest, grader_hash: str) -> TestView:
    """A test for the page."""
    return TestView(
        hash=grader_hash,
        rows=tuple(_row(answer) for answer in found.answers),
        mean=found.mean,
        std=found.std,
        minimum=found.minimum,
        maximum=found.maximum,
        failures=found.failures,
        differentiates=found.sentence == GOOD,
        sentence=found.sentence,
    )


def labels_view(found: LabelReport, field: str, grader_hash: str) -> ComparisonView:
    """A comparison with labels for the page."""
    agreed = found.agreement
    figures = [
        _measured("Agreement", agreed.agreement, ".0%"),
        _measured("Trivial baseline", agreed.constant_baseline, ".0%"),
        _measured("Cohen's kappa", agreed.kappa, ".2f"),
        _counted("Labelled answers", agreed.n),
        _counted("Without a label", found.unlabelled),
        _counted("Failed gradings", found.unscored),
    ]
    if found.rank_correlation is not None:
        figures.insert(3, _measured("Rank correlation", found.rank_correlation, ".2f"))
    return ComparisonView(
        hash=grader_hash, against=field, sentence=found.sentence, figures=tuple(figures)
    )


def versions_view(found: RunComparison, before: int, grader_hash: str) -> ComparisonView:
    """A comparison with another version for the page."""
    overall = found.overall
    words = {
        "improved": "scores are higher",
        "regressed": "scores are lower",
        "no_clear_change": "no clear difference",
    }
    shown = words.get(overall.verdict, overall.verdict.replace("_", " "))
    p_value = f"{overall.p_value:.3f}"
    figures = (
        ComparedFigure(name=f"Mean of version {before}", value=f"{overall.before_mean:.2f}"),
        ComparedFigure(name="Mean of this grader", value=f"{overall.after_mean:.2f}"),
        _measured("Difference", overall.difference, "+.2f"),
        ComparedFigure(name="p", value="<0.001" if p_value == "0.000" else p_value),
        _counted("Same answers", found.matched),
        _counted("Without both scores", found.unscored),
    )
    return ComparisonView(
        hash=grader_hash,
        against=f"version {before}",
        sentence=f"On the same {found.matched:,} answers as version {before}, {shown}: "
        f"{with_bounds(overall.difference, '+.2f')}.",
        figures=figures,
        topics=tuple(
            TopicChangeView(
                topic=one.topic,
                before=one.difference.before_mean,
                after=one.difference.after_mean,
                difference=with_bounds(one.difference.difference, "+.2f"),
                verdict=words.get(one.verdict, one.verdict.replace("_", " ")),
                n=one.difference.n,
            )
            for one in found.topics
        ),
    )


def _types() -> Sequence[GraderType]:
    return tuple(GRADER_TYPES)  # type: ignore[arg-type]  # the same names; a test holds them together


def _version(one: GraderVersion, *, in_use: bool) -> GraderVersionView:
    return GraderVersionView(
        version=one.version,
        hash=one.hash,
        created_at=one.created_at,
        in_use=in_use,
        grader=grader_to_json(one.grader),
        connection=one.connection,
    )


def _row(answer: GradedAnswer) -> GradedRow:
    return GradedRow(
        record_id=answer.record_id,
        topic=answer.topic,
        prompt=answer.prompt,
        response=answer.response,
        reward=answer.reward,
        raw_reward=answer.raw_reward,
        parts=tuple(
            NamedReward(name=name, reward=reward) for name, reward in answer.sub_rewards.items()
        ),
        reasoning=answer.reasoning,
        error=answer.error,
        flags=_flags(answer.errors),
    )


def _flags(errors: GradingErrors) -> tuple[str, ...]:
    return tuple(name for name, value in msgspec.structs.asdict(errors).items() if value is True)


def _path(field: str) -> str:
    plain = field.isascii() and field.replace("-", "_").isidentifier()
    return f"item.{field}" if plain else f"item[{msgspec.json.encode(field).decode()}]"


def _measured(name: str, interval: Interval, form: str) -> ComparedFigure:
    known = interval.low is not None and interval.high is not None
    note = f"{interval.low:{form}} to {interval.high:{form}}" if known else ""
    return ComparedFigure(name=name, value=f"{interval.estimate:{form}}", note=note)


def _counted(name: str, count: int) -> ComparedFigure:
    return ComparedFigure(name=name, value=f"{count:,}")
