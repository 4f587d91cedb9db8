"""Objects in a model's answer: JSON, and what models write where they mean JSON.

Read as meant are single quotes, Python's constants, keys and values without quotes, a comma before
a closing bracket, and line breaks inside quotes. Nothing is guessed: what cannot be read ends the
object there, and says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

MAX_ANSWER_CHARS = 200_000
MAX_DEPTH = 32
MAX_ATTEMPTS = 64


class Members(list[tuple[str, Any]]):
    """Keys and values of an object in their order; a key may stand there twice."""


class FoundObject(Struct, frozen=True):
    """An object in a text.

    Attributes
    ----------
    members
        Its keys and values; of one that is not whole, those before its fault.
    start, end
        Where it stands; one that is not whole goes on to the end of the text.
    rest
        What follows its fault; ``None`` where it is whole.
    """

    members: Members
    start: int
    end: int
    rest: str | None = None


def objects(text: str) -> list[FoundObject]:
    """The objects of a text, whatever prose or fences are around them.

    After an object that is not whole there is no other: what looks like one may be inside of it,
    such as what a judge quotes of the answer that it judges.
    """
    text = text[:MAX_ANSWER_CHARS]
    found = []
    position = text.find("{")
    for _ in range(MAX_ATTEMPTS):
        if position < 0:
            break
        one = _object_at(text, position)
        if one is not None:
            found.append(one)
            if one.rest is not None:
                break
        position = text.find("{", position + 1 if one is None else one.end)
    return found


def _object_at(text: str, start: int) -> FoundObject | None:
    """The object that begins there; ``None`` for a brace that begins none."""
    try:
        value, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        pass
    else:
        return FoundObject(value, start, end)
    if not _BEGINS.match(text, start):
        return None
    reader = _Reader(text)
    try:
        members, end = reader.members(start, 0)
    except _Fault as fault:
        return FoundObject(Members(reader.outer), start, len(text), text[fault.position :])
    return FoundObject(members, start, end)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(strict=False, parse_constant=_no_constant, object_pairs_hook=Members)
_BEGINS = re.compile(r"""\{\s*(?:["'}]|[A-Za-z_]\w*\s*:)""")
_SPACE = re.compile(r"\s*")
_QUOTED = {
    '"': re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL),
    "'": re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL),
}
_NAME = re.compile(r"[A-Za-z_]\w*")
_BARE = re.compile(r"""[^\s,\[\]{}"'][^,\[\]{}"'\n]*""")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_CONSTANTS = {"true": True, "false": False, "null": None, "none": None}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


class _Fault(Exception):  # noqa: N818 - never leaves this module
    """The object cannot be read on from the member that begins here."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


class _Reader:
    """Reads one object; what it has of the outermost one stays in ``outer`` after a fault."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.outer: list[tuple[str, Any]] = []

    def members(self, start: int, depth: int) -> tuple[Members, int]:
        """Members of the object that begins there, and where it ends."""
        made = self.outer if depth == 0 else []
        for place in self._places(start, "}", depth):
            key, position = self._key(place)
            position = self._skip(position)
            if not self._text.startswith(":", position):
                raise _Fault(place)
            value, self._at = self._value(self._skip(position + 1), depth)
            if not self._ends_whole(value):
                raise _Fault(place)
            made.append((key, value))
        return Members(made), self._at

    def _list(self, start: int, depth: int) -> tuple[list[Any], int]:
        made = []
        for place in self._places(start, "]", depth):
            value, self._at = self._value(place, depth)
            made.append(value)
        return made, self._at

    def _places(self, start: int, closing: str, depth: int) -> Iterator[int]:
        """Where each part begins; whoever reads it leaves its end in ``_at``."""
        if depth > MAX_DEPTH:
            raise _Fault(start)
        self._at = self._skip(start + 1)
        while not self._text.startswith(closing, self._at):
            yield self._at
            position = self._skip(self._at)
            if self._text.startswith(",", position):
                position = self._skip(position + 1)
            elif not self._text.startswith(closing, position):
                raise _Fault(position)
            self._at = position
        self._at += 1

    def _ends_whole(self, value: Any) -> bool:
        """Whether nothing but the end, a comma or a bracket follows: else the quotes are astray.

        A number at the very end of a text may have lost digits.
        """
        position = self._skip(self._at)
        if position == len(self._text):
            return isinstance(value, str) and self._text[self._at - 1] in "\"'"
        return self._text[position] in ",}]"

    def _key(self, place: int) -> tuple[str, int]:
        quote = self._text[place : place + 1]
        if quote in _QUOTED:
            return self._string(place, quote)
        name = _NAME.match(self._text, place)
        if name is None:
            raise _Fault(place)
        return name.group(), name.end()

    def _value(self, place: int, depth: int) -> tuple[Any, int]:
        begins = self._text[place : place + 1]
        if begins == "{":
            return self.members(place, depth + 1)
        if begins == "[":
            return self._list(place, depth + 1)
        if begins in _QUOTED:
            return self._string(place, begins)
        bare = _BARE.match(self._text, place)
        if bare is None:
            raise _Fault(place)
        said = bare.group().rstrip()
        if said.casefold() in _CONSTANTS:
            return _CONSTANTS[said.casefold()], bare.end()
        return (float(said) if _NUMBER.fullmatch(said) else said), bare.end()

    def _string(self, place: int, quote: str) -> tuple[str, int]:
        match = _QUOTED[quote].match(self._text, place)
        if match is None:
            raise _Fault(place)
        return _ESCAPE.sub(_unescaped, match.group(1)), match.end()

    def _skip(self, position: int) -> int:
        match = _SPACE.match(self._text, position)
        assert match is not None  # noqa: S101 - nothing matches everywhere
        return match.end()


def _unescaped(match: re.Match[str]) -> str:
    said = match.group(1)
    if len(said) > 1:
        return chr(int(said[1:], 16))
    if said in _ESCAPED:
        return _ESCAPED[said]
    return said if said in "\"'\\/" else match.group()


def as_dicts(text: str) -> list[dict[str, Any]]:
    """The whole objects of a text as plain values; of a key that stands twice, the last counts."""
    return [_plain(one.members) for one in objects(text) if one.rest is None]


def _plain(value: Any) -> Any:
    if isinstance(value, Members):
        return {key: _plain(inner) for key, inner in value}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value
