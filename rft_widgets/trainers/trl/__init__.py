"""The trainer ``trl``: GRPO on weights of one's own, on this machine, by TRL's `GRPOTrainer`.

The run's folder holds a program that trains without this package; see
`rft_widgets.trainers.trl.directory`.
"""

from __future__ import annotations

import importlib.util
import sys

from rft_widgets.model.training_plan import TrainerCapabilities, TrainerInfo
from rft_widgets.trainers.base import Trainer
from rft_widgets.trainers.graders import EVERY_GRADER
from rft_widgets.trainers.trl.artifact import open_policy
from rft_widgets.trainers.trl.checks import check, estimate
from rft_widgets.trainers.trl.directory import write_training_directory
from rft_widgets.trainers.trl.run import train
from rft_widgets.trainers.trl.settings import FIELDS

__all__ = ["TRAINER", "train", "write_training_directory"]

_PACKAGES = ("torch", "transformers", "trl", "accelerate", "datasets")


def _missing() -> str:
    if sys.platform == "win32":
        return "It runs on Linux and macOS; on Windows, in its subsystem for Linux."
    absent = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if not absent:
        return ""
    return f"Install {', '.join(absent)} with: pip install 'rft-widgets[trl]'"


def _info() -> TrainerInfo:
    return TrainerInfo(
        name="trl",
        title="Your own GPU",
        description=(
            "Trains a language model by GRPO on this machine, with TRL: all weights, or a LoRA "
            "adapter. On one GPU or several; small models also without one."
        ),
        needs="Weights of a model, and for all but tiny ones a GPU. No key.",
        base_model=(
            "A folder with a chat model as transformers writes it, or a name of the hub, which is "
            "downloaded."
        ),
        capabilities=TrainerCapabilities(
            grader_runs="here",
            graders=EVERY_GRADER,
            pauses=True,
            survives_restart=True,
            rollouts=True,
            checkpoints=True,
            measures=True,
            tools=True,
            serving="By the app's own endpoint, or by vLLM from the folder of the checkpoint.",
        ),
        needs_base_model=True,
        hyperparameters=FIELDS,
        missing=_missing(),
    )


TRAINER = Trainer(info=_info, check=check, estimate=estimate, train=train, policy=open_policy)
