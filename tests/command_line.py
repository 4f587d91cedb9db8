"""The command line in this process: a start of Python for each command would take most of the time.

That it runs as a process of its own, with its signals and pipes, is tried in test_cli.py,
test_cli_processes.py and test_cli_serving.py.
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
from typing import Any

from rft_widgets.cli import main


def run(*arguments: object, check: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a command; it has to end with the status ``check``."""
    given = [str(one) for one in arguments]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main(given)
        except SystemExit as ended:  # argparse refuses what it does not know
            status = int(ended.code or 0)
    assert status == check, out.getvalue() + err.getvalue()
    return subprocess.CompletedProcess(given, status, out.getvalue(), err.getvalue())


def answer(*arguments: object) -> Any:
    """What a command prints with --json, which must be one JSON value and nothing else."""
    return json.loads(run(*arguments, "--json").stdout)
