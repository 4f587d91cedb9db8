"""A call of the protocol, and the lists that it gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from msgspec import Struct

from rft_widgets.testing.faults import error_response
from rft_widgets.testing.wire import HttpRequest, HttpResponse, json_response

_MAX_PAGE = 100


class Call(Struct, frozen=True, kw_only=True):
    """A request: ``path`` are the parts of its path after ``/v1``, ``body`` its JSON, if any."""

    method: str
    path: tuple[str, ...]
    body: Any
    request: HttpRequest

    def query(self, name: str) -> str | None:
        """A parameter of the address."""
        return self.request.query.get(name)

    @property
    def given(self) -> dict[str, Any]:
        """The body, where it is an object."""
        return self.body if isinstance(self.body, dict) else {}


Part: TypeAlias = Callable[[Call], HttpResponse | None]
"""A part of the service: answers its own calls, gives ``None`` for others."""


def page(call: Call, values: Iterable[dict[str, Any]], *, default: int = 20) -> HttpResponse:
    """The page of a list that a call wants, by its ``after`` and ``limit``."""
    found: Sequence[dict[str, Any]] = list(values)
    after, limit = call.query("after"), call.query("limit")
    if after is not None:
        place = next((i for i, one in enumerate(found) if one["id"] == after), None)
        if place is None:
            return error_response(404, f"No such object: {after}")
        found = found[place + 1 :]
    size = int(limit) if limit and limit.isdigit() else default
    shown = found[: max(1, min(size, _MAX_PAGE))]
    return json_response(
        {
            "object": "list",
            "data": shown,
            "first_id": shown[0]["id"] if shown else None,
            "last_id": shown[-1]["id"] if shown else None,
            "has_more": len(shown) < len(found),
        }
    )


def missing(what: str, name: str) -> HttpResponse:
    """The answer where there is no such object."""
    return error_response(404, f"No such {what}: {name}")
