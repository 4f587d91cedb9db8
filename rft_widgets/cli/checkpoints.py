"""The commands that compare the checkpoints of a run, and put the run on one page."""

from __future__ import annotations

import argparse

from rft_widgets.cli.output import (
    open_workspace,
    print_json,
    print_table,
    progress_line,
    quiet,
    stop_wish,
)
from rft_widgets.errors import InvalidArgument, NotFound
from rft_widgets.model.checkpoint_view import dollars, seconds, signed, title
from rft_widgets.model.checkpoints import CheckpointComparison
from rft_widgets.model.report import with_bounds

_PAGES = (".html", ".htm")


def compare(options: argparse.Namespace) -> None:
    """Compare checkpoints, and say which differences are clear."""
    with open_workspace(options) as workspace:
        dataset = workspace.dataset(options.dataset)
        with progress_line() as show, stop_wish() as stop:
            found = dataset.compare_checkpoints(
                options.job,
                options.steps,
                n=options.n,
                seed=options.seed,
                max_cost_usd=options.max_cost,
                progress=show,
                cancelled=stop,
            )
    with quiet(options):
        _print(found, options.dataset)
    if options.json:
        print_json(found)


def run_card(options: argparse.Namespace) -> None:
    """Write a run card to a file, as a page or as JSON."""
    ending = "" if options.to is None else options.to.suffix.casefold()
    if options.to is not None and ending not in (*_PAGES, ".json"):
        raise InvalidArgument(
            f"{options.to.name} is neither a page nor JSON.", hint="Name a .html or a .json file."
        )
    if options.to is None and not options.json:
        raise InvalidArgument("There is no file to write to.", hint="Say --to FILE, or --json.")
    with open_workspace(options) as workspace:
        dataset = workspace.dataset(options.dataset)
        jobs = dataset.training_jobs
        if options.job is None and not jobs:
            raise NotFound(
                f"Dataset {dataset.id} has no training run.",
                hint=f"Train first: rft-widgets train {dataset.id}",
            )
        job = jobs[-1] if options.job is None else dataset.training_job(options.job)
        card = job.run_card()
    if options.to is not None:
        write = card.to_html if ending in _PAGES else card.to_json
        write(options.to)
    if options.json:
        print_json(card)
    with quiet(options):
        print(f"The run card of {card.job_id} stands in {options.to}.")
        for sentence in card.not_measured:
            print(f"  {sentence}")


def _print(found: CheckpointComparison, dataset: str) -> None:
    print(f"Job {found.job_id}, {found.prompts:,} validation prompts")
    print_table(
        (
            (
                title(found, one),
                "-" if one.reward is None else with_bounds(one.reward),
                signed(one.against_reference),
                signed(one.against_last),
                "-" if one.length is None else f"{one.length.estimate:,.0f}",
                dollars(one.cost_micro_usd),
                seconds(one.seconds),
            )
            for one in found.checkpoints
        ),
        (
            "checkpoint",
            "reward [95 %]",
            "against before",
            "against the last",
            found.length_unit,
            "$ each",
            "s each",
        ),
    )
    clear = [one for one in found.topics if one.difference.verdict != "no_clear_change"]
    if clear:
        print_table(
            ((one.topic, f"step {one.step}", signed(one.difference)) for one in clear),
            ("topic", "checkpoint", "against before"),
        )
    print(found.sentence)
    for note in found.notes:
        print(f"  {note}")
    if found.suggested_step is not None:
        command = f"rft-widgets choose {dataset} {found.suggested_step} --job {found.job_id}"
        print(f"  To have it served: {command}")
