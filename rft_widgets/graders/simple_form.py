"""The simple form of a grader: a prompt for a judge, or a script, with an optional weight."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from rft_widgets.errors import GraderInvalid
from rft_widgets.model.grader import (
    Grader,
    JudgeMessage,
    Multi,
    PythonGrader,
    SamplingParams,
    ScoreModel,
    SingleGrader,
)

ANSWER_BLOCK = "Conversation:\n{{messages}}\n\nResponse to grade:\n{{response}}"
"""What a judge is shown when its prompt names no part of the record."""

_KEYS = {
    "llm-judge": {"type", "name", "prompt", "outputSchema", "model", "temperature", "maxTokens",
                  "weight"},
    "script": {"type", "name", "script", "weight"},
}  # fmt: skip


def from_config(config: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Grader:
    """Turn the simple form into a grader.

    Parameters
    ----------
    config
        ``{"type": "llm-judge", "prompt", "model", "outputSchema"?, "temperature"?, "maxTokens"?,
        "weight"?}`` or ``{"type": "script", "script", "weight"?}``; or several of them, which
        become their mean by weight (1 unless given). Of an output schema, the bounds of its first
        number become the range; the rest is for the model that wrote it and is not used. A single
        config's weight has no meaning.

    Raises
    ------
    GraderInvalid
        If it is neither.
    """
    if isinstance(config, Mapping):
        return _single(config, "")
    parts = [_single(part, f"[{i}]") for i, part in enumerate(config)]
    weights = [_weight(part, f"[{i}]") for i, part in enumerate(config)]
    if not parts or not sum(weights):
        raise GraderInvalid("there is nothing to weigh", hint="Give at least one grader a weight.")
    names = [f"grader_{i}" for i in range(1, len(parts) + 1)]
    terms = " + ".join(f"{weight!r} * {name}" for weight, name in zip(weights, names, strict=True))
    return Multi(
        name="weighted",
        graders=dict(zip(names, parts, strict=True)),
        calculate_output=f"({terms}) / {sum(weights)!r}",
    )


def _single(config: Mapping[str, Any], where: str) -> SingleGrader:
    kind = config.get("type")
    if not isinstance(kind, str) or kind not in _KEYS:
        raise GraderInvalid(
            f"there is no grader type {kind!r}", where=where, hint="Use llm-judge or script."
        )
    unknown = sorted(set(config) - _KEYS[kind])
    if unknown:
        raise GraderInvalid(f"there is no key {unknown[0]!r} for {kind}", where=where)
    if kind == "script":
        return PythonGrader(
            name=_text(config, "name", where, "script"), source=_text(config, "script", where)
        )
    prompt = _text(config, "prompt", where)
    messages = [JudgeMessage(role="user", content=prompt)]
    if not re.search(r"\{\{.*?\}\}", prompt, re.DOTALL):
        messages = [
            JudgeMessage(role="system", content=prompt),
            JudgeMessage(role="user", content=ANSWER_BLOCK),
        ]
    temperature = _number(config, "temperature", where)
    tokens = _number(config, "maxTokens", where)
    if tokens is not None and (tokens < 1 or tokens != int(tokens)):
        raise GraderInvalid("maxTokens is a whole number above 0", where=where)
    params = None
    if temperature is not None or tokens is not None:
        params = SamplingParams(
            temperature=temperature, max_completions_tokens=None if tokens is None else int(tokens)
        )
    return ScoreModel(
        name=_text(config, "name", where, "judge"),
        model=_text(config, "model", where),
        input=tuple(messages),
        range=_range(config.get("outputSchema"), where),
        sampling_params=params,
    )


def _range(schema: Any, where: str) -> tuple[float, float] | None:
    if schema is None:
        return None
    if not isinstance(schema, Mapping):
        raise GraderInvalid("outputSchema is an object", where=where)
    properties = schema.get("properties")
    for inner in properties.values() if isinstance(properties, Mapping) else ():
        if isinstance(inner, Mapping) and inner.get("type") in ("number", "integer"):
            low, high = inner.get("minimum"), inner.get("maximum")
            return (float(low), float(high)) if _is_number(low) and _is_number(high) else None
    return None


def _weight(config: Mapping[str, Any], where: str) -> float:
    weight = _number(config, "weight", where)
    if weight is not None and weight < 0:
        raise GraderInvalid("a weight is not negative", where=where)
    return 1.0 if weight is None else weight


def _text(config: Mapping[str, Any], key: str, where: str, default: str | None = None) -> str:
    value = config.get(key) or default
    if not isinstance(value, str):
        raise GraderInvalid(f"{key} is missing" if not value else f"{key} is text", where=where)
    return value


def _number(config: Mapping[str, Any], key: str, where: str) -> float | None:
    value = config.get(key)
    if value is not None and not _is_number(value):
        raise GraderInvalid(f"{key} is a number", where=where)
    return None if value is None else float(value)


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
