"""A deployment of a dataset as values: how it was set up, and what its arms are worth."""

from __future__ import annotations

from msgspec import Struct

from rft_widgets.model.change import TopicChange
from rft_widgets.model.deployment import DeploymentMode
from rft_widgets.model.llm import ModelConnection, ModelUsage
from rft_widgets.model.message import Message
from rft_widgets.model.training import Excluded
from rft_widgets.statistics import IndependentDifference, Interval, PairedDifference

TUNED, BASE = "tuned", "base"
"""Names of the two arms."""


class DeploymentConfig(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a deployment shares out traffic; see `HasDeployments.deploy`.

    ``checkpoint`` is the step of the run whose model it serves; ``None`` for the one that the run
    chose itself.
    """

    mode: DeploymentMode
    model: str
    base_model: str
    ratio: float = 50.0
    upstream: ModelConnection | None = None
    upstream_model: str | None = None
    keep_exchanges: bool = True
    checkpoint: int | None = None


class ArmOutcome(Struct, frozen=True, kw_only=True):
    """What one arm's answers are worth: mean reward (0..1), and what is not in it."""

    arm: str
    reward: Interval | None
    graded: int
    failed_gradings: int


class DeploymentOutcome(Struct, frozen=True, kw_only=True):
    """Both arms by the same grader; ``difference`` is tuned less base, ``None`` without both."""

    tuned: ArmOutcome
    base: ArmOutcome
    difference: IndependentDifference | None
    sentence: str


class Benchmark(Struct, frozen=True, kw_only=True):
    """Both policies on the same prompts; ``change`` is from base to tuned, ``None`` without pairs.

    ``excluded`` counts the prompts that are in no comparison; the latencies are medians of the
    seconds of an answer, which is its share where several are made at a time. ``checkpoint`` is the
    step of the run whose model was measured.
    """

    change: PairedDifference | None
    topics: tuple[TopicChange, ...]
    excluded: Excluded
    base_latency_s: float | None
    tuned_latency_s: float | None
    sentence: str
    checkpoint: int | None = None


class PlaygroundAnswer(Struct, frozen=True, kw_only=True):
    """What one policy answers to a prompt, with its reward (0..1) where it can be graded.

    ``source_record_id``, ``similarity`` and ``probability`` are there where a recorded answer was
    chosen, and ``None`` where a language model wrote one, whose tokens are ``usage``. The latency
    is ``None`` for an answer that was paid for before.
    """

    message: Message
    source_record_id: str | None
    similarity: float | None
    probability: float | None
    reward: float | None
    error: str | None
    latency_s: float | None
    usage: ModelUsage | None = None
