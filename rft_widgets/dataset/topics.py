"""The topics of a dataset, and its records under them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from rft_widgets.dataset.labels import LabelsRecords
from rft_widgets.errors import ImportRejected, InvalidArgument, RunInterrupted
from rft_widgets.files import read_whole
from rft_widgets.model.topic import (
    CategorizationSummary,
    CategorizeMode,
    TopicHierarchy,
)
from rft_widgets.model.topic_settings import TOPIC_LIMITS
from rft_widgets.steps.export import replacing
from rft_widgets.steps.progress import Progress
from rft_widgets.steps.topics import editing, placing, tree
from rft_widgets.steps.topics.editing import Assignments
from rft_widgets.steps.topics.exchange import TopicsForm, read_topics, topics_json
from rft_widgets.steps.topics.naming import Namer, Names
from rft_widgets.steps.topics.templates import template as topics_of_template
from rft_widgets.steps.topics.tree import GENERAL
from rft_widgets.store import topics as topic_rows


class HasTopics(LabelsRecords):
    """A dataset's topics: finding, editing and exchanging them, and putting records under them.

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

    def generate_topics(
        self,
        method: Literal["auto", "template"] = "auto",
        *,
        template: str | None = None,
        n_topics: int | None = None,
        depth: int | None = None,
        seed: int = 0,
        namer: Namer | Names | None = None,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> TopicHierarchy:
        """Make topics in place of the present ones.

        Records that were put by hand under a topic that is no more become unlabelled and remember
        it; where its path is left, they stay.

        Parameters
        ----------
        method
            ``auto`` finds topics in the valid records and puts these under them. One that fits none
            stays without a topic and is marked as looked at. A label that came with the data gives
            way and is remembered. ``template`` sets ready-made topics; records stay where their
            path is left.
        template
            Name of the template; `template_names` lists them.
        n_topics
            Leaves to find; by default the number that fits the data, 2 to 30.
        depth
            Most levels of found topics, 1 to 5 (default 2).
        seed
            The same records and seed give the same topics.
        namer
            Names found topics instead of their keywords, a language model for instance; or the
            names that one gave before, as the log has them.
        progress
            Is told the share that is done (0..1) and what is being done.
        cancelled
            Asked all along; when it says so, nothing is changed.

        Raises
        ------
        InvalidArgument
            An option does not belong to the method, or no valid record says anything.
        NotFound
            There is no such template.
        RunInterrupted
            It was cancelled.
        """
        if method == "auto":
            if template is not None:
                raise InvalidArgument(
                    "Found topics follow no template.", hint="Pass method='template' for that."
                )
            return placing.find_topics(
                self._store,
                self.id,
                n_topics=n_topics,
                depth=depth,
                seed=seed,
                namer=namer,
                progress=progress,
                cancelled=cancelled,
            )
        if method != "template":
            raise InvalidArgument(
                f"The method {method!r} is unknown.",
                hint="Pass 'auto' or 'template', or make topics with add_topic().",
            )
        if template is None or n_topics is not None or depth is not None or namer is not None:
            raise InvalidArgument(
                "A template is chosen by its name, and says itself how many topics there are.",
                hint="Pass template='...' without n_topics, depth and namer.",
            )
        made = topics_of_template(template)
        paths = set(made.paths)
        return editing.edit(
            self._store,
            self.id,
            "generate_topics",
            {"method": method, "template": template},
            lambda before: tree.Edit(made, {p: p if p in paths else None for p in before.paths}),
        )

    def regenerate_topics(
        self,
        method: Literal["auto", "template"] = "auto",
        *,
        template: str | None = None,
        n_topics: int | None = None,
        depth: int | None = None,
        seed: int = 0,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> CategorizationSummary:
        """Make topics in place of the present ones, and put records under them.

        That is `generate_topics` and then `categorize`; see there.

        Raises
        ------
        RunInterrupted
            It was cancelled; the message says whether the topics are the new ones.
        """
        self.generate_topics(
            method,
            template=template,
            n_topics=n_topics,
            depth=depth,
            seed=seed,
            progress=_part(progress, 0.0, 0.6),
            cancelled=cancelled,
        )
        try:
            return self.categorize(
                seed=seed, progress=_part(progress, 0.6, 1.0), cancelled=cancelled
            )
        except RunInterrupted as error:
            raise RunInterrupted(
                "The new topics are there; putting records under them was cancelled.",
                hint="Run categorize() for the rest.",
            ) from error

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

    def categorize(
        self,
        mode: CategorizeMode = "unlabeled_only",
        *,
        seed: int = 0,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> CategorizationSummary:
        """Put valid records under the topics, each with a confidence that means what it says.

        What somebody decided, by hand or as a label that came with the data, is never changed, nor
        what somebody assigns while this runs; it is what is learned from. Where topics were found
        in the data and fewer than five records of one are decided, those that the clustering put
        there with high confidence are learned from as well, so that new records go where the old
        ones are. Confidence then says how well the clustering is repeated, not what a person would
        say.

        Parameters
        ----------
        mode
            ``unlabeled_only`` looks at records that were never looked at, and again at those that
            fitted no topic; ``recategorize_all`` also at those that nobody decided. A record that
            fitted no topic before gets one only with a confidence of 0.7 or more.
        seed
            The same records, topics and seed give the same result.
        progress
            Is told the share that is done (0..1) and what is being done.
        cancelled
            Asked all along; when it says so, nothing is changed.

        Raises
        ------
        InvalidArgument
            There are no topics.
        StaleEdit
            The topics were changed while it ran; nothing was written.
        RunInterrupted
            It was cancelled.
        """
        return placing.categorize(
            self._store, self.id, mode, seed=seed, progress=progress, cancelled=cancelled
        )

    def _edit(
        self,
        kind: str,
        details: dict[str, Any],
        change: Callable[[TopicHierarchy], tree.Edit],
    ) -> TopicHierarchy:
        return editing.edit(self._store, self.id, kind, details, change)


def _part(progress: Progress | None, start: float, stop: float) -> Progress | None:
    """Progress of a part of some work, from one share (0..1) of it to another."""
    if progress is None:
        return None

    def tell(share: float, words: str) -> None:
        progress(start + (stop - start) * share, words)

    return tell
