"""What a record is about, as numbers: the text that says it, and its place among other texts.

Words, pairs of words and character triples are hashed, weighted by how rare they are, and brought
down to a few latent axes (TF-IDF and a truncated SVD). All is fitted on a sample; other texts are
placed in chunks, so that memory does not grow with their number.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from rft_widgets.model.message import Message
from rft_widgets.model.topic_settings import CLUSTERING, ClusterSettings
from rft_widgets.steps.text_hashing import Indices, TokenHashes, chunks
from rft_widgets.steps.topics.words import says_nothing, without_courtesies

T = TypeVar("T")

Vectors: TypeAlias = npt.NDArray[np.float32]
Weighted: TypeAlias = Any
"""A ``scipy.sparse.csr_matrix`` of float32, one row of unit length a text."""

_BITS = 20
_CHARACTERS = 3


def topic_text(messages: Sequence[Message]) -> str:
    """Text that decides the topic of a conversation: its question, without courtesies.

    Parameters
    ----------
    messages
        The conversation.
    """
    return without_courtesies(question(messages))


def question(messages: Sequence[Message]) -> str:
    """First user message that says something.

    A greeting says nothing, so the next user message is taken; the system prompt is never taken,
    because records share it. Without any such message it is the first user message, or nothing.

    Parameters
    ----------
    messages
        The conversation.
    """
    texts = [message.text for message in messages if message.role == "user"]
    return next((text for text in texts if not says_nothing(text)), texts[0] if texts else "")


class TextSpace(Struct, frozen=True):
    """Axes that texts are placed on, fitted on a sample.

    ``columns`` leads from a hash to a feature or -1, ``weights`` says how telling a feature is,
    and ``axes`` (features by latent axes) brings features down. ``fitted`` texts were seen.
    """

    columns: npt.NDArray[np.int32]
    weights: Vectors
    axes: Vectors
    fitted: int
    max_chars: int

    def weigh(self, texts: Sequence[str]) -> Weighted:
        """Features of the texts, weighted, each row of unit length or empty."""
        from scipy.sparse import csr_matrix, vstack  # noqa: PLC0415 - slow to load

        shape = (0, len(self.weights))
        parts = [self._weigh(texts[part]) for part in chunks(texts, self.max_chars)]
        return vstack(parts, format="csr") if parts else csr_matrix(shape, dtype=np.float32)

    def place(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of the texts on the latent axes; zeros for a text without known words."""
        return unit(np.asarray(self.weigh(texts) @ self.axes, np.float32))

    def _weigh(self, texts: Sequence[str]) -> Weighted:
        from scipy.sparse import csr_matrix  # noqa: PLC0415 - slow to load

        owners, hashes = _features(texts, self.max_chars)
        columns = self.columns[hashes]
        known = columns >= 0
        # A feature counts once a text, however often it is repeated.
        keys = owners[known] * max(1, len(self.weights)) + columns[known]
        if len(texts) * len(self.weights) < 2**31:
            keys = keys.astype(np.int32)  # sorts twice as fast
        keys.sort()
        keys = keys[np.concatenate([[True], keys[1:] != keys[:-1]])] if len(keys) else keys
        rows, columns = np.divmod(keys, max(1, len(self.weights)))
        counts = np.bincount(rows, minlength=len(texts))
        starts = np.concatenate([[0], np.cumsum(counts)])
        values = self.weights[columns]
        norms = np.sqrt(np.bincount(rows, values.astype(np.float64) ** 2, minlength=len(texts)))
        values = (values / np.maximum(norms[rows], 1e-12)).astype(np.float32)
        shape = (len(texts), len(self.weights))
        return csr_matrix((values, columns.astype(np.int32), starts.astype(np.int32)), shape=shape)


def fit_space(
    sample: Sequence[str],
    *,
    axes: int | None = None,
    seed: int = 0,
    settings: ClusterSettings = CLUSTERING,
) -> TextSpace:
    """Fit the axes on a sample of texts.

    Parameters
    ----------
    sample
        Texts, in any order; those beyond the limit of the settings are ignored.
    axes
        Latent axes, by default those of the settings; fewer when the sample has fewer.
    seed
        Makes the result reproducible.
    settings
        Limits of text, sample and features.
    """
    from sklearn.utils.extmath import randomized_svd  # noqa: PLC0415 - slow to load

    texts = sample[: settings.sample_texts]
    counts = np.zeros(1 << _BITS, np.int64)
    for part in chunks(texts, settings.max_chars):
        owners, hashes = _features(texts[part], settings.max_chars)
        keys = (owners << _BITS) | hashes
        keys.sort()
        first = np.concatenate([[True], keys[1:] != keys[:-1]]) if len(keys) else np.zeros(0, bool)
        counts += np.bincount(keys[first] & ((1 << _BITS) - 1), minlength=1 << _BITS)
    rare = 1 if len(texts) < 500 else 2 if len(texts) < 20_000 else 3
    common = len(texts) if len(texts) < 20 else len(texts) // 2
    kept = np.flatnonzero((counts >= rare) & (counts <= common))
    if len(kept) == 0:
        kept = np.flatnonzero(counts)  # texts that are all alike still have something in common
    kept = kept[np.argsort(-counts[kept], kind="stable")[: settings.max_features]]
    columns = np.full(1 << _BITS, -1, np.int32)
    columns[kept] = np.arange(len(kept), dtype=np.int32)
    # A feature of every text still counts a little: a handful of texts may share all they have.
    weights = np.log((1 + len(texts)) / counts[kept]).astype(np.float32)
    space = TextSpace(
        columns, weights, np.zeros((len(kept), 0), np.float32), len(texts), settings.max_chars
    )
    wanted = settings.axes if axes is None else axes
    rows = space.weigh(texts[: settings.decomposition_texts])
    count = min(wanted, rows.shape[0], rows.shape[1])
    if count == 0:
        return space
    _, _, found = randomized_svd(rows, n_components=count, n_iter=3, random_state=seed)
    return TextSpace(
        columns, weights, np.ascontiguousarray(found.T, np.float32), len(texts), settings.max_chars
    )


def sample_texts(texts: Iterable[T], size: int, seed: int = 0) -> list[T]:
    """Draw texts from a stream, each with the same chance, holding no more than the sample."""
    rng = random.Random(seed)  # noqa: S311 - a sample, not a secret
    stream = iter(texts)
    drawn = list(islice(stream, size))
    for seen, text in enumerate(stream, len(drawn) + 1):
        place = int(rng.random() * seen)
        if place < size:
            drawn[place] = text
    return drawn


@contextmanager
def single_threaded() -> Iterator[None]:
    """Keep linear algebra on one thread: on many small products threads cost more than they do."""
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - comes with scikit-learn

    with threadpool_limits(1):
        yield


def batched(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Give the items in lists of ``size``, the last one shorter."""
    stream = iter(items)
    while batch := list(islice(stream, size)):
        yield batch


def unit(vectors: Vectors) -> Vectors:
    """Give the rows with length 1; rows of zeros stay."""
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    scale = np.where(lengths > 1e-9, 1 / np.maximum(lengths, 1e-9), 0)
    return np.asarray(vectors * scale[:, None], np.float32)


def _features(texts: Sequence[str], max_chars: int) -> tuple[Indices, Indices]:
    """Owners and hashes, below 2**20, of words, pairs of words and character triples."""
    tokens = TokenHashes(texts, max_chars=max_chars)
    pairs = tokens.runs(2)
    triples = tokens.characters(_CHARACTERS)
    owners = np.concatenate([tokens.owners, pairs[0], triples[0]])
    hashes = np.concatenate([tokens.hashes, pairs[1], triples[1]])
    return owners, (hashes >> np.uint64(64 - _BITS)).astype(np.int64)
