"""OpenAI chat completions: stored ones with their messages, and the service that stores them."""

from __future__ import annotations

import os
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from rft_widgets.errors import ImportInterrupted, ImportRejected, InvalidArgument
from rft_widgets.model.message import Message
from rft_widgets.traces.bodies import read_exchange
from rft_widgets.traces.documents import decode
from rft_widgets.traces.exchange import Exchange, LostCall, guarded, text_or_none, to_readings
from rft_widgets.traces.reader import Document, Reading
from rft_widgets.web import direct_opener, is_loopback

NAME = "openai_chat"

PAGE_ITEMS = 100
"""Most completions, and most messages, that the service gives at once."""

MAX_PAGE_BYTES = 256 * 1024**2
"""Largest answer of the service that is read."""

MAX_ATTEMPTS = 4
"""Requests that are made for one page while the service is busy or out of order."""


def matches(value: Any) -> bool:
    """Whether a value is a chat completion, one beside its messages, or a list of completions."""
    if not isinstance(value, Mapping):
        return False
    if _is_completion(value):
        return True
    if _is_completion(value.get("completion")):
        return "messages" in value
    listed = value.get("data")
    return isinstance(listed, list) and bool(listed) and _is_completion(listed[0])


def read(documents: Iterable[Document]) -> Iterator[Reading]:
    """Traces of stored completions; a completion without its messages is a loss."""
    for location, value in documents:
        listed = value.get("data") if isinstance(value, Mapping) else None
        if isinstance(listed, list) and not _is_completion(value):
            for i, each in enumerate(listed):
                yield from _read_one(f"{location}, item {i}", each)
        else:
            yield from _read_one(location, value)


def read_stored_completions(
    base_url: str,
    api_key: str,
    *,
    model: str | None = None,
    limit: int | None = None,
    timeout_s: float = 30,
) -> Iterator[Document]:
    """Read the completions that an OpenAI-compatible service stores, each with its messages.

    Parameters
    ----------
    base_url
        Address of the API, up to and with its version: ``https://api.openai.com/v1``. Plain HTTP
        is for this machine only.
    api_key
        Sent as bearer token, to this address and nowhere else.
    model
        Only completions of this model.
    limit
        Most completions to read; all of them by default.
    timeout_s
        Seconds that one request may take.

    Raises
    ------
    InvalidArgument
        If the address or the key cannot be used.
    ImportRejected
        If the service refuses the first page.
    ImportInterrupted
        If it fails later on; what came out before is good.
    """
    service = _Service(_checked_url(base_url), _checked_key(api_key), timeout_s)
    if limit is not None and limit < 0:
        raise InvalidArgument(f"limit is {limit}; it counts completions.")
    return _stored(service, model, limit)


def is_api(address: str) -> bool:
    """Whether an address is that of an API: its path ends with a version, such as ``/v1``."""
    last = _split_key(address)[0].rstrip("/").rpartition("/")[2]
    return address.startswith(("http://", "https://")) and bool(_VERSION.fullmatch(last))


def with_key(base_url: str, api_key_env: str | None) -> str:
    """Address of an API and of what holds its key: ``https://api.example.com/v1#A_KEY``."""
    return base_url if api_key_env is None else f"{base_url}#{api_key_env}"


def read_named(address: str) -> Iterator[Document]:
    """Read stored completions from an address that may name the variable with its key.

    Raises
    ------
    InvalidArgument
        The variable is none, or is not set; its text is not repeated, as it may be a key.
    """
    base_url, variable = _split_key(address)
    if variable is None:
        return read_stored_completions(base_url, _NO_KEY)
    if not _KEY_NAME.fullmatch(variable):
        raise InvalidArgument(
            "What stands after # in the address names no environment variable.",
            hint="It is the name of the one that holds the key, such as #OPENAI_API_KEY, and never "
            "the key.",
        )
    key = os.environ.get(variable)
    if not key:
        raise InvalidArgument(
            f"The environment variable {variable} is not set.",
            hint="Set it where the kernel starts; it holds the key of the service.",
        )
    return read_stored_completions(base_url, key)


def _split_key(address: str) -> tuple[str, str | None]:
    base_url, mark, variable = address.partition("#")
    return base_url, variable if mark else None


_VERSION = re.compile(r"v\d+\w*")
_KEY_NAME = re.compile(r"[A-Z_][A-Z0-9_]{0,99}")
_NO_KEY = "none"
"""Sent as the key to a service that wants none."""


def _is_completion(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("object") == "chat.completion"


def _read_one(location: str, value: Any) -> Iterator[Reading]:
    beside = isinstance(value, Mapping) and isinstance(value.get("completion"), Mapping)
    completion = value["completion"] if beside else value
    given = completion.get("id") if isinstance(completion, Mapping) else None

    def readings() -> Iterator[Reading]:
        if not isinstance(completion, Mapping):
            raise LostCall("undecodable", "a completion is no object")
        messages = value.get("messages") or completion.get("input_messages")
        if isinstance(messages, Mapping):
            messages = messages.get("data")
        if not messages:
            raise LostCall("no_request", "the completion was recorded without its messages")
        if not isinstance(messages, list):
            raise LostCall("undecodable", "the messages of a completion are no list")
        request = {key: completion[key] for key in _SETTINGS if completion.get(key) is not None}
        request["messages"] = [_stored_message(each) for each in messages]
        exchange = read_exchange(request, dict(completion))
        exchange = _without_answer(exchange)
        yield from to_readings(exchange, format=NAME, location=location)

    yield from guarded(location, readings, text_or_none(given))


_SETTINGS = (
    "model", "tools", "tool_choice", "temperature", "top_p", "seed", "presence_penalty",
    "frequency_penalty", "max_tokens", "max_completion_tokens", "response_format",
    "reasoning_effort", "metadata",
)  # fmt: skip
"""What a stored completion repeats of its request."""


def _stored_message(value: Any) -> Any:
    """Message of a request from a stored one, which has an id and its parts apart."""
    if not isinstance(value, Mapping):
        return value
    message = {key: inner for key, inner in value.items() if inner is not None and key != "id"}
    parts = message.pop("content_parts", None)
    return message | {"content": parts} if parts else message


def _without_answer(exchange: Exchange) -> Exchange:
    # Some services list the answer among the messages of the request.
    last = exchange.messages[-1]
    if last.role == "assistant" and any(_same(last, each.message) for each in exchange.choices):
        return msgspec.structs.replace(exchange, messages=exchange.messages[:-1])
    return exchange


def _same(one: Message, other: Message) -> bool:
    return (one.content or None, one.tool_calls) == (other.content or None, other.tool_calls)


def _stored(service: _Service, model: str | None, limit: int | None) -> Iterator[Document]:
    count = 0
    after: str | None = None
    while limit is None or count < limit:
        size = PAGE_ITEMS if limit is None else min(PAGE_ITEMS, limit - count)
        query = {"limit": str(size), "order": "asc", "model": model, "after": after}
        page = service.page("/chat/completions", query, first=after is None)
        for completion in page.items:
            given = completion.get("id") if isinstance(completion, Mapping) else None
            messages = list(service.messages(given)) if isinstance(given, str) else []
            yield Document(f"completion {given}", {"completion": completion, "messages": messages})
            count += 1
            if count == limit:
                return
        after = page.next
        if after is None:
            return


class _Page(msgspec.Struct, frozen=True):
    items: list[Any]
    next: str | None


class _Missing(Exception):  # noqa: N818
    """The service does not know what was asked for."""


class _Service:
    """Reads pages of one API; holds its address and its key."""

    def __init__(self, base_url: str, api_key: str, timeout_s: float) -> None:
        self.base_url = base_url
        self.timeout_s = timeout_s
        self._api_key = api_key
        # No proxies of the environment: who runs them would see the traffic.
        self._opener = direct_opener()

    def messages(self, completion_id: str) -> Iterator[Any]:
        """Messages of one stored completion; none if the service has let them go."""
        path = f"/chat/completions/{urllib.parse.quote(completion_id, safe='')}/messages"
        after: str | None = None
        while True:
            query = {"limit": str(PAGE_ITEMS), "order": "asc", "after": after}
            try:
                page = self.page(path, query)
            except _Missing:
                return
            yield from page.items
            after = page.next
            if after is None:
                return

    def page(self, path: str, query: Mapping[str, str | None], *, first: bool = False) -> _Page:
        """Read one page of a list."""
        failure = ImportRejected if first else ImportInterrupted
        given = {key: value for key, value in query.items() if value is not None}
        url = f"{self.base_url}{path}?{urllib.parse.urlencode(given)}"
        try:
            value = decode(self._get(url))
        except urllib.error.HTTPError as error:
            if error.code == 404 and not first:
                raise _Missing from None
            raise failure(self._refusal(path, error), hint=_HINTS.get(error.code)) from None
        except urllib.error.URLError as error:
            raise failure(f"{self.base_url} cannot be reached: {error.reason}.") from None
        except (OSError, ValueError) as error:
            said = f"{type(error).__name__}: {error}"
            raise failure(
                f"{self.base_url}{path} gave no answer that can be read ({said})."
            ) from None
        items = value.get("data") if isinstance(value, Mapping) else None
        if not isinstance(items, list):
            raise failure(f"{self.base_url}{path} gave no list.")
        last = value.get("last_id") or (
            items[-1].get("id") if items and isinstance(items[-1], Mapping) else None
        )
        more = value.get("has_more") is True and bool(items)
        if more and (not isinstance(last, str) or last == query.get("after")):
            raise failure(f"{self.base_url}{path} repeats a page and would never end.")
        return _Page(items, last if more else None)

    def _get(self, url: str) -> bytes:
        headers = {"Authorization": f"Bearer {self._api_key}", "Accept": "application/json"}
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 - checked before
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                return self._get_once(request)
            except urllib.error.HTTPError as error:
                if error.code not in _BUSY or attempt == MAX_ATTEMPTS:
                    raise
                wait_s = _wait_s(error, attempt)
                error.close()
                _sleep(wait_s)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _get_once(self, request: urllib.request.Request) -> bytes:
        with self._opener.open(request, timeout=self.timeout_s) as answer:
            data: bytes = answer.read(MAX_PAGE_BYTES + 1)
        if len(data) > MAX_PAGE_BYTES:
            raise ValueError(f"more than {MAX_PAGE_BYTES:,} bytes")
        return data

    def _refusal(self, path: str, error: urllib.error.HTTPError) -> str:
        if 300 <= error.code < 400:
            return f"{self.base_url}{path} sends on to another address; redirects are not followed."
        try:
            said = error.read(4096).decode("utf-8", "replace")
        except OSError:
            said = ""
        finally:
            error.close()
        said = " ".join(said.replace(self._api_key, "[key]").split())[:300]
        return f"{self.base_url}{path} answered {error.code}: {said}"


_HINTS = {
    401: "Check the key, and that it may read stored completions.",
    403: "Check that the key may read stored completions.",
    404: "Check the address: it ends with the version of the API, such as /v1.",
    429: "Wait, or read fewer completions at a time.",
}
_BUSY = frozenset({408, 429, 500, 502, 503, 504})
_sleep = time.sleep


def _wait_s(error: urllib.error.HTTPError, attempt: int) -> float:
    asked = error.headers.get("Retry-After", "") if error.headers else ""
    return min(float(asked), 60.0) if asked.isdecimal() else float(2 ** (attempt - 1))


def _checked_url(base_url: str) -> str:
    try:
        parts = urllib.parse.urlsplit(base_url)
        host = parts.hostname or ""
        has_login = parts.username is not None or parts.password is not None
    except ValueError:
        raise InvalidArgument("The address of the API cannot be read.") from None
    if has_login or parts.query or parts.fragment:
        raise InvalidArgument("The address of the API holds a login or a query; give it without.")
    if not host or parts.scheme not in ("http", "https"):
        raise InvalidArgument("The address of the API is no http or https URL.")
    if parts.scheme == "http" and not is_loopback(host):
        raise InvalidArgument(f"{base_url} would send the key unencrypted.", hint="Use https.")
    return base_url.rstrip("/")


def _checked_key(api_key: str) -> str:
    # http.client would name the whole header, key and all, when it refuses it.
    if not api_key or not all("!" <= char <= "~" for char in api_key):
        raise InvalidArgument("The key is empty, or holds spaces or characters that no key has.")
    return api_key
