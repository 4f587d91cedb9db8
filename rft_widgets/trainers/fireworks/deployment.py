"""Deploying a trained model at Fireworks, which answers with it only then, and taking it down."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from rft_widgets.errors import InvalidArgument, RftError
from rft_widgets.model.training import Checkpoint
from rft_widgets.trainers.base import Policy, PolicyPlace
from rft_widgets.trainers.fireworks import service
from rft_widgets.trainers.fireworks.service import SERVING_PATH, Account, CallRefused, service_url
from rft_widgets.trainers.hosted import ServiceUnreachable
from rft_widgets.trainers.language.served import ServedPolicy

DEPLOYED = "deployed.json"
"""File in a run's folder: the deployment that serves the model."""


class Artifact(Struct, frozen=True, kw_only=True):
    """What a run leaves: the model at Fireworks, the one from before, and whose they are."""

    model: str
    base_model: str
    account: str
    max_tokens: int | None = None


class FireworksDeployment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a model is deployed at Fireworks, or that it is taken down.

    Attributes
    ----------
    shape
        The deployment shape, as ``accounts/fireworks/deploymentShapes/...``: which GPUs, how many,
        how precise. Fireworks lists those that fit a model.
    name
        What the deployment is called; by default as the model.
    max_replicas
        Most copies at a time. Without requests it goes down to none, and wakes up when it is asked.
    take_down
        Delete it instead; from then on it costs nothing.
    timeout_s
        How long to wait until it answers.
    """

    shape: str = ""
    name: Annotated[str, Meta(pattern=r"^([a-z0-9][a-z0-9-]{0,62})?$")] = ""
    max_replicas: Annotated[int, Meta(ge=1, le=64)] = 1
    take_down: bool = False
    timeout_s: Annotated[float, Meta(gt=0)] = 1_800.0


def deploy(
    artifact: bytes,
    place: PolicyPlace,
    checkpoint: Checkpoint | None,  # noqa: ARG001 - a managed job has none
    options: Mapping[str, Any],
) -> str:
    """Have Fireworks serve the result of a run, or take that down; how it went, in words.

    Raises
    ------
    InvalidArgument
        An option is not right, or there is no connection any more.
    RftError
        Fireworks refused, failed, or did not come to an end in time.
    """
    made = msgspec.json.decode(artifact, type=Artifact)
    if place.connection is None:
        raise _gone()
    try:
        wanted = msgspec.convert(dict(options), FireworksDeployment)
    except msgspec.ValidationError as error:
        raise InvalidArgument(
            f"The deployment cannot be made: {error}.",
            hint="Give shape and, where it differs, name, max_replicas and timeout_s.",
        ) from None
    name = wanted.name or made.model.rpartition("/")[2]
    with Account(place.connection, made.account) as account:
        if wanted.take_down:
            account.find(lambda client: client.deployments.delete(name))
            (place.folder / DEPLOYED).unlink(missing_ok=True)
            return f"Fireworks takes down the deployment {name}; it costs nothing any more."
        if not wanted.shape:
            raise InvalidArgument(
                "Fireworks deploys by shapes, and none is given.",
                hint="Give shape='accounts/fireworks/deploymentShapes/...'; the dashboard lists "
                "those that fit the model.",
            )
        _make(account, made.model, name, wanted)
        whole = account.name("deployments", name)
    place.folder.mkdir(parents=True, exist_ok=True)
    _keep(place.folder, whole)
    return (
        f"Fireworks serves {made.model} as {name}. Each second of its GPUs costs until it is taken "
        "down: job.deploy_at_service(take_down=True)."
    )


def _make(account: Account, model: str, name: str, wanted: FireworksDeployment) -> None:
    """Make a deployment, or take up the one that is being made, and wait until it is ready."""
    until = time.monotonic() + wanted.timeout_s
    try:
        account.call(
            lambda client: client.deployments.create(
                base_model=model,
                deployment_id=name,
                deployment_shape=wanted.shape,
                min_replica_count=0,
                max_replica_count=wanted.max_replicas,
            )
        )
    except CallRefused as refused:
        if refused.status != 409:
            raise
    while True:
        wait_s = service.LOOK_S
        try:
            found = account.call(lambda client: client.deployments.get(name))
        except ServiceUnreachable as error:
            wait_s = service.LOOK_S if error.retry_after_s is None else error.retry_after_s
        else:
            if found.state == "READY":
                return
            if found.state in ("FAILED", "DELETING", "DELETED"):
                words = (found.status.message if found.status else None) or "It does not say why."
                raise RftError(
                    f"Fireworks could not deploy {model}: {found.state}. {words}",
                    hint="Try another shape, or look at the deployment in the dashboard.",
                )
        if time.monotonic() + wait_s > until:
            raise RftError(
                f"Fireworks still deploys {name}, and it may cost already.",
                hint="Call this again to go on waiting, or with take_down=True to end it.",
            )
        time.sleep(wait_s)


def open_policy(artifact: bytes, place: PolicyPlace, checkpoint: Checkpoint | None) -> Policy:  # noqa: ARG001
    """Make the result ready to answer.

    Raises
    ------
    InvalidArgument
        There is no connection any more, or the model has to be deployed first.
    """
    made = msgspec.json.decode(artifact, type=Artifact)
    if place.connection is None:
        raise _gone()
    path = place.folder / DEPLOYED
    if not path.exists():
        raise InvalidArgument(
            f"The model {made.model} is not deployed, so that nobody can ask it.",
            hint="Deploy it with job.deploy_at_service(shape=...); each second of it costs.",
        )
    deployment = msgspec.json.decode(path.read_bytes(), type=str)
    where = msgspec.structs.replace(
        place.connection.connection, base_url=service_url(place.connection) + SERVING_PATH
    )
    serving = msgspec.structs.replace(place.connection, connection=where)
    return ServedPolicy(
        place.ask,
        serving,
        f"{made.model}#{deployment}",
        made.base_model,
        max_tokens=made.max_tokens,
    )


def _keep(folder: Path, deployment: str) -> None:
    beside = folder / f"{DEPLOYED}.new"
    beside.write_bytes(msgspec.json.encode(deployment))
    beside.replace(folder / DEPLOYED)


def _gone() -> InvalidArgument:
    return InvalidArgument(
        "The connection to Fireworks is not there any more.",
        hint="Add it again under its name with ws.add_connection(...).",
    )
