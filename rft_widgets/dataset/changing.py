"""Changing the records of a dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from rft_widgets.dataset.reading import ReadsRecords
from rft_widgets.errors import InvalidArgument, StaleEdit
from rft_widgets.model.message import (
    Message,
    MessageShapeError,
    Tool,
    message_from_json,
    to_json,
    tool_from_json,
)
from rft_widgets.model.record import (
    Deletion,
    ImportProgress,
    ImportResult,
    LineError,
    Record,
    RecordDraft,
    RecordInput,
    RecordOutput,
    Selection,
    as_selection,
)
from rft_widgets.model.record_rows import RecordCheck
from rft_widgets.steps.extract import (
    Progress,
    draft_at,
    find_unfinished,
    import_drafts,
    import_file,
)
from rft_widgets.steps.parse import chat_json, draft_from_json
from rft_widgets.steps.refusals import LineRefused
from rft_widgets.steps.validate import validate
from rft_widgets.store import edits, imports, records, trash, validity
from rft_widgets.store.activity import working
from rft_widgets.store.bulk import FEW
from rft_widgets.store.imports import ImportMode, ImportState
from rft_widgets.store.known import known, sets_of
from rft_widgets.store.payload import input_hash
from rft_widgets.traces.source import Mode as TraceMode
from rft_widgets.traces.source import TraceSource

MessageLike = Message | Mapping[str, Any]
ToolLike = Tool | Mapping[str, Any]


class ChangesRecords(ReadsRecords):
    """What can be done to a dataset's records: import, edit, delete, bring back."""

    def import_records(
        self,
        path: str | Path,
        *,
        mode: ImportMode = "append",
        progress: Progress | None = None,
        cancelled: Callable[[], bool] = bool,
        resume: bool = False,
        name: str | None = None,
        import_id: str | None = None,
    ) -> ImportResult:
        """Read a JSONL or JSON file, or one of a trace format, compressed or not.

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
        name
            What the log calls the file, where its own name and place mean nothing.
        import_id
            Id for the import; one of this id that was cancelled or killed goes on.

        Returns
        -------
        ImportResult
            Counts, and the refused lines with their reasons.
        """
        with self._extracting(progress) as told:
            return import_file(
                self._store,
                self.id,
                path,
                mode=mode,
                progress=told,
                cancelled=cancelled,
                resume=resume,
                name=name,
                import_id=import_id,
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

        with self._extracting(progress) as told:
            return import_drafts(
                self._store,
                self.id,
                drafts(),
                source=source,
                mode=mode,
                progress=told,
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
        name: str | None = None,
        import_id: str | None = None,
    ) -> ImportResult:
        """Add recorded model calls; a call that is here already is flagged as a duplicate.

        Parameters
        ----------
        traces
            From `open_traces`, filtered as you like; or drafts that its ``to_records`` gave.
        mode, collapse_prefixes
            Which calls of a thread become records; see `TraceSource.to_records`.
        name
            What the log calls the source, where its own place means nothing and cannot be read
            again.
        import_id
            Id for the import; one of this id that was cancelled or killed goes on where it was. Of
            a source that gives its traces in another order each time, as a store does, those that
            are here already are left out then.
        """
        origin = None
        is_ordered = False
        if isinstance(traces, TraceSource):
            drafts = traces.to_records(mode=mode, collapse_prefixes=collapse_prefixes)
            source = name or f"{traces.format} traces"
            is_ordered = traces.is_ordered
            if name is not None:
                origin = {"file": name}
            elif traces.origin is not None:
                origin = traces.origin | {"mode": mode, "collapse_prefixes": collapse_prefixes}
        else:
            drafts, source = iter(traces), name or "traces"
        unfinished = None
        if import_id is not None:
            unfinished = find_unfinished(self._store, self.id, import_id=import_id)
        if unfinished is not None:
            drafts = islice(drafts, unfinished.lines, None) if is_ordered else self._unknown(drafts)
        with self._extracting(progress) as told:
            return import_drafts(
                self._store,
                self.id,
                drafts,
                source=source,
                origin=origin,
                progress=told,
                cancelled=cancelled,
                import_id=import_id,
                unfinished=unfinished,
            )

    def _unknown(self, drafts: Iterable[RecordDraft]) -> Iterator[RecordDraft]:
        """Drafts less those that are here, or were and were deleted."""
        left = iter(drafts)
        while some := list(islice(left, FEW)):
            keys = {id(draft): input_hash(draft.input) for draft in some if draft.span_id is None}
            with self._store.read() as connection:
                here = known(
                    connection,
                    sets_of(connection, self.id),
                    [draft.span_id for draft in some if draft.span_id is not None],
                    list(keys.values()),
                )
            for draft in some:
                if draft.span_id not in here.spans and keys.get(id(draft)) not in here.hashes:
                    yield draft

    @contextmanager
    def _extracting(self, progress: Progress | None) -> Iterator[Progress]:
        """Show the first step at work; what comes to the yielded callback goes on to the given."""
        with working(self._store, self.id, 1, "Extracting") as show:

            def tell(now: ImportProgress) -> None:
                show(now.bytes_read / now.bytes_total if now.bytes_total else None, "Extracting")
                if progress is not None:
                    progress(now)

            yield tell

    def import_errors(self, import_id: str, limit: int = 1_000) -> tuple[LineError, ...]:
        """Lines that an import refused, in order, with their reasons."""
        with self._store.read() as connection:
            imports.check_exists(connection, self.id, import_id)
        return imports.read_errors(self._store, import_id, limit)

    @property
    def unfinished_imports(self) -> tuple[ImportState, ...]:
        """Imports that were cancelled or killed, or still run elsewhere; the newest first."""
        return imports.find_unfinished(self._store, self.id)

    def discard_unfinished_imports(self, import_id: str | None = None) -> int:
        """Give up imports that were cut off, or one of them; returns how many.

        What an append committed stays.
        """
        states = [
            state
            for state in imports.find_unfinished(self._store, self.id)
            if import_id in (None, state.id)
        ]
        imports.abandon(self._store, states)
        return len(states)

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
        draft = _edited(base, messages, tools, output, finish_reason, item, metadata)
        tokens, found = validate(draft.input, draft.output)
        try:
            edits.edit(
                self._store,
                self.id,
                base.id,
                draft,
                tokens,
                found,
                expected_version=base.version,
                given={
                    name: value
                    for name, value, is_given in (
                        ("messages", to_json(draft.input.messages), messages is not None),
                        ("tools", to_json(draft.input.tools), tools is not None),
                        ("output", to_json(draft.output.messages), output is not None),
                        ("finish_reason", finish_reason, finish_reason is not None),
                        ("item", draft.item, item is not None),
                        ("metadata", draft.metadata, metadata is not None),
                    )
                    if is_given
                },
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

    def check_record(
        self,
        record: Record | str,
        *,
        messages: Sequence[MessageLike] | None = None,
        tools: Sequence[ToolLike] | None = None,
        output: Sequence[MessageLike] | None = None,
        finish_reason: str | None = None,
        item: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> RecordCheck:
        """Say what validation would say of a record after `edit_record`; change nothing.

        Raises
        ------
        InvalidArgument
            A new value is none that a record can have.
        """
        base = self.record(record) if isinstance(record, str) else record
        draft = _edited(base, messages, tools, output, finish_reason, item, metadata)
        tokens, found = validate(draft.input, draft.output)
        with self._store.read() as connection:
            seq = records.seq_of(connection, self.id, base.id)
            repeated = validity.repeated(connection, seq, input_hash(draft.input))
        return RecordCheck(tokens=tokens, issues=found + repeated)

    def delete_records(self, selection: Selection | str) -> Deletion:
        """Delete records; `undo_delete` brings them back."""
        return trash.delete(self._store, self.id, as_selection(selection))

    def undo_delete(self, deletion: Deletion | str) -> int:
        """Bring deleted records back to their places and return how many."""
        key = deletion if isinstance(deletion, str) else deletion.id
        return trash.undo(self._store, self.id, key)


def _edited(
    base: Record,
    messages: Sequence[MessageLike] | None,
    tools: Sequence[ToolLike] | None,
    output: Sequence[MessageLike] | None,
    finish_reason: str | None,
    item: Mapping[str, Any] | None,
    metadata: Mapping[str, Any] | None,
) -> RecordDraft:
    """What a record holds after an edit."""
    try:
        draft = RecordDraft(
            input=RecordInput(
                base.input.messages if messages is None else _messages(messages, "messages"),
                base.input.tools if tools is None else _tools(tools),
                base.input.tool_choice,
            ),
            output=RecordOutput(
                base.output.messages if output is None else _messages(output, "output"),
                base.output.finish_reason if finish_reason is None else finish_reason,
            ),
            item=base.item if item is None else dict(item),
            metadata=base.metadata if metadata is None else dict(metadata),
        )
    except MessageShapeError as error:
        raise InvalidArgument(f"{error}.") from None
    try:
        draft_from_json(chat_json(draft))  # what a file's line may not hold, an edit may not
    except LineRefused as refused:
        raise InvalidArgument(f"Record {base.id}: {refused.message}") from None
    return draft


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
