"""What ``rft-widgets connections`` takes."""

from __future__ import annotations

import argparse


def add_connection_options(parser: argparse.ArgumentParser) -> None:
    """Add its four actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _action(actions, "list", "every connection, its price, its end, its last test")

    add = _action(actions, "add", "save a connection; one of the same name is exchanged")
    add.add_argument("name", help="what it is called from now on")
    add.add_argument("base_url", help="of its service, up to /v1")
    add.add_argument("model", help="as its service calls it")
    add.add_argument(
        "--api-key-env",
        metavar="NAME",
        help="environment variable with the key, never the key itself (default: none is wanted)",
    )
    add.add_argument("--embedding-model", metavar="M", help="the model that embeds texts there")
    add.add_argument("--concurrency", type=int, default=8, metavar="N", help="requests at a time")
    add.add_argument("--requests-per-minute", type=int, metavar="N")
    for side in ("input", "output"):
        add.add_argument(
            f"--{side}-usd-per-million",
            type=float,
            metavar="USD",
            help=f"price of a million {side} tokens, where the catalogue knows none or another",
        )
    add.add_argument("--timeout", type=float, default=60.0, metavar="S", help="of one call")
    add.add_argument(
        "--no-schema", action="store_true", help="the service takes no response schema"
    )

    test = _action(actions, "test", "ask the model, and find out what it can do")
    test.add_argument("name", nargs="?", help="of the connection (default: all of them)")

    remove = _action(actions, "remove", "forget a connection")
    remove.add_argument("name")


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    about: str,
) -> argparse.ArgumentParser:
    parser = actions.add_parser(
        name, help=about, description=f"{about[0].upper()}{about[1:]}.", allow_abbrev=False
    )
    # Also behind the action; what stands before it counts otherwise.
    parser.add_argument("--database", metavar="URL", default=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS)
    return parser
