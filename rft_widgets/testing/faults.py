"""What the stand-in server can do wrong, on demand."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Final, Literal, get_args

from msgspec import Struct

from rft_widgets.errors import InvalidArgument
from rft_widgets.testing.seeded import share
from rft_widgets.testing.wire import HttpRequest, HttpResponse, json_response

FaultName = Literal[
    "429", "429_date", "quota", "401", "403",
    "404", "500", "503", "redirect",
    "timeout", "cut", "truncated", "deep", "html", "null_choices", "empty",
    "refusal", "content_filter", "length", "slow",
]  # fmt: skip
"""Faults. Those of the first two lines answer with their status and are not paid: ``429`` and
``429_date`` with ``Retry-After`` in seconds or as a date; ``quota`` is a 429 that waiting does not
help (``insufficient_quota``); ``404`` says that there is no such model; ``redirect`` is a 307 to
the same server by another name. In the others the model did its work, which is paid: no answer at
all, a connection cut within the answer, JSON that ends early or is 100,000 levels deep, a page
instead of JSON, ``choices`` of null, an answer without text, a refusal, a content filter, an answer
cut by its length, and one that comes slowly."""

FAULTS: Final[tuple[FaultName, ...]] = get_args(FaultName)
UNPAID: Final = frozenset({"429", "429_date", "quota", "401", "403", "404", "500", "503",
                           "redirect"})  # fmt: skip

SLOW_S: Final = 0.2
"""Seconds between the pieces of an answer that comes slowly."""

ELSEWHERE: Final = "/elsewhere"
"""Where the path of a redirect begins: the same server by another name, so that its log shows who
follows it, and whether the key came along."""

_DEEP: Final = b"[" * 100_000 + b"]" * 100_000


class _Queued(Struct, frozen=True):
    name: FaultName
    path: str


class Faults:
    """Which request goes wrong, and how: by shares of the requests, or the next ones.

    The shares follow from the seed and from what is asked, not from the order in which requests
    come; a request that comes again draws anew.
    """

    def __init__(self, rates: Mapping[str, float], *, seed: int, retry_after_s: float) -> None:
        self._rates: dict[FaultName, float] = {}
        self._seed, self._retry_after_s = seed, retry_after_s
        self._queue: deque[_Queued] = deque()
        self.set_rates(rates)

    def set_rates(self, rates: Mapping[str, float]) -> None:
        """Set the shares of requests that go wrong; for chat completions and embeddings."""
        found = {_checked(name): float(rate) for name, rate in rates.items()}
        if any(not 0 <= rate <= 1 for rate in found.values()) or sum(found.values()) > 1:
            raise InvalidArgument(
                "Rates of faults are shares, and together at most 1.",
                hint='Pass something like {"429": 0.05}.',
            )
        self._rates = found

    def queue(self, *names: str, path: str = "", times: int = 1) -> None:
        """Have the next requests go wrong, one each; of those whose path ends with ``path``."""
        self._queue.extend(_Queued(_checked(name), path) for name in names for _ in range(times))

    def next(self, path: str, digest: str, nth: int, *, rated: bool) -> FaultName | None:
        """What goes wrong with a request that came for the ``nth`` time, if anything."""
        for queued in self._queue:
            if path.endswith(queued.path):
                self._queue.remove(queued)
                return queued.name
        if rated and self._rates:
            drawn = share(self._seed, "fault", digest, nth)
            for name, rate in self._rates.items():
                if drawn < rate:
                    return name
                drawn -= rate
        return None

    def refused(self, name: str, request: HttpRequest) -> HttpResponse:
        """The answer of one of the faults that are not paid."""
        if name == "redirect":
            port = request.headers.get("host", "").rpartition(":")[2]
            location = f"http://localhost:{port}{ELSEWHERE}{request.path}"
            return HttpResponse(status=307, headers={"Location": location})
        status, code, message = _ERRORS[name]
        headers = {}
        if name == "429":
            whole = math.ceil(self._retry_after_s)
            headers = {"Retry-After": str(whole)}
            if whole != self._retry_after_s:
                headers["Retry-After-Ms"] = str(round(self._retry_after_s * 1000))
        elif name == "429_date":
            # Whole seconds are all that a date can say: rounded up, so that waiting is enough.
            at = datetime.now(UTC) + timedelta(seconds=math.ceil(self._retry_after_s) + 1)
            headers = {"Retry-After": format_datetime(at, usegmt=True)}
        return error_response(status, message, code=code, headers=headers)


def spoiled(response: HttpResponse, fault: FaultName | None) -> HttpResponse:
    """A response of the service with which something goes wrong on its way."""
    whole = sum(len(piece) for _, piece in response.pieces) or len(response.body)
    if fault in _OTHER_BODIES:
        response.body, response.content_type = _OTHER_BODIES[fault]
        response.pieces, response.chunked = (), False
    elif fault == "timeout":
        response.after_s = None
    elif fault == "cut":
        response.cut_at = whole // 2
    elif fault == "truncated" and response.pieces:
        *before, (wait, last) = response.pieces[: max(1, len(response.pieces) // 2)]
        response.pieces = [*before, (wait, last[: len(last) // 2] + b"\n\n")]
    elif fault == "truncated":
        response.body = response.body[: whole // 2]
    elif fault == "slow" and not response.pieces:
        size = max(1, whole // 10)
        response.pieces = [(SLOW_S, response.body[i : i + size]) for i in range(0, whole, size)]
    return response


def error_response(
    status: int, message: str, *, code: str | None = None, headers: Mapping[str, str] = {}
) -> HttpResponse:
    """An error as the protocol has it."""
    kind = {401: "authentication_error", 429: "rate_limit_error"}.get(status)
    kind = kind or ("server_error" if status >= 500 else "invalid_request_error")
    if code == "insufficient_quota":
        kind = code
    error = {"message": message, "type": kind, "param": None, "code": code}
    return json_response({"error": error}, status, headers=dict(headers))


_ERRORS: Final[dict[str, tuple[int, str | None, str]]] = {
    "429": (429, "rate_limit_exceeded", "Rate limit reached. Please try again later."),
    "429_date": (429, "rate_limit_exceeded", "Rate limit reached. Please try again later."),
    "quota": (429, "insufficient_quota", "You exceeded your current quota."),
    "401": (401, "invalid_api_key", "Incorrect API key provided."),
    "403": (403, None, "This key may not use this model."),
    "404": (404, "model_not_found", "The model does not exist or you do not have access to it."),
    "500": (500, None, "The server had an error while processing your request."),
    "503": (503, None, "The engine is overloaded, please try again later."),
}


_OTHER_BODIES: Final[dict[str, tuple[bytes, str]]] = {
    "deep": (_DEEP, "application/json"),
    "html": (b"<html>Welcome to the hotel", "text/html"),
    "null_choices": (b'{"choices": null}', "application/json"),
}


def _checked(name: str) -> FaultName:
    for known in FAULTS:
        if name == known:
            return known
    raise InvalidArgument(f"There is no fault {name!r}.", hint=f"There are: {', '.join(FAULTS)}.")
