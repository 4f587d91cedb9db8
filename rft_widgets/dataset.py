"""A dataset: the object that notebooks, pages and scripts work with."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rft_widgets import pipeline
from rft_widgets.errors import InvalidArgument, StaleEdit
from rft_widgets.model.dataset import DatasetInfo, DatasetSource, DatasetStats, Event
from rft_widgets.model.message import (
    Message,
    MessageShapeError,
    Tool,
    message_from_json,
    tool_from_json,
)
from rft_widgets.model.pipeline import PipelineState
from rft_widgets.model.record import (
    Deletion,
    HealthReport,
    ImportResult,
    LineError,
    Record,
    RecordDraft,
    RecordFilter,
    RecordInput,
    RecordOutput,
    RecordPage,
    RecordSource,
    RecordVersion,
    Selection,
    SortKey,
    ValidationCode,
)
from rft_widgets.model.settings import LIMITS
from rft_widgets.steps import export as exporting
from rft_widgets.steps.export import ExportFormat
from rft_widgets.steps.extract import Progress, draft_at, import_drafts, import_file
from rft_widgets.steps.parse import chat_json, draft_from_json
from rft_widgets.steps.refusals import LineRefused
from rft_widgets.steps.validate import health_report, validate
from rft_widgets.store import datasets, edits, history, imports, pages, records, trash
from rft_widgets.store.connection import Store
from rft_widgets.store.imports import ImportMode, ImportState
from rft_widgets.store.texts import can_hold
from rft_widgets.traces.source import Mode as TraceMode
from rft_widgets.traces.source import TraceSource

if TYPE_CHECKING:
    import pandas as pd

MessageLike = Message | Mapping[str, Any]
ToolLike = Tool | Mapping[str, Any]


class OptimizationDataset:
    """A set of records on their way to a better model.

    Every property reads the store when it is asked, so two objects of one dataset, in one process
    or in several, never disagree. Made by `Workspace`, not by hand.
    """

    def __init__(self, store: Store, dataset_id: str) -> None:
        self._store = store
        self.id = dataset_id

    # -- description -----------------------------------------------------------------------------

    @property
    def info(self) -> DatasetInfo:
        """Name, objective, source and times, as one value."""
        with self._store.read() as connection:
            return datasets.read(connection, self.id)

    @property
    def name(self) -> str:
        """Its name."""
        return self.info.name

    @property
    def objective(self) -> str:
        """What the model should become better at."""
        return self.info.objective

    @property
    def source(self) -> DatasetSource:
        """Where the first records came from."""
        return self.info.source

    @property
    def created_at(self) -> datetime:
        """When it was made, UTC."""
        return self.info.created_at

    @property
    def updated_at(self) -> datetime:
        """When anything in it changed last, UTC."""
        return self.info.updated_at

    def rename(self, name: str) -> None:
        """Give the dataset another name."""
        self.update(name=name)

    def update(self, *, name: str | None = None, objective: str | None = None) -> None:
        """Change name, objective or both."""
        given = {"name": name, "objective": objective}
        values = {key: value.strip() for key, value in given.items() if value is not None}
        if not values.get("name", "unchanged"):
            raise InvalidArgument("A dataset needs a name.", hint="Pass a text that is not empty.")
        if not values:
            return
        with self._store.write() as connection:
            datasets.describe(connection, self.id, **values)
            history.log(connection, self.id, "update", values)

    # -- state -----------------------------------------------------------------------------------

    @property
    def stats(self) -> DatasetStats:
        """Counts of records and topics."""
        with self._store.read() as connection:
            facets = records.facets(connection, datasets.live_set(connection, self.id))
        total = sum(n for *_, n in facets)
        valid = sum(n for _, is_valid, _, n in facets if is_valid)
        return DatasetStats(
            total_records=total,
            valid_records=valid,
            invalid_records=total - valid,
            generated_records=sum(n for _, _, generated, n in facets if generated),
            topics_count=len({topic for topic, *_ in facets if topic is not None}),
        )

    @property
    def health(self) -> HealthReport:
        """How many records are valid, what breaks the others, and what to do."""
        with self._store.read() as connection:
            set_id = datasets.live_set(connection, self.id)
            facets = records.facets(connection, set_id)
            codes = records.codes(connection, set_id)
            refused = imports.refused_lines(connection, self.id, set_id)
        return health_report(
            total=sum(n for *_, n in facets),
            invalid=sum(n for _, is_valid, _, n in facets if not is_valid),
            errors_by_code=codes,
            refused_lines=refused,
        )

    @property
    def pipeline(self) -> PipelineState:
        """The seven steps as they stand."""
        return pipeline.pipeline_state(self.info, self.stats)

    @property
    def events(self) -> tuple[Event, ...]:
        """Every operation on the dataset, oldest first."""
        with self._store.read() as connection:
            datasets.read(connection, self.id)
            return history.read_log(connection, self.id)

    # -- reading records -------------------------------------------------------------------------

    def records(
        self,
        where: RecordFilter | None = None,
        *,
        search: str = "",
        topic: str | None = None,
        uncategorized: bool | None = None,
        valid: bool | None = None,
        source: RecordSource = "all",
        min_score: float | None = None,
        max_score: float | None = None,
        low_confidence: bool = False,
        code: ValidationCode | None = None,
        sort: SortKey = "position",
        limit: int = 100,
        after: str | None = None,
    ) -> RecordPage:
        """Read one page of records.

        Parameters
        ----------
        where
            A filter as a value; or give its fields by keyword, see `RecordFilter`.
        sort
            Order of the page; a minus reverses it.
        limit
            Most records on the page.
        after
            ``next`` of the page before.

        Examples
        --------
        >>> page = ds.records(search="refund", limit=20)  # doctest: +SKIP
        >>> more = ds.records(search="refund", limit=20, after=page.next)  # doctest: +SKIP
        """
        given = RecordFilter(
            search=search,
            topic=topic,
            uncategorized=uncategorized,
            valid=valid,
            source=source,
            min_score=min_score,
            max_score=max_score,
            low_confidence=low_confidence,
            code=code,
        )
        if where is not None and given != RecordFilter():
            raise InvalidArgument("Give a filter or its fields by keyword, not both.")
        return pages.page(self._store, self.id, where or given, sort=sort, limit=limit, after=after)

    def record(self, record_id: str) -> Record:
        """Read one record; `NotFound` if there is none of that id."""
        return records.get(self._store, self.id, record_id)

    def count(self, where: RecordFilter | None = None) -> int:
        """Count records; a search that matches very many is counted up to its limit."""
        return pages.count(self._store, self.id, where or RecordFilter())[0]

    def select(
        self,
        where: RecordFilter | None = None,
        *,
        ids: Sequence[str] | None = None,
        except_ids: Sequence[str] = (),
    ) -> Selection:
        """Name a set of records: all that match a filter (or all there are), or some by id.

        An empty list of ids selects nothing.
        """
        if ids is not None and not ids:
            return Selection()
        if where is None and ids is None:
            where = RecordFilter()
        return Selection(where=where, ids=tuple(ids or ()), except_ids=tuple(except_ids))

    def iterate(self, selection: Selection | None = None) -> Iterator[Record]:
        """Read all records of a selection, one after the other, with bounded memory."""
        return records.stream(self._store, self.id, selection or self.select())

    def history(self, record_id: str) -> tuple[RecordVersion, ...]:
        """What a record held before each of its edits, oldest first."""
        with self._store.read() as connection:
            seq = records.seq_of(connection, self.id, record_id)
            return history.read_versions(connection, self._store.codec, seq)

    def to_pandas(self, selection: Selection | None = None) -> pd.DataFrame:
        """Table of the records, one row each; messages and items as JSON text."""
        return exporting.to_pandas(self.iterate(selection))

    # -- changing records ------------------------------------------------------------------------

    def import_records(
        self,
        path: str | Path,
        *,
        mode: ImportMode = "append",
        progress: Progress | None = None,
        cancelled: Callable[[], bool] = bool,
        resume: bool = False,
    ) -> ImportResult:
        """Read a JSONL or JSON file, compressed or not, into the dataset.

        Parameters
        ----------
        path
            The file.
        mode
            ``append``, or ``replace`` for all new records or all old ones and nothing between.
        progress
            Called with an `ImportProgress` after every batch.
        cancelled
            Asked after every batch; when it returns true, the import stops and can be resumed.
        resume
            Go on with an import of this file that was cancelled or killed.

        Returns
        -------
        ImportResult
            Counts, and the refused lines with their reasons.
        """
        return import_file(
            self._store,
            self.id,
            path,
            mode=mode,
            progress=progress,
            cancelled=cancelled,
            resume=resume,
        )

    def add_records(
        self,
        values: Iterable[RecordDraft | Mapping[str, Any]],
        *,
        mode: ImportMode = "append",
        source: str = "python",
        progress: Progress | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> ImportResult:
        """Store records that are in memory: drafts, or JSON objects as a file's lines have them."""

        def drafts() -> Iterator[RecordDraft]:
            for index, value in enumerate(values):
                if isinstance(value, RecordDraft):
                    yield value
                else:
                    yield draft_at(index, value)

        return import_drafts(
            self._store,
            self.id,
            drafts(),
            source=source,
            mode=mode,
            progress=progress,
            cancelled=cancelled,
        )

    def add_traces(
        self,
        traces: TraceSource | Iterable[RecordDraft],
        *,
        mode: TraceMode = "every_turn",
        collapse_prefixes: bool = False,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> ImportResult:
        """Add recorded model calls; a call that is here already is flagged as a duplicate.

        Parameters
        ----------
        traces
            From `open_traces`, filtered as you like; or drafts that its ``to_records`` gave.
        mode, collapse_prefixes
            Which calls of a thread become records; see `TraceSource.to_records`.
        """
        if isinstance(traces, TraceSource):
            drafts = traces.to_records(mode=mode, collapse_prefixes=collapse_prefixes)
            name = f"{traces.format} traces"
        else:
            drafts, name = iter(traces), "traces"
        return import_drafts(
            self._store, self.id, drafts, source=name, progress=progress, cancelled=cancelled
        )

    def import_errors(self, import_id: str, limit: int = 1_000) -> tuple[LineError, ...]:
        """Lines that an import refused, in order, with their reasons."""
        with self._store.read() as connection:
            imports.check_exists(connection, self.id, import_id)
        return imports.read_errors(self._store, import_id, limit)

    @property
    def unfinished_imports(self) -> tuple[ImportState, ...]:
        """Imports that were cancelled or killed, or still run elsewhere; the newest first."""
        return imports.find_unfinished(self._store, self.id)

    def discard_unfinished_imports(self) -> int:
        """Give up imports that were cut off; what an append committed stays. Returns how many."""
        states = imports.find_unfinished(self._store, self.id)
        imports.abandon(self._store, states)
        return len(states)

    def export_records(
        self,
        path: str | Path,
        *,
        format: ExportFormat = "jsonl",  # noqa: A002 - the word a user looks for
        selection: Selection | None = None,
    ) -> int:
        """Write records to a file and return how many; see `rft_widgets.steps.export.export`."""
        return exporting.export(self.iterate(selection), path, format)

    def edit_record(
        self,
        record: Record | str,
        *,
        messages: Sequence[MessageLike] | None = None,
        tools: Sequence[ToolLike] | None = None,
        output: Sequence[MessageLike] | None = None,
        finish_reason: str | None = None,
        item: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Record:
        """Change parts of a record, check it again, and keep what it held before.

        Parameters
        ----------
        record
            The record as it was read, or its id. With a `Record` the edit is refused if somebody
            else changed it in between; with an id it applies to what is there now.
        messages, tools, output, finish_reason, item, metadata
            New values; what is left out stays.

        Raises
        ------
        StaleEdit
            If the record changed since it was read.
        """
        base = self.record(record) if isinstance(record, str) else record
        try:
            new_input = RecordInput(
                base.input.messages if messages is None else _messages(messages, "messages"),
                base.input.tools if tools is None else _tools(tools),
                base.input.tool_choice,
            )
            new_output = RecordOutput(
                base.output.messages if output is None else _messages(output, "output"),
                base.output.finish_reason if finish_reason is None else finish_reason,
            )
        except MessageShapeError as error:
            raise InvalidArgument(f"{error}.") from None
        draft = RecordDraft(
            input=new_input,
            output=new_output,
            item=base.item if item is None else dict(item),
            metadata=base.metadata if metadata is None else dict(metadata),
        )
        try:
            draft_from_json(chat_json(draft))  # what a file's line may not hold, an edit may not
        except LineRefused as refused:
            raise InvalidArgument(f"Record {base.id}: {refused.message}") from None
        tokens, found = validate(draft.input, draft.output)
        try:
            edits.edit(
                self._store, self.id, base.id, draft, tokens, found, expected_version=base.version
            )
        except StaleEdit:
            if not isinstance(record, str):
                raise
            # By id the edit applies to what is there now, which is newer than what was read.
            return self.edit_record(
                record,
                messages=messages,
                tools=tools,
                output=output,
                finish_reason=finish_reason,
                item=item,
                metadata=metadata,
            )
        return self.record(base.id)

    def assign_topic(self, selection: Selection | str, topic: str | None) -> int:
        """Put records under a topic by hand (or under none) and return how many.

        Parameters
        ----------
        selection
            A selection, or the id of one record.
        topic
            Path of the topic, its parts joined by ``/``; ``None`` takes the topic away.
        """
        topic = topic.strip() if topic is not None else None
        if topic == "":
            raise InvalidArgument("The topic is empty.", hint="Pass None to take a topic away.")
        if topic is not None and (len(topic) > LIMITS.max_identifier_chars or not can_hold(topic)):
            raise InvalidArgument(
                f"The topic {topic[:40]!r} is too long, or holds U+0000 or half a character.",
                hint=f"A topic has at most {LIMITS.max_identifier_chars} characters.",
            )
        return edits.assign_topic(
            self._store,
            self.id,
            _selection(selection),
            topic,
            confidence=None if topic is None else 1.0,
            method=None if topic is None else "manual",
        )

    def delete_records(self, selection: Selection | str) -> Deletion:
        """Delete records; `undo_delete` brings them back."""
        return trash.delete(self._store, self.id, _selection(selection))

    def undo_delete(self, deletion: Deletion | str) -> int:
        """Bring deleted records back to their places and return how many."""
        key = deletion if isinstance(deletion, str) else deletion.id
        return trash.undo(self._store, self.id, key)

    # -- display ---------------------------------------------------------------------------------

    def __repr__(self) -> str:
        with contextlib.suppress(Exception):  # a repr never raises, whatever became of the dataset
            info, stats = self.info, self.stats
            return (
                f"<OptimizationDataset {info.name!r} ({self.id}): {stats.total_records:,} records, "
                f"{stats.invalid_records:,} invalid>"
            )
        return f"<OptimizationDataset {self.id}>"

    def _repr_html_(self) -> str:
        info, health = self.info, self.health
        advice = "".join(f"<li>{escape(text)}</li>" for text in health.recommendations)
        return (
            f"<strong>{escape(info.name)}</strong> <code>{escape(self.id)}</code><br>"
            f"{escape(info.objective)}<br>"
            f"{health.total:,} records • {health.valid:,} valid • {health.invalid:,} invalid "
            f"• {escape(health.status)}" + (f"<ul>{advice}</ul>" if advice else "")
        )


def _selection(value: Selection | str) -> Selection:
    return Selection(ids=(value,)) if isinstance(value, str) else value


def _messages(values: Sequence[MessageLike], where: str) -> tuple[Message, ...]:
    return tuple(
        value if isinstance(value, Message) else message_from_json(value, f"{where}[{i}]")
        for i, value in enumerate(values)
    )


def _tools(values: Sequence[ToolLike]) -> tuple[Tool, ...]:
    return tuple(
        value if isinstance(value, Tool) else tool_from_json(value, f"tools[{i}]")
        for i, value in enumerate(values)
    )
