"""Several graders, one reward: a formula over their rewards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rft_widgets.errors import GraderInvalid
from rft_widgets.graders.formula import FUNCTIONS, Formula, FormulaFault
from rft_widgets.graders.outcome import Grade, Outcome, one_line
from rft_widgets.graders.sample import Sample
from rft_widgets.model.grader import GradingErrors, Multi


def compile_multi(
    grader: Multi, graders: Mapping[str, Callable[[Sample, Mapping[str, Any]], Outcome]]
) -> Grade:
    """Make the function that grades of the functions of its parts.

    The whole fails when a part that the formula names fails; a part that it does not name is
    graded and shown, no more.
    """
    formula = check_multi(grader)

    def grade(sample: Sample, item: Mapping[str, Any]) -> Outcome:
        parts = {name: part(sample, item) for name, part in graders.items()}
        rewards = {name: part.reward for name, part in parts.items()}
        errors = GradingErrors()
        faults = []
        for name, part in parts.items():
            if part.reward is None and name in formula.names:
                errors = errors.union(part.errors)
                faults.append(f"{name}: {part.error}")
        reward = None
        if not faults:
            try:
                reward = formula({n: r for n, r in rewards.items() if r is not None})
            except FormulaFault as fault:
                errors = GradingErrors(formula_parse_error=True)
                faults.append(str(fault))
        return Outcome(
            reward=reward,
            errors=errors,
            error=one_line("; ".join(faults)) if faults else None,
            reasoning=_reasons(parts),
            sub_rewards=rewards,
            tokens=_tokens(parts),
            model=next((part.model for part in parts.values() if part.model), None),
            isolation=next((part.isolation for part in parts.values() if part.isolation), None),
        )

    return grade


def check_multi(grader: Multi, where: str = "") -> Formula:
    """Check names and formula, without the parts; the formula."""
    if not grader.graders:
        raise GraderInvalid("a combination needs at least one grader", where=f"{where}graders")
    for name in grader.graders:
        if not (name.isascii() and name.isidentifier()) or name in FUNCTIONS:
            raise GraderInvalid(
                f"{name!r} cannot be named in a formula",
                where=f"{where}graders",
                hint="Use letters, digits and underscores, and not the name of a function.",
            )
    formula = Formula(grader.calculate_output, grader.graders.keys(), f"{where}calculate_output")
    if not formula.names:
        raise GraderInvalid(
            "the formula names no grader, so every answer would score the same",
            where=f"{where}calculate_output",
        )
    return formula


def _reasons(parts: Mapping[str, Outcome]) -> str | None:
    reasons = [f"{name}: {part.reasoning}" for name, part in parts.items() if part.reasoning]
    return "\n".join(reasons) or None


def _tokens(parts: Mapping[str, Outcome]) -> dict[str, int]:
    total: dict[str, int] = {}
    for part in parts.values():
        for model, tokens in part.tokens.items():
            total[model] = total.get(model, 0) + tokens
    return total
