"""Where models are asked, as a page shows it."""

from __future__ import annotations

from msgspec import Struct


class ConnectionState(Struct, frozen=True, kw_only=True):
    """A model that something of a dataset asks, and whether it can be asked from here.

    Attributes
    ----------
    used_by
        What asks it, such as ``Grader``.
    base_url
        ``None`` where that is not configured.
    key_from
        *Name* of the environment variable that holds the key, ``None`` where none is wanted. The
        key itself is never read here.
    missing
        What is not there yet, in words; empty when the connection is configured.
    """

    used_by: str
    model: str
    base_url: str | None
    key_from: str | None
    missing: str
