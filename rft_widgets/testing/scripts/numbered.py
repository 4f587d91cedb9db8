"""Answers about numbered things: which of the listed options fits each, or what to call it.

The request brings JSON with lists of objects that have a ``number``; the schema asks for a list of
objects with that number. Where a field is called as one of the lists (``topic`` of ``topics``), it
is the number of an option.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from rft_widgets.testing.chat import ChatRequest, Said
from rft_widgets.testing.schema_values import filled
from rft_widgets.testing.scripts.material import data_of, items_of, kind_of, texts_in, words

_NAMES = ("name", "title", "label")
_SENTENCES = ("description", "summary", "about", "definition")

_Item = dict[str, Any]


def numbered(request: ChatRequest) -> Said:
    """An object for each numbered thing of the request."""
    wanted = items_of(request.schema)
    if wanted is None or kind_of(wanted[1].get("number")) != "integer":
        return None
    answer, properties = wanted
    data = data_of(request)
    lists = {name: found for name, value in data.items() if (found := _numbered(value))}
    if not lists:
        return None
    chosen = next((name for name in lists if _field_of(name, properties)), None)
    if chosen is not None and len(lists) > 1:
        asked = next(name for name in lists if name != chosen)
        field = _field_of(chosen, properties)
        return {answer: _decided(lists[asked], lists[chosen], field, properties)}
    asked = next(iter(lists))
    taken = {str(one).casefold() for one in data.get("taken") or ()}
    return {answer: [_named(one, properties, taken, request) for one in lists[asked]]}


def _decided(
    items: list[_Item], options: list[_Item], field: str, properties: dict[str, Any]
) -> list[_Item]:
    """For each item the option that shares most with it; words that few options have count more."""
    bags = [Counter(_stems(option)) for option in options]
    spread = Counter(word for bag in bags for word in bag)
    weight = {word: math.log(1 + len(options) / count) for word, count in spread.items()}
    found = []
    for item in items:
        has = set(_stems(item))
        worth = [
            sum(weight[word] for word in has & bag.keys()) / math.sqrt(1 + len(bag)) for bag in bags
        ]
        ranked = sorted(range(len(options)), key=lambda i: (-worth[i], i))
        best, second = ranked[0], ranked[min(1, len(ranked) - 1)]
        total = sum(worth)
        made: _Item = {"number": item["number"]}
        for name, schema in properties.items():
            kind = kind_of(schema)
            if name == field:
                made[name] = options[best]["number"] if total else 0
            elif kind == "integer" and name != "number":
                made[name] = options[second]["number"] if second != best and worth[second] else 0
            elif kind == "number":
                made[name] = round(0.3 + 0.65 * worth[best] / total, 2) if total else 0.2
            elif kind == "string":
                made[name] = "Scripted, no model: by shared words."
        found.append(made)
    return found


def _named(item: _Item, properties: dict[str, Any], taken: set[str], request: ChatRequest) -> _Item:
    """A name, a sentence and keywords from the words that come with a thing, or from its texts."""
    given = next((value for value in item.values() if _are_words(value)), None)
    texts = [text.casefold() for text in texts_in(item) if text not in (given or ())]
    if given is None:
        counts = Counter(word for text in texts for word in words(text))
        given = [word for word, _ in counts.most_common(8)]
    # What more of the texts say comes first.
    given = sorted(given, key=lambda one: -sum(one.casefold() in text for text in texts))
    title = _title(given, taken)
    taken.add(title.casefold())
    made: _Item = {"number": item["number"]}
    for name, schema in properties.items():
        if name in _NAMES:
            made[name] = title
        elif name in _SENTENCES:
            made[name] = f"Messages about {_listed(given[:3])}."
        elif kind_of(schema) == "array":
            made[name] = given[:6]
        elif name != "number":
            made[name] = filled(schema, request)
    return made


def _title(given: list[str], taken: set[str]) -> str:
    """The first two words or phrases as a title; others where that name is taken."""
    titles = [one.title() for one in given] or ["Things"]
    for start in range(len(titles)):
        title = " & ".join(titles[start : start + 2])
        if title.casefold() not in taken:
            return title
    return f"{titles[0]} {len(taken) + 1}"


def _field_of(listed: str, properties: dict[str, Any]) -> str:
    """The field that says a number of a list: ``topic`` of ``topics``."""
    for name, schema in properties.items():
        if kind_of(schema) == "integer" and listed in (f"{name}s", f"{name}es", name):
            return name
    return ""


def _numbered(value: Any) -> list[_Item]:
    found = value if isinstance(value, list) else []
    are = all(isinstance(one, dict) and isinstance(one.get("number"), int) for one in found)
    return found if are else []


def _are_words(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, str) and len(one) <= 40 for one in value)
    )


def _stems(value: Any) -> list[str]:
    return [word[:6] for text in texts_in(value) for word in words(text)]


def _listed(some: list[str]) -> str:
    return " and ".join([", ".join(some[:-1]), some[-1]]) if len(some) > 1 else "".join(some)
