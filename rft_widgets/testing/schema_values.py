"""Values that fit a JSON schema, made from the words of what was asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from rft_widgets.testing.chat import ChatRequest

_DEPTH = 12
_WORD = re.compile(r"\w[\w'-]*")
_FORMATS = {
    "date": "2026-06-01",
    "date-time": "2026-06-01T12:00:00Z",
    "time": "12:00:00Z",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def fitting(request: ChatRequest) -> Any:
    """A value that fits the schema of a request."""
    schema = request.schema or {}
    return _Filler(schema, request).value(schema)


def filled(schema: dict[str, Any], request: ChatRequest, words: Sequence[str] = ()) -> Any:
    """A value that fits a schema, of given words or of those of a request."""
    return _Filler(schema, request, words).value(schema)


class _Filler:
    def __init__(
        self, root: dict[str, Any], request: ChatRequest, words: Sequence[str] = ()
    ) -> None:
        self._root = root
        self._chance = request.chance
        self._question = request.question
        self._given = words

    def value(self, schema: Any, depth: int = 0) -> Any:
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return self._chance.choice(schema["enum"])
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = next((one for one in kind if one != "null"), "null")
        if kind is None:
            kind = "object" if "properties" in schema else "array" if "items" in schema else "null"
        made: Any = getattr(self, f"_{kind}", self._null)(schema, depth)
        return made

    def _resolved(self, schema: Any) -> dict[str, Any]:
        """Follow references and take the first of alternatives that says something."""
        for _ in range(_DEPTH):
            if not isinstance(schema, dict):
                return {}
            if isinstance(ref := schema.get("$ref"), str):
                found: Any = self._root
                for key in ref.lstrip("#/").split("/"):
                    found = found.get(key, {}) if key and isinstance(found, dict) else found
                schema = found
            elif options := schema.get("anyOf") or schema.get("oneOf"):
                schema = next((one for one in options if one.get("type") != "null"), options[0])
            elif parts := schema.get("allOf"):
                schema = {k: v for part in parts for k, v in self._resolved(part).items()}
            else:
                return schema
        return {}

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties") or {}
        wanted = properties if depth < _DEPTH // 2 else schema.get("required", ())
        return {name: self.value(properties.get(name), depth + 1) for name in wanted}

    def _array(self, schema: dict[str, Any], depth: int) -> list[Any]:
        least = int(schema.get("minItems", 0))
        most = int(schema.get("maxItems", max(least, 2)))
        n = max(least, min(most, 2)) if depth < _DEPTH // 2 else least
        return [self.value(schema.get("items"), depth + 1) for _ in range(n)]

    def _string(self, schema: dict[str, Any], _depth: int) -> str:
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        if self._given:
            text = self._chance.choice(self._given)
        else:
            words = _WORD.findall(self._question)[:400] or ["nothing"]
            start = self._chance.randrange(len(words))
            text = " ".join(words[start : start + 6])
        text = text.ljust(int(schema.get("minLength", 0)), ".")
        return text[: int(schema.get("maxLength", 200))]

    def _number(self, schema: dict[str, Any], _depth: int) -> float:
        low, high = bounds(schema)
        return round(low + (high - low) * self._chance.random(), 3)

    def _integer(self, schema: dict[str, Any], _depth: int) -> int:
        low, high = bounds(schema, whole=True)
        return self._chance.randint(int(low), max(int(low), int(high)))

    def _boolean(self, _schema: dict[str, Any], _depth: int) -> bool:
        return self._chance.random() < 0.5

    def _null(self, _schema: dict[str, Any], _depth: int) -> None:
        return None


def bounds(schema: dict[str, Any], *, whole: bool = False) -> tuple[float, float]:
    """Least and largest number that a schema allows; 0 to 1, or to 10 of whole ones, if any."""
    step = 1 if whole else 1e-3
    low = schema.get("minimum", schema.get("exclusiveMinimum", -step) + step)
    high = schema.get("maximum")
    if high is None:
        above = schema.get("exclusiveMaximum")
        high = low + (10 if whole else 1) if above is None else above - step
    return low, max(low, high)
