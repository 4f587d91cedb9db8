"""A task that a random model learns from nothing in some tens of steps: answer with digits."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rft_widgets as rft
from rft_widgets.model.message import Message
from rft_widgets.model.record import RecordInput, RecordOutput

DIGITS = {
    "type": "python",
    "name": "digits",
    "source": (
        "def grade(sample, item):\n"
        "    text = sample['output_text']\n"
        "    return sum(one in '0123456789' for one in text) / max(1, len(text))\n"
    ),
}
"""The share of an answer that is digits."""


def fill(dataset: rft.OptimizationDataset, records: int = 60) -> rft.OptimizationDataset:
    """Give a dataset its records and the grader."""
    dataset.add_records([
        rft.RecordDraft(
            id=f"r{n}",
            input=RecordInput((Message("user", f"Give me the number {n}."),)),
            output=RecordOutput((Message("assistant", "a few"),)),
        )
        for n in range(records)
    ])  # fmt: skip
    dataset.set_grader(DIGITS)
    return dataset


def config(model: Path, **hyperparameters: Any) -> dict[str, Any]:
    """A run that is short and still learns."""
    return {
        "trainer": "trl",
        "base_model": str(model),
        "train_ratio": 0.8,
        "hyperparameters": {
            "n_epochs": 10,
            "max_steps": 24,
            "learning_rate": 1e-2,
            "prompts_per_step": 4,
            "generations": 8,
            "max_completion_tokens": 12,
            "evaluations": 2,
            **hyperparameters,
        },
    }


def until(condition: Callable[[], Any], what: object, within_s: float = 120) -> Any:
    """Wait for something to be true, and give it."""
    ends = time.monotonic() + within_s
    while not (found := condition()):
        assert time.monotonic() < ends, what
        time.sleep(0.02)
    return found


def has_step(job: rft.TrainingJob, step: int) -> Callable[[], bool]:
    """Whether a run that is at work has come to a step."""

    def reached() -> bool:
        assert job.status in ("pending", "running"), (job, job.error)
        return job.progress is not None and job.progress.step >= step

    return reached


def kill_program(job: rft.TrainingJob) -> int:
    """Kill the process that trains, as the system would; its id."""
    pid = int((job.folder / "control/locks/rank-0").read_text())
    os.kill(pid, signal.SIGKILL)
    return pid


def is_running(pid: int) -> bool:
    """Whether there is a process of that id, other than one that waits to be forgotten."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
