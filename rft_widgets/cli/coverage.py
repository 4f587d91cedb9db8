"""The command that measures how records spread over topics."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rft_widgets.cli.documents import read_document
from rft_widgets.cli.output import open_workspace, print_json, print_table, quiet
from rft_widgets.dataset import OptimizationDataset
from rft_widgets.errors import InvalidArgument
from rft_widgets.model.coverage import CoverageReport

_SHOWN = 30


def coverage(options: argparse.Namespace) -> None:
    """Measure coverage, with other targets or more records where that is asked."""
    with open_workspace(options) as workspace:
        dataset = workspace.dataset(options.dataset)
        if options.targets is not None:
            set_targets(dataset, options.targets)
        report = dataset.coverage()
        added = _added(options.what_if)
        changed = report.what_if(added) if added else None
    with quiet(options):
        print_coverage(report)
        if changed is not None:
            print(f"\nWith {sum(added.values()):+,} records it would be:\n")
            print_coverage(changed)
    if options.json:
        print_json({"dataset": options.dataset, "coverage": report, "what_if": changed})


def set_targets(
    dataset: OptimizationDataset, targets: str | Mapping[str, float], folder: Path | None = None
) -> dict[str, float]:
    """Set targets by name, as a value, or from a file."""
    if isinstance(targets, str) and targets in ("uniform", "traffic"):
        return dataset.set_targets("uniform" if targets == "uniform" else "traffic")
    value: Any = targets
    if isinstance(targets, str):
        path = (folder or Path()) / targets
        value = read_document(path)
        if not isinstance(value, Mapping):
            raise InvalidArgument(
                f"{path} maps no topics to percentages.",
                hint='Write {"Billing/Refunds": 40, ...}, in JSON or YAML.',
            )
    numbers = {str(key): share for key, share in value.items()}
    for topic, share in numbers.items():
        if isinstance(share, bool) or not isinstance(share, (int, float)):
            raise InvalidArgument(f"The target of {topic!r} is {share!r} and no percentage.")
    return dataset.set_targets(numbers)


def print_coverage(report: CoverageReport) -> None:
    """Print the topics against their targets, and what to do."""
    print_table(
        [
            (
                one.topic,
                one.count,
                f"{one.percentage:.1f}%",
                f"{one.target_percentage:.1f}%",
                f"{one.gap_records:+,}" if one.gap_records else "",
                "" if one.status == "ok" else one.status,
            )
            for one in report.topics[:_SHOWN]
        ],
        ("topic", "records", "share", "target", "missing", ""),
    )
    if len(report.topics) > _SHOWN:
        print(f"  ... and {len(report.topics) - _SHOWN:,} more topics")
    if report.balance_score is not None:
        print(
            f"Balance {report.balance_score:.2f} ({report.balance_band}), entropy "
            f"{report.entropy:.2f}, closeness to the targets {report.closeness:.2f}"
        )
    for advice in report.recommendations:
        print(f"  ! {advice}")


def _added(pairs: Sequence[str]) -> dict[str, int]:
    added = {}
    for pair in pairs:
        topic, equals, number = pair.rpartition("=")
        try:
            added[topic] = int(number)
        except ValueError:
            equals = ""
        if not equals:
            raise InvalidArgument(
                f"{pair!r} says nothing of a topic.", hint="Write TOPIC=N, such as Billing=20."
            )
    return added
