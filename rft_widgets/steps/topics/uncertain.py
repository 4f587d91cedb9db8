"""Records that keywords and similarity are unsure of, decided by a model.

How sure a model calls itself says little of how often it is right. So its decisions are sorted by
two signs, whether similarity finds the same topic the most likely and whether the model calls
itself sure, and the confidence of each sort is how often such decisions were right: of confirmed
records that similarity was unsure of, too, when it had not learned from them. Where there are few
of these, what is assumed counts more, less the share in which the model contradicts itself when it
is asked again with the topics in another order.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from msgspec import Struct

from rft_widgets.errors import BudgetReached
from rft_widgets.model.topic import ModelDecisions
from rft_widgets.model.topic_settings import CATEGORIZE, TOPIC_MODEL, TopicModelSettings
from rft_widgets.steps.progress import Progress
from rft_widgets.steps.topics.calibration import error_beyond_chance
from rft_widgets.steps.topics.deciding import Decision, ModelDecider
from rft_widgets.steps.topics.members import HeldOut
from rft_widgets.store.placements import METHODS, Placements

_SIMILARITY, _LLM = METHODS.index("similarity"), METHODS.index("llm")


class Trust(Struct, frozen=True, kw_only=True):
    """How often decisions of each sort are right, and how that is known.

    Attributes
    ----------
    shares
        Confidence (0..1) of each sort, in the order of `TopicModelSettings.untrained`.
    records
        Confirmed records that were measured on.
    accuracy, error
        Share of them that was right, and how far the confidences are from that, as in
        `Calibration`; ``None`` without any.
    agreement
        Share of decisions that stayed when the model was asked again; ``None`` where it was not.
    """

    shares: tuple[float, ...]
    records: int
    accuracy: float | None
    error: float | None
    agreement: float | None


def unsure(found: Placements) -> list[int]:
    """Places of the records that keywords and similarity leave to a model."""
    methods = np.frombuffer(found.methods, np.int8)
    sure = np.frombuffer(found.confidences, np.float64)
    left = (methods == _SIMILARITY) & (sure < CATEGORIZE.accept_similarity)
    return np.flatnonzero(left).tolist()


def decide(
    decider: ModelDecider,
    found: Placements,
    places: Sequence[int],
    texts: Sequence[str],
    held_out: Sequence[HeldOut],
    tell: Progress,
    settings: TopicModelSettings = TOPIC_MODEL,
) -> tuple[ModelDecisions, set[int], BudgetReached | None]:
    """Let a model decide about records, and change where they are placed.

    Parameters
    ----------
    decider
        The model.
    found
        What keywords and similarity say; changed.
    places, texts
        Which of it is uncertain, and the texts of those.
    held_out
        Confirmed records to measure the model on.
    tell
        Told the share (0..1) of this that is done.
    settings
        Every number.

    Returns
    -------
    What it came to; the places that the model was not asked about because no more might be spent;
    and the error that said so.
    """
    tried = tried_on(held_out, settings) if texts else []
    is_little = len(tried) < settings.enough_confirmed
    again = _lowest(texts, settings.repeated) if is_little else []
    stopped = None
    try:
        decider.ask([one.text for one in tried])
        decider.ask(again)
        decider.ask(again, repeat=1)
        decider.ask(
            list(dict.fromkeys(texts)),
            tell=lambda done, total: tell(done / total, f"Asked about {done:,} of {total:,}"),
        )
    except BudgetReached as error:
        stopped = error
    trust = measure(decider, tried, again, settings)
    pending: set[int] = set()
    none = unanswered = 0
    for place, text in zip(places, texts, strict=True):
        decision = decider.known(text)
        if decision is not None:
            _place(found, place, decision, trust, settings)
            none += decision.topic < 0
        elif stopped is not None:
            pending.add(place)
        else:
            unanswered += 1
    return (
        ModelDecisions(
            model=decider.model,
            records=len(places),
            decided=len(places) - len(pending) - unanswered,
            none=none,
            unanswered=unanswered,
            not_asked=len(pending),
            measured_on=trust.records,
            accuracy=trust.accuracy,
            error=trust.error,
            agreement=trust.agreement,
            problem=decider.problem if unanswered else "",
        ),
        pending,
        stopped,
    )


def tried_on(
    held_out: Sequence[HeldOut], settings: TopicModelSettings = TOPIC_MODEL
) -> list[HeldOut]:
    """Confirmed records to try the model on: those that would have been left to it."""
    hard = {one.text: one for one in held_out if one.confidence < CATEGORIZE.accept_similarity}
    return [hard[text] for text in _lowest(list(hard), settings.confirmed)]


def measure(
    decider: ModelDecider,
    tried: Sequence[HeldOut],
    again: Sequence[str],
    settings: TopicModelSettings = TOPIC_MODEL,
) -> Trust:
    """How often decisions of each sort are right, by all that is known of the model.

    Parameters
    ----------
    decider
        The model, which was asked about all of it as far as that came.
    tried
        Confirmed records.
    again
        Texts that it was asked about twice.
    settings
        What is assumed, and how much that weighs.
    """
    twice = [
        (first.topic, second.topic)
        for text in again
        if (first := decider.known(text)) and (second := decider.known(text, 1))
    ]
    weight = settings.prior_records
    same = sum(first == second for first, second in twice)
    agreement = (same + weight) / (len(twice) + weight)
    priors = [prior * agreement for prior in settings.untrained]
    seen, right = [0] * len(priors), [0] * len(priors)
    outcomes: list[tuple[int, bool]] = []
    for one in tried:
        decision = decider.known(one.text)
        if decision is not None and decision.topic >= 0:
            sort, is_right = _sort(decision, one.likely, settings), decision.topic == one.topic
            outcomes.append((sort, is_right))
            seen[sort] += 1
            right[sort] += is_right
    # Each record is held against what the others say.
    sure = [
        (weight * priors[sort] + right[sort] - is_right) / (weight + seen[sort] - 1)
        for sort, is_right in outcomes
    ]
    hits = [is_right for _, is_right in outcomes]
    return Trust(
        shares=tuple(
            (weight * prior + hit) / (weight + count)
            for prior, hit, count in zip(priors, right, seen, strict=True)
        ),
        records=len(outcomes),
        accuracy=sum(hits) / len(hits) if hits else None,
        error=error_beyond_chance(sure, hits) if hits else None,
        agreement=same / len(twice) if twice else None,
    )


def _place(
    found: Placements, place: int, decision: Decision, trust: Trust, settings: TopicModelSettings
) -> None:
    likely, second = found.topics[place], found.seconds[place]
    found.methods[place] = _LLM
    found.topics[place] = decision.topic
    others = (decision.second, likely, second)
    found.seconds[place] = next((one for one in others if one not in (-1, decision.topic)), -1)
    sort = _sort(decision, likely, settings)
    found.confidences[place] = trust.shares[sort] if decision.topic >= 0 else 0.0


def _sort(decision: Decision, likely: int, settings: TopicModelSettings) -> int:
    return 2 * (decision.topic == likely) + (decision.stated >= settings.stated_high)


def _lowest(texts: Sequence[str], most: int) -> list[str]:
    """Some of the texts, the same ones however many others come and go."""
    distinct = dict.fromkeys(texts)
    ranked = sorted(distinct, key=lambda text: blake2b(text.encode("utf-8", "replace")).digest())
    return ranked[:most]
