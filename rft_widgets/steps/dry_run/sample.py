"""Which prompts a dry run looks at: stratified by topic, the same for the same seed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from hashlib import blake2b

from msgspec import Struct, field

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.dry_run_settings import DRY_RUN


class Candidate(Struct, frozen=True, kw_only=True, gc=False):
    """What has to be known of a record to choose it.

    Attributes
    ----------
    prompt_key
        Equal for records with equal input: they hold several answers to one prompt.
    is_valid
        Whether the record can be graded. One whose only fault is that it repeats a prompt can.
    """

    id: str
    prompt_key: str
    topic: str | None = None
    has_answer: bool = True
    is_valid: bool = True


class SampledPrompt(Struct, frozen=True, kw_only=True):
    """A prompt that was chosen, and the records whose answers to it are graded, in order."""

    prompt_key: str
    topic: str | None
    record_ids: tuple[str, ...]


class PromptSample(Struct, frozen=True, kw_only=True):
    """The prompts of a dry run, in the order of the dataset.

    ``available`` counts the prompts to choose from, ``several`` those of them that have at least
    two recorded answers; ``excluded`` the records that could not be chosen, by reason:
    ``invalid``, ``no_recorded_answer``.
    """

    prompts: tuple[SampledPrompt, ...]
    available: int
    several: int = 0
    excluded: dict[str, int] = field(default_factory=dict)


def choose_sample(
    candidates: Iterable[Candidate],
    n: int = DRY_RUN.prompts,
    seed: int = 0,
    *,
    k: int = DRY_RUN.responses,
    recorded: bool = True,
) -> PromptSample:
    """Choose prompts in proportion to the topics.

    Each topic has at least one prompt while ``n`` allows; the rest goes by largest remainders.
    Within a topic the prompts whose ids hash lowest with the seed are taken, so that neither the
    order of the candidates nor other records change what is chosen of the same topics.

    Parameters
    ----------
    candidates
        All records, in the order of the dataset.
    n
        Prompts to choose, >= 1; all of them where there are no more.
    seed
        Of the choice.
    k
        Recorded answers of a prompt to take at most, >= 1; a prompt that has fewer gives those.
    recorded
        Whether recorded answers are graded. Otherwise a model answers anew, records without an
        answer do as well, and each prompt names one record.

    Raises
    ------
    InvalidArgument
        ``n`` or ``k`` is below 1.
    """
    if n < 1 or k < 1:
        raise InvalidArgument(f"n is {n} and k is {k}; both must be at least 1.")
    excluded: Counter[str] = Counter()
    groups: dict[str, list[Candidate]] = {}
    for one in candidates:
        if not one.is_valid:
            excluded["invalid"] += 1
        elif recorded and not one.has_answer:
            excluded["no_recorded_answer"] += 1
        else:
            groups.setdefault(one.prompt_key, []).append(one)
    prompts = [_prompt(key, group, k if recorded else 1) for key, group in groups.items()]
    first_id = {key: min(one.id for one in group) for key, group in groups.items()}
    by_topic: defaultdict[str | None, list[str]] = defaultdict(list)
    for prompt in prompts:
        by_topic[prompt.topic].append(prompt.prompt_key)
    seats = allocate({topic: len(keys) for topic, keys in by_topic.items()}, n)
    chosen: set[str] = set()
    for topic, keys in by_topic.items():
        keys.sort(key=lambda key: seeded_rank(seed, first_id[key]))
        chosen.update(keys[: seats[topic]])
    return PromptSample(
        prompts=tuple(prompt for prompt in prompts if prompt.prompt_key in chosen),
        available=len(prompts),
        several=sum(len(group) > 1 for group in groups.values()) if recorded else 0,
        excluded=dict(excluded),
    )


def allocate(counts: Mapping[str | None, int], n: int) -> dict[str | None, int]:
    """Share ``n`` places among topics in proportion to their counts.

    The method of largest remainders, with one place for each topic as long as there are as many as
    topics; with fewer, the largest topics have one each. Nobody gets more than it has.
    """
    total = sum(counts.values())
    if n >= total:
        return dict(counts)
    # Names decide ties, so that the order of the dataset does not.
    names = sorted(counts, key=lambda topic: (-counts[topic], topic is None, topic or ""))
    if n <= len(names):
        return {topic: int(place < n) for place, topic in enumerate(names)}
    quotas = {topic: n * counts[topic] / total for topic in names}
    seats = {topic: max(1, int(quotas[topic])) for topic in names}
    while sum(seats.values()) < n:
        open_ones = [topic for topic in names if seats[topic] < counts[topic]]
        seats[max(open_ones, key=lambda topic: quotas[topic] - seats[topic])] += 1
    while sum(seats.values()) > n:
        rich = [topic for topic in names if seats[topic] > 1]
        seats[min(rich, key=lambda topic: quotas[topic] - seats[topic])] -= 1
    return seats


def seeded_rank(seed: int, name: str) -> bytes:
    """Where ``name`` stands in the random order that ``seed`` gives to all names."""
    return blake2b(f"{seed}:{name}".encode(), digest_size=16).digest()


def _prompt(key: str, group: list[Candidate], k: int) -> SampledPrompt:
    # A record that repeats a prompt is never categorised: its topic is that of the first.
    topic = next((one.topic for one in group if one.topic is not None), None)
    return SampledPrompt(prompt_key=key, topic=topic, record_ids=tuple(one.id for one in group[:k]))
