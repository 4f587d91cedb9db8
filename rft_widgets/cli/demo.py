"""The tour: what the package does, shown on the sample traffic that it brings along."""

from __future__ import annotations

import argparse
import contextlib
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rft_widgets.cli.data import print_import
from rft_widgets.cli.output import add_common, print_json
from rft_widgets.cli.traces import print_source
from rft_widgets.model.record import RecordFilter
from rft_widgets.sample.support import write_sample
from rft_widgets.traces.source import open_traces
from rft_widgets.workspace import Workspace


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this module's command."""
    parser = commands.add_parser("demo", help="the whole tour on bundled sample traces")
    add_common(parser)
    parser.set_defaults(run=_demo)


def _demo(options: argparse.Namespace) -> None:
    silence = contextlib.redirect_stdout(io.StringIO())
    with silence if options.json else contextlib.nullcontext(), _folder() as folder:
        database = options.database or folder / "demo.db"
        with Workspace(database) as workspace:
            report = tour(workspace, folder)
    if options.json:
        print_json(report)
    elif options.database is None:
        print("\nThe demo's store was temporary; keep one with --database demo.db.")


def tour(workspace: Workspace, folder: Path) -> dict[str, Any]:
    """Take the sample from traces to a searched, checked and exported dataset."""
    print("1. Sample traffic of a support assistant, as a gateway exports it\n")
    spans = folder / "support.otlp.jsonl"
    write_sample(spans, format="otlp")
    source = open_traces(spans)
    pattern = source.pattern()
    print_source(source, source.count(), pattern)

    print("\n2. A dataset of its answered calls\n")
    dataset = workspace.create_from_traces(
        source.filter(has_response=True),
        name=pattern.suggested_name,
        objective=pattern.suggested_objective,
    )
    print(f"{dataset.name} ({dataset.id}): {dataset.count():,} records")

    print("\n3. A JSONL file appended, each line judged alone\n")
    lines = folder / "support.jsonl"
    write_sample(lines, format="jsonl", seed=8)
    result = dataset.import_records(lines)
    print_import(result)
    health = dataset.health
    print(
        f"\nhealth: {health.status}: {health.valid:,} of {health.total:,} records valid "
        f"{health.errors_by_code}"
    )
    for advice in health.recommendations:
        print(f"  ! {advice}")

    print("\n4. Search, page, delete, undo\n")
    page = dataset.records(search="refund", valid=True, limit=3)
    print(f"{page.total:,} valid records mention a refund; the first:")
    for line in page.records[0].preview.splitlines():
        print(f"  {line}")
    deletion = dataset.delete_records(dataset.select(RecordFilter(valid=False)))
    restored = dataset.undo_delete(deletion)
    print(f"deleted {deletion.count:,} invalid records and brought {restored:,} back")

    print("\n5. Out and in again, record by record\n")
    out = folder / "export.jsonl"
    exported = dataset.export_records(out)
    copy = workspace.create_from_file(out, name="copy")
    equal = sum(
        (a.id, a.input, a.output, a.item, a.metadata)
        == (b.id, b.input, b.output, b.item, b.metadata)
        for a, b in zip(dataset.iterate(), copy.iterate(), strict=True)
    )
    print(f"{exported:,} records exported, {equal:,} equal after the import")
    workspace.delete(copy.id)
    return {
        "dataset": dataset.id,
        "traces": source.losses,
        "import": result,
        "health": health,
        "search_total": page.total,
        "deleted_and_restored": restored,
        "exported": exported,
        "equal_after_import": equal,
    }


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="rft-demo-") as name:
        yield Path(name)
