"""The words of generated texts: real function words and phrases, made-up content words, topics."""

from __future__ import annotations

import math
import random

_FUNCTION_WORDS = (
    "the of and to a in is that it for was on are as with be by at this have from or had not but "
    "what all were when we there can an your which their if will each about how up out them then "
    "she many some so these would other into has more her two like him see could no than first "
    "been its who now people my made over did down only way find use may long little very after "
    "called just where most know get through back much before go good new write our used me man "
    "too any day same right look think also around another came come work three must because does "
    "part even place well such here take why things help put years different away again off went "
    "old number great tell men say small every found still between name should"
)
_PHRASES = (
    "as soon as possible|in order to|let me know if|one of the|as well as|a lot of|make sure that|"
    "at the same time|you can also|for example|in this case|if you want to|on the other hand|"
    "please note that|it is important to|the first step|would you like|based on the|instead of|"
    "such as|in addition|according to|due to the|there are several|here are some|I would suggest"
)
_ACCENTED = (
    "café naïve résumé façade jalapeño über señor crème déjà garçon piñata Zürich Málaga Łódź "
    "touché fiancée São smörgåsbord Ångström doppelgänger €20 5°C ½ it’s don’t “yes” – —"  # noqa: RUF001
)
FUNCTION_WORDS = (*_FUNCTION_WORDS.split(), *_PHRASES.split("|"))
"""Real English at the top ranks, words about in the order of their frequency."""
ACCENTED = tuple(_ACCENTED.split())
"""Words outside ASCII; a text that holds one takes two bytes a character in memory."""

TOPICS = {
    "billing/refunds": "refund charge invoice card statement credit dispute bank amount cancel",
    "billing/invoices": "invoice tax receipt company address billing total currency account due",
    "orders/tracking": "order tracking parcel courier delivery depot delayed shipped door customs",
    "orders/returns": "return label size exchange package warehouse damaged pickup stock policy",
    "account/login": "password login email reset code browser locked device session username",
    "account/privacy": "privacy data delete consent export personal request policy cookies law",
    "technical/install": "install version package driver update error path download licence setup",
    "technical/network": "router wifi signal port firewall cable modem latency address proxy",
    "technical/printing": "printer paper toner queue tray scan colour jam driver page",
    "code/python": "function list loop class import exception module string dictionary test",
    "code/sql": "query table index join column row select database key transaction",
    "code/review": "commit branch merge review diff comment refactor naming bug pipeline",
    "writing/email": "email subject tone greeting draft polite colleague deadline reply closing",
    "writing/summary": "summary article paragraph author argument conclusion source chapter bullet",
    "travel/flights": "flight airport luggage seat boarding gate ticket airline stopover passport",
    "travel/hotels": "hotel room booking breakfast checkout night reception view guest towel",
    "health/nutrition": "protein vitamin meal diet calories vegetables sugar portion fibre snack",
    "finance/savings": "savings interest rate deposit fund pension risk budget return inflation",
    "education/maths": "equation fraction proof triangle variable answer graph solve sum angle",
    "home/garden": "soil seeds water pot sunlight prune leaves compost tomato roots",
}
"""Paths of the topics, each with real words that its texts use often."""

_ONSETS = ("b", "br", "c", "ch", "cl", "d", "f", "fl", "g", "gr", "h", "l", "m", "n", "p", "pr",
           "r", "s", "st", "t", "tr", "v", "w")  # fmt: skip
_NUCLEI = ("a", "e", "i", "o", "u", "a", "e", "i", "o", "ea", "ou", "ai")
_CODAS = ("", "", "", "ct", "d", "l", "m", "n", "n", "nd", "nt", "r", "r", "s", "st", "t", "x")
_ENDINGS = ("", "s", "ed", "ing", "er", "ly", "tion", "ment", "able", "ness")
_COMMA_EVERY = 14  # of the places that a content word has in the table, one has a comma behind it
_TOPIC_FORMS = 240
_FUNCTION_BOOST = 1.8  # brings function words to about half of a text, as in English


def make_words(rng: random.Random, count: int) -> list[str]:
    """Word forms in order of their rank: function words, then families of made-up content words."""
    known = set(FUNCTION_WORDS)
    ranked: list[tuple[float, str]] = []
    wanted = count - len(FUNCTION_WORDS)
    while len(ranked) < wanted:
        stem = "".join(
            _pick(rng, _ONSETS) + _pick(rng, _NUCLEI) + _pick(rng, _CODAS)
            for _ in range(1 + int(rng.random() * 2.4))
        )
        for ending in _ENDINGS[: 1 + int(rng.random() * len(_ENDINGS))]:
            word = stem + ending
            if len(word) > 2 and word not in known:
                known.add(word)
                ranked.append((len(word) + 8 * rng.random(), word))  # short words are used more
    content = [word for _, word in sorted(ranked[:wanted])]
    for i, word in enumerate(ACCENTED):
        content[400 + 97 * i] = word
    return [*FUNCTION_WORDS, *content]


def zipf_table(words: list[str], bits: int, shift: float = 2.7) -> list[str]:
    """Spread words over ``2**bits`` places: a random place draws them as Zipf's law has it."""
    weights = [
        (_FUNCTION_BOOST if word in _FUNCTION_SET else 1.0) / (rank + shift)
        for rank, word in enumerate(words, 1)
    ]
    scale = ((1 << bits) - len(words)) / math.fsum(weights)
    table: list[str] = []
    for word, weight in zip(words, weights, strict=True):
        places = 1 + int(weight * scale)
        commas = 0 if word in _FUNCTION_SET else places // _COMMA_EVERY
        table += [word] * (places - commas) + [f"{word},"] * commas
    table += [words[0]] * ((1 << bits) - len(table))
    return table


def topic_tables(rng: random.Random, words: list[str], bits: int) -> dict[str, list[str]]:
    """Make a table of its own words for each topic: the real ones first, then some made-up ones."""
    tables = {}
    first = len(FUNCTION_WORDS)
    for topic, own in TOPICS.items():
        some = [words[first + int(rng.random() * 12_000)] for _ in range(_TOPIC_FORMS)]
        tables[topic] = zipf_table([*own.split(), *some], bits)
    return tables


_FUNCTION_SET = frozenset(FUNCTION_WORDS)


def _pick(rng: random.Random, values: tuple[str, ...]) -> str:
    return values[int(rng.random() * len(values))]
