"""What of a recorded answer belongs to the conversation it was given in.

What an answer took from its own conversation is a slot: a value of a tool result, a day in any of
the usual spellings, an order number, a mail address, an argument of a tool call. In another
conversation a slot is filled from the same key, or with what has the same form; a small number
("2" of "Skarn 2") stands for itself, and has to occur there as well. An answer whose slots cannot
all be filled is not given. Numbers that the answer did not take from its conversation stay: "30
days" is a fact of the shop.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec
from msgspec import Struct

from rft_widgets.model.message import Message
from rft_widgets.trainers.local.conversation import (
    TOKEN,
    Conversation,
    as_date,
    is_identifier,
    long_runs,
    normal,
    shape,
    tokens_of,
    whole_words,
)


class ByKey(Struct, frozen=True):
    """Filled with the value of a tool result, spelled the same way."""

    paths: tuple[str, ...]
    spelling: int | None
    """Which of the spellings of a day; ``None`` for the value as it is."""
    value: str


class ByForm(Struct, frozen=True):
    """Filled with the ``rank``-th latest token of the same form."""

    form: str
    rank: int
    value: str


class ByName(Struct, frozen=True):
    """Filled with the latest known value of a tool's argument, such as a product."""

    argument: str
    value: str


class Same(Struct, frozen=True):
    """Not filled: the new conversation has to hold the value, too."""

    value: str


Slot = ByKey | ByForm | ByName | Same
Pieces = tuple[str | Slot, ...]


class NumberSlot(Struct, frozen=True):
    """A JSON number that is a slot."""

    pieces: Pieces


class Names:
    """Values that arguments of tools are known to take from conversations, by the argument.

    Parameters
    ----------
    known
        For each argument name its values, in any order.
    """

    def __init__(self, known: Mapping[str, Iterable[str]]) -> None:
        self.known = {name: sorted(set(values)) for name, values in sorted(known.items())}
        # Of two names in one place the longer one is meant.
        self._patterns = {
            name: re.compile(
                "|".join(
                    whole_words(value).pattern
                    if len(value) < 3  # "S" is a size, "s" is not
                    else f"(?i:{whole_words(value).pattern})"
                    for value in sorted(values, key=lambda value: (-len(value), value))
                )
            )
            for name, values in self.known.items()
            if values
        }

    def find(self, argument: str, conversation: Conversation) -> str | None:
        """The value that the latest text with any of them holds, as it is known."""
        pattern = self._patterns.get(argument)
        if pattern is None:
            return None
        for text in conversation.texts:
            found = [match.group() for match in pattern.finditer(text)]
            if found:
                said = found[-1].casefold()
                values = self.known[argument]
                return next((value for value in values if value.casefold() == said), found[-1])
        return None


class Template(Struct, frozen=True):
    """An answer with its slots: of the text, and of each argument of its tool calls by path."""

    message: Message
    text: Pieces
    arguments: tuple[Any, ...]
    """One JSON value a call, with pieces in the place of its texts."""
    slots: int


def make_template(answer: Message, own: Conversation, names: Names) -> Template | None:
    """Find the slots of an answer.

    Parameters
    ----------
    answer
        The recorded answer.
    own
        The conversation that it answers.
    names
        What arguments of tools are known to be.

    Returns
    -------
    The template; ``None`` for an answer that can be given to nobody else: one whose tool call
    names something identifiable that its own conversation does not hold, or that speaks of its
    customer by name.
    """
    text = answer.text if answer.content is not None else None
    finders = _result_finders(own)
    arguments: list[Any] = []
    for call in answer.tool_calls:
        if call.function is None:
            return None
        value = parsed(call.function.arguments)
        made = _template_value(value, "", own, names, finders)
        if made is None:
            return None
        arguments.append(made[0])
        # What a call is about is also spoken of: "I'll check our stock of the Gale jacket".
        finders += [(slot.value, slot) for slot in _named(made[0])]
    pieces: Pieces = ()
    if text is not None:
        text = without_salutation(text)
        if any(whole_words(name).search(text) for name in own.names):
            return None
        pieces = _pieces(text, own, finders)
    slots = sum(not isinstance(piece, str) for piece in pieces) + sum(
        1 for value in arguments for _ in _slots(value)
    )
    return Template(answer, pieces, tuple(arguments), slots)


def known_names(pairs: Iterable[tuple[Message, Conversation]]) -> Names:
    """Collect what tools are called with, where it was taken from the conversation.

    Identifiers are left out: they are found by their form.

    Parameters
    ----------
    pairs
        Answers, and the conversations they answer.
    """
    known: dict[str, set[str]] = {}
    for answer, own in pairs:
        for call in answer.tool_calls:
            value = parsed(call.function.arguments) if call.function else None
            for path, inner in _texts(value, ""):
                if inner.strip() and not is_identifier(inner) and own.holds(inner):
                    known.setdefault(path, set()).add(inner)
    return Names(known)


def without_salutation(text: str) -> str:
    """Text without the name of whom it greets: ``Dear Sofia,`` becomes ``Hello,``."""

    def greeting(match: re.Match[str]) -> str:
        word = "Hello" if match["word"] == "Dear" else match["word"]
        return f"{word}{match['end']}"

    return _SALUTATION.sub(greeting, text, count=1)


# Finding slots ------------------------------------------------------------------------------------

_Finder = tuple[str, Slot]


def _result_finders(own: Conversation) -> list[_Finder]:
    """What to look for in a text: each value of a tool result that is worth a slot."""
    paths: dict[str, list[str]] = {}
    for path, value in own.results.items():
        text = str(value)
        # A single small word is a state ("shipped"), not somebody's.
        if text and not (text.isalpha() and text.islower()):
            paths.setdefault(text, []).append(path)
    found: list[_Finder] = []
    for text, places in paths.items():
        ordered = tuple(sorted(places, key=lambda path: _list_length(path, own.results)))
        found.append((text, ByKey(ordered, None, text)))
        day = as_date(text)
        if day is not None:
            found += [
                (spelled, ByKey(ordered, number, spelled))
                for number, spelled in enumerate(spellings(day))
            ]
    return found


def _list_length(path: str, results: Mapping[str, Any]) -> int:
    """Values in the list that a path leads into: the shorter one says more about its values."""
    parent, _, leaf = path.rpartition(".")
    if not leaf.isdigit():
        return 0
    return sum(other.rpartition(".")[0] == parent for other in results)


def _pieces(text: str, own: Conversation, finders: Sequence[_Finder]) -> Pieces:
    """Cut a text at its slots, the longest ones first."""
    pieces: list[str | Slot] = [text]
    for value, slot in sorted(finders, key=lambda found: -len(found[0])):
        if value not in text:
            continue
        pattern = whole_words(value)
        pieces = [part for piece in pieces for part in _cut(piece, pattern, lambda _, s=slot: s)]  # type: ignore[misc]

    def token_slot(token: str) -> Slot | None:
        return _token_slot(token, own)

    return tuple(part for piece in pieces for part in _cut(piece, TOKEN, token_slot))


def _cut(
    piece: str | Slot, pattern: re.Pattern[str], slot_of: Callable[[str], Slot | None]
) -> list[str | Slot]:
    if not isinstance(piece, str):
        return [piece]
    parts: list[str | Slot] = []
    start = 0
    for match in pattern.finditer(piece):
        slot = slot_of(match.group())
        if slot is not None:
            parts += [piece[start : match.start()], slot]
            start = match.end()
    return [part for part in [*parts, piece[start:]] if part]


def _token_slot(token: str, own: Conversation) -> Slot | None:
    if not tokens_of(token):
        return None
    if not is_identifier(token):
        return Same(token) if normal(token) in own.normal_tokens else None
    runs = long_runs(token)
    if normal(token) not in own.normal_tokens and not own.digit_runs.intersection(runs):
        return None
    alike = [other for other in own.tokens if shape(other) == shape(token)]
    ranks = [rank for rank, other in enumerate(alike) if normal(other) == normal(token)]
    return ByForm(shape(token), ranks[0] if ranks else 0, token)


def _template_value(
    value: Any, path: str, own: Conversation, names: Names, finders: Sequence[_Finder]
) -> tuple[Any] | None:
    """A JSON value with its texts replaced by pieces, in a tuple; ``None`` if it is bound."""
    if isinstance(value, dict):
        made = {k: _template_value(v, _at(path, k), own, names, finders) for k, v in value.items()}
        if any(inner is None for inner in made.values()):
            return None
        return ({key: inner[0] for key, inner in made.items() if inner is not None},)
    if isinstance(value, list):
        listed = [_template_value(inner, path, own, names, finders) for inner in value]
        if any(inner is None for inner in listed):
            return None
        return ([inner[0] for inner in listed if inner is not None],)
    if isinstance(value, bool) or value is None:
        return (value,)
    if isinstance(value, (int, float)):
        pieces = _pieces(str(value), own, finders)
        if any(isinstance(piece, str) and is_identifier(piece) for piece in pieces):
            return None
        fixed = all(isinstance(piece, str) for piece in pieces)
        return (value if fixed else NumberSlot(pieces),)
    return _template_text(value, path, own, names, finders)


def _template_text(
    value: str, path: str, own: Conversation, names: Names, finders: Sequence[_Finder]
) -> tuple[Pieces] | None:
    for text, slot in finders:
        if text == value:
            return ((slot,),)
    if value in names.known.get(path, ()) and own.holds(value):
        return ((ByName(path, value),),)
    pieces = _pieces(value, own, finders)
    loose = " ".join(piece for piece in pieces if isinstance(piece, str))
    # Whose number is it? Nobody's in this conversation: it was made up, or is another customer's.
    return None if any(is_identifier(token) for token in tokens_of(loose)) else (pieces,)


def _slots(value: Any) -> Iterable[Slot]:
    if isinstance(value, NumberSlot):
        value = value.pieces
    if isinstance(value, tuple):
        yield from (piece for piece in value if not isinstance(piece, str))
    elif isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _slots(inner)


def _named(value: Any) -> list[ByName]:
    return [slot for slot in _slots(value) if isinstance(slot, ByName)]


def _texts(value: Any, path: str) -> Iterable[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, _at(path, key))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, path)


def _at(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def parsed(text: str) -> Any:
    """The JSON value of a text, or the text itself where it is none."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeEncodeError):
        return text  # not JSON: a text like any other


def spellings(day: date) -> list[str]:
    """A day as answers write it. English months, and the numeric forms that put the day first."""
    month, short = _MONTHS[day.month - 1], _MONTHS[day.month - 1][:3]
    number, year = day.day, day.year
    ordinal = f"{number}{_ORDINALS.get(number, 'th')}"
    return [
        f"{number} {month} {year}", f"{month} {number}, {year}", f"{ordinal} {month} {year}",
        f"{number} {month}", f"{month} {number}", f"{ordinal} {month}", f"{month} {ordinal}",
        f"{ordinal} of {month}", f"{number} {short}", f"{short} {number}",
        f"{number:02}.{day.month:02}.{year}", f"{number:02}/{day.month:02}/{year}",
        f"{number}.{day.month}.{year}", f"{number:02}.{day.month:02}", day.isoformat(),
    ]  # fmt: skip


_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_ORDINALS = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}
_SALUTATION = re.compile(
    r"\A(?P<word>Dear|Hello|Hi|Hey|Good (?:morning|day|afternoon|evening)|Hallo|Bonjour|Hola|Ciao)"
    r",? (?:[A-Z][\w'-]+\.? ?){1,3}(?P<end>[,!.])"
)
