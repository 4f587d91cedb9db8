"""The result of a run: where the weights are, and how they are asked."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from rft_widgets.model.training import Checkpoint
from rft_widgets.trainers.base import PolicyPlace
from rft_widgets.trainers.language.policy import LanguagePolicy, open_language_policy


class Artifact(Struct, frozen=True, kw_only=True, tag="trl-1"):
    """The base model, and what came of it: a folder under that of the run."""

    base: str
    model: str
    max_completion_tokens: int


def dump_artifact(artifact: Artifact) -> bytes:
    """The artifact of a run as bytes."""
    return msgspec.json.encode(artifact)


def open_policy(
    artifact: bytes, place: PolicyPlace, checkpoint: Checkpoint | None
) -> LanguagePolicy:
    """Make the result of a run, or one of its checkpoints, ready to answer."""
    read = msgspec.json.decode(artifact, type=Artifact)
    return open_language_policy(
        read.base,
        read.model if checkpoint is None else checkpoint.model,
        place,
        max_new_tokens=read.max_completion_tokens,
    )
