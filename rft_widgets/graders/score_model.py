"""A judge that gives a number."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from rft_widgets.errors import GraderInvalid
from rft_widgets.graders.judge import (
    JudgePrompt,
    ask,
    objects,
    reason,
    reason_of,
    unreadable,
    usage,
)
from rft_widgets.graders.outcome import Grade, Outcome
from rft_widgets.graders.sample import Sample
from rft_widgets.model.grader import ScoreModel, reward_range
from rft_widgets.model.llm import ModelCall

SCHEMA = {
    "type": "object",
    "properties": {"reasoning": {"type": "string"}, "score": {"type": "number"}},
    "required": ["reasoning", "score"],
    "additionalProperties": False,
}
"""What a judge is asked for. ``result`` with ``steps``, as hosted services have it, is read too."""


def compile_score_model(grader: ScoreModel, call: ModelCall, where: str = "") -> Grade:
    """Make the function that grades."""
    prompt, (low, high) = check_score_model(grader, where)

    def grade(sample: Sample, item: Mapping[str, Any]) -> Outcome:
        answer = ask(call, grader, prompt.render(sample, item), SCHEMA)
        if isinstance(answer, Outcome):
            return answer
        score, why = _verdict(answer.text or "", cut=answer.finish_reason == "length")
        if score is None:
            return unreadable(answer, grader, "score that is clear")
        return Outcome(
            reward=min(high, max(low, score)), reasoning=why, **usage(answer, grader.model)
        )

    return grade


def check_score_model(
    grader: ScoreModel, where: str = ""
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
    return JudgePrompt(grader.input, instruction, where), (low, high)


_LABELLED = re.compile(
    r"^[\s*_#>-]*(?:final\s+|overall\s+)?(?:score|result|rating)[\s*_]*[:=][\s*_]*"
    r"(-?\d{1,9}(?:\.\d{1,17})?)(?![\d.,]*\d)",
    re.IGNORECASE | re.MULTILINE,
)


def _verdict(text: str, *, cut: bool) -> tuple[float | None, str | None]:
    """The one number that the answer gives, and its reason. Two different numbers give none."""
    scores: dict[float, str | None] = {}
    for found in objects(text):
        for key in ("result", "score"):
            number = _number(found.get(key))
            if number is not None:
                scores.setdefault(number, reason_of(found))
    if not scores and not cut:
        # Some judges answer the rubric's own form: "Score: 4", or the bare number.
        bare = _number(text)
        numbers = [bare] if bare is not None else [float(n) for n in _LABELLED.findall(text[:5000])]
        scores = dict.fromkeys(numbers, reason(text))
    return next(iter(scores.items())) if len(scores) == 1 else (None, None)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str) and not re.fullmatch(r"\s*[+-]?\d{1,15}(\.\d{1,17})?\s*", value):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
