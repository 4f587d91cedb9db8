"""What the policy chooses from: recorded answers, and all that can be said of them beforehand."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from rft_widgets.model.message import Message
from rft_widgets.model.record import Record, RecordInput
from rft_widgets.steps.topics.features import TextSpace, fit_space, single_threaded
from rft_widgets.trainers.local.conversation import (
    Conversation,
    read_conversation,
    state_of,
    words_of,
)
from rft_widgets.trainers.local.slots import Names, Template, known_names, make_template

Floats = npt.NDArray[np.float64]


class PoolEntry(Struct, frozen=True, omit_defaults=True):
    """A recorded prompt, what was answered to it, and the reward of that (0..1, if known)."""

    record_id: str
    input: RecordInput
    answer: Message
    topic: str | None = None
    reward: float | None = None


def pool_entries(records: Sequence[Record], limit: int, seed: int) -> list[PoolEntry]:
    """Take the answers of the records, of too many a seeded sample, in the order of their ids.

    Records that answer with nothing are left out. Of an answer in several messages the first one
    counts, since it is the one that follows on the prompt.
    """
    entries = []
    for record in sorted(records, key=lambda one: one.id):
        answer = first_answer(record)
        if answer is not None:
            entries.append(PoolEntry(record.id, record.input, answer, record.topic))
    if len(entries) > limit:
        rng = random.Random(seed)  # noqa: S311 - a sample, not a secret
        entries = [entries[i] for i in sorted(rng.sample(range(len(entries)), limit))]
    return entries


def first_answer(record: Record) -> Message | None:
    """The first assistant message of a record's output that says or calls anything."""
    answers = (m for m in record.output.messages if m.role == "assistant")
    return next((m for m in answers if m.text.strip() or m.tool_calls), None)


def form_of(answer: Message) -> str:
    """What kind of answer it is: ``text``, or the tools that it calls."""
    called = [call.function.name for call in answer.tool_calls if call.function]
    return "call:" + ",".join(called) if called else "text"


class Query:
    """A prompt as the pool is asked for it."""

    def __init__(self, record_input: RecordInput, space: TextSpace) -> None:
        messages = record_input.messages
        self.conversation = read_conversation(messages)
        self.state = state_of(record_input)
        self.tools = frozenset(t.function.name for t in record_input.tools if t.function)
        last, whole = query_texts(record_input)
        # Dense: a sparse matrix times a dense vector is one pass over the matrix.
        self.last, self.whole = space.weigh([last, whole]).toarray()


def query_texts(record_input: RecordInput) -> tuple[str, str]:
    """The last user message, and all of them."""
    texts = [message.text for message in record_input.messages if message.role == "user"]
    return (texts[-1] if texts else "", "\n".join(texts))


class Pool:
    """Recorded answers with the space their prompts are compared in.

    All of it follows from the entries; rewards may be known later, by `set_rewards`.
    """

    def __init__(self, entries: Sequence[PoolEntry]) -> None:
        self.entries = list(entries)
        self.size = len(self.entries)
        texts = [query_texts(entry.input) for entry in self.entries]
        answers = [_answer_text(entry.answer) for entry in self.entries]
        with single_threaded():
            # No latent axes: words decide, and sparse sums are the same on every machine.
            self.space = fit_space([*(last for last, _ in texts), *answers], axes=0)
        self.last = self.space.weigh([last for last, _ in texts])
        self.whole = self.space.weigh([whole for _, whole in texts])
        self.answers = self.space.weigh(answers)
        self.forms = [form_of(entry.answer) for entry in self.entries]
        self.form_codes = _codes(self.forms)
        self.topics = [entry.topic for entry in self.entries]
        self.topic_codes = _codes([topic or "" for topic in self.topics])
        self.tools = [
            frozenset(c.function.name for c in entry.answer.tool_calls if c.function)
            for entry in self.entries
        ]
        self.lengths = np.array([np.log1p(len(entry.answer.text)) for entry in self.entries])
        self._states = _StateTable([state_of(entry.input) for entry in self.entries])
        self._conversations: dict[int, Conversation] = {}
        self._templates: dict[int, Template | None] = {}
        self._borrowed: dict[int, frozenset[str]] = {}
        self._words: dict[int, int] = {}
        self.set_rewards({entry.record_id: entry.reward for entry in self.entries})

    def set_rewards(self, rewards: Mapping[str, float | None]) -> None:
        """Say what each answer earned on its own prompt, by record id; ``None`` if unknown.

        Where it is unknown, the mean of the topic stands for it, drawn to the mean of all.
        """
        known = np.array(
            [np.nan if (r := rewards.get(e.record_id)) is None else r for e in self.entries], float
        )
        is_known = ~np.isnan(known)
        self.mean = float(known[is_known].mean()) if is_known.any() else 0.0
        count = int(self.topic_codes.max()) + 1 if self.size else 0
        sums = np.bincount(self.topic_codes[is_known], known[is_known], count)
        sizes = np.bincount(self.topic_codes[is_known], minlength=count)
        prior = 3.0
        self.topic_rewards: Floats = (sums + prior * self.mean) / (sizes + prior)
        self.rewards: Floats = np.where(is_known, known, self.topic_rewards[self.topic_codes])
        self.entries = [
            PoolEntry(e.record_id, e.input, e.answer, e.topic, rewards.get(e.record_id))
            for e in self.entries
        ]

    @cached_property
    def names(self) -> Names:
        """What arguments of tools are known to be, over all recorded calls."""
        return known_names(
            (entry.answer, self.conversation(i))
            for i, entry in enumerate(self.entries)
            if entry.answer.tool_calls
        )

    def conversation(self, i: int) -> Conversation:
        """What the prompt of an entry holds."""
        if i not in self._conversations:
            self._conversations[i] = read_conversation(self.entries[i].input.messages)
        return self._conversations[i]

    def template(self, i: int) -> Template | None:
        """The answer of an entry with its slots, ``None`` if nobody else can be given it."""
        if i not in self._templates:
            entry = self.entries[i]
            self._templates[i] = make_template(entry.answer, self.conversation(i), self.names)
        return self._templates[i]

    def borrowed(self, i: int) -> tuple[frozenset[str], int]:
        """Words that an answer has from its own prompt, and the number of its words."""
        if i not in self._borrowed:
            words = set(words_of(self.entries[i].answer.text))
            self._borrowed[i] = frozenset(words & self.conversation(i).words)
            self._words[i] = len(words)
        return self._borrowed[i], self._words[i]

    def similarities(self, query: Query) -> tuple[Floats, Floats, Floats]:
        """How similar each recorded prompt is: its last message, all of them, and its state.

        Three vectors of the pool's size, 0..1: two cosines and a Jaccard index.
        """
        last, whole = self.last @ query.last, self.whole @ query.whole
        return last.astype(float), whole.astype(float), self._states.agreement(query.state)


class _StateTable:
    """States of many prompts, to be compared with one at once."""

    def __init__(self, states: Sequence[frozenset[str]]) -> None:
        self._columns = {mark: i for i, mark in enumerate(sorted(frozenset().union(*states)))}
        self._distinct = sorted(set(states), key=sorted)
        number = {state: i for i, state in enumerate(self._distinct)}
        self._rows = np.array([number[state] for state in states], np.int64)
        self._table = np.zeros((len(self._distinct), len(self._columns)), np.int64)
        for i, state in enumerate(self._distinct):
            self._table[i, [self._columns[mark] for mark in state]] = 1

    def agreement(self, state: frozenset[str]) -> Floats:
        own = [self._columns[mark] for mark in state if mark in self._columns]
        shared = self._table[:, own].sum(axis=1)
        union = self._table.sum(axis=1) + len(state) - shared
        agreed: Floats = np.where(union > 0, shared / np.maximum(union, 1), 1.0)[self._rows]
        return agreed


def _answer_text(answer: Message) -> str:
    calls = (f"{c.function.name} {c.function.arguments}" for c in answer.tool_calls if c.function)
    return "\n".join([answer.text, *calls])


def _codes(values: Sequence[Any]) -> npt.NDArray[np.int64]:
    numbers = {value: i for i, value in enumerate(sorted(set(values)))}
    return np.array([numbers[value] for value in values], np.int64)
