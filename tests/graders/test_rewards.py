"""Rewards on one scale, of graders whose range is known and of those whose range is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from rft_widgets.graders import Sample, compile_grader
from rft_widgets.graders.rewards import normalized_reward, out_of_range
from rft_widgets.model.llm import ModelAnswer


def judge(**more: Any) -> dict[str, Any]:
    prompt = [{"role": "user", "content": "{{response}}"}]
    return {"type": "score_model", "name": "j", "model": "m", "input": prompt, **more}


def rewarded(grader: Mapping[str, Any], answer: str = "") -> tuple[float | None, bool]:
    def call(*_: Any, **__: Any) -> ModelAnswer:
        return ModelAnswer(text=answer)

    with compile_grader(grader, model_call=call) as compiled:
        result = compiled.grade(Sample(output_text="yes"), {})
        return (
            normalized_reward(compiled.grader, result),
            out_of_range(compiled.grader, result),
        )


@pytest.mark.parametrize(
    ("bounds", "score", "expected"),
    [
        ([0, 5], 3, 0.6),
        ([0, 5], 5, 1.0),
        ([0, 5], 9, 1.0),
        ([-1, 1], 0, 0.5),
        ([-1, 1], -1, 0.0),
        ([1, 10], 1, 0.0),
        (None, 0.3, 0.3),
    ],
)
def test_a_judge_is_rescaled_by_its_range(bounds, score, expected):
    grader = judge() | ({"range": bounds} if bounds else {})
    found, outside = rewarded(grader, f'{{"score": {score}, "reasoning": "r"}}')
    assert found == pytest.approx(expected)
    assert not outside


@pytest.mark.parametrize(("reward", "outside"), [(4.0, True), (-0.5, True), (0.25, False)])
def test_code_is_left_as_it_is_and_flagged(reward, outside):
    code = {"type": "python", "source": f"def grade(sample, item): return {reward}"}
    assert rewarded(code) == (reward, outside)


def test_a_combination_is_left_as_it_is_and_flagged():
    part = {"type": "string_check", "input": "{{response}}", "reference": "yes", "operation": "eq"}
    combined = {"type": "multi", "graders": {"a": part}, "calculate_output": "3 * a"}
    assert rewarded(combined) == (3.0, True)
    assert rewarded(part) == (1.0, False)


def test_a_failed_grading_is_no_zero():
    assert rewarded(judge(range=[0, 5]), "no number at all") == (None, False)
