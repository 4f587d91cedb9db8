"""Topics of a dataset: their tree, which records lie under which leaf, and targets of coverage.

A record is under a topic when its label is a leaf of the tree. A label that came with an import and
is no leaf counts as none; the next change of the tree takes it away and remembers it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from rft_widgets.errors import InvalidArgument, StaleEdit
from rft_widgets.model.record import Selection
from rft_widgets.model.settings import LIMITS
from rft_widgets.model.topic import (
    SEPARATOR,
    TopicHierarchy,
    TopicNode,
    check_name,
    hierarchy,
    topic,
)
from rft_widgets.model.topic_settings import TOPIC_LIMITS
from rft_widgets.store import datasets, history
from rft_widgets.store.bulk import FEW
from rft_widgets.store.clock import now_us
from rft_widgets.store.filters import make_searchable, select_seqs
from rft_widgets.store.records import missing_record
from rft_widgets.store.schema import datasets as dataset_rows
from rft_widgets.store.schema import deletions, records
from rft_widgets.store.texts import can_hold
from rft_widgets.store.topic_counts import last_decision

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

StoredTargets: TypeAlias = dict[str, float] | Literal["uniform", "traffic"] | None
"""Target percentages by leaf, or the word that says where they come from; ``None``: not set."""

_NAMED_LEAVES = 20


def stored(connection: Connection, dataset_id: str) -> TopicHierarchy | None:
    """Hierarchy of a dataset, ``None`` where none was made, set or kept."""
    text = _column(connection, dataset_id, dataset_rows.c.topics)
    return None if text is None else msgspec.json.decode(text, type=TopicHierarchy)


def current(connection: Connection, dataset_id: str) -> TopicHierarchy:
    """Hierarchy of a dataset; without one, the tree that the labels of its records make."""
    tree = stored(connection, dataset_id)
    if tree is not None:
        return tree
    set_id = datasets.live_set(connection, dataset_id)
    return tree_of_labels(counts(connection, [set_id]))


def tree_of_labels(labels: Mapping[str, int]) -> TopicHierarchy:
    """Tree of the paths that records are labelled with, in alphabetical order.

    Left out are labels that can be no path of a topic, that differ from a more frequent one in case
    only, and the rarest ones above the limit of topics. A label that others lie below is no leaf.

    Parameters
    ----------
    labels
        Records by label.
    """
    root: _Branch = {}
    count = 0
    for label in sorted(labels, key=lambda one: (-labels[one], one)):
        names = label.split(SEPARATOR)
        if not _is_path(names):
            continue
        place, missing = root, len(names)
        for name in names:
            known = place.get(name.casefold())
            if known is None:
                break
            if known[0] != name:
                missing = 0
                break
            place, missing = known[1], missing - 1
        if missing == 0 or count + missing > TOPIC_LIMITS.max_topics:
            continue
        count += missing
        for name in names[len(names) - missing :]:
            place = place.setdefault(name.casefold(), (name, {}))[1]
    return hierarchy(_nodes(root), "import") if root else TopicHierarchy()


def keep(connection: Connection, dataset_id: str, tree: TopicHierarchy) -> None:
    """Store a hierarchy and count the change; one without topics is none.

    Raises
    ------
    InvalidArgument
        A path is longer than a topic of a record may be, or a text is one that no database holds.
    """
    for node in tree.walk():
        if len(node.id) > LIMITS.max_identifier_chars:
            raise InvalidArgument(
                f"The path {node.id[:60]!r}… has {len(node.id):,} characters, the limit is "
                f"{LIMITS.max_identifier_chars}.",
                hint="Shorten the names on the way to it.",
            )
        if not all(map(can_hold, (node.description, *node.keywords))):
            raise InvalidArgument(
                f"The description or a keyword of {node.id!r} holds U+0000 or half of a surrogate "
                f"pair."
            )
    text = msgspec.json.encode(tree).decode() if tree.topics else None
    revision = dataset_rows.c.records_revision + 1
    datasets.change(connection, dataset_id, topics=text, records_revision=revision)


def counts(connection: Connection, set_ids: Collection[int]) -> dict[str, int]:
    """Records of sets by their label, valid or not."""
    rows = connection.execute(
        sa.select(records.c.topic, sa.func.count())
        .where(records.c.set_id.in_(set_ids), records.c.topic.is_not(None))
        .group_by(records.c.topic)
    )
    return {label: int(count) for label, count in rows}


def by_hand(connection: Connection, set_id: int) -> dict[str, int]:
    """Records of a set that were assigned by hand, by their label."""
    rows = connection.execute(
        sa.select(records.c.topic, sa.func.count())
        .where(records.c.set_id == set_id, records.c.topic_method == "manual")
        .group_by(records.c.topic)
    )
    return {label: int(count) for label, count in rows}


class Followed(Struct, frozen=True):
    """Records that went to another topic, and that lost theirs."""

    moved: int
    unlabelled: int


def follow(
    connection: Connection,
    dataset_id: str,
    moved: Mapping[str, str | None],
    leaves: Collection[str],
) -> Followed:
    """Let records follow a change of the tree; deleted ones, too, as they may come back.

    Parameters
    ----------
    moved
        Where the records of each leaf go. No path is both left and entered by a change.
    leaves
        Paths of the leaves after it; whatever else records are under, they become unlabelled and
        remember it.
    """
    c = records.c
    live = datasets.live_set(connection, dataset_id)
    sets = _reachable(connection, dataset_id, live)
    inside = c.set_id.in_(sets)
    changed = [(old, new) for old, new in moved.items() if old != new]
    before = counts(connection, [live])
    for start in range(0, len(changed), FEW):
        ways = dict(changed[start : start + FEW])
        there = {old: new for old, new in ways.items() if new is not None}
        if there:
            now = sa.case(there, value=c.topic)
            connection.execute(
                records.update()
                .where(inside, c.topic.in_(there))
                .values(topic=now, runner_up=sa.func.nullif(c.runner_up, now), updated_us=now_us())
            )
        second = sa.case(there, value=c.runner_up) if there else sa.null()
        connection.execute(
            records.update()
            .where(inside, c.runner_up.in_(ways))
            .values(runner_up=sa.func.nullif(second, c.topic))
        )
    known = set(leaves)
    gone = [label for label in counts(connection, sets) if label not in known]
    _unlabel(connection, sets, gone)
    return Followed(
        moved=sum(before.get(old, 0) for old, new in changed if new is not None),
        unlabelled=sum(n for old, n in before.items() if moved.get(old, old) not in known),
    )


def clear(connection: Connection, dataset_id: str) -> int:
    """Take all records from under their topics, which they remember; returns how many."""
    live = datasets.live_set(connection, dataset_id)
    sets = _reachable(connection, dataset_id, live)
    before = counts(connection, [live])
    _unlabel(connection, sets, list(counts(connection, sets)))
    connection.execute(
        records.update()
        .where(records.c.set_id.in_(sets), records.c.topic_method.is_not(None))
        .values(topic_method=None, topic_confidence=None, runner_up=None)
    )
    return sum(before.values())


def check_leaf(connection: Connection, dataset_id: str, path: str) -> None:
    """Refuse a path that is no leaf of the hierarchy; without a stored one, any path will do.

    Raises
    ------
    InvalidArgument
        The message names leaves.
    """
    tree = stored(connection, dataset_id)
    if tree is None:
        return
    paths = tree.paths
    if path not in set(paths):
        more = len(paths) - _NAMED_LEAVES
        rest = f" and {more:,} more" if more > 0 else ""
        raise InvalidArgument(
            f"{path!r} is no topic that records can be under.",
            hint=f"There are: {', '.join(map(repr, paths[:_NAMED_LEAVES]))}{rest}. "
            f"Add it to the topics first, or use one of them.",
        )


def assign(store: Store, dataset_id: str, selection: Selection, path: str | None) -> int:
    """Put the records of a selection under a topic by hand, or under none; returns how many.

    Raises
    ------
    InvalidArgument
        As for `check_leaf`, which looks at the topics as they are in the transaction.
    """
    make_searchable(store, dataset_id, selection.where)
    with store.write(durable=True) as connection:
        set_id = datasets.live_set(connection, dataset_id, keep=True)
        if path is not None:
            check_leaf(connection, dataset_id, path)
        chosen = select_seqs(store, connection, set_id, selection)
        count = connection.execute(
            records.update().where(records.c.seq.in_(chosen)).values(**_label(path))
        ).rowcount
        datasets.touch(connection, dataset_id)
        details = {"topic": path, "selection": msgspec.to_builtins(selection), "count": count}
        history.log(connection, dataset_id, "assign_topic", details)
    return count


def confirm(store: Store, dataset_id: str, record_id: str, path: str | None) -> str:
    """Say by hand that a record is under a topic, by default the one it is under; returns it.

    Raises
    ------
    NotFound
        There is no such record.
    InvalidArgument
        It is under no topic, or as for `check_leaf`.
    """
    if not can_hold(record_id):
        raise missing_record(dataset_id, record_id)
    with store.write(durable=True) as connection:
        set_id = datasets.live_set(connection, dataset_id, keep=True)
        row = _labelled(connection, dataset_id, set_id, record_id)
        chosen = row.topic if path is None else path
        if chosen is None:
            raise InvalidArgument(
                f"Record {record_id!r} has no topic to confirm.", hint="Name one with topic='...'."
            )
        check_leaf(connection, dataset_id, chosen)
        connection.execute(
            records.update().where(records.c.seq == row.seq).values(**_label(chosen))
        )
        datasets.touch(connection, dataset_id)
        before = {name: getattr(row, name) for name in _label(None) if name != "updated_us"}
        details = {"record_id": record_id, "topic": chosen, "before": before}
        history.log(connection, dataset_id, "confirm_topic", details)
    return str(chosen)


def undo_confirm(store: Store, dataset_id: str, record_id: str) -> str | None:
    """Put a record back under what it was under before it was last confirmed; returns that.

    Raises
    ------
    NotFound
        There is no such record.
    StaleEdit
        It was not confirmed, it was put elsewhere since, or its topic of before is no more.
    """
    if not can_hold(record_id):
        raise missing_record(dataset_id, record_id)
    with store.write(durable=True) as connection:
        set_id = datasets.live_set(connection, dataset_id, keep=True)
        row = _labelled(connection, dataset_id, set_id, record_id)
        event = last_decision(connection, dataset_id, record_id)
        before: dict[str, Any] = {} if event is None else event.details.get("before", {})
        if event is None or not before or (row.topic, row.topic_method) != (
            event.details["topic"], "manual",
        ):  # fmt: skip
            raise StaleEdit(
                f"The topic of record {record_id!r} was not confirmed, or was changed since.",
                hint="Assign the topic that it should have.",
            )
        tree = stored(connection, dataset_id)
        if before["topic"] is not None and tree is not None and before["topic"] not in tree.paths:
            raise StaleEdit(
                f"The topic {before['topic']!r} that record {record_id!r} was under is no more.",
                hint="Assign the topic that it should have.",
            )
        connection.execute(
            records.update().where(records.c.seq == row.seq).values(**before, updated_us=now_us())
        )
        datasets.touch(connection, dataset_id)
        details = {"record_id": record_id, "topic": before["topic"]}
        history.log(connection, dataset_id, "undo_confirm_topic", details)
    topic_before: str | None = before["topic"]
    return topic_before


def _labelled(connection: Connection, dataset_id: str, set_id: int, record_id: str) -> Any:
    c = records.c
    row = connection.execute(
        sa.select(c.seq, c.topic, c.topic_confidence, c.topic_method, c.runner_up).where(
            c.set_id == set_id, c.id == record_id
        )
    ).one_or_none()
    if row is None:
        raise missing_record(dataset_id, record_id)
    return row


def stored_targets(connection: Connection, dataset_id: str) -> StoredTargets:
    """Targets of coverage as they were set."""
    text = _column(connection, dataset_id, dataset_rows.c.targets)
    return None if text is None else msgspec.json.decode(text, type=StoredTargets)


def keep_targets(connection: Connection, dataset_id: str, targets: StoredTargets) -> None:
    """Store targets of coverage and count the change; the records stay as they are."""
    text = None if targets is None else msgspec.json.encode(targets).decode()
    datasets.change(connection, dataset_id, targets=text)


_Branch: TypeAlias = dict[str, tuple[str, "_Branch"]]


def _is_path(names: Sequence[str]) -> bool:
    if len(names) > TOPIC_LIMITS.max_depth:
        return False
    try:
        for name in names:
            check_name(name)
    except InvalidArgument:
        return False
    return True


def _nodes(branch: _Branch) -> Iterator[TopicNode]:
    for name, below in sorted(branch.values(), key=lambda one: one[0]):
        yield topic(name, children=_nodes(below))


def _column(connection: Connection, dataset_id: str, column: sa.Column[Any]) -> str | None:
    datasets.live_set(connection, dataset_id)  # says that there is no such dataset
    query = sa.select(column).where(dataset_rows.c.id == dataset_id)
    text: str | None = connection.execute(query).scalar_one()
    return text


def _reachable(connection: Connection, dataset_id: str, live: int) -> list[int]:
    """Sets of the records that are there, and of the deleted ones that can come back."""
    trash = sa.select(deletions.c.trash_id).where(
        deletions.c.dataset_id == dataset_id, deletions.c.set_id == live
    )
    return [live, *connection.execute(trash).scalars()]


def _unlabel(connection: Connection, sets: Sequence[int], labels: Sequence[str]) -> None:
    for start in range(0, len(labels), FEW):
        connection.execute(
            records.update()
            .where(records.c.set_id.in_(sets), records.c.topic.in_(labels[start : start + FEW]))
            .values(**_label(None), previous_topic=records.c.topic)
        )


def _label(path: str | None) -> dict[str, Any]:
    return {
        "topic": path,
        "topic_confidence": None if path is None else 1.0,
        "topic_method": None if path is None else "manual",
        "runner_up": None,
        "updated_us": now_us(),
    }
