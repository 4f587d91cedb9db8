"""What every command takes. Nothing heavy is imported here: help must be quick."""

from __future__ import annotations

import argparse
from pathlib import Path

from rft_widgets.cli.connection_options import add_connection_options
from rft_widgets.cli.generate_options import add_generate_options

_STATUS = (
    "Exit status: 0 done, 1 refused or failed, 2 wrong usage, 3 the dry run says NO_GO, "
    "130 stopped with Ctrl-C."
)

Commands = argparse._SubParsersAction  # noqa: SLF001 - argparse has no public name for it


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
    _judging(commands)
    _training(commands)
    _serving(commands)
    _working(commands)
    _keeping(commands)
    return parser


def _command(
    commands: Commands[argparse.ArgumentParser], name: str, run: str, about: str, more: str = ""
) -> argparse.ArgumentParser:
    """Add a command; ``run`` is its module and function, ``more`` what its help says beside."""
    end = "" if about.endswith("?") else "."
    parser = commands.add_parser(
        name,
        help=about,
        description=f"{about[0].upper()}{about[1:]}{end} {more}".strip(),
        allow_abbrev=False,  # an option that is added later must not change what a script means
    )
    module, function = run.split(":")
    parser.set_defaults(module=module, function=function)
    parser.add_argument("--database", metavar="URL", help="store to use: a file or a database URL")
    parser.add_argument("--json", action="store_true", help="print one JSON object and no more")
    return parser


def _whole(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
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

    parser = _command(
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
    parser = _command(
        commands,
        "app",
        "app:app",
        "the pages for people who do not code, in a browser, until Ctrl-C",
        "Long work runs in a worker beside it. With --json, prints the address and opens nothing.",
    )
    parser.add_argument("--demo", action="store_true", help="open on a sample that did all steps")
    _with_model(parser)
    parser.add_argument("--host", default="127.0.0.1", help="default: this machine alone")
    parser.add_argument("--port", type=_port, help="default: 8877, or a free one; 0: a free one")
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
    parser = _command(commands, "traces", "traces:traces", "look into traces; make a dataset")
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

    parser = _command(
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

    parser = _command(
        commands, "export", "data:export_file", "write the records of a dataset to a file"
    )
    _dataset(parser)
    parser.add_argument("file", type=Path)
    parser.add_argument(
        "--format", choices=("jsonl", "chat", "training", "csv", "parquet"), default="jsonl"
    )


def _preparing(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "pipeline", "pipeline:pipeline", "the seven steps as they stand")
    _dataset(parser)

    parser = _command(
        commands,
        "topics",
        "topics:topics",
        "make topics and put the records under them",
        "Records that somebody put under a topic by hand stay there while it exists.",
    )
    _dataset(parser)
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
    _spending(parser)

    parser = _command(
        commands, "coverage", "coverage:coverage", "how the records spread over the topics"
    )
    _dataset(parser)
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

    parser = _command(
        commands,
        "generate",
        "generate:generate",
        "new records from a model: plan, ask, accept",
        "Shows the plan unless --run is given; no candidate is a record before it is accepted.",
    )
    _dataset(parser)
    add_generate_options(parser)


def _judging(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands, "grade", "grade:grade", "save a grader and try it on a few answers",
        "Without --grader and --preset the saved one is tried.",
    )  # fmt: skip
    _dataset(parser)
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
    _spending(parser)
    parser.add_argument("--test", type=int, default=5, metavar="N", help="answers; 0 for no test")
    parser.add_argument("--labels", metavar="FIELD", help="compare with labels in this item field")

    _trusting(commands)

    parser = _command(
        commands,
        "dry-run",
        "dry_run:dry_run",
        "grade a sample of the answers: is training worth it?",
        "Exit status: 0 for GO and CAUTION, 3 for NO_GO.",
    )
    _dataset(parser)
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
    _spending(parser)


def _spending(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--max-cost", type=float, metavar="USD", help="most dollars to spend")
    parser.add_argument(
        "--estimate", action="store_true", help="only say what models would be asked, and its price"
    )


def _trusting(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands, "labels", "trust:labels", "what people say of recorded answers",
        "Lists the labels, takes those that came with the records, or keeps one. To label many, "
        "blind, use the dialog 'labelling' of the app or a notebook.",
    )  # fmt: skip
    _dataset(parser)
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

    parser = _command(
        commands, "trust", "trust:trust", "does the grader judge as people do?",
        "Grades the labelled answers. Every figure comes with its interval.",
    )  # fmt: skip
    _dataset(parser)
    parser.add_argument("--version", type=int, metavar="N", help="default: the grader in use")
    parser.add_argument("--against", type=int, metavar="N", help="compare with this version")
    parser.add_argument("--labeller", metavar="NAME", help="only labels of this person")
    parser.add_argument(
        "--repeats", type=int, metavar="R", help="gradings of each answer (default: 3 of a judge)"
    )
    parser.add_argument("--max-cost", type=float, metavar="USD", help="most dollars to spend")
    parser.add_argument("--seed", type=int, default=0)


def _training(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands,
        "train",
        "train:train",
        "train a model, and measure it on prompts it has not seen",
        "Ctrl-C pauses it. Exit status: 0 completed, 1 failed, 3 refused because the last dry run "
        "says NO_GO, 130 paused.",
    )
    _dataset(parser)
    parser.add_argument("--trainer", default="local", help="default: local, on this computer")
    parser.add_argument("--epochs", type=int, metavar="N", help="times each prompt is learned from")
    parser.add_argument("--train-ratio", type=float, default=0.9, metavar="R")
    parser.add_argument("--seed", type=int, default=0)
    _despite(parser)
    parser.add_argument("--resume", metavar="JOB", help="go on with a paused or killed job")


def _serving(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands,
        "deploy",
        "deploy:deploy",
        "serve what was trained, until Ctrl-C",
        "An OpenAI-compatible endpoint on this machine. Ctrl-C ends it with status 0.",
    )
    _dataset(parser)
    parser.add_argument(
        "--mode", choices=("replace", "new_endpoint", "ab_test"), default="new_endpoint"
    )
    parser.add_argument(
        "--ratio", type=float, default=50.0, metavar="P", help="percent of an A/B test"
    )
    parser.add_argument("--job", metavar="J", help="training job (default: the newest completed)")
    parser.add_argument("--model", metavar="NAME", help="name of the tuned model on the wire")
    parser.add_argument("--upstream", metavar="URL", help="where the base model is asked")
    parser.add_argument("--upstream-model", metavar="M", help="what it is called there")
    parser.add_argument(
        "--upstream-key-env",
        metavar="NAME",
        help="environment variable with its key (default OPENAI_API_KEY; '' for none)",
    )
    _address(parser)

    parser = _command(
        commands,
        "serve",
        "deploy:serve",
        "serve a deployment again, until Ctrl-C",
        "With the token from before, unless another one is given. Ctrl-C ends it with status 0.",
    )
    parser.add_argument("deployment", metavar="DEPLOYMENT")
    _address(parser)

    parser = _command(
        commands, "rollback", "deploy:rollback", "send everything to the base model again",
        "Takes effect at the next request, wherever the deployment is served.",
    )  # fmt: skip
    parser.add_argument("deployment", metavar="DEPLOYMENT")

    parser = _command(
        commands, "outcome", "deploy:outcome", "what the arms of a deployment are worth"
    )
    parser.add_argument("deployment", metavar="DEPLOYMENT")


def _working(commands: Commands[argparse.ArgumentParser]) -> None:
    _command(
        commands,
        "worker",
        "worker:work",
        "do the jobs that wait, until Ctrl-C",
        "The app starts one by itself. It may be killed at any moment: the next one goes on. "
        "One works on a SQLite store; on PostgreSQL there may be several.",
    )


def _keeping(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands,
        "connections",
        "connections:connections",
        "models that may be asked, by name",
        "Keys stay in the environment. A test ends with status 1 where a model does not answer.",
    )
    add_connection_options(parser)

    parser = _command(
        commands, "openapi", "openapi:openapi", "describe the REST API as an OpenAPI document"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write it there")

    parser = _command(commands, "datasets", "data:list_all", "list the datasets of the store")
    parser.add_argument("--search", default="")
    parser.add_argument("--sort", choices=("updated", "name", "records"), default="updated")

    parser = _command(
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

    parser = _command(
        commands, "script", "pipeline:script", "print the Python that does it all again"
    )
    _dataset(parser)

    parser = _command(
        commands,
        "reset",
        "pipeline:reset",
        "clear topics, targets, grader and dry runs",
        "Records, training runs and deployments stay.",
    )
    _dataset(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")

    parser = _command(commands, "delete", "data:delete", "delete a dataset for good")
    _dataset(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _port(text: str) -> int:
    """Read a port; what is none is refused before anything is made."""
    port = int(text)
    if not 0 <= port <= 65535:
        raise ValueError
    return port


def _dataset(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", metavar="ID")


def _despite(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--despite-no-go",
        action="store_true",
        help="train although the dry run says NO_GO",
    )


def _address(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=_port, default=0, help="default: a free one")
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
