"""Calls to a language model as values; who makes them is the caller's choice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

from msgspec import Struct

STAND_IN = "scripted-stand-in"
"""Model id of the scripts that answer instead of a model, to try and test what asks one."""
STAND_IN_NOTICE = "A scripted stand-in, not a model: rules over words answer."


class ModelConnection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a model is asked: any endpoint that speaks the OpenAI protocol. It holds no key.

    ``base_url`` goes up to ``/v1``; ``api_key_env`` *names* the environment variable with the key,
    ``None`` for a service that wants none; ``structured`` is false for servers that refuse a
    response schema.
    """

    base_url: str
    api_key_env: str | None = "OPENAI_API_KEY"
    timeout_s: float = 60.0
    structured: bool = True


class ModelUsage(Struct, frozen=True, kw_only=True):
    """Tokens of one call, as the service counted them; ``None`` where it did not say."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None

    @property
    def total_tokens(self) -> int | None:
        """Prompt and completion together."""
        if self.prompt_tokens is None and self.completion_tokens is None:
            return None
        return (self.prompt_tokens or 0) + (self.completion_tokens or 0)


class ModelAnswer(Struct, frozen=True, kw_only=True):
    """What a model answered.

    ``text`` is ``None`` when there is none, ``refusal`` the text of a refusal, ``model`` the model
    that the service says answered.
    """

    text: str | None
    usage: ModelUsage | None = None
    refusal: str | None = None
    finish_reason: str | None = None
    model: str | None = None
    tool_calls: tuple[dict[str, Any], ...] = ()
    """Calls of tools as the service gave them, in the chat completions shape."""
    from_cache: bool = False
    """Whether it was paid for before: by an attempt that was cut off, or by the same request."""
    cost_micro_usd: int | None = None
    """Price of the call in millionths of a dollar; ``None`` where no price is known."""
    key: str = ""
    """SHA-256 of the request and its repeat, by which the ledger knows the call."""


class ModelCallFailed(Exception):  # noqa: N818 - caught by whoever called, never shown as a trace
    """A call brought no answer; the text says why, without secrets.

    ``status`` is the HTTP status where there was one, ``retryable`` whether it may work later.
    """

    def __init__(self, message: str, *, status: int | None = None, retryable: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.retryable = retryable


class ModelCall(Protocol):
    """One chat completion. ``None`` leaves a parameter to the service.

    An implementation raises `ModelCallFailed`; any other exception counts as a failed call too.
    It must be usable from several threads at once.
    """

    def __call__(
        self,
        model: str,
        messages: Sequence[dict[str, Any]],
        *,
        temperature: float | None,
        max_tokens: int | None,
        top_p: float | None,
        seed: int | None,
        response_schema: dict[str, Any] | None,
        reasoning_effort: str | None = None,
        tools: Sequence[dict[str, Any]] | None = None,
        tool_choice: Any = None,
        repeat: int = 0,
    ) -> ModelAnswer:
        """Ask the model.

        ``repeat`` counts the times that the same thing is asked on purpose: an answer that was
        paid for is given again only to the same ``repeat``.
        """


Purpose = Literal["judge", "generate", "topics", "rollout", "embed", "test"]
"""What a model is asked for."""


class CallTotals(Struct, frozen=True, kw_only=True):
    """What the calls of a piece of work came to.

    Attributes
    ----------
    calls
        Requests that were answered and paid for.
    cached
        Answers that were there already.
    failed
        Requests without an answer that could be used, after all attempts.
    uncertain
        Requests that were sent, and whose answer nobody saw: they may have been paid.
    cost_micro_usd
        Price in millionths of a dollar; ``None`` where the price of any call is unknown.
    """

    calls: int = 0
    cached: int = 0
    failed: int = 0
    uncertain: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_micro_usd: int | None = 0


class UncertainCall(Struct, frozen=True, kw_only=True):
    """A request that was sent, and whose answer nobody saw: it may have been paid.

    Attributes
    ----------
    is_held
        It is not sent again until somebody says so, because of its price.
    is_answered
        It was sent again, and answered then.
    cost_micro_usd
        Most that it may have cost; ``None`` while the price of the model is not known.
    """

    key: str
    purpose: Purpose
    model: str
    job_id: str | None
    sent_at: datetime
    is_held: bool
    is_answered: bool
    cost_micro_usd: int | None


def total_of(parts: Iterable[CallTotals]) -> CallTotals:
    """Several pieces of work together; of unknown price as soon as one of them is."""
    whole = CallTotals()
    for part in parts:
        prices = (whole.cost_micro_usd, part.cost_micro_usd)
        whole = CallTotals(
            calls=whole.calls + part.calls,
            cached=whole.cached + part.cached,
            failed=whole.failed + part.failed,
            uncertain=whole.uncertain + part.uncertain,
            prompt_tokens=whole.prompt_tokens + part.prompt_tokens,
            completion_tokens=whole.completion_tokens + part.completion_tokens,
            cost_micro_usd=sum(price or 0 for price in prices) if None not in prices else None,
        )
    return whole


class Embed(Protocol):
    """Vectors of texts, in order, all of one length."""

    def __call__(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Embed the texts."""


def is_reasoning_model(model: str) -> bool:
    """Whether a model's name says that it takes no temperature and thinks on its token budget."""
    name = model.rpartition("/")[2]
    return re.match(r"(ft:)?(o\d|gpt-([5-9]|\d\d)(?!.*chat))", name) is not None
