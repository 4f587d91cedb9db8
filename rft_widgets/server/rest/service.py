"""The service itself: whether it works, and what it can do."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from rft_widgets import __version__
from rft_widgets.jobs.running import left_to_worker
from rft_widgets.server.rest.routing import Routes
from rft_widgets.workspace import Workspace

routes = Routes("service")


class ServiceHealth(Struct, frozen=True, kw_only=True):
    """How the service stands.

    ``jobs`` says who does long work: a worker process, or the server's own threads. ``at_work``
    counts the jobs that run or wait for their turn.
    """

    version: str
    jobs: Literal["worker", "inline"]
    at_work: int


@routes.add("GET", "/health")
def get_service_health(ws: Workspace) -> ServiceHealth:
    """Whether the service and its store work."""
    at_work = len(ws.jobs("queued")) + len(ws.jobs("running"))
    return ServiceHealth(
        version=__version__, jobs="worker" if left_to_worker() else "inline", at_work=at_work
    )


@routes.add("GET", "/openapi.json")
def get_openapi(ws: Workspace) -> dict[str, Any]:
    """Every call, what it takes and what it gives: the OpenAPI document."""
    from rft_widgets.server.rest.document import openapi  # noqa: PLC0415 - it describes this table

    del ws
    return openapi()
