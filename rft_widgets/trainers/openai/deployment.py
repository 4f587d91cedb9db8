"""Deploying a trained model at Azure, which answers with it only then."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from rft_widgets.errors import InvalidArgument, RftError
from rft_widgets.model.training import Checkpoint
from rft_widgets.trainers.base import PolicyPlace
from rft_widgets.trainers.hosted import ServiceUnreachable
from rft_widgets.trainers.openai.result import keep_deployment, read_artifact
from rft_widgets.trainers.openai.wire import Wire

API_VERSION = "2024-10-01"
MANAGEMENT_URL = "https://management.azure.com"
_LOOK_S = 10.0
_RESOURCE = re.compile(
    r"/subscriptions/[\w-]+/resourceGroups/[\w.()-]+/providers/Microsoft\.CognitiveServices"
    r"/accounts/[\w.-]+",
    re.IGNORECASE,
)


class AzureDeployment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a model is deployed at Azure.

    Attributes
    ----------
    name
        What it is asked as.
    resource
        Id of the resource, as `az cognitiveservices account show --query id` prints it.
    sku
        ``DeveloperTier`` costs nothing by the hour and ends after a day.
    capacity
        Thousands of tokens a minute.
    token_env
        *Name* of the environment variable with an access token of Azure's resource manager.
    management_url
        Where that manager is, in another cloud than the public one.
    timeout_s
        How long to wait until it answers.
    """

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,63}$")]
    resource: str
    sku: Literal["GlobalStandard", "Standard", "DeveloperTier"] = "DeveloperTier"
    capacity: Annotated[int, Meta(ge=1)] = 1
    token_env: str = "AZURE_ACCESS_TOKEN"  # noqa: S105 - the name of a variable
    management_url: str = MANAGEMENT_URL
    timeout_s: Annotated[float, Meta(gt=0)] = 1_800.0


def deploy(
    artifact: bytes, place: PolicyPlace, checkpoint: Checkpoint | None, options: Mapping[str, Any]
) -> str:
    """Have Azure serve the result of a run; how that went, in words.

    Raises
    ------
    InvalidArgument
        The service needs no deployment, or an option is not right.
    RftError
        Azure refused, failed, or did not come to an end in time.
    """
    found = read_artifact(artifact)
    if not found.needs_deployment:
        raise InvalidArgument(
            f"The service answers with {found.model} already; there is nothing to deploy.",
            hint="Serve it from here with ds.deploy(), or ask it at the service.",
        )
    try:
        wanted = msgspec.convert(dict(options), AzureDeployment)
    except msgspec.ValidationError as error:
        raise InvalidArgument(
            f"The deployment cannot be made: {error}.",
            hint="Give name, resource and, where it differs, sku, capacity and token_env.",
        ) from None
    model = checkpoint.model if checkpoint is not None and checkpoint.model else found.model
    deploy_model(model, wanted)
    keep_deployment(place.folder, model, wanted.name)
    words = f"Azure serves {model} as {wanted.name}."
    if wanted.sku == "DeveloperTier":
        words += " A deployment of this kind is taken away after 24 hours."
    return words


def deploy_model(model: str, wanted: AzureDeployment) -> None:
    """Make a deployment, or take up the one that is being made, and wait until it answers.

    Raises
    ------
    InvalidArgument
        ``resource`` is no id of a resource.
    RftError
        Azure refused, failed, or did not come to an end in time.
    """
    if not _RESOURCE.fullmatch(wanted.resource):
        raise InvalidArgument(
            f"{wanted.resource!r} is no id of an Azure OpenAI resource.",
            hint="It is like /subscriptions/.../resourceGroups/.../providers/"
            "Microsoft.CognitiveServices/accounts/....",
        )
    path = f"{wanted.resource}/deployments/{wanted.name}?api-version={API_VERSION}"
    body = {
        "sku": {"name": wanted.sku, "capacity": wanted.capacity},
        "properties": {"model": {"format": "OpenAI", "name": model, "version": "1"}},
    }
    until = time.monotonic() + wanted.timeout_s
    with Wire(
        wanted.management_url, key_env=wanted.token_env, key_header="Authorization", timeout_s=60.0
    ) as wire:
        method, options = "PUT", {"json": body}
        while True:
            wait_s = _LOOK_S
            try:
                answer = wire.call(method, path, **options)
            except ServiceUnreachable as error:
                if time.monotonic() >= until:
                    raise
                wait_s = _LOOK_S if error.retry_after_s is None else error.retry_after_s
            else:
                method, options = "GET", {}  # a PUT that is made again would begin anew
                state = str((answer.value.get("properties") or {}).get("provisioningState") or "")
                if state.lower() == "succeeded":
                    return
                if state.lower() in ("failed", "canceled", "cancelled", "disabled"):
                    raise RftError(
                        f"Azure could not deploy {model} as {wanted.name}: {state}.",
                        hint="Look at the deployment in Azure's portal.",
                    )
                wait_s = _LOOK_S if answer.again_s is None else answer.again_s
            if time.monotonic() + wait_s > until:
                raise RftError(
                    f"Azure still deploys {wanted.name}.",
                    hint="Call this again: it takes up the deployment that is being made.",
                )
            time.sleep(wait_s)
