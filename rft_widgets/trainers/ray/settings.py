"""What a run on a cluster takes beside what every run with TRL does."""

from __future__ import annotations

import os
from pathlib import PurePosixPath
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.training import TrainingConfig
from rft_widgets.model.training_plan import SettingField
from rft_widgets.trainers.hyperparameters import fields_of, read_hyperparameters
from rft_widgets.trainers.ray.job import Cluster
from rft_widgets.trainers.trl.settings import TrlHyperparameters

ADDRESS_VARIABLE = "RAY_ADDRESS"
_ADDRESS = "http://127.0.0.1:8265"
_STORAGE = "/tmp/rft-widgets-runs"  # noqa: S108 - on the nodes, and said in its description


class RayHyperparameters(TrlHyperparameters, frozen=True, kw_only=True):
    """Every number of the trainer ``ray``: those of ``trl``, and what a worker gets."""

    num_processes: Annotated[
        int,
        Meta(ge=1, le=64, title="Workers", description="They share each step; one a GPU."),
    ] = 2
    use_gpu: Annotated[
        Literal["auto", "yes", "no"],
        Meta(
            title="GPUs",
            description="auto: when the cluster has one for each worker; yes: wait for them.",
        ),
    ] = "auto"
    cpus_per_worker: Annotated[
        int,
        Meta(ge=1, le=256, title="CPUs a worker", description="Processors kept for each worker."),
    ] = 1


class Options(Struct, frozen=True, kw_only=True):
    """What the program on the cluster reads from ``ray.json``."""

    name: str
    storage: str
    workers: int
    use_gpu: str
    cpus_per_worker: int
    most_failures: int = 2


FIELDS = fields_of(RayHyperparameters)
SETTINGS = (
    SettingField(
        name="address",
        title="Dashboard",
        description=(
            f"Address of the cluster's dashboard. By default {ADDRESS_VARIABLE}, or {_ADDRESS}."
        ),
        example="http://10.0.0.7:8265",
    ),
    SettingField(
        name="storage",
        title="Storage",
        description=(
            "A folder that every node sees, for checkpoints; with all workers on one node any "
            f"folder of it will do. By default {_STORAGE}."
        ),
        example="/mnt/shared/rft",
    ),
    SettingField(
        name="pip",
        title="Packages",
        description=(
            "Packages that Ray installs on the nodes for the run, apart by spaces, where they are "
            "not there."
        ),
        example="trl==1.16.0 peft msgspec rapidfuzz",
    ),
)
_OWN = tuple(set(RayHyperparameters.__struct_fields__) - set(TrlHyperparameters.__struct_fields__))


def trl_config(config: TrainingConfig) -> TrainingConfig:
    """The configuration as the trainer ``trl`` has it.

    Raises
    ------
    InvalidArgument
        A hyperparameter is not right.
    """
    read = read_hyperparameters(RayHyperparameters, config)
    given = {k: v for k, v in config.hyperparameters.items() if k not in _OWN}
    return msgspec.structs.replace(
        config, hyperparameters=given | {"num_processes": read.num_processes}
    )


def options_of(config: TrainingConfig, name: str, cluster: Cluster) -> Options:
    """What the program on the cluster is told."""
    read = read_hyperparameters(RayHyperparameters, config)
    return Options(
        name=name,
        storage=cluster.storage,
        workers=read.num_processes,
        use_gpu=read.use_gpu,
        cpus_per_worker=read.cpus_per_worker,
    )


def cluster_of(settings: dict[str, str]) -> Cluster:
    """The cluster that the texts of a configuration name.

    Raises
    ------
    InvalidArgument
        An address is no dashboard's, or a folder is not given from the root.
    """
    address = settings.get("address") or os.environ.get(ADDRESS_VARIABLE) or _ADDRESS
    if not address.startswith(("http://", "https://")):
        raise InvalidArgument(
            f"{address!r} is no address of a dashboard, which takes jobs.",
            hint=f"It is like {_ADDRESS}; `ray start --head` prints it.",
        )
    storage = settings.get("storage") or _STORAGE
    if not PurePosixPath(storage).is_absolute():
        raise InvalidArgument(
            f"The storage {storage!r} is no folder from the root of the nodes.",
            hint="It is like /mnt/shared/rft.",
        )
    return Cluster(
        address=address.rstrip("/"),
        storage=storage,
        pip=tuple(settings.get("pip", "").split()),
    )
