"""The topics of a dataset as they stand, and what other topics would do to its records."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from rft_widgets.model.dataset import Event
from rft_widgets.model.topic import SEPARATOR, TopicHierarchy
from rft_widgets.model.topic_report import (
    ConfidenceBands,
    ConfidenceMeasure,
    TopicRow,
    TopicsImpact,
    TopicsReport,
)
from rft_widgets.model.topic_settings import CATEGORIZE
from rft_widgets.steps.topics.exchange import carry_over
from rft_widgets.store import datasets, topics
from rft_widgets.store.last_used import LastUsed
from rft_widgets.store.topic_counts import (
    DECISIONS,
    EDITS,
    Group,
    count_since,
    last_run,
    read_groups,
)

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

_reports: LastUsed[TopicsReport] = LastUsed(16)


def topics_report(store: Store, dataset_id: str) -> TopicsReport:
    """Report on the topics, counted once for each state of the dataset."""
    with store.read() as connection:
        set_id, revision = datasets.set_and_revision(connection, dataset_id)
        key = (store.url, dataset_id, revision)
        known = _reports.get(key)
        if known is not None:
            return known
        tree = topics.current(connection, dataset_id)
        groups = read_groups(connection, set_id)
        run = last_run(connection, dataset_id)
        since = count_since(connection, dataset_id, 0 if run is None else run.seq)
    found = _report(tree, groups, run, since)
    _reports.put(key, found)
    return found


def topics_impact(store: Store, dataset_id: str, after: TopicHierarchy) -> TopicsImpact:
    """Foretell what setting other topics does to the records."""
    with store.read() as connection:
        set_id = datasets.live_set(connection, dataset_id)
        before = topics.current(connection, dataset_id)
        labels = topics.counts(connection, [set_id])
        by_hand = topics.by_hand(connection, set_id)
    moved, leaves = carry_over(before, after), set(after.paths)
    stay = {label for label in labels if moved.get(label, label) in leaves}
    return TopicsImpact(
        replaced=sum(1 for _ in before.walk()),
        labelled=sum(labels.values()),
        by_hand=sum(by_hand.values()),
        kept=sum(labels[label] for label in stay),
        kept_by_hand=sum(by_hand.get(label, 0) for label in stay),
    )


def _report(
    tree: TopicHierarchy, groups: list[Group], run: Event | None, since: Counter[str]
) -> TopicsReport:
    leaves = set(tree.paths)
    inside = [group for group in groups if group.topic in leaves]
    total = sum(group.count for group in groups)
    categorized = sum(group.count for group in inside)
    counts, low = Counter[str](), Counter[str]()
    for group in inside:
        for path in _line(group.topic or ""):
            counts[path] += group.count
            low[path] += group.count if group.is_low else 0
    bands: Counter[Any] = Counter()
    for group in inside:
        bands[group.band] += group.count
    return TopicsReport(
        method=tree.method,
        topics=tuple(
            TopicRow(
                path=node.id,
                name=node.name,
                level=node.id.count(SEPARATOR) + 1,
                is_leaf=node.is_leaf,
                description=node.description,
                keywords=node.keywords,
                records=counts[node.id],
                share=counts[node.id] / categorized if categorized else None,
                low_confidence=low[node.id],
            )
            for node in tree.walk()
        ),
        leaves=len(leaves),
        depth=tree.depth,
        records=total,
        categorized=categorized,
        uncategorized=total - categorized,
        other=sum(g.count for g in groups if g.topic is None and g.was_seen),
        decided=sum(g.count for g in inside if g.is_decided),
        low_confidence=sum(g.count for g in inside if g.is_low),
        to_review=sum(g.count for g in inside if g.is_low and not g.is_decided),
        bands=ConfidenceBands(
            high=bands["high"],
            medium=bands["medium"],
            needs_review=bands["needs review"],
            unknown=bands[None],
        ),
        measure=None if run is None else _measure(run),
        edits_since=sum(since[kind] for kind in EDITS) if tree.topics else 0,
        confirmed_since=sum(since[kind] for kind in DECISIONS),
    )


def _line(path: str) -> list[str]:
    """A path and all that it lies below."""
    names = path.split(SEPARATOR)
    return [SEPARATOR.join(names[: level + 1]) for level in range(len(names))]


def _measure(run: Event) -> ConfidenceMeasure:
    details, found = run.details, run.details["calibration"]
    # Finding topics has no records that anybody confirmed: it measures how well it repeats itself.
    confirmed = run.kind == "categorize" and details["confirmed"] == details["members"]
    measured = found["records"] >= CATEGORIZE.enough_measured
    return ConfidenceMeasure(
        at=run.at,
        basis=("confirmed" if confirmed else "clustering") if measured else "estimate",
        records=found["records"],
        accuracy=found["accuracy"] if measured else None,
        error=found["error"] if measured else None,
    )
