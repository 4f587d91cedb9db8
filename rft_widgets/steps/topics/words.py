"""English words that say nothing about a topic, and the sentences that are made of them."""

from __future__ import annotations

import re

MAX_LETTER_CHARS = 2_000
"""Characters of a text above which it is no letter that somebody is polite in, but a document."""


def says_nothing(text: str) -> bool:
    """Tell whether a text only greets, or makes small talk."""
    if len(text) > 100:
        return False
    return all(word in _GREETING for word in re.findall(r"\w+", text.casefold()))


def without_courtesies(text: str) -> str:
    """Leave out sentences that only greet, thank, urge or sign, and the name that is signed with.

    Such sentences are the same whatever a message is about, and where messages are short they are
    half of the words. A sentence goes only when it has a word of courtesy and, beside words that
    say nothing anyway, no other; one that says what does not work stays. A text of nothing but
    such sentences stays as it is.

    Parameters
    ----------
    text
        A message; one of more than 2,000 characters is given back as it is.
    """
    if len(text) > MAX_LETTER_CHARS:
        return text
    sentences = _SENTENCE_ENDS.split(text)
    if len(sentences) < 2:
        return text
    kept: list[str] = []
    for sentence in sentences:
        if _is_courtesy(sentence):
            continue
        if kept and sentence is sentences[-1] and _SIGNATURE.fullmatch(sentence):
            continue  # the name of who wrote it
        kept.append(sentence)
    return " ".join(kept) or text


def _is_courtesy(sentence: str) -> bool:
    courteous = False
    for found in _WORDS.finditer(sentence):
        word = found.group().lower()
        if word in COURTESY:
            courteous = True
        elif word not in STOP_WORDS and not word.isdigit():
            return _is_salute(sentence)
    return courteous or _is_salute(sentence)


def _is_salute(sentence: str) -> bool:
    """Tell whether a sentence only greets somebody, whose name it may say."""
    words = _WORDS.findall(sentence[:100])
    if not words:
        return True
    first = words[0].lower()
    if first not in _SALUTES or len(words) > 4:
        return False
    return first == "dear" or all(
        word.istitle() or word.lower() in COURTESY or word.lower() in STOP_WORDS for word in words
    )


_WORDS = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_SENTENCE_ENDS = re.compile(r"(?<=[.!?])\s+|\n+")
_SIGNATURE = re.compile(r"[A-Z][^\W\d_]+(?: [A-Z][^\W\d_]+)?[.,]?")
_SALUTES = frozenset({"dear", "hello", "hey", "hi", "hiya"})

_GREETING = frozenset(
    """
    hi hey hello hiya howdy yo greetings good morning afternoon evening day night there everyone all
    team folks sir madam dear assistant bot ai how are you doing is it going thanks thank please ok
    okay yes no sup what s up anyone can i ask a question have quick test testing hallo guten tag
    hola buenos dias tardes bonjour salut ciao ola start begin help me
    """.split()  # noqa: SIM905 - a list of this length is read as text
)
"""Words of greetings and of small talk; a text of nothing else has no topic."""

COURTESY = frozenset(
    """
    advance afternoon annoyed annoying answer answers apologies apologise apologize appreciate
    appreciated appreciation asap asking assist assistance awaiting best bother bothering brief
    cheers disappointed evening expect forward frustrated frustrating grateful greetings hear
    hello hi honestly hope hoping immediately inconvenience kind kindest kindly madam moment
    morning nice patience pleased pleasure polite prompt promptly question questions quick regards
    replies reply respond response ridiculous short sincerely sir sorry straight support team
    terrible thank thankful thanks thx truly ty unacceptable urgent urgently wait waiting wish
    wishes yours
    """.split()  # noqa: SIM905 - a list of this length is read as text
)
"""Words of thanks, of pressing for an answer and of signing; alone they name no topic."""

STOP_WORDS = frozenset(
    """
    a about above after again against ago all almost already also although always am an and another
    any anyone anything anyway are aren't around as ask asked at away back be became because been
    before being below best better between both but by called came can can't cannot come comes could
    couldn't day days dear did didn't different do does doesn't doing don't done down during each
    either else end even ever every everyone everything exactly explain far few find first for found
    from further gave get gets getting give given gives go goes going gone good got great had hadn't
    happen happened happening happens has hasn't have haven't having he he'd he's hello help her
    here here's hers herself hey hi him himself his hope how how's however i i'd i'll i'm i've if in
    into is isn't it it'd it'll it's its itself just keep keeps kind know knew last later least less
    let let's like little long look looking looks lot lots made make makes making many may maybe me
    mean might mine more morning most much must my myself need needed needs never new next no nobody
    none nor not nothing now of off often oh ok okay old on once one ones only onto or other others
    our ours ourselves out over own part past people perhaps please possible put quickly quite
    rather really recently regarding right said same saw say says see seem seemed seems seen several
    shall she she'd she's should shouldn't show since so some someone something sometimes soon sorry
    still stuff such sure take taken takes taking tell than thank thanks that that's the their
    theirs them themselves then there there's these they they'd they'll they're they've thing things
    think this those though three through till time times to today together told tomorrow too
    took toward tried tries try trying turn two under unless until up upon us use used uses using
    very via want wanted wants was wasn't way ways we we'd we'll we're we've well went were weren't
    what what's whatever when when's where where's whether which while who who's whole whom whose
    why why's will wish with within without won't wonder wondering work working works would wouldn't
    yeah yes yesterday yet you you'd you'll you're you've your yours yourself
    """.split()  # noqa: SIM905 - a list of this length is read as text
)
"""English words that name no topic."""
