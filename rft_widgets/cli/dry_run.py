"""The command that says whether training is worth it."""

from __future__ import annotations

import argparse

from msgspec import Struct

from rft_widgets.cli.estimates import estimate_words
from rft_widgets.cli.output import (
    NO_GO,
    open_workspace,
    print_json,
    print_table,
    progress_line,
    quiet,
    stop_wish,
)
from rft_widgets.dataset import OptimizationDataset
from rft_widgets.errors import BudgetReached, ModelRefused, RunInterrupted, TooManyFailures
from rft_widgets.model.dry_run_settings import DRY_RUN
from rft_widgets.model.report import DryRunReport, with_bounds

_SHOWN_TOPICS = 10


class DryRunPlan(Struct, frozen=True, kw_only=True):
    """What a dry run is asked for; see `OptimizationDataset.dry_run`."""

    n: int = DRY_RUN.prompts
    k: int = DRY_RUN.responses
    seed: int = 0
    probes: bool = True
    model: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    max_cost_usd: float | None = None


def dry_run(options: argparse.Namespace) -> int:
    """Grade a sample of the answers and give the verdict."""
    with open_workspace(options) as workspace:
        dataset = workspace.dataset(options.dataset)
        plan = DryRunPlan(
            n=options.n,
            k=options.k,
            seed=options.seed,
            probes=not options.no_probes,
            model=options.model,
            temperature=options.temperature,
            max_tokens=options.max_tokens,
            max_cost_usd=options.max_cost,
        )
        if options.estimate:
            _estimate(dataset, plan, options)
            return 0
        report = make_dry_run(dataset, plan, resume=options.resume)
    with quiet(options):
        print_dry_run(report)
    if options.json:
        print_json({"dataset": options.dataset, "verdict": report.verdict, "report": report})
    return NO_GO if report.verdict == "NO_GO" else 0


def make_dry_run(
    dataset: OptimizationDataset, plan: DryRunPlan, *, resume: bool = False
) -> DryRunReport:
    """Grade a sample of the answers; Ctrl-C keeps what was graded, and is told how to go on."""
    try:
        with progress_line() as show, stop_wish() as stop:
            return dataset.dry_run(
                plan.n,
                plan.k,
                seed=plan.seed,
                probes=plan.probes,
                model=plan.model,
                temperature=plan.temperature,
                max_tokens=plan.max_tokens,
                max_cost_usd=plan.max_cost_usd,
                progress=show,
                cancelled=stop,
                resume=resume,
            )
    except (RunInterrupted, BudgetReached, ModelRefused, TooManyFailures) as error:
        command = f"`rft-widgets dry-run {dataset.id} --resume`"
        raise type(error)(error.message, hint=f"Go on with {command}.") from None


def _estimate(dataset: OptimizationDataset, plan: DryRunPlan, options: argparse.Namespace) -> None:
    """Show what the run would grade and what models would take; nothing is asked."""
    found = dataset.plan_dry_run(
        plan.n,
        plan.k,
        seed=plan.seed,
        probes=plan.probes,
        model=plan.model,
        temperature=plan.temperature,
        max_tokens=plan.max_tokens,
    )
    with quiet(options):
        print(f"{found.answers:,} answers to {found.prompts:,} prompts would be graded")
        for what, work in (("Answers", found.rollouts), ("Judge", found.judging)):
            print(f"{what}: {'no model is asked' if work is None else estimate_words(work)}")
        for note in found.notes:
            print(note)
    if options.json:
        print_json({"dataset": options.dataset, "estimate": found})


def print_dry_run(report: DryRunReport) -> None:
    """Print the verdict with its reasons, and what it rests on."""
    marks = {"good": "ok", "warn": "!", "fail": "X"}
    probed = {probe.sentence for probe in report.probes}
    print(f"Verdict: {report.summary}")
    if report.answered_by is not None:
        print(f"  {report.answered_by.sentence}")
    for check in report.checks:
        if check.sentence not in probed:
            print(f"  {marks[check.level]:>2}  {check.sentence}")
    if report.probes:
        print("Probes of the grader:")
    for probe in report.probes:
        mark = {True: "ok", False: "!", None: "?"}[probe.passed]
        print(f"  {mark:>2}  {probe.name}: {probe.sentence}")
    if report.topics:
        lowest = sorted(report.topics, key=lambda one: one.mean.estimate)
        print("By topic, the lowest first:")
        print_table(
            [(one.topic, one.count, with_bounds(one.mean)) for one in lowest[:_SHOWN_TOPICS]],
            ("topic", "answers", "mean [95 %]"),
        )
        if len(lowest) > _SHOWN_TOPICS:
            print(f"  ... and {len(lowest) - _SHOWN_TOPICS:,} more")
    if report.excluded:
        left_out = ", ".join(f"{name} {count:,}" for name, count in report.excluded.items())
        print(f"Not in the statistics: {left_out}")
    print(f"Dataset: {report.dataset_quality}. Grader: {report.grader_quality}. {report.fix_first}")
