"""In which order a person should look at uncertain records."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable
from typing import Literal

from rft_widgets.model.settings import TOPICS
from rft_widgets.model.topic import Categorization

ReviewOrder = Literal["confidence", "gain"]
"""The least certain first, or first what teaches most."""


def review_queue(
    found: Iterable[Categorization], *, order: ReviewOrder = "confidence", limit: int | None = None
) -> list[Categorization]:
    """Order the records that need review.

    Parameters
    ----------
    found
        Topics of records; those decided by hand, and those with a confidence of 0.7 or more that
        are not marked for review, are left out.
    order
        ``"confidence"`` begins with the least certain. ``"gain"`` begins where one decision helps
        most others: each record counts its uncertainty, times the uncertain records between the
        same two topics, divided by how many of those come before it in the queue. So the most
        confused pair of topics comes first, and then pairs take turns.
    limit
        Most records to give.

    Returns
    -------
    The records in order; equal ones by their ids.
    """
    open_ones = [
        one
        for one in found
        if one.method != "manual" and (one.needs_review or one.confidence < TOPICS.low_confidence)
    ]
    open_ones.sort(key=lambda one: (one.confidence, one.record_id))
    queue = open_ones if order == "confidence" else _by_gain(open_ones)
    return queue if limit is None else queue[:limit]


def _by_gain(least_certain_first: list[Categorization]) -> list[Categorization]:
    pairs: dict[frozenset[str | None], list[Categorization]] = defaultdict(list)
    for one in least_certain_first:
        pairs[frozenset((one.topic, one.runner_up))].append(one)
    # Within a pair the gain only falls, so the first of each pair are enough to compare.
    heap = [
        (-(1 - members[0].confidence) * len(members), members[0].record_id, 0, number)
        for number, members in enumerate(pairs.values())
    ]
    groups = list(pairs.values())
    heapq.heapify(heap)
    queue: list[Categorization] = []
    while heap:
        _, _, place, number = heapq.heappop(heap)
        members = groups[number]
        queue.append(members[place])
        place += 1
        if place < len(members):
            gain = (1 - members[place].confidence) * len(members) / (place + 1)
            heapq.heappush(heap, (-gain, members[place].record_id, place, number))
    return queue
