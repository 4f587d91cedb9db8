"""The trainer ``ray``: what the trainer ``trl`` does, by the workers of a Ray cluster.

The folder of the run is sent as a job, whose workers run the same program in parallel on their
data; see `rft_widgets.trainers.ray.job`.
"""

from __future__ import annotations

import importlib.util
import shutil
from importlib.resources import as_file, files

import msgspec

from rft_widgets.errors import InvalidArgument
from rft_widgets.graders.compiled import asks_models
from rft_widgets.model.training import Checkpoint
from rft_widgets.model.training_plan import TrainerCapabilities, TrainerInfo, TrainingEstimate
from rft_widgets.trainers.base import (
    Policy,
    PolicyPlace,
    Trainer,
    TrainingOutcome,
    TrainingRequest,
    TrainingRun,
    TrainingTask,
)
from rft_widgets.trainers.hyperparameters import read_settings
from rft_widgets.trainers.ray.job import PROGRAM, RayProgram
from rft_widgets.trainers.ray.mirror import OPTIONS
from rft_widgets.trainers.ray.settings import (
    FIELDS,
    SETTINGS,
    cluster_of,
    options_of,
    trl_config,
)
from rft_widgets.trainers.trl import TRAINER as TRL
from rft_widgets.trainers.trl import run as trl
from rft_widgets.trainers.trl.artifact import Artifact

__all__ = ["TRAINER"]

_GRADERS = ("string_check", "text_similarity", "python", "multi")


def _info() -> TrainerInfo:
    alone = TRL.info()
    absent = importlib.util.find_spec("ray") is None
    missing = "Install Ray with: pip install 'rft-widgets[ray]'" if absent else alone.missing
    return TrainerInfo(
        name="ray",
        title="Ray cluster",
        description=(
            "Trains a language model by GRPO with TRL on the workers of a Ray cluster, each with "
            "its share of every step."
        ),
        needs=(
            "A Ray cluster with torch, trl, msgspec and rapidfuzz on its nodes: `ray start --head` "
            "on one machine, `ray start --address HOST:6379` on the others."
        ),
        base_model=(
            "A name of the hub, which the nodes download, or a folder that lies at the same place "
            "here and on every node."
        ),
        capabilities=TrainerCapabilities(
            grader_runs="service",
            graders=_GRADERS,
            pauses=True,
            survives_restart=True,
            rollouts=True,
            checkpoints=True,
            measures=True,
            tools=True,
            serving=alone.capabilities.serving,
        ),
        needs_base_model=True,
        hyperparameters=FIELDS,
        settings=SETTINGS,
        missing=missing,
    )


def _check(request: TrainingRequest) -> object:
    cluster_of(read_settings(_info(), request.config))
    if asks_models(request.grader):
        raise InvalidArgument(
            "The grader asks a model, and on a cluster the nodes grade: they have neither its key "
            "nor the dataset's limits.",
            hint="Train with 'trl' on one machine, or with a grader that asks none.",
        )
    return TRL.check(_as_trl(request))


def _estimate(request: TrainingRequest) -> TrainingEstimate:
    found = TRL.estimate(_as_trl(request))
    return msgspec.structs.replace(found, cost_basis="On your cluster.")


def _as_trl(request: TrainingRequest) -> TrainingRequest:
    return msgspec.structs.replace(request, config=trl_config(request.config))


def _train(task: TrainingTask, run: TrainingRun) -> TrainingOutcome:
    cluster = cluster_of(read_settings(_info(), task.config))
    name = f"rft-{task.job_id}".replace("_", "-")
    options = options_of(task.config, name, cluster)
    (task.folder / OPTIONS).write_bytes(msgspec.json.encode(options))
    with as_file(files("rft_widgets.trainers.ray.program")) as program:
        shutil.copyfile(program / PROGRAM, task.folder / PROGRAM)
    program_there = RayProgram(task.folder, name, cluster, run.log)
    return trl.train(
        msgspec.structs.replace(task, config=trl_config(task.config)), run, program_there
    )


def _policy(artifact: bytes, place: PolicyPlace, checkpoint: Checkpoint | None) -> Policy:
    model = checkpoint.model if checkpoint is not None else _read(artifact).model
    if not any((place.folder / model).glob("*.safetensors")):
        raise InvalidArgument(
            "The weights of this run are still on the cluster.",
            hint=f"Copy them to {place.folder / model}; the run's log says from where.",
        )
    return TRL.policy(artifact, place, checkpoint)


def _read(artifact: bytes) -> Artifact:
    return msgspec.json.decode(artifact, type=Artifact)


TRAINER = Trainer(info=_info, check=_check, estimate=_estimate, train=_train, policy=_policy)
