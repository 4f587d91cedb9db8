"""What ``rft-widgets grader`` takes."""

from __future__ import annotations

import argparse
from pathlib import Path

from rft_widgets.cli.command import add_dataset

TARGETS = ("openai", "azure", "bedrock", "eval-protocol", "trl", "verl", "openrlhf")
"""Written out, for help has to be quick; a test holds them against `write_grader`."""


def add_grader_options(parser: argparse.ArgumentParser) -> None:
    """Add its action."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    export = actions.add_parser(
        "export",
        help="write the grader for a framework or service",
        description="Writes the grader so that a framework or service grades with it. Ends with "
        "status 1 when a comparison finds a difference.",
        allow_abbrev=False,
    )
    add_dataset(export)
    export.add_argument("--for", dest="target", required=True, choices=TARGETS)
    export.add_argument("--to", type=Path, required=True, metavar="DIR", help="made if not there")
    export.add_argument(
        "--version", type=int, metavar="N", help="of a saved grader (default: the one in use)"
    )
    export.add_argument(
        "--parity",
        type=int,
        metavar="N",
        help="also grade so many outputs here and compiled, and list where rewards differ",
    )
    export.add_argument("--seed", type=int, default=0, help="of these outputs")
    export.add_argument("--max-cost", type=float, metavar="USD", help="most dollars to spend")
    # Also behind the action; what stands before it counts otherwise.
    export.add_argument("--database", metavar="URL", default=argparse.SUPPRESS)
    export.add_argument("--json", action="store_true", default=argparse.SUPPRESS)
