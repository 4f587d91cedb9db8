"""Which records a model learns from and which it is measured on.

Records that know each other's answers never stand on both sides: those of one conversation, those
made from one another, and those whose prompts are nearly the same.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import pairwise

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.record import Record
from rft_widgets.model.training import Split, TopicSplit
from rft_widgets.steps.duplicates import near_duplicate_groups


def split_records(
    records: Sequence[Record],
    *,
    train_ratio: float = 0.9,
    stratify_by_topic: bool = True,
    include_generated_in_valid: bool = False,
    seed: int = 0,
) -> Split:
    """Split the valid records into a part to learn from and a part to measure on.

    Groups of records are put on one side whole. They are taken in an order that the seed and their
    ids decide; a group goes to validation when that brings its topics nearer to their share.

    Parameters
    ----------
    records
        Records in any order; invalid ones are left out.
    train_ratio
        Share to learn from, above 0 and below 1.
    stratify_by_topic
        Whether each topic is split by the ratio, instead of all records together. Every topic has
        at least one record to learn from either way.
    include_generated_in_valid
        Whether groups that hold synthetic records may go to validation.
    seed
        Another seed makes another split.

    Raises
    ------
    InvalidArgument
        The ratio is out of bounds, an id occurs twice, or there is no valid record.
    """
    if not 0 < train_ratio < 1:
        raise InvalidArgument(
            f"train_ratio is {train_ratio}; it must lie above 0 and below 1.",
            hint="0.9 learns from nine records of ten.",
        )
    valid = sorted((record for record in records if record.is_valid), key=lambda one: one.id)
    if not valid:
        raise InvalidArgument(
            "There is no valid record to split.", hint="Import data, or fix the invalid records."
        )
    groups = record_groups(valid)
    chosen = hold_out(
        valid,
        groups,
        1 - train_ratio,
        stratify_by_topic=stratify_by_topic,
        include_generated=include_generated_in_valid,
        seed=seed,
    )
    train = [record for record in valid if record.id not in chosen]
    held = [record for record in valid if record.id in chosen]
    topics = _by_topic(train, held)
    return Split(
        train_ids=tuple(record.id for record in train),
        valid_ids=tuple(record.id for record in held),
        topics=topics,
        groups=len(set(groups.values())),
        notes=_notes(topics, _members(valid, groups), train_ratio, include_generated_in_valid),
    )


def hold_out(
    records: Iterable[Record],
    groups: Mapping[str, int],
    share: float,
    *,
    stratify_by_topic: bool = True,
    include_generated: bool = False,
    seed: int = 0,
) -> frozenset[str]:
    """Choose whole groups of records, about a share of each topic, and leave some of each topic.

    Parameters
    ----------
    records
        Records with distinct ids, in any order.
    groups
        For each record id the number of its group, as `record_groups` gives it.
    share
        Share (0..1) of the records to hold out.
    stratify_by_topic, include_generated, seed
        As for `split_records`.

    Returns
    -------
    Ids of the records that are held out.
    """
    members = _members(sorted(records, key=lambda record: record.id), groups)

    def stratum(record: Record) -> str | None:
        return record.topic if stratify_by_topic else None

    totals = Counter(stratum(record) for group in members for record in group)
    left = Counter(record.topic for group in members for record in group)
    held: Counter[str | None] = Counter()
    chosen: set[str] = set()
    for group in sorted(members, key=lambda group: _draw(seed, group[0].id)):
        if not include_generated and any(record.is_generated for record in group):
            continue
        topics = Counter(record.topic for record in group)
        if any(left[topic] <= count for topic, count in topics.items() if topic is not None):
            continue  # a topic would have nothing to learn from
        if left.total() <= len(group):
            continue
        added = Counter(stratum(record) for record in group)
        # Distance from the wished-for counts, before and after; a large group overshoots.
        gain = sum(
            abs(share * totals[key] - held[key]) - abs(share * totals[key] - held[key] - count)
            for key, count in added.items()
        )
        if gain > 0:
            chosen.update(record.id for record in group)
            held.update(added)
            left.subtract(topics)
    return frozenset(chosen)


def record_groups(records: Iterable[Record]) -> dict[str, int]:
    """Number the groups of records that must stay together.

    Two records are in one group when they have the same thread, when one was made from the other
    (at any number of removes, even where what is between them is not among the records), or when
    what their users say is nearly the same.

    Parameters
    ----------
    records
        Records with distinct ids, in any order.

    Returns
    -------
    For each record id the number of its group, counted from 0 in order of ids.

    Raises
    ------
    InvalidArgument
        An id occurs twice.
    """
    ordered = sorted(records, key=lambda record: record.id)
    for one, other in pairwise(ordered):
        if one.id == other.id:
            raise InvalidArgument(f"The record id {one.id!r} occurs twice.")
    parents: dict[Hashable, Hashable] = {}

    def root(key: Hashable) -> Hashable:
        parents.setdefault(key, key)
        while parents[key] != key:
            parents[key] = parents[parents[key]]
            key = parents[key]
        return key

    families = near_duplicate_groups([prompt_text(record) for record in ordered])
    for record, family in zip(ordered, families, strict=True):
        own = ("record", record.id)
        parents[root(own)] = root(("family", family))
        if record.thread_id is not None:
            parents[root(own)] = root(("thread", record.thread_id))
        if record.source_record_id is not None:
            parents[root(own)] = root(("record", record.source_record_id))
    numbers: dict[Hashable, int] = {}
    return {
        record.id: numbers.setdefault(root(("record", record.id)), len(numbers))
        for record in ordered
    }


def prompt_text(record: Record) -> str:
    """What the users of a prompt say, joined: what makes two prompts nearly the same.

    The last message alone would not do: "Yes, please" is the same in any number of conversations.
    """
    return "\n".join(m.text for m in record.input.messages if m.role == "user")


def _members(records: Iterable[Record], groups: Mapping[str, int]) -> list[list[Record]]:
    members: dict[int, list[Record]] = defaultdict(list)
    for record in records:
        members[groups[record.id]].append(record)
    return list(members.values())


def _draw(seed: int, record_id: str) -> bytes:
    # Depends on nothing but the seed and the id: the order of the records does not matter.
    return hashlib.blake2b(f"{seed}/{record_id}".encode(), digest_size=8).digest()


def _by_topic(train: Sequence[Record], held: Sequence[Record]) -> tuple[TopicSplit, ...]:
    learned = Counter(record.topic for record in train)
    measured = Counter(record.topic for record in held)
    topics = sorted(learned.keys() | measured.keys(), key=lambda topic: (topic is None, topic))
    return tuple(
        TopicSplit(topic=topic, train=learned[topic], valid=measured[topic]) for topic in topics
    )


def _notes(
    topics: Sequence[TopicSplit],
    groups: Sequence[Sequence[Record]],
    ratio: float,
    include_generated: bool,
) -> tuple[str, ...]:
    notes = []
    total = sum(topic.train + topic.valid for topic in topics)
    held = sum(topic.valid for topic in topics)
    if held == 0:
        notes.append(
            "There is nothing to measure on: no group of records could be kept out of training."
        )
    elif abs(held / total - (1 - ratio)) > max(0.02, 1 / total):
        notes.append(
            f"Validation holds {held} of {total} records ({100 * held / total:.0f} %) instead of "
            f"{100 * (1 - ratio):.0f} %, because records that belong together stay together."
        )
    unmeasured = [topic.topic for topic in topics if topic.topic is not None and not topic.valid]
    if unmeasured:
        shown = ", ".join(unmeasured[:3]) + (" and others" if len(unmeasured) > 3 else "")
        notes.append(f"{len(unmeasured)} topics have no validation record: {shown}.")
    largest = max(len(group) for group in groups)
    if total > 10 and largest > 0.2 * total:
        notes.append(f"One group holds {largest} of {total} records, which are nearly the same.")
    if not include_generated and all(
        any(record.is_generated for record in group) for group in groups
    ):
        notes.append("All records are generated or the source of generated ones.")
    return tuple(notes)
