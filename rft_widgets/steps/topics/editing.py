"""Changes of a dataset's topics: the tree, its records and its targets, in one transaction each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from sqlalchemy.engine import Connection

from rft_widgets.errors import ImportRejected, InvalidArgument, StaleEdit
from rft_widgets.model.topic import TopicHierarchy
from rft_widgets.steps.coverage import follow_targets
from rft_widgets.steps.topics.exchange import carry_over, read_topics, topics_json
from rft_widgets.steps.topics.features import topic_text
from rft_widgets.steps.topics.tree import Edit, split
from rft_widgets.store import datasets, history, topics
from rft_widgets.store.placements import place, placed_by_similarity, read_prompts, rows_under
from rft_widgets.store.topics import Followed

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

Assignments = Literal["keep", "clear"]
"""What becomes of the records when other topics are set: they stay where a leaf of their path or
name is left, or all become unlabelled."""

_TRIES = 5


def edit(
    store: Store,
    dataset_id: str,
    kind: str,
    details: Mapping[str, Any],
    change: Callable[[TopicHierarchy], Edit],
) -> TopicHierarchy:
    """Apply an edit to the tree as it is in the transaction; records and targets follow.

    Parameters
    ----------
    store, dataset_id
        Where.
    kind, details
        The event, to which is added how many records moved and how many became unlabelled.
    change
        Gives the edited tree; it may be given another tree than the one that a page shows.
    """
    with store.write(durable=True) as connection:
        datasets.live_set(connection, dataset_id, keep=True)
        done = change(topics.current(connection, dataset_id))
        outcome = put(connection, dataset_id, done)
        history.log(connection, dataset_id, kind, {**details, **msgspec.to_builtins(outcome)})
    return done.hierarchy


def put(
    connection: Connection,
    dataset_id: str,
    done: Edit,
    parts: Mapping[str, Mapping[str, int]] | None = None,
) -> Followed:
    """Set an edited tree in a transaction that has the dataset; records and targets follow.

    Parameters
    ----------
    parts
        Leaves that were divided: the new leaves, and records of each. The target is divided alike.
    """
    topics.keep(connection, dataset_id, done.hierarchy)
    targets = topics.stored_targets(connection, dataset_id)
    if isinstance(targets, dict):
        moved = dict(done.moved)
        for path, sizes in (parts or {}).items():
            whole = targets.pop(path, 0.0)
            targets |= {part: whole * n / sum(sizes.values()) for part, n in sizes.items()}
            moved |= {part: part for part in sizes}
        topics.keep_targets(connection, dataset_id, follow_targets(targets, moved) or None)
    return topics.follow(connection, dataset_id, done.moved, done.hierarchy.paths)


def replace(
    store: Store,
    dataset_id: str,
    value: TopicHierarchy | Mapping[str, Any],
    assignments: Assignments,
    file: str | None = None,
) -> TopicHierarchy:
    """Set other topics; a leaf keeps its records where its path, or alone its name, is left.

    The event has the topics in full, whether they came from a file or not.

    Raises
    ------
    ImportRejected
        The value holds no valid topics.
    InvalidArgument
        ``assignments`` is neither ``keep`` nor ``clear``.
    """
    if assignments not in ("keep", "clear"):
        raise InvalidArgument(
            f"Assignments {assignments!r} are unknown.", hint="Pass 'keep' or 'clear'."
        )
    # What is logged is what is read again: a hierarchy goes through its file form as well.
    try:
        text = topics_json(value) if isinstance(value, TopicHierarchy) else json.dumps(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise ImportRejected(f"The topics are no JSON value: {error}.") from error
    tree = read_topics(text)
    logged = {"hierarchy": json.loads(topics_json(tree)), "assignments": assignments}
    if file is not None:
        logged["file"] = file
    if assignments == "keep":
        return edit(
            store, dataset_id, "set_topics", logged,
            lambda before: Edit(tree, carry_over(before, tree)),
        )  # fmt: skip
    with store.write(durable=True) as connection:
        datasets.live_set(connection, dataset_id, keep=True)
        done = Edit(tree, carry_over(topics.current(connection, dataset_id), tree))
        count = topics.clear(connection, dataset_id)
        put(connection, dataset_id, done)
        logged |= {"moved": 0, "unlabelled": count}
        history.log(connection, dataset_id, "set_topics", logged)
    return tree


def divide(
    store: Store, dataset_id: str, path: str, n_topics: int | None, seed: int
) -> TopicHierarchy:
    """Split a leaf into topics that are found in its records, which are put under them.

    They are found before the transaction, so that nobody waits; if the tree changed meanwhile, it
    is done again.

    Raises
    ------
    StaleEdit
        The tree changed each time.
    """
    for _ in range(_TRIES):
        with store.read() as connection:
            before = topics.current(connection, dataset_id)
            rows = rows_under(connection, dataset_id, path)
        before.find(path)
        texts = list(read_prompts(store, rows, topic_text))
        done = split(before, path, texts, parts=n_topics, seed=seed)
        placements = placed_by_similarity(
            done.hierarchy.paths, rows, done.assigned, done.confidences
        )
        sizes = dict.fromkeys(dict.fromkeys(done.assigned), 0)
        for leaf in done.assigned:
            sizes[leaf] += 1
        with store.write(durable=True) as connection:
            datasets.live_set(connection, dataset_id, keep=True)
            if topics.current(connection, dataset_id) != before:
                continue
            moved = place(connection, placements, under=path)
            outcome = put(connection, dataset_id, Edit(done.hierarchy, done.moved), {path: sizes})
            details = {
                "path": path, "n_topics": n_topics, "seed": seed, "sizes": sizes,
                "moved": moved, "unlabelled": outcome.unlabelled,
            }  # fmt: skip
            history.log(connection, dataset_id, "split_topic", details)
        return done.hierarchy
    raise StaleEdit(
        f"The topics were changed {_TRIES} times while {path!r} was being split; it was left as "
        f"it is.",
        hint="Try again when nobody else changes them.",
    )
