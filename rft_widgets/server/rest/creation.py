"""Making datasets of traces and of files."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from rft_widgets.dataset import OptimizationDataset
from rft_widgets.model.creation import MAX_CHOSEN, FromTraces, FromUpload, TraceFilter
from rft_widgets.server.rest.datasets import Name, Objective
from rft_widgets.server.rest.jobs import JobView, underway
from rft_widgets.server.rest.routing import FileBody, Id, Routes, Underway
from rft_widgets.traces.places import check_place
from rft_widgets.workspace import Workspace

routes = Routes("datasets")

MAX_TRACES_BYTES = 32 * 1024 * 1024


class TracesBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Recorded model calls to make a dataset of.

    Attributes
    ----------
    source
        ``upload:<id>`` for a file of traces that was uploaded, or a file, a vLLora store or the
        address of a gateway: of these, what the operator allows.
    where
        Which of its traces.
    trace_ids
        Which single ones, of those that `where` leaves; ``null`` for all of them.
    mode, collapse_prefixes
        Which calls of a thread become records.
    """

    name: Name
    objective: Objective = ""
    source: Annotated[str, Meta(min_length=1, max_length=4_096)]
    where: TraceFilter = TraceFilter()
    trace_ids: Annotated[tuple[Id, ...], Meta(max_length=MAX_CHOSEN)] | None = None
    mode: Literal["every_turn", "last_turn_per_thread"] = "every_turn"
    collapse_prefixes: bool = False


class UploadBody(FileBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of records or traces to make a dataset of."""

    name: Name
    objective: Objective = ""


@routes.add("POST", "/datasets/from-traces", max_bytes=MAX_TRACES_BYTES)
def create_from_traces(ws: Workspace, body: TracesBody) -> Underway[JobView]:
    """Make a dataset of recorded model calls.

    The job fills it, makes topics and puts the records under them; ``dataset_id`` in the answer is
    the dataset.
    """
    check_place(body.source, by_strangers=True, saved=ws.connections)
    source = FromTraces(
        source=body.source,
        where=body.where,
        trace_ids=body.trace_ids,
        mode=body.mode,
        collapse_prefixes=body.collapse_prefixes,
    )
    return _filling(ws.create_and_start(source, name=body.name, objective=body.objective))


@routes.add("POST", "/datasets/from-upload")
def create_from_upload(ws: Workspace, body: UploadBody) -> Underway[JobView]:
    """Make a dataset of a file of records or traces.

    The body is the file itself (JSON lines), a form with the file in ``file``, or JSON that names
    an upload. The job fills the dataset, makes topics and puts the records under them;
    ``dataset_id`` in the answer is the dataset.
    """
    source = FromUpload(upload=body.upload)
    return _filling(ws.create_and_start(source, name=body.name, objective=body.objective))


def _filling(dataset: OptimizationDataset) -> Underway[JobView]:
    return underway(dataset.jobs[0])
