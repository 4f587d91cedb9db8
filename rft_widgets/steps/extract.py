"""Records in: from a file or from traces, in batches, each line judged alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from rft_widgets.errors import ImportInterrupted, InvalidArgument
from rft_widgets.model.record import (
    ImportProgress,
    ImportResult,
    LineError,
    RecordDraft,
    RefusalCode,
)
from rft_widgets.model.settings import LIMITS, STORE
from rft_widgets.steps.lines import inspect, read_lines
from rft_widgets.steps.parse import chat_json, check_draft, draft_from_json, parse_line
from rft_widgets.steps.refusals import LineRefused
from rft_widgets.steps.trace_files import traces_in
from rft_widgets.steps.validate import validate
from rft_widgets.store import imports, search
from rft_widgets.store.connection import Store
from rft_widgets.store.imports import ImportMode, ImportState
from rft_widgets.store.inserts import NewRecord, new_record

Progress = Callable[[ImportProgress], None]
_BATCH_BYTES = 32 * 1024**2  # long records make smaller batches, so that memory stays bounded


def import_file(
    store: Store,
    dataset_id: str,
    path: str | Path,
    *,
    mode: ImportMode = "append",
    progress: Progress | None = None,
    cancelled: Callable[[], bool] = bool,
    resume: bool = False,
    name: str | None = None,
    import_id: str | None = None,
) -> ImportResult:
    """Read a file of records into a dataset.

    Parameters
    ----------
    store, dataset_id
        Where to.
    path
        JSONL or JSON, gzip-compressed or not; or a file of a trace format.
    mode
        ``append`` adds records and keeps what each committed batch holds; ``replace`` swaps all
        records for those of the file, at once and only when all of it was read.
    progress
        Called after every batch.
    cancelled
        Asked before every batch; when it says yes, the import stops and can be resumed.
    resume
        Go on with the unfinished import of this very file in this mode.
    name
        What the log calls the file, where its own name and place mean nothing.
    import_id
        Id for the import; one of this id that did not come to its end goes on.

    Raises
    ------
    ImportRejected
        If the file as a whole cannot be read; nothing of it was stored.
    ImportInterrupted
        If the import was cancelled, or there is none to resume.
    """
    _check_mode(mode)
    source = inspect(path, cancelled=cancelled)
    shown = name or os.fsencode(source.path.name).decode(errors="replace")
    origin = {"file": name or os.fsencode(source.path.absolute()).decode(errors="replace")}
    state = None
    if resume or import_id is not None:
        state = find_unfinished(
            store, dataset_id, mode=mode, fingerprint=source.fingerprint, import_id=import_id
        )
        if state is None and resume:
            raise ImportInterrupted(
                f"There is no unfinished {mode} of {source.path} to resume.",
                hint="Start it without resume.",
            )
    traces = traces_in(source)
    if traces is not None:
        drafts = traces.to_records()
        return import_drafts(
            store,
            dataset_id,
            # The same file gives the same drafts in the same order.
            drafts if state is None else islice(drafts, state.lines, None),
            source=shown,
            origin=origin,
            mode=mode,
            progress=progress,
            cancelled=cancelled,
            fingerprint=source.fingerprint,
            import_id=import_id,
            unfinished=state,
        )
    if state is None:
        state = imports.begin(
            store,
            dataset_id,
            mode=mode,
            source=shown,
            fingerprint=source.fingerprint,
            import_id=import_id,
        )
    known_size = None if source.is_gzip or source.is_document else source.size
    batch = _Batch(store, state, origin, progress, known_size)
    for line in read_lines(source, start=state.byte_offset, number=state.lines):
        content = line.content
        if content is None:
            batch.refuse(
                line.number,
                "line_too_long",
                f"The line is longer than {LIMITS.max_line_bytes:,} bytes.",
            )
        elif not content or content.isspace():
            batch.blank()
        else:
            batch.add_line(line.number, content)
        batch.read_to(line.number, line.end)
        if batch.is_full:
            stop = cancelled()
            batch.write()
            if stop:
                raise ImportInterrupted(
                    f"The import of {source.path} was cancelled after line {line.number:,}.",
                    hint="Import it again with resume=True to go on.",
                )
    return batch.finish()


def import_drafts(
    store: Store,
    dataset_id: str,
    drafts: Iterable[RecordDraft],
    *,
    source: str,
    origin: dict[str, Any] | None = None,
    mode: ImportMode = "append",
    progress: Progress | None = None,
    cancelled: Callable[[], bool] = bool,
    fingerprint: str | None = None,
    import_id: str | None = None,
    unfinished: ImportState | None = None,
) -> ImportResult:
    """Store records that are in memory or come from traces; a draft counts as a line.

    ``origin`` says how to get the same drafts again. Without it a few of them are kept in the log
    as they are; of many, only that they were there. An import with an id or a fingerprint that is
    cancelled or killed goes on when it is given as ``unfinished``, with the drafts that are left.
    """
    _check_mode(mode)
    state = unfinished or imports.begin(
        store,
        dataset_id,
        mode=mode,
        source=source,
        fingerprint=fingerprint,
        import_id=import_id,
    )
    few = _Few() if origin is None and not state.lines else None
    batch = _Batch(store, state, origin or {}, progress, None)
    for number, draft in enumerate(drafts, state.lines + 1):
        if few is not None:
            few.add(draft)
        batch.add_draft(number, draft)
        batch.read_to(number, number)
        if batch.is_full:
            batch.write()
            if cancelled():
                if fingerprint is None and import_id is None:
                    imports.abandon(store, [state])
                kept = (
                    f"{state.imported:,} records were kept"
                    if mode == "append"
                    else "nothing was changed"
                )
                raise ImportInterrupted(f"The import of {source} was cancelled; {kept}.")
    if few is not None:
        batch.origin = few.origin()
    return batch.finish()


def find_unfinished(
    store: Store,
    dataset_id: str,
    *,
    mode: ImportMode = "append",
    fingerprint: str | None = None,
    import_id: str | None = None,
) -> ImportState | None:
    """The import of this that did not come to its end, the newest of several."""
    found = imports.find_unfinished(
        store, dataset_id, mode=mode, fingerprint=fingerprint, import_id=import_id
    )
    return found[0] if found else None


class _Few:
    """The lines of drafts, as long as there are few of them."""

    def __init__(self) -> None:
        self._lines: list[str] | None = []
        self._chars = 0

    def add(self, draft: RecordDraft) -> None:
        if self._lines is None:
            return
        try:
            line = msgspec.json.encode(chat_json(draft)).decode()
        except UnicodeEncodeError:  # it will be refused; lines after it would count differently
            self._lines = None
            return
        self._chars += len(line)
        self._lines.append(line)
        if self._chars > STORE.logged_chars:
            self._lines = None

    def origin(self) -> dict[str, Any]:
        return {} if self._lines is None else {"lines": self._lines}


class _Range:
    """When the first and the last of some records were recorded, where they say so."""

    def __init__(self, so_far: tuple[str, str] | None) -> None:
        first, last = so_far or (None, None)
        self._first = None if first is None else datetime.fromisoformat(first)
        self._last = None if last is None else datetime.fromisoformat(last)

    def add(self, draft: RecordDraft) -> None:
        trace = draft.metadata.get("trace")
        given = trace.get("started_at") if isinstance(trace, dict) else None
        given = given or draft.metadata.get("created_at")
        if not isinstance(given, str):
            return
        try:
            at = datetime.fromisoformat(given)
        except ValueError:
            return
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        self._first = min(self._first or at, at)
        self._last = max(self._last or at, at)

    @property
    def bounds(self) -> tuple[str, str] | None:
        if self._first is None or self._last is None:
            return None
        return self._first.isoformat(), self._last.isoformat()


class _Batch:
    """Collects judged lines and writes them together."""

    def __init__(
        self,
        store: Store,
        state: ImportState,
        origin: dict[str, Any],
        progress: Progress | None,
        size: int | None,
    ) -> None:
        self.origin = origin
        self._store = store
        self._state = state
        self._progress = progress
        self._size = size
        self._rows: list[NewRecord] = []
        self._errors: list[LineError] = []
        self._bytes = 0
        self._lines = 0
        self._recorded = _Range(state.recorded)

    @property
    def is_full(self) -> bool:
        return self._lines >= STORE.batch_records or self._bytes >= _BATCH_BYTES

    def add_line(self, number: int, content: bytes) -> None:
        try:
            draft = parse_line(content)
        except LineRefused as refused:
            self.refuse(number, refused.code, refused.message)
        else:
            self._add(number, draft)

    def add_draft(self, number: int, draft: RecordDraft) -> None:
        try:
            draft = check_draft(draft)
        except LineRefused as refused:
            self.refuse(number, refused.code, refused.message)
        else:
            self._add(number, draft)

    def refuse(self, number: int, code: RefusalCode, message: str) -> None:
        self._errors.append(LineError(number, code, message))

    def blank(self) -> None:
        self._state.blank += 1

    def read_to(self, number: int, end: int) -> None:
        self._state.lines = number
        self._state.byte_offset = end
        self._lines += 1

    def write(self) -> None:
        self._state.recorded = self._recorded.bounds
        imports.write_batch(self._store, self._state, self._rows, self._errors)
        self._rows, self._errors, self._bytes, self._lines = [], [], 0, 0
        self._report("reading")

    def finish(self) -> ImportResult:
        if self._lines:
            self.write()
        state = self._state
        imports.finish(self._store, state, self.origin)
        self._report("indexing")
        search.index_pending(self._store, state.set_id)
        self._report("done")
        return imports.result_of(self._store, state)

    def _add(self, number: int, draft: RecordDraft) -> None:
        tokens, issues = validate(draft.input, draft.output)
        row = new_record(draft, tokens, issues, number)
        self._rows.append(row)
        self._recorded.add(draft)
        self._bytes += len(row.body)
        messages = draft.input.messages
        if messages and messages[-1].role != "user":
            warnings = self._state.warnings
            warnings["last_message_not_user"] = warnings.get("last_message_not_user", 0) + 1

    def _report(self, phase: str) -> None:
        if self._progress is None:
            return
        state = self._state
        self._progress(
            ImportProgress(
                phase=phase,  # type: ignore[arg-type]  # the three calls above name the phases
                bytes_read=state.byte_offset,
                bytes_total=self._size,
                lines=state.lines,
                imported=state.imported,
                refused=state.refused,
            )
        )


def draft_at(index: int, value: Mapping[str, object]) -> RecordDraft:
    """Read a record from a JSON object in memory.

    Raises
    ------
    InvalidArgument
        If it holds no record; the message gives its place.
    """
    try:
        return draft_from_json(value)
    except LineRefused as refused:
        raise InvalidArgument(f"Record {index}: {refused.message}") from None


def _check_mode(mode: str) -> None:
    if mode not in ("append", "replace"):
        raise InvalidArgument(
            f"There is no import mode {mode!r}.", hint="Use 'append' or 'replace'."
        )
