"""The app as its users run it: a server process, its worker, and the address that it prints."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from .server import free_port

_RFT = str(Path(sys.executable).parent / "rft-widgets")
_START_S = 60.0


class RunningApp(NamedTuple):
    """A server of the app; ``address`` has the token in it, ``base`` ends with a slash."""

    pid: int
    address: str
    base: str
    database: Path


@contextlib.contextmanager
def running_app(
    database: Path, *options: str, environment: Mapping[str, str] | None = None
) -> Iterator[RunningApp]:
    """Run the app on a store until the block ends; its worker ends with it."""
    log = database.with_suffix(".app.log")
    command = [_RFT, "app", "--no-browser", f"--port={free_port()}", f"--database={database}"]
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, *options],
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
        )
    try:
        address = _printed_address(process, log)
        base = address.partition("?")[0].removesuffix("optimization")
        yield RunningApp(process.pid, address, base, database)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _printed_address(process: subprocess.Popen[bytes], log: Path) -> str:
    until = time.monotonic() + _START_S
    while time.monotonic() < until and process.poll() is None:
        found = re.search(r"http://127\.0\.0\.1:\d+/\S*", log.read_text())
        if found:
            return found.group()
        time.sleep(0.1)
    raise RuntimeError(f"the app did not start:\n{log.read_text()[-3000:]}")
