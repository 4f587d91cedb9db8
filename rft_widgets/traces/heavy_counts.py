"""Counts of text in bounded memory, that do not depend on the order of what is counted."""

from __future__ import annotations

from array import array
from collections import Counter
from hashlib import blake2b

_ROWS = 4
_COLUMNS = 2**15


class HeavyCounts:
    """Counts how often each text was added.

    Up to ``max_distinct`` texts the counts are exact. Beyond that only the frequent ones are told,
    from a count-min sketch (over by 0.01 % of the total at most, but for one in fifty texts) and
    Misra-Gries candidates, which hold every text that is more frequent than one in
    ``max_distinct``.
    """

    def __init__(self, max_distinct: int = 10_000) -> None:
        self.max_distinct = max_distinct
        self.total = 0
        self._counts: Counter[str] = Counter()
        self._sketch: array[int] | None = None

    @property
    def is_exact(self) -> bool:
        """Whether every text that was added is counted."""
        return self._sketch is None

    @property
    def distinct(self) -> int:
        """Number of different texts; there are more of them where the counts are not exact."""
        return len(self._counts) if self.is_exact else self.max_distinct

    def add(self, text: str) -> None:
        """Count a text once."""
        self.total += 1
        if self._sketch is None:
            self._counts[text] += 1
            if len(self._counts) > self.max_distinct:
                self._give_up_exactness()
            return
        self._count_in_sketch(self._sketch, text, 1)
        if text in self._counts or len(self._counts) < self.max_distinct:
            self._counts[text] += 1
        else:
            # Misra-Gries: a text that has no place takes one from everybody.
            self._counts = +Counter({key: count - 1 for key, count in self._counts.items()})

    def ranked(self) -> list[tuple[str, int]]:
        """Texts with their counts, the most frequent first, equally frequent ones by name."""
        if self._sketch is None:
            counts = self._counts.items()
            return sorted(counts, key=lambda item: (-item[1], item[0]))
        sketch = self._sketch
        estimated = ((text, self._estimate(sketch, text)) for text in self._counts)
        # Below this, whether a text is still a candidate depends on the order.
        floor = 4 * self.total / self.max_distinct
        frequent = [(text, count) for text, count in estimated if count >= floor]
        return sorted(frequent, key=lambda item: (-item[1], item[0]))

    def _give_up_exactness(self) -> None:
        self._sketch = array("Q", bytes(8 * _ROWS * _COLUMNS))
        for text, count in self._counts.items():
            self._count_in_sketch(self._sketch, text, count)

    def _count_in_sketch(self, sketch: array[int], text: str, count: int) -> None:
        for cell in _cells(text):
            sketch[cell] += count

    def _estimate(self, sketch: array[int], text: str) -> int:
        return min(sketch[cell] for cell in _cells(text))


def stable_hash(text: str) -> bytes:
    """Hash of a text that is the same in every process."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _cells(text: str) -> list[int]:
    digest = stable_hash(text)
    numbers = (int.from_bytes(digest[4 * row : 4 * row + 4], "little") for row in range(_ROWS))
    return [row * _COLUMNS + number % _COLUMNS for row, number in enumerate(numbers)]
