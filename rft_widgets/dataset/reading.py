"""Reading the records of a dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rft_widgets.dataset.asking import AsksModels
from rft_widgets.errors import InvalidArgument
from rft_widgets.model.record import (
    HealthReport,
    Record,
    RecordFilter,
    RecordPage,
    RecordSource,
    RecordVersion,
    Selection,
    SortKey,
    ValidationCode,
)
from rft_widgets.model.record_rows import RecordRows, SelectionSize
from rft_widgets.steps import export as exporting
from rft_widgets.steps.export import ExportFormat
from rft_widgets.steps.validate import health_report
from rft_widgets.store import datasets, history, imports, pages, records, views

if TYPE_CHECKING:
    import pandas as pd


class ReadsRecords(AsksModels):
    """A dataset's records: pages, single ones, streams, files."""

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
        dry_run: str | None = None,
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
            dry_run=dry_run,
            low_confidence=low_confidence,
            code=code,
        )
        if where is not None and given != RecordFilter():
            raise InvalidArgument("Give a filter or its fields by keyword, not both.")
        return pages.page(self._store, self.id, where or given, sort=sort, limit=limit, after=after)

    def record_rows(
        self,
        where: RecordFilter | None = None,
        *,
        sort: SortKey = "position",
        start: int = 0,
        count: int = 200,
        revision: int | None = None,
        find: str | None = None,
        chosen: RecordFilter | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> RecordRows:
        """Read any piece of a filtered and sorted table, as a page shows it.

        The rows are those of `records` with the same filter and sort. Where a search has very many
        matches, the first of them are listed.

        Parameters
        ----------
        where, sort
            Which records, in which order.
        start, count
            Place of the first row, counted from 0, and how many (1..1,000).
        revision
            Of rows that were read before: these rows then go with them, though the dataset changed
            since. Records that were deleted leave a gap. When that is too long ago, the rows are
            those of now, and have another revision.
        find
            Id of a record whose place among the rows is wanted.
        chosen
            Another filter: of every row is said whether it matches.
        cancelled
            Asked while the table is being listed.

        Raises
        ------
        RunInterrupted
            It was cancelled.
        """
        if not 1 <= count <= 1_000 or start < 0:
            raise InvalidArgument(
                f"There are no {count} rows from {start}.", hint="Ask for 1 to 1,000 rows, from 0."
            )
        view = views.view(
            self._store,
            self.id,
            where or RecordFilter(),
            sort,
            revision=revision,
            cancelled=cancelled,
        )
        return views.record_rows(self._store, self.id, view, start, count, find=find, chosen=chosen)

    def selection_size(self, selection: Selection) -> SelectionSize:
        """Count the records of a selection as it stands now, and their tokens."""
        return views.size(self._store, self.id, selection)

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
        also_ids: Sequence[str] = (),
    ) -> Selection:
        """Name a set of records: all that match a filter (or all there are), or some by id.

        An empty list of ids selects nothing; ``also_ids`` come on top of what the others select.
        """
        if ids is not None and not ids:
            return Selection(also_ids=tuple(also_ids))
        if where is None and ids is None:
            where = RecordFilter()
        return Selection(
            where=where,
            ids=tuple(ids or ()),
            except_ids=tuple(except_ids),
            also_ids=tuple(also_ids),
        )

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

    def export_records(
        self,
        path: str | Path,
        *,
        format: ExportFormat = "jsonl",  # noqa: A002 - the word a user looks for
        selection: Selection | None = None,
        progress: Callable[[int], object] | None = None,
    ) -> int:
        """Write records to a file and return how many; see `rft_widgets.steps.export.export`.

        ``progress`` is called with the number of records after every thousand of them; what it
        raises ends the export, and no file is left.
        """
        records = self.iterate(selection)
        return exporting.export(_counted(records, progress) if progress else records, path, format)


def _counted(found: Iterator[Record], progress: Callable[[int], object]) -> Iterator[Record]:
    for number, record in enumerate(found):
        if number % 1000 == 999:
            progress(number + 1)
        yield record
