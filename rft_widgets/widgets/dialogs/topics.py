"""The tree of topics, and which records are under them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Struct

from rft_widgets.model.connection import ConnectionName
from rft_widgets.model.estimate import WorkEstimate
from rft_widgets.model.settings import LIMITS
from rft_widgets.model.topic import (
    SEPARATOR,
    CategorizeMode,
    ReviewItem,
    TopicsAtRisk,
)
from rft_widgets.model.topic_report import TopicsReport
from rft_widgets.steps.topics.exchange import TopicsForm, topics_json
from rft_widgets.steps.topics.review import ReviewOrder
from rft_widgets.steps.topics.templates import template, template_names
from rft_widgets.widgets import rpc
from rft_widgets.widgets.dialogs.base import Dialog
from rft_widgets.worker.definition import MaxCost
from rft_widgets.worker.topics import (
    Categorize,
    Count,
    GenerateTopics,
    Instructions,
    Name,
    SplitTopic,
)

Path = Annotated[str, msgspec.Meta(max_length=LIMITS.max_identifier_chars)]


class TopicTemplate(Struct, frozen=True, kw_only=True):
    """Ready-made topics: their name, how many leaves they are, and those without a parent."""

    name: str
    leaves: int
    topics: tuple[str, ...]


class TopicsEstimate(Struct, frozen=True, kw_only=True):
    """What a model's part would take: naming, and deciding where there are topics already."""

    naming: WorkEstimate
    deciding: WorkEstimate | None


class TopicsDialog(Dialog):
    """The tree of topics, and which records are under them."""

    component: ClassVar[str] = "dialogs/topics"
    step: ClassVar[int] = 2

    @rpc.method(background=True, packed=True)
    def load(self) -> TopicsReport:
        """The topics as they stand."""
        return self._dataset.topics_report

    @rpc.method(background=True)
    def templates(self) -> tuple[TopicTemplate, ...]:
        """Ready-made topics."""
        trees = {name: template(name) for name in template_names()}
        return tuple(
            TopicTemplate(
                name=name,
                leaves=len(tree.paths),
                topics=tuple(node.name for node in tree.topics),
            )
            for name, tree in trees.items()
        )

    @rpc.method(background=True, packed=True)
    def export(self, form: TopicsForm = "nested") -> str:
        """The topics as the text of a file that can be imported."""
        return topics_json(self._dataset.topics, form)

    # Edits return the path under which the topic is found afterwards.

    @rpc.method(background=True)
    def add_topic(self, parent: Path, name: Name) -> str:
        """Add a topic below another one, or at the top level."""
        self._dataset.add_topic(parent, name)
        return _below(parent, name)

    @rpc.method(background=True)
    def rename_topic(self, path: Path, name: Name) -> str:
        """Give a topic another name."""
        self._dataset.rename_topic(path, name)
        return _below(_parent_of(path), name)

    @rpc.method(background=True)
    def describe_topic(self, path: Path, description: str, keywords: tuple[str, ...]) -> str:
        """Change what a topic says of itself."""
        self._dataset.describe_topic(path, description=description, keywords=keywords)
        return path

    @rpc.method(background=True)
    def move_topic(self, path: Path, parent: Path, position: int | None = None) -> str:
        """Put a topic below another one, or at another place."""
        self._dataset.move_topic(path, parent, position=position)
        return _below(parent, path.rpartition(SEPARATOR)[2])

    @rpc.method(background=True)
    def merge_topics(self, path: Path, into: Path) -> str:
        """Make a topic part of another one."""
        self._dataset.merge_topics([into, path])
        return into

    @rpc.method(background=True)
    def delete_topic(self, path: Path, into: Path | None = None) -> str:
        """Take a topic away."""
        self._dataset.delete_topic(path, into=into)
        return into or _parent_of(path)

    @rpc.method()
    def split_topic(self, path: Path, n_topics: Count | None = None) -> None:
        """Begin to divide a leaf."""
        self._dataset.submit("split_topic", SplitTopic(path=path, n_topics=n_topics))

    # Long work.

    @rpc.method(background=True)
    def at_risk(self) -> TopicsAtRisk:
        """Records that other topics would take from under theirs."""
        return self._dataset.topics_at_risk()

    @rpc.method(background=True)
    def estimate(
        self, model: ConnectionName, mode: CategorizeMode = "unlabeled_only"
    ) -> TopicsEstimate:
        """What a model would take; naming that of as many topics as there may be."""
        ds = self._dataset
        return TopicsEstimate(
            naming=ds.estimate_topics(model),
            deciding=ds.estimate_categorize(model, mode) if ds.topics.paths else None,
        )

    @rpc.method()
    def regenerate(
        self,
        method: Literal["auto", "template"],
        template: Name | None = None,
        n_topics: Count | None = None,
        depth: Count | None = None,
        model: ConnectionName | None = None,
        categorize_model: ConnectionName | None = None,
        instructions: Instructions = "",
        max_cost_usd: MaxCost | None = None,
    ) -> None:
        """Begin to make other topics, and to put the records under them."""
        asked = GenerateTopics(
            method=method,
            template=template,
            n_topics=n_topics,
            depth=depth,
            model=model,
            categorize_model=categorize_model,
            instructions=instructions,
            max_cost_usd=max_cost_usd,
        )
        self._dataset.submit("generate_topics", asked)

    @rpc.method()
    def categorize(
        self,
        mode: CategorizeMode,
        model: ConnectionName | None = None,
        instructions: Instructions = "",
        max_cost_usd: MaxCost | None = None,
    ) -> None:
        """Begin to put records under the topics."""
        asked = Categorize(
            mode=mode, model=model, instructions=instructions, max_cost_usd=max_cost_usd
        )
        self._dataset.submit("categorize", asked)

    # Review.

    @rpc.method(background=True, packed=True)
    def review(
        self, order: ReviewOrder, limit: Annotated[int, msgspec.Meta(ge=1, le=5_000)]
    ) -> tuple[ReviewItem, ...]:
        """Records whose topic is uncertain, in the order to look at them."""
        return self._dataset.review_queue(order, limit)

    @rpc.method(background=True)
    def confirm(self, record_id: Name, topic: Path) -> str:
        """Decide which topic a record is under."""
        return self._dataset.confirm_topic(record_id, topic)

    @rpc.method(background=True)
    def undo_confirm(self, record_id: Name) -> str | None:
        """Take that back."""
        return self._dataset.undo_confirm_topic(record_id)


def _below(parent: str, name: str) -> str:
    return f"{parent}{SEPARATOR}{name}" if parent else name


def _parent_of(path: str) -> str:
    return path.rpartition(SEPARATOR)[0]


WIDGET = TopicsDialog
