"""Which of many texts a new one repeats: an index that is built once and grows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.topic_settings import DUPLICATES, DuplicateSettings
from rft_widgets.steps.duplicates import (
    Marks,
    band_keys,
    exact_duplicate_groups,
    jaccard,
    rows_for,
    shingles_of,
    slot,
    template_of,
)
from rft_widgets.steps.text_hashing import chunks

_ALL = 2**31
_COMPARED = 64
"""Texts of one bucket that are compared: those that share a template and nothing else fill it."""

Shingles = tuple[frozenset[int], frozenset[int]]
"""All shingles of a text, and those that belong to no template."""


class Near(Struct, frozen=True):
    """The most similar text that was found: its position, and how similar it is (0..1)."""

    position: int
    similarity: float


class NearestTexts:
    """Finds near-duplicates of single texts, by the same measure as `near_duplicate_groups`.

    Parameters
    ----------
    texts
        What there is; 100,000 prompts take seconds, a look-up takes a millisecond.
    threshold
        Similarity (above 0, up to 1) from which texts are to be found.
    settings
        As for `near_duplicate_groups`.
    """

    def __init__(
        self, texts: Sequence[str], threshold: float, settings: DuplicateSettings = DUPLICATES
    ) -> None:
        if not 0 < threshold <= 1:
            raise InvalidArgument(f"The threshold {threshold} does not lie above 0 and up to 1.")
        self._texts = list(texts)
        self._least, self._settings = threshold, settings
        first: dict[int, int] = {}
        for position, group in enumerate(exact_duplicate_groups(self._texts)):
            first.setdefault(group, position)
        self._positions = np.fromiter(first.values(), np.int64, len(first))
        distinct = [self._texts[position] for position in first.values()]
        self._template: Marks = template_of(distinct, settings)
        self._rows = rows_for(threshold, settings)
        keys = [self._keys(distinct[part]) for part in chunks(distinct, _ALL)]
        # Each band as sorted columns: a look-up is a search, and a million keys take 16 MB.
        self._bands: list[tuple[np.ndarray, np.ndarray]] = []
        if keys:
            table = np.concatenate(keys)
            for band in range(table.shape[1]):
                order = np.argsort(table[:, band], kind="stable")
                self._bands.append((table[order, band], self._positions[order]))
        self._added: dict[tuple[int, int], list[int]] = defaultdict(list)

    def nearest(self, text: str) -> Near | None:
        """Look up the most similar text of those that are similar enough, the first of equals."""
        best: Near | None = None
        wanted = self._shingles(text)
        for position in sorted(self._near(text)):
            similarity = _similarity(wanted, self._shingles(self._texts[position]))
            if similarity >= self._least and (best is None or similarity > best.similarity):
                best = Near(position, similarity)
        return best

    def similarity(self, one: str, other: str) -> float:
        """How similar two texts are (0..1), whether they are in the index or not."""
        return _similarity(self._shingles(one), self._shingles(other))

    def add(self, text: str) -> int:
        """Put a text in, and return its position."""
        position = len(self._texts)
        self._texts.append(text)
        for band, key in enumerate(self._keys([text])[0].tolist()):
            self._added[band, key].append(position)
        return position

    def _near(self, text: str) -> set[int]:
        found: set[int] = set()
        for band, key in enumerate(self._keys([text])[0]):
            found.update(self._added.get((band, int(key)), ())[:_COMPARED])
            if self._bands:
                keys, positions = self._bands[band]
                start = int(np.searchsorted(keys, key, "left"))
                stop = int(np.searchsorted(keys, key, "right"))
                found.update(positions[start : min(stop, start + _COMPARED)].tolist())
        return found

    def _keys(self, texts: Sequence[str]) -> np.ndarray:
        return band_keys(texts, self._settings, self._template, self._rows)

    def _shingles(self, text: str) -> Shingles:
        _, shingles = shingles_of([text], self._settings.words)
        own = shingles[~self._template[slot(shingles)]]
        return frozenset(shingles.tolist()), frozenset(own.tolist())


def _similarity(one: Shingles, other: Shingles) -> float:
    whole = jaccard(one[0], other[0])
    # Texts that are template and nothing else have only that to be compared by.
    return min(whole, jaccard(one[1], other[1])) if one[1] or other[1] else whole
