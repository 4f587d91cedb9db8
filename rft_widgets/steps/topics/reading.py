"""What topics are found by, read from the records of a dataset: questions, and their answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from rft_widgets.model.message import Message
from rft_widgets.model.topic_settings import CLUSTERING
from rft_widgets.steps.progress import Progress
from rft_widgets.steps.topics.answers import answer_text
from rft_widgets.steps.topics.features import topic_text
from rft_widgets.store.placements import read_prompts
from rft_widgets.store.schema import payloads

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

Rows: TypeAlias = npt.NDArray[np.int64]

_READ = 200
"""Records that are read in one transaction."""


def read_questions(
    store: Store,
    rows: Rows | Sequence[int],
    tell: Progress,
    start: float,
    stop: float,
) -> Iterator[str]:
    """Topic texts of records, telling how far the reading is between two shares (0..1)."""
    words = "Reading records" if stop < 0.5 else "Categorizing"
    for place, text in enumerate(read_prompts(store, rows, short_text)):  # type: ignore[arg-type]
        if place % 1_000 == 0:
            tell(start + (stop - start) * place / len(rows), words)
        yield text


def read_answered(
    store: Store, rows: Rows, tell: Progress, start: float, stop: float
) -> Iterator[tuple[str, str]]:
    """Topic text and recorded answer of each record; both are empty for one that is gone."""
    query = sa.select(payloads.c.seq, payloads.c.data)
    for first in range(0, len(rows), _READ):
        some = rows[first : first + _READ].tolist()
        with store.read() as connection:
            found = connection.execute(query.where(payloads.c.seq.in_(some))).all()
        tell(start + (stop - start) * first / len(rows), "Reading records")
        pairs: dict[int, tuple[str, str]] = {}
        for seq, data in found:
            body = store.codec.body(data)
            answer = answer_text(body.output.messages)[: CLUSTERING.max_chars]
            pairs[seq] = short_text(body.input.messages), answer
        for seq in some:
            yield pairs.get(seq, ("", ""))


def short_text(messages: Sequence[Message]) -> str:
    """Text that decides the topic of a prompt, as far as it is looked at."""
    return topic_text(messages)[: CLUSTERING.max_chars]


def sample_rows(rows: Rows, size: int, seed: int) -> Rows:
    """Draw rows, each with the same chance, in order."""
    if len(rows) <= size:
        return rows
    chosen = np.random.default_rng(seed).choice(len(rows), size, replace=False)
    return rows[np.sort(chosen)]
