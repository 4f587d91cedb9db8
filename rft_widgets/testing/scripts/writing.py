"""New messages of users, put together from the examples, keywords and descriptions of a request.

The schema asks for a list of objects that hold a user's message, and where tools are given perhaps
the calls and the answer that follow.
"""

from __future__ import annotations

import json
import random
import re
from typing import Any

from rft_widgets.testing.chat import ChatRequest, Said
from rft_widgets.testing.schema_values import filled
from rft_widgets.testing.scripts.material import (
    COMMON,
    data_of,
    items_of,
    kind_of,
    texts_in,
    words,
)

_MESSAGES = ("message", "prompt", "question", "user_message", "text", "query")
_COUNT = re.compile(
    r"\b(\d{1,3}) (?:\w+ )?(?:candidates|different|items|messages|objects|prompts)\b"
)
_LENGTH = re.compile(r"\b(\d{1,6}) to (\d{1,6}) characters\b")
_DEFAULT_COUNT = 3
_SHARE_HEARD = 0.8
_FEW_TERMS = 3

_OPENINGS = (
    "Hi,", "Hello there,", "Good morning,", "Hey,", "Sorry to bother you again.", "Quick one:",
    "I am new here.", "Writing from my phone, so briefly:", "Second attempt, the first got lost.",
    "My partner asked me to find out:", "For our office in {place}:", "Not urgent, but",
    "I have been waiting since {day}.", "This is about last {day}.", "Before I decide:",
)  # fmt: skip
_ASKING = (
    "what can I do about {first}?", "could you explain {first} to me?",
    "how does {first} work together with {second}?", "I need {first} sorted out by {day}.",
    "is there anything to know about {first} when {second} is involved?",
    "who takes care of {first}?", "why is {first} different from what I was told about {second}?",
    "please check {first} for me.", "can {first} still be changed?",
    "I did not get anywhere with {first} and {second}.",
)  # fmt: skip
_DETAILS = (
    "The number is {number}.", "It has been {n} days now.", "I live in {place}.",
    "{name} told me something else.", "It says {number} on the paper here.",
    "I tried it {n} times.", "We are {n} people.", "It has to be done before {day}.",
    "I would rather do it in {place}.", "You can reach me as {name} under {number}.",
)  # fmt: skip
_CLOSINGS = (
    "Thanks!",
    "Thank you, {name}",
    "Regards, {name}",
    "Any help is welcome.",
    "Cheers",
    "",
)
_PLACES = (
    "Bergen",
    "Cork",
    "Graz",
    "Lyon",
    "Porto",
    "Turku",
    "Utrecht",
    "Gdańsk",
    "Leeds",
    "Basel",
)
_NAMES = ("Ada", "Bo", "Chidi", "Dana", "Elif", "Farah", "Goran", "Hana", "Ines", "Jonas", "Kaya")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def writer(request: ChatRequest) -> Said:
    """As many messages as were asked for."""
    wanted = items_of(request.schema)
    if wanted is None:
        return None
    listed, properties = wanted
    field = next((name for name in _MESSAGES if kind_of(properties.get(name)) == "string"), None)
    if field is None:
        return None
    data = data_of(request)
    chance = request.chance
    least, most = _length(request.instructions)
    tools = [tool for tool in data.get("tools") or () if isinstance(tool, dict)]
    hidden = {str(tool.get("name")).casefold() for tool in tools}
    terms = _terms(data, hidden)
    heard = _heard(data)
    made = []
    for _ in range(_count(request)):
        one: dict[str, Any] = {field: _message(chance, terms, heard, least, most)}
        for name, schema in properties.items():
            if name != field:
                one[name] = _beside(name, schema, tools, terms, request)
        made.append(one)
    return {listed: made}


def _message(
    chance: random.Random, terms: list[str], heard: list[str], least: int, most: int
) -> str:
    """A message: an opening, what is wanted, details and an end, in the words of the topic."""
    first, second = chance.sample(terms, 2) if len(terms) > 1 else (terms * 2)[:2]
    slots = {
        "first": first, "second": second, "place": chance.choice(_PLACES),
        "name": chance.choice(_NAMES), "day": chance.choice(_DAYS),
        "n": chance.randint(2, 14), "number": chance.randint(10_000, 99_999),
    }  # fmt: skip
    wish = chance.choice(_ASKING)
    if heard and chance.random() < _SHARE_HEARD:
        wish = _changed(chance.choice(heard), chance)
    parts = [chance.choice(_OPENINGS), wish, chance.choice(_DETAILS), chance.choice(_CLOSINGS)]
    text = _joined([_filled(part, slots) for part in parts])
    while len(text) < least:
        text = _joined([text, _filled(chance.choice(_DETAILS), slots)])
    return text[:most].rstrip()


def _terms(data: dict[str, Any], hidden: set[str]) -> list[str]:
    """What the messages are about: keywords of the topic, its name, words of what is described."""
    topic = data.get("topic")
    about = topic if isinstance(topic, dict) else {"name": topic}
    found = [one for one in about.get("keywords") or () if isinstance(one, str)]
    name = str(about.get("name") or "").rpartition("/")[2]
    found += [name.casefold()] if name else []
    described = [str(data.get("scenario") or "")]
    described += [text for tool in data.get("tools") or () for text in _descriptions(tool)]
    if len(found) < _FEW_TERMS:
        described.append(str(about.get("description") or ""))
    found += [word for text in described for word in words(text) if len(word) > 4][:12]
    kept = [one for one in found if not any(name in one.casefold() for name in hidden)]
    return list(dict.fromkeys(kept)) or ["this"]


def _heard(data: dict[str, Any]) -> list[str]:
    """What users say in the conversations of the material: the last sentences of each message."""
    found = []
    waiting: list[Any] = list(data.values())
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            if value.get("role") == "user":
                sentences = re.split(r"(?<=[.?!])\s+", " ".join(texts_in(value.get("content"))))
                found += [one for one in sentences if 15 <= len(one) <= 200]
            waiting += [inner for inner in value.values() if isinstance(inner, (list, dict))]
    return sorted(set(found))


def _changed(sentence: str, chance: random.Random) -> str:
    """A sentence with other numbers and other small words, as somebody else would say it."""

    def other(match: re.Match[str]) -> str:
        return "".join(str(chance.randint(1, 9)) if c.isdigit() else c for c in match[0])

    said = re.sub(r"\d[\d.,-]*", other, sentence)
    for pattern, instead in chance.sample(_SWAPS, 4):
        said = re.sub(pattern, instead, said, count=1, flags=re.IGNORECASE)
    return said


_SWAPS = (
    (r"\bcan you\b", "could somebody"), (r"\bcould you\b", "would it be possible for you to"),
    (r"\bI want\b", "I would like"), (r"\bI need\b", "what I am after is"),
    (r"\bhow do I\b", "what is the way to"), (r"\bplease\b", "kindly"), (r"\bmy\b", "our"),
    (r"\bwhen\b", "on which day"), (r"\bI am\b", "we are"), (r"\bnot\b", "still not"),
)  # fmt: skip


def _beside(
    name: str, schema: Any, tools: list[dict[str, Any]], terms: list[str], request: ChatRequest
) -> Any:
    """Another field of a candidate: calls of the tools in their order, an answer, or what fits."""
    items = schema.get("items") if isinstance(schema, dict) else None
    inner = items.get("properties") if isinstance(items, dict) else None
    if tools and isinstance(inner, dict):
        return [
            {key: _of_call(key, inner[key], tool, terms, request) for key in inner}
            for tool in tools
        ]
    if name in ("answer", "reply", "response"):
        done = ", then ".join(" ".join(words(text)[:4]) for tool in tools
                              for text in _descriptions(tool)[:1]) or "it"  # fmt: skip
        return f"I have looked into {done}. The number is {request.chance.randint(100, 999)}."
    return filled(schema, request, terms)


def _of_call(
    key: str, schema: Any, tool: dict[str, Any], terms: list[str], request: ChatRequest
) -> Any:
    if key in ("tool", "name", "function"):
        return str(tool.get("name"))
    if key in ("arguments", "parameters", "input"):
        parameters = tool.get("parameters")
        made = filled(parameters, request, terms) if isinstance(parameters, dict) else {}
        return json.dumps(made) if kind_of(schema) == "string" else made
    number = request.chance.randint(100, 999)
    return json.dumps({"status": "ok", "number": number})


def _descriptions(tool: Any) -> list[str]:
    about = tool.get("description") if isinstance(tool, dict) else None
    return [about] if isinstance(about, str) else []


def _count(request: ChatRequest) -> int:
    found = _COUNT.search(request.instructions)
    return int(found[1]) if found else _DEFAULT_COUNT


def _length(text: str) -> tuple[int, int]:
    found = _LENGTH.search(text)
    return (int(found[1]), int(found[2])) if found else (1, 2_000)


def _filled(text: str, slots: dict[str, Any]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: str(slots.get(match[1], match[0])), text)


def _joined(parts: list[str]) -> str:
    """Parts as one text: each begins a sentence unless a comma or colon stands before it."""
    text = ""
    for part in parts:
        if not part:
            continue
        first, rest = part[:1], part[1:]
        if not text or text[-1] in ".?!":
            first = first.upper()
        elif part.partition(" ")[0].casefold() in COMMON - {"i"}:
            first = first.lower()
        text += (" " if text else "") + first + rest
    return text
