"""How the topics of a dataset stand: counts, how sure they are, and what other topics would do."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from rft_widgets.model.topic import HierarchyMethod

ConfidenceBasis = Literal["confirmed", "clustering", "estimate"]
"""What confidences were measured on: records that somebody decided, the clustering that found the
topics, or too few of either."""


class TopicRow(Struct, frozen=True, kw_only=True):
    """A topic with what lies under it, as a line of a list that has parents first.

    Attributes
    ----------
    path, name
        The topic.
    level
        1 for a topic without a parent.
    is_leaf
        Whether records can belong to the topic itself.
    description, keywords
        What it says of itself.
    records
        Valid records of the topic and of what lies below it.
    share
        Part of the categorised records (0..1) that this is; ``None`` without any.
    low_confidence
        Those of them with a confidence below 0.7.
    """

    path: str
    name: str
    level: int
    is_leaf: bool
    description: str
    keywords: tuple[str, ...]
    records: int
    share: float | None
    low_confidence: int


class ConfidenceBands(Struct, frozen=True, kw_only=True):
    """Categorised records by the band of their confidence; a label of an import may have none."""

    high: int
    medium: int
    needs_review: int
    unknown: int


class ConfidenceMeasure(Struct, frozen=True, kw_only=True):
    """How far confidences can be trusted, as the last run found out.

    Attributes
    ----------
    at
        When that was.
    basis
        What it was measured on.
    records
        How many records were held out for it.
    accuracy
        Part of them (0..1) that came under their topic; ``None`` for an estimate.
    error
        Mean distance (0..1) of confidence and outcome; ``None`` for an estimate.
    """

    at: datetime
    basis: ConfidenceBasis
    records: int
    accuracy: float | None
    error: float | None


class TopicsReport(Struct, frozen=True, kw_only=True):
    """The topics of a dataset and its valid records under them, of one moment.

    Attributes
    ----------
    method
        Where the topics came from.
    topics
        All of them, parents first.
    leaves, depth
        Topics that records can be under, and levels.
    records
        Valid records.
    categorized, uncategorized
        Those under a leaf, and those that are not.
    other
        Those of the latter that were looked at and fit no topic.
    decided
        Records whose topic somebody gave: by hand or with the data.
    low_confidence, to_review
        Records with a confidence below 0.7, and those of them that nobody decided.
    bands
        The categorised records by band.
    measure
        How far the confidences can be trusted; ``None`` before the first run.
    edits_since, confirmed_since
        Edits of the topics and decisions by hand since records were put under topics last.
    """

    method: HierarchyMethod
    topics: tuple[TopicRow, ...]
    leaves: int
    depth: int
    records: int
    categorized: int
    uncategorized: int
    other: int
    decided: int
    low_confidence: int
    to_review: int
    bands: ConfidenceBands
    measure: ConfidenceMeasure | None
    edits_since: int
    confirmed_since: int


class TopicsImpact(Struct, frozen=True, kw_only=True):
    """What setting other topics would do to the records.

    Attributes
    ----------
    replaced
        Topics that would go, parents included.
    labelled, by_hand
        Records with a topic, and those of them that were assigned by hand.
    kept, kept_by_hand
        Those whose topic has a successor: a leaf of the same path, or alone of the same name.
    """

    replaced: int
    labelled: int
    by_hand: int
    kept: int
    kept_by_hand: int
