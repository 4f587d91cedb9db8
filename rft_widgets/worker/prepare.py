"""The job that fills a new dataset: records, then topics, then records under the topics.

It may be killed at any moment and begun again: what an attempt has done is in the dataset's log and
is not done twice, and an import that was cut off goes on where it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta, Struct

from rft_widgets.errors import ImportRejected, InvalidArgument
from rft_widgets.model.creation import (
    CreationSource,
    FromTraces,
    FromUpload,
    TraceFilter,
    upload_of,
)
from rft_widgets.model.record import ImportProgress, ImportResult
from rft_widgets.steps.progress import Progress
from rft_widgets.traces.places import open_place
from rft_widgets.traces.source import TraceSource
from rft_widgets.worker.definition import Attempt, Definition
from rft_widgets.worker.records import LANE, doing, share

_EXTRACTED, _FOUND = 0.5, 0.8
"""Shares of the whole when the records are there, and when the topics are."""


class Prepare(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to fill the dataset with."""

    source: CreationSource
    expected: Annotated[int, Meta(ge=0)] | None = None
    """How many records that is, where somebody counted: progress is told by them."""


def _prepare(at: Attempt[Prepare]) -> tuple[str, ImportResult]:
    done = at.done("import_records")
    result = _extract(at) if done is None else at.dataset.import_result(str(done["import"]))
    source = at.params.source
    if not result.imported:
        raise ImportRejected(_nothing(source, result), hint="Choose another source.")
    note = _topics(at)
    upload = upload_of(source)
    if upload is not None:
        at.dataset.uploads.drop(upload)
    return _words(at, result, note), result


def _extract(at: Attempt[Prepare]) -> ImportResult:
    source, uploads = at.params.source, at.dataset.uploads

    def told(now: ImportProgress) -> None:
        done = share(now, at.params.expected)
        at.progress(None if done is None else done * _EXTRACTED, doing(now, "Extracting"))

    given: Mapping[str, Any] = {
        "progress": told, "cancelled": at.cancelled, "import_id": at.id_for("imp"),
    }  # fmt: skip
    if isinstance(source, FromUpload):
        with uploads.reading(source.upload) as path:
            name = uploads.state(source.upload).name
            return at.dataset.import_records(path, name=name, **given)
    traces, name_of_file = open_place(source.source, uploads)
    return at.dataset.add_traces(
        chosen(traces, source),
        mode=source.mode,
        collapse_prefixes=source.collapse_prefixes,
        name=name_of_file,
        **given,
    )


def chosen(traces: TraceSource, source: FromTraces) -> TraceSource:
    """Those traces that a dataset is made of."""
    where = source.where
    if where != TraceFilter():
        traces = traces.filter(
            since=where.since,
            until=where.until,
            model=where.model,
            min_turns=where.min_turns,
            has_response=where.has_response,
            search=where.search or None,
        )
    return traces if source.trace_ids is None else traces.select(source.trace_ids)


def _topics(at: Attempt[Prepare]) -> str:
    """Find topics and put the records under them; returns why there are none, if so."""
    dataset = at.dataset
    if not dataset.stats.valid_records:
        return "none of them valid"
    # Topics that the data brought, or that somebody made meanwhile, stay.
    if at.done("generate_topics") is None and not dataset.topics.paths:
        try:
            dataset.generate_topics(progress=_part(at, _EXTRACTED, _FOUND), cancelled=at.cancelled)
        except InvalidArgument as error:  # the records say too little
            return f"no topics: {error.message.rstrip('.')}"
    if at.done("categorize") is None:
        dataset.categorize(progress=_part(at, _FOUND, 1.0), cancelled=at.cancelled)
    return ""


def _part(at: Attempt[Prepare], start: float, stop: float) -> Progress:
    def told(part: float, words: str) -> None:
        at.progress(start + (stop - start) * part, words)

    return told


def _nothing(source: CreationSource, result: ImportResult) -> str:
    if isinstance(source, FromTraces):
        return "No trace of the source matches any more."
    if not result.refused:
        return "The file holds no records."
    refused = "1 line" if result.refused == 1 else f"{result.refused:,} lines"
    return f"The file holds no records: {refused} refused. {result.errors[0].message}"


def _words(at: Attempt[Prepare], result: ImportResult, note: str) -> str:
    parts = ["1 record" if result.imported == 1 else f"{result.imported:,} records"]
    if result.invalid and not note.startswith("none"):
        parts[0] += f" ({result.invalid:,} invalid)"
    if note:
        return f"{parts[0]}, {note}."
    stats = at.dataset.stats
    parts.append("1 topic" if stats.topics_count == 1 else f"{stats.topics_count:,} topics")
    if stats.balance_score is not None:
        parts.append(f"balance {stats.balance_score:.2f}")
    return ", ".join(parts) + "."


DEFINITIONS: tuple[Definition[Any], ...] = (
    Definition(
        kind="prepare",
        title="Prepare the dataset",
        params=Prepare,
        result=ImportResult,
        work=_prepare,
        lane=LANE,
    ),
)
