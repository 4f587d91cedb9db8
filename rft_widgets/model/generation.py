"""Generating records: what is asked for, what it would come to, and what a model proposed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from rft_widgets.model.estimate import WorkEstimate, Workload
from rft_widgets.model.message import Message, Tool, ToolChoice
from rft_widgets.model.record import Selection

Strategy = Literal[
    "message_variation", "few_shot", "topic_description", "scenario_expansion", "tool_chain"
]
"""How new prompts come about."""

GenerationSource = Literal["gaps", "selected", "topics"]
"""What is generated from: the gaps of the coverage, selected records, or topics by name."""

Difficulty = Literal["easy", "medium", "hard"]
"""How hard a prompt is to answer."""

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

CandidateFault = Literal[
    "llm_artifact",
    "too_short",
    "too_long",
    "duplicate_of_source",
    "near_duplicate",
    "invalid_structure",
    "generation_error",
]
"""Why a candidate should not become a record."""

FAULT_WORDS: dict[CandidateFault, str] = {
    "llm_artifact": "It reads like a model, not like a user",
    "too_short": "Shorter than the shortest prompt",
    "too_long": "Longer than the longest prompt",
    "duplicate_of_source": "Repeats the record it was made from",
    "near_duplicate": "Nearly the same as another record or candidate",
    "invalid_structure": "Does not have the form that was asked for",
    "generation_error": "The model gave no answer",
}
"""Each fault in a few words."""

CandidateState = Literal["open", "accepted", "discarded", "regenerated"]
"""What was decided of a candidate; a regenerated one was given up for another."""

BatchStatus = Literal["running", "review", "closed"]
"""Whether candidates still come, wait for somebody's decision, or are all decided."""

ToolName = Annotated[str, Meta(min_length=1, max_length=200)]


class DifficultyMix(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Weights of easy, medium and hard prompts; one at least is above 0."""

    easy: Annotated[int, Meta(ge=0, le=100)] = 1
    medium: Annotated[int, Meta(ge=0, le=100)] = 1
    hard: Annotated[int, Meta(ge=0, le=100)] = 1


class GenerationConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to generate.

    Attributes
    ----------
    source
        ``gaps`` fills the gaps of `CoverageReport`, ``selected`` varies the records of
        ``selection``, ``topics`` adds ``records_per_topic`` to each of ``topics``.
    strategy
        For all topics that have records, as only ``topic_description`` can fill an empty one;
        ``None`` varies selected records, and else chooses one for each, see `choose_strategy`.
    variations_per_record
        New records for each record that ``message_variation`` starts from.
    preserve_intent
        Whether a variation asks for the same thing as its source, in other words and with other
        details; else it may ask for something else that fits the conversation.
    max_synthetic_ratio
        Largest share (0..1) of generated records in the whole dataset, afterwards.
    min_length, max_length
        Characters of a prompt.
    near_duplicate_threshold
        Similarity (above 0, up to 1) from which a candidate repeats another record.
    retries
        How often what is missing because of faults is asked for again.
    examples
        Records that a request of ``few_shot`` shows.
    candidates_per_request
        Most candidates that one request asks for.
    difficulty
        How easy and hard the prompts of ``topic_description`` are, by weight.
    scenario, aspects
        For ``scenario_expansion``: what happens, and what of it varies.
    tools
        For ``tool_chain``: names of tools of the records, in the order in which they are needed;
        without any, the orders in which the recorded answers of the topic call them.
    whole_exchange
        For ``tool_chain``: whether the answer is made, too, with tool calls and their results.
    seed
        Of the choice of records that are shown and varied.
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
    near_duplicate_threshold: Annotated[float, Meta(gt=0, le=1)] = 0.9
    retries: Annotated[int, Meta(ge=0, le=10)] = 3
    examples: Annotated[int, Meta(ge=1, le=10)] = 3
    candidates_per_request: Annotated[int, Meta(ge=1, le=20)] = 5
    difficulty: DifficultyMix = DifficultyMix()
    scenario: Annotated[str, Meta(max_length=4_000)] = ""
    aspects: Annotated[tuple[Annotated[str, Meta(max_length=200)], ...], Meta(max_length=20)] = ()
    tools: Annotated[tuple[ToolName, ...], Meta(max_length=10)] = ()
    whole_exchange: bool = False
    seed: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0


class TopicShape(Struct, frozen=True, kw_only=True):
    """What the records of a topic are like.

    ``multi_turn`` is the share (0..1) of prompts with more than one message of the user,
    ``prompt_tokens`` their mean length, ``message_tokens`` that of their last message of the user.
    """

    multi_turn: float
    prompt_tokens: float
    message_tokens: float


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
    config
        What was asked for; `OptimizationDataset.generate` takes the plan in its place.
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
    calls, input_tokens, output_tokens
        Requests, and estimates from the lengths of the records that there are. What is asked again
        because of faults comes on top.
    estimate
        The same at the price and the pace of a model; ``None`` where none was named.
    """

    config: GenerationConfig
    topics: tuple[TopicPlan, ...]
    total: int
    wanted: int
    room: int
    synthetic_share: float
    balance_before: float | None
    balance_after: float | None
    calls: int
    input_tokens: int
    output_tokens: int
    estimate: WorkEstimate | None = None

    @property
    def workload(self) -> Workload:
        """What it is expected to ask for."""
        return Workload(
            calls=self.calls,
            prompt_tokens=self.input_tokens,
            completion_tokens=self.output_tokens,
        )


class Candidate(Struct, frozen=True, kw_only=True):
    """A record as a model proposed it.

    Attributes
    ----------
    id
        Its number in the batch.
    messages, output, tools, tool_choice
        The prompt, the answer where the whole exchange was made, the tools on offer, and which of
        them may be called. Empty where nothing that can be read came.
    text
        What the model wrote of the prompt: the last message of the user.
    source_record_id, source_messages
        The record that it was made from, or the first of those that were shown; the messages as
        the record has them now. ``None`` and empty where there is none.
    shown_record_ids
        All records that the request showed.
    fault, fault_words
        Why it should not become a record, as a code and in words.
    similarity
        Similarity (0..1) to the nearest that was found: its source, a record, or a candidate.
    repeats
        What it repeats: the id of a record, or ``#`` and the number of a candidate.
    state
        What was decided of it.
    record_id
        The record that it became.
    model
        The model that answered, as the service names it.
    prompt_hash
        SHA-256 of the request, by which `GenerationBatch.request` finds it.
    """

    id: int
    topic: str
    strategy: Strategy
    messages: tuple[Message, ...] = ()
    output: tuple[Message, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    text: str = ""
    difficulty: Difficulty | None = None
    source_record_id: str | None = None
    source_messages: tuple[Message, ...] = ()
    shown_record_ids: tuple[str, ...] = ()
    fault: CandidateFault | None = None
    fault_words: str = ""
    similarity: float = 0.0
    repeats: str | None = None
    state: CandidateState = "open"
    record_id: str | None = None
    model: str = ""
    prompt_hash: str = ""


class TopicProgress(Struct, frozen=True, kw_only=True):
    """Candidates of a topic so far.

    ``good`` have no fault, ``faulty`` have one; ``accepted`` and ``discarded`` are of both.
    """

    topic: str
    strategy: Strategy
    to_generate: int
    good: int
    faulty: int
    accepted: int
    discarded: int


class BatchState(Struct, frozen=True, kw_only=True):
    """How a batch of generated candidates stands.

    Attributes
    ----------
    number
        Batches of a dataset count from 1.
    model
        Name of the connection that was asked.
    job_id
        The job that made it; ``None`` where a call did.
    topics
        Candidates by topic, in the order of the plan.
    candidates, good, open, accepted, discarded
        All candidates, those without a fault, and those of each state.
    open_good
        Open ones without a fault: those that `GenerationBatch.accept` takes by itself.
    faults
        Candidates by fault.
    diversity
        How different the good ones of a topic are (0..1), on average: the Vendi score over their
        number, see `rft_widgets.steps.generation.diversity`. ``None`` of fewer than two, and while
        they come.
    recorded_diversity
        The same of as many recorded prompts of the topics, to compare it with; ``None`` where there
        are none.
    """

    id: str
    number: int
    status: BatchStatus
    plan: GenerationPlan
    model: str
    job_id: str | None
    created_at: datetime
    updated_at: datetime
    topics: tuple[TopicProgress, ...]
    candidates: int
    good: int
    open: int
    open_good: int
    accepted: int
    discarded: int
    faults: dict[CandidateFault, int]
    diversity: float | None = None
    recorded_diversity: float | None = None

    @property
    def sentence(self) -> str:
        """How it stands, in words."""
        found = f"{self.good:,} of {self.plan.total:,} records generated"
        if self.faults:
            found += f"; {sum(self.faults.values()):,} candidates have a fault"
        if self.accepted:
            found += f"; {self.accepted:,} accepted"
        return found + "."


class AcceptedCandidates(Struct, frozen=True, kw_only=True):
    """What accepting candidates came to.

    ``invalid`` of the records break a rule of validation, ``without_topic`` were made for a topic
    that is gone; ``balance_score`` is that of the coverage now.
    """

    records: int
    record_ids: tuple[str, ...]
    invalid: int
    without_topic: int
    balance_score: float | None
