"""A model asked one request at a time, by the standard library alone: no ledger, no limit of money.

For graders that were taken elsewhere, where nothing of this package runs. Inside, `ModelClient`
asks.
"""

from __future__ import annotations

import http.client
import os
import random
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from rft_widgets.errors import InvalidArgument, ModelRefused, TooManyFailures
from rft_widgets.llm.answers import read_chat, read_embeddings
from rft_widgets.llm.faults import NO_KEY, CallFault, status_fault
from rft_widgets.llm.requests import ModelRequest, chat_request, embedding_request
from rft_widgets.model.call_settings import CALLS, CallSettings
from rft_widgets.model.llm import ModelAnswer, ModelCallFailed, ModelConnection
from rft_widgets.web import checked_base_url, direct_opener


class JudgePlace(Struct, frozen=True, kw_only=True):
    """Where a model is asked; the key is in an environment variable and never here.

    ``model`` is asked there, and any model whose place is not known. ``embedding_model`` embeds.
    """

    connection: ModelConnection
    model: str = ""
    embedding_model: str | None = None
    concurrency: int = 8


class DirectModel:
    """Models of one service; safe to share by threads.

    Each request has a time limit, and is made again a bounded number of times where that may help.

    Parameters
    ----------
    place
        Where it is.
    settings
        How often, and how long is waited.

    Raises
    ------
    InvalidArgument
        The URL is not one that a key may be sent to.
    """

    def __init__(self, place: JudgePlace, settings: CallSettings = CALLS) -> None:
        self._place, self._settings = place, settings
        self._base_url = checked_base_url(place.connection.base_url)
        self._opener = direct_opener()
        self._lock = threading.Lock()
        self._failures_in_a_row = 0

    def __call__(
        self,
        model: str,
        messages: Sequence[dict[str, Any]],
        *,
        temperature: float | None = None,
        max_tokens: int | None = None,
        top_p: float | None = None,
        seed: int | None = None,
        response_schema: dict[str, Any] | None = None,
        reasoning_effort: str | None = None,
        tools: Sequence[dict[str, Any]] | None = None,
        tool_choice: Any = None,
        repeat: int = 0,
    ) -> ModelAnswer:
        """Ask a model; see `ModelCall`.

        Raises
        ------
        ModelCallFailed
            This call brought no answer.
        ModelRefused
            The service takes none of ours: key, quota or model are wrong.
        TooManyFailures
            So many calls in a row failed that something else must be wrong.
        """
        request = chat_request(
            self._base_url,
            model,
            messages,
            structured=self._place.connection.structured,
            temperature=temperature,
            max_tokens=max_tokens,
            top_p=top_p,
            seed=seed,
            response_schema=response_schema,
            reasoning_effort=reasoning_effort,
            tools=tools,
            tool_choice=tool_choice,
            repeat=repeat,
        )
        return read_chat(self._answer(request))

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Vectors of texts, in order; raises as a call does."""
        model = self._place.embedding_model
        if model is None:
            raise InvalidArgument(f"No embedding model is known at {self._base_url}.")
        # An empty text is refused by most services.
        request = embedding_request(self._base_url, model, [text or " " for text in texts])
        return read_embeddings(self._answer(request), len(texts))[0]

    def _answer(self, request: ModelRequest) -> bytes:
        lost = 0
        for attempt in range(1, self._settings.attempts + 1):
            try:
                raw = self._send(request)
            except CallFault as fault:
                lost += fault.may_be_paid
                wait = self._wait_s(fault, attempt, lost)
                if wait is None:
                    raise self._given_up(fault) from None
            else:
                self._failures_in_a_row = 0
                return raw
            time.sleep(wait)
        raise AssertionError("the last attempt ends it")

    def _send(self, request: ModelRequest) -> bytes:
        connection, key = self._place.connection, self._key()
        headers = {
            "Accept": "application/json",
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "User-Agent": "rft-grader",
        }
        asked = urllib.request.Request(  # noqa: S310 - the scheme was checked
            f"{self._base_url}{request.path}", data=request.body, headers=headers, method="POST"
        )
        try:
            with self._opener.open(asked, timeout=connection.timeout_s) as response:
                raw: bytes = response.read()
                return raw
        except urllib.error.HTTPError as error:
            with error:
                raise _refused(error, key) from None
        except TimeoutError:
            raise _timeout(connection.timeout_s) from None
        except urllib.error.URLError as error:
            if isinstance(error.reason, TimeoutError):
                raise _timeout(connection.timeout_s) from None
            why = type(error.reason).__name__
            raise CallFault(f"cannot connect to {self._base_url}: {why}", retryable=True) from None
        except (OSError, http.client.HTTPException) as error:
            raise CallFault(
                f"lost the connection to {self._base_url}: {type(error).__name__}",
                retryable=True,
                may_be_paid=True,
            ) from None

    def _key(self) -> str:
        key_from = self._place.connection.api_key_env
        if key_from is None:
            return NO_KEY
        key = os.environ.get(key_from)
        if not key:
            raise CallFault(f"the environment variable {key_from} is not set", refused=True)
        return key

    def _wait_s(self, fault: CallFault, attempts: int, lost: int) -> float | None:
        """How long to wait before the next attempt; ``None`` for no further one."""
        settings, asked_for = self._settings, fault.retry_after_s
        if not fault.retryable or attempts >= settings.attempts or lost >= settings.most_lost:
            return None
        grown = settings.first_wait_s * 2 ** (attempts - 1)
        jitter = random.uniform(0, min(settings.longest_wait_s, grown))  # noqa: S311 - no secret
        if asked_for is None:
            return jitter
        return None if asked_for > settings.longest_retry_after_s else asked_for + jitter / 10

    def _given_up(self, fault: CallFault) -> Exception:
        if fault.refused:
            return ModelRefused(
                f"{self._base_url} refuses: {fault}.",
                hint="Check the key, the quota and the name of the model.",
            )
        with self._lock:
            self._failures_in_a_row += 1
            failed = self._failures_in_a_row
        if failed < self._settings.failures_in_a_row:
            return fault
        return TooManyFailures(f"The last {failed} requests to {self._base_url} failed: {fault}.")


class DirectModels:
    """Several services, each for the models of its own place; a single one for every model.

    Parameters
    ----------
    places
        At least one.
    """

    def __init__(self, places: Sequence[JudgePlace]) -> None:
        models = [DirectModel(place) for place in places]
        self._only = models[0] if len(models) == 1 else None
        named = list(zip(places, models, strict=True))
        self.concurrency = max(place.concurrency for place in places)
        embedders = [model for place, model in named if place.embedding_model is not None]
        self._embedder = (embedders or models)[0]
        self._by_model: Mapping[str, DirectModel] = {place.model: model for place, model in named}

    def __call__(
        self, model: str, messages: Sequence[dict[str, Any]], **options: Any
    ) -> ModelAnswer:
        """Ask a model at its place."""
        chosen = self._only or self._by_model.get(model)
        if chosen is None:
            raise ModelCallFailed(f"nobody said where the model {model!r} is asked")
        return chosen(model, messages, **options)

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Vectors of texts, from the first place that embeds any."""
        return self._embedder.embed(texts)


def _refused(error: urllib.error.HTTPError, key: str) -> CallFault:
    try:
        body = error.read()
    except (OSError, http.client.HTTPException):
        body = b""
    headers = {name.lower(): value for name, value in error.headers.items()}
    return status_fault(error.code, body, str(error.reason), headers, key)


def _timeout(seconds: float) -> CallFault:
    return CallFault(f"no answer in {seconds:g} s", retryable=True, may_be_paid=True)
