"""Every number of grader tests and dry runs, each one documented and changeable."""

from __future__ import annotations

from msgspec import Struct


class DryRunSettings(Struct, frozen=True, kw_only=True):
    """How much a dry run looks at. What decides about it is in `DryRunBounds`."""

    prompts: int = 300
    """Prompts that are sampled."""
    responses: int = 1
    """Answers to each prompt (k); 4 or 8 show what a model can learn from."""
    most_prompts: int = 50_000
    """Prompts that a screen lets one ask for."""
    most_responses: int = 64
    """Answers to each prompt that a screen lets one ask for."""
    keep_answers: int = 16
    """Graded answers that are handed over at a time to be stored; no more than these are lost."""
    keep_s: float = 1.0
    """Seconds after which they are handed over though they are fewer: a judge may be slow."""
    concurrent_responses: int = 8
    """Model calls for answers at a time."""
    examples: int = 5
    """Answers shown of each kind: the best, the worst, those nearest the mean."""
    shown_chars: int = 4_000
    """Characters of a prompt, and of a response, that are kept with its score to be read."""
    named_topics: int = 3
    """Topics that a sentence names at most."""
    success: float = 1.0
    """Reward (0..1) from which an answer succeeds, for pass@k and pass^k."""
    level: float = 0.95
    """Coverage of all intervals."""
    resamples: int = 2_000
    """Bootstrap resamples of an interval."""


class RolloutSettings(Struct, frozen=True, kw_only=True):
    """How a model answers prompts anew."""

    temperature: float = 1.0
    """Temperature of its answers: that of training, where answers have to differ."""
    max_tokens: int = 2_048
    """Most tokens of an answer. A model that thinks on them gets neither of both."""
    usual_tokens: int = 300
    """Tokens that an answer is taken to have where none was recorded."""
    looked_at: int = 200
    """Prompts whose length is taken for that of all."""


class DryRunBounds(Struct, frozen=True, kw_only=True):
    """Where good ends and a warning or a failure begins. Shares, means and deviations in 0..1.

    A value on a bound is on its better side.
    """

    mean_fail: float = 0.10
    """Mean below which training has nothing to start from."""
    mean_low: float = 0.25
    """Mean below which most answers earn too little."""
    mean_high: float = 0.65
    """Mean above which little is left to learn."""
    mean_unnecessary: float = 0.95
    """Mean above which reinforcement fine-tuning is unnecessary."""
    above_zero_fail: float = 0.10
    """Share of rewards above 0 below which successes are too rare."""
    above_zero_low: float = 0.50
    """Share of rewards above 0 below which it warns."""
    std_fail: float = 0.05
    """Standard deviation below which rewards do not tell answers apart."""
    std_low: float = 0.10
    """Standard deviation below which they hardly do."""
    std_high: float = 0.35
    """Standard deviation above which a reward is all or nothing."""
    perfect_high: float = 0.50
    """Share of rewards of 1 above which it warns."""
    repeated_fail: float = 0.90
    """Share of equal rewards above which one value says nothing."""
    repeated_high: float = 0.70
    """Share of equal rewards above which it warns."""
    topic_low: float = 0.15
    """Mean of a topic below which it warns."""
    failed_fail: float = 0.20
    """Share of failed gradings above which the grader cannot be used."""
    failed_high: float = 0.05
    """Share of failed gradings above which it warns."""
    mixed_fail: float = 0.10
    """Share of prompts with different scores below which there is nothing to learn from."""
    mixed_low: float = 0.30
    """Share of prompts with different scores below which it warns."""


class ProbeSettings(Struct, frozen=True, kw_only=True):
    """How a grader is probed with answers that deserve nothing."""

    records: int = 8
    """Records that each probe is tried on."""
    passing: float = 0.5
    """Mean reward (0..1) from which a bad answer scores well. Deliberately bad outputs must score
    below it, says Microsoft's guidance on graders for reinforcement fine-tuning."""
    repeat_tolerance: float = 0.05
    """Largest difference of two gradings of one response that still agree; judges that give
    fractions jitter by a few hundredths."""
    filler_chars: int = 20_000
    """Length of the very long answer."""


class GraderTestSettings(Struct, frozen=True, kw_only=True):
    """How a grader is tried on a few records."""

    records: int = 5
    """Records of a test."""
    lenient: float = 0.9
    """Reward (0..1) above which, when all are, a grader is too lenient."""
    strict: float = 0.1
    """Reward (0..1) below which, when all are, a grader is too strict."""
    no_variance: float = 0.1
    """Standard deviation below which a grader does not differentiate."""


class LabelSettings(Struct, frozen=True, kw_only=True):
    """When a grader says what people say."""

    passed: float = 0.5
    """Score (0..1) from which an answer counts as passed, for graders and for people."""
    spearman_good: float = 0.8
    """Rank correlation with people's scores from which a grader can stand in for them."""
    spearman_poor: float = 0.6
    """Rank correlation below which it has to be fixed. Both are Microsoft's guidance."""


DRY_RUN = DryRunSettings()
DRY_RUN_BOUNDS = DryRunBounds()
ROLLOUT = RolloutSettings()
PROBES = ProbeSettings()
GRADER_TEST = GraderTestSettings()
LABELS = LabelSettings()

ROUNDING = 1e-9
"""Values that are no further from a bound than this lie on it."""
