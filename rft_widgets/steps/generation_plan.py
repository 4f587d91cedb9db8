"""How many records to generate for which topic, and how: a plan before anything is spent."""

from __future__ import annotations

import math
from collections.abc import Mapping

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.coverage import CoverageReport
from rft_widgets.model.generation import (
    GenerationConfig,
    GenerationPlan,
    Strategy,
    TopicPlan,
    TopicShape,
)

EXAMPLES = 3
"""Records that a prompt for ``few_shot`` shows."""
INSTRUCTION_TOKENS = 250
"""What the instructions of one request come to, about."""
_USUAL = TopicShape(multi_turn=0.0, prompt_tokens=60.0)
"""What is assumed of a topic without records."""


def choose_strategy(
    count: int, shape: TopicShape | None, wanted: Strategy | None = None
) -> Strategy:
    """Choose how to generate for a topic.

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
        A topic is unknown, or the shortest prompt is longer than the longest.
    """
    if config.min_length > config.max_length:
        raise InvalidArgument(
            f"The shortest prompt ({config.min_length:,} characters) is longer than the longest "
            f"({config.max_length:,})."
        )
    wanted = _wanted(coverage, config, selected or {})
    room = _room(config.max_synthetic_ratio, total, generated)
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
            strategy=choose_strategy(counts[path], shapes.get(path), config.strategy),
        )
        for path, want in wanted.items()
        if want
    )
    new = sum(given.values())
    tokens = [_tokens(one, shapes.get(one.topic, _USUAL)) for one in topics]
    return GenerationPlan(
        topics=topics,
        total=new,
        wanted=sum(wanted.values()),
        room=room,
        synthetic_share=(generated + new) / (total + new) if total + new else 0.0,
        balance_before=coverage.balance_score,
        balance_after=coverage.what_if(given).balance_score,
        input_tokens=round(sum(one for one, _ in tokens)),
        output_tokens=round(sum(one for _, one in tokens)),
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


def _room(ratio: float, total: int, generated: int) -> int:
    """Most new records with (generated + new) <= ratio * (total + new)."""
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


def _tokens(plan: TopicPlan, shape: TopicShape) -> tuple[float, float]:
    """Tokens in and out of the requests for a topic."""
    examples = {"topic_description": 0, "few_shot": EXAMPLES}.get(plan.strategy, 1)
    asked = INSTRUCTION_TOKENS + examples * shape.prompt_tokens
    return plan.to_generate * asked, plan.to_generate * shape.prompt_tokens
