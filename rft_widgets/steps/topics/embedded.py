"""Texts as an embedding model places them, in place of their words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from msgspec import Struct

from rft_widgets.errors import TooManyFailures
from rft_widgets.llm.client import ModelClient
from rft_widgets.llm.concurrent import in_order
from rft_widgets.model.call_settings import CALLS
from rft_widgets.model.llm import ModelCallFailed
from rft_widgets.model.topic_settings import EMBEDDING, EmbeddingSettings
from rft_widgets.steps.topics.features import Vectors, batched, unit
from rft_widgets.store import model_notes

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

EmbedTexts: TypeAlias = Callable[[Sequence[str]], Vectors]
"""Gives texts their vectors, one row a text; zeros for a text that says nothing."""


class KnownVectors:
    """Vectors of texts from a connection's embedding model; each text is asked about once.

    Parameters
    ----------
    store, dataset_id
        Where vectors are kept, by the model and the text.
    client
        The connection; it has an embedding model.
    cancelled
        Asked all along.
    """

    def __init__(
        self,
        store: Store,
        dataset_id: str,
        client: ModelClient,
        *,
        cancelled: Callable[[], bool] = bool,
    ) -> None:
        self._store, self._dataset_id = store, dataset_id
        self._client, self._cancelled = client, cancelled
        named = client.named
        self._model = ("embedding", named.connection.base_url, named.embedding_model or "")

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """The vectors, in order.

        Raises
        ------
        TooManyFailures
            The model gave none for some texts, or such of another length than before.
        """
        keys = {text: model_notes.key_of(*self._model, text) for text in texts if text.strip()}
        known = model_notes.read(self._store, self._dataset_id, list(keys.values()))
        missing = [text for text, key in keys.items() if key not in known]
        batches = list(batched(missing, CALLS.texts_per_embedding))
        answers = in_order(
            self._asked, batches, concurrency=self._client.concurrency, cancelled=self._cancelled
        )
        for batch, vectors in zip(batches, answers, strict=True):
            made = {keys[text]: row.tobytes() for text, row in zip(batch, vectors, strict=True)}
            model_notes.keep(self._store, self._dataset_id, made)
            known |= made
        lengths = {len(data) for data in known.values()}
        if len(lengths) > 1:
            raise TooManyFailures(
                f"The embedding model {self._model[2]} gives vectors of different lengths.",
                hint="Another model may answer under its name now: give it another name.",
            )
        found = np.zeros((len(texts), max(lengths, default=4) // 4), np.float32)
        for place, text in enumerate(texts):
            if text in keys:
                found[place] = np.frombuffer(known[keys[text]], "<f4")
        return found

    def _asked(self, texts: list[str]) -> Vectors:
        try:
            return np.asarray(self._client.embed(texts), "<f4")
        except ModelCallFailed as error:
            raise TooManyFailures(
                f"The embedding model {self._model[2]} could not place some texts: {error}.",
                hint="Try again: what was placed is kept.",
            ) from None


class EmbeddedSpace(Struct, frozen=True):
    """Axes that texts are placed on by their vectors; stands in for a `TextSpace`.

    ``centre`` is what the vectors of the sample have in common: it says nothing of a text.
    """

    embed: EmbedTexts
    centre: Vectors
    axes: Vectors
    max_chars: int

    def weigh(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of the texts, away from the centre; zeros for one that says nothing."""
        return _centred(self.embed([text[: self.max_chars] for text in texts]), self.centre)

    def place(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of the texts on the axes."""
        return unit(np.asarray(self.weigh(texts) @ self.axes, np.float32))


def fit_embedded(
    sample: Sequence[str],
    embed: EmbedTexts,
    *,
    seed: int,
    max_chars: int,
    settings: EmbeddingSettings = EMBEDDING,
) -> EmbeddedSpace:
    """Fit the axes on a sample of texts.

    Parameters
    ----------
    sample
        Texts.
    embed
        Gives them their vectors.
    seed
        Makes the result reproducible, given the vectors.
    max_chars
        Characters of a text that are looked at.
    settings
        How many axes.
    """
    from sklearn.utils.extmath import randomized_svd  # noqa: PLC0415 - slow to load

    vectors = unit(embed([text[:max_chars] for text in sample]))
    said = vectors[(vectors != 0).any(1)]
    centre = np.asarray(said.mean(0) if len(said) > 1 else np.zeros(vectors.shape[1]), np.float32)
    rows = _centred(said, centre)
    count = min(settings.axes, *rows.shape)
    if count == 0:
        axes = np.zeros((vectors.shape[1], 0), np.float32)
    elif count == rows.shape[1]:
        axes = np.eye(count, dtype=np.float32)
    else:
        _, _, found = randomized_svd(rows, n_components=count, n_iter=3, random_state=seed)
        axes = np.ascontiguousarray(found.T, np.float32)
    return EmbeddedSpace(embed, centre, axes, max_chars)


def _centred(vectors: Vectors, centre: Vectors) -> Vectors:
    rows = unit(vectors)
    said = (rows != 0).any(1)
    rows[said] -= centre
    return unit(rows)
