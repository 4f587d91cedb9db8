"""What happens between two steps: it is written down, measured, saved, and may be the end."""

from __future__ import annotations

import contextlib
import math
import time
from pathlib import Path
from typing import Any

import msgspec
from accelerate.utils import gather_object
from transformers import TrainerCallback

from .measure import Measuring
from .places import (
    COMPLETE,
    METRICS,
    STOP,
    checkpoint_name,
    complete_checkpoints,
    measured_name,
)
from .settings import Settings

SAVE_AFTER_S = 900.0
"""A checkpoint is saved after so long, whatever the steps: no more than that is lost by a kill."""
_RESUMABLE = 2
"""Checkpoints that keep the optimizer's state, which is larger than the weights."""


class Journal(TrainerCallback):  # type: ignore[misc]  # it has no types
    """Writes `metrics.jsonl`, measures, saves checkpoints and hears when to stop."""

    def __init__(self, folder: Path, settings: Settings, measuring: Measuring, steps: int) -> None:
        self._folder = folder
        self._settings = settings
        self._measuring = measuring
        self._steps = steps
        self._measured = settings.measured_steps(steps)
        self._saved_at = time.monotonic()

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Answer the validation prompts before the first step."""
        del args, control
        if state.global_step == 0 and not (self._folder / measured_name(0)).exists():
            self._measuring.measure(0)

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any
    ) -> None:
        """Write down what TRL measured of a step."""
        del args, control
        if not state.is_world_process_zero or not logs or "reward" not in logs:
            return
        numbers = {
            name: float(value)
            for name, value in logs.items()
            if isinstance(value, (int, float)) and math.isfinite(value)
        }
        line = {"step": state.global_step, "epoch": numbers.pop("epoch", 0.0), "metrics": numbers}
        with (self._folder / METRICS).open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")
        reward = numbers.get("reward", math.nan)
        print(f"step {state.global_step}/{self._steps}: reward {reward:.3f}", flush=True)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Measure, save or stop, where it is time to."""
        del args
        step = state.global_step
        is_measured = step in self._measured
        if is_measured:
            self._measuring.measure(step)
        every = self._settings.save_every
        is_due = is_measured if every is None else step % every == 0
        is_late = time.monotonic() - self._saved_at > SAVE_AFTER_S
        stops = (self._folder / STOP).exists()
        if self._settings.num_processes > 1:  # the clock and the file are those of the first one
            is_late, stops = gather_object([(is_late, stops)])[0]
        control.should_save = is_due or is_late or stops or step == self._steps
        control.should_training_stop = control.should_training_stop or stops

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Mark a checkpoint as complete, and free older ones of what only resuming needs."""
        del args, control
        self._saved_at = time.monotonic()
        if state.is_world_process_zero:
            mark_complete(self._folder, state.global_step)


def mark_complete(folder: Path, step: int) -> None:
    """Say that a checkpoint was written to its end; older ones keep their weights alone."""
    (folder / checkpoint_name(step) / COMPLETE).touch()
    for _, path in complete_checkpoints(folder)[:-_RESUMABLE]:
        with contextlib.suppress(FileNotFoundError):
            (path / "optimizer.pt").unlink()
