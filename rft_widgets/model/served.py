"""How a deployment is served, as a value."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

ServedStatus = Literal["served", "starting", "not_served"]


class ServedState(Struct, frozen=True, kw_only=True):
    """Whether a deployment answers, where, and if not, why not.

    Attributes
    ----------
    status
        ``starting`` while somebody is about to serve it, or nobody has taken that up yet.
    base_url
        What OpenAI clients are given; ``None`` unless it is served.
    said
        Why it is not served, what it waits for, what answers, or that it answers at another
        address than before.
    by_worker
        Whether the worker serves it (or is to); else this process does, or nobody.
    """

    status: ServedStatus
    base_url: str | None = None
    said: str = ""
    by_worker: bool = False
