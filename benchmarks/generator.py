"""Chat JSONL that looks like an application's traffic: seeded, streaming, the same everywhere.

Only `random.Random.random` and ``getrandbits`` are used, which give the same numbers on every
machine and version of Python. A shorter file is the beginning of a longer one.
"""

from __future__ import annotations

import json
import os
import random
import sys
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import vocabulary

VERSION = 1
"""Grows whenever the lines change, so that files from before are not used again."""
SEED = 20_250_101

INVALID_SHARE = 0.0095
"""Records that break a rule of validation (0..1)."""
REFUSED_SHARE = 0.0005
"""Lines that hold no record at all (0..1)."""
DUPLICATE_SHARE = 0.005
"""Lines that repeat one of the 500 before, byte for byte (0..1)."""

_WORDS = 45_000
_TABLE_BITS = 20
_TOPIC_BITS = 12
_TOPIC_CUT = int(2**32 * 0.82)  # of the words, 18 % come from the topic's own
_RECENT = 500

_SYSTEM = (
    "You are the support assistant of {name}. Answer in the language of the customer, be brief "
    "and friendly, and never promise what the policy below does not allow.\n\nPolicy:\n- Refunds "
    "within 30 days of purchase.\n- Escalate anything about safety to a person.\n- Ask for the "
    "order number before you look anything up.",
    "You are a careful expert in {topic}. Think step by step, state your assumptions, and end with "
    "a short summary in one sentence.",
    "You help the staff of {name} to write and to understand texts about {topic}. Keep the facts, "
    "keep names and numbers, and mark what you are unsure of with (?).",
    'Answer in JSON with the keys "answer" and "confidence" (0 to 1). Product: {name}. '
    "Domain: {topic}. If you do not know, set confidence to 0.",
)  # fmt: skip
_NAMES = ("Northwind", "Acme Travel", "Bluebird Bank", "Fennel & Co", "Orbital Parcel", "Lumen")
_OPENINGS = (
    "Hello, I need some help:", "Can you explain this to me?", "Quick question -", "Please help.",
    "I have tried twice already.", "My manager asked for this:", "Could you tell me", "Hi!",
)  # fmt: skip
_ANSWERS = (
    "Thank you for the details.", "Here is what I found:", "Certainly.", "I'm sorry to hear that.",
    "Good question!", "Let me go through it step by step.", "In short:", "Sure -",
)  # fmt: skip
_ENDS = (".", ".", ".", ".", ".", "?", "!", ":")
_GAPS = (" ", " ", " ", " ", " ", " ", "\n", "\n\n", "\n- ")
_LOCALES = ("en-GB", "en-US", "de-DE", "fr-FR", "pl-PL")
_TOOLS = (
    ("get_order", "Look up an order by its number.", "order_id", "status"),
    ("search_articles", "Find articles of the knowledge base.", "query", "articles"),
    ("run_query", "Run a read-only query and return its rows.", "statement", "rows"),
    ("get_weather", "Weather forecast of a place.", "place", "forecast"),
    ("create_ticket", "Open a ticket for a person to look at.", "subject", "ticket"),
    ("convert_currency", "Convert an amount at today's rate.", "amount", "converted"),
)


def lines(records: int, seed: int = SEED) -> Iterator[bytes]:
    """Give the lines of a file, without their line ends."""
    rng = random.Random(seed)
    writer = _Writer(rng)
    recent: list[bytes] = []
    encode = json.JSONEncoder(ensure_ascii=False).encode
    for number in range(records):
        fate = rng.random()
        if fate < DUPLICATE_SHARE and recent:
            yield recent[int(rng.random() * len(recent))]
            continue
        line = writer.line()
        fate -= DUPLICATE_SHARE
        if fate < INVALID_SHARE:
            _break(rng, line["messages"])
        elif fate < INVALID_SHARE + REFUSED_SHARE:
            yield _refused(rng, encode(line).encode(), number)
            continue
        text = encode(line).encode()
        if fate >= INVALID_SHARE:
            if len(recent) < _RECENT:
                recent.append(text)
            else:
                recent[number % _RECENT] = text
        yield text


def cached(
    folder: Path, records: int, seed: int = SEED, say: Callable[[str], None] = lambda _: None
) -> Path:
    """Path of the file of that many records, written now unless an earlier run left it there."""
    path = folder / f"chat-{records}-{seed}-v{VERSION}.jsonl"
    if path.exists():
        return path
    say(f"writing {path.name}")
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as file:
        file.writelines(line + b"\n" for line in lines(records, seed))
    part.replace(path)
    return path


class _Writer:
    """Makes one line after the other from one source of random numbers."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        words = vocabulary.make_words(rng, _WORDS)
        self._general = vocabulary.zipf_table(words, _TABLE_BITS)
        self._special = vocabulary.topic_tables(rng, words, _TOPIC_BITS)
        self._topics = list(vocabulary.TOPICS)

    def line(self) -> dict[str, Any]:
        """One chat line as a JSON object, valid."""
        rng = self._rng
        topic = self._topics[int(rng.random() * rng.random() * len(self._topics))]
        messages: list[dict[str, Any]] = []
        line: dict[str, Any] = {"messages": messages}
        if rng.random() < 0.8:
            template = _one(rng, _SYSTEM)
            text = template.format(name=_one(rng, _NAMES), topic=topic.replace("/", " and "))
            messages.append({"role": "system", "content": text})
        turns = (1, 1, 1, 1, 1, 1, 2, 2, 3, 4)[int(rng.random() * 10)]
        if rng.random() < 0.12:
            line["tools"] = self._call_tool(messages, topic)
            turns -= 1
        for _ in range(turns):
            question = self._prose(8 + int(rng.random() * rng.random() * 100), topic)
            messages.append({"role": "user", "content": f"{_one(rng, _OPENINGS)} {question}"})
            answer = self._prose(15 + int(rng.random() * 125), topic)
            messages.append({"role": "assistant", "content": f"{_one(rng, _ANSWERS)} {answer}"})
        if rng.random() < 0.12 and messages[-2]["role"] == "user":
            messages.pop()  # the answer was not recorded
        if rng.random() < 0.25:
            line["id"] = f"req_{rng.getrandbits(64):016x}"
        if rng.random() < 0.8:
            line["topic"] = topic
        if rng.random() < 0.4:
            line["metadata"] = self._metadata()
        if rng.random() < 0.1:
            line["reference"] = self._prose(12, topic)
        return line

    def _prose(self, count: int, topic: str) -> str:
        words = self._draw(count, topic)
        rng = self._rng
        parts: list[str] = []
        start = 0
        while start < count:
            dice = rng.getrandbits(12)
            end = start + 5 + (dice & 15)
            sentence = " ".join(words[start:end]).rstrip(",")
            ending = _ENDS[dice >> 4 & 7]
            gap = _GAPS[(dice >> 7) % 9]
            parts.append(f"{sentence[:1].upper()}{sentence[1:]}{ending}{gap}")
            start = end
        return "".join(parts).rstrip("\n -:.?!") + "."

    def _draw(self, count: int, topic: str) -> list[str]:
        numbers = array("I", self._rng.getrandbits(32 * count).to_bytes(4 * count, "little"))
        if sys.byteorder == "big":
            numbers.byteswap()
        general, special = self._general, self._special[topic]
        mask, own_mask = len(general) - 1, len(special) - 1
        return [special[n & own_mask] if n >= _TOPIC_CUT else general[n & mask] for n in numbers]

    def _call_tool(self, messages: list[dict[str, Any]], topic: str) -> list[dict[str, Any]]:
        rng = self._rng
        first = int(rng.random() * len(_TOOLS))
        offered = (_TOOLS[first:] + _TOOLS[:first])[: 1 + int(rng.random() * 3)]
        name, _, argument, result = offered[0]
        key = f"call_{rng.getrandbits(48):012x}"
        asked = " ".join(self._draw(4, topic))
        arguments = json.dumps({argument: asked, "limit": int(rng.random() * 50)})
        found = {
            result: [
                {"id": rng.getrandbits(20), "title": " ".join(self._draw(5, topic)),
                 "score": int(rng.random() * 1000) / 1000}
                for _ in range(1 + int(rng.random() * 4))
            ],
            "ok": True,
        }  # fmt: skip
        call = {"id": key, "type": "function", "function": {"name": name, "arguments": arguments}}
        messages += [
            {"role": "user", "content": f"{_one(rng, _OPENINGS)} {self._prose(18, topic)}"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": key, "content": json.dumps(found)},
            {"role": "assistant", "content": self._prose(60, topic)},
        ]
        return [
            {"type": "function", "function": {"name": tool, "description": text, "parameters": {
                "type": "object", "properties": {what: {"type": "string"}, "limit": {
                    "type": "integer"}}, "required": [what]}}}
            for tool, text, what, _ in offered
        ]  # fmt: skip

    def _metadata(self) -> dict[str, Any]:
        rng = self._rng
        return {
            "user": f"u_{rng.getrandbits(17)}",
            "session": f"{rng.getrandbits(64):016x}",
            "locale": _one(rng, _LOCALES),
            "latency_ms": 200 + int(rng.random() * 4_000),
            "cost": {"input": rng.getrandbits(10), "output": rng.getrandbits(9)},
        }


def _break(rng: random.Random, messages: list[dict[str, Any]]) -> None:
    """Make a valid record break one rule."""
    user = [message for message in messages if message["role"] == "user"]
    kind = int(rng.random() * 5)
    if kind == 0:
        user[-1]["content"] = "ok?"
    elif kind == 1:
        user[-1]["content"] = " \n"
    elif kind == 2:
        messages[:] = [message for message in messages if message["role"] != "user"]
    elif kind == 3:
        user[0]["role"] = "customer"
    else:
        orphan = {"role": "tool", "tool_call_id": "call_lost", "content": '{"ok": false}'}
        messages.insert(messages.index(user[-1]), orphan)


def _refused(rng: random.Random, line: bytes, number: int) -> bytes:
    """Make a line that holds no record out of one that does."""
    kind = int(rng.random() * 3)
    if kind == 0:
        return line[: len(line) // 2]
    if kind == 1:
        return json.dumps({"prompt": f"Question {number}", "completion": "Answer"}).encode()
    return b'{"messages": "none recorded"}'


def _one(rng: random.Random, values: tuple[str, ...]) -> str:
    return values[int(rng.random() * len(values))]
