"""What can be said of a grader before it is saved, and what it could be made of."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class GraderProblem(Struct, frozen=True, kw_only=True):
    """Why a grader would be refused.

    Attributes
    ----------
    code, message, hint
        The error in words, as for every error of the package.
    where
        Path of the faulty field in the grader's JSON, such as ``input[1].content``;
        ``connection`` for where its model is asked; empty for the grader as a whole.
    line, column
        Place inside that field's text, from 1; in the grader's JSON itself where it cannot be read.
    """

    code: str
    message: str
    hint: str | None = None
    where: str = ""
    line: int | None = None
    column: int | None = None


class GraderCheck(Struct, frozen=True, kw_only=True):
    """A grader as it would be saved.

    Attributes
    ----------
    grader, hash
        Its public JSON and the hash that would name it; ``None`` where it cannot be read.
    problems
        Why it would be refused; empty where it would be saved.
    missing
        What it takes before it can grade, in words. It can be saved without.
    """

    grader: dict[str, Any] | None
    hash: str | None
    problems: tuple[GraderProblem, ...] = ()
    missing: tuple[str, ...] = ()


class ItemField(Struct, frozen=True, kw_only=True):
    """An item field of the records that were looked at."""

    name: str
    records: int
    """Records that have it."""
    example: str
    """The first value, cut to a readable length."""


class GraderFields(Struct, frozen=True, kw_only=True):
    """What graders can be written with.

    Attributes
    ----------
    records
        Valid records that were looked at.
    item
        Item fields, those that most records have first.
    labels
        Fields that hold numbers in 0..1 or truth values, such as a person's judgement: ``name`` of
        the item, or ``metadata.name``.
    """

    records: int
    item: tuple[ItemField, ...]
    labels: tuple[str, ...]
