"""The command line: the same calls as in a notebook, for scripts and terminals."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Final

from rft_widgets.cli.output import NO_GO, NoGo
from rft_widgets.cli.parser import make_parser
from rft_widgets.errors import ImportInterrupted, RftError, RunInterrupted

STOPPED: Final = 130
"""Exit status of what Ctrl-C ended."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    0 done, 1 refused or failed, in words, 2 wrong usage, 3 the dry run says NO_GO, 130 stopped with
    Ctrl-C.
    """
    options = make_parser().parse_args(arguments)
    try:
        # Only what the command needs is loaded, so that asking for help is quick.
        module = importlib.import_module(f"rft_widgets.cli.{options.module}")
        status = getattr(module, options.function)(options)
    except (ImportInterrupted, RunInterrupted) as error:
        print(f"rft-widgets: {error}", file=sys.stderr)
        return STOPPED
    except RftError as error:
        print(f"rft-widgets: {error}", file=sys.stderr)
        return NO_GO if isinstance(error, NoGo) else 1
    except BrokenPipeError:
        # Whoever read us has seen enough; the flush at exit must not complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        print("rft-widgets: stopped", file=sys.stderr)
        return STOPPED
    return int(status or 0)
