"""The SQLite driver's own connection, for what SQLAlchemy has no words for."""

from __future__ import annotations

import sqlite3

from sqlalchemy.engine import Connection


def sqlite_connection(connection: Connection) -> sqlite3.Connection:
    """The driver's connection under one of SQLAlchemy, in the same transaction."""
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)  # noqa: S101 - tells the type checker
    return raw
