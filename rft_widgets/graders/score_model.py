"""A judge that gives a number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rft_widgets.errors import GraderInvalid
from rft_widgets.graders.judge import JudgePrompt, Verdict, judged
from rft_widgets.graders.outcome import Grade, Outcome
from rft_widgets.graders.sample import Sample
from rft_widgets.graders.verdict import ReadScore, read_score
from rft_widgets.model.grader import JUDGE, JudgeDefaults, ScoreModel, reward_range
from rft_widgets.model.llm import ModelCall

SCHEMA = {
    "type": "object",
    "properties": {"reasoning": {"type": "string"}, "score": {"type": "number"}},
    "required": ["reasoning", "score"],
    "additionalProperties": False,
}
"""What a judge is asked for. ``result`` with ``steps``, as hosted services have it, is read too."""


def compile_score_model(
    grader: ScoreModel, call: ModelCall, where: str = "", defaults: JudgeDefaults = JUDGE
) -> Grade:
    """Make the function that grades."""
    prompt, (low, high) = check_score_model(grader, where, defaults)
    verdict = Verdict(
        schema=SCHEMA,
        wanted="score that is clear",
        read=lambda text, cut: read_score(text, low, high, cut=cut),
    )

    def rewarded(found: ReadScore) -> Outcome:
        return Outcome(reward=min(high, max(low, found.score)), reasoning=found.reasoning)

    def grade(sample: Sample, item: Mapping[str, Any]) -> Outcome:
        return judged(call, grader, prompt, verdict, sample, item, rewarded, defaults)

    return grade


def check_score_model(
    grader: ScoreModel, where: str = "", defaults: JudgeDefaults = JUDGE
) -> tuple[JudgePrompt, tuple[float, float]]:
    """Check the grader without a model; its prompt and range."""
    if not grader.model:
        raise GraderInvalid("a judge needs the name of a model", where=f"{where}model")
    low, high = reward_range(grader) or (0.0, 1.0)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise GraderInvalid("range is two numbers, the smaller one first", where=f"{where}range")
    instruction = (
        "Answer with one JSON object and nothing else: "
        '{"reasoning": "<why, in a few sentences>", "score": '
        f"<a number from {low:g} to {high:g}>}}"
    )
    return JudgePrompt(grader.input, instruction, where, fenced=defaults.fenced), (low, high)
