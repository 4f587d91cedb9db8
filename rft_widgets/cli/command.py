"""One command of the command line, and what several of them take."""

from __future__ import annotations

import argparse

Commands = argparse._SubParsersAction  # noqa: SLF001 - argparse has no public name for it


def add_command(
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


def port(text: str) -> int:
    """Read a port; what is none is refused before anything is made."""
    number = int(text)
    if not 0 <= number <= 65535:
        raise ValueError
    return number


def add_dataset(parser: argparse.ArgumentParser) -> None:
    """Say which dataset it is about."""
    parser.add_argument("dataset", metavar="ID")


def add_spending(parser: argparse.ArgumentParser) -> None:
    """Say what asking models may cost."""
    parser.add_argument("--max-cost", type=float, metavar="USD", help="most dollars to spend")
    parser.add_argument(
        "--estimate", action="store_true", help="only say what models would be asked, and its price"
    )
