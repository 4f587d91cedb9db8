"""Which answers people are asked to label, so that what they say holds for all answers."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from msgspec import Struct

from rft_widgets.errors import InvalidArgument
from rft_widgets.steps.dry_run.sample import seeded_rank


class Labelable(Struct, frozen=True, kw_only=True):
    """What has to be known of an answer to choose it."""

    id: str
    topic: str | None = None
    score: float | None = None
    """What a grader said of it, if one did."""


def choose_to_label(answers: Iterable[Labelable], n: int, seed: int = 0) -> list[str]:
    """Choose answers so that every answer is as likely to be chosen as any other.

    A systematic sample (Cochran 1977, chapter 8): the answers are put in order of topic and, within
    a topic, of score, and every (N / n)-th is taken from a random start. So each topic, and within
    it each range of scores, has its share to within one answer, and still no answer counts more
    than another: what is computed of the sample needs no weights.

    Parameters
    ----------
    answers
        All that could be labelled.
    n
        How many to choose, >= 1; all of them where there are no more.
    seed
        Of the choice, and of the order in which they come: that tells nothing of topic or score.
    """
    if n < 1:
        raise InvalidArgument(f"n is {n}; it must be at least 1.")
    topics: dict[str | None, list[tuple[float, bytes, str]]] = {}
    for one in answers:
        place = (float("inf") if one.score is None else one.score, seeded_rank(seed, one.id))
        topics.setdefault(one.topic, []).append((*place, one.id))
    ordered: list[str] = []
    for number, topic in enumerate(sorted(topics, key=lambda name: (name is None, name or ""))):
        # Up and down in turn, so that neighbours across two topics have similar scores.
        ordered += [name for *_, name in sorted(topics[topic], reverse=number % 2 == 1)]
    n = min(n, len(ordered))
    start = int.from_bytes(blake2b(f"start {seed}".encode(), digest_size=8).digest()) / 2**64
    chosen = [ordered[int((start + place) * len(ordered) / n)] for place in range(n)]
    return sorted(chosen, key=lambda name: seeded_rank(seed, name))
