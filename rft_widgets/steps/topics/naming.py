"""Names and keywords of groups of texts, from the words that set each group apart."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from msgspec import Struct

from rft_widgets.steps.topics.words import COURTESY, STOP_WORDS

MAX_NAMED_CHARS = 1_000_000
"""Characters of all texts that words are counted in."""


class TopicDraft(Struct, frozen=True, kw_only=True):
    """What is known of a group of texts before it has its final name.

    ``under`` tells groups with one parent from others: it is what keywords call the parent.
    ``parts`` are the names of the topics below a group, which have theirs before it.
    """

    name: str
    keywords: tuple[str, ...]
    size: int
    examples: tuple[str, ...]
    under: str = ""
    parts: tuple[str, ...] = ()


GivenName: TypeAlias = tuple[str, str] | tuple[str, str, Sequence[str]]
"""Name and description of a group, and keywords that may be given in place of the found ones."""

Namer: TypeAlias = Callable[[Sequence[TopicDraft]], Sequence[GivenName]]
"""Names groups, those of the lowest level first; a language model can stand behind it."""

Names: TypeAlias = Sequence[Sequence[Any]]
"""Names, descriptions and keywords of groups, in the order in which a namer was asked for them."""


class NamerRecord:
    """A namer that keeps what was said, so that it can be said again."""

    def __init__(self, source: Namer | Names) -> None:
        self.given: list[list[Any]] = []
        self._ask = source if callable(source) else None
        self._known = iter([] if callable(source) else source)

    def __call__(self, drafts: Sequence[TopicDraft]) -> list[GivenName]:
        """Ask for names, or say the next ones that were given before."""
        if self._ask is not None:
            names = [_given(one) for one in self._ask(drafts)]
        else:
            names = [_given(one) for _, one in zip(drafts, self._known, strict=False)]
        self.given += [[*map(str, one[:2]), *map(list, one[2:])] for one in names]
        return names


def _given(one: Sequence[Any]) -> GivenName:
    name, about, *words = one
    return (str(name), str(about), tuple(map(str, words[0]))) if words else (str(name), str(about))


def describe_groups(
    texts: Sequence[str],
    labels: Sequence[int],
    count: int,
    keywords: int = 8,
    parents: Sequence[str] = (),
) -> list[tuple[str, tuple[str, ...]]]:
    """Name groups by class-based TF-IDF: words of many texts of a group and of few others.

    The weight follows M. Grootendorst, BERTopic (2022), with the share of a group's texts in place
    of the count, so that one long text names no group, and the share of other groups' texts in
    place of the total, so that a large group does not make its own words look common. Singular and
    plural are one word. Identifiers, addresses, numbers, names of people and words of courtesy name
    nothing; other proper names, of products for instance, count half, since what is done with them
    says more.

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
    step = max(1, sum(map(len, texts)) // MAX_NAMED_CHARS)
    chosen_texts = [
        (_IDENTIFIER.sub(" ; ", text), label)
        for text, label in zip(texts[::step], labels[::step], strict=True)
        if label >= 0
    ]
    lexicon = _lexicon([text for text, _ in chosen_texts])
    terms: list[Counter[str]] = [Counter() for _ in range(count)]
    sizes = [0] * count
    for text, label in chosen_texts:
        sizes[label] += 1
        terms[label].update(_terms(_WORDS.findall(text.lower()), lexicon))
    total: Counter[str] = Counter()
    for counter in terms:
        total.update(counter)
    found: list[tuple[str, tuple[str, ...]]] = []
    used: dict[str, set[str]] = {}
    for label in range(count):
        parent = parents[label] if parents else ""
        said = _stems(parent.lower())
        taken = used.setdefault(parent, {parent.casefold()})
        others = sum(sizes) - sizes[label]
        scores = {
            term: _weight(n, sizes[label], total[term] - n, others)
            * (0.5 if any(word in lexicon.proper for word in term.split()) else 1.0)
            for term, n in terms[label].items()
            if n > 1 or sizes[label] < 8
        }
        ranked = sorted(scores, key=lambda term: (-scores[term], term))[:200]
        chosen = _distinct(ranked, scores, keywords)
        fresh = [term for term in chosen if not _stems(term) <= said] or chosen
        fresh.sort(key=lambda term: bool(_stems(term) & said))
        name = _name(fresh, scores, terms[label], sizes[label], taken, lexicon.acronyms)
        if not name:
            name = unique_name("General" if count == 1 else f"Topic {label + 1}", taken)
        taken.add(name.casefold())
        found.append((name, tuple(chosen)))
    return found


def _weight(inside: int, size: int, outside: int, others: int) -> float:
    """Share of a group's texts that have a term, times how much rarer it is in other texts."""
    share = inside / max(1, size)
    return share * math.log1p(share * (others + 1) / (outside + 0.5))


class _Lexicon(Struct, frozen=True):
    """What is known of lower-case words: the form of each that is shown, and special kinds."""

    shown: dict[str, str]
    acronyms: set[str]
    proper: set[str]
    people: set[str]


def _lexicon(texts: Sequence[str]) -> _Lexicon:
    seen: Counter[str] = Counter()
    shouted: Counter[str] = Counter()
    inner: Counter[str] = Counter()
    named: Counter[str] = Counter()
    for text in texts:
        surface = set(_WORDS.findall(text))
        seen.update({word.lower() for word in surface})
        if text.upper() != text:
            shouted.update({w.lower() for w in surface if w.isupper() and 1 < len(w) <= 5})
            inner.update({word.lower() for word in _INNER_CAPITAL.findall(text)})
            named.update({
                word.lower() for words in _PERSON.findall(text) for word in words if word
            })  # fmt: skip
    shown: dict[str, str] = {}
    for word, n in seen.items():
        single = singular(word)
        if single != word and single in seen:
            usual = single if seen[single] >= n else word
            shown[word] = shown[single] = usual
    return _Lexicon(
        shown,
        {word for word, n in shouted.items() if n > seen[word] / 2},
        {word for word, n in inner.items() if n > seen[word] / 2 and shouted[word] <= n / 2},
        {word for word, n in named.items() if n > seen[word] / 2},
    )


def unique_name(name: str, taken: set[str]) -> str:
    """Give ``name``, with a number when it is taken without regard to case."""
    result, number = name, 2
    while result.casefold() in taken:
        result, number = f"{name} {number}", number + 1
    return result


def clean_name(name: str) -> str:
    """A name of what somebody gave for one: one short line that can be part of a path."""
    printable = "".join(char if char.isprintable() else " " for char in name)
    return " ".join(printable.replace("/", " ").split())[:80].strip()


def described(draft: TopicDraft) -> str:
    """What keywords say of a group, in a sentence."""
    words = list(draft.keywords[:5])
    if not words:
        return ""
    listed = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
    return f"Messages about {listed}."


def _terms(words: list[str], lexicon: _Lexicon) -> set[str]:
    shown, people, acronyms = lexicon.shown, lexicon.people, lexicon.acronyms
    told = [
        shown.get(word, word) if word not in people and _is_telling(word, acronyms) else ""
        for word in words
    ]
    kept = {word for word in told if word}
    for place, second in enumerate(words[1:]):
        first = told[place]
        if first and (told[place + 1] or second in _PARTICLES):
            kept.add(f"{first} {told[place + 1] or second}")
    return kept


def _is_telling(word: str, acronyms: set[str]) -> bool:
    # Two letters are a unit of measure, if anything, and no subject; PC and ID are.
    return (len(word) > 2 or word in acronyms) and not (
        word in STOP_WORDS or word in COURTESY or word.isdigit()
    )


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


def _name(
    chosen: list[str],
    scores: dict[str, float],
    counts: Counter[str],
    size: int,
    taken: set[str],
    acronyms: set[str],
) -> str:
    if not chosen:
        return ""
    parts = _parts(chosen, scores, counts, size)
    options = [_ordered(parts, counts)]
    options += [
        f"{options[0].replace(' & ', ', ')} & {term}"
        for term in chosen
        if not _stems(term) & _stems(options[0])
    ]
    titles = [_title(option, acronyms) for option in options]
    free = next((title for title in titles if title.casefold() not in taken), None)
    return free or unique_name(titles[0], taken)


def _parts(
    chosen: list[str], scores: dict[str, float], counts: Counter[str], size: int
) -> list[str]:
    """The first term, with a second one that says nearly as much, or in its usual phrase."""
    first = chosen[0]
    if " " in first:
        return [first]
    others = [term for term in chosen[1:] if not _stems(term) & _stems(first)]
    second = next((term for term in others if counts[term] >= _COMMON * size), None)
    if second is not None and scores[second] >= _SECOND * scores[first]:
        return [first, second]
    phrases = [term for term in scores if " " in term and first in term.split()]
    usual = max(phrases, key=lambda term: (counts[term], term), default=first)
    return [usual if counts[usual] >= _USUAL * counts[first] else first]


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


def singular(word: str) -> str:
    """Singular of a lower-case English word, as far as its ending tells."""
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-3] + "y" if word.endswith("ies") and len(word) > 4 else word[:-1]
    return word


def _stems(term: str) -> frozenset[str]:
    return frozenset(_stem(word) for word in term.split())


def _stem(word: str) -> str:
    word = word.removesuffix("'s")
    for ending in ("ations", "ation", "ings", "ing", "ied", "ies", "ed", "es", "s", "y", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word


_SECOND = 0.25
"""Part of the first term's weight from which a second one belongs to the name."""
_COMMON = 0.12
"""Part of a group's texts that a second term must be in; a rarer one is a detail of a few."""
_USUAL = 0.15
"""Part of a word's texts from which the phrase that it stands in is said in its place."""
_WORDS = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_IDENTIFIER = re.compile(r"\S+@\S+|https?://\S+|[^\W\d_]*[-_#]?\d[\w-]*")
"""An address, or what has a digit in it: no word of a language."""
_INNER_CAPITAL = re.compile(r"(?<=[\w,] )[A-Z][^\W\d_]+")
"""A word with a capital that begins no sentence."""
_PERSON = re.compile(
    r"(?:\b(?:[Nn]ame is|[Dd]ear|[Hh]i|[Hh]ello|[Hh]ey|Mr\.?|Mrs\.?|Ms\.?|Dr\.?|[Rr]egards"
    r"|[Ww]ishes|[Tt]hanks|[Gg]reetings|[Cc]heers),?\s+|[.!?]\s+(?=[A-Z]\w+\s*$))"
    r"([A-Z][^\W\d_]+)(?: ([A-Z][^\W\d_]+))?"
)
"""A name after a salute, after a closing, or alone at the end."""
_PARTICLES = frozenset({"up", "out", "off", "down", "back"})
