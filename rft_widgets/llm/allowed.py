"""Where a page may let a model be asked: what it says may come from anybody who reached it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TypeVar
from urllib.parse import urlsplit

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.grader_version import JudgedAt
from rft_widgets.model.llm import ModelConnection
from rft_widgets.web import checked_base_url, is_loopback

CONNECTIONS_VARIABLE = "RFT_WIDGETS_CONNECTIONS"
"""Environment variable in which an operator allows connections, such as
``https://judge.example.com/v1=JUDGE_API_KEY``; several by spaces, ``=`` alone for no key."""

_KNOWN = (ModelConnection(base_url="https://api.openai.com/v1", api_key_env="OPENAI_API_KEY"),)


At = TypeVar("At", bound=JudgedAt)


def allowed_from_page(connection: At, saved: Iterable[JudgedAt] = ()) -> At:
    """Give back a connection that a page asked for.

    A page names an address and the variable that holds its key. Taken at its word, it could have
    any secret of this process, and any record, sent anywhere. So a key goes only to the origin that
    it was bound to outside of a page, and records leave this machine only for such an origin.

    Parameters
    ----------
    connection
        What the page asked for. A name of a connection of the workspace passes: that was checked
        when it was saved.
    saved
        Connections that were made outside of a page; names among them bind nothing.

    Raises
    ------
    InvalidArgument
        It is not allowed, with how to allow it.
    """
    if not isinstance(connection, ModelConnection):
        return connection
    base_url = checked_base_url(connection.base_url)
    bound = {
        (_origin(one.base_url), one.api_key_env)
        for one in (*_KNOWN, *saved, *_operators())
        if isinstance(one, ModelConnection)
    }
    if (_origin(base_url), connection.api_key_env) in bound:
        return connection
    if connection.api_key_env is None and is_loopback(urlsplit(base_url).hostname or ""):
        return connection
    key = f" with the key in {connection.api_key_env}" if connection.api_key_env else ""
    raise InvalidArgument(
        f"{base_url}{key} was not allowed for pages.",
        hint=f"Set {CONNECTIONS_VARIABLE}='{base_url}={connection.api_key_env or ''}' where the "
        "kernel starts, or save the connection from Python: ws.add_connection(...).",
    )


def _operators() -> list[ModelConnection]:
    found = []
    for entry in os.environ.get(CONNECTIONS_VARIABLE, "").split():
        base_url, _, key = entry.rpartition("=")
        if base_url:
            found.append(ModelConnection(base_url=base_url, api_key_env=key or None))
    return found


def _origin(base_url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(base_url)
    default = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").casefold(), parts.port or default
