"""What every command takes. Nothing heavy is imported here: help must be quick."""

from __future__ import annotations

import argparse
from pathlib import Path

from rft_widgets.cli.command import Commands, add_command, add_dataset, add_spending, port
from rft_widgets.cli.connection_options import add_connection_options
from rft_widgets.cli.generate_options import add_generate_options
from rft_widgets.cli.grader_options import add_grader_options
from rft_widgets.cli.judging_options import add_judging
from rft_widgets.cli.training_options import (
    add_trainer,
    add_training_export,
    add_training_runs,
)

_STATUS = (
    "Exit status: 0 done, 1 refused or failed, 2 wrong usage, 3 the dry run says NO_GO, "
    "130 stopped with Ctrl-C."
)


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="rft-widgets",
        description="Turn the traffic of an LLM application into a better model.",
        epilog=_STATUS,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _whole(commands)
    _app(commands)
    _data(commands)
    _preparing(commands)
    add_judging(commands)
    add_grader_options(
        add_command(
            commands, "grader", "grader_export:grader", "the grader for wherever models are trained"
        )
    )
    _training(commands)
    _serving(commands)
    _working(commands)
    _keeping(commands)
    return parser


def _whole(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(
        commands,
        "demo",
        "demo:demo",
        "the whole pipeline on bundled sample traces",
        "Ends with status 0 when every step worked.",
    )
    parser.add_argument(
        "--no-app",
        action="store_true",
        help="do not open the app at the end (it is opened from a terminal only)",
    )
    _with_model(parser)

    parser = add_command(
        commands,
        "run",
        "run:run",
        "all steps, from a YAML file or for a file of records or traces",
        "Flags count more than the file. Stops with status 3 when the dry run says NO_GO.",
    )
    parser.add_argument("source", type=Path, help="pipeline.yaml, or records or traces")
    parser.add_argument("--grader", type=Path, metavar="FILE", help="JSON, YAML or Python")
    parser.add_argument("--name", help="name of the dataset")
    parser.add_argument("--objective", help="what the model should become better at")
    parser.add_argument("--template", metavar="NAME", help="topics of this template")
    parser.add_argument("-n", type=int, help="prompts of the dry run")
    parser.add_argument("-k", type=int, help="answers to each prompt of the dry run")
    parser.add_argument("--epochs", type=int, metavar="N")
    parser.add_argument("--seed", type=int, help="of topics, dry run and training")
    _despite(parser)


def _app(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(
        commands,
        "app",
        "app:app",
        "the pages for people who do not code, in a browser, until Ctrl-C",
        "Long work runs in a worker beside it. With --json, prints the address and opens nothing.",
    )
    parser.add_argument("--demo", action="store_true", help="open on a sample that did all steps")
    _with_model(parser)
    parser.add_argument("--host", default="127.0.0.1", help="default: this machine alone")
    parser.add_argument("--port", type=port, help="default: 8877, or a free one; 0: a free one")
    parser.add_argument("--no-browser", action="store_true", help="print the address and no more")
    parser.add_argument(
        "--base-url", default="/", metavar="PATH", help="where it lies behind a proxy (default: /)"
    )
    parser.add_argument(
        "--allow-network",
        action="append",
        default=[],
        metavar="NAME",
        help="let other machines reach it, by this name (may be repeated); put HTTPS before it",
    )
    parser.add_argument(
        "--token-file", type=Path, metavar="F", help="file with the token; made if there is none"
    )
    parser.add_argument(
        "--password", action="store_true", help="ask for a password to log in with, and keep it"
    )
    parser.add_argument("--no-password", action="store_true", help="forget the password")
    parser.add_argument(
        "--pool", type=int, default=1, metavar="N", help="kernels that wait for a page (default: 1)"
    )
    parser.add_argument(
        "--max-kernels", type=int, metavar="N", help="pages at once (default: by the memory)"
    )


def _with_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--with-model",
        action="store_true",
        help="also try what asks a model: scripts stand in for it, offline, as `stand-in`",
    )


def _data(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "traces", "traces:traces", "look into traces; make a dataset")
    parser.add_argument(
        "source",
        help="a file, a folder, a vLLora store, the address of a gateway or of an API that stores "
        "chat completions",
    )
    parser.add_argument(
        "--api-key-env", metavar="NAME", help="environment variable with the key of such an API"
    )
    parser.add_argument("--since", choices=("24h", "7d", "30d", "all"), default="all")
    parser.add_argument("--model")
    parser.add_argument("--min-turns", type=int, default=0, metavar="N")
    parser.add_argument("--has-response", action="store_true", default=None)
    parser.add_argument("--search")
    parser.add_argument("--create", metavar="NAME", help="make a dataset of the matching traces")
    parser.add_argument("--objective", default=None, help="default: suggested from the traces")
    parser.add_argument(
        "--mode", choices=("every_turn", "last_turn_per_thread"), default="every_turn"
    )
    parser.add_argument("--collapse-prefixes", action="store_true")

    parser = add_command(
        commands, "import", "data:import_file", "read a JSONL or JSON file into a dataset"
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--dataset", metavar="ID", help="add to this dataset instead of a new one")
    parser.add_argument("--name", help="name of the new dataset (default: the file's)")
    parser.add_argument("--objective", default="", help="what the model should become better at")
    parser.add_argument("--mode", choices=("append", "replace"), default="append")
    parser.add_argument(
        "--resume", action="store_true", help="go on with an import that was cut off"
    )

    parser = add_command(
        commands,
        "export",
        "data:export_file",
        "write the records of a dataset to a file, or a training run for a framework",
        "With --for, the split records, the grader and a script that starts the training go into a "
        "folder that does not need this package.",
    )
    add_dataset(parser)
    parser.add_argument("file", type=Path, metavar="PATH", help="the file, or with --for a folder")
    parser.add_argument(
        "--format", choices=("jsonl", "chat", "training", "csv", "parquet"), default="jsonl"
    )
    add_training_export(parser)


def _preparing(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "pipeline", "pipeline:pipeline", "the seven steps as they stand")
    add_dataset(parser)

    parser = add_command(
        commands,
        "topics",
        "topics:topics",
        "make topics and put the records under them",
        "Records that somebody put under a topic by hand stay there while it exists.",
    )
    add_dataset(parser)
    parser.add_argument(
        "--method",
        choices=("auto", "template", "file", "keep"),
        help="find them in the records (default), take those of a template or a file, or keep "
        "those there are (default with only --export or --recategorize-all)",
    )
    parser.add_argument("--template", metavar="NAME", help="the template")
    parser.add_argument("--file", type=Path, metavar="F", help="the file, JSON")
    parser.add_argument("--n-topics", type=int, metavar="N", help="leaves to find")
    parser.add_argument("--depth", type=int, metavar="D", help="most levels to find")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--recategorize-all", action="store_true", help="also records that have a topic"
    )
    parser.add_argument("--export", type=Path, metavar="F", help="write the topics to a JSON file")
    parser.add_argument("--model", metavar="NAME", help="connection whose model names found topics")
    parser.add_argument(
        "--categorize-model",
        metavar="NAME",
        help="connection whose model decides about records that are uncertain",
    )
    parser.add_argument(
        "--instructions", default="", metavar="TEXT", help="what the models should heed"
    )
    parser.add_argument(
        "--no-embeddings",
        action="store_true",
        help="place records by their words though a model has embeddings",
    )
    add_spending(parser)

    parser = add_command(
        commands, "coverage", "coverage:coverage", "how the records spread over the topics"
    )
    add_dataset(parser)
    parser.add_argument(
        "--targets",
        metavar="uniform|traffic|FILE",
        help="set what the shares should be; a JSON or YAML file maps topics to percent",
    )
    parser.add_argument(
        "--what-if",
        nargs="+",
        default=[],
        metavar="TOPIC=N",
        help="how it would be with N records more; nothing is changed",
    )

    parser = add_command(
        commands,
        "generate",
        "generate:generate",
        "new records from a model: plan, ask, accept",
        "Shows the plan unless --run is given; no candidate is a record before it is accepted.",
    )
    add_dataset(parser)
    add_generate_options(parser)


def _training(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(
        commands,
        "train",
        "train:train",
        "train a model, and measure it on prompts it has not seen",
        "Ctrl-C pauses it. Exit status: 0 completed, 1 failed, 3 refused because the last dry run "
        "says NO_GO, 130 paused.",
    )
    add_dataset(parser)
    add_trainer(parser)
    parser.add_argument("--epochs", type=int, metavar="N", help="times each prompt is learned from")
    parser.add_argument("--train-ratio", type=float, default=0.9, metavar="R")
    parser.add_argument("--seed", type=int, default=0)
    _despite(parser)
    parser.add_argument("--resume", metavar="JOB", help="go on with a paused or killed job")
    add_training_runs(commands)


def _serving(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(
        commands,
        "deploy",
        "deploy:deploy",
        "serve what was trained, until Ctrl-C",
        "An OpenAI-compatible endpoint on this machine. Ctrl-C ends it with status 0.",
    )
    add_dataset(parser)
    parser.add_argument(
        "--mode", choices=("replace", "new_endpoint", "ab_test"), default="new_endpoint"
    )
    parser.add_argument(
        "--ratio", type=float, default=50.0, metavar="P", help="percent of an A/B test"
    )
    parser.add_argument("--job", metavar="J", help="training job (default: the newest completed)")
    parser.add_argument(
        "--checkpoint", type=int, metavar="STEP", help="step to serve (default: the chosen one)"
    )
    parser.add_argument("--model", metavar="NAME", help="name of the tuned model on the wire")
    parser.add_argument("--upstream", metavar="URL", help="where the base model is asked")
    parser.add_argument("--upstream-model", metavar="M", help="what it is called there")
    parser.add_argument(
        "--upstream-key-env",
        metavar="NAME",
        help="environment variable with its key (default OPENAI_API_KEY; '' for none)",
    )
    _address(parser)

    parser = add_command(
        commands,
        "serve",
        "deploy:serve",
        "serve a deployment again, until Ctrl-C",
        "With the token from before, unless another one is given. Ctrl-C ends it with status 0.",
    )
    parser.add_argument("deployment", metavar="DEPLOYMENT")
    _address(parser)

    parser = add_command(
        commands, "rollback", "deploy:rollback", "send everything to the base model again",
        "Takes effect at the next request, wherever the deployment is served.",
    )  # fmt: skip
    parser.add_argument("deployment", metavar="DEPLOYMENT")

    parser = add_command(
        commands, "outcome", "deploy:outcome", "what the arms of a deployment are worth"
    )
    parser.add_argument("deployment", metavar="DEPLOYMENT")


def _working(commands: Commands[argparse.ArgumentParser]) -> None:
    add_command(
        commands,
        "worker",
        "worker:work",
        "do the jobs that wait, until Ctrl-C",
        "The app starts one by itself. It may be killed at any moment: the next one goes on. "
        "One works on a SQLite store; on PostgreSQL there may be several.",
    )


def _keeping(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(
        commands,
        "connections",
        "connections:connections",
        "models that may be asked, by name",
        "Keys stay in the environment. A test ends with status 1 where a model does not answer.",
    )
    add_connection_options(parser)

    parser = add_command(
        commands, "openapi", "openapi:openapi", "describe the REST API as an OpenAPI document"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write it there")

    parser = add_command(commands, "datasets", "data:list_all", "list the datasets of the store")
    parser.add_argument("--search", default="")
    parser.add_argument("--sort", choices=("updated", "name", "records"), default="updated")

    parser = add_command(
        commands, "jobs", "worker:jobs", "list long work, and how it stands",
        "Of each dataset the newest ended jobs are kept.",
    )  # fmt: skip
    parser.add_argument("dataset", nargs="?", metavar="DATASET", help="only those of this dataset")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--log", metavar="JOB", help="print what happened to a job")
    what.add_argument("--cancel", metavar="JOB", help="stop a job, whoever does it")
    what.add_argument(
        "--retry",
        metavar="JOB",
        help="begin a job again that failed or was stopped; it goes on where it was",
    )

    parser = add_command(
        commands, "script", "pipeline:script", "print the Python that does it all again"
    )
    add_dataset(parser)

    parser = add_command(
        commands,
        "reset",
        "pipeline:reset",
        "clear topics, targets, grader and dry runs",
        "Records, training runs and deployments stay.",
    )
    add_dataset(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")

    parser = add_command(commands, "delete", "data:delete", "delete a dataset for good")
    add_dataset(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _despite(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--despite-no-go",
        action="store_true",
        help="train although the dry run says NO_GO",
    )


def _address(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=port, default=0, help="default: a free one")
    parser.add_argument(
        "--allow-network",
        action="append",
        default=[],
        metavar="HOST",
        help="let other machines reach it, by this name (may be repeated); it is not encrypted",
    )
    token = parser.add_mutually_exclusive_group()
    token.add_argument(
        "--token-env", metavar="NAME", help="environment variable with the clients' token"
    )
    token.add_argument(
        "--token-file",
        type=Path,
        metavar="F",
        help="file with the clients' token; made, readable by you alone, if there is none "
        "(default: one in your data directory)",
    )
