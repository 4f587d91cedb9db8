"""Records: pages, single ones, files in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from rft_widgets.dataset import OptimizationDataset
from rft_widgets.errors import InvalidArgument, StaleEdit
from rft_widgets.model.message import to_json
from rft_widgets.model.record import (
    Deletion,
    Record,
    RecordFilter,
    RecordSource,
    Selection,
    SortKey,
    TopicMethod,
    ValidationCode,
    ValidationIssue,
)
from rft_widgets.server.rest.downloads import download
from rft_widgets.server.rest.jobs import JobView, underway
from rft_widgets.server.rest.routing import (
    Attachment,
    FileBody,
    Id,
    Routes,
    Underway,
)
from rft_widgets.steps.export import ExportFormat
from rft_widgets.workspace import Workspace

routes = Routes("records")

JsonObject = dict[str, Any]

MEDIA_TYPES = {
    "jsonl": "application/x-ndjson",
    "chat": "application/x-ndjson",
    "training": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
ENDINGS = {"chat": "chat.jsonl", "training": "training.jsonl"}
MAX_RECORD_BYTES = 10_000_000


class RecordView(Struct, frozen=True, kw_only=True):
    """A record; messages and tools stand in it as files and services have them.

    ``messages`` are the prompt, ``output`` is the recorded answer. ``version`` counts edits, from
    1. Confidence and score lie in 0..1.
    """

    id: str
    dataset_id: str
    messages: list[JsonObject]
    tools: list[JsonObject]
    tool_choice: str | JsonObject | None
    output: list[JsonObject]
    finish_reason: str | None
    item: JsonObject
    metadata: JsonObject
    span_id: str | None
    thread_id: str | None
    topic: str | None
    topic_confidence: float | None
    topic_method: TopicMethod | None
    topic_runner_up: str | None
    previous_topic: str | None
    is_generated: bool
    source_record_id: str | None
    is_valid: bool
    validation_errors: tuple[ValidationIssue, ...]
    dry_run_score: float | None
    tokens: int
    version: int
    created_at: datetime
    updated_at: datetime


class RecordsView(Struct, frozen=True, kw_only=True):
    """A page of records.

    ``next`` is what to send as ``after`` for the following page, ``null`` on the last one.
    ``total`` counts all matches; when ``total_is_exact`` is false there are more than that.
    """

    records: tuple[RecordView, ...]
    total: int
    total_is_exact: bool
    next: str | None


Share = Annotated[float, Meta(ge=0, le=1)]


class FilterQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which records; every argument narrows it further."""

    search: Annotated[
        str,
        Meta(description="Words that the message text holds; in quotes, an exact phrase."),
    ] = ""
    topic: Annotated[str | None, Meta(description="Path of a topic, with all topics below it.")] = (
        None
    )
    uncategorized: bool | None = None
    valid: bool | None = None
    source: RecordSource = "all"
    min_score: Share | None = None
    max_score: Share | None = None
    dry_run: Annotated[
        str | None, Meta(description="Id of a dry run: records that have a score in it.")
    ] = None
    low_confidence: bool = False
    code: ValidationCode | None = None

    @property
    def where(self) -> RecordFilter:
        """The filter."""
        return RecordFilter(**{name: getattr(self, name) for name in FilterQuery.__struct_fields__})


class PageQuery(FilterQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which records, in which order, and which page of them."""

    sort: SortKey = "position"
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 100
    after: Annotated[str | None, Meta(description="`next` of the page before.")] = None


class ExportQuery(FilterQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which records, and as what."""

    format: ExportFormat = "jsonl"


class RecordChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """New parts of a record; what is left out stays."""

    messages: list[JsonObject] | None = None
    tools: list[JsonObject] | None = None
    output: list[JsonObject] | None = None
    finish_reason: str | None = None
    item: JsonObject | None = None
    metadata: JsonObject | None = None
    version: (
        Annotated[int, Meta(ge=1, description="As it was read: another one by now is refused.")]
        | None
    ) = None


class RecordChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Records by id, or all that match a filter less some."""

    record_ids: Annotated[tuple[str, ...], Meta(max_length=100_000)] = ()
    where: RecordFilter | None = None
    except_ids: Annotated[tuple[str, ...], Meta(max_length=100_000)] = ()


class ImportBody(FileBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of records or traces, and what becomes of the records that are there."""

    mode: Literal["append", "replace"] = "append"


class Restored(Struct, frozen=True, kw_only=True):
    """How many records came back."""

    restored: int


def view(record: Record) -> RecordView:
    """Put a record as files and services have it."""
    return RecordView(
        id=record.id,
        dataset_id=record.dataset_id,
        messages=to_json(record.input.messages),
        tools=to_json(record.input.tools),
        tool_choice=record.input.tool_choice,
        output=to_json(record.output.messages),
        finish_reason=record.output.finish_reason,
        item=record.item,
        metadata=record.metadata,
        span_id=record.span_id,
        thread_id=record.thread_id,
        topic=record.topic,
        topic_confidence=record.topic_confidence,
        topic_method=record.topic_method,
        topic_runner_up=record.topic_runner_up,
        previous_topic=record.previous_topic,
        is_generated=record.is_generated,
        source_record_id=record.source_record_id,
        is_valid=record.is_valid,
        validation_errors=record.validation_errors,
        dry_run_score=record.dry_run_score,
        tokens=record.tokens,
        version=record.version,
        created_at=record.created_at,
        updated_at=record.updated_at,
    )


@routes.add("GET", "/datasets/{dataset_id}/records")
def get_records(ws: Workspace, dataset_id: Id, query: PageQuery) -> RecordsView:
    """A page of the records that match."""
    page = ws.dataset(dataset_id).records(
        query.where, sort=query.sort, limit=query.limit, after=query.after
    )
    return RecordsView(
        records=tuple(view(record) for record in page.records),
        total=page.total,
        total_is_exact=page.total_is_exact,
        next=page.next,
    )


@routes.add("GET", "/datasets/{dataset_id}/record/{record_id}")
def get_record(ws: Workspace, dataset_id: Id, record_id: Id) -> RecordView:
    """One record."""
    return view(ws.dataset(dataset_id).record(record_id))


@routes.add("PATCH", "/datasets/{dataset_id}/record/{record_id}", max_bytes=MAX_RECORD_BYTES)
def update_record(ws: Workspace, dataset_id: Id, record_id: Id, body: RecordChange) -> RecordView:
    """Change parts of a record; it is validated again, and what it held before is kept.

    With the ``version`` that was read, in the body or as ``If-Match``, the change is refused when
    somebody else changed the record since.
    """
    dataset = ws.dataset(dataset_id)
    record = dataset.record(record_id)
    if body.version is not None and record.version != body.version:
        raise StaleEdit(
            f"Somebody else changed record {record_id} meanwhile: it is version {record.version} "
            f"by now, and since version {body.version} there changed "
            f"{_changed(dataset, record, body.version)}.",
            hint="Nothing was saved. Read it again, and send its version if yours should stand.",
        )
    return view(
        dataset.edit_record(
            record_id if body.version is None else record,
            messages=body.messages,
            tools=body.tools,
            output=body.output,
            finish_reason=body.finish_reason,
            item=body.item,
            metadata=body.metadata,
        )
    )


@routes.add("POST", "/datasets/{dataset_id}/records/import")
def import_records(ws: Workspace, dataset_id: Id, body: ImportBody) -> Underway[JobView]:
    """Read a file of records or traces into a dataset.

    The body is the file itself (JSON lines), a form with the file in ``file``, or JSON that names
    an upload. Lines that hold no record are refused, with their reasons in the job's result.
    """
    params = {"upload": body.upload, "mode": body.mode}
    return underway(ws.dataset(dataset_id).submit("import_records", params))


@routes.add("POST", "/datasets/{dataset_id}/records/delete", max_bytes=MAX_RECORD_BYTES)
def delete_records(ws: Workspace, dataset_id: Id, body: RecordChoice) -> Deletion:
    """Delete records; `undo_deletion` brings them back."""
    if body.where is None and not body.record_ids:
        raise InvalidArgument(
            "No records are named.", hint="Send record_ids, or where: {} for all of them."
        )
    chosen = Selection(
        where=body.where,
        ids=body.record_ids if body.where is None else (),
        also_ids=() if body.where is None else body.record_ids,
        except_ids=body.except_ids,
    )
    return ws.dataset(dataset_id).delete_records(chosen)


@routes.add("POST", "/datasets/{dataset_id}/deletions/{deletion_id}/undo")
def undo_deletion(ws: Workspace, dataset_id: Id, deletion_id: Id) -> Restored:
    """Bring deleted records back to their places."""
    return Restored(restored=ws.dataset(dataset_id).undo_delete(deletion_id))


@routes.add(
    "GET",
    "/datasets/{dataset_id}/records/export",
    media_types=tuple(dict.fromkeys(MEDIA_TYPES.values())),
)
def export_records(ws: Workspace, dataset_id: Id, query: ExportQuery) -> Attachment:
    """Records that match as a file.

    ``jsonl`` imports to equal records, ``chat`` is plain chat JSON lines, ``training`` what
    training services take; ``csv`` and ``parquet`` have a row a record.
    """
    dataset = ws.dataset(dataset_id)
    ending = ENDINGS.get(query.format, query.format)
    with download(f"{dataset_id}-records.{ending}", MEDIA_TYPES[query.format]) as made:
        selection = dataset.select(query.where)
        dataset.export_records(made.path, format=query.format, selection=selection)
    return made


def _changed(dataset: OptimizationDataset, record: Record, version: int) -> str:
    before = next((one for one in dataset.history(record.id) if one.version == version), None)
    if before is None:
        return "what is not known"
    parts = ("input", "output", "item", "metadata")
    names = [name for name in parts if getattr(before, name) != getattr(record, name)]
    return ", ".join(names) or "nothing in the end"
