"""A grader as an evaluator of eval-protocol, which Fireworks trains with."""

from __future__ import annotations

from rft_widgets.graders.compile.target import Target, adapter

TARGET = Target(
    name="eval-protocol",
    title="eval-protocol (Fireworks)",
    entry="test_{name}.py",
    usage="""\
`pip install eval-protocol`, put the training rows into `train.jsonl` beside the file, and try it
with `pytest {entry}`; `eval-protocol create rft` (or `ep upload`) takes the folder to Fireworks.
A row has `messages`, and `ground_truth`: the record's item fields with `messages` (and `tools`) of
the prompt, as JSON text. A grading that failed has the score 0, `is_score_valid` false, and says
why in `error`.""",
    adapter=adapter(
        "An evaluator for eval-protocol.",
        '''
HIDDEN = {"control_plane_step", "logprobs", "reasoning_content", "weight"}


@evaluation_test(
    input_dataset=[str(HERE / "train.jsonl")],
    completion_params=[{"model": "fireworks_ai/accounts/fireworks/models/qwen3-8b"}],
    rollout_processor=SingleTurnRolloutProcessor(),
    mode="pointwise",
)
async def test_NAME(row: EvaluationRow) -> EvaluationRow:
    """Give a row its score (0..1). A failed grading is 0 and not valid."""
    item = GRADER.read_item(row.ground_truth)
    said = [one.model_dump(exclude_none=True, exclude=HIDDEN) for one in row.messages]
    answer = said[len(item.get("messages", ())) :]
    graded = await asyncio.to_thread(GRADER.grade, answer, item)  # rows at the same time
    row.evaluation_result = EvaluateResult(
        score=graded.reward or 0.0,
        is_score_valid=graded.reward is not None,
        reason=graded.error or "graded",
        error=graded.error,
        metrics={
            name: MetricResult(
                score=reward or 0.0,
                is_score_valid=reward is not None,
                reason="part of the grader",
            )
            for name, reward in graded.parts.items()
        },
    )
    return row
''',
        standard="import asyncio\n",
        framework="""\
from eval_protocol.models import EvaluateResult, EvaluationRow, MetricResult
from eval_protocol.pytest import SingleTurnRolloutProcessor, evaluation_test
""",
    ),
)
