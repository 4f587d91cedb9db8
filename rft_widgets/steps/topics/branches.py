"""A named tree above clusters: a level is added where clusters lie in clear groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.topic import TopicNode, topic
from rft_widgets.model.topic_settings import ClusterSettings
from rft_widgets.steps.topics.clusters import Labels, group_centres
from rft_widgets.steps.topics.features import Vectors, unit
from rft_widgets.steps.topics.naming import Namer, TopicDraft, describe_groups, unique_name


class Corpus(Struct):
    """What names are made of."""

    texts: Sequence[str]
    labels: Labels
    centres: Vectors
    namer: Namer | None
    settings: ClusterSettings


def named_tree(corpus: Corpus, levels: int) -> tuple[tuple[str, ...], list[TopicNode]]:
    """Give the paths of the clusters, and the tree that they are the leaves of.

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
    paths = [""] * count
    nodes = _nodes(shape, drafts, _names(drafts, corpus.namer), "", paths, "")
    return tuple(paths), nodes


class _Branch(Struct):
    """A topic that is no leaf, and what lies under it: clusters by number, or branches."""

    name: str
    description: str
    keywords: tuple[str, ...]
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
    names = _names(drafts, corpus.namer)
    found: list[int | _Branch] = []
    for clusters, draft, (name, description) in zip(members, drafts, names, strict=True):
        if len(clusters) == 1:
            # A group of one is the topic itself, not a topic with one topic below it.
            found.append(int(clusters[0]))
        else:
            below = _branches(corpus, clusters, levels - 1, name)
            found.append(_Branch(name, description, draft.keywords, below))
    return found


def _note_parents(shape: list[int | _Branch], parent: str, parents: list[str]) -> None:
    for item in shape:
        if isinstance(item, int):
            parents[item] = parent
        else:
            _note_parents(item.below, item.name, parents)


def _nodes(
    shape: list[int | _Branch],
    drafts: list[TopicDraft],
    names: list[tuple[str, str]],
    parent: str,
    paths: list[str],
    prefix: str,
) -> list[TopicNode]:
    nodes: list[TopicNode] = []
    taken = {parent.casefold()}
    for item in shape:
        own = names[item][0] if isinstance(item, int) else item.name
        name = unique_name(own, taken)
        taken.add(name.casefold())
        if isinstance(item, int):
            paths[item] = prefix + name
            nodes.append(topic(name, names[item][1], drafts[item].keywords))
        else:
            below = _nodes(item.below, drafts, names, name, paths, f"{prefix}{name}/")
            nodes.append(topic(name, item.description, item.keywords, below))
    return nodes


def _drafts(corpus: Corpus, labels: Labels, parents: Sequence[str]) -> list[TopicDraft]:
    found = describe_groups(
        corpus.texts, labels.tolist(), len(parents), corpus.settings.keywords, parents
    )
    return [
        TopicDraft(
            name=name,
            keywords=keywords,
            size=int((labels == number).sum()),
            examples=tuple(corpus.texts[i] for i in np.flatnonzero(labels == number)[:10]),
        )
        for number, (name, keywords) in enumerate(found)
    ]


def _names(drafts: Sequence[TopicDraft], namer: Namer | None) -> list[tuple[str, str]]:
    """Name and description of each draft; siblings are told apart later."""
    named = None if namer is None else list(namer(drafts))
    if named is not None and len(named) != len(drafts):
        raise InvalidArgument(f"The namer gave {len(named)} names for {len(drafts)} topics.")
    result: list[tuple[str, str]] = []
    for number, draft in enumerate(drafts):
        name, description = (draft.name, _described(draft)) if named is None else named[number]
        # A name may come from a model: it is made fit to be one, not trusted to be.
        printable = "".join(char if char.isprintable() else " " for char in name)
        clean = " ".join(printable.replace("/", " ").split())[:80].strip()
        result.append((clean or draft.name, description))
    return result


def _described(draft: TopicDraft) -> str:
    words = list(draft.keywords[:5])
    if not words:
        return ""
    listed = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
    return f"Messages about {listed}."
