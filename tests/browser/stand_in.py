"""The stand-in server in a process of its own, and a connection to it in a workspace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import rft_widgets as rft
from rft_widgets.testing.process import ServerProcess, server_process

NAME = "stand-in"
"""What the connection is called."""


@contextmanager
def connected(
    workspace: rft.Workspace, log: Path, *, latency_ms: float = 0.0
) -> Iterator[ServerProcess]:
    """Run it while the block runs; requests come one after the other, at a known price."""
    with server_process(latency_ms=latency_ms, log=log) as running:
        workspace.add_connection(
            NAME,
            running.base_url,
            "scripted-stand-in",
            concurrency=1,
            input_usd_per_million=1,
            output_usd_per_million=4,
        )
        try:
            yield running
        finally:
            workspace.remove_connection(NAME)
