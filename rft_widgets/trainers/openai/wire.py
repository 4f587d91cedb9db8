"""Calls of a service that trains, over the HTTP client of the ``openai`` package.

The package's own layer is left out: it reads headers and addresses from the environment, and its
types do not know what the dialects say. One attempt a call, no redirects, no proxies; the key is
read when a call is made, and kept nowhere.
"""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
from msgspec import Struct

from rft_widgets.errors import ExtraRequired, ModelRefused, RftError
from rft_widgets.llm.faults import NO_KEY, retry_after, status_fault
from rft_widgets.trainers.hosted import ServiceUnreachable
from rft_widgets.web import checked_base_url

_UPLOAD_S = 600.0


class CallRefused(RftError):  # noqa: N818 - as the family reads
    """The service does not take this call; ``status`` is that of HTTP."""

    def __init__(self, message: str, *, status: int, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class Answer(Struct, frozen=True):
    """What a service answered, and the seconds after which it wants to be asked again."""

    value: dict[str, Any]
    again_s: float | None


class Wire:
    """A service; close it after use, or use it in ``with``.

    Parameters
    ----------
    base_url
        Where it is.
    key_env
        Name of the environment variable with its key; ``None`` where it wants none.
    key_header
        The header that the key goes in: ``Authorization``, as a bearer's, or another one.
    timeout_s
        Longest wait for an answer.

    Raises
    ------
    ExtraRequired
        The ``openai`` package is not installed.
    InvalidArgument
        The URL is not one that a key may be sent to.
    """

    def __init__(
        self, base_url: str, *, key_env: str | None, key_header: str, timeout_s: float
    ) -> None:
        self.base_url = checked_base_url(base_url)
        self._key_env, self._key_header = key_env, key_header
        self._timeout_s = timeout_s
        self._httpx = _package()
        is_open = self.base_url.startswith("http:")
        self._client = self._httpx.Client(
            auth=self._with_key,
            follow_redirects=False,
            trust_env=False,
            # On this machine no certificate is needed, and to read all is slow.
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if is_open else True,
            timeout=timeout_s,
            headers={"Accept": "application/json", "User-Agent": "rft-widgets"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, path: str, **query: str | int) -> Answer:
        """Ask for something; raises as `call`."""
        return self.call("GET", path, params=query)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Answer:
        """Send something; raises as `call`."""
        return self.call("POST", path, json={} if body is None else body)

    def upload(self, file: Path, name: str) -> Answer:
        """Send a file to learn from; raises as `call`."""
        with file.open("rb") as opened:
            return self.call(
                "POST",
                "/files",
                data={"purpose": "fine-tune"},
                files={"file": (name, opened, "application/jsonl")},
                timeout=self._httpx.Timeout(self._timeout_s, read=_UPLOAD_S),
            )

    def call(self, method: str, path: str, **options: Any) -> Answer:
        """Make one call.

        Raises
        ------
        ServiceUnreachable
            There was no answer, or none that can be read, or one that says to come again.
        ModelRefused
            The key is missing or refused, or the quota used up.
        CallRefused
            The service does not take this call.
        """
        key = self._key()  # first of all: without it nothing is sent
        try:
            response = self._client.request(method, f"{self.base_url}{path}", **options)
        except self._httpx.TimeoutException:
            raise ServiceUnreachable(
                f"{self.base_url} gave no answer in {self._timeout_s:g} s."
            ) from None
        except (self._httpx.HTTPError, OSError) as error:
            raise ServiceUnreachable(
                f"The connection to {self.base_url} was lost: {type(error).__name__}."
            ) from None
        if response.status_code >= 300:
            raise self._refusal(response, key)
        try:
            value = msgspec.json.decode(response.content)
        except (msgspec.DecodeError, ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise ServiceUnreachable(f"The answer of {self.base_url} cannot be read.")
        return Answer(value, retry_after(response.headers))

    def _refusal(self, response: Any, key: str) -> RftError:
        fault = status_fault(
            response.status_code,
            response.content,
            response.reason_phrase,
            response.headers,
            key or NO_KEY,
        )
        words = str(fault).rstrip(". ")
        if fault.retryable:
            return ServiceUnreachable(
                f"{self.base_url} cannot answer now: {words}.", retry_after_s=fault.retry_after_s
            )
        status = response.status_code
        if status in (401, 403):
            return ModelRefused(
                f"{self.base_url} refuses the key: {words}.",
                hint=f"Check what {self._key_env or 'the connection'} holds, and what it may do.",
            )
        if status in (402, 429):
            return ModelRefused(
                f"{self.base_url} takes no call now: {words}.",
                hint="Look at the account's billing and limits there.",
            )
        if status < 400:
            words = f"HTTP {status}: it sends to another address, which is not followed"
        return CallRefused(f"{self.base_url} refused: {words}.", status=status)

    def _key(self) -> str:
        if self._key_env is None:
            return ""
        key = os.environ.get(self._key_env, "")
        if not key:
            raise ModelRefused(
                f"The environment variable {self._key_env}, which holds the key, is not set.",
                hint="Set it where the work is done: in the kernel, or for the worker.",
            )
        return key

    def _with_key(self, request: Any) -> Any:
        """Put the key into a request at the last moment: nothing that logs one has it."""
        key = self._key()
        if key:
            bearer = self._key_header == "Authorization"
            request.headers[self._key_header] = f"Bearer {key}" if bearer else key
        return request


def _package() -> Any:
    try:
        import httpx2  # noqa: PLC0415 - heavy and optional; it comes with openai
    except ImportError as error:
        raise ExtraRequired(
            "Training at this service needs the openai package.",
            hint="Install it with: pip install 'rft-widgets[openai]'.",
        ) from error
    return httpx2
