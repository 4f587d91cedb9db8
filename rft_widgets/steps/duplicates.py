"""Texts that repeat each other: exactly, and nearly.

Nearly the same are two texts that share most of their word triples, both with and without what
they have in common with a whole family of prompts. So a long instruction around a short question
does not make every question the same, and the same question under two instructions is two texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.topic_settings import DUPLICATES, DuplicateSettings
from rft_widgets.steps.cluster import map_batches
from rft_widgets.steps.text_hashing import CHUNK_CHARS, Hashes, Indices, TokenHashes, chunks, mixed

Common = TypeVar("Common")
Marks: TypeAlias = npt.NDArray[np.bool_]

_ALL = 2**31
_BATCH_CHARS = 8 * CHUNK_CHARS
"""Characters that are worth a way to another machine."""
_TABLE_BITS = 22


def exact_duplicate_groups(texts: Sequence[str]) -> list[int]:
    """Group texts that are the same but for case, spaces and punctuation marks.

    Signs that carry meaning (``+ - * / ( ) # %`` and the like) and digits count.

    Returns
    -------
    For each text the number of its group, counted from 0 in order of first appearance.
    """
    return _numbered(_whole_hashes(texts))


def near_duplicate_groups(
    texts: Sequence[str], threshold: float | None = None, settings: DuplicateSettings = DUPLICATES
) -> list[int]:
    """Group texts that are nearly the same; exact repetitions are always in one group.

    Parameters
    ----------
    texts
        The texts; their content decides, not their order.
    threshold
        Shared part (0..1, Jaccard) of the word triples from which two texts are one; by default
        the one of the settings.
    settings
        Sizes of shingles and signatures, and what counts as the template of a prompt family.

    Returns
    -------
    For each text the number of its group, counted from 0 in order of first appearance. A text may
    be in one group with another through a third.

    Raises
    ------
    InvalidArgument
        The threshold does not lie above 0 and up to 1.
    """
    least = settings.threshold if threshold is None else threshold
    if not 0 < least <= 1:
        raise InvalidArgument(f"The threshold {least} does not lie above 0 and up to 1.")
    exact = exact_duplicate_groups(texts)
    first: dict[int, int] = {}
    for position, group in enumerate(exact):
        first.setdefault(group, position)
    distinct = [texts[position] for position in first.values()]
    joined = _Links(len(distinct))
    if len(distinct) > 1:
        _link_similar(distinct, least, settings, joined)
    return _numbered([joined.root(group) for group in exact])


def duplicate_share(groups: Sequence[int]) -> float:
    """Share (0..1) of texts that repeat an earlier one of their group."""
    return 1 - len(set(groups)) / len(groups) if groups else 0.0


class _Links:
    """Which things are one, found by following links to a root."""

    def __init__(self, size: int) -> None:
        self._parents = list(range(size))

    def root(self, item: int) -> int:
        parents = self._parents
        while parents[item] != item:
            parents[item] = parents[parents[item]]
            item = parents[item]
        return item

    def link(self, one: int, other: int) -> None:
        low, high = sorted((self.root(one), self.root(other)))
        self._parents[high] = low


def template_of(texts: Sequence[str], settings: DuplicateSettings) -> Marks:
    """Which places of the table hold shingles of a template: what a family of texts shares."""
    limit = max(
        settings.template_min_texts,
        min(settings.template_max_texts, settings.template_share * len(texts)),
    )
    counts = np.zeros(1 << _TABLE_BITS, np.uint32)
    for places in _spread(_slots, settings.words, texts):
        np.add.at(counts, places, np.uint32(1))
    marks: Marks = counts > limit
    return marks


def rows_for(least: float, settings: DuplicateSettings) -> int:
    """Rows of a band with which hardly a pair of that similarity is missed."""
    return max(
        r for r in range(1, settings.permutations + 1)
        if r == 1 or 1 - (1 - least**r) ** (settings.permutations // r) >= 0.999
    )  # fmt: skip


def _link_similar(
    texts: Sequence[str], least: float, settings: DuplicateSettings, joined: _Links
) -> None:
    template = template_of(texts, settings)
    rows = rows_for(least, settings)
    keys = np.concatenate(list(_spread(_all_band_keys, (settings, template, rows), texts)))
    known = _Shingled(texts, settings.words, template)
    for band in range(keys.shape[1]):
        order = np.argsort(keys[:, band], kind="stable")
        ranked = keys[order, band]
        edges = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1], [True]]))
        for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            if stop - start > 1:
                _link_bucket(order[start:stop].tolist(), least, known, joined)


def _link_bucket(bucket: list[int], least: float, known: _Shingled, joined: _Links) -> None:
    # A text is compared with one of each group that the bucket has so far, not with all of it.
    heads: list[int] = []
    for item in bucket:
        for head in heads:
            if joined.root(head) == joined.root(item):
                break
            if known.alike(head, item, least):
                joined.link(head, item)
                break
        else:
            heads.append(item)


class _Shingled:
    """Shingles of single texts, worked out when two of them are compared."""

    def __init__(self, texts: Sequence[str], words: int, template: Marks) -> None:
        self._texts = texts
        self._words = words
        self._template = template
        self._known: dict[int, tuple[frozenset[int], frozenset[int]]] = {}

    def alike(self, one: int, other: int, least: float) -> bool:
        (all_one, own_one), (all_other, own_other) = self._of(one), self._of(other)
        if jaccard(all_one, all_other) < least:
            return False
        # Texts that are template and nothing else have only that to be compared by.
        return not (own_one or own_other) or jaccard(own_one, own_other) >= least

    def _of(self, item: int) -> tuple[frozenset[int], frozenset[int]]:
        found = self._known.get(item)
        if found is None:
            _, shingles = shingles_of([self._texts[item]], self._words)
            own = shingles[~self._template[slot(shingles)]]
            found = frozenset(shingles.tolist()), frozenset(own.tolist())
            if len(self._known) >= 20_000:
                self._known.clear()
            self._known[item] = found
        return found


def jaccard(one: frozenset[int], other: frozenset[int]) -> float:
    """Shared part of two sets (0..1)."""
    union = len(one | other)
    return len(one & other) / union if union else 1.0


def band_keys(
    texts: Sequence[str], settings: DuplicateSettings, template: Marks, rows: int
) -> Hashes:
    """For each text and band, a hash that similar texts are likely to share."""
    owners, shingles = shingles_of(texts, settings.words)
    own = ~template[slot(shingles)]
    bare = np.ones(len(texts), np.bool_)
    bare[owners[own]] = False
    used = own | bare[owners]
    owners, shingles = owners[used], shingles[used]
    starts = np.flatnonzero(np.concatenate([[True], owners[1:] != owners[:-1]]))
    bands = settings.permutations // rows
    seeds = mixed(np.arange(1, bands * rows + 1, dtype=np.uint64))
    keys = np.zeros((len(texts), bands), np.uint64)
    for position, seed in enumerate(seeds):
        lowest = np.minimum.reduceat(mixed(shingles ^ seed), starts)
        band = position // rows
        keys[owners[starts], band] = mixed(
            keys[owners[starts], band] * np.uint64(31) + lowest + np.uint64(band)
        )
    return keys


def shingles_of(texts: Sequence[str], words: int) -> tuple[Indices, Hashes]:
    """Owners and hashes of the distinct shingles; a text of fewer words is one shingle."""
    tokens = TokenHashes(texts, max_chars=_ALL, symbols=True, numbers=True)
    owners, hashes = tokens.runs(words)
    short = np.ones(len(texts), np.bool_)
    short[owners] = False
    lone = np.flatnonzero(short)
    owners = np.concatenate([owners, lone])
    hashes = np.concatenate([hashes, _whole(tokens, texts)[lone]])
    order = np.lexsort((hashes, owners))
    owners, hashes = owners[order], hashes[order]
    first = np.ones(len(owners), np.bool_)
    first[1:] = (owners[1:] != owners[:-1]) | (hashes[1:] != hashes[:-1])
    return owners[first], hashes[first]


def _whole_hashes(texts: Sequence[str]) -> list[int]:
    found: list[int] = []
    for hashes in _spread(_all_whole, None, texts):
        found += hashes.tolist()
    return found


def _spread(
    work: Callable[[Common, Sequence[str]], npt.NDArray[Any]],
    common: Common,
    texts: Sequence[str],
) -> Iterator[npt.NDArray[Any]]:
    """Work on texts a part at a time, on the machines that are there."""
    parts = chunks(texts, _ALL, _BATCH_CHARS)
    return map_batches(work, common, (texts[part] for part in parts))


def _slots(words: int, texts: Sequence[str]) -> npt.NDArray[Any]:
    parts = [shingles_of(texts[part], words)[1] for part in chunks(texts, _ALL)]
    return np.concatenate([slot(shingles).astype(np.int32) for shingles in parts])


def _all_band_keys(
    common: tuple[DuplicateSettings, Marks, int], texts: Sequence[str]
) -> npt.NDArray[Any]:
    return np.concatenate([band_keys(texts[part], *common) for part in chunks(texts, _ALL)])


def _all_whole(_common: None, texts: Sequence[str]) -> npt.NDArray[Any]:
    parts = [texts[part] for part in chunks(texts, _ALL)]
    tokens = (TokenHashes(some, max_chars=_ALL, symbols=True, numbers=True) for some in parts)
    return np.concatenate([_whole(one, some) for one, some in zip(tokens, parts, strict=True)])


def _whole(tokens: TokenHashes, texts: Sequence[str]) -> Hashes:
    """One hash a text, of all its tokens in order; of the bare text when it has none."""
    count = len(tokens.hashes)
    starts = np.searchsorted(tokens.owners, np.arange(len(texts) + 1))
    place = np.arange(count) - starts[tokens.owners]
    terms = mixed(tokens.hashes + mixed(place.astype(np.uint64)))
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(terms, dtype=np.uint64)])
    result = mixed(sums[starts[1:]] - sums[starts[:-1]])
    for position in np.flatnonzero(starts[1:] == starts[:-1]).tolist():
        bare = TokenHashes(
            ["x".join(f"{ord(char):x}" for char in texts[position].strip())],
            max_chars=_ALL, numbers=True,
        ).hashes  # fmt: skip
        result[position] = bare[0] if len(bare) else 0
    return result


def slot(hashes: Hashes) -> Indices:
    """Place of each hash in the table of templates."""
    return (hashes >> np.uint64(64 - _TABLE_BITS)).astype(np.int64)


def _numbered(keys: Sequence[int]) -> list[int]:
    numbers: dict[int, int] = {}
    return [numbers.setdefault(key, len(numbers)) for key in keys]
