"""Import records from a file: it is uploaded, looked at, and then imported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Struct

from rft_widgets.dataset.imports import IssuesFormat, write_issues
from rft_widgets.errors import InvalidArgument
from rft_widgets.jobs import inline
from rft_widgets.model.imports import FileCheck, ImportInfo, LineIssue
from rft_widgets.model.job import JobState
from rft_widgets.model.record import ImportProgress, ImportResult
from rft_widgets.steps.progress import Told
from rft_widgets.store.imports import ImportMode
from rft_widgets.widgets import rpc
from rft_widgets.widgets.dialogs.base import Dialog
from rft_widgets.widgets.downloads import Download, Offers, file_name
from rft_widgets.widgets.uploads import (
    MAX_FILE_BYTES,
    PIECE_BYTES,
    FileName,
    Offset,
    Upload,
    UploadId,
    UploadState,
)

ImportId = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Size = Annotated[int, msgspec.Meta(ge=0)]


class Imported(Struct, frozen=True, kw_only=True):
    """What came of an import."""

    import_id: str
    name: str
    mode: ImportMode
    lines: int
    imported: int
    valid: int
    invalid: int
    duplicates: int
    refused: int


class ImportView(Struct, frozen=True, kw_only=True):
    """What the dialog shows."""

    records: int
    """Records of the dataset now: what a replace takes away."""
    upload: UploadState | None
    check: FileCheck | None
    """What the uploaded file holds, its faults aside."""
    unfinished: ImportInfo | None
    """An import of this very file that was cut off."""
    others: tuple[ImportInfo, ...]
    """Imports of other files that were cut off."""
    result: Imported | None
    piece_bytes: int = PIECE_BYTES
    max_bytes: int = MAX_FILE_BYTES


class ImportRecordsDialog(Offers, Dialog):
    """Import records from a file."""

    component: ClassVar[str] = "dialogs/import_records"
    step: ClassVar[int] = 1

    def __init__(self, *args: Any, **values: Any) -> None:
        self._upload: Upload | None = None
        self._check: FileCheck | None = None
        self._checking: JobState | None = None
        self._result: Imported | None = None
        super().__init__(*args, **values)

    @rpc.method(background=True)
    def load(self) -> ImportView:
        """How far it is."""
        with self._lock:
            upload, check, result = self._upload, self._check, self._result
        open_ones = [one for one in self._dataset.imports if not one.finished]
        print_of = check.fingerprint if check else None
        same = [one for one in open_ones if print_of and one.fingerprint == print_of]
        return ImportView(
            records=self._dataset.count(),
            upload=upload.state if upload else None,
            check=msgspec.structs.replace(check, issues=()) if check else None,
            unfinished=same[0] if same else None,
            others=tuple(one for one in open_ones if one not in same),
            result=result,
        )

    @rpc.method()
    def begin_upload(self, name: FileName, size: Size) -> UploadState:
        """Make room for a file; the one before it goes."""
        self.reset()
        upload = Upload(name, size)
        with self._lock:
            self._upload = upload
        return upload.state

    @rpc.method(background=True)
    def put_piece(self, upload: UploadId, offset: Offset, data: bytes) -> None:
        """Take a piece of the file."""
        self._uploaded(upload).put(offset, data)

    @rpc.method()
    def check_upload(self, upload: UploadId) -> JobState:
        """Look at the file, now that all of it is here."""
        found = self._uploaded(upload)
        if not found.state.is_whole:
            raise InvalidArgument("Parts of the file are missing.", hint="Choose the file again.")

        def work(progress: Told, cancelled: Callable[[], bool]) -> str:
            with found.held() as path:
                check = self._dataset.check_file(path, progress=progress, cancelled=cancelled)
            with self._lock:
                if self._upload is found:
                    self._check = check
            return f"{check.records:,} records in {found.name}."

        job = self.start_job("check-file", "Check the file", work)
        with self._lock:
            self._checking = job
        return job

    @rpc.method()
    def start_import(self, mode: ImportMode, resume: bool = False) -> JobState:
        """Import the file that was looked at."""
        with self._lock:
            upload, check = self._upload, self._check
        if upload is None or check is None:
            raise InvalidArgument("There is no file to import.", hint="Choose one.")

        def work(progress: Told, cancelled: Callable[[], bool]) -> str:
            def told(now: ImportProgress) -> None:
                share = min(1.0, now.lines / check.lines) if check.lines else None
                doing = "Indexing for search" if now.phase == "indexing" else "Importing"
                progress(share, f"{doing}: {now.imported:,} records")

            with upload.held() as path:
                result = self._dataset.import_records(
                    path,
                    mode=mode,
                    progress=told,
                    cancelled=cancelled,
                    resume=resume,
                    name=upload.name,
                )
            upload.drop()
            with self._lock:
                self._result = _imported(result, upload.name, mode)
                if self._upload is upload:
                    self._upload = self._check = None
            return (
                f"{upload.name}: {result.imported:,} records imported, {result.invalid:,} of them "
                f"invalid; {result.refused:,} lines refused."
            )

        return self.start_job("import-records", "Import records", work)

    @rpc.method()
    def reset(self) -> None:
        """Give up the file and what was found in it; an import that runs goes on."""
        with self._lock:
            upload, checking = self._upload, self._checking
            self._upload = self._check = self._checking = self._result = None
        if checking is not None:
            inline.cancel(self._dataset.id, checking.id)
        if upload is not None:
            upload.drop()

    @rpc.method()
    def leave(self, upload: UploadId | None = None) -> None:
        """A page that sent this file is closed; what it saw of an import is not shown again."""
        with self._lock:
            mine = self._upload is not None and self._upload.id == upload
            if self._upload is None:
                self._result = None
        if mine:
            self.reset()

    @rpc.method(background=True, packed=True)
    def load_issues(self) -> tuple[LineIssue, ...]:
        """The first faults of the lines, as imported or else as checked."""
        with self._lock:
            check, result = self._check, self._result
        if result is not None:
            return self._dataset.import_issues(result.import_id)
        return check.issues if check else ()

    @rpc.method(background=True)
    def download_issues(self, file_format: IssuesFormat) -> Download:
        """The faults of the lines as a file."""
        with self._lock:
            check, result = self._check, self._result
        name = file_name(self._dataset.name, "import-errors", file_format)
        if result is not None:
            done = result.import_id
            return self.offer(
                name,
                lambda path, _: self._dataset.export_import_issues(done, path, file_format),
                call=f"ds.export_import_issues({done!r}, {name!r}, {file_format!r})",
            )
        issues = check.issues if check else ()
        return self.offer(
            name,
            lambda path, _: write_issues(issues, path, file_format),
            call="ds.check_file(path)",
        )

    @rpc.method(background=True)
    def discard_unfinished(self, import_id: ImportId) -> int:
        """Give up an import that was cut off."""
        return self._dataset.discard_unfinished_imports(import_id)

    def close(self) -> None:
        """Give up the file with the view."""
        self.reset()
        super().close()

    def _uploaded(self, upload_id: str) -> Upload:
        with self._lock:
            upload = self._upload
        if upload is None or upload.id != upload_id:
            raise InvalidArgument("This upload was stopped.", hint="Choose the file again.")
        return upload


def _imported(result: ImportResult, name: str, mode: ImportMode) -> Imported:
    return Imported(
        import_id=result.import_id,
        name=name,
        mode=mode,
        lines=result.lines,
        imported=result.imported,
        valid=result.valid,
        invalid=result.invalid,
        duplicates=result.duplicates,
        refused=result.refused,
    )


WIDGET = ImportRecordsDialog
