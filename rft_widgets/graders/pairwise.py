"""A judge that says which of two answers to a prompt is better, asked in both orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from rft_widgets.errors import GraderInvalid
from rft_widgets.graders.label_model import compile_label_model
from rft_widgets.graders.outcome import Outcome, failed
from rft_widgets.graders.sample import Sample
from rft_widgets.graders.templates import RenderFault
from rft_widgets.model.grader import (
    JUDGE,
    GradingErrors,
    JudgeDefaults,
    JudgeMessage,
    LabelModel,
)
from rft_widgets.model.llm import ModelCall
from rft_widgets.model.pairwise import Preference

SHOWN_FIRST, SHOWN_SECOND, TIE = "A", "B", "tie"
OTHER = "other_response"
"""Item field in which a pairwise judge finds the answer that it is shown second."""

CRITERIA = "Which response helps the user more with what the last message asks for, and is true?"


class PairVerdict(Struct, frozen=True, kw_only=True):
    """What a judge says of two answers; see `ComparedPair`."""

    forward: Preference | None
    backward: Preference | None
    reasoning: tuple[str | None, str | None] = (None, None)
    error: str | None = None
    errors: GradingErrors = GradingErrors()

    @property
    def preference(self) -> Preference | None:
        """What both orders say; a tie where they contradict each other."""
        if self.forward is None or self.backward is None:
            return None
        return self.forward if self.forward == self.backward else "tie"

    @property
    def is_consistent(self) -> bool | None:
        """Whether both orders say the same; ``None`` where one of them failed."""
        if self.forward is None or self.backward is None:
            return None
        return self.forward == self.backward


def pairwise_judge(model: str, criteria: str = CRITERIA) -> LabelModel:
    """Make a pairwise judge: one that picks ``A``, ``B`` or ``tie``.

    Parameters
    ----------
    model
        The model that is asked.
    criteria
        What makes a response better, as a question or an instruction. It is the judge's own text,
        no template.
    """
    if "{{" in criteria:
        raise GraderInvalid("criteria are plain text, without {{ }}", where="criteria")
    system = (
        f"You compare two responses of assistants to the same conversation. {criteria}\n"
        f"Say {SHOWN_FIRST} or {SHOWN_SECOND} for the better one, and {TIE} where neither is. "
        "The order in which they are shown means nothing, and neither does their length."
    )
    shown = (
        "# Conversation\n{{messages}}\n\n# Response A\n{{response}}\n\n"
        f"# Response B\n{{{{ item.{OTHER} }}}}"
    )
    return LabelModel(
        name="pairwise",
        model=model,
        input=(
            JudgeMessage(role="system", content=system),
            JudgeMessage(role="user", content=shown),
        ),
        labels=(SHOWN_FIRST, SHOWN_SECOND, TIE),
        passing_labels=(SHOWN_FIRST,),
    )


class PairJudge:
    """A pairwise judge that is ready; safe to share by threads."""

    def __init__(
        self, grader: LabelModel, call: ModelCall, defaults: JudgeDefaults = JUDGE
    ) -> None:
        self._grade = compile_label_model(grader, call, defaults=defaults)

    def compare(
        self, first: Sample, second: Sample, item: Mapping[str, Any] | None = None
    ) -> PairVerdict:
        """Ask which is better, in both orders.

        Parameters
        ----------
        first, second
            The answers, each with the prompt that both answer.
        item
            Fields of the record beside it.

        Raises
        ------
        RftError
            The judge may not be asked any more.
        """
        forward = self._one(first, second, item or {})
        backward = self._one(second, first, item or {})
        faults = [one for one in (forward, backward) if one.label is None]
        errors = GradingErrors()
        for one in faults:
            errors = errors.union(one.errors)
        return PairVerdict(
            forward=_AS_SHOWN.get(forward.label or ""),
            backward=_SWAPPED.get(backward.label or ""),
            reasoning=(forward.reasoning, backward.reasoning),
            error=faults[0].error if faults else None,
            errors=errors,
        )

    def _one(self, shown: Sample, other: Sample, item: Mapping[str, Any]) -> Outcome:
        try:
            return self._grade(shown, {**item, OTHER: other.output_text})
        except RenderFault as fault:
            return failed(str(fault), fault.errors)


_AS_SHOWN: Mapping[str, Preference] = {SHOWN_FIRST: "first", SHOWN_SECOND: "second", TIE: "tie"}
_SWAPPED: Mapping[str, Preference] = {SHOWN_FIRST: "second", SHOWN_SECOND: "first", TIE: "tie"}
