"""A named tree above clusters: a level is added where clusters lie in clear groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.topic import TopicNode, topic
from rft_widgets.model.topic_settings import ClusterSettings
from rft_widgets.steps.topics.clusters import Labels, group_centres
from rft_widgets.steps.topics.features import Vectors, unit
from rft_widgets.steps.topics.naming import (
    Namer,
    TopicDraft,
    clean_name,
    describe_groups,
    described,
    unique_name,
)


class Corpus(Struct):
    """What names are made of."""

    texts: Sequence[str]
    labels: Labels
    centres: Vectors
    namer: Namer | None
    settings: ClusterSettings


def named_tree(corpus: Corpus, levels: int) -> tuple[tuple[str, ...], list[TopicNode]]:
    """Give the paths of the clusters, and the tree that they are the leaves of.

    Keywords name everything first, from the top down, so that no topic repeats the one above it. A
    namer names from the leaves up, so that a topic is named after those below it.

    Parameters
    ----------
    corpus
        The clusters, and what their names are made of.
    levels
        Most levels of the tree.
    """
    count = len(corpus.centres)
    shape = _branches(corpus, np.arange(count), levels, "")
    parents = [""] * count
    _note_parents(shape, "", parents)
    drafts = _drafts(corpus, corpus.labels, parents)
    names = _names(drafts, corpus.namer)
    if corpus.namer is not None:
        _rename(shape, names, corpus.namer)
    paths = [""] * count
    nodes = _nodes(shape, names, "", paths, "")
    return tuple(paths), nodes


class _Name(NamedTuple):
    name: str
    description: str
    keywords: tuple[str, ...]


class _Branch(Struct):
    """A topic that is no leaf, and what lies under it: clusters by number, or branches."""

    draft: TopicDraft
    given: _Name
    below: list[int | _Branch]


def _branches(corpus: Corpus, inside: Labels, levels: int, parent: str) -> list[int | _Branch]:
    groups = group_centres(unit(corpus.centres[inside]), corpus.settings) if levels > 1 else None
    if groups is None:
        return [int(cluster) for cluster in inside]
    members = [inside[groups == group] for group in range(int(groups.max()) + 1)]
    where = np.full(len(corpus.centres) + 1, -1, np.intp)
    for number, clusters in enumerate(members):
        where[clusters] = number
    drafts = _drafts(corpus, where[corpus.labels], [parent] * len(members))
    found: list[int | _Branch] = []
    for clusters, draft, given in zip(members, drafts, _names(drafts, None), strict=True):
        if len(clusters) == 1:
            # A group of one is the topic itself, not a topic with one topic below it.
            found.append(int(clusters[0]))
        else:
            below = _branches(corpus, clusters, levels - 1, given.name)
            found.append(_Branch(draft, given, below))
    return found


def _note_parents(shape: list[int | _Branch], parent: str, parents: list[str]) -> None:
    for item in shape:
        if isinstance(item, int):
            parents[item] = parent
        else:
            _note_parents(item.below, item.given.name, parents)


def _rename(shape: list[int | _Branch], leaves: list[_Name], namer: Namer) -> None:
    """Let the branches be named, each level after the one below it."""
    levels: list[list[_Branch]] = []
    here = [item for item in shape if isinstance(item, _Branch)]
    while here:
        levels.append(here)
        here = [item for branch in here for item in branch.below if isinstance(item, _Branch)]
    for level in reversed(levels):
        drafts = [
            replace(
                branch.draft,
                parts=tuple(
                    leaves[item].name if isinstance(item, int) else item.given.name
                    for item in branch.below
                ),
            )
            for branch in level
        ]
        for branch, given in zip(level, _names(drafts, namer), strict=True):
            branch.given = given


def _nodes(
    shape: list[int | _Branch], leaves: list[_Name], parent: str, paths: list[str], prefix: str
) -> list[TopicNode]:
    nodes: list[TopicNode] = []
    taken = {parent.casefold()}
    for item in shape:
        own = leaves[item] if isinstance(item, int) else item.given
        name = unique_name(own.name, taken)
        taken.add(name.casefold())
        below: list[TopicNode] = []
        if isinstance(item, int):
            paths[item] = prefix + name
        else:
            below = _nodes(item.below, leaves, name, paths, f"{prefix}{name}/")
        nodes.append(topic(name, own.description, own.keywords, below))
    return nodes


def _drafts(corpus: Corpus, labels: Labels, parents: Sequence[str]) -> list[TopicDraft]:
    found = describe_groups(
        corpus.texts, labels.tolist(), len(parents), corpus.settings.keywords, parents
    )
    drafts = []
    for number, (name, keywords) in enumerate(found):
        members = np.flatnonzero(labels == number)
        # Spread over the sample: neighbours in it may come from one day or one conversation.
        count = min(len(members), corpus.settings.examples)
        shown = members[np.linspace(0, len(members) - 1, count).astype(np.intp)]
        examples = tuple(corpus.texts[i] for i in shown)
        drafts.append(
            TopicDraft(
                name=name,
                keywords=keywords,
                size=len(members),
                examples=examples,
                under=parents[number],
            )
        )
    return drafts


def _names(drafts: Sequence[TopicDraft], namer: Namer | None) -> list[_Name]:
    """What each draft is called and says of itself; siblings are told apart later."""
    if namer is None:
        return [_Name(draft.name, described(draft), draft.keywords) for draft in drafts]
    given = list(namer(drafts))
    if len(given) != len(drafts):
        raise InvalidArgument(f"The namer gave {len(given)} names for {len(drafts)} topics.")
    result = []
    for draft, (name, description, *more) in zip(drafts, given, strict=True):
        # They may come from a model: they are made fit to be names, not trusted to be.
        words = tuple(filter(None, (clean_name(word) for word in more[0]))) if more else ()
        result.append(_Name(clean_name(name) or draft.name, description, words or draft.keywords))
    return result
