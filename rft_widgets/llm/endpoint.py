"""One request to a service that speaks the OpenAI protocol, through the ``openai`` package."""

from __future__ import annotations

import asyncio
import os
import ssl
from typing import Any, Protocol

from rft_widgets.errors import ExtraRequired
from rft_widgets.llm.faults import NO_KEY, CallFault, status_fault
from rft_widgets.llm.requests import CHAT, EMBEDDINGS, ModelRequest
from rft_widgets.model.llm import ModelConnection
from rft_widgets.web import checked_base_url

_IDLE_S = 30.0
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
    "Content-Type": "application/json",
    "User-Agent": "rft-widgets",
}


def missing_of(connection: ModelConnection) -> str:
    """What is not there yet before a model can be asked, in words; empty when nothing is."""
    key_from = connection.api_key_env
    if key_from is None or os.environ.get(key_from):
        return ""
    return f"The environment variable {key_from}, which holds the key, is not set."


class Transport(Protocol):
    """What carries a request to who answers it; used in one event loop."""

    async def send(self, request: ModelRequest) -> bytes:
        """The answer as it came; raises `CallFault`."""

    async def close(self) -> None:
        """Close the connections."""


class Endpoint:
    """A service, over the HTTP client of the ``openai`` package.

    One attempt a request, no redirects, nothing from the environment but the key, which is read
    when a request is made and kept nowhere. The package's own layer of requests is left out: for
    retries and types that are of no use here it takes more time than all the rest of a call.

    Raises
    ------
    ExtraRequired
        The ``openai`` package is not installed.
    InvalidArgument
        The URL is not one that a key may be sent to.
    """

    def __init__(self, connection: ModelConnection, *, most: int) -> None:
        self.base_url = checked_base_url(connection.base_url)
        self._key_from, self._timeout_s = connection.api_key_env, connection.timeout_s
        self._most = most
        self._openai, self._httpx, self._aiohttp = _packages()
        self._urls = {
            path: self._httpx.URL(f"{self.base_url}{path}") for path in (CHAT, EMBEDDINGS)
        }
        self._timeouts = {"timeout": self._httpx.Timeout(self._timeout_s).as_dict()}
        self._client: Any = None

    async def send(self, request: ModelRequest) -> bytes:
        """Ask once."""
        return await self._exchange("POST", self._urls[request.path], request.body)

    async def read(self, path: str) -> bytes:
        """What the service says of itself at a path, such as ``/models``; raises `CallFault`."""
        return await self._exchange("GET", self._httpx.URL(f"{self.base_url}{path}"), None)

    async def _exchange(self, method: str, url: Any, body: bytes | None) -> bytes:
        key = self._key()  # first of all: without it nothing is sent
        if self._client is None:
            self._client = self._connected()
        asked = self._httpx.Request(
            method, url, headers=_HEADERS, content=body, extensions=self._timeouts
        )
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await self._client.send(asked)
        except (TimeoutError, self._httpx.HTTPError, self._aiohttp.ClientError, OSError) as error:
            raise self._fault(error) from None
        except (ValueError, RuntimeError) as error:  # such as a body that is not what it says
            text = f"the answer cannot be read: {type(error).__name__}"
            raise CallFault(text, may_be_paid=True) from None
        if response.status_code >= 300:
            raise status_fault(
                response.status_code,
                response.content,
                response.reason_phrase,
                response.headers,
                key,
            )
        return bytes(response.content)

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()

    def _connected(self) -> Any:
        return self._openai.DefaultAioHttpClient(
            auth=self._auth(),
            follow_redirects=False,
            trust_env=False,
            verify=self._trust(),
            timeout=self._timeout_s,
            limits=self._httpx.Limits(max_connections=self._most, keepalive_expiry=_IDLE_S),
        )

    def _trust(self) -> bool | ssl.SSLContext:
        """Certificates that count: on this machine none is needed, and to read all is slow."""
        is_open = self.base_url.startswith("http:")
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if is_open else True

    def _auth(self) -> Any:
        """Puts the key into a request at the last moment: nothing that logs or keeps one has it."""
        key_of = self._key

        def with_key(request: Any) -> Any:
            request.headers["Authorization"] = f"Bearer {key_of()}"
            return request

        return with_key

    def _key(self) -> str:
        if self._key_from is None:
            return NO_KEY
        key = os.environ.get(self._key_from)
        if not key:
            raise CallFault(f"the environment variable {self._key_from} is not set", refused=True)
        return key

    def _fault(self, error: BaseException) -> CallFault:
        chain = _chain(error)
        if any(isinstance(one, TimeoutError) for one in chain):
            return CallFault(
                f"no answer in {self._timeout_s:g} s", retryable=True, may_be_paid=True
            )
        is_unsent = any(isinstance(one, self._aiohttp.ClientConnectorError) for one in chain)
        what = "cannot connect to" if is_unsent else "lost the connection to"
        return CallFault(
            f"{what} {self.base_url}: {type(chain[-1]).__name__}",
            retryable=True,
            may_be_paid=not is_unsent,
        )


def _chain(error: BaseException) -> list[BaseException]:
    """An error and what it came of, the first cause last."""
    chain = [error]
    while (cause := chain[-1].__cause__) is not None:
        chain.append(cause)
    return chain


def _packages() -> tuple[Any, Any, Any]:
    try:
        import aiohttp  # noqa: PLC0415 - heavy and optional
        import httpx2  # noqa: PLC0415
        import openai  # noqa: PLC0415
    except ImportError as error:
        raise ExtraRequired(
            "Asking a model needs the openai package.", hint="pip install 'rft-widgets[openai]'."
        ) from error
    return openai, httpx2, aiohttp
