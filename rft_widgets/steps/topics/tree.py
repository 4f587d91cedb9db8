"""Edits of a topic tree: each gives a new tree, and says where the records of every leaf go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct, field

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.topic import (
    SEPARATOR,
    TopicHierarchy,
    TopicNode,
    check_name,
    hierarchy,
    topic,
)

GENERAL = "General"
"""Name of the leaf that keeps the records of a topic when the topic gets others below it."""


class Edit(NamedTuple):
    """A tree after an edit, and where the records of each leaf before it go.

    ``moved`` has every leaf of the tree before: its path then leads to its path now, or to ``None``
    when its records become unlabelled.
    """

    hierarchy: TopicHierarchy
    moved: dict[str, str | None]

    @property
    def changed(self) -> dict[str, str | None]:
        """The part of ``moved`` that is not the same path again."""
        return {old: new for old, new in self.moved.items() if old != new}


class Split(NamedTuple):
    """A tree after a leaf was split: an edit, the new leaf of each text that was given, and how
    sure (0..1) that is.
    """  # noqa: D205

    hierarchy: TopicHierarchy
    moved: dict[str, str | None]
    assigned: tuple[str, ...]
    confidences: tuple[float, ...]


def add(
    tree: TopicHierarchy,
    parent: str,
    name: str,
    *,
    description: str = "",
    keywords: Iterable[str] = (),
    rest: str | None = GENERAL,
) -> Edit:
    """Add a leaf.

    Parameters
    ----------
    tree
        The tree.
    parent
        Path of the topic to add it to, or ``""`` for the top level.
    name, description, keywords
        The new topic.
    rest
        When the parent was a leaf: name of the leaf below it that takes over its records, or
        ``None`` to leave them unlabelled (or when it has none).

    Raises
    ------
    NotFound
        There is no such parent.
    InvalidArgument
        The name is taken or not allowed, or the tree would be too deep.
    """
    check_name(name, parent)
    root = _thaw(tree)
    target = _at(root, tree, parent)
    target.children.append(_Draft(name, description, tuple(keywords)))
    return _freeze(root, tree, rest)


def rename(tree: TopicHierarchy, path: str, name: str) -> Edit:
    """Give a topic another name; its records and those below it follow.

    Raises
    ------
    NotFound
        There is no such topic.
    InvalidArgument
        The name is taken or not allowed.
    """
    check_name(name, _parent_of(path))
    root = _thaw(tree)
    _at(root, tree, path).name = name
    return _freeze(root, tree, None)


def describe(
    tree: TopicHierarchy,
    path: str,
    *,
    description: str | None = None,
    keywords: Iterable[str] | None = None,
) -> Edit:
    """Change what a topic says of itself; ``None`` keeps what it says now.

    Raises
    ------
    NotFound
        There is no such topic.
    """
    root = _thaw(tree)
    node = _at(root, tree, path)
    if description is not None:
        node.description = description
    if keywords is not None:
        node.keywords = tuple(keywords)
    return _freeze(root, tree, None)


def move(
    tree: TopicHierarchy,
    path: str,
    parent: str,
    *,
    position: int | None = None,
    rest: str | None = GENERAL,
) -> Edit:
    """Put a topic, with all below it, under another one or at another place.

    Parameters
    ----------
    tree
        The tree.
    path
        The topic.
    parent
        Path of its new parent, or ``""`` for the top level.
    position
        Place among its new siblings, counted from 0; by default the last.
    rest
        As in `add`, when the new parent was a leaf.

    Raises
    ------
    NotFound
        There is no such topic.
    InvalidArgument
        The new parent is the topic itself or below it, has a child of that name, or is too deep.
    """
    if parent == path or parent.startswith(path + SEPARATOR):
        raise InvalidArgument(f"The topic {path!r} cannot lie under {parent!r}, below itself.")
    root = _thaw(tree)
    node = _at(root, tree, path)
    target = _at(root, tree, parent)
    siblings = _at(root, tree, _parent_of(path)).children
    siblings.remove(node)
    target.children.insert(len(target.children) if position is None else position, node)
    return _freeze(root, tree, rest)


def merge(
    tree: TopicHierarchy,
    paths: Sequence[str],
    *,
    name: str | None = None,
    rest: str | None = GENERAL,
) -> Edit:
    """Make several topics one, at the place of the first.

    Leaves become one leaf. What lies below the topics is united; of two with one name, the same is
    done again. A leaf that is merged with a topic that has others below it leaves its records to
    ``rest``. Keywords are united, and the first description that there is stays.

    Parameters
    ----------
    tree
        The tree.
    paths
        Two topics or more, none below another.
    name
        Name of the result, by default that of the first.
    rest
        As in `add`.

    Raises
    ------
    NotFound
        There is no such topic.
    InvalidArgument
        There are fewer than two topics, one is below another, or the name is not allowed.
    """
    distinct = list(dict.fromkeys(paths))
    if len(distinct) < 2:
        raise InvalidArgument("Two topics are needed to merge, or more.")
    for one in distinct:
        for other in distinct:
            if one.startswith(other + SEPARATOR):
                raise InvalidArgument(f"The topic {one!r} is below {other!r}, and part of it.")
    root = _thaw(tree)
    nodes = [_at(root, tree, path) for path in distinct]
    target = nodes[0]
    for path, node in zip(distinct[1:], nodes[1:], strict=True):
        _at_parent(root, path).children.remove(node)
        _unite(target, node)
    if name is not None:
        check_name(name, _parent_of(distinct[0]))
        target.name = name
    return _freeze(root, tree, rest)


def delete(tree: TopicHierarchy, path: str, *, into: str | None = None) -> Edit:
    """Take a topic away, with all below it.

    Parameters
    ----------
    tree
        The tree.
    path
        The topic.
    into
        Path of a leaf that takes over the records; by default they become unlabelled.

    Raises
    ------
    NotFound
        There is no such topic.
    InvalidArgument
        The records would go to a topic that is deleted, too, or that is no leaf.
    """
    root = _thaw(tree)
    node = _at(root, tree, path)
    if into is not None:
        if into == path or into.startswith(path + SEPARATOR):
            raise InvalidArgument(f"The topic {into!r} is deleted, too; records cannot go there.")
        if not tree.find(into).is_leaf:
            raise InvalidArgument(f"The topic {into!r} is no leaf; records cannot go there.")
        _at(root, tree, into).origins += [leaf.id for leaf in tree.find(path).leaves()]
    _at_parent(root, path).children.remove(node)
    return _freeze(root, tree, None)


def split(
    tree: TopicHierarchy,
    path: str,
    texts: Sequence[str],
    *,
    parts: int | None = None,
    seed: int = 0,
) -> Split:
    """Divide a leaf into topics below it, found in the texts of its records.

    Parameters
    ----------
    tree
        The tree.
    path
        The leaf.
    texts
        Topic texts of its records.
    parts
        How many topics to make, 2 or more; by default the number that fits the texts.
    seed
        Makes the result reproducible.

    Returns
    -------
    The new tree. ``assigned`` has the new path of each text; a record that no text was given for
    becomes unlabelled.

    Raises
    ------
    NotFound
        There is no such topic.
    InvalidArgument
        It is no leaf or lies too deep, or its texts are too few or too much alike to divide.
    """
    leaf = tree.find(path)
    if not leaf.is_leaf:
        raise InvalidArgument(f"The topic {path!r} has topics below it; only a leaf can be split.")
    if parts is not None and parts < 2:
        raise InvalidArgument(f"A topic is split into 2 parts or more, not {parts}.")
    from rft_widgets.steps.topics.auto import fit_topics  # noqa: PLC0415 - slow to load

    model = fit_topics(texts, n_topics=parts, depth=1, seed=seed)
    if len(model.paths) < 2:
        raise InvalidArgument(
            f"The records of {path!r} are too few or too much alike to be split.",
            hint="At least four records with different texts are needed.",
        )
    root = _thaw(tree)
    node = _at(root, tree, path)
    node.origins.clear()
    node.children = [
        _Draft(found.name, found.description, found.keywords) for found in model.hierarchy.topics
    ]
    edit = _freeze(root, tree, None)
    nearest, sure = model.nearest(texts)
    assigned = tuple(f"{path}{SEPARATOR}{model.paths[place]}" for place in nearest)
    return Split(edit.hierarchy, edit.moved, assigned, tuple(sure))


def follow(
    assignments: Mapping[str, str | None], moved: Mapping[str, str | None]
) -> dict[str, str | None]:
    """Topic of each record after an edit.

    Parameters
    ----------
    assignments
        Path of the leaf of each record before, by record.
    moved
        What the edit gave; a path that it does not have is of no leaf, and leads to ``None``.
    """
    return {
        record: None if path is None else moved.get(path) for record, path in assignments.items()
    }


class _Draft(Struct, eq=False):
    """A topic while it is edited; ``origins`` are the old leaves whose records end here."""

    name: str
    description: str = ""
    keywords: tuple[str, ...] = ()
    children: list[_Draft] = field(default_factory=list)
    origins: list[str] = field(default_factory=list)


def _thaw(tree: TopicHierarchy) -> _Draft:
    def draft(node: TopicNode) -> _Draft:
        return _Draft(
            node.name, node.description, node.keywords,
            [draft(child) for child in node.children], [node.id] if node.is_leaf else [],
        )  # fmt: skip

    return _Draft("", children=[draft(node) for node in tree.topics])


def _freeze(root: _Draft, before: TopicHierarchy, rest: str | None) -> Edit:
    moved: dict[str, str | None] = dict.fromkeys(before.paths)

    def node(draft: _Draft, parent: str) -> TopicNode:
        _hand_down(draft, rest)
        path = f"{parent}{SEPARATOR}{draft.name}" if parent else draft.name
        if not draft.children:
            moved.update(dict.fromkeys(draft.origins, path))
        return topic(
            draft.name, draft.description, draft.keywords,
            [node(child, path) for child in draft.children],
        )  # fmt: skip

    made = hierarchy([node(child, "") for child in root.children], before.method, before.seed)
    return Edit(made, moved)


def _hand_down(draft: _Draft, rest: str | None) -> None:
    """Records of a topic that is no leaf any more go to the leaf named ``rest`` below it."""
    if not draft.children or not draft.origins or rest is None:
        return
    for child in draft.children:
        if child.name.casefold() == rest.casefold():
            child.origins += draft.origins
            return
    draft.children.append(_Draft(rest, origins=draft.origins))


def _unite(target: _Draft, other: _Draft) -> None:
    target.description = target.description or other.description
    target.keywords = tuple(dict.fromkeys((*target.keywords, *other.keywords)))
    target.origins += other.origins
    for child in other.children:
        same = [own for own in target.children if own.name.casefold() == child.name.casefold()]
        if same:
            _unite(same[0], child)
        else:
            target.children.append(child)


def _at(root: _Draft, tree: TopicHierarchy, path: str) -> _Draft:
    if path == "":
        return root
    tree.find(path)  # says what is missing
    node = root
    for name in path.split(SEPARATOR):
        node = next(child for child in node.children if child.name == name)
    return node


def _at_parent(root: _Draft, path: str) -> _Draft:
    node = root
    for name in path.split(SEPARATOR)[:-1]:
        node = next(child for child in node.children if child.name == name)
    return node


def _parent_of(path: str) -> str:
    return path.rpartition(SEPARATOR)[0]
