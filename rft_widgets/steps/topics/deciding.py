"""A model's word on which topic a record belongs to."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from rft_widgets.llm.client import ModelClient
from rft_widgets.llm.concurrent import in_order
from rft_widgets.model.estimate import Workload, tokens_of_messages
from rft_widgets.model.topic import TopicHierarchy
from rft_widgets.model.topic_settings import TOPIC_MODEL, TopicModelSettings
from rft_widgets.steps.topics.asking import answer_schema, as_number, ask_about, messages_of
from rft_widgets.steps.topics.features import batched
from rft_widgets.store import model_notes

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store

Near = Callable[[Sequence[str]], Sequence[Sequence[int]]]
"""Places of the likely topics of each text, where there are too many topics to list them all."""

_SCHEMA = answer_schema(
    "decisions",
    {
        "topic": {"type": "integer"},
        "second": {"type": "integer"},
        "confidence": {"type": "number"},
    },
)
_TASK = (
    "You sort messages to an assistant into topics. The user message lists the topics and the "
    "messages, each with a number. Give for each message the number of the topic that a careful "
    "person would put it under, or 0 where none fits; the number of the topic that fits next best, "
    "or 0; and the chance, from 0 to 1, that the person would choose your topic. "
    'Answer with JSON: {"decisions": [{"number": 1, "topic": 3, "second": 0, "confidence": 0.9}]}, '
    "one item for each message."
)


class Decision(Struct, frozen=True):
    """What a model said of a text. Places of topics among the leaves; -1 where none fits.

    ``stated`` is how sure (0..1) the model calls itself: a word of it, and no confidence.
    """

    topic: int
    second: int
    stated: float


class ModelDecider:
    """Asks a model about texts, several in a request and each text once.

    What it said is kept by the text, the topics, the instructions and the model: it stays known
    whatever the text is asked about together with, and whoever stops or kills the work.

    Parameters
    ----------
    client
        The model.
    store, dataset_id
        Where what it said is kept.
    tree
        The topics.
    instructions
        What whoever asks wants, in their words.
    near
        Likely topics of texts; used where there are more topics than are listed.
    cancelled
        Asked all along.
    settings
        Every number.
    """

    def __init__(
        self,
        client: ModelClient,
        store: Store,
        dataset_id: str,
        tree: TopicHierarchy,
        near: Near,
        *,
        instructions: str = "",
        cancelled: Callable[[], bool] = bool,
        settings: TopicModelSettings = TOPIC_MODEL,
    ) -> None:
        self._client, self._store, self._dataset_id = client, store, dataset_id
        self._near, self._cancelled, self._settings = near, cancelled, settings
        self._topics = listed_topics(tree, settings)
        self._paths = {path.casefold(): place for place, path in enumerate(tree.paths)}
        self._system = system_of(instructions)
        named = client.named
        about = msgspec.json.encode(self._topics).decode()
        self._asked = ("decision", named.connection.base_url, named.model, self._system, about)
        self._known: dict[tuple[str, int], Decision] = {}
        self.problem = ""
        """Why a text has no decision, of the first that has none."""

    @property
    def model(self) -> str:
        """The model that is asked."""
        return self._client.named.model

    def known(self, text: str, repeat: int = 0) -> Decision | None:
        """What the model said of a text, if it was asked and said something."""
        return self._known.get((text, repeat))

    def ask(
        self,
        texts: Sequence[str],
        *,
        repeat: int = 0,
        tell: Callable[[int, int], None] | None = None,
    ) -> None:
        """Ask about texts; `known` has what it said, also when this is stopped on the way.

        A text that an answer leaves out, or gives no topic that there is, is asked about once more.

        Parameters
        ----------
        texts
            The texts.
        repeat
            Not 0: ask anew, with the topics in another order.
        tell
            Called with the number of texts that were asked about, and of all.
        """
        keys = {text: model_notes.key_of(*self._asked, text, str(repeat)) for text in texts}
        found = model_notes.read(self._store, self._dataset_id, list(keys.values()))
        for text, key in keys.items():
            if key in found:
                self._known[text, repeat] = msgspec.json.decode(found[key], type=Decision)
        refused: set[str] = set()
        for attempt in range(2):
            missing = [text for text in keys if (text, repeat) not in self._known]
            open_ones = [text for text in missing if text not in refused]
            done = len(keys) - len(missing)
            ask = partial(self._ask, keys=keys, repeat=repeat, again=attempt > 0)
            batches = batched(open_ones, self._settings.records_per_request)
            for asked, is_final in in_order(
                ask, batches, concurrency=self._client.concurrency, cancelled=self._cancelled
            ):
                refused.update(asked if is_final else ())
                done += len(asked)
                if tell is not None and attempt == 0:
                    tell(done, len(keys))

    def _ask(
        self, texts: list[str], *, keys: Mapping[str, str], repeat: int, again: bool
    ) -> tuple[list[str], bool]:
        """Ask about some texts; gives these back, and whether to leave it at that."""
        places = self._listed(texts, repeat)
        replies = ask_about(
            self._client,
            self._system,
            data_of([self._topics[place] for place in places], texts, self._settings),
            _SCHEMA,
            max_tokens=self._settings.decision_tokens * (len(texts) + 1),
            repeat=2 * repeat + again,
        )
        said: dict[str, bytes] = {}
        for number, text in enumerate(texts, 1):
            decision = self._read(replies.items.get(number, {}), places)
            if decision is not None:
                self._known[text, repeat] = decision
                said[keys[text]] = msgspec.json.encode(decision)
        if len(said) < len(texts) and not self.problem:
            self.problem = replies.problem or "the answer gave some records no topic that there is"
        if said:
            model_notes.keep(self._store, self._dataset_id, said)
        return texts, replies.is_final

    def _listed(self, texts: Sequence[str], repeat: int) -> list[int]:
        """Places of the topics that a request lists, in the order in which it lists them."""
        places = list(range(len(self._topics)))
        if len(places) > self._settings.listed_topics:
            near = self._near(texts)
            places = sorted({place for some in near for place in some})
        if repeat:
            random.Random(repeat).shuffle(places)  # noqa: S311 - an order, not a secret
        return places

    def _read(self, item: Mapping[str, Any], places: Sequence[int]) -> Decision | None:
        topic = self._place(item.get("topic"), places)
        if topic is None:
            return None
        second = self._place(item.get("second"), places)
        return Decision(
            topic,
            -1 if second is None or second == topic else second,
            _share(item.get("confidence")),
        )

    def _place(self, value: Any, places: Sequence[int]) -> int | None:
        """Place of the topic of a number or a path; -1 for none, ``None`` for what is neither."""
        number = as_number(value)
        if number is None:
            return self._paths.get(value.strip().casefold()) if isinstance(value, str) else None
        if number == 0:
            return -1
        return places[number - 1] if 1 <= number <= len(places) else None


def deciding_workload(
    tree: TopicHierarchy,
    records: int,
    text_chars: float,
    instructions: str = "",
    settings: TopicModelSettings = TOPIC_MODEL,
) -> Workload:
    """Calls and tokens that deciding about so many records is expected to take.

    Parameters
    ----------
    tree
        The topics.
    records
        How many texts.
    text_chars
        Usual length of one.
    instructions, settings
        As for `ModelDecider`.
    """
    size = settings.records_per_request
    text = "x" * int(min(text_chars, settings.record_chars))
    topics = listed_topics(tree, settings)[: max(settings.listed_topics, 1)]
    system = system_of(instructions)
    work = Workload()
    for count, times in ((size, records // size), (records % size, 1)):
        if count and times:
            messages = messages_of(system, data_of(topics, [text] * count, settings))
            work += Workload(
                calls=1,
                prompt_tokens=tokens_of_messages(messages),
                completion_tokens=settings.decision_tokens * count * 3 // 4,
            ).times(times)
    return work


def system_of(instructions: str) -> str:
    """What the model is asked to do."""
    wanted = instructions.strip()
    return f"{_TASK}\n\nWhoever asks wants this: {wanted}" if wanted else _TASK


def listed_topics(tree: TopicHierarchy, settings: TopicModelSettings) -> list[dict[str, Any]]:
    """The leaves as a request lists them."""
    return [
        {"topic": leaf.id}
        | ({"about": leaf.description} if leaf.description else {})
        | ({"words": leaf.keywords[: settings.keywords_listed]} if leaf.keywords else {})
        for leaf in tree.leaves()
    ]


def data_of(
    topics: Sequence[Mapping[str, Any]], texts: Sequence[str], settings: TopicModelSettings
) -> dict[str, Any]:
    """Topics and texts with the numbers that they have in one request."""
    return {
        "topics": list(_numbered(topics)),
        "messages": list(_numbered([{"text": text[: settings.record_chars]} for text in texts])),
    }


def _numbered(items: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    return ({"number": number, **item} for number, item in enumerate(items, 1))


def _share(value: Any) -> float:
    """A share from 0 to 1, also one in percent; the middle for what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return 0.5
    return min(max(float(value) / (100 if value > 1 else 1), 0.0), 1.0)
