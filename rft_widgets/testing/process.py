"""The stand-in server as a process of its own, which ends with the one that started it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from rft_widgets.errors import RftError
from rft_widgets.testing.request_log import LoggedRequest, read_log

_STOP_S = 5.0


class ServerProcess(Struct, frozen=True, kw_only=True):
    """A server that runs elsewhere."""

    base_url: str
    pid: int
    log: Path | None

    @property
    def requests(self) -> list[LoggedRequest]:
        """Every request so far, if there is a log."""
        return read_log(self.log) if self.log else []

    @property
    def paid(self) -> list[LoggedRequest]:
        """Those that a service would want money for."""
        return [one for one in self.requests if one.paid]


class _Hello(Struct):
    base_url: str
    pid: int


@contextlib.contextmanager
def server_process(
    *,
    port: int = 0,
    latency_ms: float = 0.0,
    seed: int = 0,
    faults: Mapping[str, float] | None = None,
    retry_after_s: float = 1.0,
    models: Mapping[str, str | None] | None = None,
    key_env: str | None = None,
    log: str | Path | None = None,
    dialect: str = "openai",
) -> Iterator[ServerProcess]:
    """Run a server while the block runs, and no longer than this process.

    Parameters are those of `rft_widgets.testing.openai_server.OpenAIServer`; ``key_env`` names the
    environment variable with the key that must come.

    Raises
    ------
    RftError
        It did not start.
    """
    command = [
        sys.executable, "-m", "rft_widgets.testing.openai_server", "--with-parent",
        f"--port={port}", f"--latency-ms={latency_ms}", f"--seed={seed}",
        f"--retry-after-s={retry_after_s}",
        f"--faults={msgspec.json.encode(dict(faults or {})).decode()}",
        f"--models={msgspec.json.encode(models).decode()}", f"--dialect={dialect}",
    ]  # fmt: skip
    command += [f"--key-env={key_env}"] if key_env else []
    command += [f"--log={log}"] if log else []
    # Its input is a pipe of which nothing ever comes: it ends when this process does.
    with subprocess.Popen(  # noqa: S603 - our own module
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - a pipe, for the type checker
            line = process.stdout.readline()
            if not line:
                raise RftError("The stand-in server did not start.")
            hello = msgspec.json.decode(line, type=_Hello)
            yield ServerProcess(
                base_url=hello.base_url, pid=hello.pid, log=Path(log) if log else None
            )
        finally:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
