"""New prompts like a few recorded ones of the topic."""

from __future__ import annotations

import random
from collections.abc import Sequence

from rft_widgets.model.generation import GenerationConfig
from rft_widgets.steps.generation.material import (
    Material,
    Request,
    compose,
    opening_of,
    shown_record,
)

_TASK = (
    "Below are examples of what users asked, with what stood before. Write new first messages of "
    "users on the same topic: like the examples in kind, style and difficulty, about other cases."
)


def request(
    material: Material, config: GenerationConfig, number: int, count: int, known: Sequence[str]
) -> Request:
    """Ask for prompts like examples that are drawn anew for each request."""
    draw = random.Random(f"{config.seed}:{material.topic}:{number}")  # noqa: S311 - a choice, no secret
    examples = draw.sample(material.sources, min(config.examples, len(material.sources)))
    return Request(
        topic=material.topic,
        strategy="few_shot",
        number=number,
        count=count,
        messages=compose(
            _TASK,
            [("examples", [shown_record(one) for one in examples])],
            material=material,
            config=config,
            count=count,
            known=known,
        ),
        # What the first of them stood in: prompts, instructions and tools belong together.
        frame=opening_of(examples[0]),
        source=examples[0],
        shown=tuple(one.id for one in examples),
    )
