"""Keywords in texts: which topics they point to, and how strongly."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from rft_widgets.model.topic import TopicNode
from rft_widgets.steps.topics.naming import singular
from rft_widgets.steps.topics.words import STOP_WORDS


class KeywordMatcher:
    """Finds the names and keywords of topics in texts.

    A phrase counts one unit for each of its words that says something, but at least two when it has
    several words; one that several topics have counts for none of them. Case, punctuation and the
    plural make no difference.

    Parameters
    ----------
    leaves
        The topics, in order.
    """

    def __init__(self, leaves: Sequence[TopicNode]) -> None:
        owners: dict[tuple[str, ...], set[int]] = defaultdict(set)
        for number, leaf in enumerate(leaves):
            for phrase in (leaf.name, *leaf.keywords):
                words = tuple(_words(phrase))
                if any(word not in STOP_WORDS for word in words):
                    owners[words].add(number)
        self._phrases: dict[str, list[tuple[tuple[str, ...], int, int]]] = defaultdict(list)
        for phrase_words, topics in owners.items():
            if len(topics) == 1:
                telling = sum(word not in STOP_WORDS for word in phrase_words)
                units = max(telling, min(2, len(phrase_words)))
                self._phrases[phrase_words[0]].append((phrase_words, topics.copy().pop(), units))

    def __bool__(self) -> bool:
        return bool(self._phrases)

    def find(self, text: str) -> tuple[int, int]:
        """Give the topic with the most evidence, and by how many units it leads the next.

        Without evidence, or without a lead, the lead is 0.
        """
        words = _words(text)
        seen: set[tuple[str, ...]] = set()
        units: dict[int, int] = {}
        for place, word in enumerate(words):
            for phrase, owner, worth in self._phrases.get(word, ()):
                if phrase not in seen and tuple(words[place : place + len(phrase)]) == phrase:
                    seen.add(phrase)
                    units[owner] = units.get(owner, 0) + worth
        if not units:
            return 0, 0
        ranked = sorted(units.items(), key=lambda pair: (-pair[1], pair[0]))
        second = ranked[1][1] if len(ranked) > 1 else 0
        return ranked[0][0], ranked[0][1] - second


def _words(text: str) -> list[str]:
    return [singular(word) for word in re.findall(r"[^\W_]+", text.lower())]
