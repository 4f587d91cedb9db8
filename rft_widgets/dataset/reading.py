"""Reading the records of a dataset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rft_widgets.dataset.description import Described
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
from rft_widgets.steps import export as exporting
from rft_widgets.steps.export import ExportFormat
from rft_widgets.steps.validate import health_report
from rft_widgets.store import datasets, history, imports, pages, records

if TYPE_CHECKING:
    import pandas as pd


class ReadsRecords(Described):
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

    def export_records(
        self,
        path: str | Path,
        *,
        format: ExportFormat = "jsonl",  # noqa: A002 - the word a user looks for
        selection: Selection | None = None,
    ) -> int:
        """Write records to a file and return how many; see `rft_widgets.steps.export.export`."""
        return exporting.export(self.iterate(selection), path, format)
