"""What a run card says in words: the weak topics of a run, and what nobody knows of it."""

from __future__ import annotations

from rft_widgets.model.run_card import RunCard
from rft_widgets.model.training import TrainingReport
from rft_widgets.model.training_plan import TrainerCapabilities

_MOST_WEAK = 3
_FEWEST_PROMPTS = 5
"""Prompts of a topic below which its mean says nothing."""


def weak_topics(report: TrainingReport) -> tuple[str | None, ...]:
    """Topics that became clearly worse, then at most three of those below the mean, lowest first.

    The latter are told by their mean reward after the training, of at least five prompts.
    """
    worse = [one.topic for one in report.topics if one.verdict == "regressed"]
    if report.change is None:
        return tuple(worse)
    low = [
        one
        for one in report.topics
        if one.topic not in worse
        and one.difference.n >= _FEWEST_PROMPTS
        and one.difference.after_mean < report.change.after_mean
    ]
    low.sort(key=lambda one: one.difference.after_mean)
    return (*worse, *(one.topic for one in low[:_MOST_WEAK]))


def not_measured(card: RunCard, capabilities: TrainerCapabilities) -> tuple[str, ...]:
    """What nobody knows of a run, one sentence each."""
    return tuple(
        sentence
        for is_so, sentence in (
            (
                card.report is None,
                f"The run is {card.status}: its result is not measured.",
            ),
            (
                card.report is not None and card.report.outcome == "not_measured",
                "What the training was worth on validation prompts was not measured.",
            ),
            (
                card.comparison is None,
                "The checkpoints were not compared on the same prompts by the same grader.",
            ),
            (
                card.comparison is not None
                and card.comparison.grader_version != card.grader.version,
                "The checkpoints were compared by another version of the grader than the run's.",
            ),
            (
                card.dry_run is None,
                "There was no dry run before it: whether there was something to learn was not "
                "looked at.",
            ),
            (
                card.grader.trust is None,
                "Whether the grader judges as people do was not measured: there is no trust card "
                "of this version.",
            ),
            (
                not card.deployments,
                "What the result is worth in use is not known: it was never deployed.",
            ),
            *(
                (
                    one.outcome is None,
                    f"What deployment {one.id} is worth to those who use it was not measured.",
                )
                for one in card.deployments
            ),
            (
                card.costs.service_micro_usd is None,
                "What the service that trained costs is not known.",
            ),
            (
                any(one.cost_micro_usd is None for one in card.costs.calls.values()),
                "What the models that were asked cost is not known: there is no price for one.",
            ),
            (
                not card.attempts,
                "Which machine and which versions of packages it ran with was not noted.",
            ),
            (
                bool(card.attempts) and card.attempts[-1].gpus is None,
                "Whether the machine has a GPU is not known: no driver of NVIDIA answered.",
            ),
            (
                capabilities.grader_runs == "service",
                "On which machines the service trained is not known.",
            ),
            (
                not any(point.kl is not None for point in card.curve),
                "How far the model moved from the one before was not told by the trainer.",
            ),
        )
        if is_so
    )
