"""An index of traces in a file of its own: what a page lists, filters and searches.

A source is read once, front to back, and only the index is asked afterwards: a hundred thousand
traces take no memory to speak of, and every page of every filter comes at once. It can be asked
while it is being filled.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from rft_widgets.errors import NotFound
from rft_widgets.model.creation import TraceFilter
from rft_widgets.model.trace import Trace
from rft_widgets.traces.source import TraceSource, text_of

SEARCHED_BYTES = 1024**3
"""Text that is kept to be searched whole; of later traces only their beginnings are."""
SEARCHED_CHARS = 2_000
"""Characters of such a beginning."""
PREVIEW_CHARS = 160
_BATCH = 500
_BATCH_S = 0.5

_SCHEMA = """
CREATE TABLE calls (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL, at_us INTEGER, model TEXT, preview TEXT NOT NULL,
    turns INTEGER NOT NULL, tools INTEGER NOT NULL, answered INTEGER NOT NULL
);
CREATE TABLE texts (n INTEGER PRIMARY KEY, text TEXT NOT NULL);
"""


class TraceRow(Struct, frozen=True, kw_only=True):
    """A trace in a list."""

    number: int
    """Its place in the source, counted from 0."""
    id: str
    started_at: datetime | None
    model: str | None
    preview: str
    """How the user's last message begins."""
    turns: int
    tools: int
    """Tools that were offered."""
    has_response: bool


class TraceIndex:
    """Traces of one source.

    Parameters
    ----------
    path
        File for it, which must not exist; `close` takes it away.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        path.chmod(0o600)
        # What a crash leaves is worth nothing: it is made anew from the source.
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-16384"):
            self._database.execute(f"PRAGMA {pragma}")
        self._database.executescript(_SCHEMA)
        self._is_closed = False
        self._size = 0
        self._matching: tuple[TraceFilter, int, Sequence[int]] | None = None
        self.total = 0
        """Traces so far."""
        self.is_searched_whole = True
        """Whether all text is kept, so that a search finds what stands anywhere."""

    def fill(
        self,
        traces: TraceSource,
        *,
        progress: Callable[[int], None] | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> bool:
        """Read all traces of a source; returns whether it came to the end.

        Parameters
        ----------
        traces
            The source; its filters apply.
        progress
            Is told how many there are so far, twice a second or so.
        cancelled
            Asked as often.
        """
        batch: list[Trace] = []
        since = time.monotonic()
        for trace in traces:
            batch.append(trace)
            if len(batch) >= _BATCH or time.monotonic() - since > _BATCH_S:
                if cancelled():
                    return False
                self._add(batch)
                batch, since = [], time.monotonic()
                if progress is not None:
                    progress(self.total)
        self._add(batch)
        with self._open():
            self._database.execute("CREATE INDEX calls_at ON calls (at_us DESC, n)")
        return True

    def models(self) -> tuple[str, ...]:
        """Models that were asked, the most used first, whatever a filter says."""
        query = "SELECT model FROM calls WHERE model IS NOT NULL GROUP BY model ORDER BY -COUNT(*)"
        return tuple(row[0] for row in self._all(query))

    def matching(self, where: TraceFilter) -> Sequence[int]:
        """Numbers of the traces that match, the newest first."""
        with self._lock:
            known = self._matching
        if known is not None and known[:2] == (where, self.total):
            return known[2]
        total = self.total
        condition, values = _condition(where)
        query = f"SELECT n FROM calls WHERE {condition} ORDER BY at_us DESC, n"
        found = [row[0] for row in self._all(query, values)]
        with self._lock:
            self._matching = (where, total, found)
        return found

    def rows(self, numbers: Sequence[int]) -> tuple[TraceRow, ...]:
        """Traces by their numbers, in that order."""
        marks = ", ".join("?" * len(numbers))
        query = (
            "SELECT n, id, at_us, model, preview, turns, tools, answered FROM calls "
            f"WHERE n IN ({marks})"
        )
        found = {row[0]: _row(row) for row in self._all(query, numbers)}
        return tuple(found[number] for number in numbers if number in found)

    def ids(self, numbers: Iterable[int] | None = None) -> dict[int, str]:
        """Ids of traces by their numbers, or of all."""
        every = dict(self._all("SELECT n, id FROM calls"))
        return every if numbers is None else {n: every[n] for n in numbers if n in every}

    def close(self) -> None:
        """Take the index away."""
        with self._lock:
            self._is_closed = True
            self._database.close()
        with contextlib.suppress(OSError):
            self._path.unlink()

    def _add(self, traces: list[Trace]) -> None:
        calls, texts = [], []
        for number, trace in enumerate(traces, self.total):
            text = text_of(trace)
            if self._size > SEARCHED_BYTES:
                self.is_searched_whole = self.is_searched_whole and len(text) <= SEARCHED_CHARS
                text = text[:SEARCHED_CHARS]
            self._size += len(text)
            at = trace.started_at
            model = trace.model or trace.response_model
            calls.append(
                (
                    number, _clean(trace.id), None if at is None else _microseconds(at),
                    None if model is None else _clean(model), _clean(_preview(trace)),
                    trace.turns, len(trace.tools), trace.has_response,
                )
            )  # fmt: skip
            texts.append((number, _clean(text)))
        with self._open():
            self._database.execute("BEGIN")
            self._database.executemany("INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?, ?, ?)", calls)
            self._database.executemany("INSERT INTO texts VALUES (?, ?)", texts)
            self._database.execute("COMMIT")
            self.total += len(traces)

    @contextlib.contextmanager
    def _open(self) -> Iterator[None]:
        """Use the database, alone; another thread may have taken it away."""
        with self._lock:
            if self._is_closed:
                raise NotFound("This list of traces was closed.", hint="Open the source again.")
            yield

    def _all(self, query: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        with self._open():
            return self._database.execute(query, tuple(values)).fetchall()


def _condition(where: TraceFilter) -> tuple[str, list[Any]]:
    parts: list[str] = ["1"]
    values: list[Any] = []
    for column, bound in (("at_us >=", where.since), ("at_us <=", where.until)):
        if bound is not None:
            parts.append(f"{column} ?")
            values.append(_microseconds(bound))
    if where.model is not None:
        parts.append("model = ?")
        values.append(where.model)
    if where.min_turns:
        parts.append("turns >= ?")
        values.append(where.min_turns)
    if where.has_response is not None:
        parts.append("answered = ?")
        values.append(where.has_response)
    if where.search:
        parts.append("n IN (SELECT n FROM texts WHERE instr(text, ?) > 0)")
        values.append(_clean(where.search.casefold()))
    return " AND ".join(parts), values


def _row(row: tuple[Any, ...]) -> TraceRow:
    number, trace_id, at_us, model, preview, turns, tools, answered = row
    return TraceRow(
        number=number,
        id=trace_id,
        started_at=None if at_us is None else datetime.fromtimestamp(at_us / 1e6, UTC),
        model=model,
        preview=preview,
        turns=turns,
        tools=tools,
        has_response=bool(answered),
    )


def _preview(trace: Trace) -> str:
    said = trace.system_prompt
    for message in reversed(trace.messages):
        if message.role == "user":
            said = message.text
            break
    return " ".join(said[: 4 * PREVIEW_CHARS].split())[:PREVIEW_CHARS]


def _microseconds(moment: datetime) -> int:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(aware.timestamp() * 1e6)


def _clean(text: str) -> str:
    # SQLite takes no lone surrogates.
    return text.encode(errors="replace").decode()
