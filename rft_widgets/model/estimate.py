"""What asking models will take, before anything is spent."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from rft_widgets.model.call_settings import CALLS


class Workload(Struct, frozen=True, kw_only=True):
    """Calls that a piece of work plans, and the tokens that they are expected to take."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def tokens(self) -> int:
        """Prompt and completion together."""
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: Workload) -> Workload:
        return Workload(
            calls=self.calls + other.calls,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
        )

    def times(self, n: int) -> Workload:
        """The same, ``n`` times."""
        return Workload(
            calls=self.calls * n,
            prompt_tokens=self.prompt_tokens * n,
            completion_tokens=self.completion_tokens * n,
        )


class PastError(Struct, frozen=True, kw_only=True):
    """How far earlier estimates for the same purpose were from what came.

    Attributes
    ----------
    works
        Pieces of work that were estimated, and came to their end.
    ratio
        Median of what came over what was estimated: in money where prices were known, else in
        tokens. 1.2 says that it came to 20 % more.
    lowest, highest
        Smallest and largest of these ratios.
    """

    works: int
    ratio: float
    lowest: float
    highest: float


class WorkEstimate(Struct, frozen=True, kw_only=True):
    """What a piece of work is expected to take.

    Attributes
    ----------
    cost_micro_usd
        Millionths of a dollar; ``None`` where the price of the model is not known.
    minutes
        ``None`` where the pace of the model is not known yet.
    past_error
        ``None`` where nothing like it came to its end yet.
    """

    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost_micro_usd: int | None
    minutes: float | None
    past_error: PastError | None = None


def tokens_in(text: str) -> int:
    """About how many tokens a text has."""
    return math.ceil(len(text) / CALLS.chars_per_token)


def tokens_of_messages(messages: Iterable[Any]) -> int:
    """About how many tokens messages in the chat completions shape have, tools' calls included."""
    return sum(
        CALLS.tokens_per_message
        + math.ceil(len(msgspec.json.encode(message)) / CALLS.chars_per_token)
        for message in messages
    )


def cost_of(
    prompt_tokens: int,
    completion_tokens: int,
    input_price: int | None,
    output_price: int | None,
) -> int | None:
    """Price of tokens in millionths of a dollar, rounded up; prices are for a million tokens."""
    parts = 0
    for tokens, price in ((prompt_tokens, input_price), (completion_tokens, output_price)):
        if tokens and price is None:
            return None
        parts += tokens * (price or 0)
    return -(-parts // 1_000_000)


def micro_usd(usd: float | None) -> int | None:
    """Dollars as whole millionths of a dollar, rounded down; ``None`` for no limit."""
    return None if usd is None else int(usd * 1_000_000 + 1e-6)
