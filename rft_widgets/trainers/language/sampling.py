"""How a language model chooses the tokens of an answer."""

from __future__ import annotations

from msgspec import Struct


class Sampling(Struct, frozen=True, kw_only=True):
    """How an answer is chosen; by default greedily, so that the same prompt has the same answer.

    Attributes
    ----------
    max_tokens
        Most tokens of the answer; ``None`` for as many as the policy allows.
    temperature
        Divides the scores of the tokens; 0 takes the most likely one each time.
    top_p
        Tokens are drawn among the most likely ones that have this probability together.
    seed
        The same seed draws the same answer.
    stop
        Texts that end the answer, and are no part of it.
    """

    max_tokens: int | None = None
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()


GREEDY = Sampling()
