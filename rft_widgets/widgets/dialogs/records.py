"""The records of a dataset: where they came from, and what is wrong with some."""

from __future__ import annotations

from typing import Annotated, ClassVar, get_args

import msgspec
from msgspec import Struct

from rft_widgets.dataset.imports import IssuesFormat
from rft_widgets.model.dataset import DatasetSource
from rft_widgets.model.imports import (
    CODE_WORDS,
    ImportInfo,
    LineIssue,
    PulledSource,
    RecordDates,
)
from rft_widgets.model.job import JobState
from rft_widgets.model.record import HealthReport, RecordFilter, ValidationCode
from rft_widgets.steps.validate import ADVICE
from rft_widgets.widgets import rpc
from rft_widgets.widgets.dialogs.base import Dialog
from rft_widgets.widgets.downloads import Download, Offers, file_name

SHOWN_IMPORTS = 20

ImportId = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class Fault(Struct, frozen=True, kw_only=True):
    """A rule that some records break."""

    code: ValidationCode
    words: str
    advice: str
    count: int


class RecordsView(Struct, frozen=True, kw_only=True):
    """What the dialog shows."""

    source: DatasetSource
    health: HealthReport
    generated: int
    dates: RecordDates
    faults: tuple[Fault, ...]
    imports: tuple[ImportInfo, ...]
    """The newest ones."""
    import_count: int
    pulled: tuple[PulledSource, ...]
    """Sources that can be read again."""


class RecordsDialog(Offers, Dialog):
    """The records of a dataset: where they came from, and what is wrong with some."""

    component: ClassVar[str] = "dialogs/records"
    step: ClassVar[int] = 1

    @rpc.method(background=True)
    def load(self) -> RecordsView:
        """Everything there is to say of them."""
        dataset = self._dataset
        health, imports = dataset.health, dataset.imports
        faults = [
            Fault(code=code, words=CODE_WORDS[code], advice=ADVICE[code], count=count)
            for code in get_args(ValidationCode)
            if (count := health.errors_by_code.get(code, 0))
        ]
        return RecordsView(
            source=dataset.source,
            health=health,
            generated=dataset.count(RecordFilter(source="generated")),
            dates=dataset.record_dates,
            faults=tuple(sorted(faults, key=lambda fault: -fault.count)),
            imports=imports[:SHOWN_IMPORTS],
            import_count=len(imports),
            pulled=dataset.pulled_sources,
        )

    @rpc.method()
    def start_pull(self) -> JobState:
        """Add what has come to the sources since they were read."""
        return self._dataset.submit("pull_traces").state

    @rpc.method(background=True, packed=True)
    def load_issues(self, import_id: ImportId) -> tuple[LineIssue, ...]:
        """The first faults of an import's lines."""
        return self._dataset.import_issues(import_id)

    @rpc.method(background=True)
    def download_issues(self, import_id: ImportId, file_format: IssuesFormat) -> Download:
        """All faults of an import's lines as a file."""
        name = file_name(self._dataset.name, "import-errors", file_format)
        return self.offer(
            name,
            lambda path, _: self._dataset.export_import_issues(import_id, path, file_format),
            call=f"ds.export_import_issues({import_id!r}, {name!r}, {file_format!r})",
        )

    @rpc.method(background=True)
    def discard_unfinished(self, import_id: ImportId) -> int:
        """Give up an import that was cut off."""
        return self._dataset.discard_unfinished_imports(import_id)


WIDGET = RecordsDialog
