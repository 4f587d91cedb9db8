"""New last messages of the user for a recorded conversation; everything before it stays."""

from __future__ import annotations

from collections.abc import Sequence

from rft_widgets.model.generation import GenerationConfig
from rft_widgets.steps.generation.material import (
    Material,
    Request,
    compose,
    frame_of,
    shown_record,
)

_SAME = (
    "Below is a conversation. Rewrite its last message of the user: another person in the same "
    "place of the same conversation who wants the same thing, in other words and with other "
    "details."
)
_OTHER = (
    "Below is a conversation. Replace its last message of the user: another person in the same "
    "place of the same conversation who asks for something else that belongs to the topic."
)


def request(
    material: Material, config: GenerationConfig, number: int, count: int, known: Sequence[str]
) -> Request:
    """Ask for variations of one record; the records take turns."""
    source = material.sources[number % len(material.sources)]
    return Request(
        topic=material.topic,
        strategy="message_variation",
        number=number,
        count=count,
        messages=compose(
            _SAME if config.preserve_intent else _OTHER,
            [("conversation", shown_record(source))],
            material=material,
            config=config,
            count=count,
            known=known,
        ),
        frame=frame_of(source),
        source=source,
        shown=(source.id,),
    )
