"""Rewards, asked for when they are needed and never twice."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from rft_widgets.graders.sample import item_of, sample_of
from rft_widgets.model.message import Message
from rft_widgets.model.record import Record
from rft_widgets.trainers.base import Rewarder
from rft_widgets.trainers.local.pool import Floats

_SMALLEST_BATCH, _LARGEST_BATCH = 8, 512
"""Of judges, eight are asked at a time: fewer would only take longer."""
_BATCH_S = 0.25


class Rewards:
    """Rewards by prompt and answer.

    Parameters
    ----------
    rewarder
        What gives them.
    known
        Those from before, by key; it is added to.
    between
        Called after each batch of gradings, which take about a quarter of a second: the place to
        save what is known, and to stop by an exception.
    """

    def __init__(
        self, rewarder: Rewarder, known: dict[int, float | None], between: Callable[[], None]
    ) -> None:
        self._rewarder = rewarder
        self.known = known
        self._between = between
        self._batch = _SMALLEST_BATCH
        self._prompts: dict[str, bytes] = {}

    def ask(self, wanted: Sequence[tuple[Record, Sequence[Message]]]) -> Floats:
        """Rewards of answers to prompts, in their order; NaN where the grading failed."""
        keys = [self._key(record, answer) for record, answer in wanted]
        missing = {
            key: pair for key, pair in zip(keys, wanted, strict=True) if key not in self.known
        }
        waiting = list(missing.items())
        while waiting:
            batch, waiting = waiting[: self._batch], waiting[self._batch :]
            start = time.monotonic()
            given = self._rewarder(
                [
                    (sample_of(record.input, answer), item_of(record))
                    for _, (record, answer) in batch
                ]
            )
            taken = time.monotonic() - start
            for (key, _), reward in zip(batch, given, strict=True):
                finite = reward is not None and math.isfinite(reward)
                self.known[key] = float(reward) if finite and reward is not None else None
            # How many there are in a batch decides nothing but how often a stop is asked for.
            if taken < _BATCH_S / 2:
                self._batch = min(_LARGEST_BATCH, self._batch * 2)
            elif taken > _BATCH_S:
                self._batch = max(_SMALLEST_BATCH, self._batch // 2)
            self._between()
        found = (self.known[key] for key in keys)
        return np.array([math.nan if reward is None else reward for reward in found], float)

    def _key(self, record: Record, answer: Sequence[Message]) -> int:
        """Key of what a grader sees: the prompt, its item and the answer, but not the record."""
        if record.id not in self._prompts:
            seen = msgspec.msgpack.encode((record.input, record.item))
            self._prompts[record.id] = hashlib.blake2b(seen, digest_size=16).digest()
        text = self._prompts[record.id] + msgspec.msgpack.encode(tuple(answer))
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")
