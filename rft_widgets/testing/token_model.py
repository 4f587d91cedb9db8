"""A small real language model in numpy: the next token follows from the last one.

It has a table of scores for each pair of tokens and a score for each token. That is no language,
and enough to learn shapes of answers by reinforcement within some tens of steps.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt
from msgspec import Struct

Floats = npt.NDArray[np.float64]

_CLIP = 0.2
_SPREAD = 1.0
"""Of the random scores that a model begins with."""


class Sampled(Struct, frozen=True):
    """An answer: its tokens, the logarithms of their probabilities, and whether it came to an end.

    The token that ends it is one of them.
    """

    tokens: list[int]
    logprobs: list[float]
    is_ended: bool


class Example(Struct, frozen=True):
    """Tokens to learn from: each target with the token before it, and what its loss takes."""

    before: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64]
    logprobs: Floats
    advantages: Floats


class TokenModel:
    """Weights, the gradient that waits for the optimizer, and the moments of Adam.

    ``updates`` counts the steps of the optimizer that led to the weights.
    """

    def __init__(self, vocabulary: int, *, seed: int = 0) -> None:
        chance = np.random.default_rng(seed)
        self.pairs: Floats = chance.normal(0.0, _SPREAD, (vocabulary, vocabulary))
        self.single: Floats = np.zeros(vocabulary)
        self.updates = 0
        self._moments = [np.zeros_like(w) for w in (*self._weights, *self._weights)]
        self.forget()

    def copy(self, *, with_optimizer: bool = True) -> TokenModel:
        """The same model as it stands now, without a gradient."""
        made = object.__new__(TokenModel)
        made.pairs, made.single, made.updates = self.pairs.copy(), self.single.copy(), self.updates
        kept = self._moments if with_optimizer else [np.zeros_like(m) for m in self._moments]
        made._moments = [moment.copy() for moment in kept]
        made.forget()
        return made

    def forget(self) -> None:
        """Begin the gradient anew."""
        self._gradient = [np.zeros_like(weights) for weights in self._weights]

    def sample(
        self,
        last: int,
        *,
        times: int,
        most: int,
        temperature: float,
        stop: Collection[int],
        chance: np.random.Generator,
    ) -> list[Sampled]:
        """Answers to a prompt that ends with the token ``last``; greedy ones at temperature 0."""
        before = np.full(times, last)
        tokens: list[list[int]] = [[] for _ in range(times)]
        logprobs: list[list[float]] = [[] for _ in range(times)]
        going = list(range(times))
        for _ in range(most):
            if not going:
                break
            logs = self._logs(before[going])
            if temperature == 0:
                chosen = logs.argmax(axis=1)
            else:
                drawn = chance.gumbel(size=logs.shape)
                chosen = (logs / temperature + drawn).argmax(axis=1)
            for row, place in enumerate(tuple(going)):
                token = int(chosen[row])
                tokens[place].append(token)
                logprobs[place].append(float(logs[row, token]))
                before[place] = token
                if token in stop:
                    going.remove(place)
        return [
            Sampled(tokens[place], logprobs[place], place not in going) for place in range(times)
        ]

    def learn(self, examples: Sequence[Example], loss: str) -> tuple[float, list[Floats]]:
        """Add to the gradient; the loss, and for each target the logarithm of its probability.

        Losses are ``importance_sampling`` and ``ppo``, summed over tokens.
        """
        whole, found = 0.0, []
        for one in examples:
            logs = self._logs(one.before)
            rows = np.arange(len(one.targets))
            mine = logs[rows, one.targets]
            ratio = np.exp(mine - one.logprobs)
            weight = ratio * one.advantages
            if loss == "ppo":
                held = ((ratio > 1 + _CLIP) & (one.advantages > 0)) | (
                    (ratio < 1 - _CLIP) & (one.advantages < 0)
                )
                clipped = np.clip(ratio, 1 - _CLIP, 1 + _CLIP)
                whole -= float(np.minimum(weight, clipped * one.advantages).sum())
                weight = np.where(held, 0.0, weight)
            else:
                whole -= float(weight.sum())
            # Of -weight * log p(target) by the scores: weight * (p - 1 at the target).
            slope = np.exp(logs) * weight[:, None]
            slope[rows, one.targets] -= weight
            np.add.at(self._gradient[0], one.before, slope)
            self._gradient[1] += slope.sum(axis=0)
            found.append(mine)
        return whole, found

    def step(self, *, rate: float, beta1: float, beta2: float, eps: float) -> float:
        """One step of Adam with the gradient so far; the gradient's length."""
        self.updates += 1
        length = float(np.sqrt(sum(float((g**2).sum()) for g in self._gradient)))
        for i, (weights, gradient) in enumerate(zip(self._weights, self._gradient, strict=True)):
            first, second = self._moments[i], self._moments[2 + i]
            first += (1 - beta1) * (gradient - first)
            second += (1 - beta2) * (gradient**2 - second)
            mean = first / (1 - beta1**self.updates)
            spread = np.sqrt(second / (1 - beta2**self.updates))
            np.subtract(weights, rate * mean / (spread + eps), out=weights)
        self.forget()
        return length

    @property
    def _weights(self) -> tuple[Floats, Floats]:
        return self.pairs, self.single

    def _logs(self, before: npt.NDArray[np.int64]) -> Floats:
        scores = self.pairs[before] + self.single
        scores -= scores.max(axis=1, keepdims=True)
        logs: Floats = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return logs
