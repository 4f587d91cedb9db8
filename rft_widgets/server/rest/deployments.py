"""Deployments: putting a trained policy to use, and taking it back."""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from rft_widgets.dataset.deployment import Deployment
from rft_widgets.errors import ServingFailed
from rft_widgets.model.deployed import DeploymentConfig
from rft_widgets.model.deployment import DeploymentMode, DeploymentStatus
from rft_widgets.model.llm import ModelConnection
from rft_widgets.model.served import ServedState
from rft_widgets.server.rest.grading import allowed
from rft_widgets.server.rest.routing import Id, Routes
from rft_widgets.store.deployments import ArmTotals
from rft_widgets.workspace import Workspace

routes = Routes("deployment")

ModelName = Annotated[str, Meta(min_length=1, max_length=200)]


class DeployBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a trained policy is put to use.

    Attributes
    ----------
    mode
        ``new_endpoint``: under its own name. ``replace``: for everybody who asks for the base
        model, too. ``ab_test``: for a part of the users, who stay on their arm.
    training_job
        Whose policy it is; by default the newest run that completed.
    checkpoint
        Step of that run whose model it is; by default the one that is chosen now.
    model, base_model
        Names of the two models on the wire.
    ratio
        Percent of the users that an ``ab_test`` gives to the tuned model.
    upstream, upstream_model
        Where the base model is asked, of what the operator allows, and its name there.
    keep_exchanges
        Whether requests and answers are kept in the store.
    """

    mode: DeploymentMode = "new_endpoint"
    training_job: Id | None = None
    checkpoint: Annotated[int, Meta(ge=0)] | None = None
    model: ModelName | None = None
    base_model: ModelName | None = None
    ratio: Annotated[float, Meta(ge=0, le=100)] = 50.0
    upstream: ModelConnection | None = None
    upstream_model: ModelName | None = None
    keep_exchanges: bool = True


class DeploymentView(Struct, frozen=True, kw_only=True):
    """A deployment as it stands; ``counts`` say what went through each arm."""

    id: str
    dataset_id: str
    training_job: str
    config: DeploymentConfig
    status: DeploymentStatus
    created_at: datetime
    rolled_back_at: datetime | None
    served: ServedState
    counts: dict[str, ArmTotals]


class Endpoint(Struct, frozen=True, kw_only=True):
    """What a client of the OpenAI protocol is given."""

    base_url: str
    api_key: str
    model: str


def view(deployment: Deployment) -> DeploymentView:
    """Read how a deployment stands."""
    return DeploymentView(
        id=deployment.id,
        dataset_id=deployment.dataset_id,
        training_job=deployment.job.id,
        config=deployment.config,
        status=deployment.status,
        created_at=deployment.created_at,
        rolled_back_at=deployment.rolled_back_at,
        served=deployment.served,
        counts=deployment.counts,
    )


@routes.add("POST", "/datasets/{dataset_id}/deploy", status=201)
def deploy(
    ws: Workspace,
    dataset_id: Id,
    body: DeployBody = DeployBody(),  # noqa: B008 - frozen
) -> DeploymentView:
    """Serve a trained policy as an OpenAI-compatible endpoint of this machine.

    Where it cannot be served now, ``served`` says why; it stays deployed.
    """
    dataset = ws.dataset(dataset_id)
    deployment = dataset.deploy(
        body.mode,
        job=body.training_job,
        checkpoint=body.checkpoint,
        model=body.model,
        base_model=body.base_model,
        ratio=body.ratio,
        upstream=allowed(dataset, body.upstream),
        upstream_model=body.upstream_model,
        keep_exchanges=body.keep_exchanges,
        start=False,
    )
    with contextlib.suppress(ServingFailed):  # the answer says so
        deployment.start(wait=not deployment.loads_a_model)
    return view(deployment)


@routes.add("GET", "/datasets/{dataset_id}/deployments")
def list_deployments(ws: Workspace, dataset_id: Id) -> tuple[DeploymentView, ...]:
    """Every deployment of a dataset, the oldest first."""
    return tuple(view(one) for one in ws.dataset(dataset_id).deployments)


@routes.add("GET", "/deployments/{deployment_id}")
def get_deployment(ws: Workspace, deployment_id: Id) -> DeploymentView:
    """How a deployment stands."""
    return view(ws.deployment(deployment_id))


@routes.add("GET", "/deployments/{deployment_id}/endpoint")
def get_endpoint(ws: Workspace, deployment_id: Id) -> Endpoint:
    """Address and key of the endpoint, while it is served; the key is in no other answer."""
    one = ws.deployment(deployment_id)
    return Endpoint(base_url=one.base_url, api_key=one.token, model=one.config.model)


@routes.add("POST", "/deployments/{deployment_id}/rollback")
def roll_back(ws: Workspace, deployment_id: Id) -> DeploymentView:
    """Send everything to the base model from the next request on."""
    deployment = ws.deployment(deployment_id)
    deployment.roll_back()
    return view(deployment)


@routes.add("POST", "/deployments/{deployment_id}/start")
def start_deployment(ws: Workspace, deployment_id: Id) -> DeploymentView:
    """Serve a deployment that is not served."""
    deployment = ws.deployment(deployment_id)
    return view(deployment.start(wait=not deployment.loads_a_model))


@routes.add("POST", "/deployments/{deployment_id}/stop")
def stop_deployment(ws: Workspace, deployment_id: Id) -> DeploymentView:
    """Serve a deployment no more; what was deployed stays known."""
    deployment = ws.deployment(deployment_id)
    deployment.stop()
    return view(deployment)
