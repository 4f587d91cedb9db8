"""The command that looks into traces, and makes a dataset of them."""

from __future__ import annotations

import argparse

from rft_widgets.cli.data import print_import
from rft_widgets.cli.output import (
    importing,
    open_workspace,
    print_json,
    print_table,
    progress_line,
    stop_wish,
)
from rft_widgets.model.pattern import DetectedPattern
from rft_widgets.model.trace import LossReport
from rft_widgets.traces.source import TraceSource, open_traces

_SHOWN_LOSSES = 5
_SHOWN_PROMPT = 200


def traces(options: argparse.Namespace) -> None:
    """Look into traces; make a dataset of them where a name for it is given."""
    source = open_traces(options.source, api_key_env=options.api_key_env)
    chosen = source.filter(
        since=options.since,
        model=options.model,
        min_turns=options.min_turns,
        has_response=options.has_response,
        search=options.search,
    )
    matching = chosen.count()
    pattern = chosen.pattern() if matching else None
    report = {
        "format": source.format,
        "matching": matching,
        "total": source.total(),
        "models": source.models(),
        "losses": source.losses,
        "pattern": pattern,
    }
    if not options.json:
        print_source(source, matching, pattern)
    if options.create:
        with open_workspace(options) as workspace:
            suggested = pattern.suggested_objective if pattern else ""
            dataset = workspace.create(
                options.create,
                objective=suggested if options.objective is None else options.objective,
                source="gateway",
            )
            with progress_line() as show, stop_wish() as stop:
                result = dataset.add_traces(
                    chosen,
                    mode=options.mode,
                    collapse_prefixes=options.collapse_prefixes,
                    progress=importing(show),
                    cancelled=stop,
                )
            report |= {"dataset": dataset.id, "import": result}
            if not options.json:
                print(f"\n{dataset.name} ({dataset.id})")
                print_import(result)
    if options.json:
        print_json(report)


def print_source(source: TraceSource, matching: int, pattern: DetectedPattern | None) -> None:
    """Print what a source holds, what was lost, and what its traces have in common."""
    print(f"{source.format}: {matching:,} of {source.total():,} traces match")
    print_table(source.models().items(), ("model", "calls"))
    print_losses(source.losses)
    if pattern is None:
        return
    print(f"\nDetected pattern: {pattern.title}")
    if pattern.system_prompt is not None:
        text = " ".join(pattern.system_prompt.text.split())
        shown = text if len(text) <= _SHOWN_PROMPT else f"{text[:_SHOWN_PROMPT]}…"
        print(f"  system prompt ({pattern.system_prompt.share:.0%}): {shown}")
    for capability in pattern.capabilities:
        print(f"  {capability.label} ({capability.share:.0%})")
    for tool in pattern.tools:
        print(
            f"  tool {tool.name}: offered {tool.offered_share:.0%}, called {tool.called_share:.0%}"
        )
    print(f"  suggested name: {pattern.suggested_name}")
    print(f"  suggested objective: {pattern.suggested_objective}")


def print_losses(report: LossReport) -> None:
    """Print what of a source is in no trace, and why."""
    lost = report.model_calls - report.traces
    print(
        f"\n{report.model_calls:,} model calls: {report.traces:,} read, {lost:,} lost, "
        f"{report.partial:,} read in part; {report.other_spans:,} other spans"
    )
    for code, count in sorted(report.by_code.items()):
        print(f"  {code}: {count:,}")
    for loss in report.losses[:_SHOWN_LOSSES]:
        print(f"    {loss.location}: {loss.message}")
    if len(report.losses) > _SHOWN_LOSSES:
        print(f"    ... and {sum(report.by_code.values()) - _SHOWN_LOSSES:,} more")
