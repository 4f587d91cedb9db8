"""Similarity of two texts, 0..1, each by a published formula that is named with it.

Hosted services name the metrics but publish neither tokenisation nor smoothing; what is chosen here
follows the libraries that their sandbox has (rapidfuzz, nltk, rouge-score).
"""

from __future__ import annotations

import math
import operator
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from rapidfuzz import fuzz, utils
from rapidfuzz.distance import LCSseq

from rft_widgets.graders.porter import stem

Metric = Callable[[str, str], float]

BLEU_EPSILON = 0.1
METEOR_ALPHA, METEOR_BETA, METEOR_GAMMA = 0.9, 3.0, 0.5


class NotMeasurable(Exception):  # noqa: N818 - becomes a failed grading
    """The metric says nothing about this reference."""


def fuzzy_match(text: str, reference: str) -> float:
    """Weighted ratio of rapidfuzz on normalised texts, over 100.

    ``fuzz.WRatio(text, reference, processor=utils.default_process) / 100``, as the services'
    own examples call it.
    """
    return float(fuzz.WRatio(text, reference, processor=utils.default_process)) / 100.0


def bleu(text: str, reference: str) -> float:
    """Sentence BLEU-4 (Papineni et al. 2002) on words between spaces.

    The geometric mean of the clipped n-gram precisions, n = 1..4, with the brevity penalty; an
    order without a match counts 0.1 matches (Chen and Cherry 2014, method 1), as
    ``nltk.translate.bleu_score.sentence_bleu`` with that smoothing.
    """
    words, wanted = text.split(), reference.split()
    if not words or not wanted:
        return 0.0
    logs = 0.0
    for n in range(1, 5):
        grams = _ngrams(words, n)
        matches = (grams & _ngrams(wanted, n)).total()
        if n == 1 and not matches:
            return 0.0
        logs += math.log((matches or BLEU_EPSILON) / max(1, grams.total())) / 4
    brevity = 1.0 if len(words) > len(wanted) else math.exp(1 - len(wanted) / len(words))
    return min(1.0, brevity * math.exp(logs))


def gleu(text: str, reference: str) -> float:
    """Google BLEU (Wu et al. 2016) on words between spaces.

    The smaller of precision and recall of all n-grams, n = 1..4, as ``sentence_gleu`` of nltk.
    """
    words, wanted = text.split(), reference.split()
    ours = sum((_ngrams(words, n) for n in range(1, 5)), Counter[tuple[str, ...]]())
    theirs = sum((_ngrams(wanted, n) for n in range(1, 5)), Counter[tuple[str, ...]]())
    longest = max(ours.total(), theirs.total())
    return (ours & theirs).total() / longest if longest else 0.0


def meteor(text: str, reference: str) -> float:
    """METEOR (Lavie and Agarwal 2007) on lower-case words between spaces, 0.9, 3 and 0.5.

    Words match exactly, then by Porter stem, as ``meteor_score`` of nltk does; its third stage,
    WordNet synonyms, is left out, so that scores with synonyms are lower than the services'.
    """
    words, wanted = text.lower().split(), reference.lower().split()
    matches, left, left_wanted = _align(list(enumerate(words)), list(enumerate(wanted)))
    stems, _, _ = _align(
        [(i, stem(word)) for i, word in left], [(i, stem(word)) for i, word in left_wanted]
    )
    matches = sorted(matches + stems)
    if not matches:
        return 0.0
    precision, recall = len(matches) / len(words), len(matches) / len(wanted)
    mean = precision * recall / (METEOR_ALPHA * precision + (1 - METEOR_ALPHA) * recall)
    chunks = 1 + sum((i + 1, j + 1) != following for (i, j), following in pairwise(matches))
    penalty: float = METEOR_GAMMA * (chunks / len(matches)) ** METEOR_BETA
    return mean * (1 - penalty)


def rouge_n(n: int) -> Metric:
    """F-measure of n-gram overlap (Lin 2004) as ``rouge-score`` has it, without stemming."""

    def rouge(text: str, reference: str) -> float:
        words, wanted = _rouge_words(text), _rouge_reference(reference)
        ours, theirs = _ngrams(words, n), _ngrams(wanted, n)
        matches = (ours & theirs).total()
        return _f_measure(matches, ours.total(), theirs.total())

    return rouge


def rouge_l(text: str, reference: str) -> float:
    """F-measure of the longest common subsequence (Lin 2004) as ``rouge-score`` has it."""
    words, wanted = _rouge_words(text), _rouge_reference(reference)
    return _f_measure(LCSseq.similarity(words, wanted), len(words), len(wanted))


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Cosine of the angle between two vectors; opposite ones count as 0."""
    lengths = math.hypot(*one) * math.hypot(*other)
    if len(one) != len(other) or not lengths or not math.isfinite(lengths):
        raise NotMeasurable("the embeddings are empty, not finite, or of different lengths")
    product: float = sum(map(operator.mul, one, other))
    return min(1.0, max(0.0, product / lengths))


METRICS: Mapping[str, Metric] = {
    "fuzzy_match": fuzzy_match,
    "bleu": bleu,
    "gleu": gleu,
    "meteor": meteor,
    **{f"rouge_{n}": rouge_n(n) for n in range(1, 6)},
    "rouge_l": rouge_l,
}
"""The metrics that need no model, by the name that graders give them."""

_NOT_ROUGE = re.compile(r"[^a-z0-9]+")


def _rouge_words(text: str) -> list[str]:
    return [word for word in _NOT_ROUGE.split(text.lower()) if word]


def _rouge_reference(reference: str) -> list[str]:
    words = _rouge_words(reference)
    if not words and reference.strip():
        raise NotMeasurable("ROUGE counts a-z and 0-9 only, and the reference has none of them")
    return words


def _f_measure(matches: int, found: int, wanted: int) -> float:
    if not matches:
        return 0.0
    precision, recall = matches / found, matches / wanted
    return 2 * precision * recall / (precision + recall)


def _ngrams(words: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(words[i:] for i in range(n)), strict=False))


_Numbered = list[tuple[int, str]]


def _align(
    words: _Numbered, wanted: _Numbered
) -> tuple[list[tuple[int, int]], _Numbered, _Numbered]:
    """Pair equal words, from the end, each with the last one that is free."""
    free = defaultdict(list)
    for position, (_, word) in enumerate(wanted):
        free[word].append(position)
    pairs = []
    rest = []
    taken = set()
    for number, word in reversed(words):
        if free[word]:
            position = free[word].pop()
            taken.add(position)
            pairs.append((number, wanted[position][0]))
        else:
            rest.append((number, word))
    return pairs, rest[::-1], [pair for i, pair in enumerate(wanted) if i not in taken]
