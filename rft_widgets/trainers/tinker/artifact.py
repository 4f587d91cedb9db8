"""What a run leaves: the names that the service knows its models by."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.training import Checkpoint
from rft_widgets.trainers.base import Policy, PolicyPlace
from rft_widgets.trainers.language.served import ServedPolicy
from rft_widgets.trainers.tinker.service import SERVING_PATH, service_url
from rft_widgets.trainers.tinker.settings import Sdk


class Artifact(Struct, frozen=True, kw_only=True):
    """The trained model and the one from before, as the service calls them."""

    model: str
    base_model: str
    max_tokens: int
    sdk: Sdk


def open_policy(artifact: bytes, place: PolicyPlace, checkpoint: Checkpoint | None) -> Policy:
    """Have the service answer with the trained model, or with that of a checkpoint.

    Raises
    ------
    InvalidArgument
        The service serves what it trained in another way, or its connection is gone.
    """
    made = msgspec.json.decode(artifact, type=Artifact)
    model = made.model if checkpoint is None else checkpoint.model
    if made.sdk == "together":
        raise InvalidArgument(
            f"Together serves no checkpoint of a training session by its id; this one is {model}.",
            hint="Deploy it there, or download it and serve it with vLLM, and name that place as "
            "a connection.",
        )
    named = place.connection
    if named is None:
        raise InvalidArgument(
            "The connection to the service that trained the model is not there any more.",
            hint="Add it again under its name.",
        )
    where = msgspec.structs.replace(named.connection, base_url=service_url(named) + SERVING_PATH)
    serving = msgspec.structs.replace(named, connection=where)
    return ServedPolicy(place.ask, serving, model, made.base_model, max_tokens=made.max_tokens)
