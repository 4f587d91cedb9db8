"""Calls of a page about the connections to models of a workspace. None takes or gives a key."""

from __future__ import annotations

from rft_widgets.model.connection import (
    ConnectionName,
    ConnectionTest,
    ConnectionView,
    NamedConnection,
)
from rft_widgets.widgets import rpc
from rft_widgets.workspace import Workspace


class AnswersConnections(rpc.Answers):
    """A widget through which a page sees, saves, tests and removes connections."""

    _workspace: Workspace

    @rpc.method(background=True)
    def connections(self) -> tuple[ConnectionView, ...]:
        """Every connection, by name."""
        return self._workspace.connection_views

    @rpc.method(background=True)
    def save_connection(self, named: NamedConnection) -> None:
        """Save a connection that a page may make, in place of one of its name."""
        self._workspace.save_from_page(named)

    @rpc.method(background=True)
    def remove_connection(self, name: ConnectionName) -> None:
        """Forget a connection."""
        self._workspace.remove_connection(name)

    @rpc.method(background=True)
    def test_connection(self, name: ConnectionName) -> ConnectionTest:
        """Ask a connection whether its model answers, and what it can do."""
        return self._workspace.test_connection(name)
