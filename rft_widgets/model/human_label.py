"""What a person says of a recorded answer."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.message import Message, Tool

LabelScale: TypeAlias = Literal["pass_fail", "five"]
"""``pass_fail``: 0 or 1. ``five``: 1 (wrong) to 5 (excellent)."""

GivenLabel: TypeAlias = bool | int | float | str
"""A label as a person gives it: on its own scale, or ``pass`` and ``fail``."""

FIVE_WORDS = ("Wrong", "Poor", "Acceptable", "Good", "Excellent")
"""What 1 to 5 mean."""
PASS_FAIL_WORDS = ("Fail", "Pass")
"""What 0 and 1 mean."""

_WORDS = {"fail": 0.0, "pass": 1.0}


class HumanLabel(Struct, frozen=True, kw_only=True):
    """A label of one person for one answer.

    Attributes
    ----------
    record_id, labeller
        Together its identity: a person has one label for an answer, the last one given.
    value
        0..1: on the scale ``five``, 1 is 0 and 5 is 1, in equal steps.
    scale
        What the person could choose from.
    is_stale
        The record was edited since, so that the label is of another answer; it counts no more.
    """

    record_id: str
    labeller: str
    value: float
    scale: LabelScale
    note: str
    at: datetime
    is_stale: bool = False

    @property
    def given(self) -> int:
        """The label as it was given: 0 or 1, or 1 to 5."""
        return round(self.value * 4) + 1 if self.scale == "five" else round(self.value)


class AnswerToLabel(Struct, frozen=True, kw_only=True):
    """A recorded answer for a person to judge. It holds nothing of what a grader said of it."""

    record_id: str
    topic: str | None
    prompt: tuple[Message, ...]
    answer: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()


class LabelImport(Struct, frozen=True, kw_only=True):
    """What came of taking labels from a field of the records."""

    imported: int
    without: int
    """Records whose field holds no label."""
    labeller: str


def label_value(given: GivenLabel, scale: LabelScale) -> float:
    """The label on 0..1.

    Parameters
    ----------
    given
        ``True``, ``False``, ``"pass"``, ``"fail"``, 0 or 1; on the scale ``five`` 1 to 5.

    Raises
    ------
    InvalidArgument
        It is no label of the scale.
    """
    if isinstance(given, str):
        given = _WORDS.get(given.strip().casefold(), given)
    if scale == "five" and not isinstance(given, bool) and given in (1, 2, 3, 4, 5):
        return (int(given) - 1) / 4
    if scale == "pass_fail" and given in (0, 1):
        return float(given)
    if scale == "pass_fail" and given in (2, 3, 4, 5):
        hint = "For labels from 1 to 5 pass scale='five'."
    elif scale == "five":
        hint = "Pass 1 to 5, or scale='pass_fail' for True and False."
    else:
        hint = "Pass True or False ('pass' or 'fail'), or scale='five' and 1 to 5."
    raise InvalidArgument(f"{given!r} is no label on the scale {scale!r}.", hint=hint)
