"""Requests that a service refused, or that brought no answer: what to make of them."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Mapping

import msgspec

from rft_widgets.model.llm import ModelCallFailed

NO_KEY = "none"
"""Sent as the key to a service that wants none."""

_NO_QUOTA = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
_GONE = frozenset({"model_not_found", "model_not_available", "deprecated_model"})
_MOST_WORDS = 500


class CallFault(ModelCallFailed):
    """One request that brought no answer.

    ``refused`` says that none of ours will, ``may_be_paid`` that it was sent and its answer not
    seen, ``is_limit`` that it came too soon, ``retry_after_s`` when the service wants to be asked
    again.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retryable: bool = False,
        refused: bool = False,
        may_be_paid: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, status=status, retryable=retryable)
        self.refused, self.may_be_paid = refused, may_be_paid
        self.is_limit, self.retry_after_s = status == 429, retry_after_s


def status_fault(
    status: int, body: bytes, reason: str, headers: Mapping[str, str], key: str
) -> CallFault:
    """What an answer that is none says; ``headers`` are read whatever their case."""
    code, words = _said(body, reason)
    refused = status in (401, 402, 403, 404) or code in _NO_QUOTA or code in _GONE
    return CallFault(
        _without(key, f"HTTP {status}: {words}"),
        status=status,
        retryable=not refused and (status in (408, 409, 429) or status >= 500),
        refused=refused,
        retry_after_s=retry_after(headers),
    )


def _said(body: bytes, reason: str) -> tuple[str, str]:
    """Code and words of an error."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        value = None
    error = value.get("error", value) if isinstance(value, dict) else None
    error = error if isinstance(error, dict) else {"message": error}
    words = error.get("message") or reason
    return str(error.get("code") or ""), str(words)[:_MOST_WORDS]


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a service wants to be left alone; as number, as time, or as milliseconds."""
    try:
        if "retry-after-ms" in headers:
            return max(float(headers["retry-after-ms"]) / 1000, 0.0)
        text = headers.get("retry-after")
        if text is None:
            return None
        if text.replace(".", "", 1).isdigit():
            return float(text)
        return max(email.utils.parsedate_to_datetime(text).timestamp() - time.time(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return None


def _without(key: str, text: str) -> str:
    return text.replace(key, "***") if key != NO_KEY else text
