"""Traces of one source for a page: read in the background, filtered, selected, and followed."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from rft_widgets.errors import InvalidArgument, RftError
from rft_widgets.model.creation import UPLOAD, FromTraces, TraceFilter
from rft_widgets.model.pattern import DetectedPattern
from rft_widgets.model.problem import problem_of
from rft_widgets.traces.index import TraceIndex
from rft_widgets.traces.openai_chat import is_api
from rft_widgets.traces.pattern import PatternFinder
from rft_widgets.traces.places import open_place
from rft_widgets.traces.source import TraceSource
from rft_widgets.traces.vllora_source import read_gateway
from rft_widgets.uploads import Uploads
from rft_widgets.widgets.creating.states import ScanState, TracePage, TraceQuery
from rft_widgets.widgets.scratch import scratch

logger = logging.getLogger(__name__)

MAX_ROWS = 200
"""Rows of one page."""
PATTERN_TRACES = 5_000
"""Selected traces that are looked at for their pattern."""
LOOK_S = 3.0
"""How often a source is asked whether it changed."""
_REST = 5
"""Times the length of the last reading that pass before the next one."""
_HOURS = {"24h": 24, "7d": 7 * 24, "30d": 30 * 24}


class Scan:
    """Traces of one source. Everything may be called in any thread.

    Parameters
    ----------
    location
        A place that was checked.
    name
        What the page calls it.
    uploads
        Where uploaded files are.
    told
        Called after each change of the state.
    """

    def __init__(
        self, location: str, name: str, uploads: Uploads, told: Callable[[], None]
    ) -> None:
        self._uploads = uploads
        self._told = told
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._unfollowed = threading.Event()
        self._reading = threading.Lock()
        self._index: TraceIndex | None = None
        self._next: TraceIndex | None = None
        self._picked: set[int] = set()
        self._seen: Any = None
        self._took_s = 0.0
        self.state = ScanState(location=location, name=name, status="reading")
        self._in_thread("rft-traces", self._read_first)

    def refresh(self) -> None:
        """Show what has come; what is selected stays so."""
        with self._lock:
            if self._next is not None:
                self._adopt()
                return
            if self.state.status == "reading" or self.state.is_refreshing:
                return
            if self._index is None:
                self._set(status="reading", problem=None)
                self._in_thread("rft-traces", self._read_first)
                return
            self._set(is_refreshing=True)
        self._in_thread("rft-traces", self._read_and_show)

    def follow(self) -> None:
        """Announce traces that have come since, until `unfollow`; they are not shown."""
        with self._lock:
            self._unfollowed.set()
            self._unfollowed = stop = threading.Event()
        self._in_thread("rft-look", self._look, stop)

    def unfollow(self) -> None:
        """Look no more whether traces have come."""
        with self._lock:
            self._unfollowed.set()

    def _look(self, stop: threading.Event) -> None:
        last = time.monotonic()
        while not stop.wait(LOOK_S):
            with self._lock:
                waits = self._next is not None or self.state.status != "ready"
            rested = time.monotonic() - last > self._took_s * _REST
            if waits or not rested or self._signature() == self._seen:
                continue
            self._read_and_tell()
            last = time.monotonic()

    def page(self, query: TraceQuery, start: int, count: int) -> TracePage:
        """Some of the traces that match, the newest first."""
        index, numbers = self._matching(query)
        some = numbers[start : start + min(count, MAX_ROWS)]
        rows = index.rows(some)
        with self._lock:
            picked = self._picked
            return TracePage(
                rows=rows,
                picked=tuple(number for number in some if number in picked),
                matching=len(numbers),
                total=index.total,
                picked_matching=sum(number in picked for number in numbers) if picked else 0,
                picked_total=len(picked),
            )

    def pick(self, numbers: Iterable[int], *, on: bool) -> None:
        """Select traces, or take them out of the selection."""
        with self._lock:
            total = 0 if self._index is None else self._index.total
            known = {number for number in numbers if number < total}
            self._picked = self._picked | known if on else self._picked - known

    def pick_matching(self, query: TraceQuery, *, on: bool) -> None:
        """Select all that match, or take them out; what else is selected stays so."""
        _, numbers = self._matching(query)
        self.pick(numbers, on=on)

    def clear(self) -> None:
        """Select nothing."""
        with self._lock:
            self._picked = set()

    @property
    def picked(self) -> frozenset[int]:
        """What is selected."""
        with self._lock:
            return frozenset(self._picked)

    def chosen(self, query: TraceQuery) -> FromTraces:
        """What a dataset is made of: the selection.

        It is said by the filter where that chooses the very same traces, so that new ones which
        match can be pulled later; else one by one.

        Raises
        ------
        InvalidArgument
            Nothing is selected.
        """
        index, numbers = self._matching(query)
        picked = self.picked
        if not picked:
            raise InvalidArgument("No traces are selected.", hint="Select some first.")
        location = self.state.location
        if self.state.status == "ready" and picked == frozenset(numbers):
            return FromTraces(source=location, where=filter_of(query))
        return FromTraces(source=location, trace_ids=tuple(sorted(index.ids(picked).values())))

    def pattern(self, cancelled: Callable[[], bool]) -> DetectedPattern | None:
        """What the selected traces have in common; ``None`` if nothing is, or it was cancelled."""
        with self._lock:
            if self._index is None or not self._picked:
                return None
            ids = set(self._index.ids(self._picked).values())
        finder = PatternFinder()
        for number, trace in enumerate(self._open()):
            if number % 100 == 0 and (cancelled() or self._closed.is_set()):
                return None
            if trace.id in ids:
                finder.add(trace)
            if finder.count >= min(PATTERN_TRACES, len(ids)):
                break
        return finder.pattern() if finder.count else None

    def close(self) -> None:
        """End all of it."""
        self._closed.set()
        self.unfollow()
        with self._lock:
            for index in (self._index, self._next):
                if index is not None:
                    index.close()
            self._index = self._next = None

    def _matching(self, query: TraceQuery) -> tuple[TraceIndex, Sequence[int]]:
        with self._lock:
            index = self._index
        if index is None:
            raise InvalidArgument("The traces are not read yet.", hint="Wait for them.")
        return index, index.matching(filter_of(query))

    def _open(self) -> TraceSource:
        return open_place(self.state.location, self._uploads).traces

    def _read_first(self) -> None:
        """Read the source; what is read already is shown meanwhile."""
        with self._reading:
            began, self._seen = time.monotonic(), self._signature()
            try:
                traces = self._open()
                with self._lock:
                    if self._closed.is_set():
                        return
                    self._index = index = _new_index()
                self._set(format=traces.format)
                index.fill(traces, progress=self._progress, cancelled=self._closed.is_set)
                self._finish(traces, index)
            except Exception as error:  # the page is told, whatever happened
                if not isinstance(error, RftError):
                    logger.exception("Traces of %s cannot be read.", self.state.location)
                self._failed(error)
            self._took_s = time.monotonic() - began

    def _progress(self, read: int) -> None:
        index = self._index
        if index is not None:
            self._set(read=read, models=index.models())

    def _finish(self, traces: TraceSource, index: TraceIndex) -> None:
        if self._closed.is_set():
            return
        losses = traces.losses
        self._set(
            status="ready",
            read=index.total,
            models=index.models(),
            lost=losses.model_calls - losses.traces,
            is_searched_whole=index.is_searched_whole,
            is_refreshing=False,
            fresh=0,
            problem=None,
        )

    def _failed(self, error: Exception) -> None:
        if self._closed.is_set():
            return
        with self._lock:
            index, self._index = self._index, None
            self._picked = set()
        if index is not None:
            index.close()
        self._set(status="failed", is_refreshing=False, problem=problem_of(error))

    def _read_and_show(self) -> None:
        try:
            newer = self._read_again()
        except Exception as error:  # what was read before stays
            logger.info("Traces of %s cannot be read again.", self.state.location, exc_info=True)
            self._set(is_refreshing=False, problem=problem_of(error))
            return
        with self._lock:
            self._next = newer
            self._adopt()

    def _read_and_tell(self) -> None:
        """See how many have come, and announce them."""
        try:
            newer = self._read_again()
        except Exception:  # who looks is told when the list is refreshed
            logger.info("Traces of %s cannot be read again.", self.state.location, exc_info=True)
            return
        with self._lock:
            if newer is None or self._index is None:
                return
            fresh = len(set(newer.ids().values()) - set(self._index.ids().values()))
            if fresh:
                self._next = newer
                self._set(fresh=fresh)
            else:
                newer.close()

    def _read_again(self) -> TraceIndex | None:
        """Read the source into another index; ``None`` when all of this was ended."""
        with self._reading:
            began, self._seen = time.monotonic(), self._signature()
            index = _new_index()
            try:
                whole = index.fill(self._open(), cancelled=self._closed.is_set)
            except BaseException:
                index.close()
                raise
            self._took_s = time.monotonic() - began
            if not whole:
                index.close()
            return index if whole else None

    def _adopt(self) -> None:
        """Show the newer index; the caller holds the lock."""
        if self._index is None or self._next is None:
            return
        old, self._index, self._next = self._index, self._next, None
        picked = set(old.ids(self._picked).values())
        self._picked = {number for number, key in self._index.ids().items() if key in picked}
        old.close()
        self._set(
            read=self._index.total, models=self._index.models(), fresh=0, is_refreshing=False,
            is_searched_whole=self._index.is_searched_whole, problem=None,
        )  # fmt: skip

    def _signature(self) -> Any:
        """Another value when something has come, ``None`` where that is not known."""
        location = self.state.location
        if location.startswith(UPLOAD):
            return None
        if is_api(location):
            return location  # thousands of requests: only when somebody wants it
        if location.startswith(("http://", "https://")):
            try:
                newest = next(iter(read_gateway(location, page_size=1, timeout_s=2)), None)
            except RftError:
                return self._seen
            return None if newest is None else str(newest.value.get("span_id"))
        return tuple(_stat(Path(f"{location}{ending}").expanduser()) for ending in ("", "-wal"))

    def _set(self, **values: Any) -> None:
        with self._lock:
            self.state = msgspec.structs.replace(self.state, **values)
        self._told()

    def _in_thread(self, name: str, work: Callable[..., None], *arguments: Any) -> None:
        threading.Thread(target=work, args=arguments, name=name, daemon=True).start()


def filter_of(query: TraceQuery) -> TraceFilter:
    """The filters with a moment in place of a range."""
    since = None
    if query.since != "all":
        # Whole minutes: the pages of one list are asked for one after the other.
        now = datetime.now(UTC).replace(second=0, microsecond=0)
        since = now - timedelta(hours=_HOURS[query.since])
    return TraceFilter(
        since=since,
        model=query.model,
        min_turns=query.min_turns,
        has_response=True if query.has_response else None,
        search=query.search.strip(),
    )


def _new_index() -> TraceIndex:
    return TraceIndex(scratch() / f"traces-{secrets.token_hex(8)}")


def _stat(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
