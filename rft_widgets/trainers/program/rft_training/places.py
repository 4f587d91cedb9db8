"""Where everything stands in the folder of a run, and writing it as a whole."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

TRAIN, VALID = "train.jsonl", "valid.jsonl"
"""Prompts to learn from and to measure on."""
METRICS, ROLLOUTS = "metrics.jsonl", "rollouts.jsonl"
"""One line a step: what was measured, and answers with their rewards."""
CHECKPOINTS = "checkpoints"
COMPLETE = "complete"
"""A file in the folder of a checkpoint that was written to its end."""
MEASURED = "measured"
"""Greedy answers to the validation prompts, one file a measured step."""
CONTROL = "control"
PLAN = f"{CONTROL}/plan.json"
"""What the program found out before the first step: how many there are, and what was left out."""
SERVICE = f"{CONTROL}/grader.json"
"""Address and token of who grades; without it the grader beside `train.py` does."""
STOP = f"{CONTROL}/stop"
"""A run that finds this saves a checkpoint and ends."""
ENDED = f"{CONTROL}/ended.json"
"""How the program ended; it is not there after a kill."""


def checkpoint_name(step: int) -> str:
    """Folder of the checkpoint after a step, under that of the run."""
    return f"{CHECKPOINTS}/checkpoint-{step}"


def measured_name(step: int) -> str:
    """File of the answers after a step, under the folder of the run."""
    return f"{MEASURED}/step-{step:06d}.json"


def write_whole(path: Path, value: Any) -> None:
    """Write a value as JSON, so that a reader finds all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(msgspec.json.encode(value))
    draft.replace(path)


def complete_checkpoints(folder: Path) -> list[tuple[int, Path]]:
    """Checkpoints that were written to their end, by step."""
    found = []
    for path in (folder / CHECKPOINTS).glob("checkpoint-*"):
        number = path.name.removeprefix("checkpoint-")
        if number.isdecimal() and (path / COMPLETE).exists():
            found.append((int(number), path))
    return sorted(found)
