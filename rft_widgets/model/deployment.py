"""A deployment as values: how it shares out traffic, how it stands, and what it has served."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct

DeploymentMode = Literal["replace", "new_endpoint", "ab_test"]
"""The tuned model in the base model's place, beside it, or in its place for some of the users."""

DeploymentStatus = Literal["active", "rolled_back"]
"""Whether the tuned arm takes part."""

ExchangeOutcome = Literal["completed", "failed", "disconnected", "stopped"]
"""How an exchange ended; only ``failed`` is the arm's fault: a client left, or the server did."""


class DeploymentState(Struct, frozen=True, kw_only=True):
    """What may change while a deployment serves."""

    status: DeploymentStatus = "active"
    tuned_percent: float = 50.0
    """Share of users that the tuned arm answers in an ``ab_test``, 0 to 100."""

    def __post_init__(self) -> None:
        if not 0 <= self.tuned_percent <= 100:
            raise ValueError(f"tuned_percent is {self.tuned_percent}, not between 0 and 100.")


class ServedExchange(Struct, frozen=True, kw_only=True):
    """One request that an arm was given, and what became of it.

    ``assignment`` stands for the user, or for the conversation where no user was named: a hash
    that is the same for all requests which stick to one arm, the unit that an A/B test compares.
    The token counts are estimates from the length of the texts, for every arm alike.
    """

    deployment: str
    arm: str
    model: str
    assignment: str
    started_at: datetime
    latency_s: float
    first_byte_s: float | None
    status: int
    streamed: bool
    outcome: ExchangeOutcome
    error: str | None = None
    messages: tuple[dict[str, Any], ...] = ()
    tools: tuple[dict[str, Any], ...] = ()
    answer: dict[str, Any] | None = None
    finish_reason: str | None = None
    estimated_prompt_tokens: int = 0
    estimated_completion_tokens: int = 0


class ArmCounts(Struct, frozen=True, kw_only=True):
    """What one arm has served since its server was made."""

    requests: int = 0
    errors: int = 0
    disconnected: int = 0
    streamed: int = 0
    latency_s: float = 0.0
    """Sum over all requests."""
    estimated_prompt_tokens: int = 0
    estimated_completion_tokens: int = 0

    def plus(self, exchange: ServedExchange) -> ArmCounts:
        """Add one exchange."""
        return msgspec.structs.replace(
            self,
            requests=self.requests + 1,
            errors=self.errors + (exchange.outcome == "failed"),
            disconnected=self.disconnected + (exchange.outcome == "disconnected"),
            streamed=self.streamed + exchange.streamed,
            latency_s=self.latency_s + exchange.latency_s,
            estimated_prompt_tokens=self.estimated_prompt_tokens + exchange.estimated_prompt_tokens,
            estimated_completion_tokens=self.estimated_completion_tokens
            + exchange.estimated_completion_tokens,
        )
