"""Connections to models, by name, for everybody who uses the store."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from rft_widgets.errors import NotFound
from rft_widgets.model.connection import ConnectionTest, NamedConnection
from rft_widgets.store.clock import now_us
from rft_widgets.store.schema import connections

_c = connections.c


def save(connection: Connection, named: NamedConnection) -> None:
    """Save a connection; one of its name goes, and what that was seen to do."""
    remove(connection, named.name)
    connection.execute(
        connections.insert().values(
            name=named.name, data=msgspec.json.encode(named).decode(), updated_us=now_us()
        )
    )


def remove(connection: Connection, name: str) -> bool:
    """Forget a connection; whether there was one."""
    return bool(connection.execute(connections.delete().where(_c.name == name)).rowcount)


def read(connection: Connection, name: str) -> NamedConnection:
    """The connection of a name; `NotFound` if there is none."""
    text = connection.execute(sa.select(_c.data).where(_c.name == name)).scalar_one_or_none()
    if text is None:
        known = ", ".join(repr(one.name) for one in read_all(connection)) or "none"
        raise NotFound(
            f"There is no model connection {name!r}.",
            hint=f"Add it with Workspace.add_connection. There are: {known}.",
        )
    return msgspec.json.decode(text, type=NamedConnection)


def read_all(connection: Connection) -> tuple[NamedConnection, ...]:
    """Every connection, by name."""
    texts = connection.execute(sa.select(_c.data).order_by(_c.name)).scalars()
    return tuple(msgspec.json.decode(text, type=NamedConnection) for text in texts)


def keep_test(connection: Connection, name: str, test: ConnectionTest) -> None:
    """Keep what a connection was seen to do."""
    text = msgspec.json.encode(test).decode()
    connection.execute(connections.update().where(_c.name == name).values(test=text))


def tests(connection: Connection) -> dict[str, ConnectionTest]:
    """What each connection that was tried was last seen to do."""
    rows = connection.execute(sa.select(_c.name, _c.test).where(_c.test.is_not(None)))
    return {row.name: msgspec.json.decode(row.test, type=ConnectionTest) for row in rows}
