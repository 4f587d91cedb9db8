"""Coverage, the grader and dry runs: whether training is worth it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from rft_widgets.dataset import OptimizationDataset
from rft_widgets.errors import InvalidArgument
from rft_widgets.llm.allowed import allowed_from_page
from rft_widgets.model.coverage import CoverageReport
from rft_widgets.model.dry_run import DryRun, DryRunEstimate
from rft_widgets.model.estimate import WorkEstimate
from rft_widgets.model.grader import grader_to_json
from rft_widgets.model.grader_version import GraderVersion, JudgedAt
from rft_widgets.server.rest.downloads import download
from rft_widgets.server.rest.jobs import JobView, underway
from rft_widgets.server.rest.routing import Attachment, Id, Routes, Underway
from rft_widgets.worker.grading import (
    CompareAnswers,
    DryRunParams,
    Evaluate,
    GraderParity,
    PlannedDryRun,
    TestGrader,
)
from rft_widgets.workspace import Workspace

coverage_routes = Routes("coverage")
grader_routes = Routes("grader")
dry_run_routes = Routes("dry run")


class CoverageQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to measure."""

    near_duplicates: Annotated[
        bool, Meta(description="Also how many prompts nearly repeat another, which takes seconds.")
    ] = False


class Targets(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Target percentages by leaf that sum to 100, or how to find them."""

    targets: dict[str, float] | Literal["uniform", "traffic"]


class TargetsView(Struct, frozen=True, kw_only=True):
    """Target percentage of each leaf."""

    targets: dict[str, float]


class GraderChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A grader in its public JSON form, or the number of a saved version.

    ``connection`` says where a judge's model is asked: the name of a connection of the workspace
    (several for a panel), or an address of those that the operator allows.
    """

    grader: dict[str, Any] | None = None
    saved_version: Annotated[int, Meta(ge=1)] | None = None
    connection: JudgedAt | None = None


class GraderView(Struct, frozen=True, kw_only=True):
    """A saved grader in its public JSON form; ``version`` counts from 1."""

    version: int
    hash: str
    grader: dict[str, Any]
    connection: JudgedAt | None
    created_at: datetime


class GraderExportQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the grader is for."""

    target: Annotated[
        str, Meta(description="openai, azure, bedrock, eval-protocol, trl, verl or openrlhf.")
    ]
    version: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="Of a saved grader; by default the one in use."),
    ] = None


def grader_view(version: GraderVersion) -> GraderView:
    """Put a saved grader as services take it."""
    return GraderView(
        version=version.version,
        hash=version.hash,
        grader=grader_to_json(version.grader),
        connection=version.connection,
        created_at=version.created_at,
    )


At = TypeVar("At", bound=JudgedAt)


def allowed(dataset: OptimizationDataset, connection: At | None) -> At | None:
    """Give back a connection that a client may name: a key goes where an operator allows it."""
    if connection is None:
        return None
    return allowed_from_page(connection, dataset.bound_connections)


@coverage_routes.add("GET", "/datasets/{dataset_id}/coverage")
def get_coverage(ws: Workspace, dataset_id: Id, query: CoverageQuery) -> CoverageReport:
    """How the valid records are spread over the topics, against how they should be."""
    return ws.dataset(dataset_id).coverage(near_duplicates=query.near_duplicates)


@coverage_routes.add("GET", "/datasets/{dataset_id}/targets")
def get_targets(ws: Workspace, dataset_id: Id) -> TargetsView:
    """What the shares of the topics should be."""
    return TargetsView(targets=ws.dataset(dataset_id).targets)


@coverage_routes.add("PUT", "/datasets/{dataset_id}/targets")
def update_targets(ws: Workspace, dataset_id: Id, body: Targets) -> TargetsView:
    """Say what the shares of the topics should be; leaves that are left out get 0."""
    return TargetsView(targets=ws.dataset(dataset_id).set_targets(body.targets))


@grader_routes.add("GET", "/datasets/{dataset_id}/grader")
def get_grader(ws: Workspace, dataset_id: Id) -> GraderView | None:
    """The grader in use; ``null`` where there is none."""
    version = ws.dataset(dataset_id).grader_version
    return None if version is None else grader_view(version)


@grader_routes.add("PUT", "/datasets/{dataset_id}/grader")
def update_grader(ws: Workspace, dataset_id: Id, body: GraderChoice) -> GraderView:
    """Check a grader, save it as a version, and use it from now on."""
    dataset = ws.dataset(dataset_id)
    if body.saved_version is not None:
        if body.grader is not None or body.connection is not None:
            raise InvalidArgument(
                "A saved version has its grader and its connection.",
                hint="Send saved_version alone, or a grader.",
            )
        return grader_view(dataset.set_grader(body.saved_version))
    if body.grader is None:
        raise InvalidArgument("There is no grader.", hint="Send one, or a saved_version.")
    connection = allowed(dataset, body.connection)
    return grader_view(dataset.set_grader(body.grader, connection=connection))


@grader_routes.add("POST", "/datasets/{dataset_id}/grader/test")
def test_grader(
    ws: Workspace,
    dataset_id: Id,
    body: TestGrader = TestGrader(),  # noqa: B008, PT028 - frozen, and no test
) -> Underway[JobView]:
    """Grade a few recorded answers, with the grader in use, another version, or one not saved."""
    dataset = ws.dataset(dataset_id)
    params = msgspec.structs.replace(body, connection=allowed(dataset, body.connection))
    return underway(dataset.submit("test_grader", params))


@grader_routes.add("POST", "/datasets/{dataset_id}/grader/test/plan")
def plan_grader_test(
    ws: Workspace,
    dataset_id: Id,
    body: TestGrader = TestGrader(),  # noqa: B008 - frozen
) -> WorkEstimate | None:
    """What a test of a grader would take; ``null`` where it asks no model. Nothing is asked."""
    dataset = ws.dataset(dataset_id)
    return dataset.estimate_test_grader(
        body.n,
        version=body.version,
        grader=body.grader,
        connection=allowed(dataset, body.connection),
        seed=body.seed,
    )


@grader_routes.add("GET", "/datasets/{dataset_id}/grader/export", media_types=("application/zip",))
def export_grader(ws: Workspace, dataset_id: Id, query: GraderExportQuery) -> Attachment:
    """The grader for a framework or service, as a ZIP archive with a README.md."""
    dataset = ws.dataset(dataset_id)
    with download(f"{dataset_id}-grader-{query.target}.zip", "application/zip") as made:
        dataset.export_grader_archive(query.target, made.path, version=query.version)
    return made


@grader_routes.add("POST", "/datasets/{dataset_id}/grader/parity")
def check_grader_parity(ws: Workspace, dataset_id: Id, body: GraderParity) -> Underway[JobView]:
    """Grade the same outputs here and with the compiled grader, and list where rewards differ."""
    dataset = ws.dataset(dataset_id)
    params = msgspec.structs.replace(body, connection=allowed(dataset, body.connection))
    return underway(dataset.submit("grader_parity", params))


@grader_routes.add("POST", "/datasets/{dataset_id}/evaluate")
def evaluate_records(ws: Workspace, dataset_id: Id, body: Evaluate) -> Underway[JobView]:
    """Grade the recorded answers of chosen records, and keep each reward as their score."""
    return underway(ws.dataset(dataset_id).submit("evaluate", body))


@grader_routes.add("POST", "/datasets/{dataset_id}/answers/compare")
def compare_answers(ws: Workspace, dataset_id: Id, body: CompareAnswers) -> Underway[JobView]:
    """Let a judge say, in both orders, which of two answers to each prompt is better."""
    return underway(ws.dataset(dataset_id).submit("compare_answers", body))


@dry_run_routes.add("POST", "/datasets/{dataset_id}/dry-run")
def run_dry_run(
    ws: Workspace,
    dataset_id: Id,
    body: DryRunParams = DryRunParams(),  # noqa: B008 - frozen
) -> Underway[JobView]:
    """Grade a sample of the answers and say whether training is worth it: GO, CAUTION or NO_GO."""
    return underway(ws.dataset(dataset_id).submit("dry_run", body))


@dry_run_routes.add("POST", "/datasets/{dataset_id}/dry-run/plan")
def plan_dry_run(
    ws: Workspace,
    dataset_id: Id,
    body: PlannedDryRun = PlannedDryRun(),  # noqa: B008 - frozen
) -> DryRunEstimate:
    """What a dry run would grade, and what models would take; nothing is asked."""
    return ws.dataset(dataset_id).plan_dry_run(
        body.n,
        body.k,
        seed=body.seed,
        probes=body.probes,
        model=body.model,
        temperature=body.temperature,
        max_tokens=body.max_tokens,
    )


@dry_run_routes.add("GET", "/datasets/{dataset_id}/dry-run")
def get_dry_run_results(ws: Workspace, dataset_id: Id) -> DryRun | None:
    """The last dry run that came to its end; ``null`` where there is none."""
    finished = [run for run in ws.dataset(dataset_id).dry_runs if run.report is not None]
    return finished[-1] if finished else None
