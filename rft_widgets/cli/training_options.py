"""What commands about training take: who trains what, and the runs there are."""

from __future__ import annotations

import argparse
from pathlib import Path

from rft_widgets.cli.command import Commands, add_command, add_dataset


def add_trainer(parser: argparse.ArgumentParser) -> None:
    """Say who trains which model, and how."""
    parser.add_argument(
        "--trainer", default="local", help="default: local, on this computer; see `trainers`"
    )
    parser.add_argument(
        "--base-model", metavar="M", help="a folder, a name of a hub or of the service"
    )
    parser.add_argument(
        "--connection", metavar="NAME", help="connection to the service that trains"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a hyperparameter or another setting of the trainer (may be repeated)",
    )
    parser.add_argument(
        "--max-cost",
        type=float,
        metavar="USD",
        help="most dollars that judges may cost before the run pauses",
    )


def add_training_export(parser: argparse.ArgumentParser) -> None:
    """Say for which framework a training run is written, and with which settings."""
    run = parser.add_argument_group("a training run")
    run.add_argument(
        "--for", dest="framework", choices=("verl", "openrlhf", "trl"), help="who trains"
    )
    run.add_argument("--base-model", metavar="M", help="a folder, or a name of the hub")
    run.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a hyperparameter of the trainer trl (may be repeated)",
    )
    run.add_argument("--epochs", type=int, metavar="N", help="times each prompt is learned from")
    run.add_argument("--train-ratio", type=float, default=0.9, metavar="R")
    run.add_argument("--seed", type=int, default=0)
    run.set_defaults(trainer="trl", connection=None, max_cost=None)


def add_training_runs(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the commands that say who can train, and what there is of a run."""
    parser = add_command(
        commands,
        "trainers",
        "training_runs:trainers",
        "list the ways to train, and what each needs",
    )
    parser.add_argument("trainer", nargs="?", metavar="NAME", help="all of one, with its settings")

    parser = add_command(
        commands, "rollouts", "training_runs:rollouts", "show answers that a run learned from"
    )
    _run(parser)
    parser.add_argument("--step", type=int, metavar="N", help="default: the newest with answers")
    parser.add_argument("-n", type=int, default=5, help="how many to show (default: 5)")

    parser = add_command(
        commands,
        "choose",
        "training_runs:choose",
        "have another checkpoint of a run served",
        "Deployments that are at work keep the model that they were started with.",
    )
    _run(parser)
    parser.add_argument(
        "step", metavar="STEP", help="of the run, or `run` for the run's own choice"
    )

    parser = add_command(
        commands,
        "compare-checkpoints",
        "checkpoints:compare",
        "what the checkpoints of a run are worth beside each other",
        "They answer the validation prompts, and the grader in use grades them. It chooses none.",
    )
    _run(parser)
    parser.add_argument(
        "--steps", type=int, nargs="+", metavar="N", help="of these checkpoints (default: all)"
    )
    parser.add_argument("-n", type=int, metavar="N", help="most prompts (default: all)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--max-cost", type=float, metavar="USD", help="most dollars to spend")

    parser = add_command(
        commands,
        "run-card",
        "checkpoints:run_card",
        "everything about a run on one page",
        "The page needs no network and no script.",
    )
    _run(parser)
    parser.add_argument("--to", type=Path, metavar="FILE", help="a .html or a .json file")


def _run(parser: argparse.ArgumentParser) -> None:
    add_dataset(parser)
    parser.add_argument("--job", metavar="J", help="training job (default: the newest)")
