"""A trained language model that a service serves, by the OpenAI protocol."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from rft_widgets.errors import NoCandidate, RftError
from rft_widgets.llm.client import ModelClient
from rft_widgets.llm.concurrent import in_order
from rft_widgets.model.connection import NamedConnection
from rft_widgets.model.llm import ModelAnswer, ModelCallFailed, is_reasoning_model
from rft_widgets.model.message import Message, Tool, message_from_json, to_json
from rft_widgets.model.record import RecordInput
from rft_widgets.steps.grade import OpenClient
from rft_widgets.trainers.base import PolicyAnswer, Upstream


class ServedPolicy:
    """Asks a service for the answers of a model that it trained, and of the model from before.

    Calls stand in the ledger and keep to the limits of money of whoever opened it; what was paid
    for once is not asked again.

    Parameters
    ----------
    ask
        Opens a model, as `PolicyPlace.ask`; ``None`` for a policy that is only served.
    connection
        Where both models are; its own model is none of them.
    model, base_model
        What the service calls the trained model and the one from before; ``None`` where the
        service does not serve that one.
    max_tokens
        Most tokens of an answer; ``None`` leaves that to the service.
    """

    def __init__(
        self,
        ask: OpenClient | None,
        connection: NamedConnection,
        model: str,
        base_model: str | None,
        *,
        max_tokens: int | None = None,
    ) -> None:
        self._ask = ask
        self._connection = connection
        self.model = model
        self.base_model = base_model
        self._max_tokens = max_tokens
        self._clients: dict[str, ModelClient] = {}
        self._opening = threading.Lock()
        # A reasoning model takes no temperature; what came of one has a name that does not tell.
        thinks = is_reasoning_model(base_model or model) or is_reasoning_model(model)
        self._temperature = None if thinks else 0.0

    @property
    def upstream(self) -> Upstream | None:
        """Where requests can be passed on to."""
        return Upstream(
            connection=self._connection.connection, model=self.model, base_model=self.base_model
        )

    def respond(
        self, messages: Sequence[Message], tools: Sequence[Tool] = (), *, reference: bool = False
    ) -> PolicyAnswer:
        """Ask for an answer to a prompt, at temperature 0 where the model takes one.

        Raises
        ------
        NoCandidate
            ``reference`` is asked, and the service does not serve the model from before.
        RftError
            The service gave no answer; says why.
        """
        client = self._client(reference=reference)
        try:
            return self._asked(client, RecordInput(tuple(messages), tuple(tools)))
        except ModelCallFailed as error:
            raise RftError(
                f"{client.model} gave no answer: {error}", hint="Try again, or test the connection."
            ) from None

    def respond_many(
        self, prompts: Sequence[RecordInput], *, reference: bool = False
    ) -> Iterator[PolicyAnswer | None]:
        """Ask for answers to prompts in their order, as many at a time as the connection allows.

        ``None`` stands where the service gave none.
        """
        try:
            client = self._client(reference=reference)
        except NoCandidate:
            yield from (None for _ in prompts)
            return

        def asked(prompt: RecordInput) -> PolicyAnswer | None:
            try:
                return self._asked(client, prompt)
            except ModelCallFailed:
                return None

        yield from in_order(asked, prompts, concurrency=client.concurrency)

    def close(self) -> None:
        """End what is under way."""
        with self._opening:
            clients, self._clients = self._clients, {}
        for client in clients.values():
            client.close()

    def _client(self, *, reference: bool) -> ModelClient:
        model = self.base_model if reference else self.model
        if model is None:
            raise NoCandidate(
                "The service does not serve the model from before the training.",
                hint="Name another upstream for the base model.",
            )
        if self._ask is None:
            raise RftError(f"{model} cannot be asked from here.", hint="Ask the deployment.")
        with self._opening:
            if model not in self._clients:
                named = msgspec.structs.replace(self._connection, model=model)
                self._clients[model] = self._ask(named)
            return self._clients[model]

    def _asked(self, client: ModelClient, prompt: RecordInput) -> PolicyAnswer:
        began = time.perf_counter()
        found = client.ask(
            to_json(prompt.messages),
            temperature=self._temperature,
            max_tokens=self._max_tokens,
            tools=to_json(prompt.tools) or None,
        )
        return PolicyAnswer(
            message=_message(found),
            finish_reason=found.finish_reason or ("tool_calls" if found.tool_calls else "stop"),
            usage=found.usage,
            cost_micro_usd=found.cost_micro_usd,
            seconds=time.perf_counter() - began,
            is_repeated=found.from_cache,
        )


def _message(found: ModelAnswer) -> Message:
    value: dict[str, Any] = {"role": "assistant", "content": found.text}
    if found.tool_calls:
        value["tool_calls"] = list(found.tool_calls)
    if found.refusal is not None:
        value["refusal"] = found.refusal
    return message_from_json(value, "answer")
