"""Topics that are found in the records themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from msgspec import Struct

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.topic import (
    Calibration,
    Categorization,
    TopicHierarchy,
    TopicNode,
    hierarchy,
    topic,
)
from rft_widgets.model.topic_settings import (
    CATEGORIZE,
    CLUSTERING,
    TOPIC_LIMITS,
    ClusterSettings,
)
from rft_widgets.steps.topics.calibration import (
    error_beyond_chance,
    fit_temperature,
    folds_of,
    softmax,
)
from rft_widgets.steps.topics.clusters import Labels, choose_count, find_centres, group_centres
from rft_widgets.steps.topics.features import (
    TextSpace,
    Vectors,
    batched,
    fit_space,
    sample_texts,
    single_threaded,
    unit,
)
from rft_widgets.steps.topics.naming import Namer, TopicDraft, describe_groups, unique_name

Progress = Callable[[float, str], None]
"""Is told the share that is done (0..1) and what is being done."""


class TopicModel(Struct, frozen=True, kw_only=True):
    """Topics that were found, and the means to put any text under them.

    Attributes
    ----------
    hierarchy
        The topics, named.
    paths
        Path of the leaf of each cluster, the largest cluster first.
    scores
        How well each number of topics fitted, by number; empty when the caller gave the number.
    other_share
        Share (0..1) of the sample that is far from every topic.
    calibration
        How far the confidences can be trusted; measured on texts of the sample that were held out.
    """

    hierarchy: TopicHierarchy
    paths: tuple[str, ...]
    scores: dict[int, float]
    other_share: float
    calibration: Calibration
    space: TextSpace
    directions: Vectors
    """Direction of each cluster among the features (features by clusters)."""
    floor: float
    """Similarity up to which a text is no nearer to a topic than texts of other topics are."""

    def assign(self, records: Iterable[tuple[str, str]]) -> Iterator[Categorization]:
        """Put records under the topics, in order and in constant memory.

        Parameters
        ----------
        records
            Id and topic text of each record.

        Yields
        ------
        A topic for each record; none for a text that is far from every topic.
        """
        for batch in batched(records, CATEGORIZE.chunk_texts):
            yield from self._assign([key for key, _ in batch], [text for _, text in batch])

    def _assign(self, ids: list[str], texts: list[str]) -> list[Categorization]:
        paths = self.paths
        if not paths:
            return [_other(key) for key in ids]
        scores = self.similarities(texts)
        chances = softmax(scores, self.calibration.temperature)
        order = np.argsort(-scores, axis=1, kind="stable")
        best = order[:, 0].tolist()
        second = order[:, 1].tolist() if len(paths) > 1 else None
        rows = np.arange(len(ids))
        near = (scores[rows, order[:, 0]] > self.floor).tolist()
        sure = chances[rows, order[:, 0]].tolist()
        return [
            Categorization(
                record_id=key,
                topic=paths[best[i]],
                confidence=sure[i],
                method="similarity",
                needs_review=sure[i] < CATEGORIZE.accept_similarity,
                runner_up=None if second is None else paths[second[i]],
            )
            if near[i]
            else _other(key, paths[best[i]])
            for i, key in enumerate(ids)
        ]

    def nearest(self, texts: Sequence[str]) -> tuple[list[int], list[float]]:
        """Nearest cluster of each text, however far it is, and the confidence (0..1) in that."""
        chances = softmax(self.similarities(texts), self.calibration.temperature)
        return chances.argmax(1).tolist(), chances.max(1).tolist()

    def similarities(self, texts: Sequence[str]) -> Vectors:
        """Cosine (-1..1) between each text and the direction of each cluster."""
        with single_threaded():
            return np.asarray(self.space.weigh(texts) @ self.directions, np.float32)


def fit_topics(
    texts: Iterable[str],
    *,
    n_topics: int | None = None,
    depth: int | None = None,
    seed: int = 0,
    namer: Namer | None = None,
    progress: Progress | None = None,
    settings: ClusterSettings = CLUSTERING,
) -> TopicModel:
    """Find topics in texts.

    Parameters
    ----------
    texts
        Topic texts of the records; a stream of any length, of which a sample is looked at.
    n_topics
        Leaves to find; by default the number that fits the data, 2 to 30.
    depth
        Most levels, 1 to 5 (default 2). A level is added only where topics lie in clear groups.
    seed
        The same texts and seed give the same topics.
    namer
        Names the topics instead of their keywords, a language model for instance.
    progress
        Is told how far it is.
    settings
        Limits and thresholds.

    Returns
    -------
    The topics. With fewer than four texts that say something, or no two that differ, there is one
    topic; without any text there is none.

    Raises
    ------
    InvalidArgument
        A number of topics below 1, or a depth outside 1 to 5.
    """
    levels = settings.default_depth if depth is None else depth
    if not 1 <= levels <= TOPIC_LIMITS.max_depth:
        raise InvalidArgument(f"The depth {levels} does not lie in 1 to {TOPIC_LIMITS.max_depth}.")
    if n_topics is not None and n_topics < 1:
        raise InvalidArgument(f"The number of topics is {n_topics}, at least 1 is needed.")
    tell = progress or _silent
    drawn = sample_texts(
        (text[: settings.max_chars] for text in texts), settings.sample_texts, seed
    )
    with single_threaded():
        tell(0.05, "Reading texts")
        space = fit_space(drawn, seed=seed, settings=settings)
        vectors = space.place(drawn)
        known = np.flatnonzero(np.einsum("ij,ij->i", vectors, vectors) > 0)
        points = vectors[known]
        tell(0.3, "Choosing the number of topics")
        count, scores = _count(points, n_topics, seed, settings)
        tell(0.7, "Grouping texts")
        centres, nearest = find_centres(points, count, seed) if count else _nothing(points)
        centres, nearest = _largest_first(centres, nearest)
        directions = np.asarray(space.axes @ centres.T, np.float32)
        similar = np.asarray(space.weigh([drawn[i] for i in known]) @ directions, np.float32)
        floor = _floor(similar, nearest, seed, settings)
        calibration = _calibrate(points, similar, nearest, seed)
    tell(0.85, "Naming topics")
    labels = np.full(len(drawn), -1, np.intp)
    labels[known] = nearest
    far = similar.max(1, initial=-1.0) <= floor if count else np.zeros(0, np.bool_)
    labels[known[far]] = -1
    corpus = _Corpus(drawn, labels, centres, namer, settings)
    leaves, tree = _tree(corpus, levels)
    made = hierarchy(tree, "auto", seed)
    tell(1.0, "Done")
    return TopicModel(
        hierarchy=made,
        paths=leaves,
        scores=scores,
        other_share=float((labels < 0).mean()) if len(labels) else 0.0,
        calibration=calibration,
        space=space,
        directions=directions,
        floor=floor,
    )


def _count(
    points: Vectors, wanted: int | None, seed: int, settings: ClusterSettings
) -> tuple[int, dict[int, float]]:
    distinct = len(np.unique(points.round(4), axis=0))
    if wanted is not None:
        return min(wanted, distinct), {}
    if len(points) < settings.min_texts or distinct < 2:
        return min(1, distinct), {}
    return choose_count(points, seed, settings)


def _nothing(points: Vectors) -> tuple[Vectors, Labels]:
    return np.zeros((0, points.shape[1]), np.float32), np.zeros(len(points), np.intp)


def _largest_first(centres: Vectors, labels: Labels) -> tuple[Vectors, Labels]:
    sizes = np.bincount(labels, minlength=len(centres))[: len(centres)]
    order = np.argsort(-sizes, kind="stable")
    places = np.empty(len(order), np.intp)
    places[order] = np.arange(len(order))
    return centres[order], places[labels] if len(order) else labels


def _floor(similar: Vectors, nearest: Labels, seed: int, settings: ClusterSettings) -> float:
    """Similarity that a text of no topic may have by chance to the nearest one."""
    if similar.shape[1] < 2:
        return 0.0
    rng = np.random.default_rng(seed)
    shift = rng.integers(1, similar.shape[1], len(nearest))
    foreign = similar[np.arange(len(nearest)), (nearest + shift) % similar.shape[1]]
    # The largest of k similarities stays below s with the chance that one does, to the power of k.
    quantile = settings.other_chance ** (1 / (similar.shape[1] - 1))
    return float(max(0.0, np.quantile(foreign, quantile)))


def _calibrate(points: Vectors, similar: Vectors, nearest: Labels, seed: int) -> Calibration:
    """Hold members out, find the centres again without them, and see how sure they come back."""
    count = similar.shape[1]
    if count < 2 or len(points) < 2 * count:
        return Calibration(records=0, accuracy=None, error=None, temperature=0.1)
    folds = folds_of(nearest, CATEGORIZE.folds, seed)
    # Similarities by features are those on the axes, shortened by what the axes leave out.
    lengths = similar[np.arange(len(nearest)), nearest]
    cosine = np.einsum("ij,ij->i", points, _means(points, nearest, count)[nearest])
    shrink = lengths / np.where(np.abs(cosine) > 1e-6, cosine, 1.0)
    held = np.zeros_like(similar)
    for fold in range(CATEGORIZE.folds):
        inside = folds != fold
        centres = _means(points[inside], nearest[inside], count)
        held[~inside] = (points[~inside] @ centres.T) * shrink[~inside, None]
    half = folds_of(nearest, 2, seed + 1) == 0
    temperature = fit_temperature(held, nearest)
    right = held.argmax(1) == nearest
    sure = softmax(held[~half], fit_temperature(held[half], nearest[half])).max(1)
    return Calibration(
        records=len(points),
        accuracy=float(right.mean()),
        error=error_beyond_chance(sure.tolist(), right[~half].tolist()),
        temperature=temperature,
    )


def _means(points: Vectors, labels: Labels, count: int) -> Vectors:
    sums = np.zeros((count, points.shape[1]), np.float32)
    np.add.at(sums, labels, points)
    return unit(sums)


class _Branch(Struct):
    """A topic that is no leaf, and what lies under it: clusters by number, or branches."""

    name: str
    description: str
    keywords: tuple[str, ...]
    below: list[int | _Branch]


class _Corpus(Struct):
    """What names are made of."""

    texts: Sequence[str]
    labels: Labels
    centres: Vectors
    namer: Namer | None
    settings: ClusterSettings


def _tree(corpus: _Corpus, levels: int) -> tuple[tuple[str, ...], list[TopicNode]]:
    """Paths of the clusters, and the tree that they are the leaves of."""
    count = len(corpus.centres)
    shape = _branches(corpus, np.arange(count), levels, "")
    parents = [""] * count
    _note_parents(shape, "", parents)
    drafts = _drafts(corpus, corpus.labels, parents)
    paths = [""] * count
    nodes = _nodes(shape, drafts, _names(drafts, corpus.namer), "", paths, "")
    return tuple(paths), nodes


def _branches(corpus: _Corpus, inside: Labels, levels: int, parent: str) -> list[int | _Branch]:
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


def _drafts(corpus: _Corpus, labels: Labels, parents: Sequence[str]) -> list[TopicDraft]:
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


def _other(key: str, nearest: str | None = None) -> Categorization:
    return Categorization(
        record_id=key, topic=None, confidence=0.0, method="similarity", needs_review=True,
        runner_up=nearest,
    )  # fmt: skip


def _silent(_share: float, _doing: str) -> None:
    pass
