"""The report of a dry run, from its graded answers alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.dry_run import DryRunConfig
from rft_widgets.model.dry_run_settings import (
    DRY_RUN,
    DRY_RUN_BOUNDS,
    DryRunBounds,
    DryRunSettings,
)
from rft_widgets.model.report import (
    AnsweredBy,
    DryRunReport,
    FailureGroup,
    GradedAnswer,
    GradedStatus,
    Probe,
    RepeatScores,
    TopicScores,
)
from rft_widgets.statistics import (
    Interval,
    bootstrap_mean,
    describe,
    mixed_share,
    pass_at_k,
    pass_hat_k,
    samples_to_decide,
    variance_components,
)
from rft_widgets.steps.dry_run.units import independent_units
from rft_widgets.steps.dry_run.verdict import (
    Measured,
    bounds_of_mean,
    crossed_bounds,
    fix_first,
    make_checks,
    quality_of,
    reasons_of,
    verdict_of,
)


def build_report(
    graded: Sequence[GradedAnswer],
    *,
    probes: Sequence[Probe] = (),
    excluded: Mapping[str, int] | None = None,
    planned: int | None = None,
    config: DryRunConfig | None = None,
    seed: int = 0,
    settings: DryRunSettings = DRY_RUN,
    bounds: DryRunBounds = DRY_RUN_BOUNDS,
) -> DryRunReport:
    """Measure graded answers and say what they mean.

    Parameters
    ----------
    graded
        All answers that were tried, failed ones too, at least one.
    probes
        What `run_probes` found; by default the grader was not probed.
    excluded
        Records that were left out before, by reason, as `PromptSample.excluded` counts them.
    planned
        Answers that should have been graded; more than there are make the report a partial one.
    config
        What was asked for, where a model answered.
    seed
        Of the bootstrap.
    settings, bounds
        Every number that decides.

    Raises
    ------
    InvalidArgument
        There is no answer.
    """
    if not graded:
        raise InvalidArgument(
            "There is no graded answer to report.",
            hint="Import records with answers, or let a model answer.",
        )
    scored = [one for one in graded if one.reward is not None]
    failed = [one for one in graded if one.status == "failed_grading"]
    unanswered = [one for one in graded if one.status == "failed_answer"]
    rewards = [_reward(one) for one in scored]
    units = independent_units(scored)
    mean = _mean(rewards, units, seed, settings) if scored else None
    more = None
    if mean is not None and crossed_bounds(mean, bounds):
        more = samples_to_decide(rewards, units, bounds_of_mean(bounds), level=settings.level)
        # The bootstrap's interval crosses a bound that the normal one just misses: one may do.
        more = None if more is None else max(more, 1)
    found = Measured(
        scores=describe(rewards) if scored else None,
        mean=mean,
        topics=_topics(scored, units, seed, settings),
        repeats=_repeats(scored, settings),
        probes=probes,
        gradings=len(scored) + len(failed),
        failed_gradings=len(failed),
        usual_error=_usual_error(failed or unanswered),
        out_of_range=sum(one.out_of_range for one in scored),
        prompts=len({one.prompt_key for one in scored}),
        more_samples=more,
    )
    checks = make_checks(found, bounds, named_topics=settings.named_topics)
    left_out = Counter(excluded or {})
    left_out.update({"failed_grading": len(failed), "failed_answer": len(unanswered)})
    middle = found.scores.mean if found.scores else 0.0
    return DryRunReport(
        verdict=verdict_of(checks),
        reasons=reasons_of(checks),
        checks=checks,
        scores=found.scores,
        mean=mean,
        topics=tuple(found.topics),
        repeats=found.repeats,
        probes=tuple(probes),
        more_samples=more,
        dataset_quality=quality_of(checks, "data"),
        grader_quality=quality_of(checks, "grader"),
        fix_first=fix_first(checks),
        best=_examples(sorted(scored, key=lambda one: -_reward(one)), settings),
        worst=_examples(sorted(scored, key=_reward), settings),
        middle=_examples(sorted(scored, key=lambda one: abs(_reward(one) - middle)), settings),
        excluded={reason: count for reason, count in left_out.items() if count},
        answers=len(graded),
        planned=max(len(graded), planned or 0),
        failures=_failures(failed + unanswered, settings),
        answered_by=None if config is None or not config.asked else answered_by(graded, config),
    )


def answered_by(graded: Sequence[GradedAnswer], config: DryRunConfig) -> AnsweredBy:
    """Which model gave the answers of a run, and how these ended."""
    answers = [one for one in graded if one.status != "failed_answer"]
    endings = Counter(one.ending for one in answers if one.ending is not None)
    models = Counter(one.model for one in answers if one.model is not None)
    return AnsweredBy(
        connection=config.model,
        asked=config.asked,
        models=tuple(name for name, _ in models.most_common()),
        temperature=config.temperature,
        max_tokens=config.max_tokens,
        endings=dict(endings),
        failed=len(graded) - len(answers),
    )


def _mean(
    rewards: Sequence[float], units: Sequence[str], seed: int, settings: DryRunSettings
) -> Interval:
    return bootstrap_mean(
        rewards, units, level=settings.level, samples=settings.resamples, seed=seed
    )


def _topics(
    scored: Sequence[GradedAnswer], units: Sequence[str], seed: int, settings: DryRunSettings
) -> list[TopicScores]:
    places: defaultdict[str | None, list[int]] = defaultdict(list)
    for place, one in enumerate(scored):
        places[one.topic].append(place)
    order = sorted(places, key=lambda topic: (topic is None, topic or ""))
    return [
        TopicScores(
            topic=topic,
            count=len(places[topic]),
            mean=_mean(
                [_reward(scored[place]) for place in places[topic]],
                [units[place] for place in places[topic]],
                seed,
                settings,
            ),
        )
        for topic in order
    ]


def _repeats(scored: Iterable[GradedAnswer], settings: DryRunSettings) -> RepeatScores | None:
    by_prompt: defaultdict[str, list[float]] = defaultdict(list)
    for one in scored:
        by_prompt[one.prompt_key].append(_reward(one))
    groups = [rewards for rewards in by_prompt.values() if len(rewards) > 1]
    share = mixed_share(groups)
    if share is None:
        return None
    sizes = range(1, min(map(len, groups)) + 1)
    return RepeatScores(
        prompts=len(groups),
        mixed_share=share,
        unvaried_prompts=len(groups) - round(share * len(groups)),
        pass_at={k: pass_at_k(groups, k, threshold=settings.success) for k in sizes},
        pass_hat={k: pass_hat_k(groups, k, threshold=settings.success) for k in sizes},
        variance=variance_components(groups),
    )


def _examples(
    ordered: Sequence[GradedAnswer], settings: DryRunSettings
) -> tuple[GradedAnswer, ...]:
    """The first ones, of different prompts while there are enough."""
    firsts: list[GradedAnswer] = []
    others: list[GradedAnswer] = []
    seen: set[str] = set()
    for one in ordered:
        (others if one.prompt_key in seen else firsts).append(one)
        seen.add(one.prompt_key)
    return tuple(sorted((firsts + others)[: settings.examples], key=ordered.index))


def _failures(
    unscored: Iterable[GradedAnswer], settings: DryRunSettings
) -> tuple[FailureGroup, ...]:
    groups: defaultdict[tuple[GradedStatus, str], list[GradedAnswer]] = defaultdict(list)
    for one in unscored:
        groups[one.status, one.error or "It gave no reason."].append(one)
    commonest = sorted(groups.items(), key=lambda group: -len(group[1]))
    return tuple(
        FailureGroup(
            status=status,
            error=error,
            flags=tuple(sorted({flag for one in group for flag in _flags(one)})),
            count=len(group),
            example=group[0],
        )
        for (status, error), group in commonest[: settings.examples]
    )


def _flags(one: GradedAnswer) -> list[str]:
    flags = msgspec.structs.asdict(one.errors)
    return [name for name, value in flags.items() if value is True]


def _usual_error(failed: Iterable[GradedAnswer]) -> str | None:
    errors = Counter(one.error for one in failed if one.error)
    return errors.most_common(1)[0][0] if errors else None


def _reward(one: GradedAnswer) -> float:
    assert one.reward is not None  # noqa: S101 - only scored answers come here
    return one.reward
