"""The records of a dataset as a table that is read page by page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, ClassVar, Literal

import msgspec
import traitlets
from msgspec import Struct

from rft_widgets.dataset import OptimizationDataset
from rft_widgets.model.estimate import WorkEstimate
from rft_widgets.model.imports import CodeCount, code_counts
from rft_widgets.model.job import JobState
from rft_widgets.model.record import Deletion, RecordFilter, Selection, SortKey
from rft_widgets.model.record_rows import RecordRows, SelectionSize
from rft_widgets.widgets import rpc
from rft_widgets.widgets.base import DatasetWidget
from rft_widgets.widgets.canvas import checked_height
from rft_widgets.widgets.downloads import Download, Offers, file_name
from rft_widgets.widgets.records.detail import RecordDetail, read_detail
from rft_widgets.widgets.records.editing import (
    MAX_BYTES,
    EditedRecord,
    RecordTexts,
    TextCheck,
    check_texts,
    save_texts,
    texts_of,
)
from rft_widgets.worker.definition import MaxCost
from rft_widgets.worker.grading import Evaluate

MAX_SELECTION_BYTES = 1024**2
"""Largest selection that a page may name: some ten thousand ids."""
_ENDINGS = {"jsonl": "jsonl", "training": "jsonl", "csv": "csv"}

RecordId = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]
Place = Annotated[int, msgspec.Meta(ge=0)]
Count = Annotated[int, msgspec.Meta(ge=1, le=1_000)]


class GridContext(Struct, frozen=True, kw_only=True):
    """What the table needs beside its rows."""

    topics: tuple[str, ...]
    """That records can be put under."""
    faults: tuple[CodeCount, ...]
    """What invalid records break."""
    grader: str | None
    """What the grader in use is called."""


class RecordsGrid(Offers, DatasetWidget):
    """The records of a dataset; made by `records_grid`."""

    component: ClassVar[str] = "records_grid"

    height = traitlets.Int(520).tag(sync=True)
    """In pixels, in a cell of its own."""

    @rpc.method(background=True, packed=True)
    def rows(
        self,
        where: RecordFilter,
        sort: SortKey,
        start: Place,
        count: Count,
        cancelled: Callable[[], bool],
        revision: int | None = None,
        known: int | None = None,
        find: RecordId | None = None,
        chosen: RecordFilter | None = None,
    ) -> RecordRows | None:
        """A piece of the table; nothing when the dataset still is at the ``known`` revision."""
        if known is not None and self._dataset.info.revision == known:
            return None
        return self._dataset.record_rows(
            where,
            sort=sort,
            start=start,
            count=count,
            revision=revision,
            find=find,
            chosen=chosen,
            cancelled=cancelled,
        )

    @rpc.method(background=True)
    def context(self) -> GridContext:
        """What the table needs beside its rows."""
        version = self._dataset.grader_version
        return GridContext(
            topics=self._dataset.topics.paths,
            faults=code_counts(self._dataset.health.errors_by_code),
            grader=None if version is None else version.grader.name,
        )

    @rpc.method(background=True, packed=True)
    def record(self, record: RecordId) -> RecordDetail:
        """One record with everything that is known of it."""
        return read_detail(self._dataset, record)

    @rpc.method(background=True, packed=True)
    def begin_edit(self, record: RecordId) -> EditedRecord:
        """The parts of a record as texts."""
        return texts_of(self._dataset.record(record))

    @rpc.method(background=True, max_bytes=MAX_BYTES)
    def check_edit(self, record: RecordId, texts: RecordTexts) -> TextCheck:
        """What stands against an edit, or what validation would say of it."""
        return check_texts(self._dataset, record, texts)

    @rpc.method(background=True, max_bytes=MAX_BYTES)
    def save_edit(self, record: RecordId, version: int, texts: RecordTexts) -> None:
        """Change a record, unless somebody else has."""
        save_texts(self._dataset, record, version, texts)

    @rpc.method(background=True)
    def confirm_topic(self, record: RecordId) -> str:
        """Accept the topic that a record was put under."""
        return self._dataset.confirm_topic(record)

    @rpc.method(background=True, max_bytes=MAX_SELECTION_BYTES)
    def selection_size(self, selection: Selection) -> SelectionSize:
        """How much a selection has now."""
        return self._dataset.selection_size(selection)

    @rpc.method(background=True, max_bytes=MAX_SELECTION_BYTES)
    def assign_topic(self, selection: Selection, topic: str | None) -> int:
        """Put records under a topic, or under none."""
        return self._dataset.assign_topic(selection, topic)

    @rpc.method(background=True, max_bytes=MAX_SELECTION_BYTES)
    def delete(self, selection: Selection) -> Deletion:
        """Delete records."""
        return self._dataset.delete_records(selection)

    @rpc.method(background=True)
    def undo_delete(self, deletion: RecordId) -> int:
        """Bring deleted records back."""
        return self._dataset.undo_delete(deletion)

    @rpc.method(background=True, max_bytes=MAX_SELECTION_BYTES)
    def estimate_evaluate(self, selection: Selection) -> WorkEstimate | None:
        """What grading records would take of models; nothing where the grader asks none."""
        return self._dataset.estimate_evaluate(selection)

    @rpc.method(max_bytes=MAX_SELECTION_BYTES)
    def evaluate(self, selection: Selection, max_cost_usd: MaxCost | None = None) -> JobState:
        """Begin to grade the recorded answers of records."""
        asked = Evaluate(selection=selection, max_cost_usd=max_cost_usd)
        return self._dataset.submit("evaluate", asked).state

    @rpc.method(background=True, max_bytes=MAX_SELECTION_BYTES)
    def export(
        self,
        selection: Selection,
        file_format: Literal["jsonl", "training", "csv"],
        cancelled: Callable[[], bool],
    ) -> Download:
        """Records as a file; training files hold the valid ones."""
        what = "training" if file_format == "training" else "records"
        name = file_name(self._dataset.name, what, _ENDINGS[file_format])
        return self.offer(
            name,
            lambda path, room: self._dataset.export_records(
                path,
                format=file_format,
                selection=selection,
                progress=lambda _: room.check(),
            ),
            call=f"ds.export_records({name!r}, format={file_format!r}, selection=ds.select(...))",
            cancelled=cancelled,
        )


def records_grid(dataset: OptimizationDataset, *, height: int = 520) -> RecordsGrid:
    """Show the records of a dataset; the table follows the dataset.

    Parameters
    ----------
    dataset
        Whose records.
    height
        Of the table on the page in pixels.
    """
    return RecordsGrid(dataset, height=checked_height(height))
