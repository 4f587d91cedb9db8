"""The REST API: one table of calls, from which checks, answers and the OpenAPI document come."""

from __future__ import annotations

from rft_widgets.server.rest.document import openapi
from rft_widgets.server.rest.table import ROUTES

__all__ = ["ROUTES", "openapi"]
