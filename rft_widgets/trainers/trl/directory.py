"""The folder of a run: prompts, grader, settings and the program that trains on them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Protocol

import msgspec
import yaml

from rft_widgets.graders.compile import write_grader
from rft_widgets.graders.sample import item_of
from rft_widgets.model.connection import ConnectionSettings
from rft_widgets.model.grader import Grader
from rft_widgets.model.message import to_json
from rft_widgets.model.record import Record
from rft_widgets.model.training import TrainingConfig
from rft_widgets.trainers.base import TrainingData
from rft_widgets.trainers.program.rft_training.places import TRAIN, VALID
from rft_widgets.trainers.program.rft_training.settings import Settings
from rft_widgets.trainers.trl.hardware import has_gpu
from rft_widgets.trainers.trl.settings import trl_settings

LAUNCH = "accelerate.yaml"
PROGRAM = "train.py"


class Parts(Protocol):
    """What a folder is made of; a `TrainingTask` is one."""

    @property
    def data(self) -> TrainingData:
        """The records."""

    @property
    def config(self) -> TrainingConfig:
        """Base model and hyperparameters."""

    @property
    def grader(self) -> Grader:
        """What gives the rewards."""


def write_training_directory(
    parts: Parts, folder: str | Path, *, connections: Sequence[ConnectionSettings] = ()
) -> Path:
    """Write a folder that trains by itself, without this package.

    Records that no text model can be asked are left out; see `usable_records`.

    Parameters
    ----------
    parts
        Records, configuration and grader.
    folder
        Where to; made if it is not there.
    connections
        Where the grader asks models.

    Raises
    ------
    InvalidArgument
        A hyperparameter is not right.
    GraderInvalid
        The grader cannot be used as it is written.
    """
    settings = trl_settings(parts.config)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with as_file(files("rft_widgets.trainers.program")) as program:
        for name in (PROGRAM, "README.md"):
            shutil.copyfile(program / name, folder / name)
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(
            program / "rft_training", folder / "rft_training", ignore=ignored, dirs_exist_ok=True
        )
    write_grader(parts.grader, folder, target="trl", connections=connections)
    _write_rows(folder / TRAIN, usable_records(parts.data.train)[0])
    _write_rows(folder / VALID, usable_records(parts.data.valid)[0])
    text = msgspec.json.format(msgspec.json.encode(settings), indent=2)
    (folder / "config.json").write_bytes(text + b"\n")
    (folder / LAUNCH).write_text(_launch_config(settings), encoding="utf-8")
    return folder


def usable_records(records: Sequence[Record]) -> tuple[tuple[Record, ...], tuple[str, ...]]:
    """Records whose prompt a text model can continue, and in words how many are not, and why."""
    used, answered, not_text = [], 0, 0
    for record in records:
        messages = record.input.messages
        if not messages or messages[-1].role == "assistant":
            answered += 1
        elif any(
            part.get("type") != "text"
            for message in messages
            if isinstance(message.content, tuple)
            for part in message.content
        ):
            not_text += 1
        else:
            used.append(record)
    notes = []
    if answered:
        notes.append(
            f"{answered} of {len(records)} records are left out: their prompt ends with an answer "
            "of the assistant, so nothing is asked."
        )
    if not_text:
        notes.append(
            f"{not_text} of {len(records)} records are left out: their prompt holds more than text."
        )
    return tuple(used), tuple(notes)


def _write_rows(path: Path, records: Sequence[Record]) -> None:
    with path.open("wb") as file:
        for record in records:
            row = {
                "id": record.id,
                "messages": to_json(record.input.messages),
                "item": msgspec.json.encode(item_of(record)).decode(),
            }
            if record.input.tools:
                row["tools"] = to_json(record.input.tools)
            file.write(msgspec.json.encode(row) + b"\n")


def _launch_config(settings: Settings) -> str:
    """What `accelerate launch` reads; several processes without a GPU speak over gloo."""
    values = {
        "compute_environment": "LOCAL_MACHINE",
        "distributed_type": "MULTI_GPU" if settings.num_processes > 1 else "NO",
        "num_machines": 1,
        "num_processes": settings.num_processes,
        "machine_rank": 0,
        "main_process_port": 0,
        "main_training_function": "main",
        "mixed_precision": "no",
        "use_cpu": not has_gpu(),
    }
    return yaml.safe_dump(values, sort_keys=False)
