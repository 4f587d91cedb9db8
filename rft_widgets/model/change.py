"""What changed topic by topic, with the number of topics taken into account."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from rft_widgets.statistics import PairedDifference, Verdict, holm


class TopicChange(Struct, frozen=True, kw_only=True):
    """What changed in one topic; ``topic`` is ``None`` for records without one.

    ``adjusted_p_value`` takes into account how many topics are compared (Holm). ``verdict`` needs
    it to be below 1 - level, besides an interval on one side of 0.
    """

    topic: str | None
    difference: PairedDifference
    adjusted_p_value: float
    verdict: Verdict


def topic_changes(found: Mapping[str | None, PairedDifference]) -> tuple[TopicChange, ...]:
    """Judge the changes of several topics together, in the order of their names."""
    ordered = sorted(found, key=lambda topic: (topic is None, topic or ""))
    adjusted = holm([found[topic].p_value for topic in ordered])
    return tuple(
        TopicChange(
            topic=topic,
            difference=found[topic],
            adjusted_p_value=p,
            verdict=found[topic].verdict
            if p < 1 - found[topic].difference.level
            else "no_clear_change",
        )
        for topic, p in zip(ordered, adjusted, strict=True)
    )
