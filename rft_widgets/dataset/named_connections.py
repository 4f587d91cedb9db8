"""The connections to models of a store: named, saved, removed."""

from __future__ import annotations

import math
import re

import msgspec

from rft_widgets.dataset.model_choices import connection_views
from rft_widgets.errors import InvalidArgument, NotFound
from rft_widgets.llm.allowed import allowed_from_page
from rft_widgets.llm.discovery import examine
from rft_widgets.model.connection import ConnectionTest, ConnectionView, NamedConnection
from rft_widgets.model.connection_settings import CONNECTION
from rft_widgets.model.llm import ModelConnection
from rft_widgets.store import connections
from rft_widgets.store.connection import Store
from rft_widgets.web import checked_base_url

_MILLION = 1_000_000


class HasNamedConnections:
    """Connections to language models, for everything in a store that asks one."""

    _store: Store

    @property
    def connections(self) -> tuple[NamedConnection, ...]:
        """Every connection, by name."""
        with self._store.read() as connection:
            return connections.read_all(connection)

    def connection(self, name: str) -> NamedConnection:
        """The connection of a name; `NotFound` if there is none."""
        with self._store.read() as connection:
            return connections.read(connection, name)

    def add_connection(
        self,
        name: str,
        base_url: str,
        model: str,
        *,
        api_key_env: str | None = None,
        embedding_model: str | None = None,
        concurrency: int = CONNECTION.concurrency,
        requests_per_minute: int | None = None,
        input_usd_per_million: float | None = None,
        output_usd_per_million: float | None = None,
        timeout_s: float = CONNECTION.timeout_s,
        structured: bool = True,
    ) -> NamedConnection:
        """Save a connection to a model; one of the same name is exchanged.

        Nothing is asked: `test_connection` does that.

        Parameters
        ----------
        name
            What it is called from now on, wherever a model can be chosen.
        base_url
            Of any service that speaks the OpenAI protocol, up to ``/v1``: https, or http on this
            machine.
        model
            The model that is asked there, as its service calls it.
        api_key_env
            *Name* of the environment variable that holds the key, never the key; ``None`` for a
            service that wants none. It is read when the model is asked.
        embedding_model
            The model that embeds texts there.
        concurrency, requests_per_minute
            Most requests at a time, and a minute.
        input_usd_per_million, output_usd_per_million
            Price of a million tokens in dollars, where the catalogue knows none or another.
        timeout_s
            Longest wait for one call.
        structured
            Whether the service takes a response schema.

        Raises
        ------
        InvalidArgument
            Says what of it cannot be.
        """
        values = {
            "name": name,
            "connection": {
                "base_url": base_url,
                "api_key_env": api_key_env,
                "timeout_s": timeout_s,
                "structured": structured,
            },
            "model": model.strip(),
            "embedding_model": embedding_model,
            "concurrency": concurrency,
            "requests_per_minute": requests_per_minute,
            "input_price": _micro_usd(input_usd_per_million),
            "output_price": _micro_usd(output_usd_per_million),
        }
        try:
            named = msgspec.convert(values, NamedConnection)
        except msgspec.ValidationError as error:
            raise InvalidArgument(
                f"This connection cannot be: {error}.", hint="Mend the value that it names."
            ) from None
        return self.save_connection(named)

    @property
    def connection_views(self) -> tuple[ConnectionView, ...]:
        """Every connection with what is known of it: what is missing, price, end, last test."""
        return connection_views(self._store)

    def save_connection(self, named: NamedConnection) -> NamedConnection:
        """Save a connection as it is; see `add_connection`."""
        name = named.name.strip()
        if not name:
            raise InvalidArgument("A connection needs a name.", hint="Give it one.")
        checked = checked_connection(named.connection)
        named = msgspec.structs.replace(named, name=name, connection=checked)
        with self._store.write(durable=True) as connection:
            connections.save(connection, named)
        return named

    def save_from_page(self, named: NamedConnection) -> NamedConnection:
        """Save a connection that a page or a client of the API asks for, if it may be one.

        A key goes only where it was bound to outside of a page; see `allowed_from_page`.

        Raises
        ------
        InvalidArgument
            It is not allowed, with how to allow it.
        """
        checked_connection(named.connection)  # before anything of it is said
        allowed_from_page(named.connection, bound_connections(self._store))
        return self.save_connection(named)

    def remove_connection(self, name: str) -> None:
        """Forget a connection. Graders and jobs that name it can ask nothing any more.

        Raises
        ------
        NotFound
            There is none of that name.
        """
        with self._store.write(durable=True) as connection:
            if not connections.remove(connection, name):
                raise NotFound(f"There is no model connection {name!r}.")

    def test_connection(self, name: str) -> ConnectionTest:
        """Ask a connection whether its model answers, how fast, and what it can do.

        A few small requests, each a real one that its service may want some money for; a model that
        is gone is not asked. What was found is kept, see `connection_tests`.

        Raises
        ------
        NotFound
            There is none of that name. A model that does not answer is no error: the test says it.
        """
        named = self.connection(name)
        found = examine(named)
        with self._store.write() as connection:
            if named in connections.read_all(connection):  # else it was exchanged meanwhile
                connections.keep_test(connection, name, found)
        return found

    @property
    def connection_tests(self) -> dict[str, ConnectionTest]:
        """What each connection was seen to do when it was last tested, by name."""
        with self._store.read() as connection:
            return connections.tests(connection)


def bound_connections(store: Store) -> tuple[ModelConnection, ...]:
    """Where keys may go because a connection that is saved says so."""
    with store.read() as connection:
        return tuple(one.connection for one in connections.read_all(connection))


def checked_connection(connection: ModelConnection) -> ModelConnection:
    """Give back a connection that can be saved; the text of an error repeats no key.

    Raises
    ------
    InvalidArgument
        Its address is none that a key may be sent to, or what should name a variable does not.
    """
    key_from = connection.api_key_env
    if key_from is not None and not re.fullmatch(CONNECTION.key_name, key_from):
        raise InvalidArgument(
            "What should name the variable that holds the key is no name of one.",
            hint="Names have capital letters, digits and underscores, such as JUDGE_API_KEY. "
            "The key itself is never written here: set it where the kernel starts.",
        )
    if not 0 < connection.timeout_s <= CONNECTION.most_timeout_s:
        raise InvalidArgument(
            f"A timeout of {connection.timeout_s:g} s cannot be.",
            hint=f"Use more than 0 and at most {CONNECTION.most_timeout_s:g} seconds.",
        )
    return msgspec.structs.replace(connection, base_url=checked_base_url(connection.base_url))


def _micro_usd(usd: float | None) -> int | None:
    if usd is not None and not math.isfinite(usd):
        raise InvalidArgument(f"{usd} is no price.", hint="Pass dollars for a million tokens.")
    return None if usd is None else round(usd * _MILLION)
