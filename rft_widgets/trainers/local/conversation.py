"""What a conversation holds that belongs to it alone, and the state that it is in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import msgspec
from msgspec import Struct

from rft_widgets.model.message import Message
from rft_widgets.model.record import RecordInput

LONG_DIGITS = 4
"""Digits from which a token names something (an order, a customer) instead of counting it."""


class Conversation(Struct, frozen=True, kw_only=True):
    """Values of a prompt by where they stand, the latest first.

    ``texts`` are those of its messages, users' before all others. ``results`` holds the values of
    tool results by their path in the JSON (``items.0``), as they are there. ``tokens`` are the
    words with a digit or an ``@``. ``names`` are what users signed with.
    """

    texts: tuple[str, ...]
    results: dict[str, str | int | float]
    tokens: tuple[str, ...]
    normal_tokens: frozenset[str]
    digit_runs: frozenset[str]
    names: frozenset[str]
    words: frozenset[str]

    def holds(self, value: str) -> bool:
        """Whether a value stands in any text as whole words, without regard to case."""
        found = whole_words(value, ignore_case=True)
        return any(found.search(text) for text in self.texts)


def read_conversation(messages: Sequence[Message]) -> Conversation:
    """Read what is in the messages of a prompt."""
    latest = list(reversed(messages))
    users = [message.text for message in latest if message.role == "user"]
    others = [_text(message) for message in latest if message.role != "user"]
    texts = [text for text in users + others if text]
    results: dict[str, str | int | float] = {}
    for message in latest:
        if message.role == "tool":
            for path, value in _leaves(_json(message.text)):
                results.setdefault(path, value)
    tokens = tuple(dict.fromkeys(token for text in texts for token in reversed(tokens_of(text))))
    return Conversation(
        texts=tuple(texts),
        results=results,
        tokens=tokens,
        normal_tokens=frozenset(normal(token) for token in tokens),
        digit_runs=frozenset(run for token in tokens for run in long_runs(token)),
        names=frozenset(name for text in users for name in _SIGNED.findall(text)),
        words=frozenset(words_of(" ".join(texts))),
    )


def tokens_of(text: str) -> list[str]:
    """Words of a text that carry a digit or an ``@``, in order."""
    return [match.group() for match in TOKEN.finditer(text) if _TELLING.search(match.group())]


def normal(token: str) -> str:
    """A token without case and separators, so that ``lf 48213`` and ``LF-48213`` are one."""
    return re.sub(r"[^\w@]|_", "", token.casefold())


def shape(token: str) -> str:
    """Form of a token: what it is an instance of, ``lf-9`` for ``LF-48213``, ``@`` for a mail.

    Letters stay: an order number never takes the place of a return number.
    """
    return "@" if "@" in token else re.sub(r"\d+", "9", token.casefold())


def is_identifier(token: str) -> bool:
    """Whether a token names something: a mail address, or one of four digits or more."""
    return "@" in token or sum(char.isdigit() for char in token) >= LONG_DIGITS


def long_runs(token: str) -> list[str]:
    """Runs of four digits or more in a token."""
    return [run for run in re.findall(r"\d+", token) if len(run) >= LONG_DIGITS]


def words_of(text: str) -> list[str]:
    """Words of four letters or more, without case."""
    return re.findall(r"[^\W\d_]{4,}", text.casefold())


def whole_words(value: str, *, ignore_case: bool = False) -> re.Pattern[str]:
    """Pattern of a value that does not stand inside a longer word or number."""
    # "4" is not in "4.5", but is in "4." at the end of a sentence.
    return re.compile(
        rf"(?<![\w@])(?<!\d[.,]){re.escape(value)}(?![\w@]|[.,]\d)",
        re.IGNORECASE if ignore_case else 0,
    )


def as_date(value: Any) -> date | None:
    """The day of an ISO date or moment; ``None`` for anything else."""
    if not isinstance(value, str) or not _ISO_DATE.match(value):
        return None
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        return None


def state_of(record_input: RecordInput) -> frozenset[str]:
    """The state a prompt is in, as a set of marks that similar situations share.

    Whose turn it was last, which tool gave the last result and what the result says in its keys
    and its one-word values (``status=delayed``), and whether tools are offered.
    """
    messages = record_input.messages
    marks = {f"offers:{tool.function.name}" for tool in record_input.tools if tool.function}
    if not messages:
        return frozenset(marks)
    last = messages[-1]
    marks |= {f"last:{last.role}", f"last:{last.role}!"}  # weighs more than each offered tool
    if last.role != "tool":
        return frozenset(marks)
    marks.add(f"result:{_tool_name(messages)}")
    for path, value in _leaves(_json(last.text)):
        if path.rpartition(".")[2].isdigit():
            continue  # how long a list is says little
        marks.add(f"key:{path}")
        if isinstance(value, str):
            if value.isalpha() and value.islower():
                marks.add(f"value:{path}={value}")
        else:
            marks.add(f"value:{path}={'some' if value else 'none'}")
    return frozenset(marks)


def _tool_name(messages: Sequence[Message]) -> str:
    last = messages[-1]
    for message in messages:
        for call in message.tool_calls:
            if call.id == last.tool_call_id and call.function is not None:
                return call.function.name
    return last.name or ""


def _text(message: Message) -> str:
    calls = [call.function.arguments for call in message.tool_calls if call.function]
    return "\n".join(filter(None, [message.text, *calls]))


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeEncodeError):
        return None


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str | int | float]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _leaves(inner, f"{path}.{place}" if path else str(place))
    elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
        yield path, value


TOKEN = re.compile(r"\w(?:(?:[@+#/-]|\.(?=[a-z0-9])|(?<=\d),(?=\d))*\w)*")
_TELLING = re.compile(r"[\d@]")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?!\d)")
_SIGNED = re.compile(r"(?:[\n,.!?] ?)([A-Z][a-zà-ÿ'-]+)\s*$")
