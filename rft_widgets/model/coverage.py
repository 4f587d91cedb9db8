"""How records are spread over topics, against how they should be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from msgspec import Struct, field

from rft_widgets.errors import InvalidArgument
from rft_widgets.model import coverage_view
from rft_widgets.model.topic_settings import COVERAGE, CoverageSettings

CoverageStatus = Literal["under", "ok", "over"]
"""Whether a topic has too few records, about as many as it should, or too many."""

BalanceBand = Literal["Good", "Fair", "Poor"]
"""Bands of the balance score: from 0.6, from 0.4, below."""

_ROUNDING = 1e-9


class TopicCoverage(Struct, frozen=True, kw_only=True):
    """One leaf: percentages (0..100) are of the categorised records.

    ``gap`` is the target less the percentage, in points, and ``gap_records`` the same in records;
    both are negative where there are too many.
    """

    topic: str
    count: int
    percentage: float
    target_percentage: float
    gap: float
    gap_records: int
    status: CoverageStatus


class CoverageReport(Struct, frozen=True, kw_only=True):
    """How the records of a dataset are spread over its topics.

    Attributes
    ----------
    total_records
        All records that were counted, categorised or not.
    categorized_records, uncategorized_records
        Those with a topic, and those without one, which are no topic of their own.
    uncategorized_percentage
        Share of all records without a topic (0..100).
    topics
        The leaves, in the order of the hierarchy.
    balance_score
        Smallest share / target over the largest (0..1): 1 is as wanted, 0 when a topic that should
        have records has none. ``None`` without categorised records.
    balance_band
        The band of the score.
    entropy
        Entropy of the shares over that of equal ones (0..1); ``None`` as above.
    closeness
        1 - half the sum of the distances between shares and targets (0..1); ``None`` as above.
    near_duplicate_percentage
        Share of all records that nearly repeat another (0..100); ``None`` when not measured.
    recommendations
        What to do, the most important first.
    timestamp
        When it was computed.
    """

    total_records: int
    categorized_records: int
    uncategorized_records: int
    uncategorized_percentage: float
    topics: tuple[TopicCoverage, ...]
    balance_score: float | None
    balance_band: BalanceBand | None
    entropy: float | None
    closeness: float | None
    near_duplicate_percentage: float | None
    recommendations: tuple[str, ...]
    timestamp: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def distribution(self) -> dict[str, TopicCoverage]:
        """The leaves by path."""
        return {one.topic: one for one in self.topics}

    def what_if(self, added: Mapping[str, int]) -> CoverageReport:
        """Give the report as it would be with more records, the targets staying as they are.

        Parameters
        ----------
        added
            Records to add by path of a leaf; negative to take away, not more than there are.

        Raises
        ------
        InvalidArgument
            A topic is unknown, or would have fewer than no records.
        """
        counts = {one.topic: one.count for one in self.topics}
        for path, more in added.items():
            if path not in counts:
                raise InvalidArgument(f"There is no topic {path!r} in the report.")
            counts[path] += more
            if counts[path] < 0:
                raise InvalidArgument(f"The topic {path!r} would have {counts[path]:,} records.")
        share = self.near_duplicate_percentage
        return measure(
            counts,
            {one.topic: one.target_percentage for one in self.topics},
            uncategorized=self.uncategorized_records,
            # What is added is taken to repeat nothing.
            near_duplicates=None if share is None else share * self.total_records / 100,
        )

    def plot(self, ax: Any = None, *, after: CoverageReport | None = None) -> Any:
        """Draw bars of the topics with their targets.

        Parameters
        ----------
        ax
            Axes of matplotlib to draw on; by default new ones.
        after
            A report of afterwards, such as of `what_if`: what comes on top is drawn, too.

        Returns
        -------
        The axes.

        Raises
        ------
        ExtraRequired
            matplotlib is not installed.
        """
        return coverage_view.plot(self, ax, after)

    def __repr__(self) -> str:
        return f"<CoverageReport: {coverage_view.headline(self)}>"

    def _repr_html_(self) -> str:
        return coverage_view.html(self)


class RepeatedPrompts(Struct, frozen=True, kw_only=True):
    """Prompts that repeat an earlier one, among those that were ``compared``.

    ``exact`` counts those that are the same but for case, spaces and punctuation marks, ``near``
    these and those that are nearly the same.
    """

    compared: int
    exact: int
    near: int

    @property
    def near_share(self) -> float:
        """Share (0..1) of the compared prompts that nearly repeat another."""
        return self.near / self.compared if self.compared else 0.0


def measure(
    counts: Mapping[str, int],
    targets: Mapping[str, float],
    *,
    uncategorized: int = 0,
    near_duplicates: float | None = None,
    settings: CoverageSettings = COVERAGE,
) -> CoverageReport:
    """Measure counts against targets.

    Parameters
    ----------
    counts
        Records by path of every leaf.
    targets
        Target percentages of the same leaves, summing to 100.
    uncategorized
        Records without a topic.
    near_duplicates
        Records that nearly repeat another, ``None`` when that was not measured.
    settings
        Bands and thresholds.
    """
    total = sum(counts.values())
    everything = total + uncategorized
    topics = tuple(
        _topic(path, count, targets[path], total, settings) for path, count in counts.items()
    )
    balance = _balance(topics) if total else None
    share = None if near_duplicates is None else _percent(near_duplicates, everything)
    return CoverageReport(
        total_records=everything,
        categorized_records=total,
        uncategorized_records=uncategorized,
        uncategorized_percentage=_percent(uncategorized, everything),
        topics=topics,
        balance_score=balance,
        balance_band=None if balance is None else balance_band(balance, settings),
        entropy=_entropy(topics) if total else None,
        closeness=_closeness(topics) if total else None,
        near_duplicate_percentage=share,
        recommendations=_recommend(topics, balance, everything, uncategorized, share, settings),
    )


def balance_band(score: float, settings: CoverageSettings = COVERAGE) -> BalanceBand:
    """Name the band of a balance score (0..1)."""
    if score >= settings.good_balance - _ROUNDING:
        return "Good"
    return "Fair" if score >= settings.fair_balance - _ROUNDING else "Poor"


def _percent(part: float, whole: int) -> float:
    return 100 * part / whole if whole else 0.0


def _topic(
    path: str, count: int, target: float, total: int, settings: CoverageSettings
) -> TopicCoverage:
    percentage = _percent(count, total)
    gap = target - percentage
    status: CoverageStatus = "ok"
    if total and gap > settings.gap_points + _ROUNDING:
        status = "under"
    elif total and gap < -settings.gap_points - _ROUNDING:
        status = "over"
    return TopicCoverage(
        topic=path,
        count=count,
        percentage=percentage,
        target_percentage=target,
        gap=gap,
        gap_records=round(gap / 100 * total),
        status=status,
    )


def _balance(topics: tuple[TopicCoverage, ...]) -> float:
    ratios = [one.percentage / one.target_percentage for one in topics if one.target_percentage > 0]
    largest = max(ratios, default=0.0)
    return min(ratios) / largest if largest > 0 else 0.0


def _entropy(topics: tuple[TopicCoverage, ...]) -> float:
    if len(topics) == 1:
        return 1.0
    shares = [one.percentage / 100 for one in topics if one.count]
    # The sum may miss the bound by a rounding.
    return min(1.0, max(0.0, -sum(p * math.log(p) for p in shares) / math.log(len(topics))))


def _closeness(topics: tuple[TopicCoverage, ...]) -> float:
    return max(0.0, 1 - sum(abs(one.gap) for one in topics) / 200)


def _recommend(
    topics: tuple[TopicCoverage, ...],
    balance: float | None,
    everything: int,
    uncategorized: int,
    near_duplicates: float | None,
    settings: CoverageSettings,
) -> tuple[str, ...]:
    advice: list[str] = []
    empty = [one for one in topics if one.count == 0 and one.target_percentage > 0]
    poor = balance is not None and balance < settings.good_balance - _ROUNDING
    gaps = [
        one
        for one in sorted(topics, key=lambda one: -one.gap)
        if one.count and one.gap_records > 0 and (one.status == "under" or poor)
    ]
    advice += [
        f"Add {_records(one.gap_records)} to {one.topic!r}: it has {one.percentage:.1f}%, "
        f"the target is {one.target_percentage:.1f}%."
        for one in gaps[: settings.largest_gaps]
    ]
    if empty:
        named = ", ".join(
            repr(one.topic) + (f" (add {one.gap_records:,})" if one.gap_records else "")
            for one in empty[: settings.largest_gaps]
        )
        more = len(empty) - settings.largest_gaps
        rest = f" and {more:,} more" if more > 0 else ""
        verb, count = ("is", "1 topic") if len(empty) == 1 else ("are", f"{len(empty):,} topics")
        advice.append(
            f"{count} {verb} empty: {named}{rest}. Generate records from descriptions, "
            f"or remove what is not needed."
        )
    if uncategorized:
        advice.append(
            f"{_records(uncategorized)} ({_percent(uncategorized, everything):.1f}%) have no "
            f"topic: categorise them, or add topics for them."
        )
    if everything < settings.min_records:
        advice.append(
            f"There are {_records(everything)} in all; at least {settings.min_records} "
            f"are better for training."
        )
    if len(topics) > 1:
        advice += [
            f"{one.topic!r} has {one.percentage:.1f}% of the records: split it, "
            f"or add records to other topics."
            for one in topics
            if one.percentage > settings.dominant_percent + _ROUNDING
        ]
    if near_duplicates is not None and near_duplicates > settings.near_duplicate_percent:
        advice.append(
            f"{near_duplicates:.1f}% of the records nearly repeat another: remove them, "
            f"or collect more varied ones."
        )
    return tuple(advice)


def _records(count: int) -> str:
    return "1 record" if count == 1 else f"{count:,} records"
