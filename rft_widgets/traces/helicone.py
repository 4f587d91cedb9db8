"""Helicone: requests as its query API and its export give them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rft_widgets.model.trace import Score, Usage
from rft_widgets.traces.bodies import body, read_exchange
from rft_widgets.traces.exchange import (
    Exchange,
    LostCall,
    guarded,
    moment,
    number_or_none,
    text_or_none,
    to_readings,
    usage_of,
)
from rft_widgets.traces.reader import Document, Reading

NAME = "helicone"


def matches(value: Any) -> bool:
    """Whether a value is a request of Helicone, or a page of them."""
    if not isinstance(value, Mapping):
        return False
    listed = value.get("data")
    if isinstance(listed, list) and listed:
        return _is_request(listed[0])
    return _is_request(value)


def read(documents: Iterable[Document]) -> Iterator[Reading]:
    """Traces of requests; one whose bodies are kept elsewhere is a loss."""
    for location, value in documents:
        listed = value.get("data") if isinstance(value, Mapping) else None
        if isinstance(listed, list) and not _is_request(value):
            for i, each in enumerate(listed):
                yield from _read_one(f"{location}, item {i}", each)
        else:
            yield from _read_one(location, value)


def _is_request(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    if "request_body" in value and "response_body" in value:
        return True
    return "request_id" in value and ("signed_body_url" in value or "signed_body_content" in value)


def _read_one(location: str, value: Any) -> Iterator[Reading]:
    row: Mapping[str, Any] = value if isinstance(value, Mapping) else {}
    span_id = text_or_none(row.get("request_id"))

    def readings() -> Iterator[Reading]:
        if not row:
            raise LostCall("undecodable", "a request is no object")
        _check_status(row)
        request, response = _bodies(row)
        path = text_or_none(row.get("request_path")) or ""
        if request is None:
            raise LostCall("no_content", _why_missing(row))
        exchange = _with_gap(read_exchange(request, response, path=path), row, response)
        properties = _properties(row)
        known: dict[str, Any] = {
            "properties": properties,
            "user_id": text_or_none(row.get("request_user_id")),
        }
        yield from to_readings(
            exchange,
            format=NAME,
            location=location,
            span_id=span_id,
            thread_id=text_or_none(properties.get("Helicone-Session-Id")),
            started_at=moment(row.get("request_created_at")),
            latency_ms=number_or_none(row.get("delay_ms")),
            model=text_or_none(row.get("request_model")),
            response_model=text_or_none(row.get("response_model")),
            provider=_provider(row),
            usage=usage_of(response) or _counted(row),
            cost_usd=number_or_none(row.get("cost", row.get("costUSD"))),
            scores=_scores(row) or None,
            metadata={key: inner for key, inner in known.items() if inner},
        )

    yield from guarded(location, readings, span_id)


def _check_status(row: Mapping[str, Any]) -> None:
    status = row.get("response_status")
    if isinstance(status, int) and not isinstance(status, bool) and (status >= 400 or status < 0):
        reason = _NEVER_ANSWERED.get(status, f"the service answered {status}")
        answer = row.get("response_body")
        error = answer.get("error") if isinstance(answer, Mapping) else None
        said = error.get("message") if isinstance(error, Mapping) else error
        raise LostCall("failed_call", f"{reason}: {said}" if said else reason)


_NEVER_ANSWERED = {
    -1: "the call ran out of time",
    -2: "the call is still pending",
    -3: "the call was cancelled",
    -4: "the call was blocked as a threat",
}
"""What Helicone's own statuses mean."""


def _bodies(row: Mapping[str, Any]) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    kept = row.get("signed_body_content")
    fetched: Mapping[str, Any] = kept if isinstance(kept, Mapping) else {}
    request = _recorded(row.get("request_body")) or _recorded(fetched.get("request"))
    response = row.get("response_body")
    if isinstance(response, Mapping) and not _is_answer(response) and "streamed_data" in response:
        response = response["streamed_data"]
    answer = _recorded(response) or _recorded(fetched.get("response"))
    urls = row.get("asset_urls")
    if request is not None and isinstance(urls, Mapping) and urls:
        request = _with_assets(request, urls)
    return request, answer


def _recorded(value: Any) -> dict[str, Any] | None:
    found = body(value)
    # Helicone writes a remark where it has put a body elsewhere or left it out.
    return None if found is None or set(found) == {"helicone_message"} else found


def _is_answer(response: Mapping[str, Any]) -> bool:
    return any(key in response for key in ("choices", "content", "candidates", "output", "error"))


def _why_missing(row: Mapping[str, Any]) -> str:
    if row.get("signed_body_url"):
        return "its bodies are only at its signed_body_url; export them with their bodies"
    return "its request body was not recorded"


def _with_gap(exchange: Exchange, row: Mapping[str, Any], response: Any) -> Exchange:
    if response is None and row.get("signed_body_url"):
        return exchange.with_gap("no_content", "its response body is only at its signed_body_url")
    return exchange


_ASSET = re.compile(r'<helicone-asset-id key="([^"]+)"\s*/>')


def _with_assets(value: Any, urls: Mapping[str, Any]) -> Any:
    """Put the addresses of images where the body only names them."""
    if isinstance(value, str):
        named = _ASSET.fullmatch(value)
        url = urls.get(named.group(1)) if named else None
        return url if isinstance(url, str) else value
    if isinstance(value, dict):
        return {key: _with_assets(inner, urls) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_assets(inner, urls) for inner in value]
    return value


def _properties(row: Mapping[str, Any]) -> dict[str, Any]:
    found = row.get("request_properties") or row.get("properties")
    return dict(found) if isinstance(found, Mapping) else {}


def _provider(row: Mapping[str, Any]) -> str | None:
    name = text_or_none(row.get("provider"))
    return name.lower() if name and name != "CUSTOM" else None


def _counted(row: Mapping[str, Any]) -> Usage | None:
    return usage_of(
        {
            "usage": {
                key: row.get(key) for key in ("prompt_tokens", "completion_tokens", "total_tokens")
            }
        }
    )


def _scores(row: Mapping[str, Any]) -> tuple[Score, ...]:
    scores = []
    given = row.get("scores")
    for name, value in given.items() if isinstance(given, Mapping) else ():
        number = value.get("value") if isinstance(value, Mapping) else value
        is_yes_or_no = isinstance(number, bool) or name.endswith(_YES_OR_NO)
        if isinstance(number, bool):
            number = int(number)
        score = number_or_none(number)
        if score is not None:
            label = ("true" if score else "false") if is_yes_or_no else None
            scores.append(Score(name=name.removesuffix(_YES_OR_NO), value=score, label=label))
    rating = row.get("feedback_rating")
    if rating is None:
        feedback = row.get("feedback")
        rating = feedback.get("rating") if isinstance(feedback, Mapping) else feedback
    if isinstance(rating, bool):
        label = "positive" if rating else "negative"
        scores.append(Score(name="feedback", value=float(rating), label=label))
    return tuple(scores)


_YES_OR_NO = "-hcone-bool"
"""How Helicone ends the names of scores that were given as true or false."""
