"""A grader as a reward function of TRL."""

from __future__ import annotations

from rft_widgets.graders.compile.target import Target, adapter

TARGET = Target(
    name="trl",
    title="TRL",
    entry="reward.py",
    usage="""\
`GRPOTrainer(reward_funcs=[reward], ...)` with `from reward import reward`. The dataset has a column
`item`: of each record its item fields with `messages` (and `tools`) of the prompt, as JSON text. A
grading that failed has the reward `None`, which TRL leaves out; `grader/error_rate` in its log says
how many these are.""",
    adapter=adapter(
        "Rewards for TRL: `GRPOTrainer(reward_funcs=[reward], ...)`.",
        '''

def reward(prompts, completions, item, **kwargs):
    """One reward (0..1) an answer; None where grading failed, which TRL leaves out."""
    graded = GRADER.grade_many(zip(completions, item, strict=True))
    log_metric = kwargs.get("log_metric")
    if log_metric is not None and graded:
        failed = sum(one.reward is None for one in graded)
        log_metric("grader/error_rate", failed / len(graded))
    return [one.reward for one in graded]
''',
    ),
)
