"""Inserting many rows at the speed of the driver."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Dialect


def insert_rows(connection: Connection, table: sa.Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows that hold a value for every column, in the table's order.

    The statement is SQLAlchemy's; the rows go to the driver as they are. The usual way builds a
    dictionary a row and takes it apart again, which costs as much as the insert itself.
    """
    if rows:
        connection.exec_driver_sql(_statement(table, connection.dialect.name), list(rows))


@functools.cache
def _statement(table: sa.Table, dialect: str) -> str:
    positional: Dialect = (
        sqlite.dialect(paramstyle="qmark")
        if dialect == "sqlite"
        else postgresql.dialect(paramstyle="format")
    )
    compiled = table.insert().compile(dialect=positional)
    assert compiled.positiontup == [c.name for c in table.c]  # type: ignore[attr-defined]  # noqa: S101
    return str(compiled)
