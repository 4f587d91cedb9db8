"""Requests to a model as bytes, and the keys they are known by."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from rft_widgets.model.call_settings import CALLS
from rft_widgets.model.llm import is_reasoning_model

CHAT = "/chat/completions"
EMBEDDINGS = "/embeddings"

_ENCODER = msgspec.json.Encoder(order="sorted")


class ModelRequest(Struct, frozen=True, gc=False):
    """A request: what is sent, and what it will take at most."""

    path: str
    model: str
    body: bytes
    key: str
    repeat: int
    kept: bytes
    """What the key is the hash of, and what the ledger keeps: the body, its place, its repeat."""
    prompt_tokens: int
    completion_tokens: int


def chat_request(
    base_url: str,
    model: str,
    messages: Sequence[dict[str, Any]],
    *,
    structured: bool,
    temperature: float | None,
    max_tokens: int | None,
    top_p: float | None,
    seed: int | None,
    response_schema: dict[str, Any] | None,
    reasoning_effort: str | None,
    tools: Sequence[dict[str, Any]] | None,
    tool_choice: Any,
    repeat: int,
) -> ModelRequest:
    """A chat completion; what is ``None`` is left to the service."""
    limit = "max_completion_tokens" if is_reasoning_model(model) else "max_tokens"
    values: dict[str, Any] = {
        "model": model,
        "messages": list(messages),
        "temperature": temperature,
        limit: max_tokens,
        "top_p": top_p,
        "seed": seed,
        "reasoning_effort": reasoning_effort,
        "tools": list(tools) if tools else None,
        "tool_choice": tool_choice if tools else None,
    }
    if response_schema is not None and structured:
        values["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": response_schema},
        }
    return _request(
        base_url,
        CHAT,
        model,
        {name: value for name, value in values.items() if value is not None},
        repeat,
        max_tokens if max_tokens is not None else CALLS.unknown_completion_tokens,
    )


def embedding_request(base_url: str, model: str, texts: Sequence[str]) -> ModelRequest:
    """Vectors of texts."""
    body = {"model": model, "input": list(texts), "encoding_format": "float"}
    return _request(base_url, EMBEDDINGS, model, body, 0, 0)


def encode_body(body: dict[str, Any]) -> bytes:
    """A body in its one form."""
    return _ENCODER.encode(body)


def key_of(base_url: str, path: str, body: bytes, repeat: int) -> tuple[str, bytes]:
    """The key of a request, and what it is the hash of."""
    head = _ENCODER.encode({"base_url": base_url, "path": path, "repeat": repeat})
    kept = b'%s,"body":%s}' % (head[:-1], body)
    return hashlib.sha256(kept).hexdigest(), kept


def _request(
    base_url: str, path: str, model: str, body: dict[str, Any], repeat: int, completion: int
) -> ModelRequest:
    encoded = encode_body(body)
    key, kept = key_of(base_url, path, encoded, repeat)
    return ModelRequest(
        path, model, encoded, key, repeat, kept,
        # Names and brackets make up for texts with more tokens than is usual.
        math.ceil(len(encoded) / CALLS.chars_per_token),
        completion,
    )  # fmt: skip
