"""The command that does all steps: from a file that says how, or for a file of records."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from rft_widgets.cli.data import print_import
from rft_widgets.cli.dry_run import DryRunPlan
from rft_widgets.cli.output import (
    importing,
    open_workspace,
    print_json,
    progress_line,
    quiet,
    stop_wish,
)
from rft_widgets.cli.pipeline import print_pipeline
from rft_widgets.cli.run_file import RunFile, Source, read_run_file
from rft_widgets.cli.steps import heading, take_through
from rft_widgets.cli.topics import TopicsPlan
from rft_widgets.dataset import OptimizationDataset
from rft_widgets.errors import InvalidArgument, UnknownFormat
from rft_widgets.model.record import ImportResult
from rft_widgets.model.training import TrainingConfig
from rft_widgets.traces.source import open_traces
from rft_widgets.workspace import Workspace


def run(options: argparse.Namespace) -> int:
    """Do all steps of a run."""
    is_plan = options.source.suffix.lower() in (".yaml", ".yml")
    plan = read_run_file(options.source) if is_plan else RunFile(source=str(options.source))
    plan = _with_flags(plan, options)
    if plan.grader is None and (plan.dry_run or plan.train):
        raise InvalidArgument(
            "Dry run and training need a grader.",
            hint="Pass --grader FILE, or leave both out: dry_run: false, train: false.",
        )
    with open_workspace(options) as workspace, quiet(options):
        heading(1)
        dataset, imported = _extract(workspace, plan)
        print(f"{dataset.name} ({dataset.id})")
        print_import(imported)
        health = dataset.health
        for advice in health.recommendations:
            print(f"  ! {advice}")
        done = take_through(dataset, plan)
        state = dataset.pipeline
        print()
        print_pipeline(state)
    if options.json:
        print_json(
            {
                "dataset": dataset.id,
                "status": done.status,
                "import": imported,
                "health": health,
                **done.results,
                "pipeline": state.nodes,
            }
        )
    return done.status


def _with_flags(plan: RunFile, options: argparse.Namespace) -> RunFile:
    """Let what was typed count more than what the file says."""
    given: dict[str, Any] = {"seed": options.seed} if options.seed is not None else {}
    topics, dry_run, train = plan.topics, plan.dry_run, plan.train
    if topics and (given or options.template):
        topics = TopicsPlan() if isinstance(topics, bool) else topics
        topics = replace(topics, **given)
        if options.template:
            topics = TopicsPlan(template=options.template, seed=topics.seed)
    sizes = {key: value for key in ("n", "k") if (value := getattr(options, key)) is not None}
    if dry_run and (given or sizes):
        dry_run = replace(DryRunPlan() if isinstance(dry_run, bool) else dry_run, **given, **sizes)
    if train and (given or options.epochs is not None):
        train = replace(TrainingConfig() if isinstance(train, bool) else train, **given)
        if options.epochs is not None:
            chosen = train.hyperparameters | {"n_epochs": options.epochs}
            train = replace(train, hyperparameters=chosen)
    return replace(
        plan,
        name=options.name or plan.name,
        objective=plan.objective if options.objective is None else options.objective,
        grader=plan.grader if options.grader is None else str(options.grader),
        topics=topics,
        dry_run=dry_run,
        train=train,
        despite_no_go=plan.despite_no_go or options.despite_no_go,
    )


def _extract(workspace: Workspace, plan: RunFile) -> tuple[OptimizationDataset, ImportResult]:
    """Make the dataset; nothing of it is left where the source cannot be read."""
    source = _recognised(plan.source) if isinstance(plan.source, str) else plan.source
    if (source.file is None) == (source.traces is None):
        raise InvalidArgument("A source is a file or traces.", hint="Name one of the two.")
    traces = None
    if source.traces is not None:
        traces = open_traces(source.traces).filter(
            since=source.since,
            model=source.model,
            min_turns=source.min_turns,
            has_response=source.has_response,
            search=source.search,
        )
    name = plan.name or Path(source.file or source.traces or "").name.split(".")[0] or "run"
    dataset = workspace.create(
        name, objective=plan.objective or "", source="upload" if traces is None else "gateway"
    )
    try:
        with progress_line() as show, stop_wish() as stop:
            if traces is None:
                result = dataset.import_records(
                    source.file or "", progress=importing(show), cancelled=stop
                )
            else:
                result = dataset.add_traces(
                    traces,
                    mode=source.mode,
                    collapse_prefixes=source.collapse_prefixes,
                    progress=importing(show),
                    cancelled=stop,
                )
    except BaseException:
        workspace.delete(dataset.id)
        raise
    return dataset, result


def _recognised(source: str) -> Source:
    """Tell records from traces by what is in them."""
    try:
        is_records = open_traces(source).format == "chat_jsonl"
    except UnknownFormat:
        is_records = True  # the import says of each line what is wrong with it
    return Source(file=source) if is_records else Source(traces=source)
