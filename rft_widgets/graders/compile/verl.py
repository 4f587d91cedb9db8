"""A grader as a reward function of verl."""

from __future__ import annotations

from rft_widgets.graders.compile.target import Target, adapter

TARGET = Target(
    name="verl",
    title="verl",
    entry="reward.py",
    carries="text",
    usage="""\
`custom_reward_function.path=<this folder>/reward.py custom_reward_function.name=compute_score`
(newer: `reward.custom_reward_function.path`). In the Parquet file, `reward_model.ground_truth` is
the record's item fields with `messages` (and `tools`) of the prompt, as JSON text. verl takes
numbers alone: a grading that failed has the score 0 and `failed` 1, which stands in verl's
metrics.""",
    adapter=adapter(
        "Rewards for verl: `custom_reward_function.path=reward.py`, name `compute_score`.",
        '''

def compute_score(data_source, solution_str, ground_truth, extra_info=None, **kwargs):
    """The score (0..1) of an answer, with what each part gave. A failed grading is 0."""
    graded = GRADER.grade(solution_str, ground_truth)
    parts = {f"part/{name}": reward or 0.0 for name, reward in graded.parts.items()}
    return {"score": graded.reward or 0.0, "failed": float(graded.reward is None), **parts}
''',
    ),
)
