"""A model as pieces of work ask it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from rft_widgets.llm.connection import OpenAIModelCall
from rft_widgets.model.connection import NamedConnection
from rft_widgets.model.llm import CallTotals, ModelAnswer, Purpose


class ModelClient:
    """Asks one model for one piece of work; a `ModelCall`, and an `Embed` by `embed`.

    Safe to share by threads: ``concurrency`` of them keep it busy.
    """

    def __init__(
        self,
        named: NamedConnection,
        *,
        purpose: Purpose,
        cap_micro_usd: int | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> None:
        self.named, self.purpose = named, purpose
        self.model, self.concurrency = named.model, named.concurrency
        self._cap, self._cancelled = cap_micro_usd, cancelled
        one = named.connection
        self._call = OpenAIModelCall(
            one.base_url,
            api_key_env=one.api_key_env,
            timeout_s=one.timeout_s,
            structured=one.structured,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._call.close()

    @property
    def totals(self) -> CallTotals:
        """What the calls of this client came to."""
        return CallTotals()

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
        """Ask a model; see `ModelCall`."""
        return self._call(
            model,
            messages,
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

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Vectors of texts from the connection's embedding model."""
        raise NotImplementedError
