"""Spherical k-means on unit vectors, how many clusters there are, and which belong together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rft_widgets.model.topic_settings import CLUSTERING, ClusterSettings
from rft_widgets.steps.topics.features import Vectors, unit

Labels = npt.NDArray[np.intp]

_GRID = (2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)


def find_centres(
    vectors: Vectors, count: int, seed: int, *, starts: int = 3, rounds: int = 40
) -> tuple[Vectors, Labels]:
    """Find ``count`` directions that unit vectors gather around.

    Parameters
    ----------
    vectors
        Unit vectors, n by d; zeros are allowed and land anywhere.
    count
        Clusters, at most n.
    seed
        Makes the result reproducible.
    starts
        Tries from different beginnings, of which the tightest is kept.
    rounds
        Most rounds of a try.

    Returns
    -------
    centres
        Unit vectors, count by d.
    labels
        The nearest centre of each vector.
    """
    rng = np.random.default_rng(seed)
    best: tuple[float, Vectors, Labels] | None = None
    for _ in range(starts):
        centres = _spread(vectors, count, rng)
        labels = np.full(len(vectors), -1, np.intp)
        for _ in range(rounds):
            closeness = vectors @ centres.T
            nearest = closeness.argmax(1)
            if (nearest != labels).mean() < 1e-4:
                break
            labels = nearest
            centres = _means(vectors, labels, count)
            empty = np.flatnonzero(np.bincount(labels, minlength=count) == 0)
            if len(empty):
                far = np.argsort(closeness[np.arange(len(labels)), labels], kind="stable")
                centres[empty] = vectors[far[: len(empty)]]
        closeness = vectors @ centres.T
        score = float(closeness.max(1).sum(dtype=np.float64))
        if best is None or score > best[0] + 1e-6:
            best = score, centres, closeness.argmax(1)
    if best is None:
        raise AssertionError("at least one start is made")
    return best[1], best[2]


def choose_count(
    vectors: Vectors, seed: int, settings: ClusterSettings = CLUSTERING
) -> tuple[int, dict[int, float]]:
    """Choose the number of clusters from the data.

    Two disjoint halves of a sample are clustered apart, and each clustering places the whole
    sample. The score is what the two say alike about a text: their mutual information in nats, less
    what they would share by chance, as the mean of three splits. It rises as long as a further
    cluster is one that both halves find, and stays level from where clusters are cut at random
    places. A rise that slow is worth no further topic, and a score without a peak must not end at
    the largest number, so the smallest number that reaches 80 % of the best is taken. Texts that
    say the same count once, or what is repeated would be found alike by both halves. Where fewer
    than 40 differ the halves are too small: the silhouette (cosine) decides alone, and of numbers
    within 2 % of the best the smallest is taken.

    Returns
    -------
    count
        The number of clusters.
    scores
        The score of each number that was tried.
    """
    rng = np.random.default_rng(seed)
    if len(vectors) > settings.choice_texts:
        vectors = vectors[np.sort(rng.permutation(len(vectors))[: settings.choice_texts])]
    distinct = np.unique(vectors.round(4), axis=0, return_index=True)[1]
    few = len(distinct) < 40
    most = min(settings.max_topics, len(distinct))
    if not few:
        vectors = vectors[np.sort(distinct)]
    most = min(most, max(2, len(vectors) // (4 if few else 5)))
    grid = [k for k in _GRID if settings.min_topics <= k <= most] or [
        min(settings.min_topics, most)
    ]
    if few:
        scores = {
            k: max(0.0, silhouette(vectors, find_centres(vectors, k, seed, starts=2)[1], k))
            for k in grid
        }
        enough = 0.98
    else:
        halves = []
        for _ in range(3):
            order = rng.permutation(len(vectors))
            halves.append((vectors[order[::2]], vectors[order[1::2]]))
        scores = {k: _agreement(vectors, halves, k, seed) for k in grid}
        enough = settings.enough_agreement
    best = max(scores.values())
    return next(k for k, score in scores.items() if score >= enough * best), scores


def _agreement(
    vectors: Vectors, halves: Sequence[tuple[Vectors, Vectors]], count: int, seed: int
) -> float:
    """Information (nats) about a text that clusterings of two halves share beyond chance."""
    from sklearn.metrics import mutual_info_score  # noqa: PLC0415 - slow to load
    from sklearn.metrics.cluster import (  # noqa: PLC0415
        contingency_matrix,
        expected_mutual_information,
    )

    shared = []
    for number, (one, other) in enumerate(halves):
        left, _ = find_centres(one, count, seed + 2 * number + 1, starts=2, rounds=25)
        right, _ = find_centres(other, count, seed + 2 * number + 2, starts=2, rounds=25)
        both = contingency_matrix((vectors @ left.T).argmax(1), (vectors @ right.T).argmax(1))
        chance = expected_mutual_information(both.astype(np.int64), int(both.sum()))
        shared.append(mutual_info_score(None, None, contingency=both) - chance)
    return max(0.0, float(np.mean(shared)))


def silhouette(vectors: Vectors, labels: Labels, count: int) -> float:
    """Mean silhouette (-1..1) by cosine distance, exact, through the sums of the clusters.

    A vector's mean distance to a cluster is one less its product with the mean of the cluster, so
    no pair of vectors has to be looked at.
    """
    sizes = np.bincount(labels, minlength=count)
    sums = np.zeros((count, vectors.shape[1]), np.float64)
    np.add.at(sums, labels, vectors.astype(np.float64))
    products = vectors @ sums.T.astype(np.float32)
    rows = np.arange(len(labels))
    own_size = sizes[labels]
    own_sum = products[rows, labels] - np.einsum("ij,ij->i", vectors, vectors)
    within = 1 - own_sum / np.maximum(own_size - 1, 1)
    means = 1 - products / np.maximum(sizes, 1)
    means[:, sizes == 0] = np.inf
    means[rows, labels] = np.inf
    between = means.min(1)
    largest = np.maximum(np.maximum(within, between), 1e-9)
    scores = np.where((own_size > 1) & np.isfinite(between), (between - within) / largest, 0.0)
    return float(scores.mean()) if len(scores) else 0.0


def group_centres(centres: Vectors, settings: ClusterSettings = CLUSTERING) -> Labels | None:
    """Group clusters that lie together, when that pays.

    Average linkage on cosine distance, cut where the mean silhouette of the centres is best. It
    pays when there are at least twelve clusters (fewer are seen at a glance), the cut leaves at
    most half as many groups, none of which has most of the clusters, and the silhouette reaches the
    one of the settings: topics of a group are then clearly nearer to each other than to those of
    the next group.

    Returns
    -------
    The group of each centre, numbered from 0 in order of appearance, or ``None``.
    """
    from scipy.cluster.hierarchy import fcluster, linkage  # noqa: PLC0415 - slow to load

    count = len(centres)
    if count < settings.min_grouped_topics:
        return None
    distances = np.clip(1 - centres @ centres.T, 0, 2).astype(np.float64)
    tree = linkage(distances[np.triu_indices(count, 1)], "average")
    best, chosen = settings.grouping_silhouette, None
    for groups in range(2, count // 2 + 1):
        labels = fcluster(tree, groups, "maxclust") - 1
        if len(np.unique(labels)) < 2 or np.bincount(labels).max() > 0.7 * count:
            continue
        score = silhouette(centres, labels, int(labels.max()) + 1)
        if score > best:
            best, chosen = score, labels
    if chosen is None:
        return None
    numbers: dict[int, int] = {}
    return np.array([numbers.setdefault(label, len(numbers)) for label in chosen.tolist()])


def _spread(vectors: Vectors, count: int, rng: np.random.Generator) -> Vectors:
    """First centres, far from each other (k-means++)."""
    chosen = [int(rng.integers(len(vectors)))]
    distance = np.clip(1 - vectors @ vectors[chosen[0]], 0, None).astype(np.float64)
    for _ in range(count - 1):
        total = distance.sum()
        if total <= 1e-9:
            chosen.append(int(rng.integers(len(vectors))))
            continue
        # The best of a few draws by how much closer it brings all vectors.
        draws = np.searchsorted(np.cumsum(distance), rng.random(3) * total)
        draws = np.minimum(draws, len(vectors) - 1)
        options = np.minimum(distance, np.clip(1 - vectors[draws] @ vectors.T, 0, None))
        best = int(options.sum(1).argmin())
        chosen.append(int(draws[best]))
        distance = options[best]
    return vectors[chosen].copy()


def _means(vectors: Vectors, labels: Labels, count: int) -> Vectors:
    from scipy.sparse import csr_matrix  # noqa: PLC0415 - slow to load

    size = len(labels)
    members = csr_matrix(
        (np.ones(size, np.float32), (labels, np.arange(size))), shape=(count, size)
    )
    return unit(np.asarray(members @ vectors, np.float32))
