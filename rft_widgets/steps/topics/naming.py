"""Names and keywords of groups of texts, from the words that set each group apart."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeAlias

from msgspec import Struct

MAX_NAMED_CHARS = 4_000_000
"""Characters of all texts that words are counted in."""


class TopicDraft(Struct, frozen=True, kw_only=True):
    """What is known of a group of texts before it has its final name."""

    name: str
    keywords: tuple[str, ...]
    size: int
    examples: tuple[str, ...]


Namer: TypeAlias = Callable[[Sequence[TopicDraft]], Sequence[tuple[str, str]]]
"""Gives each group a name and a description; a language model can stand behind it."""

Names: TypeAlias = Sequence[Sequence[str]]
"""Names and descriptions of groups, in the order in which a namer was asked for them."""


class NamerRecord:
    """A namer that keeps what was said, so that it can be said again."""

    def __init__(self, source: Namer | Names) -> None:
        self.given: list[list[str]] = []
        self._ask = source if callable(source) else None
        self._known = iter([] if callable(source) else source)

    def __call__(self, drafts: Sequence[TopicDraft]) -> list[tuple[str, str]]:
        """Ask for names, or say the next ones that were given before."""
        if self._ask is not None:
            names = [(str(name), str(about)) for name, about in self._ask(drafts)]
        else:
            names = [(name, about) for _, (name, about) in zip(drafts, self._known, strict=False)]
        self.given += [list(pair) for pair in names]
        return names


def describe_groups(
    texts: Sequence[str],
    labels: Sequence[int],
    count: int,
    keywords: int = 8,
    parents: Sequence[str] = (),
) -> list[tuple[str, tuple[str, ...]]]:
    """Name groups by class-based TF-IDF: words frequent in a group and rare in the others.

    Parameters
    ----------
    texts
        The texts.
    labels
        Group of each text, from 0; a negative one leaves it out.
    count
        How many groups there are.
    keywords
        How many keywords a group gets at most.
    parents
        Name of the topic that each group lies under, or nothing: what it says is not said again.

    Returns
    -------
    For each group a name in title case, different from the others under its parent, and its
    keywords.
    """
    terms: list[Counter[str]] = [Counter() for _ in range(count)]
    capitals: Counter[str] = Counter()
    words_seen: Counter[str] = Counter()
    sizes = [0] * count
    step = max(1, sum(map(len, texts)) // MAX_NAMED_CHARS)
    for text, label in zip(texts[::step], labels[::step], strict=True):
        if label < 0:
            continue
        sizes[label] += 1
        surface = _WORDS.findall(text)
        terms[label].update(_terms([word.lower() for word in surface]))
        words_seen.update(word.lower() for word in set(surface))
        if text.upper() != text:
            capitals.update({w.lower() for w in surface if w.isupper() and 1 < len(w) <= 5})
    total: Counter[str] = Counter()
    for counter in terms:
        total.update(counter)
    average = sum(total.values()) / max(1, count)
    acronyms = {word for word, seen in capitals.items() if seen > words_seen[word] / 2}
    found: list[tuple[str, tuple[str, ...]]] = []
    used: dict[str, set[str]] = {}
    for label in range(count):
        parent = parents[label] if parents else ""
        said = _stems(parent.lower())
        taken = used.setdefault(parent, {parent.casefold()})
        scores = {
            term: n / max(1, sizes[label]) * math.log1p(average / total[term])
            for term, n in terms[label].items()
            if n > 1 or sizes[label] < 8
        }
        ranked = sorted(scores, key=lambda term: (-scores[term], term))[:200]
        chosen = _distinct(ranked, scores, keywords)
        fresh = [term for term in chosen if not _stems(term) <= said] or chosen
        fresh.sort(key=lambda term: bool(_stems(term) & said))
        name = _name(fresh, terms[label], taken, acronyms)
        if not name:
            name = unique_name("General" if count == 1 else f"Topic {label + 1}", taken)
        taken.add(name.casefold())
        found.append((name, tuple(chosen)))
    return found


def unique_name(name: str, taken: set[str]) -> str:
    """Give ``name``, with a number when it is taken without regard to case."""
    result, number = name, 2
    while result.casefold() in taken:
        result, number = f"{name} {number}", number + 1
    return result


def _terms(words: list[str]) -> set[str]:
    kept = {word for word in words if _is_telling(word)}
    for first, second in pairwise(words):
        if _is_telling(first) and (_is_telling(second) or second in _PARTICLES):
            kept.add(f"{first} {second}")
    return kept


def _is_telling(word: str) -> bool:
    return word not in STOP_WORDS and len(word) > 1 and not word.isdigit()


def _distinct(ranked: list[str], scores: dict[str, float], limit: int) -> list[str]:
    """Terms in order, without those that say the same as one before."""
    chosen: list[str] = []
    for term in ranked:
        if len(chosen) == limit:
            break
        stems = _stems(term)
        covering = [other for other in chosen if stems <= _stems(other)]
        if covering:
            continue
        within = [other for other in chosen if _stems(other) < stems]
        if within:
            # The pair replaces its word where it stands for most of the word's weight.
            if scores[term] >= 0.5 * scores[within[0]] and len(within) == 1:
                chosen[chosen.index(within[0])] = term
            continue
        chosen.append(term)
    return chosen


def _name(chosen: list[str], counts: Counter[str], taken: set[str], acronyms: set[str]) -> str:
    if not chosen:
        return ""
    parts = [chosen[0]]
    if " " not in chosen[0]:
        parts += [term for term in chosen[1:] if not _stems(term) & _stems(parts[0])][:1]
    options = [_ordered(parts, counts)]
    options += [
        f"{options[0].replace(' & ', ', ')} & {term}"
        for term in chosen
        if not _stems(term) & _stems(options[0])
    ]
    titles = [_title(option, acronyms) for option in options]
    free = next((title for title in titles if title.casefold() not in taken), None)
    return free or unique_name(titles[0], taken)


def _ordered(parts: list[str], counts: Counter[str]) -> str:
    if len(parts) == 1:
        return parts[0]
    forward, backward = f"{parts[0]} {parts[1]}", f"{parts[1]} {parts[0]}"
    if counts[forward] or counts[backward]:
        return forward if counts[forward] >= counts[backward] else backward
    return f"{parts[0]} & {parts[1]}"


def _title(name: str, acronyms: set[str]) -> str:
    return " ".join(_capitalised(word, acronyms) for word in name.split())[:80].strip()


def _capitalised(word: str, acronyms: set[str]) -> str:
    if word in acronyms:
        return word.upper()
    if word.endswith("s") and word[:-1] in acronyms:
        return word[:-1].upper() + "s"
    return word[:1].upper() + word[1:]


def _stems(term: str) -> frozenset[str]:
    return frozenset(_stem(word) for word in term.split())


def _stem(word: str) -> str:
    word = word.removesuffix("'s")
    for ending in ("ations", "ation", "ings", "ing", "ied", "ies", "ed", "es", "s", "y", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word


_WORDS = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_PARTICLES = frozenset({"up", "out", "off", "down", "back"})

STOP_WORDS = frozenset(
    """
    a about above after again against ago all almost already also although always am an and another
    any anyone anything anyway are aren't around as ask asked at away back be became because been
    before being below best better between both but by called came can can't cannot come comes could
    couldn't day days dear did didn't different do does doesn't doing don't done down during each
    either else end even ever every everyone everything exactly explain far few find first for found
    from further gave get gets getting give given gives go goes going gone good got great had hadn't
    happen happened happening happens has hasn't have haven't having he he'd he's hello help her
    here here's hers herself hey hi him himself his hope how how's however i i'd i'll i'm i've if in
    into is isn't it it'd it'll it's its itself just keep keeps kind know knew last later least less
    let let's like little long look looking looks lot lots made make makes making many may maybe me
    mean might mine more morning most much must my myself need needed needs never new next no nobody
    none nor not nothing now of off often oh ok okay old on once one ones only onto or other others
    our ours ourselves out over own part past people perhaps please possible put quickly quite
    rather really recently regarding right said same saw say says see seem seemed seems seen several
    shall she she'd she's should shouldn't show since so some someone something sometimes soon sorry
    still stuff such sure take taken takes taking tell than thank thanks that that's the their
    theirs them themselves then there there's these they they'd they'll they're they've thing things
    think this those though three through till time times to today together told tomorrow too
    took toward tried tries try trying turn two under unless until up upon us use used uses using
    very via want wanted wants was wasn't way ways we we'd we'll we're we've well went were weren't
    what what's whatever when when's where where's whether which while who who's whole whom whose
    why why's will wish with within without won't wonder wondering work working works would wouldn't
    yeah yes yesterday yet you you'd you'll you're you've your yours yourself
    """.split()  # noqa: SIM905 - a list of this length is read as text
)
"""English words that name no topic."""
