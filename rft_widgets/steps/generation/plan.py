"""How many records to generate for which topic, and how: a plan before anything is spent."""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.coverage import CoverageReport
from rft_widgets.model.estimate import Workload
from rft_widgets.model.generation import (
    DifficultyMix,
    GenerationConfig,
    GenerationPlan,
    Strategy,
    TopicPlan,
    TopicShape,
)

INSTRUCTION_TOKENS = 350
"""What the instructions of one request come to, about."""
CANDIDATE_TOKENS = 8
"""What the JSON around a candidate comes to, about."""
EXCHANGE_TOKENS = 150
"""What a tool call and its result add to a candidate, about, where the whole exchange is made."""
EXCHANGES_PER_REQUEST = 2
"""Most candidates that one request asks for where the whole exchange is made."""
_USUAL = TopicShape(multi_turn=0.0, prompt_tokens=60.0, message_tokens=40.0)
"""What is assumed of a topic without records where no other has any."""


def choose_strategy(
    count: int, shape: TopicShape | None, wanted: Strategy | None = None
) -> Strategy:
    """Choose how to generate for a topic.

    Without records only its description is left; most of them conversations of several turns:
    variations of those; else prompts like the recorded ones.

    Parameters
    ----------
    count
        Records of the topic.
    shape
        What they are like.
    wanted
        What somebody asked for; it is taken where the topic has records to start from.
    """
    if count == 0 or shape is None:
        return "topic_description"
    if wanted is not None:
        return wanted
    return "message_variation" if shape.multi_turn > 0.5 else "few_shot"


def per_request(config: GenerationConfig, strategy: Strategy) -> int:
    """Most candidates that one request of a strategy asks for."""
    if strategy == "message_variation":
        return config.variations_per_record
    if strategy == "tool_chain" and config.whole_exchange:
        return min(EXCHANGES_PER_REQUEST, config.candidates_per_request)
    return config.candidates_per_request


def plan_generation(
    coverage: CoverageReport,
    config: GenerationConfig,
    *,
    total: int,
    generated: int,
    shapes: Mapping[str, TopicShape],
    selected: Mapping[str, int] | None = None,
) -> GenerationPlan:
    """Plan what to generate.

    Where the largest share of generated records leaves too little room, the topics that are
    farthest below their targets come first, so that the balance gains most.

    Parameters
    ----------
    coverage
        The topics as they stand.
    config
        What is asked for.
    total, generated
        Records of the whole dataset, and how many of them were generated.
    shapes
        What the records of the topics are like, where there are any.
    selected
        Selected records by topic.

    Raises
    ------
    InvalidArgument
        A topic is unknown, or the settings contradict each other.
    """
    _check(config)
    wanted = _wanted(coverage, config, selected or {})
    room = room_for(config.max_synthetic_ratio, total, generated)
    targets = {one.topic: one.target_percentage for one in coverage.topics}
    counts = {one.topic: one.count for one in coverage.topics}
    given = _share_out(wanted, counts, targets, room)
    topics = tuple(
        TopicPlan(
            topic=path,
            current=counts[path],
            target_percentage=targets[path],
            wanted=want,
            to_generate=given[path],
            strategy=_strategy(config, counts[path], shapes.get(path)),
        )
        for path, want in wanted.items()
        if want
    )
    new = sum(given.values())
    usual = _usual(shapes)
    work = [_work(config, one, shapes.get(one.topic, usual)) for one in topics]
    return GenerationPlan(
        config=config,
        topics=topics,
        total=new,
        wanted=sum(wanted.values()),
        room=room,
        synthetic_share=(generated + new) / (total + new) if total + new else 0.0,
        balance_before=coverage.balance_score,
        balance_after=coverage.what_if(given).balance_score,
        calls=sum(one.calls for one in work),
        input_tokens=sum(one.prompt_tokens for one in work),
        output_tokens=sum(one.completion_tokens for one in work),
    )


def _strategy(config: GenerationConfig, count: int, shape: TopicShape | None) -> Strategy:
    if config.source == "selected":
        return config.strategy or "message_variation"  # of records that somebody chose to vary
    return choose_strategy(count, shape, config.strategy)


def with_requests(plan: GenerationPlan, tokens: Mapping[str, int]) -> GenerationPlan:
    """Give the plan with the tokens of real requests, by topic, in place of usual ones."""
    calls = {
        one.topic: -(-one.to_generate // per_request(plan.config, one.strategy))
        for one in plan.topics
    }
    known = sum(calls[topic] * count for topic, count in tokens.items())
    return msgspec.structs.replace(plan, input_tokens=known)


def _check(config: GenerationConfig) -> None:
    if config.min_length > config.max_length:
        raise InvalidArgument(
            f"The shortest prompt ({config.min_length:,} characters) is longer than the longest "
            f"({config.max_length:,})."
        )
    if config.difficulty == DifficultyMix(easy=0, medium=0, hard=0):
        raise InvalidArgument("All difficulties have the weight 0.", hint="Give one a higher one.")
    if config.strategy == "scenario_expansion" and not config.scenario.strip():
        raise InvalidArgument(
            "There is no scenario to expand.", hint="Say in `scenario` what happens."
        )


def _wanted(
    coverage: CoverageReport, config: GenerationConfig, selected: Mapping[str, int]
) -> dict[str, int]:
    known = {one.topic: one for one in coverage.topics}
    if config.source == "gaps":
        return {path: max(0, one.gap_records) for path, one in known.items()}
    if config.source == "selected":
        return {path: config.variations_per_record * selected.get(path, 0) for path in known}
    for path in config.topics:
        if path not in known:
            raise InvalidArgument(
                f"There is no topic {path!r}.", hint="Choose leaves of the topics there are."
            )
    return dict.fromkeys(config.topics, config.records_per_topic)


def room_for(ratio: float, total: int, generated: int) -> int:
    """How many generated records there is room for: their share stays within the ratio (0..1)."""
    return max(0, math.floor((ratio * total - generated) / (1 - ratio) + 1e-9))


def _share_out(
    wanted: Mapping[str, int], counts: Mapping[str, int], targets: Mapping[str, float], room: int
) -> dict[str, int]:
    """Give what is wanted while there is room: each to where count over target is lowest."""
    if sum(wanted.values()) <= room:
        return dict(wanted)

    def up_to(level: float) -> dict[str, int]:
        return {
            path: min(want, max(0, math.floor(level * _weight(targets[path])) - counts[path]))
            for path, want in wanted.items()
        }

    low = 0.0
    high = max((counts[path] + want) / _weight(targets[path]) for path, want in wanted.items()) + 1
    for _ in range(80):  # halving: far below one record
        middle = (low + high) / 2
        if sum(up_to(middle).values()) <= room:
            low = middle
        else:
            high = middle
    given = up_to(low)
    left = room - sum(given.values())
    for path in sorted(wanted, key=lambda p: (counts[p] + given[p]) / _weight(targets[p])):
        more = min(left, wanted[path] - given[path], 1)
        given[path] += more
        left -= more
    return given


def _weight(target: float) -> float:
    return max(target, 1e-6)  # a topic that should have nothing comes last


def _usual(shapes: Mapping[str, TopicShape]) -> TopicShape:
    """What is assumed of a topic without records: the mean of the others."""
    if not shapes:
        return _USUAL
    known = shapes.values()
    return TopicShape(
        multi_turn=sum(one.multi_turn for one in known) / len(known),
        prompt_tokens=sum(one.prompt_tokens for one in known) / len(known),
        message_tokens=sum(one.message_tokens for one in known) / len(known),
    )


def _work(config: GenerationConfig, plan: TopicPlan, shape: TopicShape) -> Workload:
    """Requests for a topic, and the tokens in and out of them."""
    calls = -(-plan.to_generate // per_request(config, plan.strategy))
    shown = {"topic_description": 0, "few_shot": config.examples}.get(plan.strategy, 1)
    one = shape.message_tokens + CANDIDATE_TOKENS
    if plan.strategy == "tool_chain" and config.whole_exchange:
        one += EXCHANGE_TOKENS * (1 + len(config.tools or ("one",)))
    return Workload(
        calls=calls,
        prompt_tokens=round(calls * (INSTRUCTION_TOKENS + shown * shape.prompt_tokens)),
        completion_tokens=round(plan.to_generate * one),
    )
