"""Topics: a tree of names, and what says that a record belongs to one of its leaves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from rft_widgets.errors import InvalidArgument, NotFound
from rft_widgets.model.record import TopicMethod
from rft_widgets.model.topic_settings import CATEGORIZE, TOPIC_LIMITS

HierarchyMethod = Literal["auto", "template", "manual", "import"]
"""Where a hierarchy came from."""

ConfidenceBand = Literal["high", "medium", "needs review"]
"""Bands of confidence: from 0.8, from 0.5, below."""

SEPARATOR = "/"
"""Joins the names from the root down to a topic into its path."""


class TopicNode(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A topic; ``id`` is its path, the names from the root down joined by ``/``."""

    id: str
    name: str
    description: str = ""
    keywords: tuple[str, ...] = ()
    children: tuple[TopicNode, ...] = ()

    @property
    def is_leaf(self) -> bool:
        """Whether records can belong to the topic itself."""
        return not self.children

    def walk(self) -> Iterator[TopicNode]:
        """Give the topic and everything below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()

    def leaves(self) -> Iterator[TopicNode]:
        """Give the leaves below the topic, or the topic itself when it is one."""
        return (node for node in self.walk() if node.is_leaf)


class TopicHierarchy(Struct, frozen=True, kw_only=True):
    """A tree of topics, valid by construction.

    Attributes
    ----------
    topics
        The topics without a parent, in order.
    method
        Where the hierarchy came from.
    seed
        Seed of a hierarchy that was found in the data; ``None`` for any other.
    version
        Version of the file format.

    Raises
    ------
    InvalidArgument
        Two siblings share a name, a name is empty or holds ``/``, an id is not the path of its
        topic, or the tree is too deep or too large.
    """

    topics: tuple[TopicNode, ...] = ()
    method: HierarchyMethod = "manual"
    seed: int | None = None
    version: str = "1.0"

    def __post_init__(self) -> None:
        _check_siblings(self.topics, "", 1)
        count = sum(1 for _ in self.walk())
        if count > TOPIC_LIMITS.max_topics:
            raise InvalidArgument(
                f"There are {count:,} topics, the limit is {TOPIC_LIMITS.max_topics:,}."
            )

    @property
    def depth(self) -> int:
        """Levels of the tree; 0 without topics."""
        return max((node.id.count(SEPARATOR) + 1 for node in self.walk()), default=0)

    @property
    def paths(self) -> tuple[str, ...]:
        """Paths of the leaves, in order."""
        return tuple(leaf.id for leaf in self.leaves())

    def walk(self) -> Iterator[TopicNode]:
        """Give every topic, parents first."""
        for node in self.topics:
            yield from node.walk()

    def leaves(self) -> tuple[TopicNode, ...]:
        """Give the topics that records can belong to, in order."""
        return tuple(node for node in self.walk() if node.is_leaf)

    def find(self, path: str) -> TopicNode:
        """Look a topic up by its path.

        Raises
        ------
        NotFound
            There is none.
        """
        for node in self.walk():
            if node.id == path:
                return node
        raise NotFound(
            f"There is no topic {path!r}.",
            hint="Topics are named by their path, for example 'Billing/Refunds'.",
        )


class Categorization(Struct, frozen=True, kw_only=True, gc=False):
    """Which topic a record belongs to, and how sure that is.

    Attributes
    ----------
    record_id
        The record.
    topic
        Path of a leaf; ``None`` when the record fits none.
    confidence
        How likely the topic is right (0..1): of ten records with 0.7, seven are.
    method
        What decided.
    needs_review
        Whether a person should look at it.
    runner_up
        Path of the next likely leaf.
    """

    record_id: str
    topic: str | None
    confidence: float
    method: TopicMethod
    needs_review: bool
    runner_up: str | None = None

    @property
    def band(self) -> ConfidenceBand:
        """The band that the confidence falls in."""
        return confidence_band(self.confidence)


class Calibration(Struct, frozen=True, kw_only=True):
    """How far confidences can be trusted, measured on records that were held out.

    ``error`` is the expected calibration error (0..1, ten bins): the mean distance between the
    confidence and the share that is right, less what so many records show of it by chance. It and
    ``accuracy`` are ``None`` without ``records``.
    """

    records: int
    accuracy: float | None
    error: float | None
    temperature: float


class TopicNaming(Struct, frozen=True, kw_only=True):
    """Who named found topics, of a model that was asked to.

    ``by_keywords`` counts those that it gave no usable name and that are called by their keywords;
    ``problem`` says why, of the first.
    """

    model: str
    by_model: int
    by_keywords: int
    problem: str = ""

    @property
    def words(self) -> str:
        """In words, such as ``12 named by some-model``."""
        kept = f"; {self.by_keywords:,} by keywords ({self.problem})" if self.by_keywords else ""
        return f"{self.by_model:,} named by {self.model}{kept}"


class ModelDecisions(Struct, frozen=True, kw_only=True):
    """What a model decided about records that keywords and similarity were unsure of.

    Attributes
    ----------
    records
        How many those were.
    decided
        Those that the model said something of; ``none`` of them fit no topic, it says.
    unanswered
        Those that it gave no usable answer to, and ``problem`` why, of the first; they have what
        similarity says.
    not_asked
        Those that it was not asked about because no more might be spent. They stay as they were.
    measured_on
        Confirmed records that the confidence of its decisions was measured on.
    accuracy, error
        Share of those that it was right about, and how far confidences are from that, as in
        `Calibration`; ``None`` without any.
    agreement
        Share of decisions that stayed when it was asked again; ``None`` where it was not.
    """

    model: str
    records: int
    decided: int
    none: int
    unanswered: int
    not_asked: int
    measured_on: int
    accuracy: float | None
    error: float | None
    agreement: float | None
    problem: str = ""

    @property
    def words(self) -> str:
        """In words, with how much its confidence rests on."""
        parts = [f"{self.model} decided about {self.decided:,} that were uncertain"]
        if self.accuracy is not None:
            parts[0] += f" (right about {self.accuracy:.0%} of {self.measured_on:,} confirmed ones)"
        elif self.decided:
            parts[0] += " (its confidence is assumed: no confirmed record tells)"
        if self.unanswered:
            parts.append(f"{self.unanswered:,} it did not answer ({self.problem})")
        return ", ".join(parts)


CategorizeMode = Literal["unlabeled_only", "recategorize_all"]
"""Records without a topic only, or all whose topic nobody decided."""


class CategorizationSummary(Struct, frozen=True, kw_only=True):
    """What putting records under topics came to.

    Attributes
    ----------
    mode
        Which records were looked at.
    records
        How many that were.
    categorized
        Those that have a topic now.
    low_confidence
        Those of them with a confidence below 0.7.
    other
        Those that fit no topic and were marked as looked at.
    skipped
        Those that somebody assigned while it ran, and that stay as they were assigned.
    by_method, by_band
        The categorised ones by what decided, and by the band of their confidence.
    members
        Records that were learned from.
    confirmed
        Those of them whose topic somebody gave: by hand, or with the data.
    calibration
        How far the confidences can be trusted; measured on the members. Where not all of those are
        confirmed, it says how well the clustering that found the topics is repeated.
    by_model
        What a model decided, where one was asked.
    """

    mode: CategorizeMode
    records: int
    categorized: int
    low_confidence: int
    other: int
    skipped: int
    by_method: dict[str, int]
    by_band: dict[str, int]
    members: int
    confirmed: int
    calibration: Calibration
    by_model: ModelDecisions | None = None


class ReviewItem(Struct, frozen=True, kw_only=True):
    """A record whose topic is uncertain: the text that decides it, and the two likely topics."""

    record_id: str
    text: str
    topic: str
    confidence: float
    runner_up: str | None


class TopicsAtRisk(Struct, frozen=True, kw_only=True):
    """Records that would lose their topic with other topics; ``by_hand`` of them were assigned."""

    labelled: int
    by_hand: int


def confidence_band(confidence: float) -> ConfidenceBand:
    """Name the band of a confidence (0..1)."""
    if confidence >= CATEGORIZE.high_confidence:
        return "high"
    return "medium" if confidence >= CATEGORIZE.medium_confidence else "needs review"


def topic(
    name: str,
    description: str = "",
    keywords: Iterable[str] = (),
    children: Iterable[TopicNode] = (),
) -> TopicNode:
    """Make a topic without a parent; the ids of what is below it follow.

    Parameters
    ----------
    name
        Its name, without ``/``.
    description
        What belongs to it, in a sentence.
    keywords
        Words and phrases that point to it.
    children
        Topics below it.
    """
    node = TopicNode(
        id=name, name=name, description=description, keywords=tuple(keywords),
        children=tuple(children),
    )  # fmt: skip
    return rooted(node)


def rooted(node: TopicNode, parent: str = "") -> TopicNode:
    """Give the topic with ids that say it lies under ``parent``, a path or nothing."""
    path = f"{parent}{SEPARATOR}{node.name}" if parent else node.name
    return replace(node, id=path, children=tuple(rooted(child, path) for child in node.children))


def hierarchy(
    topics: Iterable[TopicNode], method: HierarchyMethod = "manual", seed: int | None = None
) -> TopicHierarchy:
    """Make a hierarchy of topics, whatever their ids were before."""
    return TopicHierarchy(topics=tuple(rooted(node) for node in topics), method=method, seed=seed)


def check_name(name: str, where: str = "") -> None:
    """Refuse a name that no topic can have.

    Parameters
    ----------
    name
        The name.
    where
        Path of the parent, for the message.

    Raises
    ------
    InvalidArgument
        It is empty, too long, or holds ``/``, a control character or white space at an end.
    """
    place = f" under {where!r}" if where else ""
    if not name or name != name.strip():
        raise InvalidArgument(
            f"The topic name {name!r}{place} is empty or begins or ends with a space."
        )
    if SEPARATOR in name:
        raise InvalidArgument(
            f"The topic name {name!r}{place} holds '/', which separates the levels of a path."
        )
    if any(
        ord(char) < 32 or 127 <= ord(char) < 160 or "\ud800" <= char <= "\udfff" for char in name
    ):
        raise InvalidArgument(
            f"The topic name {name!r}{place} holds a control character or half of a surrogate pair."
        )
    if len(name) > TOPIC_LIMITS.max_name_chars:
        raise InvalidArgument(
            f"The topic name {name[:40]!r}…{place} has {len(name):,} characters, the limit is "
            f"{TOPIC_LIMITS.max_name_chars}."
        )


def _check_siblings(nodes: tuple[TopicNode, ...], parent: str, level: int) -> None:
    if nodes and level > TOPIC_LIMITS.max_depth:
        raise InvalidArgument(
            f"Topic {nodes[0].name!r} under {parent!r} is on level {level}, the deepest is "
            f"{TOPIC_LIMITS.max_depth}."
        )
    seen: dict[str, str] = {}
    for node in nodes:
        check_name(node.name, parent)
        path = f"{parent}{SEPARATOR}{node.name}" if parent else node.name
        if node.id != path:
            raise InvalidArgument(f"Topic {path!r} has the id {node.id!r}.")
        # Names that differ in case only would be mistaken for each other.
        first = seen.get(node.name.casefold())
        if first is not None:
            where = f"under {parent!r}" if parent else "at the top level"
            raise InvalidArgument(f"Two topics {where} are named {first!r} and {node.name!r}.")
        seen[node.name.casefold()] = node.name
        _check_siblings(node.children, path, level + 1)
