"""The command line: the same calls as in a notebook, for scripts and terminals."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from rft_widgets.cli import data, demo, traces
from rft_widgets.errors import RftError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done, 1 refused in words, 2 wrong usage."""
    parser = argparse.ArgumentParser(
        prog="rft-widgets",
        description="Turn the traffic of an LLM application into a better model.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (demo, data, traces):
        module.add_commands(commands)
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except RftError as error:
        print(f"rft-widgets: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read us has seen enough; the flush at exit must not complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        print("rft-widgets: stopped", file=sys.stderr)
        return 130
    return 0
