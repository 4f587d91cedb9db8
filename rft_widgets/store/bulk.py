"""Inserting many rows at the speed of the driver."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

FEW = 500
"""Values in one IN list: few enough for any database, many enough to be worth a query."""


def insert_rows(connection: Connection, table: sa.Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows that hold a value for every column, in the table's order.

    The statement is SQLAlchemy's; the rows go to the driver as they are. The usual way builds a
    dictionary a row and takes it apart again, which costs as much as the insert itself.
    """
    if rows:
        connection.exec_driver_sql(_statement(table, connection.dialect.name), list(rows))


@functools.cache
def _statement(table: sa.Table, dialect: str) -> str:
    # The same statement with places instead of names, in the driver's own spelling.
    kind: Any = sqlite if dialect == "sqlite" else postgresql
    style = "qmark" if dialect == "sqlite" else "format"
    compiled = table.insert().compile(dialect=kind.dialect(paramstyle=style))
    return str(compiled)
