"""A judge that picks a label."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rft_widgets.errors import GraderInvalid
from rft_widgets.graders.judge import JudgePrompt, ask, objects, reason_of, unreadable, usage
from rft_widgets.graders.outcome import Grade, Outcome
from rft_widgets.graders.sample import Sample
from rft_widgets.model.grader import LabelModel
from rft_widgets.model.llm import ModelCall


def compile_label_model(grader: LabelModel, call: ModelCall, where: str = "") -> Grade:
    """Make the function that grades."""
    prompt = check_label_model(grader, where)
    schema = {
        "type": "object",
        "properties": {
            "reasoning": {"type": "string"},
            "label": {"type": "string", "enum": list(grader.labels)},
        },
        "required": ["reasoning", "label"],
        "additionalProperties": False,
    }

    def grade(sample: Sample, item: Mapping[str, Any]) -> Outcome:
        answer = ask(call, grader, prompt.render(sample, item), schema)
        if isinstance(answer, Outcome):
            return answer
        label, why = _verdict(answer.text or "", grader.labels)
        if label is None:
            return unreadable(answer, grader, "label of the list that is clear")
        reward = 1.0 if label in grader.passing_labels else 0.0
        text = f"{label}: {why}" if why else label
        return Outcome(reward=reward, reasoning=text, **usage(answer, grader.model))

    return grade


def check_label_model(grader: LabelModel, where: str = "") -> JudgePrompt:
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
    return JudgePrompt(grader.input, instruction, where)


def _verdict(text: str, labels: tuple[str, ...]) -> tuple[str | None, str | None]:
    """The one label that the answer gives, and its reason. Two different labels give none."""
    known = {label.strip().casefold(): label for label in labels}
    picked: dict[str, str | None] = {}
    found = objects(text)
    for value in found:
        for key in ("label", "result"):
            given = value.get(key)
            if isinstance(given, str) and given.strip().casefold() in known:
                picked.setdefault(known[given.strip().casefold()], reason_of(value))
    if not found:
        bare = text.strip().strip("\"'`*. \n").casefold()
        if bare in known:
            picked[known[bare]] = None
    return next(iter(picked.items())) if len(picked) == 1 else (None, None)
