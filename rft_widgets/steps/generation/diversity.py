"""How different texts are from each other, as one number."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np

_MOST = 300
"""Texts that are compared; of more, so many at even distances."""
_WORD = re.compile(r"\w+")


def diversity(texts: Sequence[str]) -> float | None:
    """Measure how different some texts are (0..1); ``None`` of fewer than two.

    The Vendi score (Friedman and Dieng 2023, "The Vendi Score: A Diversity Evaluation Metric for
    Machine Learning", TMLR) over the number of texts: ``exp(-sum(v * log(v))) / n`` of the
    eigenvalues ``v`` of ``K / n``, where ``K`` holds the shared part (Jaccard) of the words of each
    two texts. The score is the effective number of different texts: ``1 / n`` when all are the
    same, 1 when no two share a word. What people write on one topic shares many words, so 1 is not
    to be reached: compare it with that of recorded prompts.

    Parameters
    ----------
    texts
        The texts; of more than 300, so many at even distances are compared.
    """
    if len(texts) < 2:
        return None
    if len(texts) > _MOST:
        texts = [texts[place * len(texts) // _MOST] for place in range(_MOST)]
    words = [frozenset(_WORD.findall(text.lower())) or frozenset({text}) for text in texts]
    numbers = {word: place for place, word in enumerate(sorted(set().union(*words)))}
    held = np.zeros((len(words), len(numbers)), np.float32)
    for row, some in enumerate(words):
        held[row, [numbers[word] for word in some]] = 1
    shared = (held @ held.T).astype(np.float64)
    sizes = held.sum(axis=1, dtype=np.float64)
    values = np.linalg.eigvalsh(shared / (sizes[:, None] + sizes - shared) / len(words))
    positive = values[values > 1e-12]
    entropy = -float(np.sum(positive * np.log(positive)))
    return min(1.0, math.exp(entropy) / len(words))


def diversity_by_topic(texts: Mapping[str, Sequence[str]]) -> float | None:
    """The mean of `diversity` within each topic, weighted by the number of its texts.

    Texts of different topics differ anyway: what counts is how different those of one are.
    """
    found = [(len(some), one) for some in texts.values() if (one := diversity(some)) is not None]
    whole = sum(count for count, _ in found)
    return sum(count * one for count, one in found) / whole if whole else None
