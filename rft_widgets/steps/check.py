"""What a file holds, told without importing it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rft_widgets.errors import ImportInterrupted
from rft_widgets.model.imports import (
    RECORDS,
    CheckedRecord,
    FileCheck,
    LineIssue,
    RecordCounts,
    code_counts,
)
from rft_widgets.model.record import RecordDraft, preview_of
from rft_widgets.model.settings import LIMITS, STORE
from rft_widgets.steps.lines import Source, inspect, read_lines
from rft_widgets.steps.parse import check_draft, parse_line
from rft_widgets.steps.progress import Told
from rft_widgets.steps.refusals import LineRefused
from rft_widgets.steps.trace_files import traces_in
from rft_widgets.steps.validate import validate
from rft_widgets.store import datasets
from rft_widgets.store.known import known
from rft_widgets.store.payload import input_hash

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

SHOWN_ISSUES = 1_000
PREVIEWED = 5


def check_file(
    store: Store,
    dataset_id: str | None,
    path: str | Path,
    *,
    progress: Told | None = None,
    cancelled: Callable[[], bool] = bool,
    each: Callable[[RecordDraft], None] | None = None,
) -> FileCheck:
    """Read a file as an import would, into a dataset or into a new one, and change nothing.

    ``each`` is given every record that there is.

    Raises
    ------
    ImportRejected
        If the file as a whole cannot be read.
    ImportInterrupted
        If `cancelled` said so.
    """
    source = inspect(path, cancelled=cancelled)
    tally = _Tally(store, dataset_id, str(source.path), progress, cancelled, each)
    traces = traces_in(source)
    if traces is None:
        _read_records(source, tally)
        return tally.check(RECORDS, source.fingerprint, lost_calls=0)
    for number, draft in enumerate(traces.to_records(), 1):
        tally.at(number, None)
        try:
            tally.add(number, check_draft(draft))
        except LineRefused as refused:
            tally.refuse(number, refused)
    lost = traces.losses.model_calls - traces.losses.traces
    return tally.check(traces.format, source.fingerprint, lost_calls=lost)


def _read_records(source: Source, tally: _Tally) -> None:
    size = None if source.is_gzip or source.is_document else source.size
    for line in read_lines(source):
        tally.at(line.number, line.end / size if size else None)
        if line.content is None:
            words = f"The line is longer than {LIMITS.max_line_bytes:,} bytes."
            tally.refuse(line.number, LineRefused("line_too_long", words))
        elif not line.content or line.content.isspace():
            tally.blank()
        else:
            try:
                draft = parse_line(line.content)
            except LineRefused as refused:
                tally.refuse(line.number, refused)
            else:
                tally.add(line.number, draft)


class _Judged(NamedTuple):
    """A record that waits to be looked up."""

    line: int
    span: str | None
    hash: int
    is_faulty: bool


class _Tally:
    """Counts as an import would; batches are looked up in the dataset together."""

    def __init__(
        self,
        store: Store,
        dataset_id: str | None,
        name: str,
        progress: Told | None,
        cancelled: Callable[[], bool],
        each: Callable[[RecordDraft], None] | None,
    ) -> None:
        self._store, self._dataset_id, self._name = store, dataset_id, name
        self._progress, self._cancelled, self._each = progress, cancelled, each
        self._batch: list[_Judged] = []
        self._spans: set[str] = set()
        self._hashes: set[int] = set()
        self._lines = self._blank = self._refused = self._records = 0
        self._append: Counter[str] = Counter()
        self._replace: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._refusals: Counter[str] = Counter()
        self._preview: list[CheckedRecord] = []
        self._issues: list[LineIssue] = []
        self._issue_count = 0

    def at(self, number: int, share: float | None) -> None:
        self._lines = number
        if number % STORE.batch_records == 0:
            if self._progress is not None:
                self._progress(share, f"{number:,} lines")
            if self._cancelled():
                raise ImportInterrupted(f"The check of {self._name} was stopped.")

    def blank(self) -> None:
        self._blank += 1

    def refuse(self, number: int, refused: LineRefused) -> None:
        self._refused += 1
        self._refusals[refused.code] += 1
        self._issue(LineIssue(number, refused.code, refused.message, refused=True))

    def add(self, number: int, draft: RecordDraft) -> None:
        self._records += 1
        if self._each is not None:
            self._each(draft)
        _, issues = validate(draft.input, draft.output)
        for issue in issues:
            self._faults[issue.code] += 1
            self._issue(LineIssue(number, issue.code, issue.message, refused=False))
        if len(self._preview) < PREVIEWED:
            messages = draft.input.messages + draft.output.messages
            shown = preview_of(messages)
            self._preview.append(
                CheckedRecord(
                    line=number,
                    messages=shown,
                    more=len(messages) - len(shown),
                    issues=tuple(issue.message for issue in issues),
                )
            )
        key = input_hash(draft.input)
        self._batch.append(_Judged(number, draft.span_id, key, is_faulty=bool(issues)))
        if len(self._batch) >= STORE.batch_records:
            self._look_up()

    def check(self, format_name: str, fingerprint: str, *, lost_calls: int) -> FileCheck:
        self._look_up()
        self._issues.sort(key=lambda issue: issue.line)
        return FileCheck(
            format=format_name,
            lines=self._lines,
            blank=self._blank,
            records=self._records,
            refused=self._refused,
            append=self._counts(self._append),
            replace=self._counts(self._replace),
            faults=code_counts(self._faults),
            refusals=code_counts(self._refusals),
            lost_calls=lost_calls,
            preview=tuple(self._preview),
            issues=tuple(self._issues),
            issue_count=self._issue_count,
            fingerprint=fingerprint,
        )

    def _counts(self, counted: Counter[str]) -> RecordCounts:
        valid = counted["valid"]
        return RecordCounts(
            valid=valid, invalid=self._records - valid, duplicates=counted["duplicates"]
        )

    def _issue(self, issue: LineIssue) -> None:
        self._issue_count += 1
        if len(self._issues) < SHOWN_ISSUES:
            self._issues.append(issue)

    def _look_up(self) -> None:
        batch, self._batch = self._batch, []
        with self._store.read() as connection:
            sets = []
            if self._dataset_id is not None:
                sets.append(datasets.live_set(connection, self._dataset_id))
            here = known(
                connection,
                sets,
                [one.span for one in batch if one.span is not None],
                [one.hash for one in batch],
            )
        for one in batch:
            in_file = one.span in self._spans or one.hash in self._hashes
            in_dataset = one.span in here.spans or one.hash in here.hashes
            self._tell_repeated(one, in_file=in_file, in_dataset=in_dataset)
            for counted, repeats in (
                (self._append, in_file or in_dataset),
                (self._replace, in_file),
            ):
                counted["duplicates"] += repeats
                counted["valid"] += not repeats and not one.is_faulty
            if one.span is not None:
                self._spans.add(one.span)
            self._hashes.add(one.hash)

    def _tell_repeated(self, one: _Judged, *, in_file: bool, in_dataset: bool) -> None:
        if not (in_file or in_dataset):
            return
        where = "an earlier line of the file" if in_file else "a record that is in the dataset"
        self._issue(LineIssue(one.line, "duplicate", f"It repeats {where}.", refused=False))
