"""Commands on datasets: import, export, list, delete."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from rft_widgets.cli.output import (
    add_common,
    open_workspace,
    print_json,
    print_table,
    show_progress,
)
from rft_widgets.errors import RftError

if TYPE_CHECKING:
    from rft_widgets.model.record import ImportResult

_SHOWN_ERRORS = 10


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this module's commands."""
    parser = commands.add_parser("import", help="read a JSONL or JSON file into a dataset")
    parser.add_argument("file", type=Path)
    parser.add_argument("--dataset", metavar="ID", help="add to this dataset instead of a new one")
    parser.add_argument("--name", help="name of the new dataset (default: the file's)")
    parser.add_argument("--objective", default="", help="what the model should become better at")
    parser.add_argument("--mode", choices=("append", "replace"), default="append")
    parser.add_argument(
        "--resume", action="store_true", help="go on with an import that was cut off"
    )
    add_common(parser)
    parser.set_defaults(run=_import)

    parser = commands.add_parser("export", help="write the records of a dataset to a file")
    parser.add_argument("dataset", metavar="ID")
    parser.add_argument("file", type=Path)
    parser.add_argument(
        "--format", choices=("jsonl", "chat", "training", "csv", "parquet"), default="jsonl"
    )
    add_common(parser)
    parser.set_defaults(run=_export)

    parser = commands.add_parser("datasets", help="list the datasets of the store")
    parser.add_argument("--search", default="")
    parser.add_argument("--sort", choices=("updated", "name", "records"), default="updated")
    add_common(parser)
    parser.set_defaults(run=_list)

    parser = commands.add_parser("delete", help="delete a dataset for good")
    parser.add_argument("dataset", metavar="ID")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    add_common(parser)
    parser.set_defaults(run=_delete)


def _import(options: argparse.Namespace) -> None:
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
            result = dataset.import_records(
                options.file,
                mode=options.mode,
                progress=None if options.json else show_progress,
                resume=options.resume,
            )
        except RftError:
            if created and dataset.count() == 0:
                workspace.delete(dataset.id)
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


def _export(options: argparse.Namespace) -> None:
    with open_workspace(options) as workspace:
        count = workspace.dataset(options.dataset).export_records(
            options.file, format=options.format
        )
    if options.json:
        print_json({"file": str(options.file), "records": count})
    else:
        print(f"{count:,} records written to {options.file}")


def _list(options: argparse.Namespace) -> None:
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


def _delete(options: argparse.Namespace) -> None:
    with open_workspace(options) as workspace:
        dataset = workspace.dataset(options.dataset)
        count = dataset.count()
        if not options.yes:
            answer = input(f"Delete {dataset.name!r} with {count:,} records for good? [y/N] ")
            if answer.strip().lower() not in ("y", "yes"):
                print("Nothing was deleted.")
                return
        workspace.delete(dataset.id)
    if options.json:
        print_json({"deleted": options.dataset, "records": count})
    else:
        print(f"Deleted with {count:,} records.")
