"""A trust card as HTML that is complete in itself, every text escaped."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from rft_widgets.model.report_view import table

if TYPE_CHECKING:
    from rft_widgets.model.trust import TrustCard
    from rft_widgets.statistics import Interval

LEVEL_WORDS = {
    "trusted": "Can stand in for people",
    "care": "Usable, with care",
    "unclear": "Not decided yet",
    "not_trusted": "Do not train on it",
    "too_few": "Too few labels",
}
"""What a level is called."""

VERDICTS = ("not passed", "passed")

_COLOURS = {
    "trusted": "#2e7d32", "care": "#8a6100", "unclear": "#8a6100", "not_trusted": "#c62828",
    "too_few": "#8a6100",
}  # fmt: skip


def html(card: TrustCard) -> str:
    """HTML of a card."""
    words, colour = LEVEL_WORDS[card.level], _COLOURS[card.level]
    found = "".join(f"<li>{escape(one.sentence)}</li>" for one in card.findings)
    return "".join(
        (
            f"<p><b style='color:{colour}'>{escape(words)}</b> {escape(card.sentence)}</p>",
            f"<ul>{found}</ul>" if found else "",
            table(("", "Estimate", "95 % interval"), _figures(card)),
            "<p>Rows: what the grader says. Columns: what people say.</p>",
            table(("", *card.steps), _rows(card)),
        )
    )


def _figures(card: TrustCard) -> Iterator[tuple[str, str, str]]:
    passed = card.passed
    yield _share("Agreement", passed.agreement)
    yield _share(f"Always saying {VERDICTS[passed.constant_label]!r}", passed.constant_baseline)
    yield _share("People pass", passed.base_rate)
    yield _number("Cohen's kappa", passed.kappa)
    if card.weighted_kappa is not None:
        yield _number("Weighted kappa", card.weighted_kappa)
    if card.rank_correlation is not None:
        yield _number("Rank correlation", card.rank_correlation)
    if card.ordering is not None:
        yield _share("Passed answers score higher", card.ordering)
    if card.consistency is not None:
        yield _share("Same verdict when graded again", card.consistency.equal)
    if card.order_swap is not None:
        yield _share("Same choice in both orders", card.order_swap.same)


def _rows(card: TrustCard) -> Iterator[tuple[str, ...]]:
    counts = {(one.grader, one.human): one.count for one in card.cells}
    for place, name in enumerate(card.steps):
        cells = (f"{counts.get((place, human), 0):,}" for human in range(len(card.steps)))
        yield name, *cells


def _share(name: str, found: Interval) -> tuple[str, str, str]:
    return _figure(name, found, ".0%")


def _number(name: str, found: Interval) -> tuple[str, str, str]:
    return _figure(name, found, ".2f")


def _figure(name: str, found: Interval, form: str) -> tuple[str, str, str]:
    known = found.low is not None and found.high is not None
    span = f"{found.low:{form}} to {found.high:{form}}" if known else ""
    return name, f"{found.estimate:{form}}", span
