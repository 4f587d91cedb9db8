"""What the statistics of a dry run mean: every measured value against its bounds, in words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from rft_widgets.model.dry_run_settings import ROUNDING, DryRunBounds
from rft_widgets.model.report import (
    Check,
    CheckLevel,
    DryRunVerdict,
    Probe,
    Quality,
    RepeatScores,
    Subject,
    TopicScores,
    with_bounds,
)
from rft_widgets.statistics import Description, Interval


class Measured(Struct, frozen=True, kw_only=True):
    """All that the verdict is taken from."""

    scores: Description | None
    mean: Interval | None
    topics: Sequence[TopicScores]
    repeats: RepeatScores | None
    probes: Sequence[Probe]
    gradings: int
    """Gradings that were tried."""
    failed_gradings: int
    usual_error: str | None
    """What most of the failed ones say."""
    out_of_range: int
    prompts: int
    """Prompts that have a score."""
    more_samples: int | None


def make_checks(found: Measured, bounds: DryRunBounds, *, named_topics: int) -> tuple[Check, ...]:
    """Every line of the verdict; those that could not be measured are left out."""
    checks = [_failed_gradings(found, bounds)] if found.gradings else []
    if found.scores is None or found.mean is None:
        checks.append(_no_scores(found))
    else:
        checks += _of_scores(found.scores, found, bounds, named_topics)
        checks.append(_interval(found.mean, found, bounds))
    checks += [
        Check(
            name=f"probe_{probe.name}",
            level="good" if probe.passed else "warn",
            about="grader",
            value=probe.value,
            sentence=probe.sentence,
            bound=probe.bound,
        )
        for probe in found.probes
        if probe.passed is not None
    ]
    return tuple(checks)


def verdict_of(checks: Iterable[Check]) -> DryRunVerdict:
    """NO_GO with any failure, else CAUTION with any warning, else GO."""
    levels = {check.level for check in checks}
    return "NO_GO" if "fail" in levels else "CAUTION" if "warn" in levels else "GO"


def reasons_of(checks: Iterable[Check]) -> tuple[str, ...]:
    """What speaks against GO, failures first."""
    return tuple(check.sentence for check in _worst_first(checks))


def quality_of(checks: Iterable[Check], about: Subject) -> Quality:
    """The worst of the checks that blame the grader, or the data."""
    levels = {check.level for check in checks if check.about == about}
    return "problem" if "fail" in levels else "attention" if "warn" in levels else "good"


def fix_first(checks: Iterable[Check]) -> str:
    """What to do first: the grader before the data, because all else is measured with it."""
    bad = _worst_first(checks)
    grader = next((check for check in bad if check.about == "grader"), None)
    data = next((check for check in bad if check.about == "data"), None)
    if grader is not None and data is not None:
        return f"First the grader: {grader.sentence} Then the data: {data.sentence}"
    if grader is not None:
        return f"First the grader: {grader.sentence}"
    if data is not None:
        return f"The grader is fine; look at the data: {data.sentence}"
    return bad[0].sentence if bad else "Nothing needs to be fixed."


def crossed_bounds(mean: Interval, bounds: DryRunBounds) -> list[float]:
    """The bounds of the mean that lie inside its interval."""
    if mean.low is None or mean.high is None:
        return []
    return [b for b in bounds_of_mean(bounds) if mean.low + ROUNDING < b < mean.high - ROUNDING]


def bounds_of_mean(bounds: DryRunBounds) -> tuple[float, ...]:
    """Every mean at which the verdict changes."""
    return (bounds.mean_fail, bounds.mean_low, bounds.mean_high, bounds.mean_unnecessary)


def _of_scores(
    scores: Description, found: Measured, bounds: DryRunBounds, named_topics: int
) -> Iterator[Check]:
    # Scores that are low and alike in every topic say nothing about the data yet.
    flat = (
        _below(scores.mean, bounds.mean_low)
        and _below(scores.std, bounds.std_low)
        and all(_below(topic.mean.estimate, bounds.mean_low) for topic in found.topics)
    )
    data: Subject = "grader" if flat else "data"
    if found.out_of_range:
        yield Check(
            name="range",
            level="fail",
            about="grader",
            value=found.out_of_range / scores.n,
            sentence=f"{found.out_of_range:,} of {scores.n:,} rewards lie outside 0..1 "
            f"({scores.minimum:g} to {scores.maximum:g}): normalise them in the grader, as by "
            "dividing by the highest there can be; the bounds mean nothing before.",
            bound="0%",
            is_share=True,
        )
    yield _mean(scores.mean, data, bounds)
    yield _above_zero(scores.share_above_zero, data, bounds)
    yield _std(scores.std, bounds)
    high = _above(scores.share_one, bounds.perfect_high)
    yield Check(
        name="perfect",
        level="warn" if high else "good",
        about="data",
        value=scores.share_one,
        sentence=f"{scores.share_one:.0%} of the answers are perfect already"
        + (": add harder prompts." if high else "."),
        bound=f"at most {bounds.perfect_high:.0%}",
        is_share=True,
    )
    share = scores.most_common_share
    level = _high(share, bounds.repeated_high, bounds.repeated_fail)
    yield Check(
        name="repeated_value",
        level=level,
        about="grader",
        value=share,
        sentence=f"{share:.0%} of the scores are {scores.most_common:.3g}"
        + ("." if level == "good" else ": make the grader tell more grades apart."),
        bound=_at_most(bounds.repeated_high, bounds.repeated_fail),
        is_share=True,
    )
    if named := [topic for topic in found.topics if topic.topic is not None]:
        yield _topics(named, data, bounds, named_topics)
    if found.repeats is not None:
        yield _mixed(found.repeats, data, bounds)


def _no_scores(found: Measured) -> Check:
    if not found.gradings:
        return Check(
            name="scores",
            level="fail",
            about="sample",
            value=None,
            sentence="There is no score, because the model gave no answer"
            + (f": {found.usual_error}" if found.usual_error else ".")
        )  # fmt: skip
    return Check(
        name="scores",
        level="fail",
        about="grader",
        value=None,
        sentence=f"There is no score: the grader failed on all {found.gradings:,} answers.",
    )


def _failed_gradings(found: Measured, bounds: DryRunBounds) -> Check:
    share = found.failed_gradings / found.gradings
    level = _high(share, bounds.failed_high, bounds.failed_fail)
    sentence = f"{found.failed_gradings:,} of {found.gradings:,} gradings failed ({share:.0%})"
    if level != "good" and found.usual_error:
        sentence += f", most often with: {found.usual_error}"
    return Check(
        name="failed_gradings",
        level=level,
        about="grader",
        value=share,
        sentence=sentence if sentence.endswith(".") else f"{sentence}.",
        bound=_at_most(bounds.failed_high, bounds.failed_fail),
        is_share=True,
    )


def _mean(mean: float, about: Subject, bounds: DryRunBounds) -> Check:
    level: CheckLevel = "warn"
    if _below(mean, bounds.mean_fail):
        level, words = (
            "fail",
            "training has nothing to start from; take easier prompts, a stronger ",
        )
        words += "model or a grader that gives part marks."
    elif _below(mean, bounds.mean_low):
        words = "most answers earn little; easier prompts or part marks make it learn faster."
    elif _above(mean, bounds.mean_unnecessary):
        words = "reinforcement fine-tuning is unnecessary."
    elif _above(mean, bounds.mean_high):
        words = "little is left to learn; add harder prompts."
    else:
        level, words = "good", "there is room to learn."
    return Check(
        name="mean",
        level=level,
        about=about,
        value=mean,
        sentence=f"The mean is {mean:.2f}: {words}",
        bound=f"{bounds.mean_low:.2f} to {bounds.mean_high:.2f}; "
        f"fails below {bounds.mean_fail:.2f}",
    )


def _above_zero(share: float, about: Subject, bounds: DryRunBounds) -> Check:
    level = _low(share, bounds.above_zero_low, bounds.above_zero_fail)
    words = {
        "good": ".",
        "warn": ": add easier prompts, or give part marks.",
        "fail": ": successes are too rare to learn from.",
    }
    return Check(
        name="above_zero",
        level=level,
        about=about,
        value=share,
        sentence=f"{share:.0%} of the answers score above 0{words[level]}",
        bound=_at_least(bounds.above_zero_low, bounds.above_zero_fail),
        is_share=True,
    )


def _std(std: float, bounds: DryRunBounds) -> Check:
    level = _low(std, bounds.std_low, bounds.std_fail)
    if level == "fail":
        words = ": the grader does not tell answers apart."
    elif level == "warn":
        words = ": the grader hardly tells answers apart."
    elif _above(std, bounds.std_high):
        level, words = "warn", ": the reward is nearly all or nothing; split a binary reward."
    else:
        words = "."
    return Check(
        name="std",
        level=level,
        about="grader",
        value=std,
        sentence=f"The standard deviation is {std:.2f}{words}",
        bound=f"{bounds.std_low:.2f} to {bounds.std_high:.2f}; fails below {bounds.std_fail:.2f}",
    )


def _topics(
    topics: Sequence[TopicScores], about: Subject, bounds: DryRunBounds, most: int
) -> Check:
    lowest = min(topic.mean.estimate for topic in topics)
    low = sorted(
        (topic for topic in topics if _below(topic.mean.estimate, bounds.topic_low)),
        key=lambda topic: topic.mean.estimate,
    )
    if not low:
        sentence = f"No topic has a mean below {bounds.topic_low:g}."
    else:
        named = ", ".join(
            f"{one.topic!r} ({one.mean.estimate:.2f} of {one.count:,})" for one in low[:most]
        )
        rest = f" and {len(low) - most:,} more" if len(low) > most else ""
        sentence = (
            f"The mean is below {bounds.topic_low:g} in {named}{rest}: look at these records, "
            "their references may be wrong."
        )
    return Check(
        name="topics",
        level="warn" if low else "good",
        about=about,
        value=lowest,
        sentence=sentence,
        bound=f"at least {bounds.topic_low:.2f}",
    )


def _mixed(repeats: RepeatScores, about: Subject, bounds: DryRunBounds) -> Check:
    share = repeats.mixed_share
    level = _low(share, bounds.mixed_low, bounds.mixed_fail)
    words = "" if level == "good" else " Take prompts that the model solves now and then."
    return Check(
        name="mixed",
        level=level,
        about=about,
        value=share,
        sentence=f"{share:.0%} of {repeats.prompts:,} prompts have answers that score differently; "
        f"only these teach.{words}",
        bound=_at_least(bounds.mixed_low, bounds.mixed_fail),
        is_share=True,
    )


def _interval(mean: Interval, found: Measured, bounds: DryRunBounds) -> Check:
    if mean.low is None or mean.high is None:
        return Check(
            name="interval",
            level="warn",
            about="sample",
            value=None,
            sentence="Nothing tells how sure the mean is, because all answers belong to one prompt "
            "or conversation: grade more prompts.",
        )
    crossed = crossed_bounds(mean, bounds)
    sentence = f"The mean is {with_bounds(mean)}, which lies within one band."
    if crossed:
        listed = " and ".join(f"{bound:g}" for bound in crossed)
        sentence = f"The mean is {with_bounds(mean)}, which crosses {listed}; "
        if found.more_samples is None:
            sentence += "it lies on a bound, and no number of samples would decide it."
        else:
            more = found.more_samples
            prompts = math.ceil(more * found.prompts / mean.n)
            sentence += f"{more:,} more samples decide it"
            sentence += f" (about {prompts:,} prompts)." if mean.n > found.prompts else "."
    return Check(
        name="interval",
        level="warn" if crossed else "good",
        about="sample",
        value=mean.high - mean.low,
        sentence=sentence,
        bound="crosses none of " + ", ".join(f"{b:.2f}" for b in bounds_of_mean(bounds)),
    )


def _at_most(warn: float, fail: float) -> str:
    return f"at most {warn:.0%}; fails above {fail:.0%}"


def _at_least(warn: float, fail: float) -> str:
    return f"at least {warn:.0%}; fails below {fail:.0%}"


def _worst_first(checks: Iterable[Check]) -> list[Check]:
    bad = [check for check in checks if check.level != "good"]
    return sorted(bad, key=lambda check: check.level != "fail")


def _below(value: float, bound: float) -> bool:
    return value < bound - ROUNDING


def _above(value: float, bound: float) -> bool:
    return value > bound + ROUNDING


def _low(value: float, warn: float, fail: float) -> CheckLevel:
    return "fail" if _below(value, fail) else "warn" if _below(value, warn) else "good"


def _high(value: float, warn: float, fail: float) -> CheckLevel:
    return "fail" if _above(value, fail) else "warn" if _above(value, warn) else "good"
