"""Models of the stand-in server: their names, and when they end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from rft_widgets.model.llm import STAND_IN
from rft_widgets.testing.calls import Call
from rft_widgets.testing.chat import CREATED
from rft_widgets.testing.embeddings import EMBEDDING_STAND_IN
from rft_widgets.testing.faults import error_response
from rft_widgets.testing.wire import HttpResponse, json_response

OWNER: Final = "scripted stand-in, not a model"


class Models:
    """The models there are; a part of the service.

    Parameters
    ----------
    known
        Names, and the day of their end. ``None``: any name is answered, as the stand-in.
    tuned
        Gives the names of those that were tuned here.
    """

    def __init__(
        self, known: Mapping[str, str | None] | None, tuned: Callable[[], set[str]]
    ) -> None:
        self._known, self._tuned = known, tuned

    def __call__(self, call: Call) -> HttpResponse | None:
        """Answer what is asked of models."""
        match call.method, call.path:
            case "GET", ("models",):
                data = [_about(name, ends) for name, ends in self._listed().items()]
                return json_response({"object": "list", "data": data})
            case "GET", ("models", *parts):
                name = "/".join(parts)
                listed = self._listed()
                if name in listed:
                    return json_response(_about(name, listed[name]))
                return _unknown(name)
        return None

    def answering(self, body: dict[str, Any]) -> str | HttpResponse:
        """The model that answers a request, or why none does."""
        name = body.get("model")
        if not isinstance(name, str) or not name:
            return error_response(400, "you must provide a model parameter")
        if name in self._tuned():
            return name
        if self._known is None:
            return EMBEDDING_STAND_IN if "input" in body else STAND_IN
        if name not in self._known:
            return _unknown(name)
        ends = self._known[name]
        if ends and ends <= datetime.now(UTC).date().isoformat():
            text = f"The model `{name}` was shut down on {ends}."
            return error_response(404, text, code="model_not_found")
        return name

    def _listed(self) -> dict[str, str | None]:
        default = {STAND_IN: None, EMBEDDING_STAND_IN: None}
        known = default if self._known is None else self._known
        return dict(known) | dict.fromkeys(sorted(self._tuned()))


def _about(name: str, ends: str | None) -> dict[str, Any]:
    about = {"id": name, "object": "model", "created": CREATED, "owned_by": OWNER}
    return about | ({"shutdown_date": ends} if ends else {})


def _unknown(name: str) -> HttpResponse:
    text = f"The model `{name}` does not exist or you do not have access to it."
    return error_response(404, text, code="model_not_found")
