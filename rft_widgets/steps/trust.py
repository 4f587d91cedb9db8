"""A grader's trust card, from scores and labels of the same answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from msgspec import Struct

from rft_widgets.model.dry_run_settings import LABELS, ROUNDING, LabelSettings
from rft_widgets.model.human_label import FIVE_WORDS, PASS_FAIL_WORDS, HumanLabel, LabelScale
from rft_widgets.model.report import GradedAnswer
from rft_widgets.model.trust import (
    Disagreement,
    LabellerCount,
    OrderSwap,
    PersonLabel,
    TrustCard,
    VersionOnLabels,
)
from rft_widgets.model.trust_settings import TRUST, TrustSettings
from rft_widgets.statistics import (
    paired_difference,
)
from rft_widgets.steps import trust_words as words
from rft_widgets.steps.trust_fit import advise_threshold
from rft_widgets.steps.trust_labels import Both, agreed, raters_of, unit
from rft_widgets.steps.trust_repeats import consistency_of


class OtherVersion(Struct, frozen=True, kw_only=True):
    """A version that the same labelled answers were graded with, too."""

    version: int
    scores: Mapping[str, float | None]
    """By record; ``None`` where the grading failed."""


class GraderName(Struct, frozen=True, kw_only=True):
    """Which grader a card is of."""

    name: str
    version: int | None
    hash: str


def trust_card(
    graded: Sequence[GradedAnswer],
    labels: Sequence[HumanLabel],
    *,
    grader: GraderName,
    before: OtherVersion | None = None,
    order_swap: OrderSwap | None = None,
    settings: TrustSettings = TRUST,
    cuts: LabelSettings = LABELS,
    seed: int = 0,
) -> TrustCard:
    """Say whether a grader judges as people do.

    Parameters
    ----------
    graded
        Gradings of labelled answers; several of one record where it was graded several times, the
        first of which counts, as it would in training.
    labels
        What people say of them, also of records that are not graded; stale ones are counted only.
    grader
        Which grader it is.
    before
        Another version to compare with.
    order_swap
        What asking a judge of pairs in both orders came to.
    settings, cuts
        The numbers that decide.
    seed
        Of intervals and folds.

    Raises
    ------
    InvalidArgument
        No answer has both a score and a label.
    """
    fresh = [one for one in labels if not one.is_stale]
    people, disputed = agreed(fresh, cuts)
    by_record: dict[str, list[GradedAnswer]] = defaultdict(list)
    for one in graded:
        by_record[one.record_id].append(one)
    first = {key: found[0] for key, found in by_record.items()}
    keys = [
        key for key, one in first.items() if key in people and one.reward is not None
    ]  # fmt: skip
    failed = [one for key, one in first.items() if one.reward is None and key in people]
    if not keys:
        raise words.nothing_to_compare(failed)
    scale: LabelScale = "five" if all(one.scale == "five" for one in fresh) else "pass_fail"
    both = Both(
        keys=keys,
        scores=[unit(first[key].reward) for key in keys],
        human=[people[key] for key in keys],
        clusters=[first[key].cluster or first[key].prompt_key for key in keys],
        cuts=cuts,
        seed=seed,
    )
    passed = both.passed()
    constant = both.scores[0] if max(both.scores) - min(both.scores) <= ROUNDING else None
    five = both.in_five() if scale == "five" else None
    rank, ordering = both.rank_correlation(), both.ordering()
    order = words.order_of(rank, ordering, scale)
    consistency = consistency_of([by_record[key] for key in keys], both, settings)
    fit = advise_threshold(both.scores, both.human_passed, both.clusters, cuts, settings, seed)
    against = None if before is None else _against(before, both)
    level = words.level(passed, constant, order, consistency, settings, cuts)
    more = words.more_labels(level, passed, settings)
    said = words.Said(
        passed=passed,
        constant=constant,
        rank=rank if scale == "five" else None,
        ordering=ordering if scale == "pass_fail" else None,
        order=order,
        consistency=consistency,
        fit=fit,
        level=level,
        more=more,
        raters=raters_of(fresh, both, scale),
        settings=settings,
        cuts=cuts,
    )
    return TrustCard(
        level=level,
        sentence=words.sentence(said),
        findings=words.findings(said),
        grader=grader.name,
        version=grader.version,
        hash=grader.hash,
        labels=len(keys),
        clusters=passed.clusters,
        labellers=_labellers(fresh, set(keys)),
        scale=scale,
        steps=tuple(FIVE_WORDS if scale == "five" else PASS_FAIL_WORDS),
        threshold=cuts.passed,
        passed=passed,
        weighted_kappa=five,
        rank_correlation=rank,
        ordering=ordering,
        constant_score=constant,
        more_labels=None if more is None else more.labels,
        cells=both.cells(scale, settings),
        disagreements=_disagreements(both, first, fresh, settings),
        raters=said.raters,
        fit=fit,
        consistency=consistency,
        order_swap=order_swap,
        against=against,
        unscored=len(failed),
        first_error=next((one.error for one in failed if one.error), None),
        stale=len({one.record_id for one in labels if one.is_stale} - set(people)),
        disputed=disputed,
    )


def _against(before: OtherVersion, both: Both) -> VersionOnLabels | None:
    kept = [
        (place, unit(score))
        for place, key in enumerate(both.keys)
        if (score := before.scores.get(key)) is not None
    ]
    if not kept:
        return None
    some = Both(
        keys=[both.keys[place] for place, _ in kept],
        scores=[score for _, score in kept],
        human=[both.human[place] for place, _ in kept],
        clusters=[both.clusters[place] for place, _ in kept],
        cuts=both.cuts,
        seed=both.seed,
    )
    change = paired_difference(
        some.right(some.scores),
        some.right([both.scores[place] for place, _ in kept]),
        some.clusters,
        seed=both.seed,
    )
    found = some.passed()
    return VersionOnLabels(
        version=before.version,
        agreement=found.agreement,
        kappa=found.kappa,
        change=change,
        sentence=words.version(before.version, change),
    )


def _disagreements(
    both: Both,
    first: Mapping[str, GradedAnswer],
    labels: Sequence[HumanLabel],
    settings: TrustSettings,
) -> tuple[Disagreement, ...]:
    by_record: dict[str, list[HumanLabel]] = defaultdict(list)
    for one in labels:
        by_record[one.record_id].append(one)
    wrong = [
        (abs(score - human), key, score, human)
        for key, score, human, is_right in zip(
            both.keys, both.scores, both.human, both.right(both.scores), strict=True
        )
        if not is_right
    ]
    wrong.sort(key=lambda one: (-one[0], one[1]))
    return tuple(
        Disagreement(
            record_id=key,
            prompt=first[key].prompt,
            response=first[key].response,
            score=score,
            reasoning=first[key].reasoning,
            human=human,
            labels=tuple(
                PersonLabel(labeller=one.labeller, words=label_words(one), note=one.note)
                for one in by_record[key]
            ),
        )
        for _, key, score, human in wrong[: settings.shown_disagreements]
    )


def label_words(label: HumanLabel) -> str:
    """A label as people say it, such as ``4 Good``."""
    if label.scale == "five":
        return f"{label.given} {FIVE_WORDS[label.given - 1]}"
    return PASS_FAIL_WORDS[label.given]


def _labellers(labels: Sequence[HumanLabel], keys: set[str]) -> tuple[LabellerCount, ...]:
    counts: dict[str, int] = defaultdict(int)
    for one in labels:
        counts[one.labeller] += one.record_id in keys
    return tuple(
        LabellerCount(labeller=name, labels=count)
        for name, count in sorted(counts.items())
        if count
    )
