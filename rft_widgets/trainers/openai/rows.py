"""The files that a service learns from: records as rows of JSON."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from rft_widgets.errors import InvalidArgument
from rft_widgets.graders.compile.hosted import row_fields as fields_of_prompt
from rft_widgets.graders.sample import item_of
from rft_widgets.model.record import Record
from rft_widgets.trainers.base import TrainingData
from rft_widgets.trainers.openai.dialects import MOST_BYTES, Dialect

_SHOWN_IDS = 5


class SentRecords(Struct, frozen=True, kw_only=True):
    """What of the records is sent; ``notes`` say what is left out."""

    train: tuple[Record, ...]
    valid: tuple[Record, ...]
    notes: tuple[str, ...]


def sent_records(data: TrainingData, dialect: Dialect, *, seed: int) -> SentRecords:
    """The records that are sent: all of them, or a sample where the service takes no more."""
    notes: list[str] = []

    def some(records: tuple[Record, ...], most: int, what: str) -> tuple[Record, ...]:
        if len(records) <= most:
            return records
        notes.append(
            f"{dialect.title} takes {most:,} {what} records: it gets a sample of "
            f"{len(records):,}, drawn with the seed {seed}."
        )
        kept = random.Random(seed).sample(range(len(records)), most)  # noqa: S311 - no secret
        return tuple(records[i] for i in sorted(kept))

    return SentRecords(
        train=some(data.train, dialect.most_rows, "training"),
        valid=some(data.valid, dialect.most_valid, "validation"),
        notes=tuple(notes),
    )


def check_counts(dialect: Dialect, train: int, valid: int) -> None:
    """Refuse too few records; `InvalidArgument` says how many are needed."""
    if train < dialect.least_rows:
        raise InvalidArgument(
            f"{dialect.title} takes {dialect.least_rows} training records or more; there are "
            f"{train}.",
            hint="Import or generate more, or raise train_ratio.",
        )
    if dialect.needs_valid and valid < dialect.least_rows:
        raise InvalidArgument(
            f"{dialect.title} needs a validation file of {dialect.least_rows} records or more; "
            f"there are {valid}.",
            hint="Lower train_ratio, or import more.",
        )


def check_prompts(records: Sequence[Record]) -> None:
    """Refuse prompts that no user's message ends; `InvalidArgument` names them."""
    wrong = [
        record.id
        for record in records
        if not record.input.messages or record.input.messages[-1].role != "user"
    ]
    if wrong:
        shown = ", ".join(wrong[:_SHOWN_IDS]) + (", ..." if len(wrong) > _SHOWN_IDS else "")
        count = "1 prompt does" if len(wrong) == 1 else f"{len(wrong):,} prompts do"
        raise InvalidArgument(
            f"{count} not end with a message of the user, as the service requires: {shown}.",
            hint="Delete those records, or train where prompts may end with a tool's result.",
        )


def write_rows(path: Path, records: Sequence[Record], row_fields: frozenset[str]) -> None:
    """Write records as rows.

    Raises
    ------
    InvalidArgument
        The file would be larger than the service takes.
    """
    size = 0
    with path.open("wb") as file:
        for record in records:
            size += file.write(msgspec.json.encode(row_of(record, row_fields)) + b"\n")
            if size > MOST_BYTES:
                raise InvalidArgument(
                    f"{path.name} has more than {MOST_BYTES // 2**20} MB, which is the most that "
                    "the service takes.",
                    hint="Train on fewer records.",
                )


def row_of(record: Record, row_fields: frozenset[str] = frozenset()) -> dict[str, Any]:
    """A record as a row: its messages, its tools and the fields of its item side by side."""
    row = item_of(record)
    if row_fields:
        told = fields_of_prompt(record.input)
        row |= {name: told.get(name, "") for name in row_fields}
    return row
