"""Every call, in the order of the document."""

from __future__ import annotations

from rft_widgets.server.rest import (
    checkpoints,
    connections,
    costs,
    creation,
    datasets,
    deployments,
    generation,
    grading,
    jobs,
    labels,
    records,
    service,
    topics,
    training,
    uploads,
)
from rft_widgets.server.rest.routing import Route

ROUTES: tuple[Route, ...] = (
    *creation.routes.found,
    *datasets.routes.found,
    *records.routes.found,
    *topics.routes.found,
    *grading.coverage_routes.found,
    *generation.routes.found,
    *grading.grader_routes.found,
    *labels.routes.found,
    *grading.dry_run_routes.found,
    *training.routes.found,
    *checkpoints.routes.found,
    *deployments.routes.found,
    *connections.routes.found,
    *costs.routes.found,
    *jobs.routes.found,
    *uploads.routes.found,
    *service.routes.found,
)
"""A path without names comes before one that it fits."""
