"""Fireworks by its own SDK, with what goes wrong there as errors of ours."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Self

from rft_widgets.errors import ExtraRequired, InvalidArgument, ModelRefused, RftError
from rft_widgets.llm.endpoint import missing_of
from rft_widgets.model.connection import NamedConnection
from rft_widgets.trainers.hosted import ServiceUnreachable
from rft_widgets.web import checked_base_url

SERVING_PATH = "/inference/v1"
"""Where Fireworks speaks the OpenAI protocol, after its own address."""
LOOK_S = 5.0
"""Seconds between two looks at something that Fireworks is making."""
_MOST_WORDS = 500


class CallRefused(RftError):  # noqa: N818 - as the family reads
    """The service refused what was asked; ``status`` is the HTTP status."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


def service_url(connection: NamedConnection) -> str:
    """Address of the service, whether a connection names it or where it serves models.

    Raises
    ------
    InvalidArgument
        It is not one that a key may be sent to.
    """
    return checked_base_url(connection.connection.base_url).removesuffix(SERVING_PATH)


def check_key(connection: NamedConnection) -> None:
    """Refuse a connection without a key; `InvalidArgument` says which variable holds it."""
    missing = missing_of(connection.connection)
    if missing or connection.connection.api_key_env is None:
        raise InvalidArgument(
            missing or "Fireworks wants a key, and the connection names none.",
            hint="Set it where the kernel or the worker starts, such as FIREWORKS_API_KEY.",
        )


class Account:
    """An account of the service; close it after use, or use it in ``with``."""

    def __init__(self, connection: NamedConnection, account: str) -> None:
        check_key(connection)
        try:
            import fireworks  # noqa: PLC0415 - heavy
        except ImportError as error:
            raise ExtraRequired(
                f"fireworks cannot be loaded: {error}.",
                hint="Install it with: pip install 'rft-widgets[fireworks]'",
            ) from None
        self.account = account
        self._sdk = fireworks
        # Nothing from the environment, no redirects: records and key go where the connection says.
        self._http = fireworks.DefaultHttpxClient(trust_env=False, follow_redirects=False)
        self.client = fireworks.Fireworks(
            api_key=os.environ[connection.connection.api_key_env or ""],
            account_id=account,
            base_url=service_url(connection),
            timeout=connection.connection.timeout_s,
            max_retries=0,
            http_client=self._http,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def name(self, kind: str, identity: str) -> str:
        """Whole name of something of the account, such as ``accounts/a/models/b``."""
        return identity if "/" in identity else f"accounts/{self.account}/{kind}/{identity}"

    def call(self, work: Callable[[Any], Any]) -> Any:
        """Ask the SDK's client for something.

        Raises
        ------
        ServiceUnreachable, ModelRefused, CallRefused
            Nothing came of it.
        """
        try:
            return work(self.client)
        except self._sdk.APIStatusError as error:
            raise _refused(error) from None
        except self._sdk.APIConnectionError as error:
            raise ServiceUnreachable(f"Fireworks cannot be reached: {error}") from None

    def find(self, work: Callable[[Any], Any]) -> Any:
        """Ask for something that may not be there; ``None`` where it is not."""
        try:
            return self.call(work)
        except CallRefused as refused:
            if refused.status == 404:
                return None
            raise

    def put(self, url: str, body: bytes) -> None:
        """Send a file to an address that the service signed; no key goes there.

        Raises
        ------
        ServiceUnreachable, CallRefused
            It was not taken.
        """
        import httpx  # noqa: PLC0415 - comes with the SDK

        checked_base_url(url.partition("?")[0])
        length = str(len(body))
        headers = {
            "Content-Type": "application/octet-stream",
            "X-Goog-Content-Length-Range": f"{length},{length}",
        }
        try:
            answer = self._http.put(url, content=body, headers=headers)
        except httpx.TransportError as error:
            raise ServiceUnreachable(
                f"The storage of Fireworks cannot be reached: {error}"
            ) from None
        if answer.status_code >= 500:
            raise ServiceUnreachable(f"The storage of Fireworks failed ({answer.status_code}).")
        if answer.status_code >= 300:
            raise CallRefused(
                f"The storage of Fireworks did not take the evaluator ({answer.status_code}).",
                status=answer.status_code,
            )


def _refused(error: Any) -> RftError:
    status, words = int(error.status_code), _words(error)
    if status in (408, 429) or status >= 500:
        after = error.response.headers.get("retry-after", "")
        return ServiceUnreachable(
            f"Fireworks cannot do that now ({status}). {words}".strip(),
            retry_after_s=float(after) if after.replace(".", "", 1).isdigit() else None,
        )
    if status in (401, 403):
        return ModelRefused(
            f"Fireworks does not let this key do that ({status}). {words}".strip(),
            hint="Evaluators want a key of an administrator of the account.",
        )
    return CallRefused(f"Fireworks refuses that ({status}). {words}".strip(), status=status)


def _words(error: Any) -> str:
    body = error.body
    found = body.get("error", body) if isinstance(body, dict) else body
    said = found.get("message") if isinstance(found, dict) else found
    return str(said or "")[:_MOST_WORDS]
