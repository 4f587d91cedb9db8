"""Answers that have a score and a label, and statistics of the two."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations
from statistics import fmean

from msgspec import Struct

from rft_widgets.model.dry_run_settings import ROUNDING, LabelSettings
from rft_widgets.model.human_label import HumanLabel, LabelScale
from rft_widgets.model.trust import ConfusionCell, RaterPair
from rft_widgets.model.trust_settings import TrustSettings
from rft_widgets.statistics import Confusion, Interval, confusion, ordering, spearman

_PASSED = (0, 1)
_FIVE = range(5)
_EDGE = 4
"""Steps of the scale ``five`` less one."""


class Both(Struct, frozen=True, kw_only=True):
    """Answers that have a score and a label."""

    keys: list[str]
    scores: list[float]
    human: list[float]
    clusters: list[str]
    cuts: LabelSettings
    seed: int

    @property
    def human_passed(self) -> list[bool]:
        """Whether people passed each answer."""
        return [is_passed(value, self.cuts) for value in self.human]

    def right(self, scores: Sequence[float]) -> list[int]:
        """Whether each score says of passing what people say."""
        return [
            int(is_passed(score, self.cuts) == human)
            for score, human in zip(scores, self.human_passed, strict=True)
        ]

    def passed(self) -> Confusion:
        """Grader and people, both as passed and not passed."""
        return confusion(
            [int(is_passed(score, self.cuts)) for score in self.scores],
            [int(one) for one in self.human_passed],
            self.clusters,
            labels=_PASSED,
            seed=self.seed,
        )

    def in_five(self) -> Interval:
        """Weighted kappa of five steps."""
        return confusion(
            [step(score) for score in self.scores],
            [step(value) for value in self.human],
            self.clusters,
            labels=_FIVE,
            weights="quadratic",
            seed=self.seed,
        ).kappa

    def rank_correlation(self) -> Interval | None:
        """Spearman's, where a side knows more than 0 and 1."""
        if {0.0, 1.0}.issuperset(self.scores + self.human):
            return None
        return spearman(self.scores, self.human, self.clusters, seed=self.seed)

    def ordering(self) -> Interval | None:
        """How often what people passed has the higher score; of scores beside 0 and 1 only."""
        if {0.0, 1.0}.issuperset(self.scores):
            return None
        return ordering(self.scores, self.human_passed, self.clusters, seed=self.seed)

    def cells(self, scale: LabelScale, settings: TrustSettings) -> tuple[ConfusionCell, ...]:
        """Which answers lie where in the table of grader and people."""
        found: dict[tuple[int, int], list[str]] = defaultdict(list)
        for key, score, human in zip(self.keys, self.scores, self.human, strict=True):
            place = (
                (step(score), step(human))
                if scale == "five"
                else (int(is_passed(score, self.cuts)), int(is_passed(human, self.cuts)))
            )
            found[place].append(key)
        return tuple(
            ConfusionCell(
                grader=grader,
                human=human,
                count=len(keys),
                record_ids=tuple(keys[: settings.cell_records]),
            )
            for (grader, human), keys in sorted(found.items())
        )


def agreed(labels: Sequence[HumanLabel], cuts: LabelSettings) -> tuple[dict[str, float], int]:
    """What people say of each record together, and of how many they say both equally often."""
    given: dict[str, list[HumanLabel]] = defaultdict(list)
    for one in labels:
        given[one.record_id].append(one)
    agreed: dict[str, float] = {}
    disputed = 0
    for key, found in given.items():
        mean = fmean(one.value for one in found)
        ayes = sum(is_passed(one.value, cuts) for one in found)
        if len(found) > 1 and 2 * ayes == len(found):
            disputed += 1
        elif all(one.scale == "five" for one in found):
            agreed[key] = mean
        else:
            # What passes is the majority's word: a mean of unlike scales would not keep to it.
            agreed[key] = float(2 * ayes > len(found))
    return agreed, disputed


def raters_of(labels: Sequence[HumanLabel], both: Both, scale: LabelScale) -> tuple[RaterPair, ...]:
    """Compare every two people who labelled the same answers."""
    cluster_of = dict(zip(both.keys, both.clusters, strict=True))
    by_person: dict[str, dict[str, float]] = defaultdict(dict)
    for one in labels:
        by_person[one.labeller][one.record_id] = one.value
    pairs = []
    for first, second in combinations(sorted(by_person), 2):
        shared = [key for key in by_person[first] if key in by_person[second]]
        if not shared:
            continue
        sides = [[by_person[name][key] for key in shared] for name in (first, second)]
        clusters = [cluster_of.get(key, key) for key in shared]
        passed = [[int(is_passed(value, both.cuts)) for value in side] for side in sides]
        found = confusion(passed[0], passed[1], clusters, labels=_PASSED, seed=both.seed)
        steps = [[step(value) for value in side] for side in sides]
        weighted = confusion(
            steps[0], steps[1], clusters, labels=_FIVE, weights="quadratic", seed=both.seed
        )
        pairs.append(
            RaterPair(
                first=first,
                second=second,
                agreement=found.agreement,
                kappa=found.kappa,
                weighted_kappa=weighted.kappa if scale == "five" else None,
                n=len(shared),
            )
        )
    return tuple(pairs)


def is_passed(value: float, cuts: LabelSettings) -> bool:
    """Whether a score or a label counts as passed."""
    return value >= cuts.passed - ROUNDING


def unit(reward: float | None) -> float:
    """A reward within 0..1: what lies beyond is as good, or as bad, as can be."""
    return min(max(0.0 if reward is None else reward, 0.0), 1.0)


def step(value: float) -> int:
    """The nearest step of the scale ``five``, from 0; halves go up."""
    return min(_EDGE, math.floor(_EDGE * value + 0.5 + ROUNDING))
