"""The trained policy as bytes, and as what answers prompts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
import zstandard
from msgspec import Struct

from rft_widgets.errors import InvalidArgument, NoCandidate
from rft_widgets.model.message import Message, Tool
from rft_widgets.model.record import RecordInput
from rft_widgets.model.training import Checkpoint, LocalHyperparameters
from rft_widgets.trainers.base import PolicyAnswer, Upstream
from rft_widgets.trainers.local.grpo import log_policy
from rft_widgets.trainers.local.policy import Scaling, greedy
from rft_widgets.trainers.local.pool import Floats, Pool, PoolEntry
from rft_widgets.trainers.local.retrieve import FEATURES, find_candidates

FORMAT = 1
MAX_BYTES = 1 << 30
"""Largest artifact when it is unpacked."""


class Artifact(Struct, frozen=True, kw_only=True):
    """All that a policy needs, of one ``format``."""

    format: int
    features: tuple[str, ...]
    weights: tuple[float, ...]
    reference: tuple[float, ...]
    scaling: Scaling
    settings: LocalHyperparameters
    pool: tuple[PoolEntry, ...]


class LocalPolicy:
    """Answers prompts with recorded answers; made by `load_policy`."""

    def __init__(self, artifact: Artifact) -> None:
        self._settings = artifact.settings
        self._scaling = artifact.scaling
        self._weights = np.array(artifact.weights)
        self._reference = np.array(artifact.reference)
        self._pool = Pool(artifact.pool)

    @property
    def upstream(self) -> Upstream | None:
        """It answers here."""
        return None

    @property
    def size(self) -> int:
        """Recorded answers that are chosen from."""
        return self._pool.size

    def respond(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        *,
        reference: bool = False,
    ) -> PolicyAnswer:
        """Answer a prompt; the same prompt always gets the same answer.

        Parameters
        ----------
        messages
            The conversation so far.
        tools
            Tools that may be called.
        reference
            Whether the policy from before the training answers: the most similar recorded answer.

        Raises
        ------
        NoCandidate
            Every recorded answer near it holds something of its own conversation that this one has
            nothing to put in the place of.
        """
        prompt = RecordInput(tuple(messages), tuple(tools))
        found = find_candidates(self._pool, prompt, self._settings)
        if not found.answers:
            raise NoCandidate(
                "No recorded answer can be given to this prompt: each of those near it is about an "
                "order, a customer or a tool that this conversation does not have.",
                hint="Answer it with another model, or train on records like it.",
            )
        weights: Floats = self._reference if reference else self._weights
        table = self._scaling.apply(found.features)
        choice = greedy(table, weights)
        logs = log_policy(
            table[None], np.ones((1, len(table)), bool), weights, self._settings.temperature
        )
        message = found.answers[choice]
        return PolicyAnswer(
            message=message,
            finish_reason="tool_calls" if message.tool_calls else "stop",
            source_record_id=self._pool.entries[found.places[choice]].record_id,
            similarity=min(1.0, max(0.0, found.similarities[choice])),
            probability=float(np.exp(logs[0, choice])),
        )

    def respond_many(
        self, prompts: Sequence[RecordInput], *, reference: bool = False
    ) -> Iterator[PolicyAnswer | None]:
        """Answer prompts in their order; ``None`` for one that there is no answer to."""
        for prompt in prompts:
            try:
                yield self.respond(prompt.messages, prompt.tools, reference=reference)
            except NoCandidate:
                yield None

    def close(self) -> None:
        """It holds nothing that has to be given back."""


def dump_policy(artifact: Artifact) -> bytes:
    """Pack a policy."""
    return zstandard.ZstdCompressor(level=3).compress(msgspec.msgpack.encode(artifact))


def load_policy(artifact: bytes, checkpoint: Checkpoint | None = None) -> LocalPolicy:
    """Make the policy of a finished run ready to answer.

    Parameters
    ----------
    artifact
        What `TrainingOutcome.artifact` holds.
    checkpoint
        The step whose policy it is; by default the one that the run chose.

    Raises
    ------
    InvalidArgument
        The bytes are no policy, or one of a later version.
    """
    hint = "Use the artifact of a training run that has finished."
    try:
        size = zstandard.frame_content_size(artifact)
        if not 0 <= size <= MAX_BYTES:
            raise InvalidArgument("The artifact has no known size, or is too large.", hint=hint)
        read = msgspec.msgpack.decode(
            zstandard.ZstdDecompressor().decompress(artifact), type=Artifact
        )
    except (zstandard.ZstdError, msgspec.MsgspecError) as error:
        raise InvalidArgument(f"The artifact is no trained policy: {error}.", hint=hint) from None
    if read.format != FORMAT or read.features != FEATURES:
        raise InvalidArgument(
            f"The artifact has the format {read.format}, this version reads {FORMAT}.",
            hint="Train again, or use the version that made it.",
        )
    if checkpoint is not None:
        read = msgspec.structs.replace(read, weights=checkpoint.weights)
    return LocalPolicy(read)
