"""Embeddings of the stand-in server: hashed words, so that texts that share words are near."""

from __future__ import annotations

import base64
import re
from functools import lru_cache
from typing import Any

import numpy as np

from rft_widgets.model.llm import STAND_IN
from rft_widgets.testing.chat import tokens
from rft_widgets.testing.seeded import digest

EMBEDDING_STAND_IN = f"{STAND_IN}-embeddings"
DIMENSIONS = 256
_WORDS = re.compile(r"[^\W_]+")


def embeddings(body: dict[str, Any], *, model: str) -> dict[str, Any] | None:
    """Vectors of the texts of a request; ``None`` if there are none in it."""
    given = body.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(one, str) for one in texts):
        return None
    wanted = body.get("dimensions")
    size = wanted if isinstance(wanted, int) and 0 < wanted <= 4096 else DIMENSIONS
    as_text = body.get("encoding_format") == "base64"
    data = []
    for i, text in enumerate(texts):
        vector = vector_of(text, size)
        value: Any = vector.tolist()
        if as_text:
            value = base64.b64encode(vector.astype("<f4").tobytes()).decode()
        data.append({"object": "embedding", "index": i, "embedding": value})
    used = sum(tokens(text) for text in texts)
    usage = {"prompt_tokens": used, "total_tokens": used}
    return {"object": "list", "data": data, "model": model, "usage": usage}


def vector_of(text: str, size: int = DIMENSIONS) -> np.ndarray[Any, np.dtype[np.float32]]:
    """A vector of length 1: words and their stems count, order does not."""
    vector = np.zeros(size, dtype=np.float32)
    for word in _WORDS.findall(text.casefold()) or [text]:
        for part, weight in ((word, 1.0), (word[:5], 0.5)):
            position, sign = _place(part)
            vector[position % size] += weight * sign
    length = float(np.linalg.norm(vector))
    return vector / length if length else vector


@lru_cache(maxsize=50_000)
def _place(word: str) -> tuple[int, float]:
    found = digest("word", word)
    return int.from_bytes(found[:4]), 1.0 if found[4] & 1 else -1.0
