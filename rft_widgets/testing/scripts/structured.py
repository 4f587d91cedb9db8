"""An answer that fits whatever schema is asked for."""

from __future__ import annotations

from rft_widgets.testing.chat import ChatRequest, Said
from rft_widgets.testing.schema_values import fitting


def structured(request: ChatRequest) -> Said:
    """A value that fits the schema."""
    if request.schema is not None:
        made: Said = fitting(request)
        return made
    return {"answer": request.question[:200]} if request.wants_json else None
