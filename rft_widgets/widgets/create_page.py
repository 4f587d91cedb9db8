"""The page that creates a dataset: from recorded model calls, or from a file."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import msgspec

from rft_widgets.dataset.imports import IssuesFormat, write_issues
from rft_widgets.errors import InvalidArgument
from rft_widgets.model.creation import CreationSource, FromUpload
from rft_widgets.model.imports import FileCheck, LineIssue
from rft_widgets.traces.places import APP_VARIABLE, check_place, found_places
from rft_widgets.uploads import UploadState
from rft_widgets.widgets import rpc
from rft_widgets.widgets.base import FollowingWidget
from rft_widgets.widgets.creating.file import SentFile
from rft_widgets.widgets.creating.scan import MAX_ROWS, Scan
from rft_widgets.widgets.creating.states import (
    FileState,
    PatternState,
    ScanState,
    SourcesView,
    TracePage,
    TraceQuery,
)
from rft_widgets.widgets.downloads import Download, Offers, file_name
from rft_widgets.widgets.traits import Value
from rft_widgets.widgets.uploads import FileName, Offset, Size, UploadId
from rft_widgets.workspace import Workspace

logger = logging.getLogger(__name__)

SETTLED_S = 0.5
"""How long a selection stays as it is before its pattern is looked for."""

_UNAVAILABLE = (
    "Or save a connection under Settings: chat completions that its service stores are read from "
    "there.",
)

Location = Annotated[str, msgspec.Meta(min_length=1, max_length=4_096)]
Name = Annotated[str, msgspec.Meta(max_length=200)]
Words = Annotated[str, msgspec.Meta(max_length=10_000)]
Number = Annotated[int, msgspec.Meta(ge=0)]
Numbers = Annotated[tuple[Number, ...], msgspec.Meta(max_length=2_000)]
Count = Annotated[int, msgspec.Meta(ge=1, le=MAX_ROWS)]
CreateFrom = Literal["traces", "file"]


class CreatePage(Offers, FollowingWidget):
    """Create a dataset of a workspace."""

    component: ClassVar[str] = "app/create_page"

    scan = Value(ScanState)
    """The source of traces that is open."""
    file = Value(FileState, default=FileState())
    traces_pattern = Value(PatternState, default=PatternState())
    """What the selected traces have in common."""
    file_pattern = Value(PatternState, default=PatternState())

    def __init__(self, workspace: Workspace, **values: Any) -> None:
        self._workspace = workspace
        self._scan: Scan | None = None
        self._file = SentFile(workspace, self._tell_file)
        self._settling: threading.Timer | None = None
        self._looking = threading.Event()
        super().__init__(**values)

    @rpc.method(background=True)
    def sources(self) -> SourcesView:
        """Where traces may come from."""
        return SourcesView(
            places=found_places(saved=self._workspace.connections),
            any_path=not os.environ.get(APP_VARIABLE),
            unavailable=_UNAVAILABLE,
        )

    @rpc.method(background=True)
    def open_source(self, location: Location, name: Name = "") -> None:
        """Read traces from a source; what was open before is closed."""
        location = location.strip()
        check_place(location, saved=self._workspace.connections)
        scan = Scan(location, name or location, self._workspace.uploads, self._tell_scan)
        with self._lock:
            before, self._scan = self._scan, scan
        if before is not None:
            before.close()
        self._tell_scan()
        self._settle()
        if self.is_shown:
            scan.follow()

    @rpc.method()
    def refresh_traces(self) -> None:
        """Show what has come since the source was read."""
        self._opened().refresh()

    @rpc.method(background=True, packed=True)
    def list_traces(self, query: TraceQuery, start: Number, count: Count) -> TracePage:
        """Some of the traces that match, the newest first."""
        return self._opened().page(query, start, count)

    @rpc.method()
    def pick_traces(self, numbers: Numbers, on: bool) -> None:
        """Select traces, or take them out of the selection."""
        self._opened().pick(numbers, on=on)
        self._settle()

    @rpc.method(background=True)
    def pick_matching(self, query: TraceQuery, on: bool) -> None:
        """Select all traces that match, or take them out; what else is selected stays so."""
        self._opened().pick_matching(query, on=on)
        self._settle()

    @rpc.method()
    def clear_picked(self) -> None:
        """Select no traces."""
        self._opened().clear()
        self._settle()

    @rpc.method()
    def begin_upload(self, name: FileName, size: Size) -> UploadState:
        """Make room for a file; the one before it goes."""
        return self._file.begin(name, size)

    @rpc.method()
    def resume_upload(self, upload: UploadId) -> UploadState:
        """Go on with a file that was begun before the page was loaded anew."""
        return self._file.go_on(upload)

    @rpc.method()  # in the order in which they are sent
    def put_piece(self, upload: UploadId, offset: Offset, data: bytes) -> None:
        """Take the next piece of the file."""
        self._file.put(upload, offset, data)

    @rpc.method()
    def check_upload(self, upload: UploadId) -> None:
        """Look at the file, now that all of it is here."""
        self._file.look(upload)

    @rpc.method()
    def drop_upload(self) -> None:
        """Give up the file."""
        self._file.drop()

    @rpc.method(background=True, packed=True)
    def load_check(self) -> FileCheck | None:
        """What the file holds, its faults aside."""
        check = self._file.check
        return msgspec.structs.replace(check, issues=()) if check else None

    @rpc.method(background=True, packed=True)
    def load_issues(self) -> tuple[LineIssue, ...]:
        """The first faults of the file's lines."""
        check = self._file.check
        return check.issues if check else ()

    @rpc.method(background=True)
    def download_issues(self, file_format: IssuesFormat) -> Download:
        """The faults of the file's lines as a file."""
        check, upload = self._file.check, self._file.state.upload
        issues = check.issues if check else ()
        named = file_name(Path(upload.name).stem if upload else "", "errors", file_format)
        return self.offer(
            named,
            lambda path, _: write_issues(issues, path, file_format),
            call="workspace.check_file(path)",
        )

    @rpc.method(background=True)
    def create(
        self, of: CreateFrom, name: Name, objective: Words, query: TraceQuery | None = None
    ) -> str:
        """Make a dataset and let it fill itself; returns its id.

        ``query`` is what the list of traces shows: where the selection is just that, it stands for
        it.
        """
        if not name.strip() or not objective.strip():
            raise InvalidArgument(
                "A dataset needs a name and an objective.", hint="Fill in both, please."
            )
        source: CreationSource
        expected: int | None
        if of == "traces":
            scan = self._opened()
            source, expected = scan.chosen(query or TraceQuery()), len(scan.picked)
        else:
            upload = self._file.hand_over()
            check = self._file.check
            source, expected = FromUpload(upload=upload.id), check.lines if check else None
        made = self._workspace.create_and_start(
            source, name=name, objective=objective, expected=expected
        )
        if of == "traces":
            self._opened().clear()
            self._settle()
        else:
            self._file.forget()
        return made.id

    def close(self) -> None:
        """Take the page away, for good."""
        with self._lock:
            scan, self._scan = self._scan, None
            self._looking.set()
            if self._settling is not None:
                self._settling.cancel()
        if scan is not None:
            scan.close()
        self._file.close()
        super().close()

    def _follow(self) -> Callable[[], None]:
        scan = self._scan
        if scan is not None:
            scan.follow()

        def stop() -> None:
            if self._scan is not None:
                self._scan.unfollow()

        return stop

    def _opened(self) -> Scan:
        with self._lock:
            scan = self._scan
        if scan is None:
            raise InvalidArgument("No source of traces is open.", hint="Choose one.")
        return scan

    def _tell_scan(self) -> None:
        with self._lock:
            if self.comm is None or self._scan is None:
                return
            with self.hold_sync():
                self.scan = self._scan.state
                self.revision += 1

    def _tell_file(self) -> None:
        with self._lock:
            if self.comm is None:
                return
            with self.hold_sync():
                self.file = self._file.state
                self.file_pattern = PatternState(
                    is_at_work=self._file.state.status == "checking", pattern=self._file.pattern
                )

    def _settle(self) -> None:
        """Look for the pattern of the selection, when it has stayed as it is for a moment."""
        with self._lock:
            self._looking.set()
            self._looking = stop = threading.Event()
            if self._settling is not None:
                self._settling.cancel()
            scan = self._scan
            is_empty = scan is None or not scan.picked
            self.traces_pattern = PatternState(
                is_at_work=not is_empty,
                pattern=None if is_empty else self.traces_pattern.pattern,
            )
            if scan is None or is_empty:
                return
            self._settling = threading.Timer(SETTLED_S, self._find_pattern, (scan, stop))
            self._settling.name = "rft-pattern"
            self._settling.daemon = True
            self._settling.start()

    def _find_pattern(self, scan: Scan, stop: threading.Event) -> None:
        found = None
        try:
            found = scan.pattern(stop.is_set)
        except Exception:  # it only suggests
            logger.info("There is no pattern of the selected traces.", exc_info=True)
        with self._lock:
            if not stop.is_set() and self.comm is not None:
                self.traces_pattern = PatternState(pattern=found)
