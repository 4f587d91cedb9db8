"""How far the page that creates a dataset is, as values."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Struct

from rft_widgets.model.pattern import DetectedPattern
from rft_widgets.model.problem import Problem
from rft_widgets.traces.index import TraceRow
from rft_widgets.traces.places import TracePlace
from rft_widgets.uploads import MAX_FILE_BYTES, UploadState
from rft_widgets.widgets.uploads import PIECE_BYTES

SINCE = Literal["24h", "7d", "30d", "all"]


class TraceQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the page asks for: the filters as a person sets them."""

    since: SINCE = "all"
    model: Annotated[str, msgspec.Meta(max_length=1_000)] | None = None
    min_turns: Annotated[int, msgspec.Meta(ge=0, le=1_000)] = 1
    has_response: bool = True
    """Only traces with a recorded answer."""
    search: Annotated[str, msgspec.Meta(max_length=1_000)] = ""


class SourcesView(Struct, frozen=True, kw_only=True):
    """Where traces may come from."""

    places: tuple[TracePlace, ...]
    any_path: bool
    """Whether any file of this machine may be named, as in a notebook."""
    unavailable: tuple[str, ...]
    """What else could be read, and what it takes, in words."""


class ScanState(Struct, frozen=True, kw_only=True):
    """Traces of a source, and how far they are read."""

    location: str
    name: str
    status: Literal["reading", "ready", "failed"]
    format: str = ""
    read: int = 0
    models: tuple[str, ...] = ()
    """Of all its traces, whatever a filter says."""
    lost: int = 0
    """Model calls that cannot be read."""
    is_searched_whole: bool = True
    is_refreshing: bool = False
    fresh: int = 0
    """Traces that have come since, and are not in the list yet."""
    problem: Problem | None = None


class TracePage(Struct, frozen=True, kw_only=True):
    """Some of the traces that match, and the selection."""

    rows: tuple[TraceRow, ...]
    picked: tuple[int, ...]
    """Numbers of those rows that are selected."""
    matching: int
    total: int
    picked_matching: int
    """Selected ones among all that match."""
    picked_total: int


class FileState(Struct, frozen=True, kw_only=True):
    """A file, and how far it is: sent, then looked at."""

    status: Literal["empty", "sending", "checking", "ready", "failed"] = "empty"
    upload: UploadState | None = None
    share: float | None = None
    doing: str = ""
    problem: Problem | None = None
    piece_bytes: int = PIECE_BYTES
    max_bytes: int = MAX_FILE_BYTES


class PatternState(Struct, frozen=True, kw_only=True):
    """What traces or records have in common, and whether that is still being found out."""

    is_at_work: bool = False
    pattern: DetectedPattern | None = None
