"""Connections to models: what may be asked, and whether it answers. Keys go neither way."""

from __future__ import annotations

import msgspec

from rft_widgets.model.connection import (
    ConnectionName,
    ConnectionSettings,
    ConnectionTest,
    ConnectionView,
    NamedConnection,
)
from rft_widgets.server.rest.routing import BadRequest, Id, Routes
from rft_widgets.workspace import Workspace

routes = Routes("connections")


@routes.add("GET", "/connections")
def list_connections(ws: Workspace) -> tuple[ConnectionView, ...]:
    """Named connections to models, with what is known of each: price, end, last test."""
    return ws.connection_views


@routes.add("PUT", "/connections/{name}")
def save_connection(ws: Workspace, name: Id, body: ConnectionSettings) -> NamedConnection:
    """Save a connection under a name, in place of one that has it.

    ``api_key_env`` names the environment variable of the server that holds the key. A key goes only
    where the operator, or somebody with Python, has bound it to.
    """
    try:
        msgspec.convert(name, ConnectionName)
    except msgspec.ValidationError as error:
        raise BadRequest(f"path.name: {error}.") from None
    return ws.save_from_page(NamedConnection(name=name, **msgspec.structs.asdict(body)))


@routes.add("DELETE", "/connections/{name}")
def remove_connection(ws: Workspace, name: Id) -> None:
    """Forget a connection."""
    ws.remove_connection(name)


@routes.add("POST", "/connections/{name}/test")
def test_connection(ws: Workspace, name: Id) -> ConnectionTest:
    """Ask a connection whether its model answers, how fast, and what it can do."""
    return ws.test_connection(name)
