"""Two dry runs beside each other, on what both of them graded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from statistics import fmean
from typing import Literal, TypeAlias

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.change import topic_changes
from rft_widgets.model.dry_run_settings import DRY_RUN, DryRunSettings
from rft_widgets.model.report import GradedAnswer, RunComparison
from rft_widgets.statistics import PairedDifference, paired_difference
from rft_widgets.steps.dry_run.units import independent_units

PairBy: TypeAlias = Literal["answer", "prompt"]
"""Pairs of answers with one record and number, or of the mean rewards of one prompt."""


def compare_runs(
    before: Sequence[GradedAnswer],
    after: Sequence[GradedAnswer],
    *,
    by: PairBy = "answer",
    seed: int = 0,
    settings: DryRunSettings = DRY_RUN,
) -> RunComparison:
    """Compare two runs: two graders on the same answers, or two models on the same prompts.

    Parameters
    ----------
    before, after
        All graded answers of each.
    by
        ``"answer"`` pairs recorded answers. ``"prompt"`` is for answers that models gave anew, of
        which the third of one run has nothing to do with the third of the other; the runs may then
        have different numbers of them.
    seed
        Of the resampling.
    settings
        Level and resamples.

    Returns
    -------
    Topics are those of the run ``after``, in the order of their names.

    Raises
    ------
    InvalidArgument
        Nothing has a score in both runs.
    """
    first, second = _grouped(before, by), _grouped(after, by)
    both = [key for key in second if key in first]
    rewards = {key: (_mean(first[key]), _mean(second[key])) for key in both}
    pairs = {
        key: (one, other)
        for key, (one, other) in rewards.items()
        if one is not None and other is not None
    }
    if not pairs:
        raise InvalidArgument(
            f"The two runs have no {by} with a score in common.",
            hint="Run both on the same sample (the same seed).",
        )
    heads = {key: second[key][0] for key in pairs}
    unit_of = dict(zip(pairs, independent_units(heads.values()), strict=True))

    def difference(keys: Sequence[Hashable]) -> PairedDifference:
        return paired_difference(
            [pairs[key][0] for key in keys],
            [pairs[key][1] for key in keys],
            [unit_of[key] for key in keys],
            level=settings.level,
            samples=settings.resamples,
            seed=seed,
        )

    by_topic: defaultdict[str | None, list[Hashable]] = defaultdict(list)
    for key, head in heads.items():
        by_topic[head.topic].append(key)
    return RunComparison(
        overall=difference(list(pairs)),
        topics=topic_changes({topic: difference(keys) for topic, keys in by_topic.items()}),
        matched=len(pairs),
        unscored=len(both) - len(pairs),
        only_before=len(first) - len(both),
        only_after=len(second) - len(both),
    )


def _grouped(graded: Iterable[GradedAnswer], by: PairBy) -> dict[Hashable, list[GradedAnswer]]:
    groups: defaultdict[Hashable, list[GradedAnswer]] = defaultdict(list)
    for one in graded:
        groups[one.prompt_key if by == "prompt" else (one.record_id, one.repeat)].append(one)
    return dict(groups)


def _mean(answers: Iterable[GradedAnswer]) -> float | None:
    rewards = [one.reward for one in answers if one.reward is not None]
    return fmean(rewards) if rewards else None
