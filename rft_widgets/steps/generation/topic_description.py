"""Prompts from a topic's description and keywords, easy to hard, without any record of it."""

from __future__ import annotations

from collections.abc import Sequence

from rft_widgets.model.generation import Difficulty, DifficultyMix, GenerationConfig
from rft_widgets.steps.generation.material import Material, Request, compose, shown_frame

_TASK = (
    "Below is a topic, and the assistant that users talk to. Write first messages of users who "
    "come with something that belongs to the topic. They are, in this order: {order}. An easy one "
    "can be answered at once; a medium one takes two or three thoughts or steps; a hard one is "
    "unusual, has several parts, or a condition that is easily missed."
)


def request(
    material: Material, config: GenerationConfig, number: int, count: int, known: Sequence[str]
) -> Request:
    """Ask for prompts of given difficulties, which go on from request to request."""
    start = number * config.candidates_per_request
    difficulties = tuple(difficulty(config.difficulty, start + n) for n in range(count))
    return Request(
        topic=material.topic,
        strategy="topic_description",
        number=number,
        count=count,
        messages=compose(
            _TASK.format(order=", ".join(difficulties)),
            [("assistant", shown_frame(material.frame))],
            material=material,
            config=config,
            count=count,
            known=known,
        ),
        frame=material.frame,
        difficulties=difficulties,
    )


def difficulty(mix: DifficultyMix, position: int) -> Difficulty:
    """Difficulty of the prompt at a position: any run of them has about the shares of the mix."""
    weights: dict[Difficulty, int] = {"easy": mix.easy, "medium": mix.medium, "hard": mix.hard}
    whole = sum(weights.values())
    given: dict[Difficulty, int] = dict.fromkeys(weights, 0)
    for place in range(position % whole + 1):
        # The one that is farthest behind its share; of equal ones, the easier.
        chosen = max(weights, key=lambda one: weights[one] * (place + 1) - given[one] * whole)
        given[chosen] += 1
    return chosen
