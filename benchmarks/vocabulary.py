"""The words that generated texts are made of: real function words, made-up content words, topics."""

from __future__ import annotations

import random

FUNCTION_WORDS = (
    "the of and to a in is that it for was on are as with be by at this have from or had not but "
    "what all were when we there can an your which their if will each about how up out them then "
    "she many some so these would other into has more her two like him see could no than first "
    "been its who now people my made over did down only way find use may long little very after "
    "called just where most know get through back much before go good new write our used me man "
    "too any day same right look think also around another came come work three must because does "
    "part even place well such here take why things help put years different away again off went "
    "old number great tell men say small every found still between name should"
).split()
"""Real English at the top ranks, about in the order of its frequency."""

ACCENTED = (
    "café naïve résumé façade jalapeño über señor crème déjà garçon piñata Zürich Málaga Łódź "
    "touché fiancée São smörgåsbord Ångström doppelgänger €20 5°C ½ it’s don’t “yes” – —"
).split()
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

_ONSETS = "b bl br c ch cl cr d dr f fl fr g gl gr h j k l m n p pl pr qu r s sc sh sl sp st str t th tr v w".split()  # fmt: skip  # noqa: E501, SIM905
_NUCLEI = "a e i o u ai ea ee ie oa oo ou a e i o".split()  # noqa: SIM905
_CODAS = "b ck ct d ft g l ld lt m mp n nd ng nt p r rd rk rm rn rt s sh ss st t th x".split()  # noqa: SIM905
_ENDINGS = ("", "s", "ed", "ing", "ly", "er", "ness", "able", "tion", "ment")
_COMMA_EVERY = 14  # of the places that a content word has in the table, one has a comma behind it
_TOPIC_FORMS = 240


def make_words(rng: random.Random, count: int) -> list[str]:
    """Word forms in order of their rank: function words, then families of made-up content words."""
    words = list(FUNCTION_WORDS)
    known = set(words)
    while len(words) < count:
        stem = "".join(
            _pick(rng, _ONSETS) + _pick(rng, _NUCLEI) + (_pick(rng, _CODAS) if i else "")
            for i in range(1 + int(rng.random() * 2.6))
        )
        for ending in _ENDINGS[: 1 + int(rng.random() * len(_ENDINGS))]:
            word = stem + ending
            if len(word) > 2 and word not in known:
                known.add(word)
                words.append(word)
    content = words[len(FUNCTION_WORDS) : count]
    for i in range(len(content) - 1, 0, -1):  # forms of one family get ranks far apart
        j = int(rng.random() * (i + 1))
        content[i], content[j] = content[j], content[i]
    for i, word in enumerate(ACCENTED):
        content[400 + 97 * i] = word
    return words[: len(FUNCTION_WORDS)] + content


def zipf_table(words: list[str], bits: int, shift: float = 2.7) -> list[str]:
    """Spread words over ``2**bits`` places so that a random place draws them as Zipf's law has it."""
    weights = [1 / (rank + shift) for rank in range(1, len(words) + 1)]
    scale = ((1 << bits) - len(words)) / sum(weights)
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


def _pick(rng: random.Random, values: list[str]) -> str:
    return values[int(rng.random() * len(values))]
