"""The stand-in service: keys, faults and the log around the parts that answer."""

from __future__ import annotations

import asyncio
import hmac
import itertools
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from rft_widgets.testing.asking import Asking
from rft_widgets.testing.calls import Call, Part
from rft_widgets.testing.chat import ChatRequest, Said, Script
from rft_widgets.testing.faults import UNPAID, FaultName, Faults, error_response, spoiled
from rft_widgets.testing.files import Files
from rft_widgets.testing.fine_tuning import FineTuning
from rft_widgets.testing.graders import Graders
from rft_widgets.testing.models import Models
from rft_widgets.testing.request_log import KeySeen, LoggedRequest, RequestLog
from rft_widgets.testing.scripts import DEFAULT
from rft_widgets.testing.seeded import digest
from rft_widgets.testing.stored import StoredCompletions
from rft_widgets.testing.tuning_dialects import DialectName, prefix_of
from rft_widgets.testing.wire import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)

_SECRET: Final = frozenset({"authorization", "api-key", "x-api-key", "cookie"})
_KEY_IN: Final = ("authorization", "api-key")
_NO_KEY: Final = "none"
"""What clients send that have to send something."""
_PAID: Final = (("chat", "completions"), ("embeddings",))


class Application:
    """Answers requests; everything runs in the server's own thread."""

    def __init__(
        self,
        *,
        latency_s: float,
        seed: int,
        faults: Faults,
        key: str | None,
        models: Mapping[str, str | None] | None,
        log: RequestLog,
        dialect: DialectName = "openai",
    ) -> None:
        self.prefix = prefix_of(dialect)
        self.latency_s, self.faults, self.log = latency_s, faults, log
        self.scripts: list[Script] = []
        self.in_flight = self.most_in_flight = 0
        self._key = key
        self._seen: Counter[str] = Counter()
        self._answers: defaultdict[str, set[int]] = defaultdict(set)
        self._held: list[Callable[[], None]] | None = None
        files, stored = Files(), StoredCompletions()
        self.tuning = FineTuning(files, seed=seed, dialect=dialect)
        known = Models(models, lambda: self.tuning.tuned)
        self._asking = Asking(self._said, known, stored, seed=seed)
        graders = () if dialect == "bedrock" else (Graders(self._said),)
        self._parts: tuple[Part, ...] = (stored, known, files, self.tuning, *graders)

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer a request; see `Service`."""
        self.in_flight += 1
        self.most_in_flight = max(self.in_flight, self.most_in_flight)
        identity = _identity(request)
        self._seen[identity] += 1
        nth = self._seen[identity]
        path = tuple(request.path.removeprefix(self.prefix).strip("/").split("/"))
        call = Call(method=request.method, path=path, body=_read(request), request=request)
        key = self._key_of(request)
        asks = request.method == "POST" and path in _PAID
        fault = self.faults.next(request.path, identity, nth, rated=asks)
        response = self._refused(request, key, fault)
        if response is None:
            try:
                made = self._asked(call, identity, fault) if asks else self._looked_up(call)
            except Exception as error:  # of a script that somebody gave
                logger.exception("No answer to %s %s.", request.method, request.path)
                made = error_response(500, f"The script failed: {error!r}")
            response = spoiled(made, fault)
        if response.after_s is not None:
            response.after_s += self.latency_s
        self.log.add(
            LoggedRequest(
                number=len(self.log) + 1,
                at=time.time(),
                method=request.method,
                path=request.path,
                query=request.query,
                headers={k: v for k, v in request.headers.items() if k not in _SECRET},
                body=call.body,
                digest=identity,
                nth=nth,
                key=key,
                key_in=next((name for name in _KEY_IN if name in request.headers), ""),
                fault=fault,
                status=response.status,
                paid=asks and response.status == 200,
            )
        )
        return response

    def send(self, response: HttpResponse, write: Callable[[], None]) -> Callable[[], None]:
        """Have a response written in its time, or when it is no longer held."""
        if response.after_s is None:
            return _nothing
        if self._held is not None:
            waiting = [write]
            self._held.append(lambda: _all(waiting))
            return waiting.clear
        loop = asyncio.get_running_loop()
        if response.after_s <= 0:
            return loop.call_soon(write).cancel
        return loop.call_later(response.after_s, write).cancel

    def done(self) -> None:
        """Count a request as answered or given up."""
        self.in_flight -= 1

    def hold(self) -> None:
        """Send nothing from now on."""
        if self._held is None:
            self._held = []

    def release(self) -> None:
        """Send what was held, and go on."""
        held, self._held = self._held or [], None
        for write in held:
            write()

    def _said(self, request: ChatRequest) -> Said:
        """What the scripts say: the newest that was given first, those of the package last."""
        for script in (*reversed(self.scripts), *DEFAULT):
            said = script(request)
            if said is not None:
                return said
        return ""

    def _asked(self, call: Call, identity: str, fault: FaultName | None) -> HttpResponse:
        """An answer to what is paid, and the first that nobody has got yet.

        Who asks the same again gets another answer; who asks again because the connection was lost
        gets the one that was lost, so that work that is resumed ends as if it had not been cut off.
        """
        given = self._answers[identity]
        number = next(n for n in itertools.count() if n not in given)
        given.add(number)
        response = self._asking(call, identity, number, fault)
        response.lost = lambda: given.discard(number)
        return response

    def _looked_up(self, call: Call) -> HttpResponse:
        for part in self._parts:
            response = part(call)
            if response is not None:
                return response
        return _no_route(call.request)

    def _refused(
        self, request: HttpRequest, key: KeySeen, fault: FaultName | None
    ) -> HttpResponse | None:
        """The answer of what is not let in."""
        if not request.path.startswith(f"{self.prefix}/"):
            return _no_route(request)
        if self._key is not None and key != "right":
            return error_response(401, "Incorrect API key provided.", code="invalid_api_key")
        return self.faults.refused(fault, request) if fault in UNPAID else None

    def _key_of(self, request: HttpRequest) -> KeySeen:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        given = given or request.headers.get("api-key", "")
        if given in ("", _NO_KEY):
            return "none"
        if self._key is None:
            return "given"
        return "right" if hmac.compare_digest(given.encode(), self._key.encode()) else "wrong"


def _identity(request: HttpRequest) -> str:
    """Follows from what is asked: the same request has the same."""
    about = f"{request.method} {request.path} {sorted(request.query.items())}\n"
    return digest(about, request.body).hex()[:32]


def _read(request: HttpRequest) -> Any:
    if not request.body:
        return None
    if "multipart" not in request.headers.get("content-type", ""):
        try:
            return msgspec.json.decode(request.body)
        except (ValueError, RecursionError):
            pass
    return {"bytes": len(request.body)}


def _no_route(request: HttpRequest) -> HttpResponse:
    return error_response(404, f"Invalid URL ({request.method} {request.path})")


def _all(waiting: list[Callable[[], None]]) -> None:
    for write in tuple(waiting):
        write()


def _nothing() -> None:
    """Call off nothing."""
