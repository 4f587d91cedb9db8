"""A run card as HTML that is complete in itself: no network, no script, every text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from typing import TYPE_CHECKING

import msgspec

from rft_widgets.model import checkpoint_view, training_view
from rft_widgets.model.report_view import NO_TOPIC, number, table
from rft_widgets.model.svg_chart import Line, line_chart

if TYPE_CHECKING:
    from datetime import datetime

    from rft_widgets.model.run_card import CardDeployment, RunCard
    from rft_widgets.statistics import Interval

_STYLE = (
    "body{font:14px/1.45 system-ui,sans-serif;color:#1b1b1b;background:#fff;margin:2rem auto;"
    "max-width:70rem;padding:0 1rem}"
    "figure{margin:0 0 1rem}figcaption{font-weight:600}"
    "table{border-collapse:collapse;margin:.4rem 0 1rem}"
    "th,td{padding:.2rem .7rem .2rem 0;vertical-align:top;border-bottom:1px solid #e0e0e0}"
    "h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:1.6rem}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere}svg{max-width:100%;height:auto}"
    "@media print{details{display:block}}"
)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page(card: RunCard) -> str:
    """A whole page."""
    title = escape(f"Run card: {card.data.name}, {card.job_id}")
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{title}</title><style>{_STYLE}</style></head>"
        f"<body>{body(card)}</body></html>\n"
    )


def body(card: RunCard) -> str:
    """What stands on the page."""
    parts = [
        f"<h1>Run card: {escape(card.data.name)}</h1>",
        f"<p><b>{escape(_headline(card))}</b></p>",
        _section("Run", _pairs(_run(card))),
        _section("What was not measured", _list(card.not_measured)),
        _section("Course", "".join(_charts(card))),
        _section("Result on validation prompts", _result(card)),
        _section("Checkpoints", _checkpoints(card)),
        _section("Since then", _since(card)),
        _section("Data", _pairs(_data(card)) + _split(card)),
        _section("Grader", _grader(card)),
        _section("Dry run", _dry_run(card)),
        _section("Hyperparameters", _hyperparameters(card)),
        _section("Costs", _costs(card)),
        _section("Where it ran", "".join(_attempts(card))),
        _section("Log", _log(card)),
        f"<p>Made {_moment(card.made_at)} by rft-widgets {escape(card.made_by)}.</p>",
    ]
    return f"<div>{''.join(parts)}</div>"


def _headline(card: RunCard) -> str:
    if card.report is not None:
        return card.report.summary
    return f"The run is {card.status}. {card.error or ''}".strip()


def _run(card: RunCard) -> Iterator[tuple[str, str]]:
    yield "Run", card.job_id
    yield "Status", card.status
    if card.service_job:
        yield "Job at the service", card.service_job
    yield "Trainer", f"{card.trainer_title} ({card.trainer})"
    yield "Base model", card.base_model
    if card.connection is not None:
        yield "Connection", card.connection
    yield "Begun", _moment(card.created_at)
    yield "Ended", "-" if card.finished_at is None else _moment(card.finished_at)
    if card.served_step is not None:
        how = "chosen by somebody" if card.is_chosen else "the run's own choice"
        step = "the model from before" if not card.served_step else f"step {card.served_step}"
        yield "Served", f"{step} ({how})"


def _charts(card: RunCard) -> Iterator[str]:
    curve = card.curve

    def line(name: str, colour: str, values: Iterable[float | None]) -> Line:
        found = ((p.step, v) for p, v in zip(curve, values, strict=True) if v is not None)
        return Line(name=name, colour=colour, points=tuple(found))

    def measured(name: str, colour: str, found: list[Interval | None]) -> Line:
        there = [(p.step, one) for p, one in zip(curve, found, strict=True) if one is not None]
        return Line(
            name=name,
            colour=colour,
            points=tuple((step, one.estimate) for step, one in there),
            band=tuple(
                (step, one.low, one.high)
                for step, one in there
                if one.low is not None and one.high is not None
            ),
            has_dots=True,
        )

    yield line_chart(
        "Reward",
        (
            line("sampled answers", "#757575", [p.train_reward for p in curve]),
            measured("selection prompts", "#1565c0", [p.selection for p in curve]),
            measured("validation prompts", "#2e7d32", [p.valid for p in curve]),
        ),
        mark=card.served_step,
    )
    yield line_chart(
        "Divergence from the model before, and entropy, in nats",
        (
            line("divergence", "#6a1b9a", [p.kl for p in curve]),
            line("entropy", "#ef6c00", [p.entropy for p in curve]),
        ),
    )
    yield line_chart(
        "Groups without a difference, and clipped samples (shares)",
        (
            line("no difference", "#8a6100", [p.flat_share for p in curve]),
            line("clipped", "#00695c", [p.clip_share for p in curve]),
        ),
    )
    yield line_chart(
        "Length of sampled answers, in tokens",
        (line("tokens", "#4527a0", [p.completion_tokens for p in curve]),),
    )


def _result(card: RunCard) -> str:
    if card.report is None:
        return ""
    weak = [topic or NO_TOPIC for topic in card.weak_topics]
    words = f"<p>Weak topics: {escape(', '.join(weak))}</p>" if weak else ""
    return training_view.html(card.report) + words


def _checkpoints(card: RunCard) -> str:
    rows = [
        (
            str(one.step), number(one.selection_reward), number(one.valid_reward), one.model,
            ", ".join(f"{name} {value:.4g}" for name, value in one.metrics.items()),
        )
        for one in card.checkpoints
    ]  # fmt: skip
    head = ("Step", "Selection", "Validation", "Model", "More")
    shown = [
        at for at in range(len(head)) if at == 0 or any(row[at] not in ("", "-") for row in rows)
    ]
    found = ""
    if rows:
        found = table([head[at] for at in shown], ([row[at] for at in shown] for row in rows))
    return found + ("" if card.comparison is None else checkpoint_view.html(card.comparison))


def _since(card: RunCard) -> str:
    words = "" if card.benchmark is None else f"<p>{escape(card.benchmark.sentence)}</p>"
    if not card.deployments:
        return words
    return words + table(
        ("Deployment", "Mode", "Model", "Status", "Made", "Answered", "Outcome"),
        map(_deployment, card.deployments),
    )


def _deployment(one: CardDeployment) -> tuple[str, ...]:
    counts = ", ".join(f"{arm} {count:,}" for arm, count in one.requests.items())
    outcome = "not measured" if one.outcome is None else one.outcome.sentence
    return (
        one.id, one.mode, one.model, one.status.replace("_", " "), _moment(one.created_at), counts,
        outcome,
    )  # fmt: skip


def _data(card: RunCard) -> Iterator[tuple[str, str]]:
    data = card.data
    yield "Dataset", f"{data.name} ({data.id})"
    if data.objective:
        yield "Objective", data.objective
    yield "SHA-256 of the records", data.hash
    yield "SHA-256 of the topics", data.topics_hash
    yield "Since the run", "the same records" if data.is_unchanged else "the records changed"
    yield "Learned from", f"{data.train:,} records"
    yield "Measured on", f"{data.valid:,} records"
    yield "Share to learn from", f"{card.train_ratio:g}"
    yield "Split by topic", "yes" if card.stratify_by_topic else "no"
    yield "Generated records measured on", "yes" if card.include_generated_in_valid else "no"
    yield "Seed", str(card.seed)


def _split(card: RunCard) -> str:
    if not card.data.topics:
        return ""
    rows = ((one.topic or NO_TOPIC, f"{one.train:,}", f"{one.valid:,}") for one in card.data.topics)
    return table(("Topic", "Learned from", "Measured on"), rows)


def _grader(card: RunCard) -> str:
    grader, trust = card.grader, card.grader.trust
    rows = [
        ("Grader", f"{grader.name} ({grader.type})"),
        ("Version", str(grader.version)),
        ("SHA-256", grader.hash),
    ]
    if trust is not None:
        rows += [
            ("Trust card", f"{trust.sentence} ({_moment(trust.at)})"),
            ("Labels", f"{trust.labels:,}"),
            ("Agreement with people", _estimate(trust.agreement)),
            ("Cohen's kappa", _estimate(trust.kappa)),
        ]
    text = msgspec.json.format(msgspec.json.encode(grader.definition), indent=2).decode()
    shown = f"<details><summary>Definition</summary><pre>{escape(text)}</pre></details>"
    return _pairs(rows) + shown


def _dry_run(card: RunCard) -> str:
    run = card.dry_run
    if run is None:
        return ""
    words = "" if run.same_inputs else "<p>Its records or its grader were not those of the run.</p>"
    return (
        f"<p><b>{escape(run.verdict.replace('_', ' '))}</b> {escape(run.summary)} "
        f"({escape(run.id)}, {_moment(run.at)})</p>{_list(run.reasons)}{words}"
    )


def _hyperparameters(card: RunCard) -> str:
    return table(
        ("Name", "Value", ""),
        (
            (
                name,
                "left to the trainer" if value is None else str(value),
                "given" if name in card.given else "default",
            )
            for name, value in card.hyperparameters.items()
        ),
    ) + (_pairs(card.settings.items()) if card.settings else "")


def _costs(card: RunCard) -> str:
    costs = card.costs
    service = costs.service_micro_usd
    rows = [("Seconds of work here", "-" if costs.seconds is None else f"{costs.seconds:,.1f}")]
    if card.connection is not None:
        price = "not known" if service is None else f"${service / 1e6:,.4f}"
        rows.insert(0, ("The service that trained", price))
    for purpose, one in costs.calls.items():
        price = "not known" if one.cost_micro_usd is None else f"${one.cost_micro_usd / 1e6:,.4f}"
        tokens = one.prompt_tokens + one.completion_tokens
        rows.append((f"Calls: {purpose}", f"{price} for {one.calls:,} calls, {tokens:,} tokens"))
    return _pairs(rows)


def _attempts(card: RunCard) -> Iterator[str]:
    for one in card.attempts:
        gpus = "not known" if one.gpus is None else ", ".join(one.gpus) or "none"
        yield _pairs(
            (
                ("Begun", _moment(one.at)),
                ("Job of the worker", one.job_id or "-"),
                ("Machine", f"{one.platform}, {one.cpus:,} CPUs, GPU: {gpus}"),
                ("Python", one.python),
                (
                    "Packages",
                    ", ".join(f"{name} {number}" for name, number in one.packages.items()),
                ),
            )
        )


def _log(card: RunCard) -> str:
    if not card.log:
        return ""
    lines = "".join(f"{_moment(line.at)} {escape(line.message)}\n" for line in card.log)
    return f"<details><summary>{len(card.log):,} lines</summary><pre>{lines}</pre></details>"


def _section(title: str, content: str) -> str:
    return f"<h2>{escape(title)}</h2>{content}" if content else ""


def _pairs(rows: Iterable[tuple[str, str]]) -> str:
    cells = "".join(
        f"<tr><th style='text-align:left'>{escape(name)}</th>"
        f"<td style='text-align:left'>{escape(value)}</td></tr>"
        for name, value in rows
    )
    return f"<table><tbody>{cells}</tbody></table>"


def _list(sentences: Iterable[str]) -> str:
    found = "".join(f"<li>{escape(one)}</li>" for one in sentences)
    return f"<ul>{found}</ul>" if found else ""


def _estimate(found: Interval) -> str:
    if found.low is None or found.high is None:
        return f"{found.estimate:.2f}"
    return f"{found.estimate:.2f} [{found.low:.2f}, {found.high:.2f}]"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
