"""What the command that generates records takes."""

from __future__ import annotations

import argparse
from pathlib import Path

_STRATEGIES = (
    "message_variation", "few_shot", "topic_description", "scenario_expansion", "tool_chain",
)  # fmt: skip


def add_generate_options(parser: argparse.ArgumentParser) -> None:
    """Add them, in groups by what they are about."""
    what = parser.add_argument_group("what to generate; by default the gaps of the coverage")
    what.add_argument("--config", type=Path, metavar="F", help="JSON or YAML; options count more")
    what.add_argument(
        "--topic", action="append", default=[], metavar="T", help="this topic (may be repeated)"
    )
    what.add_argument("--per-topic", type=int, metavar="N", help="records for each --topic")
    what.add_argument(
        "--record",
        action="append",
        default=[],
        metavar="ID",
        help="variations of this record (may be repeated)",
    )
    what.add_argument("--strategy", choices=_STRATEGIES, help="default: chosen for each topic")
    what.add_argument("--max-share", type=float, metavar="R", help="most of the dataset, 0 to 0.9")
    what.add_argument("--seed", type=int)
    how = parser.add_argument_group("asking a model")
    how.add_argument("--model", metavar="NAME", help="a connection of the workspace")
    how.add_argument("--run", action="store_true", help="ask it; without this the plan is shown")
    how.add_argument("--max-cost", type=float, metavar="USD", help="most to spend")
    then = parser.add_argument_group("candidates")
    then.add_argument(
        "--batch", metavar="B", help="an earlier batch: shown, or what the next options say"
    )
    then.add_argument("--resume", action="store_true", help="go on with --batch where it stopped")
    then.add_argument(
        "--accept",
        nargs="*",
        type=int,
        metavar="N",
        help="make records of these candidates, or of all without a fault",
    )
    then.add_argument(
        "--discard", nargs="*", type=int, metavar="N", help="give up these, or all that are left"
    )
