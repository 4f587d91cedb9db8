"""Jobs that bring records in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct

from rft_widgets.model.imports import FileCheck
from rft_widgets.model.record import ImportProgress, ImportResult
from rft_widgets.store.imports import ImportMode
from rft_widgets.worker.definition import Attempt, Definition

LANE = "import"
"""Two imports at once would each take the other's records for new ones."""

UploadId = Annotated[str, Meta(min_length=1, max_length=64)]
Text = Annotated[str, Meta(min_length=1, max_length=4_096)]


class File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file: one that was uploaded, or one on this machine."""

    upload: UploadId | None = None
    path: Text | None = None

    def __post_init__(self) -> None:
        if (self.upload is None) == (self.path is None):
            raise ValueError("name an upload or a path")


class CheckFile(File, frozen=True, kw_only=True):
    """Which file to look at."""


class ImportRecords(File, frozen=True, kw_only=True):
    """Which file to import, and how."""

    mode: ImportMode = "append"
    resume: bool = False
    """Go on with an import of this very file that was cut off."""
    lines: Annotated[int, Meta(ge=0)] | None = None
    """How many it has, where somebody counted: progress is told by them."""


class PullTraces(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing has to be said: the dataset knows its sources."""


@contextmanager
def _located(at: Attempt[Any]) -> Iterator[tuple[Path, str | None]]:
    """Where the file lies, and what it is called if that is something else."""
    upload, uploads = at.params.upload, at.dataset.uploads
    if upload is None:
        yield Path(at.params.path), None
        return
    with uploads.reading(upload) as path:
        yield path, uploads.state(upload).name


def _check_file(at: Attempt[CheckFile]) -> tuple[str, FileCheck]:
    with _located(at) as (path, name):
        check = at.dataset.check_file(path, progress=at.progress, cancelled=at.cancelled)
    return f"{check.records:,} records in {name or path.name}.", check


def _import_records(at: Attempt[ImportRecords]) -> tuple[str, ImportResult]:
    params, dataset = at.params, at.dataset
    done = at.done("import_records")
    if done is not None:
        result = dataset.import_result(done["import"])
        name = str(done["source"])
    else:
        with _located(at) as (path, given):
            name = given or path.name
            result = dataset.import_records(
                path,
                mode=params.mode,
                progress=lambda now: at.progress(share(now, params.lines), doing(now, "Importing")),
                cancelled=at.cancelled,
                resume=params.resume,
                name=given,
                # One that is taken up has an id already.
                import_id=None if params.resume else at.id_for("imp"),
            )
    if params.upload is not None:
        dataset.uploads.drop(params.upload)
    return (
        f"{name}: {result.imported:,} records imported, {result.invalid:,} of them invalid; "
        f"{result.refused:,} lines refused.",
        result,
    )


def _pull_traces(at: Attempt[PullTraces]) -> tuple[str, ImportResult]:
    done = at.done("import_records")
    result = (
        at.dataset.import_result(done["import"])
        if done is not None
        else at.dataset.pull_traces(
            progress=lambda now: at.progress(None, f"{now.imported:,} new records"),
            cancelled=at.cancelled,
            import_id=at.id_for("imp"),
        )
    )
    if not result.imported:
        return "Nothing new has come.", result
    return f"{result.imported:,} new records, {result.valid:,} of them valid.", result


def share(now: ImportProgress, lines: int | None) -> float | None:
    """Part of an import that is done, by its lines where somebody counted them."""
    if lines:
        return min(1.0, now.lines / lines)
    return now.bytes_read / now.bytes_total if now.bytes_total else None


def doing(now: ImportProgress, reading: str) -> str:
    """What an import does right now, in words; ``reading`` is what it does until it indexes."""
    words = "Indexing for search" if now.phase == "indexing" else reading
    return f"{words}: {now.imported:,} records"


DEFINITIONS: tuple[Definition[Any], ...] = (
    Definition(
        kind="check_file",
        title="Check the file",
        params=CheckFile,
        result=FileCheck,
        work=_check_file,
        is_quick=True,
    ),
    Definition(
        kind="import_records",
        title="Import records",
        params=ImportRecords,
        result=ImportResult,
        work=_import_records,
        lane=LANE,
    ),
    Definition(
        kind="pull_traces",
        title="Pull new traces",
        params=PullTraces,
        result=ImportResult,
        work=_pull_traces,
        lane=LANE,
    ),
)
