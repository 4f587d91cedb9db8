"""A scenario that somebody describes, and prompts in which given aspects of it vary."""

from __future__ import annotations

from collections.abc import Sequence

from rft_widgets.model.generation import GenerationConfig
from rft_widgets.steps.generation.material import Material, Request, compose, opening_of

_TASK = (
    "Below is a scenario. Write first messages of users who are in it, each in a version of it of "
    "their own that belongs to the topic."
)
_ASPECTS = (
    " What differs from one to the next is above all: {aspects}. Choose values for these that the "
    "others do not have."
)


def request(
    material: Material, config: GenerationConfig, number: int, count: int, known: Sequence[str]
) -> Request:
    """Ask for versions of the scenario; the aspect that is named first changes with requests."""
    aspects = config.aspects
    turn = number % len(aspects) if aspects else 0
    task = _TASK
    if aspects:
        task += _ASPECTS.format(aspects="; ".join((*aspects[turn:], *aspects[:turn])))
    source = material.sources[number % len(material.sources)] if material.sources else None
    return Request(
        topic=material.topic,
        strategy="scenario_expansion",
        number=number,
        count=count,
        messages=compose(
            task,
            [("scenario", config.scenario)],
            material=material,
            config=config,
            count=count,
            known=known,
        ),
        # Nothing of the record is shown or varied: it only lends its instructions and tools.
        frame=material.frame if source is None else opening_of(source),
    )
