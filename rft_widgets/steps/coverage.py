"""Coverage: counting records by topic, and what their shares should be."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.coverage import CoverageReport, measure
from rft_widgets.model.topic import TopicHierarchy
from rft_widgets.model.topic_settings import COVERAGE, CoverageSettings

Targets = Mapping[str, float] | Literal["uniform", "traffic"] | None
"""Target percentages by leaf, equal ones (also ``None``), or those of recorded traffic."""


def coverage_report(
    topics: TopicHierarchy | Sequence[str],
    counts: Mapping[str | None, int],
    *,
    targets: Targets = None,
    traffic: Mapping[str | None, int] | None = None,
    near_duplicates: float | None = None,
    settings: CoverageSettings = COVERAGE,
) -> CoverageReport:
    """Measure how records are spread over topics.

    Parameters
    ----------
    topics
        The hierarchy, or the paths of its leaves.
    counts
        Records by path; those under ``None`` and under a path that is no leaf have no topic.
    targets
        What the shares should be.
    traffic
        Counts that targets ``"traffic"`` are taken from, of recorded records only; by default
        ``counts``.
    near_duplicates
        Share (0..1) of records that nearly repeat another, when it was measured.
    settings
        Bands and thresholds.

    Raises
    ------
    InvalidArgument
        The targets do not sum to 100, name a topic that is no leaf, or are no percentages; a count
        is negative.
    """
    paths = topics.paths if isinstance(topics, TopicHierarchy) else tuple(topics)
    if any(count < 0 for count in counts.values()):
        raise InvalidArgument("A topic has a negative number of records.")
    leaves = set(paths)
    by_leaf = {path: counts.get(path, 0) for path in paths}
    rest = sum(count for path, count in counts.items() if path not in leaves)
    total = sum(by_leaf.values()) + rest
    if near_duplicates is not None and not 0 <= near_duplicates <= 1:
        raise InvalidArgument(f"The share of near-duplicates {near_duplicates} is not in 0 to 1.")
    return measure(
        by_leaf,
        resolve_targets(paths, targets, counts if traffic is None else traffic, settings),
        uncategorized=rest,
        near_duplicates=None if near_duplicates is None else near_duplicates * total,
        settings=settings,
    )


def resolve_targets(
    paths: Sequence[str],
    targets: Targets = None,
    traffic: Mapping[str | None, int] | None = None,
    settings: CoverageSettings = COVERAGE,
) -> dict[str, float]:
    """Target percentage of each leaf, summing to 100.

    Parameters
    ----------
    paths
        The leaves.
    targets
        ``"uniform"`` or ``None``: all equal. ``"traffic"``: the shares of ``traffic``, equal when
        it has no record of any leaf. A mapping: as it says, 0 for leaves that it leaves out.
    traffic
        Records by path.
    settings
        How far from 100 a sum may be; that much is spread over all.

    Raises
    ------
    InvalidArgument
        The targets do not sum to 100, name a topic that is no leaf, or are no percentages.
    """
    if not paths:
        return {}
    if targets == "traffic":
        counts = {path: (traffic or {}).get(path, 0) for path in paths}
        total = sum(counts.values())
        if total:
            return {path: 100 * count / total for path, count in counts.items()}
    if targets is None or isinstance(targets, str):
        if targets not in {None, "uniform", "traffic"}:
            raise InvalidArgument(
                f"The targets {targets!r} are unknown.",
                hint="Pass 'uniform', 'traffic', or percentages by topic.",
            )
        return dict.fromkeys(paths, 100 / len(paths))
    return _checked(paths, targets, settings)


def follow_targets(
    targets: Mapping[str, float], moved: Mapping[str, str | None]
) -> dict[str, float]:
    """Targets after an edit of the topics: they follow the records, merged ones are summed.

    What a vanished topic had is spread over the others, in proportion.

    Parameters
    ----------
    targets
        Percentages by leaf before.
    moved
        Where the records of each leaf go, as an edit of the tree says.
    """
    found: dict[str, float] = {}
    for path, target in targets.items():
        new = moved.get(path)
        if new is not None:
            found[new] = found.get(new, 0.0) + target
    total = sum(found.values())
    return {path: target * 100 / total for path, target in found.items()} if total else {}


def _checked(
    paths: Sequence[str], targets: Mapping[str, float], settings: CoverageSettings
) -> dict[str, float]:
    known = set(paths)
    for path, target in targets.items():
        if path not in known:
            raise InvalidArgument(
                f"There is no topic {path!r} to set a target for.",
                hint="Targets are set for leaves, by their path.",
            )
        if isinstance(target, bool) or not isinstance(target, (int, float)):
            raise InvalidArgument(f"The target of {path!r} is no number.")
        if not math.isfinite(target) or not 0 <= target <= 100:
            raise InvalidArgument(f"The target of {path!r} is {target}, not a percentage.")
    total = math.fsum(targets.values())
    if abs(total - 100) > settings.target_tolerance + 1e-9:
        raise InvalidArgument(
            f"The targets sum to {total:.6g}, not to 100.",
            hint="Shares like 0.25 are given as 25." if abs(total - 1) < 0.01 else None,
        )
    return {path: float(targets.get(path, 0)) * 100 / total for path in paths}
