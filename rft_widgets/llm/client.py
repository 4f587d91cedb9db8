"""A model as pieces of work ask it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from msgspec import structs

from rft_widgets.errors import InvalidArgument
from rft_widgets.llm.answers import read_chat, read_embeddings
from rft_widgets.llm.asker import Answered, Asker, Read, V
from rft_widgets.llm.budget import Budget, shared_budget
from rft_widgets.llm.catalogue import ModelPrice, price_of
from rft_widgets.llm.concurrent import in_order
from rft_widgets.llm.endpoint import Endpoint, Transport
from rft_widgets.llm.gate import Pace
from rft_widgets.llm.ledger import Ledger
from rft_widgets.llm.requests import ModelRequest, chat_request, embedding_request
from rft_widgets.model.call_settings import CALLS, CallSettings
from rft_widgets.model.connection import NamedConnection
from rft_widgets.model.estimate import Workload, cost_of
from rft_widgets.model.llm import CallTotals, ModelAnswer, ModelUsage, Purpose
from rft_widgets.store import model_calls, model_works
from rft_widgets.store.history import current_job
from rft_widgets.store.model_works import ModelWork

if TYPE_CHECKING:
    from rft_widgets.store.connection import Store


class ModelClient:
    """Asks one model for one piece of work; a `ModelCall`, and an `Embed` by `embed`.

    Safe to share by threads: ``concurrency`` of them keep it busy, which are more than the
    connection allows requests, for an answer is written down before it is given. Close it after
    use, or use it in ``with``: it ends what is under way, and writes what is left.

    Parameters
    ----------
    named
        Where the model is.
    purpose
        What it is asked for.
    cap_micro_usd
        Most that may be spent; the clients of one job share it. What a job has spent in an attempt
        before this one counts.
    cancelled
        Asked every tenth of a second; everything that waits for an answer ends within one second
        after it says so.
    store, dataset_id
        Where requests and answers are written; without them nothing is kept, and nothing answered
        from what was paid for before.
    planned
        What the work was estimated from.
    transport
        What carries requests, where that is not the connection.

    Raises
    ------
    ExtraRequired
        The ``openai`` package is not installed.
    InvalidArgument
        The URL is not one that a key may be sent to.
    """

    def __init__(
        self,
        named: NamedConnection,
        *,
        purpose: Purpose,
        cap_micro_usd: int | None = None,
        cancelled: Callable[[], bool] = bool,
        store: Store | None = None,
        dataset_id: str = "",
        planned: Workload | None = None,
        settings: CallSettings = CALLS,
        transport: Transport | None = None,
    ) -> None:
        self.named, self.purpose, self.model = named, purpose, named.model
        self.concurrency = named.concurrency + math.ceil(settings.ahead_share * named.concurrency)
        self._base_url = named.connection.base_url.rstrip("/")
        self._cancelled, self._planned = cancelled, planned
        self._store, self._dataset_id = store, dataset_id
        self._job_id = current_job.get() or ""
        self._began: float | None = None
        self._is_closed = False
        self._prices: dict[str, ModelPrice] = {}
        carrier = transport or Endpoint(named.connection, most=named.concurrency)
        self._budget = self._open_budget(cap_micro_usd)
        self._asker = Asker(
            carrier,
            what=f"{named.model} at {self._base_url}",
            concurrency=named.concurrency,
            ahead=self.concurrency,
            pace=Pace.of(named),
            budget=self._budget,
            price=self._price,
            ledger=self._open_ledger(settings),
            cancelled=cancelled,
            settings=settings,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(is_whole=kind is None)

    def __repr__(self) -> str:
        return f"<ModelClient {self.model} at {self._base_url}, {self.purpose}>"

    def close(self, *, is_whole: bool = True) -> None:
        """End what is under way; ``is_whole`` says whether the work came to its end."""
        if self._is_closed:
            return
        self._is_closed = True
        took_s = 0.0 if self._began is None else time.monotonic() - self._began
        try:
            self._asker.close()
        finally:
            self._budget.close()
        tally, planned = self._asker.tally, self._planned
        if self._store is None or not tally.calls + tally.cached:
            return
        work = ModelWork(
            job_id=self._job_id,
            purpose=self.purpose,
            model=self.model,
            is_whole=is_whole,
            seconds=took_s,
            calls=tally.calls,
            cached=tally.cached,
            tokens=tally.worth_tokens,
            cost_micro_usd=tally.worth,
            planned_tokens=None if planned is None else planned.tokens,
            planned_micro_usd=None
            if planned is None
            else self._price(self.model, planned.prompt_tokens, planned.completion_tokens),
        )
        with self._store.write() as connection:
            model_works.keep(connection, self._dataset_id, work)

    @property
    def totals(self) -> CallTotals:
        """What the calls of this client came to."""
        tally = self._asker.tally
        return CallTotals(
            calls=tally.calls,
            cached=tally.cached,
            failed=tally.failed,
            uncertain=tally.uncertain,
            prompt_tokens=tally.prompt_tokens,
            completion_tokens=tally.completion_tokens,
            cost_micro_usd=tally.cost,
        )

    def ask(
        self,
        messages: Sequence[dict[str, Any]],
        *,
        temperature: float | None = None,
        max_tokens: int | None = None,
        response_schema: dict[str, Any] | None = None,
        tools: Sequence[dict[str, Any]] | None = None,
        tool_choice: Any = None,
        repeat: int = 0,
    ) -> ModelAnswer:
        """Ask the connection's own model; as a `ModelCall`."""
        return self(
            self.model,
            messages,
            temperature=temperature,
            max_tokens=max_tokens,
            response_schema=response_schema,
            tools=tools,
            tool_choice=tool_choice,
            repeat=repeat,
        )

    def __call__(
        self,
        model: str,
        messages: Sequence[dict[str, Any]],
        *,
        temperature: float | None = None,
        max_tokens: int | None = None,
        top_p: float | None = None,
        seed: int | None = None,
        response_schema: dict[str, Any] | None = None,
        reasoning_effort: str | None = None,
        tools: Sequence[dict[str, Any]] | None = None,
        tool_choice: Any = None,
        repeat: int = 0,
    ) -> ModelAnswer:
        """Ask a model; see `ModelCall`.

        Raises
        ------
        ModelCallFailed
            This call brought no answer.
        BudgetReached, ModelRefused, TooManyFailures, RunInterrupted
            The whole work has to end; so does every call after it.
        """
        request = chat_request(
            self._base_url,
            model,
            messages,
            structured=self.named.connection.structured,
            temperature=temperature,
            max_tokens=max_tokens,
            top_p=top_p,
            seed=seed,
            response_schema=response_schema,
            reasoning_effort=reasoning_effort,
            tools=tools,
            tool_choice=tool_choice,
            repeat=repeat,
        )
        answered = self._ask(request, _chat)
        return structs.replace(
            answered.value,
            from_cache=answered.from_cache,
            cost_micro_usd=answered.cost,
            key=request.key,
        )

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Vectors of texts from the connection's embedding model, in order.

        Raises
        ------
        InvalidArgument
            The connection names no embedding model.
        ModelCallFailed, RftError
            As for a call; one failed request is none of the vectors.
        """
        model = self.named.embedding_model
        if model is None:
            raise InvalidArgument(
                f"The connection {self.named.name!r} names no embedding model.",
                hint="Give it one: add_connection(..., embedding_model=...).",
            )
        unique = list(dict.fromkeys(texts))
        size = CALLS.texts_per_embedding
        batches = [unique[start : start + size] for start in range(0, len(unique), size)]

        def embedded(batch: list[str]) -> list[list[float]]:
            # An empty text is refused by most services.
            request = embedding_request(self._base_url, model, [text or " " for text in batch])
            return self._ask(request, lambda raw: read_embeddings(raw, len(batch))).value

        found = in_order(embedded, batches, concurrency=self.concurrency, cancelled=self._cancelled)
        vectors = dict(zip(unique, (vector for some in found for vector in some), strict=True))
        return [vectors[text] for text in texts]

    def _ask(self, request: ModelRequest, read: Read[V]) -> Answered[V]:
        if self._began is None:
            self._began = time.monotonic()
        return self._asker.ask(request, read)

    def _price(self, model: str, prompt_tokens: int, completion_tokens: int) -> int | None:
        price = self._prices.get(model)
        if price is None:
            price = self._prices[model] = price_of(model, self.named)
        return cost_of(prompt_tokens, completion_tokens, price.input_price, price.output_price)

    def _open_budget(self, cap: int | None) -> Budget:
        if self._store is None or not self._job_id:
            return shared_budget(cap)
        with self._store.read() as connection:
            spent = model_calls.spent(connection, self._dataset_id, self._job_id)
        return Budget.of_job(self._store.url, self._job_id, cap, spent)

    def _open_ledger(self, settings: CallSettings) -> Ledger | None:
        if self._store is None:
            return None
        return Ledger(
            self._store,
            self._dataset_id,
            purpose=self.purpose,
            job_id=self._job_id,
            settings=settings,
        )


def _chat(raw: bytes) -> tuple[ModelAnswer, ModelUsage | None]:
    answer = read_chat(raw)
    return answer, answer.usage
