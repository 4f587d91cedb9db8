"""The reward function that TRL calls, and what is written down of the answers it sees."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import msgspec
from accelerate.utils import gather_object

from .chat import Chat
from .grader import Grader, GraderLost, StopAsked
from .places import ROLLOUTS, STOP
from .prompts import Prompt
from .settings import Settings

KEPT_A_STEP = 64
"""Most answers of a step that are written down; groups are kept whole."""
_SMALL = 1e-4
"""TRL adds this to a standard deviation before it divides by it."""


class Rewards:
    """Asks the grader for the rewards of a step, and writes its answers to `rollouts.jsonl`."""

    __name__ = "reward"  # TRL names its metrics after it

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        grader: Grader,
        chat: Chat,
        prompts: Sequence[Prompt],
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._grader = grader
        self._chat = chat
        self._prompts = {one.id: one for one in prompts}

    def __call__(
        self,
        completion_ids: list[list[int]],
        record_id: list[str],
        trainer_state: Any,
        log_metric: Callable[[str, float], None],
        **_: Any,
    ) -> list[float | None]:
        """Rewards of the answers that this process sampled.

        Raises
        ------
        StopAsked, GraderLost
            In every process, where one of them heard it: they stop together.
        """
        asked = [self._prompts[one] for one in record_id]
        answers = [
            self._chat.answer(ids, one.text, one.tools)
            for ids, one in zip(completion_ids, asked, strict=True)
        ]
        fault: Exception | None = None
        rewards: list[float | None] = []
        if (self._folder / STOP).exists():
            fault = StopAsked()
        else:
            try:
                rewards = self._grader.grade(asked, answers)
            except (StopAsked, GraderLost) as heard:
                fault = heard
        lengths = [len(ids) for ids in completion_ids]
        mine = (fault, list(zip(record_id, answers, rewards or [None] * len(answers), lengths,
                                strict=True)))  # fmt: skip
        everybody = gather_object([mine]) if self._settings.num_processes > 1 else [mine]
        faults = [one for one, _ in everybody if one is not None]
        if faults:
            raise faults[0]
        log_metric("grader/error_rate", sum(one is None for one in rewards) / len(rewards))
        if trainer_state.is_world_process_zero:
            rows = [row for _, some in everybody for row in some]
            self._write(trainer_state.global_step + 1, rows)
        return rewards

    def _write(
        self, step: int, rows: Sequence[tuple[str, dict[str, Any], float | None, int]]
    ) -> None:
        size = self._settings.generations
        groups = max(1, KEPT_A_STEP // size)
        advantages = advantages_of([row[2] for row in rows], size, self._settings.scale_rewards)
        kept = [
            {"record": record, "answer": answer, "reward": reward, "advantage": advantage,
             "tokens": tokens}
            for (record, answer, reward, tokens), advantage in zip(rows, advantages, strict=True)
        ][: groups * size]  # fmt: skip
        line = msgspec.json.encode({"step": step, "rollouts": kept}) + b"\n"
        with (self._folder / ROLLOUTS).open("ab") as file:
            file.write(line)


def advantages_of(rewards: Sequence[float | None], size: int, scale: str) -> list[float | None]:
    """Advantages as TRL computes them: a reward less the mean of its group, over a deviation."""
    known = [reward for reward in rewards if reward is not None]
    whole = stdev(known) if len(known) > 1 else 0.0
    found: list[float | None] = []
    for start in range(0, len(rewards), size):
        group = rewards[start : start + size]
        there = [reward for reward in group if reward is not None]
        mean = fmean(there) if there else math.nan
        own = stdev(there) if len(there) > 1 else 0.0
        spread = {"group": own + _SMALL, "batch": whole + _SMALL, "none": 1.0}[scale]
        found += [None if reward is None else (reward - mean) / spread for reward in group]
    return found
