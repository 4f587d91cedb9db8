"""Commands on datasets: import, export, list, delete."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

import msgspec

from rft_widgets.cli.output import (
    confirmed,
    importing,
    open_workspace,
    print_json,
    print_table,
    progress_line,
    stop_wish,
)
from rft_widgets.errors import ImportInterrupted, RftError

if TYPE_CHECKING:
    from rft_widgets.model.record import ImportResult

_SHOWN_ERRORS = 10


def import_file(options: argparse.Namespace) -> None:
    """Read a file into a dataset."""
    with open_workspace(options) as workspace:
        created = options.dataset is None and not options.resume
        if options.resume and options.dataset is None:
            raise RftError(
                "--resume needs --dataset.", hint="`rft-widgets datasets` lists the ids."
            )
        if created:
            name = options.name or options.file.name.split(".")[0]
            dataset = workspace.create(name, objective=options.objective)
        else:
            dataset = workspace.dataset(options.dataset)
        try:
            with progress_line() as show, stop_wish() as stop:
                result = dataset.import_records(
                    options.file,
                    mode=options.mode,
                    progress=importing(show),
                    cancelled=stop,
                    resume=options.resume,
                )
        except RftError as error:
            if created and dataset.count() == 0:
                workspace.delete(dataset.id)
            elif isinstance(error, ImportInterrupted):
                again = f"rft-widgets import {options.file} --dataset {dataset.id} --resume"
                print(f"Go on with: {again}", file=sys.stderr)
            raise
        health = dataset.health
        if options.json:
            print_json({"dataset": dataset.id, "import": result, "health": health})
            return
        print(f"{dataset.name} ({dataset.id})")
        print_import(result)
        for advice in health.recommendations:
            print(f"  ! {advice}")


def print_import(result: ImportResult) -> None:
    """Print the counts of an import and its first refused lines."""
    print(
        f"  {result.lines:,} lines: {result.imported:,} records ({result.valid:,} valid, "
        f"{result.invalid:,} invalid, of these {result.duplicates:,} duplicates), "
        f"{result.refused:,} refused, {result.blank:,} blank"
    )
    for error in result.errors[:_SHOWN_ERRORS]:
        print(f"  line {error.line:,}: {error.code}: {error.message}")
    if result.refused > _SHOWN_ERRORS:
        print(f"  ... and {result.refused - _SHOWN_ERRORS:,} more")


def export_file(options: argparse.Namespace) -> None:
    """Write the records of a dataset to a file, or a training run to a folder."""
    if options.framework is not None:
        from rft_widgets.cli.export import export_training  # noqa: PLC0415 - heavier than a file

        export_training(options)
        return
    with open_workspace(options) as workspace:
        count = workspace.dataset(options.dataset).export_records(
            options.file, format=options.format
        )
    if options.json:
        print_json({"file": str(options.file), "records": count})
    else:
        print(f"{count:,} records written to {options.file}")


def list_all(options: argparse.Namespace) -> None:
    """List the datasets."""
    with open_workspace(options) as workspace:
        found = workspace.datasets(search=options.search, sort=options.sort)
        if options.json:
            print_json(
                [
                    msgspec.structs.asdict(dataset.info) | {"stats": dataset.stats}
                    for dataset in found
                ]
            )
            return
        rows = [
            (d.id, d.name, s.total_records, s.invalid_records, f"{d.updated_at:%Y-%m-%d %H:%M}")
            for d in found
            for s in (d.stats,)
        ]
    print_table(rows, ("id", "name", "records", "invalid", "updated (UTC)"))


def delete(options: argparse.Namespace) -> None:
    """Delete a dataset."""
    with open_workspace(options) as workspace:
        dataset = workspace.dataset(options.dataset)
        count = dataset.count()
        if not confirmed(f"Delete {dataset.name!r} with {count:,} records for good?", options):
            raise RftError("Nothing was deleted.", hint="Answer y, or pass --yes.")
        workspace.delete(dataset.id)
    if options.json:
        print_json({"deleted": options.dataset, "records": count})
    else:
        print(f"Deleted with {count:,} records.")
