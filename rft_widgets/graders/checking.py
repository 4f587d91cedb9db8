"""Everything that can be said against a grader without a model and without running code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from rft_widgets.errors import GraderInvalid
from rft_widgets.graders.judge import check_message
from rft_widgets.graders.label_model import check_label_model
from rft_widgets.graders.multi import check_multi
from rft_widgets.graders.score_model import check_score_model
from rft_widgets.graders.script import check_script
from rft_widgets.graders.templates import compile_template
from rft_widgets.model.grader import (
    Grader,
    Multi,
    PythonGrader,
    ScoreModel,
    SingleGrader,
    StringCheck,
    TextSimilarity,
)


def check_grader(grader: Grader) -> None:
    """Check everything that can be checked without a model and without running code.

    Raises
    ------
    GraderInvalid
        With the path of the first fault.
    """
    for fault in grader_faults(grader):
        raise fault


def grader_faults(grader: Grader) -> Iterator[GraderInvalid]:
    """Every fault, each once, with its path: what `check_grader` raises the first of."""
    seen = set()
    for check in _checks(grader):
        try:
            check()
        except GraderInvalid as fault:
            key = (fault.message, fault.line, fault.column)
            if key not in seen:
                seen.add(key)
                yield fault


def _checks(grader: Grader) -> Iterator[Callable[[], object]]:
    if not isinstance(grader, Multi):
        yield from _single(grader, "")
        return
    yield partial(check_multi, grader)
    for name, part in grader.graders.items():
        yield from _single(part, f"graders.{name}.")


def _single(grader: SingleGrader, where: str) -> Iterator[Callable[[], object]]:
    if isinstance(grader, (StringCheck, TextSimilarity)):
        yield partial(compile_template, grader.input, f"{where}input")
        yield partial(compile_template, grader.reference, f"{where}reference")
    elif isinstance(grader, PythonGrader):
        yield partial(check_script, grader, where)
    else:
        check = check_score_model if isinstance(grader, ScoreModel) else check_label_model
        yield partial(check, grader, where)  # type: ignore[arg-type]  # each gets its own kind
        # It ends at its first fault: a model that is missing must not hide a wrong template.
        for place, message in enumerate(grader.input):
            yield partial(check_message, message, f"{where}input[{place}]")
