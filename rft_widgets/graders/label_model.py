"""A judge that picks a label."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rft_widgets.errors import GraderInvalid
from rft_widgets.graders.judge import JudgePrompt, Verdict, judged
from rft_widgets.graders.outcome import Grade, Outcome
from rft_widgets.graders.sample import Sample
from rft_widgets.graders.verdict import ReadLabel, read_label
from rft_widgets.model.grader import JUDGE, JudgeDefaults, LabelModel
from rft_widgets.model.llm import ModelCall


def compile_label_model(
    grader: LabelModel, call: ModelCall, where: str = "", defaults: JudgeDefaults = JUDGE
) -> Grade:
    """Make the function that grades."""
    prompt = check_label_model(grader, where, defaults)
    verdict = Verdict(
        schema={
            "type": "object",
            "properties": {
                "reasoning": {"type": "string"},
                "label": {"type": "string", "enum": list(grader.labels)},
            },
            "required": ["reasoning", "label"],
            "additionalProperties": False,
        },
        wanted="label of the list that is clear",
        read=lambda text, cut: read_label(text, grader.labels, cut=cut),
    )

    def rewarded(found: ReadLabel) -> Outcome:
        text = f"{found.label}: {found.reasoning}" if found.reasoning else found.label
        passes = found.label in grader.passing_labels
        return Outcome(reward=1.0 if passes else 0.0, reasoning=text, label=found.label)

    def grade(sample: Sample, item: Mapping[str, Any]) -> Outcome:
        return judged(call, grader, prompt, verdict, sample, item, rewarded, defaults)

    return grade


def check_label_model(
    grader: LabelModel, where: str = "", defaults: JudgeDefaults = JUDGE
) -> JudgePrompt:
    """Check the grader without a model; its prompt."""
    if not grader.model:
        raise GraderInvalid("a judge needs the name of a model", where=f"{where}model")
    folded = [label.strip().casefold() for label in grader.labels]
    if len(folded) < 2 or "" in folded or len(set(folded)) != len(folded):
        raise GraderInvalid(
            "labels are two or more texts that differ in more than case", where=f"{where}labels"
        )
    unknown = [label for label in grader.passing_labels if label not in grader.labels]
    if unknown or not grader.passing_labels:
        raise GraderInvalid(
            f"{unknown[0]!r} is no label" if unknown else "no label passes",
            where=f"{where}passing_labels",
            hint="Passing labels are some of the labels.",
        )
    instruction = (
        "Answer with one JSON object and nothing else: "
        '{"reasoning": "<why, in a few sentences>", "label": <one of '
        f"{json.dumps(list(grader.labels), ensure_ascii=False)}>}}"
    )
    return JudgePrompt(grader.input, instruction, where, fenced=defaults.fenced)
