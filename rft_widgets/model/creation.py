"""What a dataset is made of: recorded model calls, or a file that was uploaded."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Struct

MAX_CHOSEN = 500_000
"""Most traces that are chosen one by one; a filter chooses any number of them."""

_Text = Annotated[str, msgspec.Meta(max_length=1_000)]
_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]


class TraceFilter(
    Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """Which traces of a source: those that match all of this.

    ``since`` and ``until`` bound the start time, both included; a trace without a time is in no
    range. ``min_turns`` counts user messages; ``has_response`` says whether an answer was recorded;
    ``search`` is text of the conversation, prompt or answer, without regard to case.
    """

    since: datetime | None = None
    until: datetime | None = None
    model: _Text | None = None
    min_turns: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    has_response: bool | None = None
    search: _Text = ""


class FromTraces(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag="traces",
):
    """Recorded model calls.

    Attributes
    ----------
    source
        Path of a file or a vLLora store, address of a gateway, or ``upload:<id>`` for a file of
        traces that was uploaded.
    where
        Which of its traces, read when the dataset is made.
    trace_ids
        Which single ones, of those that `where` leaves; ``None`` for all of them.
    mode, collapse_prefixes
        Which calls of a thread become records; see `TraceSource.to_records`.
    """

    source: Annotated[str, msgspec.Meta(min_length=1, max_length=4_096)]
    where: TraceFilter = TraceFilter()
    trace_ids: Annotated[tuple[_Id, ...], msgspec.Meta(max_length=MAX_CHOSEN)] | None = None
    mode: Literal["every_turn", "last_turn_per_thread"] = "every_turn"
    collapse_prefixes: bool = False


class FromUpload(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="upload"
):
    """A file that was uploaded, by the id that its upload has."""

    upload: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


CreationSource = FromTraces | FromUpload
"""What a dataset is made of."""

UPLOAD = "upload:"
"""What the place of traces in an uploaded file begins with."""


def upload_of(source: CreationSource) -> str | None:
    """Id of the upload that a dataset is made of, ``None`` if it is made of something else."""
    if isinstance(source, FromUpload):
        return source.upload
    return source.source.removeprefix(UPLOAD) if source.source.startswith(UPLOAD) else None
