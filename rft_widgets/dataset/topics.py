"""The topics of a dataset, and its records under them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rft_widgets.dataset.finding_topics import FindsTopics
from rft_widgets.errors import ImportRejected
from rft_widgets.files import read_whole
from rft_widgets.model.topic import (
    TopicHierarchy,
)
from rft_widgets.model.topic_settings import TOPIC_LIMITS
from rft_widgets.steps.export import replacing
from rft_widgets.steps.topics import editing, tree
from rft_widgets.steps.topics.editing import Assignments
from rft_widgets.steps.topics.exchange import TopicsForm, read_topics, topics_json
from rft_widgets.steps.topics.tree import GENERAL
from rft_widgets.store import topics as topic_rows


class HasTopics(FindsTopics):
    """A dataset's topics: editing and exchanging them, beside what finds them.

    Every edit applies to the tree as it is when it is stored, whoever changed it meanwhile; the
    records and the targets of coverage follow in the same transaction.
    """

    @property
    def topics(self) -> TopicHierarchy:
        """The topics; while none were made or set, the tree that the records' labels make.

        Labels that can be no path of a topic are left out of it. The first operation on the topics
        keeps the tree.
        """
        with self._store.read() as connection:
            return topic_rows.current(connection, self.id)

    def set_topics(
        self,
        hierarchy: TopicHierarchy | Mapping[str, Any],
        *,
        assignments: Assignments = "keep",
    ) -> TopicHierarchy:
        """Set other topics in place of the present ones.

        Parameters
        ----------
        hierarchy
            The topics, or their JSON value in the nested or the flat form.
        assignments
            ``keep``: records stay where a leaf of their path, or alone of its name, is left, and
            else become unlabelled and remember their topic. ``clear``: all become unlabelled.

        Raises
        ------
        ImportRejected
            The value holds no valid topics.
        """
        return editing.replace(self._store, self.id, hierarchy, assignments)

    def import_topics(self, path: str | Path, assignments: Assignments = "keep") -> TopicHierarchy:
        """Set the topics of a JSON file, in the nested or the flat form; see `set_topics`."""
        data = read_whole(Path(path), TOPIC_LIMITS.max_file_bytes)
        if data is None:
            raise ImportRejected(
                f"{path} has more than {TOPIC_LIMITS.max_file_bytes:,} bytes.",
                hint="A file of topics is far smaller; is it the right one?",
            )
        return editing.replace(self._store, self.id, read_topics(data), assignments, file=str(path))

    def export_topics(self, path: str | Path, form: TopicsForm = "nested") -> None:
        """Write the topics to a JSON file that `import_topics` reads back to the same topics."""
        with replacing(Path(path)) as target:
            target.write_text(topics_json(self.topics, form), encoding="utf-8")

    def add_topic(
        self,
        parent: str,
        name: str,
        *,
        description: str = "",
        keywords: Iterable[str] = (),
        rest: str | None = GENERAL,
    ) -> TopicHierarchy:
        """Add a leaf under a topic, or at the top level with ``""``.

        Where the parent was a leaf, its records go to the leaf ``rest`` below it, or become
        unlabelled with ``None``.
        """
        words = tuple(keywords)
        details = {
            "parent": parent, "name": name, "description": description, "keywords": words,
            "rest": rest,
        }  # fmt: skip
        return self._edit(
            "add_topic",
            details,
            lambda t: tree.add(t, parent, name, description=description, keywords=words, rest=rest),
        )

    def rename_topic(self, path: str, name: str) -> TopicHierarchy:
        """Give a topic another name; what lies below it and the records follow."""
        details = {"path": path, "name": name}
        return self._edit("rename_topic", details, lambda t: tree.rename(t, path, name))

    def describe_topic(
        self, path: str, *, description: str | None = None, keywords: Iterable[str] | None = None
    ) -> TopicHierarchy:
        """Change what a topic says of itself; ``None`` keeps what it says now."""
        words = None if keywords is None else tuple(keywords)
        return self._edit(
            "describe_topic",
            {"path": path, "description": description, "keywords": words},
            lambda t: tree.describe(t, path, description=description, keywords=words),
        )

    def move_topic(
        self,
        path: str,
        parent: str,
        *,
        position: int | None = None,
        rest: str | None = GENERAL,
    ) -> TopicHierarchy:
        """Put a topic, with all below it, under another one (``""``: the top level) or elsewhere.

        Parameters
        ----------
        path, parent
            The topic, and its new parent.
        position
            Place among its new siblings, counted from 0; by default the last.
        rest
            As in `add_topic`, when the new parent was a leaf.
        """
        details = {"path": path, "parent": parent, "position": position, "rest": rest}
        return self._edit(
            "move_topic",
            details,
            lambda t: tree.move(t, path, parent, position=position, rest=rest),
        )

    def merge_topics(
        self, paths: Sequence[str], *, name: str | None = None, rest: str | None = GENERAL
    ) -> TopicHierarchy:
        """Make several topics one, at the place of the first and with its name or another.

        What lies below them is united. Records of a leaf among topics with others below them go to
        the leaf ``rest``.
        """
        details = {"paths": list(paths), "name": name, "rest": rest}
        return self._edit(
            "merge_topics", details, lambda t: tree.merge(t, paths, name=name, rest=rest)
        )

    def split_topic(
        self, path: str, *, n_topics: int | None = None, seed: int = 0
    ) -> TopicHierarchy:
        """Divide a leaf into topics below it that are found in its records.

        All records go where they are nearest, with the confidence of that: whoever put them under
        the leaf did not say which part of it.

        Parameters
        ----------
        path
            The leaf.
        n_topics
            Topics to make, 2 or more; by default the number that fits the records.
        seed
            Makes the result reproducible.
        """
        return editing.divide(self._store, self.id, path, n_topics, seed)

    def delete_topic(self, path: str, *, into: str | None = None) -> TopicHierarchy:
        """Take a topic away, with all below it.

        The records go to the leaf ``into``; without one they become unlabelled and remember it.
        """
        details = {"path": path, "into": into}
        return self._edit("delete_topic", details, lambda t: tree.delete(t, path, into=into))

    def _edit(
        self,
        kind: str,
        details: dict[str, Any],
        change: Callable[[TopicHierarchy], tree.Edit],
    ) -> TopicHierarchy:
        return editing.edit(self._store, self.id, kind, details, change)
