"""The command that writes the grader for elsewhere."""

from __future__ import annotations

import argparse

from rft_widgets.cli.output import (
    open_workspace,
    print_json,
    print_table,
    progress_line,
    quiet,
)
from rft_widgets.errors import RftError
from rft_widgets.graders.compile import CompiledFiles
from rft_widgets.model.parity import ParityReport

_MOST_SHOWN = 20


def grader(options: argparse.Namespace) -> None:
    """Write the grader, and compare where that is asked for."""
    report: ParityReport | None = None
    with open_workspace(options) as workspace:
        dataset = workspace.dataset(options.dataset)
        files = dataset.export_grader(options.target, options.to, version=options.version)
        if options.parity is not None:
            with progress_line() as progress:
                report = dataset.grader_parity(
                    options.target,
                    options.parity,
                    seed=options.seed,
                    version=options.version,
                    max_cost_usd=options.max_cost,
                    progress=progress,
                )
    with quiet(options):
        _print_files(files)
        if report is not None:
            _print_report(report)
    if options.json:
        written = {
            "target": files.target,
            "folder": str(files.folder),
            "entry": str(files.entry),
            "files": files.files,
            "warnings": files.warnings,
        }
        print_json({"dataset": options.dataset, "grader": written, "parity": report})
    if report is not None and not report.holds:
        raise RftError(report.sentence, hint="See the differences; nothing was removed.")


def _print_files(files: CompiledFiles) -> None:
    print(f"{files.entry} and {len(files.files) - 1:,} other files; README.md says how to use it.")
    for warning in files.warnings:
        print(f"Note: {warning}")


def _print_report(report: ParityReport) -> None:
    print(report.sentence)
    if report.not_carried:
        print(f"{report.not_carried:,} outputs are such that {report.target} cannot hand over.")
    if report.note:
        print(report.note)
    if report.differences:
        print_table(
            (
                (one.record_id, one.kind, _shown(one.here), _shown(one.compiled))
                for one in report.differences[:_MOST_SHOWN]
            ),
            ("record", "output", "here", "compiled"),
        )


def _shown(reward: float | None) -> str:
    return "failed" if reward is None else f"{reward:.9g}"
