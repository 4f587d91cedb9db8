"""What can be said against a run before it starts, and what it will take."""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path

from rft_widgets.errors import InvalidArgument
from rft_widgets.graders.compiled import asks_models
from rft_widgets.model.training_plan import TrainingEstimate
from rft_widgets.trainers.base import TrainingRequest
from rft_widgets.trainers.program.rft_training.settings import Settings
from rft_widgets.trainers.trl.settings import trl_settings

_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "spiece.model")
_HUB_NAME = re.compile(r"([\w.-]+/)?[\w.-]+")


def check(request: TrainingRequest) -> Settings:
    """Refuse what cannot be trained, in words.

    Raises
    ------
    InvalidArgument
        Settings do not fit together, the model is not there, or there are too few records.
    """
    settings = trl_settings(request.config)
    if settings.is_folder:
        check_folder(Path(settings.model))
    else:
        _check_hub_name(settings.model)
    if request.train < settings.prompts_per_step:
        raise InvalidArgument(
            f"There are {request.train} records to learn from, and a step takes "
            f"{settings.prompts_per_step}.",
            hint="Lower prompts_per_step, or import or generate more records.",
        )
    if settings.lora == "lora" and importlib.util.find_spec("peft") is None:
        raise InvalidArgument(
            "LoRA needs peft, which is not installed.",
            hint="Install it with: pip install 'rft-widgets[trl]'",
        )
    if settings.use_vllm == "colocate" and importlib.util.find_spec("vllm") is None:
        raise InvalidArgument(
            "use_vllm is 'colocate', and vLLM is not installed.",
            hint="Install it with: pip install 'trl[vllm]', or set use_vllm to 'auto'.",
        )
    return settings


def check_folder(folder: Path) -> None:
    """Refuse a folder that is no model of `transformers`."""
    if not folder.is_dir():
        raise InvalidArgument(
            f"There is no folder {folder}.",
            hint="Give the folder of a model, or a name of the hub such as 'owner/model'.",
        )
    lacks = []
    if not (folder / "config.json").is_file():
        lacks.append("config.json")
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        lacks.append("a tokenizer (tokenizer.json)")
    if not any(path for pattern in _WEIGHTS for path in folder.glob(pattern)):
        is_adapter = (folder / "adapter_config.json").is_file()
        lacks.append(
            "weights (it is an adapter: give its base model)" if is_adapter else
            "weights (*.safetensors)"
        )  # fmt: skip
    if lacks:
        raise InvalidArgument(
            f"{folder} is not the folder of a model: it lacks {', '.join(lacks)}.",
            hint="Write one with save_pretrained of the model and of its tokenizer.",
        )


def _check_hub_name(name: str) -> None:
    if not _HUB_NAME.fullmatch(name):
        raise InvalidArgument(
            f"{name!r} is neither a folder nor a name of the hub.",
            hint="A name of the hub is 'owner/model'; a folder begins with '/', './' or '~'.",
        )
    for variable in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        if os.environ.get(variable, "").upper() in ("1", "ON", "YES", "TRUE"):
            raise InvalidArgument(
                f"{name} would be downloaded from the hub, and {variable} forbids that.",
                hint="Give the folder of a model, or remove the variable.",
            )


def estimate(request: TrainingRequest) -> TrainingEstimate:
    """At most how many answers are graded; a judge's price is not known before."""
    settings = trl_settings(request.config)
    steps = settings.steps(request.train)
    looks = len(settings.measured_steps(steps)) if steps else 0
    sampled = steps * settings.prompts_per_step * settings.generations
    costs = asks_models(request.grader)
    basis = "On this machine."
    if costs:
        basis = "On this machine; each grading asks a model, whose price depends on the answers."
    return TrainingEstimate(
        seconds=None,
        basis="",
        gradings=sampled + request.valid * (looks + 1),
        cost_micro_usd=None if costs else 0,
        cost_basis=basis,
    )
