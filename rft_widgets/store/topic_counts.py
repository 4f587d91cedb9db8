"""How the records of a dataset lie under its topics, counted, and what happened to the topics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from rft_widgets.model.dataset import Event
from rft_widgets.model.settings import TOPICS
from rft_widgets.model.topic import ConfidenceBand
from rft_widgets.model.topic_settings import CATEGORIZE
from rft_widgets.store.clock import to_datetime
from rft_widgets.store.placements import DECIDED
from rft_widgets.store.schema import events, records

EDITS = (
    "add_topic", "rename_topic", "describe_topic", "move_topic", "merge_topics", "split_topic",
    "delete_topic", "set_topics", "generate_topics",
)  # fmt: skip
"""Events that change the tree."""

DECISIONS = ("confirm_topic", "assign_topic")
"""Events by which a person says what a record is under."""

_CHUNK = 100


class Group(Struct, frozen=True):
    """Valid records that stand alike.

    Attributes
    ----------
    topic
        Their label, ``None`` without one.
    is_decided
        Whether somebody gave it.
    was_seen
        Whether anything looked at them.
    band
        That of their confidence; ``None`` where it is not known.
    is_low
        Whether the confidence is below 0.7.
    count
        How many they are.
    """

    topic: str | None
    is_decided: bool
    was_seen: bool
    band: ConfidenceBand | None
    is_low: bool
    count: int


def read_groups(connection: Connection, set_id: int) -> list[Group]:
    """Count the valid records of a set by label, method and confidence."""
    c = records.c
    sure = c.topic_confidence
    decided = sa.func.coalesce(c.topic_method.in_(DECIDED), sa.false())
    bands: dict[int, ConfidenceBand | None] = {0: None, 1: "needs review", 2: "medium", 3: "high"}
    band = sa.case(
        (sure.is_(None), 0),
        (sure >= CATEGORIZE.high_confidence, 3),
        (sure >= CATEGORIZE.medium_confidence, 2),
        else_=1,
    )
    low = sa.func.coalesce(sure < TOPICS.low_confidence, sa.false())
    keys = [
        c.topic.label("topic"), decided.label("decided"),
        c.topic_method.is_not(None).label("seen"), band.label("band"), low.label("low"),
    ]  # fmt: skip
    inner = (
        sa.select(*keys).where(c.set_id == set_id, c.is_valid == sa.literal_column("1")).subquery()
    )
    query = sa.select(*inner.c, sa.func.count().label("count")).group_by(*inner.c)
    return [
        Group(row[0], bool(row[1]), bool(row[2]), bands[row[3]], bool(row[4]), int(row[5]))
        for row in connection.execute(query)
    ]


def last_run(connection: Connection, dataset_id: str) -> Event | None:
    """Look up the last run since the pipeline was reset; ``None`` where there was none."""
    for run in _newest_first(
        connection, dataset_id, ("categorize", "generate_topics", "reset_pipeline")
    ):
        if run.kind == "reset_pipeline":
            return None
        # A template sets topics and looks at no record.
        if run.kind == "categorize" or run.details["method"] == "auto":
            return run
    return None


def count_since(connection: Connection, dataset_id: str, seq: int) -> Counter[str]:
    """Count the events of each kind after one."""
    rows = connection.execute(
        sa.select(events.c.kind, sa.func.count())
        .where(events.c.dataset_id == dataset_id, events.c.seq > seq)
        .group_by(events.c.kind)
    )
    return Counter({kind: int(count) for kind, count in rows})


def last_decision(connection: Connection, dataset_id: str, record_id: str) -> Event | None:
    """Look up the last confirmation of a record, or that it was taken back."""
    kinds = ("confirm_topic", "undo_confirm_topic")
    for event in _newest_first(connection, dataset_id, kinds):
        if event.details["record_id"] == record_id:
            return event
    return None


def _newest_first(connection: Connection, dataset_id: str, kinds: Sequence[str]) -> Iterator[Event]:
    c = events.c
    query = (
        sa.select(c.seq, c.at_us, c.kind, c.details)
        .where(c.dataset_id == dataset_id, c.kind.in_(kinds))
        .order_by(c.seq.desc())
        .limit(_CHUNK)
    )
    rows = connection.execute(query).all()
    while rows:
        for seq, at_us, kind, details in rows:
            yield Event(
                seq=seq, at=to_datetime(at_us), kind=kind, details=msgspec.json.decode(details)
            )
        rows = connection.execute(query.where(c.seq < rows[-1].seq)).all()
