"""Words and character n-grams of many texts as hashes, computed on the bytes of all at once.

A rolling sum over the bytes gives the hash of any stretch of text from its two ends, so that there
is no loop over words: a million short texts take a few seconds.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Hashes: TypeAlias = npt.NDArray[np.uint64]
Indices: TypeAlias = npt.NDArray[np.int64]

CHUNK_CHARS = 500_000
"""Characters that are worked on at a time."""


class TokenHashes:
    """The tokens of some texts, in order: a hash, and the text it is in, for each.

    Parameters
    ----------
    texts
        The texts.
    max_chars
        Characters of a text that are looked at.
    symbols
        Whether signs like ``+`` and ``#`` are tokens; else only words are. Punctuation, currency
        signs, hyphens and brackets that enclose nothing never are.
    numbers
        Whether numbers are told apart; else all are the same.
    """

    def __init__(
        self, texts: Sequence[str], *, max_chars: int, symbols: bool = False, numbers: bool = False
    ) -> None:
        encoded = [_plain(text, max_chars, numbers=numbers) for text in texts]
        lengths = np.fromiter((len(e) + 1 for e in encoded), np.int64, len(encoded))
        data = np.frombuffer(b" " + b" ".join([*encoded, b""]), np.uint8)
        in_word = _WORD[data]
        size = len(data)
        powers, inverses = _powers(size)
        values = data.astype(np.uint64)
        sums = np.zeros(size + 1, np.uint64)
        np.cumsum((values + np.uint64(1)) * powers, out=sums[1:])
        # The byte before the first text counts as a part of it.
        owner = np.repeat(np.arange(len(texts), dtype=np.int64), lengths)
        self._owner = np.concatenate([np.zeros(1, np.int64), owner])
        self._in_word = in_word
        self._sums = sums
        self._inverses = inverses
        starts = np.flatnonzero(in_word[1:] & ~in_word[:-1]) + 1
        ends = np.flatnonzero(in_word[:-1] & ~in_word[1:]) + 1
        if symbols:
            signs = _signs(data)
            starts = np.concatenate([starts, signs])
            ends = np.concatenate([ends, signs + 1])
            order = np.argsort(starts, kind="stable")
            starts, ends = starts[order], ends[order]
        self.owners: Indices = self._owner[starts]
        self.hashes: Hashes = mixed((sums[ends] - sums[starts]) * inverses[starts])

    def runs(self, length: int) -> tuple[Indices, Hashes]:
        """Owners and hashes of every run of ``length`` tokens within a text."""
        count = len(self.hashes) - length + 1
        if count <= 0:
            return np.zeros(0, np.int64), np.zeros(0, np.uint64)
        total = np.zeros(count, np.uint64)
        for offset in range(length):
            total = total * _STEP + self.hashes[offset : offset + count]
        whole = self.owners[:count] == self.owners[length - 1 :]
        return self.owners[:count][whole], mixed(total[whole])

    def characters(self, length: int) -> tuple[Indices, Hashes]:
        """Owners and hashes of the n-grams of ``length`` bytes inside words and at their edges."""
        count = len(self._in_word) - length + 1
        if count <= 0:
            return np.zeros(0, np.int64), np.zeros(0, np.uint64)
        inside = np.ones(count, np.bool_)
        for offset in range(1, length - 1):
            inside &= self._in_word[offset : offset + count]
        at = np.flatnonzero(inside)
        hashes = (self._sums[at + length] - self._sums[at]) * self._inverses[at]
        return self._owner[at + 1], mixed(hashes + np.uint64(length))


def _powers(size: int) -> tuple[Hashes, Hashes]:
    """Powers of the base and of its inverse, from the 0th on."""
    kept = 1 << 22
    if size > kept:  # one very long text; tables of that size are not kept
        return _power_tables.__wrapped__(size)
    powers, inverses = _power_tables(min(kept, 1 << max(16, (size - 1).bit_length())))
    return powers[:size], inverses[:size]


@functools.lru_cache(maxsize=4)
def _power_tables(size: int) -> tuple[Hashes, Hashes]:
    powers = np.full(size, _BASE, np.uint64)
    inverses = np.full(size, _INVERSE, np.uint64)
    powers[0] = inverses[0] = 1
    return np.cumprod(powers, dtype=np.uint64), np.cumprod(inverses, dtype=np.uint64)


def mixed(hashes: Hashes) -> Hashes:
    """Spread every bit of the hashes over all of them."""
    result: Hashes = hashes ^ (hashes >> np.uint64(32))
    result *= np.uint64(0xD6E8FEB86659FD93)
    result ^= result >> np.uint64(32)
    result *= np.uint64(0xD6E8FEB86659FD93)
    result ^= result >> np.uint64(32)
    return result


def chunks(texts: Sequence[str], max_chars: int, most: int = CHUNK_CHARS) -> list[slice]:
    """Slices of the texts that hold at most about so many characters each."""
    found: list[slice] = []
    start = size = 0
    for position, text in enumerate(texts):
        size += min(len(text), max_chars) + 1
        if size > most:
            found.append(slice(start, position + 1))
            start, size = position + 1, 0
    if start < len(texts):
        found.append(slice(start, len(texts)))
    return found


def _signs(data: npt.NDArray[np.uint8]) -> Indices:
    """Where signs stand that change what a text says."""
    at: Indices = np.flatnonzero(_SIGN[data])
    padded = np.concatenate([data, np.full(2, ord(" "), np.uint8)])
    after, second = padded[at + 1], padded[at + 2]
    # A minus has a number after it, a hyphen or a dash has not.
    minus = _DIGIT[after] | ((after == ord(" ")) & _DIGIT[second])
    touching = (_WORD | _SIGN)[after] | (_WORD | _SIGN)[data[at - 1]]
    sign = data[at]
    kept: Indices = at[np.where(sign == ord("-"), minus, touching | ~_BRACKET[sign])]
    return kept


def _plain(text: str, max_chars: int, *, numbers: bool) -> bytes:
    text = text[:max_chars]
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_TYPOGRAPHY)
    data = text.lower().encode("utf-8", "replace")
    return data if numbers else _NUMBER.sub(b"0", data)


_BASE = np.uint64(0x9E3779B97F4A7C15)
_INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 2**64))
_STEP = np.uint64(0xC2B2AE3D27D4EB4F)

_NUMBER = re.compile(rb"[0-9]+")
_WORD = np.zeros(256, np.bool_)
_WORD[[*b"abcdefghijklmnopqrstuvwxyz0123456789_"]] = True
_WORD[128:] = True
_SIGN = ~_WORD
_SIGN[:33] = False
_SIGN[[*b".,;:!?\"'`$\x7f"]] = False
_DIGIT = np.zeros(256, np.bool_)
_DIGIT[ord("0") : ord("9") + 1] = True
_BRACKET = np.zeros(256, np.bool_)
_BRACKET[[*b"()[]{}"]] = True

_TYPOGRAPHY = {
    **dict.fromkeys(map(ord, "‘’‚‛′"), "'"),  # noqa: RUF001
    **dict.fromkeys(map(ord, "“”„‟«»″"), '"'),
    **dict.fromkeys(map(ord, "‐‑‒–—―−"), "-"),  # noqa: RUF001
    **dict.fromkeys(map(ord, "。、，．！？；：¿¡…・"), " "),  # noqa: RUF001
    **dict.fromkeys(map(ord, "£€¥₹₩₽¢"), " "),
    **dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f"), None),
}
"""Typographic signs as plain ones; invisible ones go."""
