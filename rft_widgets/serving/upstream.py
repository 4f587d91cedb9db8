"""An arm behind any service that speaks the OpenAI chat protocol."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from rft_widgets.errors import ExtraRequired, InvalidArgument
from rft_widgets.serving.arms import PerLoop, Relay, check_name
from rft_widgets.serving.protocol import RequestFailed, read_answer
from rft_widgets.web import checked_base_url

if TYPE_CHECKING:
    from httpx2 import AsyncClient, Response

MAX_ANSWER_BYTES = 50_000_000
"""Largest answer that is not streamed."""

_MAX_ERROR_BYTES = 64_000
_PASSED_ON = frozenset({400, 413, 422})  # what the client can do something about
_FINISHED = re.compile(rb'"finish_reason"\s*:\s*"|^data:\s*\[DONE\]', re.MULTILINE)
_EVENT_STREAM = "text/event-stream"


class UpstreamArm:
    """An arm that forwards to another server and passes on what it answers, byte for byte.

    One attempt a request, no redirects, no proxies from the environment, no cookies. Nothing of
    the client's request goes on but its body. The upstream call ends when the client leaves.

    Parameters
    ----------
    name, model
        As for every `Arm`.
    base_url
        Where the service is, up to ``/v1``: https, or http on this machine.
    upstream_model
        What the service calls the model, where that is not ``model``. Other names, which only
        ``new_endpoint`` lets through, go on as they are.
    api_key_env
        *Name* of the environment variable that holds the key, read at every call; ``None`` for a
        service that wants none.
    timeout_s
        Longest wait for an answer, and within a stream for its next piece.
    connect_timeout_s
        Longest wait for the connection.

    Raises
    ------
    InvalidArgument
        If the URL is not one that a key may be sent to.
    ExtraRequired
        If the ``httpx2`` package is not installed.
    """

    def __init__(
        self,
        name: str,
        model: str,
        base_url: str,
        *,
        upstream_model: str | None = None,
        api_key_env: str | None = "OPENAI_API_KEY",
        timeout_s: float = 60.0,
        connect_timeout_s: float = 10.0,
    ) -> None:
        if timeout_s <= 0 or connect_timeout_s <= 0:
            raise InvalidArgument("A timeout is not above zero.", hint="Give it in seconds.")
        self.name = check_name(name, "name of an arm")
        self.model = check_name(model, "model name")
        self.base_url = checked_base_url(base_url)
        self.upstream_model = upstream_model or model
        self.api_key_env = api_key_env
        self.timeout_s = timeout_s
        self.connect_timeout_s = connect_timeout_s
        self._clients = PerLoop(self._client)
        _httpx2()

    def __repr__(self) -> str:
        return f"UpstreamArm({self.name!r}, {self.model!r}, {self.base_url!r})"

    async def respond(
        self,
        messages: Sequence[dict[str, Any]],  # noqa: ARG002 - they are in the body
        tools: Sequence[dict[str, Any]],  # noqa: ARG002
        body: Mapping[str, Any],
    ) -> Relay:
        """Ask the service.

        Raises
        ------
        RequestFailed
            With status 502 or 504 if it gives no answer that can be passed on.
        """
        httpx2 = _httpx2()
        key = self._key()
        asked = body["model"]
        sent = dict(body) | {"model": self.upstream_model if asked == self.model else asked}
        headers = {
            "Content-Type": "application/json",
            "Accept": "text/event-stream" if body.get("stream") else "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "rft-widgets",
        }
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        client = self._clients.get()
        request = client.build_request(
            "POST",
            f"{self.base_url}/chat/completions",
            content=msgspec.json.encode(sent),
            headers=headers,
        )
        response: Response | None = None
        try:
            async with asyncio.timeout(self.timeout_s):
                response = await client.send(request, stream=True)
                if response.status_code != 200:
                    await self._refuse(response, key)
                if not _is_readable(response):
                    raise _failed("answered in a form that was not asked for", "upstream_invalid")
                streams = body.get("stream") and _content_type(response).startswith(_EVENT_STREAM)
                content = b"" if streams else await _content(response)
            if streams:
                relay = self._relay(response, self._chunks(response))
                response = None  # whoever relays it closes it
                return relay
            if read_answer(content, streamed=False) is None:
                raise _failed("answered with no chat completion", "upstream_invalid")
            return self._relay(response, _once(content))
        except (TimeoutError, httpx2.TimeoutException):
            raise self._late() from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise _failed(
                f"cannot be reached: {type(error).__name__}", "upstream_unreachable"
            ) from None
        finally:
            if response is not None:
                await response.aclose()

    async def close(self) -> None:
        """Close the connections of the running event loop."""
        client = self._clients.take()
        if client is not None:
            await client.aclose()

    def _client(self) -> AsyncClient:
        httpx2 = _httpx2()
        return httpx2.AsyncClient(  # type: ignore[no-any-return]  # imported as Any
            timeout=httpx2.Timeout(self.timeout_s, connect=self.connect_timeout_s),
            follow_redirects=False,
            trust_env=False,
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=20),
            # A cookie of one user must not come back with the request of another.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )

    def _key(self) -> str | None:
        if self.api_key_env is None:
            return None
        key = os.environ.get(self.api_key_env, "")
        if not key.isascii() or not key.isprintable() or not key:
            raise _failed(
                f"cannot be asked: the environment variable {self.api_key_env} is not set to a key",
                "upstream_key_missing",
            )
        return key

    def _relay(self, response: Response, chunks: AsyncGenerator[bytes, None]) -> Relay:
        told = response.headers.get("x-request-id")
        return Relay(
            content_type=_content_type(response),
            chunks=chunks,
            close=response.aclose,
            headers={"X-Request-Id": told} if told else {},
        )

    async def _chunks(self, response: Response) -> AsyncGenerator[bytes, None]:
        httpx2 = _httpx2()
        finished = False
        tail = b""
        try:
            async for chunk in response.aiter_raw():
                finished = finished or _FINISHED.search(tail + chunk) is not None
                tail = (tail + chunk)[-64:]
                yield chunk
        except httpx2.TimeoutException:
            raise self._late() from None
        except httpx2.HTTPError:
            finished = False
        if not finished:
            raise _failed("broke off in the middle of its answer", "upstream_truncated")

    async def _refuse(self, response: Response, key: str | None) -> NoReturn:
        status = response.status_code
        if 300 <= status < 400:
            raise _failed("answered with a redirect, which is not followed", "upstream_redirect")
        if status in (401, 403):
            # The fault is not the client's, and such a message likes to quote a part of the key.
            raise _failed("refused the key of this server", "upstream_key_refused")
        if status == 404:
            raise RequestFailed(
                404,
                "The upstream does not know the model.",
                code="model_not_found",
                param="model",
            )
        if status == 429:
            after = response.headers.get("retry-after")
            raise RequestFailed(
                429,
                "The upstream takes no more requests at the moment.",
                code="upstream_busy",
                kind="rate_limit_error",
                headers={"Retry-After": after} if after else None,
            )
        if status in _PASSED_ON:
            said = _said(await _content(response, _MAX_ERROR_BYTES))
            if key:
                said = {name: text and text.replace(key, "***") for name, text in said.items()}
            raise RequestFailed(
                status,
                f"The upstream refused the request: {said['message'] or 'it does not say why'}",
                code=said["code"] or "upstream_refused",
                param=said["param"],
            )
        raise _failed(f"answered with HTTP {status}", "upstream_error")

    def _late(self) -> RequestFailed:
        return _failed(f"gave no answer in {self.timeout_s:g} s", "upstream_timeout", status=504)


def _is_readable(response: Response) -> bool:
    is_plain = response.headers.get("content-encoding", "identity").lower() == "identity"
    return is_plain and _content_type(response).startswith((_EVENT_STREAM, "application/json"))


def _content_type(response: Response) -> str:
    return str(response.headers.get("content-type", "application/json")).lower()


def _failed(what: str, code: str, *, status: int = 502) -> RequestFailed:
    return RequestFailed(status, f"The upstream {what}.", code=code, kind="upstream_error")


def _said(content: bytes) -> dict[str, str | None]:
    """Message, parameter and code of an error body, as far as they are texts."""
    error: Any = None
    with suppress(ValueError, RecursionError):
        error = msgspec.json.decode(content)
    error = error.get("error") if isinstance(error, dict) else None
    error = error if isinstance(error, dict) else {}
    texts = {name: error.get(name) for name in ("message", "param", "code")}
    return {name: v[:500] if isinstance(v, str) and v else None for name, v in texts.items()}


async def _content(response: Response, limit: int = MAX_ANSWER_BYTES) -> bytes:
    content = bytearray()
    async for chunk in response.aiter_raw():
        content += chunk
        if len(content) > limit:
            raise _failed(f"answered with more than {limit:,} bytes", "upstream_invalid")
    return bytes(content)


async def _once(content: bytes) -> AsyncGenerator[bytes, None]:
    yield content


def _httpx2() -> Any:
    try:
        import httpx2  # noqa: PLC0415 - comes with an extra
    except ImportError as error:
        raise ExtraRequired(
            "Forwarding to an upstream needs the httpx2 package.",
            hint="Install it with: pip install 'rft-widgets[openai]'",
        ) from error
    return httpx2
