"""Import a tree of topics from a file."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import ClassVar

from msgspec import Struct

from rft_widgets.errors import ImportRejected
from rft_widgets.model.topic import TopicHierarchy, TopicNode
from rft_widgets.model.topic_report import TopicsImpact
from rft_widgets.model.topic_settings import TOPIC_LIMITS
from rft_widgets.steps.topics.editing import Assignments
from rft_widgets.steps.topics.exchange import read_topics
from rft_widgets.widgets import rpc
from rft_widgets.widgets.dialogs.base import Dialog

SHOWN_LEVELS = 2
SHOWN_TOPICS = 200


class FoundTopic(Struct, frozen=True, kw_only=True):
    """A topic of a file: its level from 1, and how many leaves lie below it."""

    name: str
    level: int
    description: str
    below: int


class FoundTopics(Struct, frozen=True, kw_only=True):
    """What a file of topics holds, and what importing it would do to the records.

    ``shown`` has the first levels, ``more`` says how many topics are not among them.
    """

    topics: int
    leaves: int
    depth: int
    shown: tuple[FoundTopic, ...]
    more: int
    impact: TopicsImpact


class ImportedTopics(Struct, frozen=True, kw_only=True):
    """What importing topics came to: leaves there are, records that kept a topic or lost it."""

    leaves: int
    kept: int
    lost: int


class ImportTopicsDialog(Dialog):
    """Import a tree of topics from a file."""

    component: ClassVar[str] = "dialogs/import_topics"
    step: ClassVar[int] = 2

    @rpc.method(background=True, packed=True)
    def preview(self, data: bytes) -> FoundTopics:
        """Read a file, and say what importing it would do; changes nothing."""
        tree = _read(data)
        shown = tuple(islice(_first_levels(tree.topics, 1), SHOWN_TOPICS))
        count = sum(1 for _ in tree.walk())
        return FoundTopics(
            topics=count,
            leaves=len(tree.paths),
            depth=tree.depth,
            shown=shown,
            more=count - len(shown),
            impact=self._dataset.topics_impact(tree),
        )

    @rpc.method(background=True)
    def apply(self, assignments: Assignments, data: bytes) -> ImportedTopics:
        """Set the topics of a file."""
        tree = _read(data)
        before = self._dataset.topics_at_risk().labelled
        made = self._dataset.set_topics(tree, assignments=assignments)
        after = self._dataset.topics_at_risk().labelled
        return ImportedTopics(leaves=len(made.paths), kept=after, lost=max(0, before - after))


def _read(data: bytes) -> TopicHierarchy:
    if len(data) > TOPIC_LIMITS.max_upload_bytes:
        raise ImportRejected(
            f"The file has {len(data):,} bytes; a page takes at most "
            f"{TOPIC_LIMITS.max_upload_bytes:,}.",
            hint="A file of topics is far smaller. ds.import_topics() reads larger ones.",
        )
    return read_topics(data)


def _first_levels(nodes: tuple[TopicNode, ...], level: int) -> Iterator[FoundTopic]:
    for node in nodes:
        below = 0 if node.is_leaf else sum(1 for _ in node.leaves())
        yield FoundTopic(name=node.name, level=level, description=node.description, below=below)
        if level < SHOWN_LEVELS:
            yield from _first_levels(node.children, level + 1)


WIDGET = ImportTopicsDialog
