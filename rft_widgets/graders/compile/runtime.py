"""A grader at work outside: what the folders that `write_grader` writes are built around."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from rft_widgets.graders.compile.reading import read_item, read_sample
from rft_widgets.graders.compiled import JUDGE_CONCURRENCY, CompiledGrader, compile_grader
from rft_widgets.graders.rewards import normalized_reward
from rft_widgets.model.grader import Grader, GradingResult
from rft_widgets.model.llm import Embed, ModelCall


class Graded(Struct, frozen=True, kw_only=True):
    """One grading.

    Attributes
    ----------
    reward
        On the scale 0..1; ``None`` where grading failed, which is not a zero. Where code or a
        formula decides, it is what that gave.
    error
        Why it failed.
    parts
        What each grader of a combination gave, on its own scale.
    """

    reward: float | None
    error: str | None = None
    parts: dict[str, float | None] = {}


class GraderAtWork:
    """A grader, made ready when it is first needed, in each process that needs it.

    Parameters
    ----------
    grader
        The grader.
    model_call, embed
        How models are asked, where it asks any.
    concurrency
        How many answers are judged at a time.
    """

    def __init__(
        self,
        grader: Grader,
        *,
        model_call: ModelCall | None = None,
        embed: Embed | None = None,
        concurrency: int = JUDGE_CONCURRENCY,
    ) -> None:
        self.grader = grader
        self._model_call, self._embed, self._concurrency = model_call, embed, concurrency
        self._lock = threading.Lock()
        self._ready: tuple[int, CompiledGrader] | None = None

    @staticmethod
    def read_item(item: Any) -> dict[str, Any]:
        """An item as a value, of itself or its JSON."""
        return read_item(item)

    def grade(self, answer: Any, item: Any) -> Graded:
        """Grade one answer: text, a message or messages; the item as a value or its JSON."""
        return self.grade_many([(answer, item)])[0]

    def grade_many(self, pairs: Iterable[tuple[Any, Any]]) -> list[Graded]:
        """Grade answers with their items, several at a time where that is faster."""
        samples = []
        for answer, item in pairs:
            read = read_item(item)
            samples.append((read_sample(answer, read), read))
        compiled = self._compiled()
        alone = 1 if len(samples) == 1 else None  # no threads for a single one
        return [self._graded(one) for one in compiled.grade_many(samples, concurrency=alone)]

    def _compiled(self) -> CompiledGrader:
        with self._lock:
            if self._ready is None or self._ready[0] != os.getpid():
                compiled = compile_grader(
                    self.grader,
                    model_call=self._model_call,
                    embed=self._embed,
                    concurrency=self._concurrency,
                )
                self._ready = (os.getpid(), compiled)
            return self._ready[1]

    def _graded(self, result: GradingResult) -> Graded:
        return Graded(
            reward=normalized_reward(self.grader, result),
            error=result.error,
            parts=result.sub_rewards,
        )
