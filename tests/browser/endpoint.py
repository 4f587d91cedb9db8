"""What a client of a deployed model does."""

from __future__ import annotations

import json
import urllib.error
import urllib.request


def asked(url: str, token: str, model: str) -> tuple[int, str | None]:
    """Status of a real request, and the arm that answered."""
    body = {"model": model, "messages": [{"role": "user", "content": "Where is my parcel?"}]}
    request = urllib.request.Request(
        f"{url}/chat/completions",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert json.load(answer)["choices"][0]["message"]["content"]
            return answer.status, answer.headers["X-RFT-Arm"]
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, None
