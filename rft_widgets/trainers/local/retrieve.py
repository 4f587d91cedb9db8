"""Which recorded answers are offered for a prompt, and what is known about each of them."""

from __future__ import annotations

import hashlib
from collections.abc import Set as AbstractSet

import msgspec
import numpy as np
from msgspec import Struct

from rft_widgets.model.message import Message
from rft_widgets.model.record import RecordInput
from rft_widgets.model.training import LocalHyperparameters
from rft_widgets.trainers.local.adapt import Adapted, adapt
from rft_widgets.trainers.local.pool import Floats, Pool, Query

FEATURES = (
    "similarity", "most_similar", "rank", "last_message", "state", "same_topic", "own_reward",
    "alike_reward", "topic_reward", "similarity_times_reward", "length", "borrowed_words",
    "slots_bound", "usual_form", "calls_tool", "answer_fits",
)  # fmt: skip
"""Names of the features, in their order; `_features` says what each is."""

MOST_SIMILAR = FEATURES.index("most_similar")
SIMILARITY = FEATURES.index("similarity")

_LAST, _WHOLE, _STATE = 0.65, 0.1, 0.25
"""Parts of similarity: the last user message, all of them, the state of the conversation."""


class Candidates(Struct, frozen=True):
    """Answers that may be given to a prompt, the most similar one first.

    ``places`` are those in the pool, ``features`` is answers by `FEATURES`. There may be none.
    """

    answers: tuple[Message, ...]
    places: tuple[int, ...]
    similarities: tuple[float, ...]
    features: Floats


def find_candidates(
    pool: Pool,
    record_input: RecordInput,
    settings: LocalHyperparameters,
    excluded: AbstractSet[int] = frozenset(),
) -> Candidates:
    """Choose the answers that are offered for a prompt.

    Among the most similar recorded prompts: the most similar ones (five eighths of the places),
    then those of the same topic whose answers earned most, then those that are what is usual in
    this state (the same tools called); what is left goes to the next similar ones. Answers that
    come out the same are offered once.

    Parameters
    ----------
    pool
        The recorded answers.
    record_input
        The prompt.
    settings
        How many candidates, among how many neighbours.
    excluded
        Places in the pool that are not looked at: those of the prompt's own group of records.
    """
    query = Query(record_input, pool.space)
    last, whole, state = pool.similarities(query)
    similarity = _LAST * last + _WHOLE * whole + _STATE * state
    near = _nearest(similarity, settings.neighbours, excluded)
    offered = _Offer(pool, query, record_input)
    most = settings.candidates
    offered.fill(near, most - 3 * most // 8)
    topic, form = _usual(pool, near, similarity)
    by_reward = sorted(near, key=lambda i: (-pool.rewards[i], -similarity[i], i))
    offered.fill([i for i in by_reward if pool.topic_codes[i] == topic], most - 3 * most // 16)
    offered.fill([i for i in near if pool.form_codes[i] == form], most)
    offered.fill(near, most)
    found = sorted(offered.found.items(), key=lambda pair: (-similarity[pair[0]], pair[0]))
    places = [place for place, _ in found]
    return Candidates(
        tuple(adapted.message for _, adapted in found),
        tuple(places),
        tuple(float(similarity[place]) for place in places),
        _features(pool, query, [a for _, a in found], places, near,
                  similarity, last, state, topic),
    )  # fmt: skip


class _Offer:
    """Answers that fit a prompt, gathered from one list of places after another."""

    def __init__(self, pool: Pool, query: Query, record_input: RecordInput) -> None:
        self.found: dict[int, Adapted] = {}
        self._pool = pool
        self._query = query
        self._tried: set[int] = set()
        self._said: set[bytes] = set()
        text = msgspec.msgpack.encode(record_input.messages)
        self._call_key = hashlib.blake2b(text, digest_size=8).hexdigest()

    def fill(self, places: list[int], until: int) -> None:
        for place in places:
            if len(self.found) >= until:
                return
            if place in self._tried:
                continue
            self._tried.add(place)
            adapted = self._adapted(place)
            if adapted is None:
                continue
            said = msgspec.msgpack.encode(adapted.message)
            if said not in self._said:
                self._said.add(said)
                self.found[place] = adapted

    def _adapted(self, place: int) -> Adapted | None:
        if not self._pool.tools[place] <= self._query.tools:
            return None  # it calls what is not on offer here
        template = self._pool.template(place)
        if template is None:
            return None
        conversation, names = self._query.conversation, self._pool.names
        return adapt(template, conversation, names, self._call_key)


def _nearest(similarity: Floats, count: int, excluded: AbstractSet[int]) -> list[int]:
    values = similarity
    if excluded:
        values = similarity.copy()
        values[list(excluded)] = -1.0
    size = len(values)
    near = np.argpartition(-values, count)[: count + 1] if size > count else np.arange(size)
    ordered = near[np.lexsort((near, -values[near]))][:count]
    return [int(place) for place in ordered if values[place] >= 0]


def _usual(pool: Pool, near: list[int], similarity: Floats) -> tuple[int, int]:
    """Codes of the topic and of the form of answer that the nearest prompts have, by weight."""
    if not near:
        return -1, -1
    weights = similarity[near] ** 4
    topics = np.bincount(pool.topic_codes[near], weights)
    forms = np.bincount(pool.form_codes[near], weights * (0.1 + pool.rewards[near]))
    return int(topics.argmax()), int(forms.argmax())


def _features(
    pool: Pool,
    query: Query,
    adapted: list[Adapted],
    places: list[int],
    near: list[int],
    similarity: Floats,
    last: Floats,
    state: Floats,
    topic: int,
) -> Floats:
    """Candidates by features, in the order of `FEATURES`:

    similarity of the prompts; whether it is the most similar; the logarithm of its rank; similarity
    of the last messages; agreement of the states; whether it is of the usual topic; what the answer
    earned on its own prompt; what similar answers to similar prompts earned; the mean of its topic;
    similarity times reward; how much longer than usual it is (logarithm); share of its words that
    are its own prompt's and not this one's; slots whose value changed (logarithm); how usual the
    form of the answer is here (text, or tools called); whether it calls a tool; similarity of the
    answer to the last message.
    """  # noqa: D400
    table = np.zeros((len(places), len(FEATURES)))
    if not places:
        return table
    at = np.array(places)
    around = np.array(near)
    rewards, near_weights = pool.rewards[at], similarity[around] ** 4
    forms = np.bincount(
        pool.form_codes[around],
        near_weights * (0.1 + pool.rewards[around]),
        int(pool.form_codes.max()) + 1,
    )
    borrowed = []
    for place in places:
        words, count = pool.borrowed(place)
        borrowed.append(len(words - query.conversation.words) / max(1, count))
    columns = (
        similarity[at],
        np.arange(len(at)) == 0,
        np.log1p(np.arange(len(at))),
        last[at],
        state[at],
        pool.topic_codes[at] == topic,
        rewards,
        _alike_rewards(pool, at, around, near_weights),
        pool.topic_rewards[pool.topic_codes[at]],
        similarity[at] * (rewards - pool.mean),
        np.abs(pool.lengths[at] - np.median(pool.lengths[around])),
        borrowed,
        np.log1p([one.rebound for one in adapted]),
        forms[pool.form_codes[at]] / max(float(forms.sum()), 1e-12),
        [bool(one.message.tool_calls) for one in adapted],
        pool.answers[at] @ query.last,
    )
    return np.column_stack(columns).astype(float)


def _alike_rewards(pool: Pool, at: np.ndarray, around: np.ndarray, near_weights: Floats) -> Floats:
    """Mean reward of the answers around that say much the same, without the answer itself.

    Kernel regression (Nadaraya 1964, Watson 1964) with the squared cosine of the answers times the
    weight of the prompts; a weight of 0.02 on the pool's mean keeps it from being decided by
    nothing.
    """
    alike = np.asarray((pool.answers[at] @ pool.answers[around].T).todense(), float) ** 2
    weights = alike * near_weights * (at[:, None] != around)
    prior = 0.02
    estimated: Floats = (weights @ pool.rewards[around] + prior * pool.mean) / (
        weights.sum(axis=1) + prior
    )
    return estimated
