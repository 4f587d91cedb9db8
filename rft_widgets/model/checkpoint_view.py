"""A comparison of checkpoints as HTML that is complete in itself, every text escaped."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from rft_widgets.model.report_view import NO_TOPIC, bounds, number, table

if TYPE_CHECKING:
    from rft_widgets.model.checkpoints import CheckpointComparison, CheckpointMeasure
    from rft_widgets.statistics import Interval, JointDifference


def html(found: CheckpointComparison) -> str:
    """HTML of a comparison."""
    unit = found.length_unit.capitalize()
    parts = [
        f"<p><b>{escape(found.sentence)}</b></p>",
        "".join(f"<p>{escape(note)}</p>" for note in found.notes),
        table(
            ("Checkpoint", "Reward", "Interval", "Against before", "Against the best",
             "Against the last"),
            (
                (title(found, one), *reward_cells(one), signed(one.against_reference),
                 signed(one.against_best), signed(one.against_last))
                for one in found.checkpoints
            ),
        ),
        table(
            ("Checkpoint", unit, "Interval", "$ an answer", "s an answer", "Empty", "Refused",
             "No answer", "Not graded"),
            (
                (
                    one.name,
                    "-" if one.length is None else f"{one.length.estimate:,.1f}",
                    _span(one.length),
                    dollars(one.cost_micro_usd), seconds(one.seconds), f"{one.empty:,}",
                    f"{one.refusals:,}", f"{one.no_answer:,}", f"{one.failed_gradings:,}",
                )
                for one in found.checkpoints
            ),
        ),
        "<p>What the answers look like: shares of answers that another prompt has, too, of word "
        "sequences that an answer says again, and of answers that are mostly words of their "
        "prompt; how many times as long as before they are, and the rank correlation of how "
        "length and reward changed. An asterisk calls for a look at the answers.</p>",
        table(
            ("Checkpoint", "Same elsewhere", "Said again", "Echo", "Times as long",
             "Length with reward"),
            _probes(found),
        ),
        topic_table(found),
    ]  # fmt: skip
    return f"<div>{''.join(parts)}</div>"


def topic_table(found: CheckpointComparison) -> str:
    """What changed in each topic, one line a topic and one column a checkpoint."""
    steps = [one.step for one in found.checkpoints[1:]]
    rows: dict[str | None, dict[int, JointDifference]] = {}
    for one in found.topics:
        rows.setdefault(one.topic, {})[one.step] = one.difference
    return table(
        ("Topic", "Prompts", *(f"Step {step} against before" for step in steps)),
        (
            (
                topic or NO_TOPIC,
                f"{max(one.n for one in by_step.values()):,}",
                *(signed(by_step.get(step)) for step in steps),
            )
            for topic, by_step in rows.items()
        ),
    )


def title(found: CheckpointComparison, one: CheckpointMeasure) -> str:
    """A checkpoint with what is special about it."""
    marks = [
        word
        for word, holds in (
            ("served", one.is_served),
            ("best", one.step == found.best_step),
            ("last", one.step == found.last_step),
        )
        if holds
    ]
    return f"{one.name} ({', '.join(marks)})" if marks else one.name


def reward_cells(one: CheckpointMeasure) -> tuple[str, str]:
    """Its reward and the interval of that."""
    if one.reward is None:
        return "-", ""
    return number(one.reward.estimate), bounds(one.reward)


def signed(one: JointDifference | None) -> str:
    """A difference with its bounds, and a word where it is clear."""
    if one is None:
        return ""
    if not one.changed:
        return "the same"
    found = one.difference
    span = "" if found.low is None else f" [{found.low:+z.3f}, {found.high:+z.3f}]"
    clear = {"improved": " better", "regressed": " worse"}.get(one.verdict, "")
    return f"{found.estimate:+z.3f}{span}{clear}"


def dollars(micro_usd: float | None) -> str:
    """A price in dollars; a dash where nobody knows it."""
    if not micro_usd:
        return "-" if micro_usd is None else "0"
    return f"{micro_usd / 1e6:.6f}"


def seconds(value: float | None) -> str:
    """Seconds with three digits; a dash where nobody knows them."""
    return "-" if value is None else f"{value:.3f}"


def _probes(found: CheckpointComparison) -> Iterator[tuple[str, ...]]:
    forms = (".0%", ".0%", ".0%", ".2f", "+.2f")
    for one in found.checkpoints[1:]:
        if one is found.checkpoints[1]:
            yield (
                found.checkpoints[0].name,
                *(
                    _shown(probe.reference, form)
                    for probe, form in zip(one.probes, forms, strict=True)
                ),
            )
        yield (
            one.name,
            *(
                _shown(probe.value, form) + ("*" if probe.flagged else "")
                for probe, form in zip(one.probes, forms, strict=True)
            ),
        )


def _shown(value: float | None, form: str) -> str:
    return "-" if value is None else f"{value:{form}}"


def _span(found: Interval | None) -> str:
    if found is None or found.low is None or found.high is None:
        return ""
    return f"[{found.low:,.1f}, {found.high:,.1f}]"
