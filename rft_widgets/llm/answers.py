"""Answers of a service, read whatever else it has put there."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from rft_widgets.model.llm import ModelAnswer, ModelCallFailed, ModelUsage


def read_chat(raw: bytes) -> ModelAnswer:
    """The first choice of a chat completion.

    Raises
    ------
    ModelCallFailed
        It cannot be read, or has none.
    """
    answer = _decoded(raw)
    try:
        choice = answer["choices"][0]
        message = choice["message"]
        text, refusal = message.get("content"), message.get("refusal")
        calls = message.get("tool_calls") or ()
        calls = tuple(call for call in calls if isinstance(call, dict))
    except (KeyError, IndexError, TypeError, AttributeError):
        raise ModelCallFailed("the answer has no choices") from None
    if isinstance(text, list):
        parts = (part.get("text") for part in text if isinstance(part, dict))
        text = "".join(part for part in parts if isinstance(part, str))
    return ModelAnswer(
        text=text if isinstance(text, str) else None,
        usage=_usage(answer),
        refusal=refusal if isinstance(refusal, str) and refusal else None,
        finish_reason=_text(choice, "finish_reason"),
        model=_text(answer, "model"),
        tool_calls=calls,
    )


def read_embeddings(raw: bytes, texts: int) -> tuple[list[list[float]], ModelUsage | None]:
    """Vectors in the order of the texts.

    Raises
    ------
    ModelCallFailed
        It cannot be read, or some are missing or of another length.
    """
    answer = _decoded(raw)
    try:
        rows = {int(row["index"]): [float(x) for x in row["embedding"]] for row in answer["data"]}
        vectors = [rows[place] for place in range(texts)]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise ModelCallFailed(f"the answer has no {texts:,} vectors") from None
    if len({len(vector) for vector in vectors}) != 1 or not vectors[0]:
        raise ModelCallFailed("the vectors of the answer are of different lengths")
    return vectors, _usage(answer)


def _decoded(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except RecursionError:
        raise ModelCallFailed("the answer cannot be read: it is nested too deep") from None
    except (msgspec.DecodeError, ValueError):
        pass
    try:  # half of a surrogate pair, where a text was cut off within a character
        text = json.dumps(json.loads(raw.decode(errors="replace")), ensure_ascii=False)
        return json.loads(text.encode(errors="replace"))
    except (ValueError, RecursionError) as error:
        why = type(error).__name__
        raise ModelCallFailed(f"the answer cannot be read: {why}") from None


def _usage(answer: Any) -> ModelUsage | None:
    used = answer.get("usage")
    if not isinstance(used, dict):
        return None
    details = used.get("prompt_tokens_details")
    return ModelUsage(
        prompt_tokens=_count(used, "prompt_tokens"),
        completion_tokens=_count(used, "completion_tokens"),
        cached_tokens=_count(details, "cached_tokens") if isinstance(details, dict) else None,
    )


def _count(values: dict[str, Any], key: str) -> int | None:
    value = values.get(key)
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
    return value if is_count else None


def _text(values: dict[str, Any], key: str) -> str | None:
    value = values.get(key)
    return value if isinstance(value, str) else None
