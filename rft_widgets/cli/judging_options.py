"""What the commands that judge answers, and judge the judge, take."""

from __future__ import annotations

import argparse
from pathlib import Path

from rft_widgets.cli.command import Commands, add_command, add_dataset, add_spending


def add_judging(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add them."""
    parser = add_command(
        commands, "grade", "grade:grade", "save a grader and try it on a few answers",
        "Without --grader and --preset the saved one is tried.",
    )  # fmt: skip
    add_dataset(parser)
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--grader", type=Path, metavar="FILE", help="JSON or YAML; a .py file is a script grader"
    )
    which.add_argument("--preset", choices=("correctness", "tool_use", "format", "conciseness"))
    parser.add_argument(
        "--connection",
        action="append",
        default=[],
        metavar="NAME",
        help="named connection at which the judge is asked; several make a panel",
    )
    parser.add_argument(
        "--repeats", type=int, default=1, metavar="N", help="times that each judge is asked"
    )
    parser.add_argument(
        "--combine",
        choices=("mean", "median"),
        default="mean",
        help="what a panel makes of the scores of its judges",
    )
    parser.add_argument("--model", help="the judge of a preset (default: of the connection)")
    parser.add_argument("--base-url", metavar="U", help="where a judge is asked, up to /v1")
    parser.add_argument(
        "--api-key-env",
        metavar="NAME",
        help="environment variable with its key (default OPENAI_API_KEY; '' for none)",
    )
    add_spending(parser)
    parser.add_argument("--test", type=int, default=5, metavar="N", help="answers; 0 for no test")
    parser.add_argument("--labels", metavar="FIELD", help="compare with labels in this item field")

    _trust(commands)

    parser = add_command(
        commands,
        "dry-run",
        "dry_run:dry_run",
        "grade a sample of the answers: is training worth it?",
        "Exit status: 0 for GO and CAUTION, 3 for NO_GO.",
    )
    add_dataset(parser)
    parser.add_argument("-n", type=int, default=300, help="prompts")
    parser.add_argument("-k", type=int, default=1, help="answers to each prompt")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-probes", action="store_true", help="do not try to fool the grader")
    parser.add_argument("--resume", action="store_true", help="go on with the one that was cut off")
    parser.add_argument(
        "--model",
        metavar="NAME",
        help="connection whose model answers the prompts anew (default: recorded answers)",
    )
    parser.add_argument("--temperature", type=float, metavar="T", help="of its answers")
    parser.add_argument("--max-tokens", type=int, metavar="N", help="of each of them")
    add_spending(parser)


def _trust(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(
        commands, "labels", "trust:labels", "what people say of recorded answers",
        "Lists the labels, takes those that came with the records, or keeps one. To label many, "
        "blind, use the dialog 'labelling' of the app or a notebook.",
    )  # fmt: skip
    add_dataset(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--import", dest="field", metavar="FIELD", help="take the labels in this item field"
    )
    what.add_argument(
        "--label",
        nargs=2,
        metavar=("RECORD", "VALUE"),
        help="pass, fail, or 1 to 5 on the scale five",
    )
    parser.add_argument("--scale", choices=("pass_fail", "five"), default="pass_fail")
    parser.add_argument("--labeller", metavar="NAME", help="whose labels")
    parser.add_argument("--note", default="", help="why")

    parser = add_command(
        commands, "trust", "trust:trust", "does the grader judge as people do?",
        "Grades the labelled answers. Every figure comes with its interval.",
    )  # fmt: skip
    add_dataset(parser)
    parser.add_argument("--version", type=int, metavar="N", help="default: the grader in use")
    parser.add_argument("--against", type=int, metavar="N", help="compare with this version")
    parser.add_argument("--labeller", metavar="NAME", help="only labels of this person")
    parser.add_argument(
        "--repeats", type=int, metavar="R", help="gradings of each answer (default: 3 of a judge)"
    )
    parser.add_argument("--max-cost", type=float, metavar="USD", help="most dollars to spend")
    parser.add_argument("--seed", type=int, default=0)
