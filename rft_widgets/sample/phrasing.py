"""How customers ask and agents answer: templates by topic and intent, tones, slips of the keys."""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Literal

import msgspec
from msgspec import Struct

from rft_widgets.sample.knowledge import OrderStatus, ToolName

Quality = Literal["exact", "rambling", "vague", "wrong", "over", "refuse"]
"""What an answer is worth.

``exact`` right and complete; ``rambling`` right, but long; ``vague`` says nothing that helps;
``wrong`` states something untrue; ``over`` promises what the shop does not; ``refuse`` declines
without need.
"""

Tone = Literal["plain", "terse", "polite", "angry", "long", "typos"]

Slots = Mapping[str, str]


class Intent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that customers want to know, and every way to ask and to answer it.

    All texts are templates. ``facts`` stand in a right answer word for word, ``forbidden`` in none.
    ``terse`` and ``more`` are questions, too: in a few words, and as a later turn.
    """

    name: str = ""
    topic: str = ""
    facts: tuple[str, ...]
    forbidden: tuple[str, ...]
    ask: tuple[str, ...]
    terse: tuple[str, ...]
    more: tuple[str, ...]
    good: tuple[str, ...]
    rambling: tuple[str, ...]
    vague: tuple[str, ...]
    wrong: tuple[str, ...]
    over: tuple[str, ...]
    refuse: tuple[str, ...]
    products: tuple[str, ...] = ()
    """Products that it is about; empty for any."""
    tool: ToolName | None = None
    statuses: tuple[OrderStatus, ...] = ()
    """States an order may be in for this question; empty where it is about no order."""
    stock: Literal["available", "sold_out"] | None = None

    def answers(self, quality: Quality) -> tuple[str, ...]:
        """Templates of the answers of one quality."""
        return {
            "exact": self.good,
            "rambling": self.rambling,
            "vague": self.vague,
            "wrong": self.wrong,
            "over": self.over,
            "refuse": self.refuse,
        }[quality]


class Topic(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group of intents, its share of the traffic, and how well it is answered.

    ``quality`` weighs the qualities; ``stories`` are what long-winded customers begin with.
    """

    topic: str
    share: float
    quality: dict[Quality, int]
    stories: tuple[str, ...]
    intents: dict[str, Intent]


@cache
def topics() -> tuple[Topic, ...]:
    """All topics, largest first."""
    folder = resources.files("rft_widgets.sample") / "topics"
    read = [
        _topic(entry.read_text(encoding="utf-8"))
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".toml")
    ]
    return tuple(sorted(read, key=lambda topic: -topic.share))


def fill(template: str, slots: Slots) -> str:
    """Put values into a template; one that is missing is an error."""
    return template.format_map(slots)


def opening(
    rng: random.Random, topic: Topic, intent: Intent, tone: Tone, slots: Slots, name: str
) -> str:
    """First message of a customer, at least ten characters long."""
    if tone == "terse":
        return fill(rng.choice(intent.terse), slots)
    ask = fill(rng.choice(intent.ask), slots)
    match tone:
        case "polite":
            greeting = rng.choice(_GREETINGS)
            thanks = rng.choice(_THANKS)
            return rng.choice((
                f"{greeting}! {ask} {thanks}",
                f"{greeting},\n\n{ask}\n\n{thanks}\n{name}",
                f"{greeting}, I have a question. {ask} {thanks} {name}",
            ))  # fmt: skip
        case "angry":
            complaint = rng.choice(_COMPLAINTS)
            return f"{complaint} {ask}" if rng.random() < 0.6 else f"{ask} {rng.choice(_THREATS)}"
        case "long":
            story = fill(rng.choice(topic.stories), slots)
            parts = [rng.choice(_GREETINGS) + "!", story, rng.choice(_TURNS) + ask]
            if rng.random() < 0.6:
                parts.append(rng.choice(_ASIDES))
            return " ".join(parts) + f"\n\n{rng.choice(_CLOSINGS)}\n{name}"
        case "typos":
            return with_typos(rng, ask)
        case _:
            return rng.choice(("", "", "Hi! ", "Hello! ", "Hey! ")) + ask


def follow_up(rng: random.Random, intent: Intent, slots: Slots, *, pleased: bool) -> str:
    """Later message of a customer, about something else of the same topic.

    ``pleased`` customers are those whose last question was answered.
    """
    text = fill(rng.choice(intent.more), slots)
    if text.startswith(_STARTS_ITSELF):
        return text
    return rng.choice(_PLEASED if pleased else _NOT_PLEASED) + text


def answer(
    rng: random.Random, intent: Intent, quality: Quality, slots: Slots, *, mail: bool, name: str
) -> str:
    """Answer of an agent, dressed as its channel has it."""
    text = fill(rng.choice(intent.answers(quality)), slots)
    if mail:
        greeting = rng.choice((f"Dear {name},", f"Hello {name},", f"Hi {name},"))
        return f"{greeting}\n\n{text}\n\n{rng.choice(_SIGNATURES)}"
    before = rng.choice(_OPENERS) if quality == "exact" and rng.random() < 0.3 else ""
    after = rng.choice(_OFFERS) if quality != "refuse" and rng.random() < 0.25 else ""
    return " ".join(filter(None, (before, text, after)))


def with_typos(rng: random.Random, text: str) -> str:
    """Type as people do on a phone; words with digits or capitals (numbers, names) stay."""
    words = []
    for i, word in enumerate(text.split(" ")):
        typed = word[:1].lower() + word[1:] if i == 0 and not _NAME.search(word[1:]) else word
        typed = typed.replace("'", "") if rng.random() < 0.8 else typed
        if _LOWER.fullmatch(typed) and rng.random() < 0.22:
            typed = _slip(rng, typed)
        words.append(typed)
    typed_text = " ".join(words)
    if rng.random() < 0.5:
        typed_text = typed_text.rstrip(".?!") + rng.choice(("", "??", " ?", ".."))
    return typed_text


def choose_weighted(rng: random.Random, weights: Mapping[Quality, int]) -> Quality:
    """Draw one quality by its weight."""
    return rng.choices(tuple(weights), tuple(weights.values()))[0]


def pick(rng: random.Random, templates: Sequence[str], slots: Slots) -> str:
    """Fill one of several templates."""
    return fill(rng.choice(templates), slots)


ASK_NUMBER = (
    "Happy to check. Could you send me the order number? It starts with LF-.",
    "I'll look into it. What is your order number, please? You find it in the confirmation mail.",
    "For that I need your order number (LF- and five digits).",
)
GIVE_NUMBER = (
    "Sure, it's {order}.",
    "The number is {order}",
    "{order}, I hope that's the right one.",
    "It says {order} in the mail.",
    "Here you go: {order}",
)
LEADS: dict[ToolName, tuple[str, ...]] = {
    "lookup_order": (
        "I'll look up order {order} right away.",
        "One moment, I'm checking order {order}.",
        "Let me have a look at order {order}.",
    ),
    "check_stock": (
        "I'll check our stock of the {sized} right away.",
        "One moment, I'm looking up the {sized} in {size}.",
        "Let me see whether we have the {sized}.",
    ),
    "start_return": (
        "I'll register the return for order {order} right away.",
        "One moment, I'm opening the return for order {order}.",
        "Let me set up the return for order {order}.",
    ),
}
"""What an agent says while it calls a tool; the first one is the reference."""

LEAD_FACTS: dict[ToolName, str] = {
    "lookup_order": "{order}",
    "check_stock": "{sized}",
    "start_return": "{order}",
}

_GREETINGS = (
    "Hello", "Good morning", "Good evening", "Hi there", "Dear Larkfell team", "Hello team",
)  # fmt: skip
_THANKS = (
    "Thank you very much in advance!",
    "Many thanks for your help.",
    "Thanks a lot!",
    "I'd be grateful for a short answer.",
    "Thank you for your time.",
)
_COMPLAINTS = (
    "This is the second time that I'm asking!",
    "I'm really annoyed by now.",
    "Nobody answers the phone at your shop.",
    "I have been waiting for an answer for two days.",
    "Honestly, this is getting ridiculous.",
    "Your website is no help at all.",
)
_THREATS = (
    "If I don't get a clear answer this time, I'll leave a review.",
    "And please, no copy and paste answer this time!",
    "I'm close to buying somewhere else.",
    "I expect an answer today.",
    "This can't be so hard!!",
)
_TURNS = (
    "Now to my question: ",
    "So here's what I'd like to know. ",
    "Anyway, to get to the point. ",
    "Which brings me to my question. ",
)
_ASIDES = (
    "I looked through your help pages but may have missed it.",
    "There's no great hurry, although a quick answer would be nice.",
    "Sorry for the long message!",
    "By the way, I really like the new photos in your shop.",
)
_CLOSINGS = ("Best wishes", "Kind regards", "All the best", "Greetings", "Cheers")
_SIGNATURES = ("Kind regards\nLarkfell support", "Best wishes\nYour Larkfell team")
_OPENERS = ("Thanks for reaching out!", "Good question.", "Happy to help!", "Thanks for asking.")
_OFFERS = (
    "Is there anything else that I can do for you?",
    "Let me know if you have another question.",
    "Have a good time outside!",
)
_PLEASED = ("", "", "Thanks. ", "Thank you! ", "That helps. ", "Good to know. ")
_NOT_PLEASED = ("", "", "Hmm. ", "I see. ", "If you say so. ")
_STARTS_ITSELF = ("Okay", "Fine", "While", "Then", "One more", "Another")

_NAME = re.compile(r"[A-Z0-9]")
_LOWER = re.compile(r"[a-z]{4,}")


def _topic(text: str) -> Topic:
    read = msgspec.convert(tomllib.loads(text), Topic)
    named = {
        name: msgspec.structs.replace(intent, name=name, topic=read.topic)
        for name, intent in read.intents.items()
    }
    return msgspec.structs.replace(read, intents=named)


def _slip(rng: random.Random, word: str) -> str:
    at = rng.randrange(1, len(word) - 1)
    match rng.randrange(3):
        case 0:
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        case 1:
            return word[:at] + word[at + 1 :]
        case _:
            return word[:at] + word[at] + word[at:]
