"""A training report as HTML that is complete in itself, every text escaped; and as a chart."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from rft_widgets.model.plotting import pyplot
from rft_widgets.model.report_view import NO_TOPIC, bounds, number, table

if TYPE_CHECKING:
    from rft_widgets.model.training import TrainingExample, TrainingReport
    from rft_widgets.statistics import Interval


def html(report: TrainingReport) -> str:
    """HTML of what came of a run."""
    rows: list[tuple[str, float, Interval | None]] = []
    if report.recorded is not None:
        rows.append(("Your system's own answers", report.recorded.estimate, report.recorded))
    if report.change is not None:
        rows.append((f"Before: {report.baseline}", report.change.before_mean, None))
        rows.append(("After: the trained policy", report.change.after_mean, None))
        rows.append(("Difference", report.change.difference.estimate, report.change.difference))
    parts = [
        f"<p><b>{escape(report.summary)}</b></p>",
        "".join(f"<p>{escape(note)}</p>" for note in report.notes),
        table(
            ("On validation prompts", "Reward", "Interval"),
            (
                (name, number(value), "" if interval is None else bounds(interval))
                for name, value, interval in rows
            ),
        ),
        table(
            ("Topic", "Prompts", "Before", "After", "Difference", "Interval", "Verdict"),
            (
                (
                    one.topic or NO_TOPIC, f"{one.difference.n:,}",
                    number(one.difference.before_mean), number(one.difference.after_mean),
                    f"{one.difference.difference.estimate:+.3f}",
                    bounds(one.difference.difference), one.verdict.replace("_", " "),
                )
                for one in report.topics
            ),
        ),
        "".join(map(_example, report.examples)),
    ]  # fmt: skip
    return f"<div>{''.join(parts)}</div>"


def plot(report: TrainingReport, ax: Any) -> Any:
    """Draw the rewards step by step on ``ax``, or on new axes, with bands of their intervals."""
    plt = pyplot()
    if ax is None:
        _, ax = plt.subplots(figsize=(8, 4), layout="constrained")
    train = [(p.step, p.train_reward) for p in report.curve if p.train_reward is not None]
    if train:
        ax.plot(*zip(*train, strict=True), color="#9e9e9e", label="train (sampled)")
    for name, colour in (("selection", "#1565c0"), ("valid", "#2e7d32")):
        found = [(p.step, getattr(p, name)) for p in report.curve if getattr(p, name) is not None]
        if not found:
            continue
        steps = [step for step, _ in found]
        ax.plot(steps, [one.estimate for _, one in found], "o-", color=colour, label=name)
        known = [(s, one.low, one.high) for s, one in found if one.low is not None]
        if known:
            ax.fill_between(*zip(*known, strict=True), color=colour, alpha=0.15)
    ax.axvline(report.served_step, color="black", linestyle=":", label="served")
    ax.set_xlabel("step")
    ax.set_ylabel("reward")
    ax.set_title(report.outcome.replace("_", " "))
    ax.legend()
    return ax


def _example(one: TrainingExample) -> str:
    blocks = (
        ("Prompt", one.prompt),
        (f"Before ({one.baseline_reward:.2f})", one.baseline_answer),
        (f"After ({one.tuned_reward:.2f})", one.tuned_answer),
    )
    shown = "".join(
        f"<div><i>{title}</i><pre style='white-space:pre-wrap;margin:0'>{escape(text)}</pre></div>"
        for title, text in blocks
    )
    head = (
        f"{one.baseline_reward:.2f} &rarr; {one.tuned_reward:.2f} &middot; {escape(one.record_id)}"
    )
    return f"<details><summary>{head}</summary>{shown}</details>"
