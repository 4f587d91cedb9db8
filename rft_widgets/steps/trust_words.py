"""What a trust card says in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from msgspec import Struct

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.dry_run_settings import ROUNDING, LabelSettings
from rft_widgets.model.human_label import LabelScale
from rft_widgets.model.report import GradedAnswer, with_bounds
from rft_widgets.model.trust import (
    RaterPair,
    SelfConsistency,
    ThresholdAdvice,
    TrustFinding,
    TrustLevel,
)
from rft_widgets.model.trust_settings import TrustSettings
from rft_widgets.model.trust_view import VERDICTS
from rft_widgets.statistics import Confusion, Interval, PairedDifference


class Said(Struct, frozen=True, kw_only=True):
    """What the words are about."""

    passed: Confusion
    constant: float | None
    rank: Interval | None
    ordering: Interval | None
    order: float | None
    consistency: SelfConsistency | None
    fit: ThresholdAdvice | None
    level: TrustLevel
    more: MoreLabels | None
    raters: tuple[RaterPair, ...]
    settings: TrustSettings
    cuts: LabelSettings


def order_of(rank: Interval | None, ordering: Interval | None, scale: LabelScale) -> float | None:
    """How well scores are in people's order, -1 to 1, whatever the scale.

    With labels of two values a rank correlation cannot reach 1: there it is the rank-biserial
    correlation (Cureton 1956), twice the ordering less one.
    """
    if scale == "five":
        return None if rank is None else rank.estimate
    return None if ordering is None else 2 * ordering.estimate - 1


def level(
    passed: Confusion,
    constant: float | None,
    order: float | None,
    consistency: SelfConsistency | None,
    settings: TrustSettings,
    cuts: LabelSettings,
) -> TrustLevel:
    """The verdict."""
    if constant is not None:
        return "not_trusted"  # more labels would not change it
    if passed.n < settings.few or _rarer(passed) < settings.few_of_a_kind:
        return "too_few"
    low, high = passed.kappa.low, passed.kappa.high
    if low is None or high is None:
        return "too_few"
    unsteady = consistency is not None and consistency.equal.estimate < settings.consistent
    orders_well = order is not None and order >= cuts.spearman_good
    if passed.kappa.estimate < settings.kappa_poor and high < settings.kappa_good:
        # Training sees the scores, not what passes: their order may be right where the cut is not.
        return "care" if orders_well else "not_trusted"
    if low <= 0:
        return "unclear"
    if low >= settings.kappa_poor and passed.kappa.estimate >= settings.kappa_good:
        return "trusted" if (order is None or orders_well) and not unsteady else "care"
    return "care"


def sentence(said: Said) -> str:
    """The card in one sentence or two."""
    passed = said.passed
    if said.constant is not None:
        usual = said.constant >= said.cuts.passed - ROUNDING
        return (
            f"The grader gives {said.constant:.2f} to every answer: it tells nothing apart. Its "
            f"agreement with people, {passed.agreement.estimate:.0%} of {passed.n:,} answers, is "
            f"merely the share that people {'pass' if usual else 'do not pass'}."
        )
    text = (
        f"On {passed.n:,} labelled answers the grader agrees with people on "
        f"{with_bounds(passed.agreement, '.0%')}; always saying "
        f"{VERDICTS[passed.constant_label]!r} would agree on "
        f"{passed.constant_baseline.estimate:.0%}. Cohen's kappa is {with_bounds(passed.kappa)}"
    )
    ends = {
        "trusted": "it can stand in for people.",
        "care": _care(said),
        "unclear": "that may be chance as well.",
        "not_trusted": "do not train on it.",
        "too_few": "these are too few labels to judge it by.",
    }
    return f"{text}: {ends[said.level]}{_how_many_more(said)}"


def _care(said: Said) -> str:
    orders_well = said.order is not None and said.order >= said.cuts.spearman_good
    if orders_well and said.passed.kappa.estimate < said.settings.kappa_poor:
        return "it orders answers as people do, but passes others than they do: see the cut."
    return "it says much of what people say, but not all: look at where they differ."


def findings(said: Said) -> tuple[TrustFinding, ...]:
    """What else there is to say, what matters most first."""
    order = {"bad": 0, "warn": 1, "good": 2, "note": 3}
    return tuple(sorted(_findings(said), key=lambda one: order[one.tone]))


def _findings(said: Said) -> Iterator[TrustFinding]:
    passed, settings = said.passed, said.settings
    rarer = _rarer(passed)
    if said.constant is None and rarer < settings.few_of_a_kind:
        kind = VERDICTS[1 - passed.constant_label]
        yield TrustFinding(
            tone="warn",
            sentence=f"Only {rarer:,} labelled answers are {kind}: what the grader does with "
            "those hangs on them. Label more.",
        )
    if passed.clusters < settings.few_clusters and passed.clusters < passed.n:
        yield TrustFinding(
            tone="warn",
            sentence=f"The answers come from {passed.clusters:,} conversations only; intervals "
            "are too narrow with so few.",
        )
    low, high = passed.gain.low, passed.gain.high
    if said.constant is None and low is not None and high is not None:
        gain = with_bounds(passed.gain, "+.0%")
        if low > ROUNDING:
            tone, told = "good", "it knows more than what is usual."
        elif high < -ROUNDING:
            tone, told = "bad", "saying always the same would be right more often."
        else:
            tone, told = "warn", "the labels do not show that it beats a judge that never looks."
        yield TrustFinding(
            tone=tone,  # type: ignore[arg-type]  # one of three words
            sentence=f"Its agreement is {gain} beside that of a judge that always says "
            f"{VERDICTS[passed.constant_label]!r}: {told}",
        )
    if said.order is not None:
        yield _order(said, said.order)
    if said.consistency is not None:
        steady = said.consistency.equal.estimate >= settings.consistent
        yield TrustFinding(tone="good" if steady else "bad", sentence=said.consistency.sentence)
    if said.fit is not None:
        moved = said.fit.change.verdict == "improved"
        yield TrustFinding(tone="warn" if moved else "note", sentence=said.fit.sentence)
    for pair in said.raters:
        yield _raters(pair, passed)


def _order(said: Said, order: float) -> TrustFinding:
    found = said.rank or said.ordering
    if found is None or found.low is None:
        tone, told = "note", "too few labels to tell how sure that is."
    elif order >= said.cuts.spearman_good:
        tone, told = "good", "it orders answers as people do."
    elif order >= said.cuts.spearman_poor:
        tone, told = "warn", "it orders answers somewhat as people do."
    else:
        tone, told = "bad", "it orders answers otherwise than people do."
    if said.rank is not None:
        text = f"The rank correlation with people's labels is {with_bounds(said.rank)}"
    else:
        share = "" if found is None else with_bounds(found, ".0%")
        text = f"Of two answers of which people passed one, that one scores higher {share} of times"
    return TrustFinding(
        tone=tone,  # type: ignore[arg-type]  # one of four words
        sentence=f"{text}: {told}",
    )


def _raters(pair: RaterPair, passed: Confusion) -> TrustFinding:
    text = (
        f"{pair.first} and {pair.second} agree on {with_bounds(pair.agreement, '.0%')} of "
        f"{pair.n:,} answers (kappa {with_bounds(pair.kappa)})"
    )
    if pair.kappa.estimate < passed.kappa.estimate:
        return TrustFinding(
            tone="warn",
            sentence=f"{text}: less than the grader with them. Agree first on what is right.",
        )
    return TrustFinding(
        tone="note", sentence=f"{text}: no grader can be expected to agree with them more."
    )


class MoreLabels(Struct, frozen=True, kw_only=True):
    """How many more labels there should be, and what they are likely to tell."""

    labels: int
    bound: float | None
    """The kappa that they would tell it from; ``None`` where it is only that there are too few."""


def more_labels(level: TrustLevel, passed: Confusion, settings: TrustSettings) -> MoreLabels | None:
    """How many more labels would help; ``None`` where nothing is open, or too many would be needed.

    Where they are too few, those that are missing. Else so many that the bound of kappa nearest to
    its estimate is likely to lie outside of its interval, which shrinks with the root of their
    number.
    """
    kappa = passed.kappa
    if level == "too_few":
        rarer = _rarer(passed)
        of_a_kind = (settings.few_of_a_kind - rarer) * passed.n / max(rarer, 1)
        return MoreLabels(labels=max(settings.few - passed.n, math.ceil(of_a_kind), 1), bound=None)
    if level in ("trusted", "not_trusted") or kappa.low is None or kappa.high is None:
        return None
    bounds = (0.0, settings.kappa_poor, settings.kappa_good)
    inside = [bound for bound in bounds if kappa.low <= bound <= kappa.high]
    if not inside:
        return None
    bound = min(inside, key=lambda one: abs(one - kappa.estimate))
    distance = abs(bound - kappa.estimate)
    half = kappa.estimate - kappa.low if bound < kappa.estimate else kappa.high - kappa.estimate
    if distance <= ROUNDING:
        return None
    needed = math.floor(kappa.n * (half / distance) ** 2) + 1 - kappa.n
    if not 0 < needed <= settings.most_more_labels:
        return None
    return MoreLabels(labels=needed, bound=bound)


def _how_many_more(said: Said) -> str:
    more = said.more
    if more is None:
        return ""
    if more.bound is None:
        return f" Add at least {more.labels:,}."
    return f" About {more.labels:,} more labels would tell whether kappa is above {more.bound:g}."


def consistency(equal: Interval, difference: Interval, settings: TrustSettings) -> str:
    """What grading the same answers again came to."""
    told = (
        "steady enough to learn from"
        if equal.estimate >= settings.consistent
        else "too much chance in it: lower its temperature, or let several judges vote"
    )
    return (
        f"Graded again, an answer gets the same verdict {with_bounds(equal, '.0%')} of the time, "
        f"and scores differ by {with_bounds(difference)}: {told}."
    )


def position_bias(same: Interval, first: Interval) -> str:
    """What asking in both orders came to."""
    text = (
        f"Asked in both orders, it prefers the same answer {with_bounds(same, '.0%')} of the time; "
        f"{with_bounds(first, '.0%')} of its choices fall on the first"
    )
    if first.low is not None and first.low > 0.5:
        return f"{text}: it favours what comes first."
    if first.high is not None and first.high < 0.5:
        return f"{text}: it favours what comes last."
    return f"{text}: no favour for a place is to be seen."


def version(number: int, change: PairedDifference) -> str:
    """What changed since another version."""
    by = with_bounds(change.difference, "+.0%")
    told = {
        "improved": "it agrees better with people.",
        "regressed": "it agrees less with people.",
        "no_clear_change": "no clear difference.",
    }[change.verdict]
    return f"Beside version {number} on the same {change.n:,} labels, {by}: {told}"


def nothing_to_compare(failed: Sequence[GradedAnswer]) -> InvalidArgument:
    """Why there is no card."""
    if failed:
        reason = next((one.error for one in failed if one.error), "no reason given")
        return InvalidArgument(
            f"None of the {len(failed):,} labelled answers could be graded: {reason}",
            hint="Test the grader first: ds.test_grader().",
        )
    return InvalidArgument(
        "No recorded answer has both a label and a score.",
        hint="Label some first: ds.dialog('labelling'), ds.label(...) or ds.import_labels(field).",
    )


def _rarer(passed: Confusion) -> int:
    """How many answers have the label that people gave less often."""
    found = passed.recall[1 - passed.constant_label]
    return 0 if found is None else found.n
