"""A coverage report as a table of HTML, and as a chart."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from rft_widgets.model.plotting import plain, pyplot

if TYPE_CHECKING:
    from rft_widgets.model.coverage import CoverageReport

COLOURS = {"under": "#c62828", "ok": "#2e7d32", "over": "#1565c0"}
"""Colours of the status of a topic; the status is always written, too."""

MOST_ROWS = 200
"""Topics that are shown at most."""


def html(report: CoverageReport) -> str:
    """HTML of the report, complete in itself and with every text escaped."""
    head = "".join(
        f"<th style='text-align:{'left' if i in {0, 6} else 'right'}'>{name}</th>"
        for i, name in enumerate(
            ("Topic", "Records", "Share", "Target", "Gap", "Gap in records", "Status")
        )
    )
    rows = "".join(
        f"<tr><td style='text-align:left'>{escape(one.topic)}</td><td>{one.count:,}</td>"
        f"<td>{one.percentage:.1f}%</td><td>{one.target_percentage:.1f}%</td>"
        f"<td>{one.gap:+.1f}</td><td>{one.gap_records:+,}</td>"
        f"<td style='text-align:left;color:{COLOURS[one.status]}'>{one.status}</td></tr>"
        for one in report.topics[:MOST_ROWS]
    )
    more = len(report.topics) - MOST_ROWS
    if more > 0:
        rows += f"<tr><td colspan='7'>and {more:,} more topics</td></tr>"
    advice = "".join(f"<li>{escape(text)}</li>" for text in report.recommendations)
    return (
        f"<div><p><b>{escape(headline(report))}</b> &middot; Target: &gt; 0.6 for good training</p>"
        f"<p>{report.categorized_records:,} records under {len(report.topics):,} topics; "
        f"{report.uncategorized_records:,} without a topic</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        + (f"<ul>{advice}</ul>" if advice else "")
        + "</div>"
    )


def headline(report: CoverageReport) -> str:
    """Give the scores in one line."""
    if report.balance_score is None:
        return "Balance: unknown (no record has a topic)"
    return (
        f"Balance: {report.balance_score:.2f} ({report.balance_band}) · "
        f"entropy {report.entropy:.2f} · closeness to targets {report.closeness:.2f}"
    )


def plot(report: CoverageReport, ax: Any, after: CoverageReport | None = None) -> Any:
    """Draw the topics as bars and the targets as marks, on ``ax`` or on new axes.

    Bars are shares; beside a report of afterwards they are records, with what comes on top.
    """
    plt = pyplot()
    shown = report.topics[:MOST_ROWS]
    if ax is None:
        _, ax = plt.subplots(figsize=(8, max(1.5, 0.3 * len(shown) + 1)), layout="constrained")
    places = list(range(len(shown)))
    names = [plain(one.topic) for one in shown]
    values = [one.percentage if after is None else one.count for one in shown]
    ax.barh(places, values, color=[COLOURS[one.status] for one in shown])
    targets = [one.target_percentage for one in shown]
    if after is not None:
        then = after.distribution
        more = [then[one.topic].count - one.count if one.topic in then else 0 for one in shown]
        ax.barh(places, more, left=values, color="none", edgecolor="black", hatch="//", label="new")
        targets = [target * after.categorized_records / 100 for target in targets]
    ax.plot(targets, places, "|", color="black", markersize=12, label="target")
    ax.set_yticks(places, names)
    ax.invert_yaxis()
    ax.set_xlabel("% of categorised records" if after is None else "records")
    ax.set_title(headline(report) if after is None else _change(report, after))
    if shown:
        ax.legend()
    return ax


def _change(before: CoverageReport, after: CoverageReport) -> str:
    scores = [
        "none" if one.balance_score is None else f"{one.balance_score:.2f} ({one.balance_band})"
        for one in (before, after)
    ]
    return f"balance {scores[0]} to {scores[1]}"
