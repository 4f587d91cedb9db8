"""Topics that are found in the records themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from msgspec import Struct

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.topic import Calibration, Categorization, TopicHierarchy, hierarchy
from rft_widgets.model.topic_settings import (
    CATEGORIZE,
    CLUSTERING,
    EMBEDDING,
    TOPIC_LIMITS,
    ClusterSettings,
)
from rft_widgets.steps.cluster import map_batches
from rft_widgets.steps.progress import Progress
from rft_widgets.steps.topics.answers import Answered, by_answers
from rft_widgets.steps.topics.branches import Corpus, named_tree
from rft_widgets.steps.topics.calibration import (
    error_beyond_chance,
    fit_temperature,
    folds_of,
    softmax,
)
from rft_widgets.steps.topics.clusters import Labels, choose_count, find_centres
from rft_widgets.steps.topics.embedded import EmbeddedSpace, EmbedTexts, fit_embedded
from rft_widgets.steps.topics.features import (
    TextSpace,
    Vectors,
    batched,
    fit_space,
    sample_texts,
    single_threaded,
    unit,
)
from rft_widgets.steps.topics.naming import Namer


class TopicModel(Struct, frozen=True, kw_only=True):
    """Topics that were found, and the means to put any text under them.

    Attributes
    ----------
    hierarchy
        The topics, named.
    paths
        Path of the leaf of each cluster, the largest cluster first.
    scores
        How well each number of topics fitted, by number (see `choose_count`); empty when the
        caller gave the number.
    other_share
        Share (0..1) of the sample that is far from every topic.
    calibration
        How far the confidences can be trusted; measured on texts of the sample that were held out.
    by_answers
        Whether recorded answers said which words of the texts count. Texts are placed by their
        words all the same.
    """

    hierarchy: TopicHierarchy
    paths: tuple[str, ...]
    scores: dict[int, float]
    other_share: float
    calibration: Calibration
    by_answers: bool
    space: TextSpace | EmbeddedSpace
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
        batches = batched(records, CATEGORIZE.chunk_texts)
        if isinstance(self.space, TextSpace):  # placed by words alone, on whatever machine
            for found in map_batches(_assigned, self, batches):
                yield from found
            return
        for batch in batches:
            yield from _assigned(self, batch)

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
        """Likeness of each text to each cluster: the cosine of the directions times a length.

        The length says how much of the text the axes have: at most 1 where the axes are those of
        the texts, about 1 where they come from answers.
        """
        with single_threaded():
            return np.asarray(self.space.weigh(texts) @ self.directions, np.float32)


def fit_topics(
    texts: Iterable[str],
    *,
    answers: Iterable[str] | None = None,
    n_topics: int | None = None,
    depth: int | None = None,
    seed: int = 0,
    namer: Namer | None = None,
    embed: EmbedTexts | None = None,
    progress: Progress | None = None,
    settings: ClusterSettings = CLUSTERING,
) -> TopicModel:
    """Find topics in texts.

    Parameters
    ----------
    texts
        Topic texts of the records; a stream of any length, of which a sample is looked at.
    answers
        What was answered to each text, by `answer_text`; empty where nothing was. Where what is
        asked tells what is answered, topics are looked for along the axes of the answers, so that
        texts with the same answers come together. Else answers are ignored. Records are put under
        the topics by their texts alone, whether they have answers or not.
    n_topics
        Leaves to find; by default the number that fits the data, 2 to 30.
    depth
        Most levels, 1 to 5 (default 2). A level is added only where topics lie in clear groups.
    seed
        The same texts and seed give the same topics.
    namer
        Names the topics instead of their keywords, a language model for instance.
    embed
        Places the texts, instead of their words; the answers are not looked at then.
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
    pairs = ((text, "") for text in texts) if answers is None else zip(texts, answers, strict=True)
    most = settings.max_chars
    size = settings.sample_texts if embed is None else EMBEDDING.sample_texts
    sample = sample_texts(((text[:most], answer[:most]) for text, answer in pairs), size, seed)
    drawn = [text for text, _ in sample]
    with single_threaded():
        tell(0.05, "Reading texts")
        answered = None
        if answers is not None and embed is None:
            plain = fit_space(drawn, axes=0, seed=seed, settings=settings)
            said = [answer for _, answer in sample]
            answered = by_answers(plain, drawn, said, seed=seed, settings=settings)
        space: TextSpace | EmbeddedSpace
        if embed is not None:
            space = fit_embedded(drawn, embed, seed=seed, max_chars=most)
        elif answered is None:
            space = fit_space(drawn, seed=seed, settings=settings)
        else:
            space = answered.space
        del sample
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
        if count < 2 or len(points) < 2 * count:
            calibration = Calibration(records=0, accuracy=None, error=None, temperature=0.1)
        else:
            if answered is None:
                held = _held_out(points, similar, nearest, seed)
            else:
                held = _held_out_answers(answered, known, similar, nearest, seed)
            calibration = _calibrate(held, nearest, seed)
    tell(0.85, "Naming topics")
    labels = np.full(len(drawn), -1, np.intp)
    labels[known] = nearest
    far = similar.max(1, initial=-1.0) <= floor if count else np.zeros(0, np.bool_)
    labels[known[far]] = -1
    leaves, tree = named_tree(Corpus(drawn, labels, centres, namer, settings), levels)
    made = hierarchy(tree, "auto", seed)
    tell(1.0, "Done")
    return TopicModel(
        hierarchy=made,
        paths=leaves,
        scores=scores,
        other_share=float((labels < 0).mean()) if len(labels) else 0.0,
        calibration=calibration,
        by_answers=answered is not None,
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


def _held_out(points: Vectors, similar: Vectors, nearest: Labels, seed: int) -> Vectors:
    """Likeness of each text to the clusters when their centres are found again without it."""
    count = similar.shape[1]
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
    return held


def _held_out_answers(
    answered: Answered, known: Labels, similar: Vectors, nearest: Labels, seed: int
) -> Vectors:
    """Likeness when also the axes are found again without the answer to that text.

    Else each text would be placed by its own answer, which a new one does not have.
    """
    count = similar.shape[1]
    rng = np.random.default_rng(seed)
    folds = rng.integers(0, CATEGORIZE.folds, int(answered.groups.max()) + 1)[answered.groups]
    held = np.zeros_like(similar)
    for fold in range(CATEGORIZE.folds):
        inside = folds != fold
        axes = answered.axes(inside)
        mine = inside[known]
        points = unit(np.asarray(answered.rows[known[mine]] @ axes, np.float32))
        towards = np.asarray(axes @ _means(points, nearest[mine], count).T, np.float32)
        held[~mine] = np.asarray(answered.rows[known[~mine]] @ towards, np.float32)
    return held


def _calibrate(held: Vectors, nearest: Labels, seed: int) -> Calibration:
    """See how surely texts come back to their clusters that were held out of these."""
    half = folds_of(nearest, 2, seed + 1) == 0
    temperature = fit_temperature(held, nearest)
    right = held.argmax(1) == nearest
    sure = softmax(held[~half], fit_temperature(held[half], nearest[half])).max(1)
    return Calibration(
        records=len(nearest),
        accuracy=float(right.mean()),
        error=error_beyond_chance(sure.tolist(), right[~half].tolist()),
        temperature=temperature,
    )


def _means(points: Vectors, labels: Labels, count: int) -> Vectors:
    sums = np.zeros((count, points.shape[1]), np.float32)
    np.add.at(sums, labels, points)
    return unit(sums)


def _assigned(found: TopicModel, batch: Sequence[tuple[str, str]]) -> list[Categorization]:
    return found._assign([key for key, _ in batch], [text for _, text in batch])  # noqa: SLF001


def _other(key: str, nearest: str | None = None) -> Categorization:
    return Categorization(
        record_id=key, topic=None, confidence=0.0, method="similarity", needs_review=True,
        runner_up=nearest,
    )  # fmt: skip


def _silent(_share: float, _doing: str) -> None:
    pass
