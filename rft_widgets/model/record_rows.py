"""Rows of records as tables read them: a piece of a view, column by column."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from rft_widgets.model.record import ValidationIssue


class RecordRows(Struct, frozen=True, kw_only=True):
    """Some rows of a view, one value a row in each column.

    Attributes
    ----------
    revision
        Of the dataset when the view was made.
    start
        Place of the first row in the view, counted from 0.
    total, total_is_exact
        Rows of the view; where that is not exact, a search has more matches than are listed.
    everything
        Records of the dataset.
    found
        Place of the record that was asked for.
    ids
        ``None`` for a record that was deleted since the view was made; the other columns hold
        nothing for it.
    tags, texts
        The first messages of each record: their roles and first words.
    more
        Messages beyond those.
    faults
        In words, the first rule that an invalid record breaks.
    chosen
        Whether the record matches the other filter that was asked about.
    """

    revision: int
    start: int
    total: int
    total_is_exact: bool
    everything: int
    found: int | None
    ids: tuple[str | None, ...]
    tags: tuple[tuple[str, ...], ...]
    texts: tuple[tuple[str, ...], ...]
    more: tuple[int, ...]
    topics: tuple[str | None, ...]
    confidences: tuple[float | None, ...]
    valid: tuple[bool, ...]
    faults: tuple[str | None, ...]
    generated: tuple[bool, ...]
    scores: tuple[float | None, ...]
    updated: tuple[datetime | None, ...]
    chosen: tuple[bool, ...]


class SelectionSize(Struct, frozen=True, kw_only=True):
    """How much a selection has now."""

    records: int
    tokens: int
    """Of all their messages, estimated as for validation."""


class RecordCheck(Struct, frozen=True, kw_only=True):
    """What validation would say of a record after an edit."""

    tokens: int
    issues: tuple[ValidationIssue, ...]
