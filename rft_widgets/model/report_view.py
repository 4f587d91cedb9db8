"""Reports of gradings as HTML that is complete in itself, every text escaped; and as charts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from rft_widgets.model.plotting import plain, pyplot

if TYPE_CHECKING:
    from rft_widgets.model.report import DryRunReport, GradedAnswer, GraderTest, RunComparison
    from rft_widgets.statistics import Interval

COLOURS = {
    "good": "#2e7d32", "warn": "#8a6100", "fail": "#c62828",
    "GO": "#2e7d32", "CAUTION": "#8a6100", "NO_GO": "#c62828",
}  # fmt: skip
"""Colours of levels and verdicts, which are always written, too."""

MOST_ROWS = 200
"""Topics that are shown at most."""

NO_TOPIC = "(no topic)"


def html(report: DryRunReport) -> str:
    """HTML of a dry run."""
    parts = [
        f"<p><b style='color:{COLOURS[report.verdict]}'>{escape(report.summary)}</b></p>",
        f"<p>{escape(report.fix_first)}</p>",
        f"<p>Dataset quality: {report.dataset_quality} &middot; "
        f"grader quality: {report.grader_quality}</p>",
        table(
            ("Check", "Level", "Value", ""),
            (
                (one.name, one.level, number(one.value), one.sentence)
                for one in report.checks
            ),
        ),
    ]  # fmt: skip
    if report.answered_by is not None:
        parts.append(f"<p>{escape(report.answered_by.sentence)}</p>")
    if report.scores is not None:
        parts.append(_histogram(report.scores.histogram))
        parts.append(
            table(
                ("Topic", "Answers", "Mean", "Interval"),
                (
                    (one.topic or NO_TOPIC, f"{one.count:,}", number(one.mean.estimate),
                     bounds(one.mean))
                    for one in report.topics[:MOST_ROWS]
                ),
            )
        )  # fmt: skip
        if len(report.topics) > MOST_ROWS:
            parts.append(f"<p>and {len(report.topics) - MOST_ROWS:,} more topics</p>")
    if report.repeats is not None:
        repeats = report.repeats
        parts.append(
            f"<p>{repeats.prompts:,} prompts with several answers, of which "
            f"{repeats.unvaried_prompts:,} have one score throughout</p>"
        )
        parts.append(
            table(
                ("k", "pass@k", "pass^k"),
                (
                    (str(k), number(share), number(repeats.pass_hat[k]))
                    for k, share in repeats.pass_at.items()
                ),
            )
        )
    if report.probes:
        state = {True: "passed", False: "failed", None: "not graded"}
        parts.append(
            table(
                ("Probe", "Result", "Value", ""),
                (
                    (one.name, state[one.passed], number(one.value), one.sentence)
                    for one in report.probes
                ),
            )
        )
    for title, answers in (
        ("Best", report.best), ("Worst", report.worst), ("Nearest the mean", report.middle)
    ):  # fmt: skip
        if answers:
            parts.append(f"<p><b>{title}</b></p>" + "".join(map(_answer, answers)))
    if report.excluded:
        listed = ", ".join(
            f"{escape(reason)}: {count:,}" for reason, count in report.excluded.items()
        )
        parts.append(f"<p>Not in the statistics: {listed}</p>")
    return f"<div>{''.join(parts)}</div>"


def comparison_html(comparison: RunComparison) -> str:
    """HTML of two runs beside each other."""
    rows = [("All", comparison.overall, comparison.overall.p_value, comparison.overall.verdict)]
    rows += [
        (one.topic or NO_TOPIC, one.difference, one.adjusted_p_value, one.verdict)
        for one in comparison.topics[:MOST_ROWS]
    ]
    compared = table(
        ("Topic", "Compared", "Before", "After", "Difference", "Interval", "p", "Verdict"),
        (
            (
                topic, f"{pair.n:,}", number(pair.before_mean), number(pair.after_mean),
                f"{pair.difference.estimate:+.3f}", bounds(pair.difference), number(p),
                verdict.replace("_", " "),
            )
            for topic, pair, p, verdict in rows
        ),
    )  # fmt: skip
    return (
        f"<div><p><b>{escape(comparison.summary)}</b></p>{compared}"
        f"<p>Only before: {comparison.only_before:,}; only after: {comparison.only_after:,}; "
        f"without a score in one of the two: {comparison.unscored:,}</p></div>"
    )


def grader_test_html(test: GraderTest) -> str:
    """HTML of a grader that was tried on a few answers."""
    numbers = (
        ("mean", test.mean), ("std", test.std), ("min", test.minimum), ("max", test.maximum),
    )  # fmt: skip
    line = " &middot; ".join(f"{name} {number(value)}" for name, value in numbers)
    return (
        f"<div><p><b>{escape(test.sentence)}</b></p>"
        f"<p>{line} &middot; failures {test.failures:,}</p>"
        f"{''.join(map(_answer, test.answers))}</div>"
    )


def plot(report: DryRunReport, axes: Sequence[Any] | None) -> Sequence[Any]:
    """Draw the histogram and the topics on two ``axes``, or on new ones."""
    plt = pyplot()
    topics = report.topics[:MOST_ROWS]
    if axes is None:
        height = max(3.0, 0.3 * len(topics) + 1)
        _, axes = plt.subplots(1, 2, figsize=(11, height), layout="constrained")
    left, right = axes
    counts = report.scores.histogram if report.scores else (0,) * 10
    left.bar([i / 10 + 0.05 for i in range(10)], counts, width=0.09, color="#1565c0")
    left.set_xlim(0, 1)
    left.set_xlabel("reward")
    left.set_ylabel("answers")
    left.set_title(report.summary)
    places = list(range(len(topics)))
    means = [one.mean for one in topics]
    right.barh(places, [mean.estimate for mean in means], color="#90caf9")
    for place, mean in zip(places, means, strict=True):
        if mean.low is not None and mean.high is not None:
            right.plot([mean.low, mean.high], [place, place], color="black")
    right.set_yticks(places, [plain(one.topic or NO_TOPIC) for one in topics])
    right.invert_yaxis()
    if report.scores is not None and not report.scores.outside:
        right.set_xlim(0, 1)  # so that runs can be compared by eye
    right.set_xlabel("mean reward, with its interval")
    return axes


def _answer(answer: GradedAnswer) -> str:
    score = "no score" if answer.reward is None else f"{answer.reward:.2f}"
    why = answer.reasoning or answer.error
    blocks = (("Prompt", answer.prompt), ("Response", answer.response), ("Reasoning", why or ""))
    shown = "".join(
        f"<div><i>{title}</i><pre style='white-space:pre-wrap;margin:0'>{escape(text)}</pre></div>"
        for title, text in blocks
        if text or title == "Response"
    )
    topic = f" &middot; {escape(answer.topic)}" if answer.topic else ""
    head = f"{score} &middot; {escape(answer.record_id)}{topic}"
    return f"<details><summary>{head}</summary>{shown}</details>"


def _histogram(counts: Sequence[int]) -> str:
    most = max(*counts, 1)
    rows = "".join(
        f"<tr><td>{i / 10:.1f}-{(i + 1) / 10:.1f}</td><td style='width:220px'>"
        f"<div style='background:#1565c0;height:10px;width:{200 * count / most:.0f}px'></div></td>"
        f"<td>{count:,}</td></tr>"
        for i, count in enumerate(counts)
    )
    head = "<tr><th>Reward</th><th></th><th>Answers</th></tr>"
    return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Table of texts; words of `COLOURS` have their colour."""
    names = "".join(f"<th style='text-align:left'>{escape(name)}</th>" for name in head)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>"


def _cell(text: str) -> str:
    colour = f";color:{COLOURS[text]}" if text in COLOURS else ""
    return f"<td style='text-align:left{colour}'>{escape(text)}</td>"


def number(value: float | None) -> str:
    """Three digits, or a dash where nothing is known."""
    return "-" if value is None else f"{value:.3f}"


def bounds(interval: Interval) -> str:
    """Both bounds of an interval."""
    if interval.low is None or interval.high is None:
        return "unknown"
    return f"[{interval.low:.3f}, {interval.high:.3f}]"
