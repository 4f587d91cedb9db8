"""What a training of the stand-in server would have measured: made up, foreseeable, labelled so."""

from __future__ import annotations

import csv
import io
import math
from typing import Any

from msgspec import Struct

from rft_widgets.testing.seeded import share

_EVALUATIONS = 5
_TOKENS = 180


class TrainingStep(Struct, frozen=True, kw_only=True):
    """One step: its event, and what a checkpoint of it says."""

    number: int
    is_evaluated: bool
    message: str
    metrics: dict[str, Any]
    checkpoint_metrics: dict[str, Any]
    tokens: int


def steps_of(about: dict[str, Any], total: int, *, seed: int) -> list[TrainingStep]:
    """The steps of a job that is described by ``about``."""
    make = _rewarded if about["method"]["type"] == "reinforcement" else _supervised
    every = max(1, total // _EVALUATIONS)
    return [
        make(about, number, total, (seed, about["seed"]), number % every == 0 or number == total)
        for number in range(1, total + 1)
    ]


def result_file(steps: list[TrainingStep]) -> bytes:
    """The CSV that a job leaves: one line a step."""
    rows = [_flat(step.metrics) for step in steps]
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _rewarded(
    about: dict[str, Any], number: int, total: int, seed: tuple[Any, ...], is_evaluated: bool
) -> TrainingStep:
    start = 0.2 + 0.3 * share(*seed, "start")
    gain = 0.1 + 0.3 * share(*seed, "gain")
    level = start + gain * (1 - math.exp(-3 * number / total))
    train = round(level + 0.06 * (share(*seed, "train", number) - 0.5), 4)
    valid = round(level - 0.02 + 0.03 * (share(*seed, "valid", number) - 0.5), 4)
    shown = valid if is_evaluated else None
    written = _TOKENS * (0.9 + 0.2 * share(*seed, "tokens", number))
    metrics: dict[str, Any] = {
        "step": number,
        "total_steps": total,
        "train_mean_reward": train,
        "full_valid_mean_reward": shown,
        "full_valid_mean_parse_error": 0.0 if is_evaluated else None,
        "mean_unresponsive_rewards": 0.0,
        "completion_tokens_mean": round(written, 1),
        "reasoning_tokens_mean": 0.0,
        "valid_reasoning_tokens_mean": 0.0,
        "model_graders_token_usage": {},
        "scores": {
            "train_reward_mean": train,
            "valid_reward_mean": shown,
            "graders": _graders(about, train, shown),
        },
        "usage": {"samples": {"train_reasoning_tokens_mean": 0.0}, "graders": []},
        "errors": {"graders": []},
        "timing": {"step": {"eval": 0.1, "sampling": 0.2, "training": 0.3, "full_iteration": 0.6},
                   "graders": []},
    }  # fmt: skip
    message = f"Step {number}/{total} , train mean reward={train:.2f}"
    if is_evaluated:
        message += (f", full validation mean reward={valid:.2f}, "
                    "full validation mean parse error=0.00")  # fmt: skip
    return TrainingStep(
        number=number,
        is_evaluated=is_evaluated,
        message=message,
        metrics=metrics,
        checkpoint_metrics={"train_reward_mean": train, "valid_reward_mean": valid},
        tokens=round(written),
    )


def _supervised(
    _about: dict[str, Any], number: int, total: int, seed: tuple[Any, ...], is_evaluated: bool
) -> TrainingStep:
    loss = round(0.4 + 1.6 * math.exp(-2 * number / total) + 0.1 * share(*seed, number), 4)
    accuracy = round(1 - 0.35 * loss, 4)
    measured = {"valid_loss": round(loss + 0.1, 4), "valid_mean_token_accuracy": accuracy}
    metrics = {
        "step": number,
        "total_steps": total,
        "train_loss": loss,
        "train_mean_token_accuracy": accuracy,
        **(measured if is_evaluated else {}),
    }
    return TrainingStep(
        number=number,
        is_evaluated=is_evaluated,
        message=f"Step {number}/{total}: training loss={loss:.2f}",
        metrics=metrics,
        checkpoint_metrics={"train_loss": loss, **measured},
        tokens=_TOKENS,
    )


def _graders(about: dict[str, Any], train: float, valid: float | None) -> list[dict[str, Any]]:
    grader = about["method"]["reinforcement"]["grader"]
    shown = {"train_reward_mean": train, "valid_reward_mean": valid}
    return [{"name": grader.get("name"), "type": grader.get("type"), **shown}]


def _flat(values: dict[str, Any], path: str = "") -> dict[str, Any]:
    """Values of objects by their paths; lists of graders by type and name, as the service does."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{path}{name}/")
        elif isinstance(value, list):
            for one in value:
                inner = {k: v for k, v in one.items() if k not in ("name", "type")}
                found |= _flat(inner, f"{path}{name}/{one['type']}/{one['name']}/")
        else:
            found[f"{path}{name}"] = value
    return found
