"""OpenAI Responses: a response beside its request, or beside the list of its input items."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rft_widgets.traces.bodies import body, read_exchange
from rft_widgets.traces.exchange import guarded, text_or_none, to_readings
from rft_widgets.traces.reader import Document, Reading

NAME = "openai_responses"


def matches(value: Any) -> bool:
    """Whether a value is a response, holds one, or lists them."""
    if not isinstance(value, Mapping):
        return False
    if _is_response(value) or _is_response(value.get("response")):
        return True
    listed = value.get("data")
    return isinstance(listed, list) and bool(listed) and _is_response(listed[0])


def read(documents: Iterable[Document]) -> Iterator[Reading]:
    """Traces of responses; a response without its input is a loss."""
    for location, value in documents:
        listed = value.get("data") if isinstance(value, Mapping) else None
        if isinstance(listed, list) and not _is_response(value):
            for i, each in enumerate(listed):
                yield from _read_one(f"{location}, item {i}", each)
        else:
            yield from _read_one(location, value)


def _is_response(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("object") == "response"


def _read_one(location: str, value: Any) -> Iterator[Reading]:
    holder: Mapping[str, Any] = value if isinstance(value, Mapping) else {}
    response = value if _is_response(value) else holder.get("response")
    given = response.get("id") if isinstance(response, Mapping) else None

    def readings() -> Iterator[Reading]:
        request = body(holder.get("request"))
        beside = {key: holder[key] for key in ("input", "input_items") if key in holder}
        if beside:
            request = (request or {}) | beside
        exchange = read_exchange(request, response)
        yield from to_readings(exchange, format=NAME, location=location)

    yield from guarded(location, readings, text_or_none(given))
