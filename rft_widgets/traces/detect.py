"""Sources of traces, and which reader each of their documents is for."""

from __future__ import annotations

import importlib
import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rft_widgets.errors import InvalidArgument, UnknownFormat
from rft_widgets.model.trace import TraceLoss
from rft_widgets.traces import documents
from rft_widgets.traces.reader import Document, Reader, Reading

READERS = (
    "otel_genai",
    "openinference",
    "helicone",
    "litellm",
    "vllora",
    "langfuse",
    "bedrock",
    "openai_chat",
    "openai_responses",
    "request_log",
    "chat_jsonl",
)
"""Modules of the readers, most telling shape first; the last takes anything with messages."""

_TAKES_MUCH = frozenset({"request_log", "chat_jsonl"})

Item = Document | TraceLoss
"""What a source gives: a document, or a place that could not be read."""


class Origin(NamedTuple):
    """Where documents come from; ``open`` starts from the first one, as often as it is called.

    ``format`` is set where the kind of the source says it, so that an empty one is no mystery;
    ``location`` is the path or address that opens it again, ``None`` for documents in memory.
    """

    name: str
    open: Callable[[], Iterator[Item]]
    format: str | None = None
    location: str | None = None


def origin_of(source: Any) -> Origin:
    """Tell what a source is.

    Parameters
    ----------
    source
        Path of a file or folder (JSON lines, JSON, either compressed with gzip, a vLLora store),
        address of a vLLora gateway or of an API that stores chat completions, or documents: an
        iterable of dicts, or one dict. An iterator is read to its end, because a source is read
        more than once.

    Raises
    ------
    InvalidArgument
        If it is none of these.
    NotFound, ImportRejected
        If a file is missing, or is a damaged archive.
    """
    if isinstance(source, str) and source.startswith(("http://", "https://")):
        stored = importlib.import_module("rft_widgets.traces.openai_chat")
        if stored.is_api(source):
            return Origin(source, lambda: iter(stored.read_named(source)), stored.NAME, source)
        vllora = importlib.import_module("rft_widgets.traces.vllora")
        return Origin(source, lambda: iter(vllora.read_gateway(source)), vllora.NAME, source)
    if isinstance(source, (str, Path)):
        path = Path(source).expanduser()
        documents.check_readable(path)
        location = os.fsencode(path.absolute()).decode(errors="replace")
        if path.is_file() and _is_sqlite(path):
            vllora = importlib.import_module("rft_widgets.traces.vllora")
            name = vllora.NAME
            return Origin(path.name, lambda: iter(vllora.read_store(path)), name, location)
        return Origin(path.name, lambda: documents.read_path(path), location=location)
    if isinstance(source, Mapping):
        return Origin("one document", lambda: iter([Document("document", source)]))
    if isinstance(source, Iterable) and not isinstance(source, (bytes, bytearray)):
        values = source if isinstance(source, (list, tuple)) else list(source)
        return Origin("documents", lambda: _numbered(values))
    raise InvalidArgument(
        f"Traces cannot be read from {type(source).__name__}.",
        hint="Pass a path, an address, or a list of dicts.",
    )


def detect(value: Any, first: str | None = None) -> str | None:
    """Name of the module that reads a document, ``None`` if there is none.

    ``first`` is tried before the others: documents of one source are mostly of one format. Not so
    a reader that takes almost anything, which would take what is another's.
    """
    names: tuple[str, ...] = READERS
    if first is not None and first not in _TAKES_MUCH:
        names = (first, *(name for name in READERS if name != first))
    return next((name for name in names if reader(name).matches(value)), None)


def reader(name: str) -> Reader:
    """Load a reader by the name of its module."""
    module: Any = importlib.import_module(f"rft_widgets.traces.{name}")
    return module  # type: ignore[no-any-return]


def formats(origin: Origin) -> str:
    """Find the format of the first document that any reader knows.

    Raises
    ------
    UnknownFormat
        If there is no such document; the message lists the keys of those there are.
    """
    if origin.format is not None:
        return origin.format
    seen: Counter[str] = Counter()
    unread: TraceLoss | None = None
    is_empty = True
    for item in _unpacked(origin.open()):
        is_empty = False
        if isinstance(item, TraceLoss):
            unread = unread or item
            continue
        name = detect(item.value)
        if name is not None:
            return reader(name).NAME
        seen.update(_keys(item.value))
    if is_empty:
        raise UnknownFormat(f"{origin.name} is empty.", hint="Check how it was exported.")
    said = f" Keys that were seen: {', '.join(key for key, _ in seen.most_common(30))}."
    if not seen:
        said = f" At {unread.location}: {unread.message}" if unread else " It has no objects."
    raise UnknownFormat(
        f"{origin.name} holds no trace format that is known.{said}",
        hint="Supported are OpenTelemetry GenAI, OpenInference, Langfuse, LiteLLM, Helicone, "
        "vLLora, Bedrock, OpenAI and plain chat JSON lines.",
    )


def readings(origin: Origin) -> Iterator[Reading]:
    """Read a source: traces, losses, and spans that are no model call.

    A source of several formats is read once for each, so that a reader that joins documents sees
    all of its own in one go.
    """
    unread: list[TraceLoss] = []
    routed = _routed(origin, unread)
    head = next(routed, None)
    waiting: list[str] = []
    if head is not None:
        lead = head[1]
        own = _first_pass(itertools.chain([head], routed), lead, waiting)
        for reading in reader(lead).read(own):
            yield from unread
            unread.clear()
            yield reading
    yield from unread
    for name in waiting:
        # What cannot be read was told in the first pass.
        again = _routed(origin, [])
        yield from reader(name).read(document for document, other in again if other == name)


def _first_pass(
    routed: Iterable[tuple[Document, str]], lead: str, waiting: list[str]
) -> Iterator[Document]:
    for document, name in routed:
        if name == lead:
            yield document
        elif name not in waiting:
            waiting.append(name)


def _routed(origin: Origin, unread: list[TraceLoss]) -> Iterator[tuple[Document, str]]:
    last = origin.format
    for item in _unpacked(origin.open()):
        if isinstance(item, TraceLoss):
            unread.append(item)
            continue
        name = detect(item.value, last)
        if name is not None:
            last = name
            yield item, name
            continue
        keys = ", ".join(_keys(item.value)[:30]) or "none"
        message = f"No trace format that is known; its keys: {keys}."
        unread.append(TraceLoss(code="undecodable", message=message, location=item.location))


# What answers of services and exports wrap their rows in.
_WRAPPERS = ("data", "spans", "observations", "items", "results", "traces", "rows", "logs")


def _unpacked(items: Iterator[Item]) -> Iterator[Item]:
    for item in items:
        if isinstance(item, TraceLoss):
            yield item
            continue
        rows = _rows(item.value)
        if rows is None:
            yield item
            continue
        for number, row in enumerate(rows, start=1):
            yield Document(f"{item.location} item {number}", row)


def _rows(value: Any) -> list[Any] | None:
    if isinstance(value, list):
        elements: list[Any] = value
        return elements
    if not isinstance(value, Mapping):
        return None
    lists: list[list[Any]] = [value[key] for key in _WRAPPERS if isinstance(value.get(key), list)]
    rows = lists[0] if len(lists) == 1 else None
    if not rows or not isinstance(rows[0], Mapping) or detect(value) is not None:
        return None
    return rows


def _numbered(values: Iterable[Any]) -> Iterator[Item]:
    for number, value in enumerate(values, start=1):
        yield value if isinstance(value, Document) else Document(f"item {number}", value)


def _keys(value: Any) -> list[str]:
    return [str(key)[:60] for key in value] if isinstance(value, Mapping) else []


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\x00"
