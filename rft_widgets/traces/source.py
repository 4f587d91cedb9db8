"""Opening a source of traces: filter it, look at it, and turn it into records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from msgspec import Struct

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.pattern import DetectedPattern
from rft_widgets.model.record import RecordDraft
from rft_widgets.model.trace import LossReport, Trace, TraceLoss
from rft_widgets.traces import detect
from rft_widgets.traces.detect import Origin
from rft_widgets.traces.drafts import last_turns, repeated, to_draft
from rft_widgets.traces.openai_chat import is_api, with_key
from rft_widgets.traces.pattern import detect_pattern
from rft_widgets.traces.reader import OtherSpan

Mode = Literal["every_turn", "last_turn_per_thread"]
"""Which calls become records: all of them, or of each thread the one with the most said."""

Since = datetime | Literal["24h", "7d", "30d", "all"]
"""Start of a time range: a moment, or that long before now."""

MAX_LOSSES = 1000
"""Losses that a report lists; it counts them all."""


def open_traces(source: Any, *, api_key_env: str | None = None) -> TraceSource:
    """Open traces of any supported format, whatever they are in.

    Parameters
    ----------
    source
        Path of a file or folder (JSON lines or JSON, plain or gzip; a vLLora store), address of a
        vLLora gateway, address of an OpenAI-compatible API that stores chat completions (up to its
        ``/v1``), or an iterable of dicts. The format is told from the content.
    api_key_env
        *Name* of the environment variable with the key of such an API; the address may name it as
        well: ``https://api.openai.com/v1#OPENAI_API_KEY``.

    Raises
    ------
    UnknownFormat
        If nothing in it has the shape of a known trace format.
    NotFound, ImportRejected, InvalidArgument
        If it cannot be read at all.

    Examples
    --------
    >>> traces = open_traces("gateway.otlp.jsonl")  # doctest: +SKIP
    >>> traces.filter(since="7d", min_turns=2).count()  # doctest: +SKIP
    """
    if api_key_env is not None:
        if not (isinstance(source, str) and is_api(source)):
            raise InvalidArgument(
                "Only an API that stores chat completions takes a key.",
                hint="Its address ends with its version, such as https://api.openai.com/v1.",
            )
        source = with_key(source, api_key_env)
    origin = detect.origin_of(source)
    return TraceSource(_Shared(origin, detect.formats(origin)), _Filter())


class TraceSource:
    """Traces of one source, narrowed by filters; every filter gives a new one.

    Traces are read from the source each time they are iterated; only a line about each is kept.
    What was counted once stays so: open the source again to see what has come since.
    """

    def __init__(self, shared: _Shared, where: _Filter) -> None:
        self._shared = shared
        self._where = where

    def __repr__(self) -> str:
        return f"TraceSource({self._shared.origin.name!r}, format={self.format!r})"

    def __iter__(self) -> Iterator[Trace]:
        """Give matching traces in the order of the source.

        One that later lines may add to comes when they have been read.
        """
        for _, trace in self._numbered():
            yield trace

    @property
    def format(self) -> str:
        """Name of the format; of several, of the first one in the source."""
        return self._shared.format

    @property
    def origin(self) -> dict[str, Any] | None:
        """What opens these traces again: ``traces`` (path or address), ``filters``, ``ids``.

        ``None`` for traces in memory.
        """
        location = self._shared.origin.location
        if location is None or self._where.is_empty:
            return None
        return {"traces": location} | self._where.described()

    @property
    def is_ordered(self) -> bool:
        """Whether the traces come in the same order each time, and new ones after the others."""
        return self._shared.origin.format is None

    @property
    def losses(self) -> LossReport:
        """What the whole source held and what of it could not be read; filters do not matter."""
        return self._shared.scan().losses

    def filter(
        self,
        *,
        since: Since | None = None,
        until: datetime | None = None,
        model: str | Collection[str] | None = None,
        min_turns: int = 0,
        has_response: bool | None = None,
        search: str | None = None,
    ) -> TraceSource:
        """Narrow to the traces that match all that is given here and before.

        Parameters
        ----------
        since, until
            Range of the start time, both ends included; times without a zone are UTC. A trace
            without a time is in no range. ``"24h"``, ``"7d"`` and ``"30d"`` end now.
        model
            Model asked for, or several of them; `models` lists what there is.
        min_turns
            Fewest user messages in the request.
        has_response
            Whether an answer was recorded.
        search
            Text that the conversation holds, prompt or answer, without regard to case.

        Raises
        ------
        InvalidArgument
            If a time range is not one of those above.
        """
        models = None
        if model is not None:
            models = frozenset([model] if isinstance(model, str) else model)
        step = _Filter(
            since=_moment(since),
            until=_moment(until),
            models=models,
            min_turns=min_turns,
            has_response=has_response,
            searches=(search.casefold(),) if search else (),
        )
        return TraceSource(self._shared, self._where.narrowed(step))

    def select(self, ids: Collection[str]) -> TraceSource:
        """Narrow to the traces with these ids (`Trace.id`)."""
        step = _Filter(ids=frozenset(ids))
        return TraceSource(self._shared, self._where.narrowed(step))

    def models(self) -> dict[str, int]:
        """Models of the whole source with their numbers of calls, most used first."""
        return dict(self._shared.scan().models.most_common())

    def total(self) -> int:
        """Count the traces of the whole source."""
        return len(self._shared.scan().rows)

    def count(self) -> int:
        """Count the matching traces."""
        if self._where.searches:
            return sum(1 for _ in self)
        return sum(self._where.allows(row) for row in self._shared.scan().rows)

    def preview(self, n: int = 20) -> tuple[Trace, ...]:
        """Return the first ``n`` matching traces."""
        first: list[Trace] = []
        for trace in self:
            if len(first) >= n:
                break
            first.append(trace)
        return tuple(first)

    def pattern(self) -> DetectedPattern:
        """What the matching traces have in common, and what a dataset of them may be called."""
        return detect_pattern(self)

    def to_records(
        self, mode: Mode = "every_turn", *, collapse_prefixes: bool = False
    ) -> Iterator[RecordDraft]:
        """Make record drafts of the matching traces.

        Parameters
        ----------
        mode
            ``"every_turn"`` takes every call; ``"last_turn_per_thread"`` of each thread the call
            with the longest conversation, the latest of equals. A call without a thread is its own.
        collapse_prefixes
            Leave out calls whose whole conversation, answer included, is the beginning of a later
            call's messages in the same thread.

        Raises
        ------
        InvalidArgument
            If there is no such mode.
        """
        if mode not in ("every_turn", "last_turn_per_thread"):
            raise InvalidArgument(
                f"There is no mode {mode!r}.", hint="Use every_turn or last_turn_per_thread."
            )
        return self._drafts(mode, collapse_prefixes)

    def _drafts(self, mode: Mode, collapse_prefixes: bool) -> Iterator[RecordDraft]:
        left_out = repeated(self._numbered()) if collapse_prefixes else frozenset()
        chosen = last_turns(self._numbered(), left_out) if mode != "every_turn" else None
        for number, trace in self._numbered():
            if number not in left_out and (chosen is None or number in chosen):
                yield to_draft(trace)

    def _numbered(self) -> Iterator[tuple[int, Trace]]:
        for number, trace in enumerate(self._shared.traces()):
            row = _row(trace)
            if self._where.allows(row) and self._where.finds(trace):
                yield number, trace


class _Row(Struct, frozen=True, gc=False):
    """What filters ask of a trace, less its text."""

    id: str
    model: str | None
    started_at: datetime | None
    turns: int
    has_response: bool


class _Filter(Struct, frozen=True, kw_only=True):
    since: datetime | None = None
    until: datetime | None = None
    models: frozenset[str] | None = None
    min_turns: int = 0
    has_response: bool | None = None
    searches: tuple[str, ...] = ()
    ids: frozenset[str] | None = None
    is_empty: bool = False
    """Whether filters that exclude each other were combined."""

    def narrowed(self, other: _Filter) -> _Filter:
        answers = {self.has_response, other.has_response} - {None}
        return _Filter(
            since=max(filter(None, (self.since, other.since)), default=None),
            until=min(filter(None, (self.until, other.until)), default=None),
            models=_both(self.models, other.models),
            min_turns=max(self.min_turns, other.min_turns),
            has_response=next(iter(answers), None),
            searches=self.searches + other.searches,
            ids=_both(self.ids, other.ids),
            is_empty=self.is_empty or other.is_empty or len(answers) > 1,
        )

    def described(self) -> dict[str, Any]:
        # Several searches are several filters, one after the other.
        given: dict[str, Any] = {}
        if self.since is not None:
            given["since"] = self.since.isoformat()
        if self.until is not None:
            given["until"] = self.until.isoformat()
        if self.models is not None:
            given["model"] = sorted(self.models)
        if self.min_turns:
            given["min_turns"] = self.min_turns
        if self.has_response is not None:
            given["has_response"] = self.has_response
        filters = [given] if given else []
        filters += [{"search": search} for search in self.searches]
        return {"filters": filters} | ({} if self.ids is None else {"ids": sorted(self.ids)})

    def allows(self, row: _Row) -> bool:
        at = row.started_at
        return not (
            self.is_empty
            or (self.since is not None and (at is None or at < self.since))
            or (self.until is not None and (at is None or at > self.until))
            or (self.models is not None and row.model not in self.models)
            or row.turns < self.min_turns
            or (self.has_response is not None and row.has_response != self.has_response)
            or (self.ids is not None and row.id not in self.ids)
        )

    def finds(self, trace: Trace) -> bool:
        if not self.searches:
            return True
        text = text_of(trace)
        return all(search in text for search in self.searches)


class _Scan(Struct, frozen=True):
    rows: list[_Row]
    models: Counter[str]
    losses: LossReport


class _Shared:
    """One source and what one pass over it found; shared by all filters of it."""

    def __init__(self, origin: Origin, format_name: str) -> None:
        self.origin = origin
        self.format = format_name
        self._found: _Scan | None = None

    def scan(self) -> _Scan:
        while self._found is None:
            for _ in self.traces():
                pass
        return self._found

    def traces(self) -> Iterator[Trace]:
        """All traces; a pass that gets to the end leaves what it found for `scan`."""
        tally = _Tally()
        for reading in detect.readings(self.origin):
            if isinstance(reading, TraceLoss):
                tally.lost(reading)
            elif isinstance(reading, OtherSpan):
                tally.other_spans += 1
            else:
                tally.read(reading)
                yield reading
        if self._found is None:
            self._found = tally.finished(self.format)


class _Tally:
    """Counts of a pass; a loss is partial when the trace that follows is of the same span."""

    def __init__(self) -> None:
        self.other_spans = 0
        self._rows: list[_Row] = []
        self._models: Counter[str] = Counter()
        self._losses: list[TraceLoss] = []
        self._by_code: Counter[str] = Counter()
        self._lost_calls = 0
        self._partial = 0
        self._open: list[str] = []

    def lost(self, loss: TraceLoss) -> None:
        self._by_code[loss.code] += 1
        if len(self._losses) < MAX_LOSSES:
            self._losses.append(loss)
        key = loss.span_id or loss.location
        if self._open and self._open[0] != key:
            self._close(None)
        self._open.append(key)

    def read(self, trace: Trace) -> None:
        self._close(trace.id)
        row = _row(trace)
        self._rows.append(row)
        if row.model is not None:
            self._models[row.model] += 1

    def finished(self, format_name: str) -> _Scan:
        self._close(None)
        report = LossReport(
            format=format_name,
            model_calls=len(self._rows) + self._lost_calls,
            traces=len(self._rows),
            other_spans=self.other_spans,
            partial=self._partial,
            by_code=dict(self._by_code),
            losses=tuple(self._losses),
        )
        return _Scan(self._rows, self._models, report)

    def _close(self, trace_id: str | None) -> None:
        if self._open and self._open[0] == trace_id:
            self._partial += len(self._open)
        else:
            self._lost_calls += len(self._open)
        self._open.clear()


def text_of(trace: Trace) -> str:
    """What a search looks at: the conversation, prompt and answers, without regard to case."""
    answers = [choice.message for choice in trace.choices]
    return "\n".join(message.text for message in (*trace.messages, *answers)).casefold()


def _row(trace: Trace) -> _Row:
    return _Row(
        trace.id,
        trace.model or trace.response_model,
        trace.started_at,
        trace.turns,
        trace.has_response,
    )


def _both(a: frozenset[str] | None, b: frozenset[str] | None) -> frozenset[str] | None:
    if a is None or b is None:
        return b if a is None else a
    return a & b


def _moment(value: datetime | str | None) -> datetime | None:
    lengths = {"24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}
    if value is None or value == "all":
        return None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if value not in lengths:
        raise InvalidArgument(
            f"There is no time range {value!r}.", hint="Use 24h, 7d, 30d, all or a datetime."
        )
    return datetime.now(UTC) - lengths[value]
