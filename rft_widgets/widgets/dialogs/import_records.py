"""Import records from a file: it is uploaded, looked at, and then imported."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Struct

from rft_widgets.dataset.imports import IssuesFormat, write_issues
from rft_widgets.dataset.job import Job
from rft_widgets.errors import InvalidArgument, NotFound
from rft_widgets.model.imports import FileCheck, ImportInfo, LineIssue
from rft_widgets.model.job import JobState
from rft_widgets.model.record import ImportResult
from rft_widgets.store.imports import ImportMode
from rft_widgets.uploads import MAX_FILE_BYTES, UploadState
from rft_widgets.widgets import rpc
from rft_widgets.widgets.dialogs.base import Dialog
from rft_widgets.widgets.downloads import Download, Offers, file_name
from rft_widgets.widgets.uploads import PIECE_BYTES, FileName, Offset, Size, UploadId
from rft_widgets.worker.records import CheckFile, ImportRecords

ImportId = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


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
        self._upload: UploadState | None = None
        self._check: FileCheck | None = None
        self._checking: Job | None = None
        self._importing: Job | None = None
        """While it runs, the file is the import's."""
        self._result: Imported | None = None
        super().__init__(*args, **values)

    @rpc.method(background=True)
    def load(self) -> ImportView:
        """How far it is."""
        self._catch_up()
        with self._lock:
            upload, check, result = self._upload, self._check, self._result
        open_ones = [one for one in self._dataset.imports if not one.finished]
        print_of = check.fingerprint if check else None
        same = [one for one in open_ones if print_of and one.fingerprint == print_of]
        return ImportView(
            records=self._dataset.count(),
            upload=upload,
            check=msgspec.structs.replace(check, issues=()) if check else None,
            unfinished=same[0] if same else None,
            others=tuple(one for one in open_ones if one not in same),
            result=result,
        )

    @rpc.method()
    def begin_upload(self, name: FileName, size: Size) -> UploadState:
        """Make room for a file; the one before it goes."""
        self.reset()
        upload = self._dataset.uploads.begin(name, size)
        with self._lock:
            self._upload = upload
        return upload

    @rpc.method()  # in the order in which they are sent
    def put_piece(self, upload: UploadId, offset: Offset, data: bytes) -> None:
        """Take the next piece of the file."""
        self._uploaded(upload)
        state = self._dataset.uploads.write(upload, offset, data)
        with self._lock:
            if self._upload is not None and self._upload.id == upload:
                self._upload = state

    @rpc.method()
    def check_upload(self, upload: UploadId) -> JobState:
        """Look at the file, now that all of it is here."""
        self._uploaded(upload)
        self._dataset.uploads.path(upload)  # which may have come another way than by pieces
        job = self._dataset.submit("check_file", CheckFile(upload=upload))
        with self._lock:
            self._checking = job
        return job.state

    @rpc.method()
    def start_import(self, mode: ImportMode, resume: bool = False) -> JobState:
        """Import the file that was looked at."""
        self._catch_up()
        with self._lock:
            upload, check = self._upload, self._check
        if upload is None or check is None:
            raise InvalidArgument("There is no file to import.", hint="Choose one.")
        asked = ImportRecords(upload=upload.id, mode=mode, resume=resume, lines=check.lines)
        job = self._dataset.submit("import_records", asked)
        with self._lock:
            self._importing, self._result = job, None
        return job.state

    @rpc.method()
    def reset(self) -> None:
        """Give up the file and what was found in it; an import that runs goes on."""
        self._catch_up()
        with self._lock:
            upload, checking, importing = self._upload, self._checking, self._importing
            self._upload = self._check = self._result = None
            self._checking = self._importing = None
        if checking is not None:
            with suppress(NotFound):  # it went with its dataset
                checking.cancel()
        if upload is not None and importing is None:
            self._dataset.uploads.drop(upload.id)

    def _catch_up(self) -> None:
        """See what has come of the jobs that were begun here."""
        with self._lock:
            upload, checking, importing = self._upload, self._checking, self._importing
        check, result = self._check, None
        if checking is not None and _has_ended(checking):
            check, checking = _result_of(checking), None
        if importing is not None and _has_ended(importing):
            found = _result_of(importing)
            if found is not None and upload is not None:
                result = _imported(found, upload.name, importing.params["mode"])
            importing = None
        with self._lock:
            if self._upload is not upload:  # given up meanwhile
                return
            self._checking, self._check, self._importing = checking, check, importing
            if result is not None:
                self._result = result
                self._upload = self._check = None

    @rpc.method()
    def leave(self, upload: UploadId | None = None) -> None:
        """A page that sent this file is closed; what it saw of an import is not shown again."""
        self._catch_up()
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

    def _uploaded(self, upload_id: str) -> UploadState:
        with self._lock:
            upload = self._upload
        if upload is None or upload.id != upload_id:
            raise InvalidArgument("This upload was stopped.", hint="Choose the file again.")
        return upload


def _has_ended(job: Job) -> bool:
    """Whether a job is at work no more; one that is gone with its dataset is not."""
    try:
        return not job.state.is_at_work
    except NotFound:
        return True


def _result_of(job: Job) -> Any:
    """What came of a job, if anything."""
    try:
        return job.result
    except NotFound:
        return None


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
