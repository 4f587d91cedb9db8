"""A connection to any service that speaks the OpenAI chat protocol."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from rft_widgets.errors import ExtraRequired
from rft_widgets.model.llm import ModelAnswer, ModelCallFailed, ModelUsage, is_reasoning_model
from rft_widgets.web import checked_base_url

if TYPE_CHECKING:
    from openai import OpenAI

NO_KEY = "none"
"""Sent as the key to a service that wants none."""


class OpenAIModelCall:
    """Chat completions through the ``openai`` package; a `ModelCall`.

    One attempt a call, no redirects, no proxies from the environment. Safe to share by threads.

    Parameters
    ----------
    base_url
        Where the service is, up to ``/v1``: https, or http on this machine.
    api_key_env
        *Name* of the environment variable that holds the key, read when a call is made and kept
        nowhere else; ``None`` for a service that wants none.
    timeout_s
        Longest wait for one call.
    structured
        Whether to send the response schema; ``False`` for servers that refuse it.

    Raises
    ------
    ExtraRequired
        If the ``openai`` package is not installed.
    InvalidArgument
        If the URL is not one that a key may be sent to.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key_env: str | None = "OPENAI_API_KEY",
        timeout_s: float = 60.0,
        structured: bool = True,
    ) -> None:
        self.base_url = checked_base_url(base_url)
        self.api_key_env = api_key_env
        self.timeout_s = timeout_s
        self.structured = structured
        self._lock = threading.Lock()
        self._client: OpenAI | None = None
        _openai()

    def __repr__(self) -> str:
        return f"OpenAIModelCall({self.base_url!r}, api_key_env={self.api_key_env!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        options: dict[str, Any] = {
            "api_key_env": self.api_key_env,
            "timeout_s": self.timeout_s,
            "structured": self.structured,
        }
        return partial(OpenAIModelCall, **options), (self.base_url,)

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

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
        repeat: int = 0,  # noqa: ARG002 - nothing is kept here
    ) -> ModelAnswer:
        """Ask once.

        Raises
        ------
        ModelCallFailed
            If there is no answer that can be read; the text holds no key.
        """
        openai = _openai()
        limit = "max_completion_tokens" if is_reasoning_model(model) else "max_tokens"
        body: dict[str, Any] = {
            "temperature": temperature,
            limit: max_tokens,
            "top_p": top_p,
            "seed": seed,
            "reasoning_effort": reasoning_effort,
            "tools": list(tools) if tools else None,
            "tool_choice": tool_choice if tools else None,
        }
        if response_schema is not None and self.structured:
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "verdict", "strict": True, "schema": response_schema},
            }
        key = self._key()
        given = {name: value for name, value in body.items() if value is not None}
        try:
            completions: Any = self._connected().chat.completions
            raw = completions.with_raw_response.create(
                model=model, messages=list(messages), **given
            )
            answer = raw.http_response.json()
        except openai.APIStatusError as error:
            raise ModelCallFailed(
                _without(key, f"HTTP {error.status_code}: {_body(error)}"),
                status=error.status_code,
                retryable=error.status_code == 429 or error.status_code >= 500,
            ) from None
        except openai.APITimeoutError:
            raise ModelCallFailed(f"no answer in {self.timeout_s:g} s", retryable=True) from None
        except openai.APIConnectionError as error:
            why = type(error.__cause__ or error).__name__
            raise ModelCallFailed(
                f"cannot connect to {self.base_url}: {why}", retryable=True
            ) from None
        except (openai.OpenAIError, ValueError, RecursionError) as error:
            text = f"the answer cannot be read: {type(error).__name__}"
            raise ModelCallFailed(text) from None
        return _read(answer)

    def _connected(self) -> OpenAI:
        with self._lock:
            if self._client is None:
                openai = _openai()
                self._client = openai.OpenAI(
                    base_url=self.base_url,
                    api_key=self._key,
                    max_retries=0,
                    timeout=self.timeout_s,
                    http_client=openai.DefaultHttpxClient(
                        follow_redirects=False, trust_env=False, timeout=self.timeout_s
                    ),
                )
                # What the environment says about one service is not told to another.
                self._client.organization = None
                self._client.project = None
            return self._client

    def _key(self) -> str:
        if self.api_key_env is None:
            return NO_KEY
        key = os.environ.get(self.api_key_env)
        if not key:
            raise ModelCallFailed(f"the environment variable {self.api_key_env} is not set")
        return key


def _read(answer: Any) -> ModelAnswer:
    """The first choice of a chat completion, whatever else a server has put there."""
    try:
        choice = answer["choices"][0]
        message = choice["message"]
        text, refusal = message.get("content"), message.get("refusal")
        calls = message.get("tool_calls") or ()
    except (KeyError, IndexError, TypeError, AttributeError):
        raise ModelCallFailed("the answer has no choices") from None
    if isinstance(text, list):
        parts = (part.get("text") for part in text if isinstance(part, dict))
        text = "".join(part for part in parts if isinstance(part, str))
    used = answer.get("usage")
    usage = None
    if isinstance(used, dict):
        details = used.get("prompt_tokens_details")
        usage = ModelUsage(
            prompt_tokens=_count(used, "prompt_tokens"),
            completion_tokens=_count(used, "completion_tokens"),
            cached_tokens=_count(details, "cached_tokens") if isinstance(details, dict) else None,
        )
    return ModelAnswer(
        text=text if isinstance(text, str) else None,
        usage=usage,
        refusal=refusal if isinstance(refusal, str) and refusal else None,
        finish_reason=_text(choice, "finish_reason"),
        model=_text(answer, "model"),
        tool_calls=tuple(call for call in calls if isinstance(call, dict)),
    )


def _count(values: dict[str, Any], key: str) -> int | None:
    value = values.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _text(values: dict[str, Any], key: str) -> str | None:
    value = values.get(key)
    return value if isinstance(value, str) else None


def _body(error: Any) -> str:
    body = error.body
    message = body.get("message") if isinstance(body, dict) else None
    return str(message or error.response.reason_phrase)[:500]


def _without(key: str, text: str) -> str:
    return text.replace(key, "***") if key != NO_KEY else text


def _openai() -> Any:
    try:
        import openai  # noqa: PLC0415 - heavy and optional
    except ImportError as error:
        raise ExtraRequired(
            "Asking a model needs the openai package.", hint="pip install 'rft-widgets[openai]'."
        ) from error
    return openai
