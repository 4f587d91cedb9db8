"""String checks: equal, different, contained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rft_widgets.graders.outcome import Grade, Outcome
from rft_widgets.graders.sample import Sample
from rft_widgets.graders.templates import compile_template
from rft_widgets.model.grader import StringCheck


def compile_string_check(grader: StringCheck, where: str = "") -> Grade:
    """Make the function that grades."""
    text = compile_template(grader.input, f"{where}input")
    reference = compile_template(grader.reference, f"{where}reference")

    def grade(sample: Sample, item: Mapping[str, Any]) -> Outcome:
        found, wanted = text.render(sample, item), reference.render(sample, item)
        match grader.operation:
            case "eq":
                passed = found == wanted
            case "ne":
                passed = found != wanted
            case "like":
                passed = wanted in found
            case "ilike":
                passed = wanted.casefold() in found.casefold()
        return Outcome(reward=1.0 if passed else 0.0)

    return grade
