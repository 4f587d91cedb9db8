"""What imports brought into a dataset, what a file would bring, and what has come since."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from rft_widgets.dataset.changing import ChangesRecords
from rft_widgets.errors import InvalidArgument
from rft_widgets.model.dataset import Event
from rft_widgets.model.imports import FileCheck, ImportInfo, LineIssue, PulledSource, RecordDates
from rft_widgets.model.record import ImportResult, RecordDraft
from rft_widgets.steps.check import check_file
from rft_widgets.steps.export import harmless_cell, replacing
from rft_widgets.steps.extract import Progress, find_unfinished, import_drafts
from rft_widgets.steps.progress import Told
from rft_widgets.store import datasets, history
from rft_widgets.store import imports as import_rows
from rft_widgets.store.known import added_between
from rft_widgets.traces.source import TraceSource, open_traces
from rft_widgets.uploads import Uploads

IssuesFormat = Literal["csv", "json"]


class HasImports(ChangesRecords):
    """A dataset's imports, and the sources that can be read again."""

    @property
    def uploads(self) -> Uploads:
        """Files that were sent to this machine to be imported, of every dataset of the store."""
        return Uploads(self._store.side_folder / "uploads")

    @property
    def imports(self) -> tuple[ImportInfo, ...]:
        """Imports so far, those that did not come to their end among them; the newest first."""
        with self._store.read() as connection:
            return import_rows.read_all(connection, self.id)

    def check_file(
        self,
        path: str | Path,
        *,
        progress: Told | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> FileCheck:
        """Read a file as `import_records` would, and change nothing.

        Parameters
        ----------
        path
            The file.
        progress
            Called after every thousand records; the share is ``None`` where it is not known.
        cancelled
            Asked as often; when it returns true, the reading stops.
        """
        return check_file(self._store, self.id, path, progress=progress, cancelled=cancelled)

    def import_result(self, import_id: str) -> ImportResult:
        """What an import did; `NotFound` if there is none of that id."""
        return import_rows.result(self._store, self.id, import_id)

    def import_issues(self, import_id: str, limit: int = 1_000) -> tuple[LineIssue, ...]:
        """Faults of the lines of an import, in order: refused lines, and invalid records.

        Of records, those that were deleted or repaired since are left out.
        """
        with self._store.read() as connection:
            import_rows.check_exists(connection, self.id, import_id)
            return import_rows.read_issues(connection, import_id, limit)

    def export_import_issues(
        self,
        import_id: str,
        path: str | Path,
        format: IssuesFormat = "csv",  # noqa: A002 - the word a user looks for
    ) -> int:
        """Write all faults of an import's lines to a CSV or JSON file and return how many."""
        with self._store.read() as connection:
            import_rows.check_exists(connection, self.id, import_id)
            found = import_rows.read_issues(connection, import_id)
        write_issues(found, path, format)
        return len(found)

    @property
    def record_dates(self) -> RecordDates:
        """Between when the records were added, and recorded where they come from."""
        with self._store.read() as connection:
            added = added_between(connection, datasets.live_set(connection, self.id))
        recorded = [
            datetime.fromisoformat(moment)
            for event in self._current_imports()
            for moment in event.details.get("recorded") or ()
        ]
        return RecordDates(
            added_first=added[0] if added else None,
            added_last=added[1] if added else None,
            recorded_first=min(recorded, default=None),
            recorded_last=max(recorded, default=None),
        )

    @property
    def pulled_sources(self) -> tuple[PulledSource, ...]:
        """Sources of the traces in the dataset that `pull_traces` reads again."""
        return tuple(
            PulledSource(location=origin["traces"], read_at=event.at)
            for event, origin in self._trace_origins()
        )

    def pull_traces(
        self,
        *,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] = bool,
        import_id: str | None = None,
    ) -> ImportResult:
        """Add what has come to the sources of the dataset's traces since they were read.

        A call that is here, by its span id or else by its input, is not added again, nor one that
        was deleted. Filters stay as they were; where single traces had been chosen, all that are
        newer than the last reading count as chosen.

        Parameters
        ----------
        progress, cancelled
            See `import_records`.
        import_id
            Id for the import; one of this id that was cancelled or killed goes on.

        Raises
        ------
        InvalidArgument
            If no records came from a source that can be read again.
        """
        origins = self._trace_origins()
        if not origins:
            raise InvalidArgument(
                "No records of this dataset came from traces that can be read again.",
                hint="Add some with ds.add_traces(rft.open_traces(...)), from a file, a folder, "
                "a vLLora store or the address of a gateway.",
            )
        # All are opened before any is read: one that is gone leaves the dataset as it is.
        opened = [(_reopened(origin, event.at), origin) for event, origin in origins]

        def drafts() -> Iterator[RecordDraft]:
            for traces, origin in opened:
                options = {key: origin[key] for key in ("mode", "collapse_prefixes")}
                yield from self._unknown(traces.to_records(**options))

        unfinished = None
        if import_id is not None:
            unfinished = find_unfinished(self._store, self.id, import_id=import_id)
        with self._extracting(progress) as told:
            return import_drafts(
                self._store,
                self.id,
                drafts(),
                source="new traces",
                origin={"pulled": [origin["traces"] for _, origin in origins]},
                progress=told,
                cancelled=cancelled,
                import_id=import_id,
                unfinished=unfinished,
            )

    def _current_imports(self) -> tuple[Event, ...]:
        """Log entries of the imports whose records were not replaced since."""
        with self._store.read() as connection:
            current = {one.id for one in import_rows.read_all(connection, self.id) if one.current}
            log = history.read_log(connection, self.id, "import_records")
        return tuple(event for event in log if event.details["import"] in current)

    def _trace_origins(self) -> tuple[tuple[Event, dict[str, Any]], ...]:
        """Each source of traces once, with the log entry of its last reading."""
        found: dict[bytes, tuple[Event, dict[str, Any]]] = {}
        pulled: Event | None = None
        for event in self._current_imports():
            origin = event.details.get("origin") or {}
            if "traces" in origin:
                found[msgspec.json.encode(origin)] = (event, origin)
            elif "pulled" in origin:
                pulled = event
        return tuple(
            (pulled if pulled is not None and pulled.seq > event.seq else event, origin)
            for event, origin in found.values()
        )


def write_issues(issues: Iterable[LineIssue], path: str | Path, file_format: IssuesFormat) -> None:
    """Write faults of lines to a file."""
    if file_format not in ("csv", "json"):
        raise InvalidArgument(
            f"There is no format {file_format!r} for faults.", hint="Use 'csv' or 'json'."
        )
    with replacing(Path(path)) as target:
        if file_format == "json":
            target.write_bytes(msgspec.json.format(msgspec.json.encode(list(issues))))
            return
        with target.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(LineIssue.__struct_fields__)
            for issue in issues:
                writer.writerow(map(harmless_cell, msgspec.structs.astuple(issue)))


def _reopened(origin: dict[str, Any], read_at: datetime) -> TraceSource:
    traces = open_traces(origin["traces"])
    for given in origin["filters"]:
        moments = {
            key: datetime.fromisoformat(given[key]) for key in ("since", "until") if key in given
        }
        traces = traces.filter(**{**given, **moments})
    return traces.filter(since=read_at) if "ids" in origin else traces
