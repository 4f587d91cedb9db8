"""Topics of many records at once: as columns of numbers, so that a million of them fit."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa
from msgspec import Struct, field
from sqlalchemy.engine import Connection

from rft_widgets.model.message import Message
from rft_widgets.model.record import TopicMethod
from rft_widgets.model.settings import TOPICS
from rft_widgets.model.topic import Categorization
from rft_widgets.store import datasets
from rft_widgets.store.bulk import FEW
from rft_widgets.store.clock import now_us
from rft_widgets.store.schema import payloads, records

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

METHODS: tuple[TopicMethod, ...] = ("keyword", "similarity", "llm", "manual", "import")
"""Methods by their number in a column."""

DECIDED: tuple[TopicMethod, ...] = ("manual", "import")
"""Methods of labels that somebody gave: here, or before the data came here."""

Replaced = Literal["unlabelled", "undecided", "not manual"]
"""Whose topic gives way: that of records without one, of those that nobody decided, or of all but
those that were assigned by hand here."""

_CHUNK = 5_000


class Labels(Struct, frozen=True):
    """How the valid records of a dataset are labelled, in order of position, one item a record.

    ``topics`` are numbers of ``paths``, ``methods`` of `METHODS`; -1 is none. An unknown confidence
    is -1.
    """

    paths: list[str] = field(default_factory=list)
    seqs: array[int] = field(default_factory=lambda: array("q"))
    topics: array[int] = field(default_factory=lambda: array("i"))
    methods: array[int] = field(default_factory=lambda: array("b"))
    confidences: array[float] = field(default_factory=lambda: array("d"))


class Placements(Struct, frozen=True):
    """Topics that records are to have, one item a record; ``paths`` names the topics by number."""

    paths: Sequence[str]
    seqs: array[int] = field(default_factory=lambda: array("q"))
    topics: array[int] = field(default_factory=lambda: array("i"))
    seconds: array[int] = field(default_factory=lambda: array("i"))
    methods: array[int] = field(default_factory=lambda: array("b"))
    confidences: array[float] = field(default_factory=lambda: array("d"))


def read_labels(connection: Connection, dataset_id: str) -> Labels:
    """Read how the valid records are labelled."""
    c = records.c
    found, numbers = Labels(), dict[str | None, int]({None: -1})
    methods = {None: -1} | {name: number for number, name in enumerate(METHODS)}
    rows = connection.execution_options(yield_per=_CHUNK).execute(
        sa.select(c.seq, c.topic, c.topic_method, c.topic_confidence)
        .where(
            c.set_id == datasets.live_set(connection, dataset_id),
            c.is_valid == sa.literal_column("1"),
        )
        .order_by(c.seq)
    )
    for seq, topic, method, confidence in rows:
        number = numbers.get(topic)
        if number is None:
            number = numbers[topic] = len(found.paths)
            found.paths.append(topic)
        found.seqs.append(seq)
        found.topics.append(number)
        found.methods.append(methods[method])
        found.confidences.append(-1.0 if confidence is None else confidence)
    return found


def read_prompts(
    store: Store, seqs: Sequence[int], text_of: Callable[[Sequence[Message]], str]
) -> Iterator[str]:
    """Read what records ask, in the order of the row numbers; nothing of those that are gone.

    Parameters
    ----------
    store
        Where.
    seqs
        Row numbers.
    text_of
        What is wanted of the messages of a prompt.
    """
    for messages in read_messages(store, seqs):
        yield "" if messages is None else text_of(messages)


def read_messages(store: Store, seqs: Sequence[int]) -> Iterator[Sequence[Message] | None]:
    """Read the prompts of records, in the order of the row numbers; ``None`` for those gone.

    Each chunk is a transaction of its own: none stays open while the caller works.
    """
    query = sa.select(payloads.c.seq, payloads.c.data)
    for start in range(0, len(seqs), FEW):
        some = [int(seq) for seq in seqs[start : start + FEW]]
        with store.read() as connection:
            rows = connection.execute(query.where(payloads.c.seq.in_(some))).all()
        found = {row.seq: row.data for row in rows}
        for seq in some:
            data = found.get(seq)
            yield None if data is None else store.codec.body(data).input.messages


def rows_under(connection: Connection, dataset_id: str, path: str) -> array[int]:
    """Row numbers of the records under a topic, valid or not, in order of position."""
    c = records.c
    set_id = datasets.live_set(connection, dataset_id)
    query = sa.select(c.seq).where(c.set_id == set_id, c.topic == path).order_by(c.seq)
    return array("q", connection.execute(query).scalars())


def first_recorded(connection: Connection, set_id: int, path: str, count: int | None) -> list[int]:
    """Row numbers of the first valid records under a topic that were not generated, or of all."""
    c = records.c
    query = (
        sa.select(c.seq)
        .where(c.set_id == set_id, c.topic == path, c.is_valid == 1, c.is_generated == 0)
        .order_by(c.seq)
        .limit(count)
    )
    return list(connection.execute(query).scalars())


def placed_by_similarity(
    paths: Sequence[str],
    seqs: Sequence[int],
    assigned: Sequence[str],
    confidences: Sequence[float],
) -> Placements:
    """Columns of records that similarity put under topics, with confidences 0..1."""
    number = {path: place for place, path in enumerate(paths)}
    count, method = len(seqs), METHODS.index("similarity")
    return Placements(
        paths=paths,
        seqs=array("q", seqs),
        topics=array("i", (number[path] for path in assigned)),
        seconds=array("i", [-1]) * count,
        methods=array("b", [method]) * count,
        confidences=array("d", confidences),
    )


def place(
    connection: Connection,
    placements: Placements,
    replaced: Replaced = "not manual",
    *,
    under: str | None = None,
) -> int:
    """Put records under topics, or mark them as looked at; returns how many.

    Those that somebody assigned since they were read are passed over. A label that came with the
    data is remembered where it gives way.

    Parameters
    ----------
    placements
        The topics.
    replaced
        Whose topic gives way.
    under
        Instead: that of the records that are under this one, whoever put them there.
    """
    c = records.c
    # One by one: a list of values cannot stand in a statement that runs for many rows.
    decided = DECIDED if replaced == "undecided" else DECIDED[:1]
    free = sa.or_(
        c.topic.is_(None),
        c.topic_method.is_(None),
        sa.and_(*(c.topic_method != m for m in decided)),
    )
    if under is not None:
        free = c.topic == under
    elif replaced == "unlabelled":
        free = c.topic.is_(None)
    statement = (
        records.update()
        .where(c.seq == sa.bindparam("row"), free)
        .values(
            topic=sa.bindparam("path"),
            topic_confidence=sa.bindparam("sure"),
            topic_method=sa.bindparam("method"),
            runner_up=sa.bindparam("second"),
            previous_topic=sa.case((c.topic_method == "import", c.topic), else_=c.previous_topic),
            updated_us=now_us(),
        )
    )
    paths = (*placements.paths, None)  # so that -1 is none
    written = 0
    for start in range(0, len(placements.seqs), _CHUNK):
        part = slice(start, start + _CHUNK)
        rows = [
            {
                "row": row, "path": paths[topic], "sure": sure, "method": METHODS[method],
                "second": paths[second],
            }
            for row, topic, second, method, sure in zip(
                placements.seqs[part], placements.topics[part], placements.seconds[part],
                placements.methods[part], placements.confidences[part], strict=True,
            )
        ]  # fmt: skip
        written += connection.execute(statement, rows).rowcount
    return written


def read_uncertain(
    connection: Connection, dataset_id: str, limit: int | None
) -> list[tuple[int, Categorization]]:
    """Row numbers and topics of valid records of low confidence that nobody decided.

    Parameters
    ----------
    limit
        The least certain so many; ``None`` for all, in no order.
    """
    c = records.c
    query = sa.select(c.seq, c.id, c.topic, c.topic_confidence, c.topic_method, c.runner_up).where(
        c.set_id == datasets.live_set(connection, dataset_id),
        c.is_valid == sa.literal_column("1"),
        c.topic.is_not(None),
        c.topic_method.not_in(DECIDED),
        c.topic_confidence < TOPICS.low_confidence,
    )
    if limit is not None:
        query = query.order_by(c.topic_confidence, c.id).limit(limit)
    rows: list[Any] = list(connection.execute(query))
    return [
        (
            row.seq,
            Categorization(
                record_id=row.id,
                topic=row.topic,
                confidence=row.topic_confidence,
                method=row.topic_method,
                needs_review=True,
                runner_up=row.runner_up,
            ),
        )
        for row in rows
    ]
