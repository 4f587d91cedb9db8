"""Generating records: what is asked for, and what it would come to."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from rft_widgets.model.record import Selection

Strategy = Literal[
    "message_variation", "few_shot", "topic_description", "scenario_expansion", "tool_chain"
]
"""How new prompts come about."""

GenerationSource = Literal["gaps", "selected", "topics"]
"""What is generated from: the gaps of the coverage, selected records, or topics by name."""

STRATEGY_WORDS: dict[Strategy, str] = {
    "message_variation": "New last messages for recorded conversations; context, tools and topic "
    "stay as they are.",
    "few_shot": "New prompts like a few recorded ones of the topic.",
    "topic_description": "Prompts from the topic's description and keywords, easy to hard: the "
    "only one that can fill an empty topic.",
    "scenario_expansion": "A scenario of yours, and the aspects of it that vary.",
    "tool_chain": "Prompts that need given tools in order, without naming them.",
}
"""Each strategy in a sentence."""


class GenerationConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to generate.

    Attributes
    ----------
    source
        ``gaps`` fills the gaps of `CoverageReport`, ``selected`` varies the records of
        ``selection``, ``topics`` adds ``records_per_topic`` to each of ``topics``.
    strategy
        For all topics that have records, as only ``topic_description`` can fill an empty one;
        ``None`` chooses one for each, see `choose_strategy`.
    variations_per_record
        New records for each selected one.
    max_synthetic_ratio
        Largest share (0..1) of generated records in the whole dataset, afterwards.
    min_length, max_length
        Characters of a prompt.
    near_duplicate_threshold
        Similarity (0..1) from which a candidate repeats another record.
    """

    source: GenerationSource = "gaps"
    topics: tuple[str, ...] = ()
    selection: Selection | None = None
    records_per_topic: Annotated[int, Meta(ge=1, le=10_000)] = 20
    strategy: Strategy | None = None
    variations_per_record: Annotated[int, Meta(ge=1, le=20)] = 3
    preserve_intent: bool = True
    temperature: Annotated[float, Meta(ge=0, le=2)] = 0.7
    max_synthetic_ratio: Annotated[float, Meta(ge=0, le=0.9)] = 0.3
    min_length: Annotated[int, Meta(ge=1, le=100_000)] = 20
    max_length: Annotated[int, Meta(ge=1, le=100_000)] = 2000
    near_duplicate_threshold: Annotated[float, Meta(ge=0, le=1)] = 0.9
    retries: Annotated[int, Meta(ge=0, le=10)] = 3


class TopicShape(Struct, frozen=True, kw_only=True):
    """What the records of a topic are like.

    ``multi_turn`` is the share (0..1) of prompts with more than one message of the user,
    ``prompt_tokens`` their mean length.
    """

    multi_turn: float
    prompt_tokens: float


class TopicPlan(Struct, frozen=True, kw_only=True):
    """One topic: records now, records that are wanted on top, and those that will be generated."""

    topic: str
    current: int
    target_percentage: float
    wanted: int
    to_generate: int
    strategy: Strategy


class GenerationPlan(Struct, frozen=True, kw_only=True):
    """What generating would come to, before anything is spent.

    Attributes
    ----------
    topics
        Those that get something, or should.
    total, wanted
        Records that will be generated, and that were asked for.
    room
        Records that the largest share of generated ones leaves room for.
    synthetic_share
        Share (0..1) of generated records in the dataset afterwards.
    balance_before, balance_after
        Balance scores of the coverage; ``None`` without categorised records.
    input_tokens, output_tokens
        Estimates from the lengths of the records that there are, one request a record.
    cost_micro_usd
        ``None`` where no price is known.
    """

    topics: tuple[TopicPlan, ...]
    total: int
    wanted: int
    room: int
    synthetic_share: float
    balance_before: float | None
    balance_after: float | None
    input_tokens: int
    output_tokens: int
    cost_micro_usd: int | None = None
