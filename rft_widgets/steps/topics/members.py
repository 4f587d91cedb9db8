"""Records whose topic is known: what putting others under topics is learned from."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.topic_settings import CategorizeSettings
from rft_widgets.steps.topics.features import sample_texts


class Member(Struct, frozen=True):
    """A record whose topic is known: its topic text, and the path of its leaf.

    ``is_confirmed`` is false of one that the clustering put there, and nobody looked at.
    """

    text: str
    topic: str
    is_confirmed: bool = True


class HeldOut(Struct, frozen=True):
    """A confirmed record, and what similarity says of it when it has not learned from it.

    ``topic`` and ``likely`` are places of the right and of the likely topic.
    """

    text: str
    topic: int
    likely: int
    confidence: float


def chosen_members(
    members: Iterable[Member], paths: tuple[str, ...], seed: int, settings: CategorizeSettings
) -> tuple[list[Member], npt.NDArray[np.intp]]:
    """Those that are learned from, topic by topic, and the place of the topic of each."""
    places = {path: place for place, path in enumerate(paths)}
    by_topic: list[list[Member]] = [[] for _ in paths]
    for member in members:
        if member.topic not in places:
            raise InvalidArgument(
                f"A confirmed record is under {member.topic!r}, which is no leaf of the topics.",
                hint="Leave it out, or let it follow the edit of the topics first.",
            )
        by_topic[places[member.topic]].append(member)
    most = min(settings.members_per_topic, max(1, settings.max_members // max(1, len(paths))))
    drawn = [sample_texts(found, most, seed) for found in by_topic]
    truth = np.repeat(np.arange(len(paths), dtype=np.intp), [len(found) for found in drawn])
    return [member for found in drawn for member in found], truth
