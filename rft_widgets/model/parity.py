"""Whether a grader that was compiled for elsewhere grades as it does here."""

from __future__ import annotations

from html import escape
from typing import Literal

import msgspec
from msgspec import Struct

from rft_widgets.model.report_view import table

TOLERANCE = 1e-9
"""Rewards that differ by no more are equal."""

OutputKind = Literal["recorded", "empty", "truncated", "other", "unicode", "tool_call"]
"""Where an output comes from: the record itself, or what was made of it."""


class ParityDifference(Struct, frozen=True, kw_only=True):
    """An output that was graded otherwise. A reward is ``None`` where grading failed."""

    record_id: str
    kind: OutputKind
    here: float | None
    compiled: float | None
    here_error: str | None
    compiled_error: str | None


class ParityReport(Struct, frozen=True, kw_only=True):
    """A compiled grader beside the grader that it was made of, on the same outputs.

    Attributes
    ----------
    n
        Outputs that were graded by both.
    equal
        Those with the same reward, or that failed with both.
    failed
        Of these, those that failed with both.
    kinds
        Outputs by where they come from.
    differences
        All others.
    not_carried
        Outputs that the target cannot hand to a grader, and that were left out: several messages,
        or parts that are no text.
    note
        How it was checked, where that is not as the target itself does it.
    """

    target: str
    n: int
    equal: int
    failed: int
    kinds: dict[str, int]
    differences: tuple[ParityDifference, ...]
    not_carried: int = 0
    seconds_here: float = 0.0
    seconds_compiled: float = 0.0
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether there is no difference, on at least one output."""
        return self.n > 0 and self.equal == self.n

    @property
    def sentence(self) -> str:
        """The result in words."""
        if not self.n:
            return f"There is no output that {self.target} could grade."
        words = f"{self.equal:,} of {self.n:,} outputs get the same reward here and for "
        return f"{words}{self.target}."

    def to_json(self) -> str:
        """Write the report as JSON, indented."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode()

    def __repr__(self) -> str:
        return f"<ParityReport {'holds' if self.holds else 'differs'}: {self.sentence}>"

    def _repr_html_(self) -> str:
        kinds = ", ".join(f"{number:,} {kind}" for kind, number in self.kinds.items())
        lines = [
            f"<p><b>{escape(self.sentence)}</b></p>",
            f"<p>Outputs: {escape(kinds)}. Graded in {self.seconds_here:.1f} s here, "
            f"{self.seconds_compiled:.1f} s compiled. Not handed over: {self.not_carried:,}.</p>",
        ]
        if self.note:
            lines.append(f"<p>{escape(self.note)}</p>")
        if self.differences:
            rows = (
                (one.record_id, one.kind, _shown(one.here, one.here_error),
                 _shown(one.compiled, one.compiled_error))
                for one in self.differences[:_MOST_ROWS]
            )  # fmt: skip
            lines.append(table(("Record", "Output", "Here", "Compiled"), rows))
        return "".join(lines)


_MOST_ROWS = 50


def _shown(reward: float | None, error: str | None) -> str:
    return f"failed: {error}" if reward is None else f"{reward:.12g}"
