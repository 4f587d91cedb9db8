"""Chat completions that the stand-in server keeps because the client wanted so."""

from __future__ import annotations

from typing import Any

from rft_widgets.testing.calls import Call, missing, page
from rft_widgets.testing.wire import HttpResponse, json_response


class StoredCompletions:
    """The completions that were asked for with ``store``; a part of the service."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {}

    def keep(self, request: dict[str, Any], completion: dict[str, Any]) -> None:
        """Keep a completion with what it answers."""
        asked = {name: request.get(name) for name in _ASKED if name in request}
        about = completion | asked | {"metadata": request.get("metadata") or {}}
        messages = [
            {**one, "id": f"{completion['id']}-{i}"}
            for i, one in enumerate(request["messages"])
            if isinstance(one, dict)
        ]
        self._kept[completion["id"]] = (about, messages)

    def __call__(self, call: Call) -> HttpResponse | None:
        """Answer what is asked of them."""
        match call.method, call.path:
            case "GET", ("chat", "completions"):
                return page(call, self._found(call))
            case method, ("chat", "completions", identity, *rest):
                kept = self._kept.get(identity)
                if kept is None:
                    return missing("chat completion", identity)
                about, messages = kept
                if method == "GET" and rest == ["messages"]:
                    return page(call, messages)
                if method == "GET" and not rest:
                    return json_response(about)
                if method == "POST" and not rest:
                    about["metadata"] = call.given.get("metadata") or {}
                    return json_response(about)
                if method == "DELETE" and not rest:
                    del self._kept[identity]
                    kind = "chat.completion.deleted"
                    return json_response({"object": kind, "id": identity, "deleted": True})
        return None

    def _found(self, call: Call) -> list[dict[str, Any]]:
        """Those that a list wants; the oldest comes first unless it says otherwise."""
        wanted = {name[9:-1]: value for name, value in call.request.query.items()
                  if name.startswith("metadata[") and name.endswith("]")}  # fmt: skip
        model = call.query("model")
        found = [
            about
            for about, _ in self._kept.values()
            if model in (None, about["model"])
            and all(about["metadata"].get(name) == value for name, value in wanted.items())
        ]
        return found[::-1] if call.query("order") == "desc" else found


_ASKED = ("tools", "tool_choice", "response_format", "temperature", "top_p", "seed")
