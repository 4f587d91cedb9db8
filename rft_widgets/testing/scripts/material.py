"""What a request is about: its marked blocks of data, and the JSON that it brings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from rft_widgets.testing.chat import ChatRequest

_BLOCK = re.compile(
    r"<(\w+-[\w-]+|answer|conversation|output|question|reference|response)>(.*?)</\1>", re.DOTALL
)
_WORD = re.compile(r"\w\w+")
_DECODER = json.JSONDecoder(strict=False)
_TITLE_CHARS = 200
COMMON = frozenset({
    "a", "about", "after", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be",
    "been", "before", "but", "by", "can", "could", "did", "do", "does", "for", "from",
    "get", "had", "has", "have", "he", "help", "her", "here", "him", "his", "how", "i",
    "if", "in", "into", "is", "it", "its", "just", "like", "me", "my", "no", "not", "now",
    "of", "on", "one", "or", "our", "out", "over", "please", "she", "should", "so", "some",
    "than", "thanks", "that", "the", "their", "them", "then", "there", "they", "this", "to",
    "too", "up", "us", "was", "we", "were", "what", "when", "where", "which", "who", "why",
    "will", "with", "would", "you", "your",
})  # fmt: skip


class Block(Struct, frozen=True):
    """Text between marks, with the line that stands before it."""

    title: str
    text: str


def blocks(text: str) -> list[Block]:
    """Marked blocks of a text, in order; what is marked within one is part of it."""
    found = []
    for match in _BLOCK.finditer(text):
        before = text[max(0, match.start() - _TITLE_CHARS) : match.start()].rstrip()
        found.append(Block(before.rpartition("\n")[2].strip("#*: "), match[2].strip()))
    return found


def data_of(request: ChatRequest) -> dict[str, Any]:
    """The JSON object that a request brings as its material; empty if there is none."""
    text = request.question
    position = text.find("{")
    while position >= 0:
        try:
            value, _ = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError):
            position = text.find("{", position + 1)
            continue
        return value if isinstance(value, dict) else {}
    return {}


def words(text: str) -> list[str]:
    """The words of a text that say something, in lower case."""
    found = _WORD.findall(text.casefold())
    return [word for word in found if word not in COMMON and not word.isdigit()]


def texts_in(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_in(inner)


def items_of(schema: dict[str, Any] | None) -> tuple[str, dict[str, Any]] | None:
    """Name of the list of objects that a schema asks for, and the properties of its objects."""
    properties = schema.get("properties") if schema else None
    if not isinstance(properties, dict):
        return None
    for name, about in properties.items():
        items = about.get("items") if isinstance(about, dict) else None
        inner = items.get("properties") if isinstance(items, dict) else None
        if isinstance(inner, dict):
            return name, inner
    return None


def kind_of(schema: Any) -> str:
    """The type that a property has."""
    kind = schema.get("type") if isinstance(schema, dict) else None
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), None)
    return str(kind)
