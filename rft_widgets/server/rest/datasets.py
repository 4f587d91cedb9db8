"""Datasets: the list, making them of traces and files, and what they are called."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from rft_widgets.dataset import OptimizationDataset
from rft_widgets.errors import InvalidArgument, StaleEdit
from rft_widgets.model.card import DatasetCard
from rft_widgets.model.dataset import DatasetInfo, DatasetSource, DatasetStats
from rft_widgets.model.pipeline import ListStatus, PipelineState
from rft_widgets.model.record import HealthReport
from rft_widgets.server.rest.routing import Id, Routes
from rft_widgets.workspace import DatasetOrder, Workspace

routes = Routes("datasets")

Name = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"\S")]
Objective = Annotated[str, Meta(max_length=20_000)]


class DatasetView(Struct, frozen=True, kw_only=True):
    """A dataset as it stands.

    Attributes
    ----------
    version
        Of name and objective: what `update_dataset` takes, to refuse a stale edit.
    revision
        Counts every change of the dataset; equal revisions mean equal content.
    reset_at
        When the pipeline was last reset; runs from before are history.
    """

    id: str
    name: str
    objective: str
    source: DatasetSource
    version: str
    revision: int
    created_at: datetime
    updated_at: datetime
    reset_at: datetime | None
    status: ListStatus
    stats: DatasetStats
    pipeline: PipelineState


class DatasetsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which datasets, in which order."""

    search: Annotated[str, Meta(description="Part of the name, without regard to case.")] = ""
    status: ListStatus | None = None
    sort: DatasetOrder = "updated"


class DatasetChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """New name, new objective, or both; what is left out stays."""

    name: Name | None = None
    objective: Objective | None = None
    version: Annotated[
        str | None, Meta(description="As it was read: another one by now is refused.")
    ] = None


class CopyName(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a copy is called."""

    name: Name | None = None


def view(dataset: OptimizationDataset) -> DatasetView:
    """Read how a dataset stands."""
    info, pipeline = dataset.info, dataset.pipeline
    return DatasetView(
        id=info.id,
        name=info.name,
        objective=info.objective,
        source=info.source,
        version=version(info),
        revision=info.revision,
        created_at=info.created_at,
        updated_at=info.updated_at,
        reset_at=info.reset_at,
        status=pipeline.list_status,
        stats=dataset.stats,
        pipeline=pipeline,
    )


def version(info: DatasetInfo) -> str:
    """Name what can be edited of a description: records that come in meanwhile do not change it."""
    words = msgspec.json.encode([info.name, info.objective])
    return hashlib.sha256(words).hexdigest()[:16]


@routes.add("GET", "/datasets")
def list_datasets(ws: Workspace, query: DatasetsQuery) -> tuple[DatasetCard, ...]:
    """Datasets, as the list page shows them."""
    return ws.cards(search=query.search, status=query.status, sort=query.sort)


@routes.add("GET", "/datasets/{dataset_id}")
def get_dataset(ws: Workspace, dataset_id: Id) -> DatasetView:
    """A dataset: its description, its counts, and the seven steps of its pipeline."""
    return view(ws.dataset(dataset_id))


@routes.add("PATCH", "/datasets/{dataset_id}")
def update_dataset(ws: Workspace, dataset_id: Id, body: DatasetChange) -> DatasetView:
    """Change name, objective or both.

    With the ``version`` that was read, in the body or as ``If-Match``, the change is refused when
    somebody else changed either of them since.
    """
    dataset = ws.dataset(dataset_id)
    if body.name is None and body.objective is None:
        raise InvalidArgument("There is nothing to change.", hint="Send a name or an objective.")
    seen = None
    if body.version is not None:
        seen = dataset.info
        if version(seen) != body.version:
            raise StaleEdit(
                f"Somebody else changed this meanwhile: the name is {seen.name!r} and the "
                f"objective {seen.objective!r} by now.",
                hint=f"Nothing was saved. If yours should stand, send version {version(seen)}.",
            )
    dataset.update(name=body.name, objective=body.objective, seen=seen)
    return view(dataset)


@routes.add("DELETE", "/datasets/{dataset_id}")
def delete_dataset(ws: Workspace, dataset_id: Id) -> None:
    """Delete a dataset and everything in it. There is no undo."""
    ws.delete(dataset_id)


@routes.add("POST", "/datasets/{dataset_id}/duplicate", status=201)
def duplicate_dataset(
    ws: Workspace,
    dataset_id: Id,
    body: CopyName = CopyName(),  # noqa: B008 - frozen
) -> DatasetView:
    """Copy a dataset with its records, topics, targets and grader, without its history."""
    return view(ws.duplicate(dataset_id, name=body.name))


@routes.add("POST", "/datasets/{dataset_id}/reset")
def reset_pipeline(ws: Workspace, dataset_id: Id) -> DatasetView:
    """Begin again with the records as they are: clear topics, targets, grader and dry runs."""
    dataset = ws.dataset(dataset_id)
    dataset.reset_pipeline()
    return view(dataset)


@routes.add("GET", "/datasets/{dataset_id}/pipeline")
def get_pipeline(ws: Workspace, dataset_id: Id) -> PipelineState:
    """The seven steps of the pipeline as they stand."""
    return ws.dataset(dataset_id).pipeline


@routes.add("GET", "/datasets/{dataset_id}/health")
def get_health(ws: Workspace, dataset_id: Id) -> HealthReport:
    """How many records are valid, what breaks the others, and what to do."""
    return ws.dataset(dataset_id).health
