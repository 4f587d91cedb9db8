"""A file that a page sends to make a dataset of: taken, then looked at in the background."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import msgspec

from rft_widgets.errors import InvalidArgument, RftError
from rft_widgets.model.imports import FileCheck
from rft_widgets.model.pattern import DetectedPattern
from rft_widgets.model.problem import problem_of
from rft_widgets.model.record import RecordDraft
from rft_widgets.traces.drafts import to_trace
from rft_widgets.traces.pattern import PatternFinder
from rft_widgets.uploads import UploadState
from rft_widgets.widgets.creating.states import FileState
from rft_widgets.workspace import Workspace

logger = logging.getLogger(__name__)

PATTERN_RECORDS = 5_000
"""Records of a file that are looked at for their pattern, its first ones."""


class SentFile:
    """The file of a page, one at a time. Everything may be called in any thread.

    Parameters
    ----------
    workspace
        Where the dataset will be.
    told
        Called after each change of the state.
    """

    def __init__(self, workspace: Workspace, told: Callable[[], None]) -> None:
        self._workspace = workspace
        self._told = told
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self.state = FileState()
        self.check: FileCheck | None = None
        self.pattern: DetectedPattern | None = None

    def begin(self, name: str, size: int) -> UploadState:
        """Make room for a file; the one before it goes."""
        self.drop()
        upload = self._workspace.uploads.begin(name, size)
        self._set(status="sending", upload=upload)
        return upload

    def go_on(self, upload_id: str) -> UploadState:
        """Go on with a file that was begun before the page was loaded anew."""
        upload = self._workspace.uploads.state(upload_id)
        with self._lock:
            mine = self.state.upload
            if mine is not None and mine.id == upload_id:
                return upload
        self.drop()
        self._set(status="sending", upload=upload)
        return upload

    def put(self, upload_id: str, offset: int, data: bytes) -> None:
        """Take the next piece."""
        self._expect(upload_id)
        upload = self._workspace.uploads.write(upload_id, offset, data)
        with self._lock:
            if self.state.upload is not None and self.state.upload.id == upload_id:
                self.state = msgspec.structs.replace(self.state, upload=upload)

    def look(self, upload_id: str) -> None:
        """Look at the file, now that all of it is here."""
        self._expect(upload_id)
        self._workspace.uploads.path(upload_id)
        with self._lock:
            self._stop.set()
            self._stop = stop = threading.Event()
            self.check = self.pattern = None
        self._set(
            status="checking",
            upload=self._workspace.uploads.state(upload_id),
            share=None,
            doing="Reading the file",
            problem=None,
        )
        threading.Thread(
            target=self._look, args=(upload_id, stop), name="rft-check", daemon=True
        ).start()

    def hand_over(self) -> UploadState:
        """The file for a dataset, whose it is from now on.

        Raises
        ------
        InvalidArgument
            There is none that was looked at, or it holds no records.
        """
        with self._lock:
            upload, check = self.state.upload, self.check
            if upload is None or check is None or self.state.status != "ready":
                raise InvalidArgument("There is no file that was checked.", hint="Choose one.")
        if not check.records:
            raise InvalidArgument("The file holds no records.", hint="Choose another one.")
        return upload

    def forget(self) -> None:
        """Show no file, and leave it where it is."""
        with self._lock:
            self._stop.set()
            self.check = self.pattern = None
            self.state = FileState()
        self._told()

    def drop(self) -> None:
        """Give up the file."""
        with self._lock:
            upload = self.state.upload
        if upload is not None:
            self._workspace.uploads.drop(upload.id)
        self.forget()

    def close(self) -> None:
        """End what is at work; the file stays for a page that is loaded anew."""
        self._stop.set()

    def _expect(self, upload_id: str) -> None:
        with self._lock:
            upload = self.state.upload
        if upload is None or upload.id != upload_id:
            raise InvalidArgument("This upload was stopped.", hint="Choose the file again.")

    def _look(self, upload_id: str, stop: threading.Event) -> None:
        finder = PatternFinder()

        def told(share: float | None, doing: str) -> None:
            if not stop.is_set():
                self._set(share=share, doing=doing)

        def each(draft: RecordDraft) -> None:
            if finder.count < PATTERN_RECORDS:
                finder.add(to_trace(draft, ""))

        try:
            with self._workspace.uploads.reading(upload_id) as path:
                check = self._workspace.check_file(
                    path, progress=told, cancelled=stop.is_set, each=each
                )
            pattern = finder.pattern() if finder.count else None
        except Exception as error:  # the page is told, whatever happened
            if stop.is_set():
                return
            if isinstance(error, RftError):
                self._workspace.uploads.drop(upload_id)  # nothing can be made of it
            else:
                logger.exception("The uploaded file cannot be looked at.")
            self._set(status="failed", problem=problem_of(error))
            return
        with self._lock:
            if stop.is_set():
                return
            self.check, self.pattern = check, pattern
            self._set(status="ready", share=None, doing="")

    def _set(self, **values: Any) -> None:
        with self._lock:
            self.state = msgspec.structs.replace(self.state, **values)
        self._told()
