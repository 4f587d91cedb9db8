"""The scripted stand-in beside the demo: what asks a model can be tried without one."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from rft_widgets.errors import NotFound
from rft_widgets.model.connection import NamedConnection
from rft_widgets.model.llm import STAND_IN
from rft_widgets.testing.embeddings import EMBEDDING_STAND_IN
from rft_widgets.testing.openai_server import HOST
from rft_widgets.testing.process import server_process
from rft_widgets.workspace import Workspace

NAME: Final = "stand-in"
"""Name of the connection."""

LATENCY_MS: Final = 60.0
"""Of each answer: long enough to see that work goes on, too short to wait for."""

CONCURRENCY: Final = 16


@contextlib.contextmanager
def beside(workspace: Workspace) -> Iterator[NamedConnection]:
    """Run the stand-in while the block runs, and no longer than this process.

    The store knows it by its name from then on. It comes back at the same address if it can, so
    that what was answered once is known.

    Parameters
    ----------
    workspace
        The store that it is made known to; it may be closed within the block.
    """
    with server_process(port=_last_port(workspace), latency_ms=LATENCY_MS) as server:
        yield workspace.add_connection(
            NAME,
            server.base_url,
            STAND_IN,
            embedding_model=EMBEDDING_STAND_IN,
            concurrency=CONCURRENCY,
            input_usd_per_million=0,
            output_usd_per_million=0,
        )


def about(named: NamedConnection) -> str:
    """What people have to know about it."""
    return (
        f"The connection {named.name!r} is a scripted stand-in, not a model: what it judges,\n"
        "names and writes follows from simple rules. It answers at\n"
        f"{named.connection.base_url} and ends with this command."
    )


def _last_port(workspace: Workspace) -> int:
    """The port that it had, if it is free; 0 otherwise."""
    try:
        port = urlsplit(workspace.connection(NAME).connection.base_url).port
    except NotFound:
        return 0
    try:
        with socket.create_server((HOST, port or 0)):
            return port or 0
    except OSError:
        return 0
