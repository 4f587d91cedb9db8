"""Asking for candidates round by round, until every topic has what it should."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import zip_longest

import msgspec

from rft_widgets.llm.concurrent import in_order
from rft_widgets.model.estimate import tokens_in, tokens_of_messages
from rft_widgets.model.generation import (
    Candidate,
    GenerationConfig,
    GenerationPlan,
    Strategy,
    TopicPlan,
)
from rft_widgets.model.llm import ModelAnswer, ModelCallFailed
from rft_widgets.steps.generation import (
    few_shot,
    message_variation,
    scenario_expansion,
    tool_chain,
    topic_description,
)
from rft_widgets.steps.generation.answers import schema_of
from rft_widgets.steps.generation.candidates import Judge
from rft_widgets.steps.generation.material import Material, Request
from rft_widgets.steps.generation.plan import per_request
from rft_widgets.steps.progress import Told
from rft_widgets.store.generation import Fill, StoredCandidate

Compose = Callable[[Material, GenerationConfig, int, int, Sequence[str]], Request]
Answer = ModelAnswer | ModelCallFailed
Ask = Callable[[Request], ModelAnswer]
Keep = Callable[[Sequence[Candidate], int, int], None]
"""Gets the candidates of a request, its round, and its number."""

STRATEGIES: Mapping[Strategy, Compose] = {
    "message_variation": message_variation.request,
    "few_shot": few_shot.request,
    "topic_description": topic_description.request,
    "scenario_expansion": scenario_expansion.request,
    "tool_chain": tool_chain.request,
}
"""How each strategy writes a request."""


def request_tokens(material: Material, config: GenerationConfig, plan: TopicPlan) -> int:
    """About how many tokens a request for a topic has, by its first one."""
    count = min(per_request(config, plan.strategy), plan.to_generate)
    first = STRATEGIES[plan.strategy](material, config, 0, count, ())
    schema = msgspec.json.encode(schema_of(first)).decode()
    return tokens_of_messages(first.messages) + tokens_in(schema)


class Run:
    """The requests of a batch, of which some may be answered already.

    What is asked follows from the plan, the material and the candidates of the rounds before: a
    run that was cut off goes on with the same requests.

    Parameters
    ----------
    plan
        What is asked for.
    fill
        How many of it are wanted now, and in which rounds.
    materials
        By topic.
    stored
        Candidates that came before.
    """

    def __init__(
        self,
        plan: GenerationPlan,
        fill: Fill,
        materials: Mapping[str, Material],
        stored: Sequence[StoredCandidate],
    ) -> None:
        self._config, self._materials, self._fill = plan.config, materials, fill
        self._topics = [one for one in plan.topics if fill.wanted.get(one.topic)]
        self._rows: dict[str, list[StoredCandidate]] = defaultdict(list)
        for one in stored:
            self._rows[one.candidate.topic].append(one)
        self._next = max((one.candidate.id for one in stored), default=-1) + 1
        self._done = {one.topic: self._good(one.topic) for one in self._topics}

    def ask(
        self,
        ask: Ask,
        judge: Judge,
        keep: Keep,
        *,
        concurrency: int,
        cancelled: Callable[[], bool] = bool,
        told: Told | None = None,
    ) -> None:
        """Ask until nothing is missing, or the last of the rounds is over.

        Parameters
        ----------
        ask
            Asks a model; a `ModelCallFailed` counts as the answer to that request.
        judge
            Finds what is wrong with candidates.
        keep
            Called with the candidates of each request, in order.
        concurrency
            Requests at a time.
        cancelled
            Asked often.
        told
            Is told the share that is done and what is being done.
        """

        def answer(request: Request) -> tuple[Request, Answer]:
            try:
                return request, ask(request)
            except ModelCallFailed as error:
                return request, error

        for number in range(self._fill.first, self._fill.last + 1):
            asked = {(topic, one.request) for topic, rows in self._rows.items() for one in rows}
            left = (one for one in self._requests(number) if (one.topic, one.number) not in asked)
            answers = in_order(answer, left, concurrency=concurrency, cancelled=cancelled)
            for request, found in answers:
                candidates = judge.candidates(request, found, self._next)
                keep(candidates, number, request.number)
                self._take(candidates, number, request.number)
                if told is not None:
                    told(*self._progress(request.topic))

    def _requests(self, number: int) -> Iterator[Request]:
        """Requests of a round: of each topic one, then of each the next, and so on.

        So a run that is stopped early has something of every topic.
        """
        by_topic = [self._of_topic(one, number) for one in self._topics]
        for turn in zip_longest(*by_topic):
            yield from (one for one in turn if one is not None)

    def _of_topic(self, topic: TopicPlan, number: int) -> Iterator[Request]:
        before = [one for one in self._rows[topic.topic] if one.round < number]
        missing = self._fill.wanted[topic.topic] - self._good(topic.topic, before=number)
        position = max((one.request for one in before), default=-1) + 1
        known = tuple(one.candidate.text for one in before if one.candidate.fault is None)
        most = per_request(self._config, topic.strategy)
        compose, material = STRATEGIES[topic.strategy], self._materials[topic.topic]
        while missing > 0:
            count = min(most, missing)
            yield compose(material, self._config, position, count, known)
            missing -= count
            position += 1

    def _take(self, candidates: Sequence[Candidate], number: int, request: int) -> None:
        for one in candidates:
            self._rows[one.topic].append(
                StoredCandidate(candidate=one, round=number, request=request)
            )
            self._done[one.topic] += one.fault is None
        self._next += len(candidates)

    def _progress(self, topic: str) -> tuple[float, str]:
        wanted, done = self._fill.wanted, sum(self._done.values())
        whole = sum(wanted[one.topic] for one in self._topics)
        words = f"{done:,} of {whole:,} records; {topic}: {self._done[topic]:,}"
        return done / whole, f"{words} of {wanted[topic]:,}"

    def _good(self, topic: str, *, before: int | None = None) -> int:
        """Good candidates of this fill so far, or of its rounds before one."""
        last = self._fill.last + 1 if before is None else before
        return sum(
            one.candidate.fault is None and self._fill.first <= one.round < last
            for one in self._rows[topic]
        )
