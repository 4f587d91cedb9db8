"""What asking models came to."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from rft_widgets.model.llm import CallTotals, Purpose, total_of
from rft_widgets.server.rest.routing import Id, Routes
from rft_widgets.workspace import Workspace

routes = Routes("costs")


class Costs(Struct, frozen=True, kw_only=True):
    """Calls, tokens and price in millionths of a dollar: in all, and by what was asked for."""

    total: CallTotals
    by_purpose: dict[str, CallTotals]


def _costs(found: Mapping[Purpose, CallTotals]) -> Costs:
    return Costs(
        total=total_of(found.values()),
        by_purpose={str(purpose): one for purpose, one in found.items()},
    )


@routes.add("GET", "/datasets/{dataset_id}/costs")
def get_dataset_costs(ws: Workspace, dataset_id: Id) -> Costs:
    """What asking models for a dataset came to."""
    return _costs(ws.dataset(dataset_id).costs)


@routes.add("GET", "/jobs/{job_id}/costs")
def get_job_costs(ws: Workspace, job_id: Id) -> Costs:
    """What asking models for a job came to, in all its attempts."""
    return _costs(ws.job(job_id).costs)
