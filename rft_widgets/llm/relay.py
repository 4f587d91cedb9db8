"""Answers the model calls of another process through our own clients.

So these stand in the ledger and keep to its limits; what was asked here before is not paid again,
and the other process needs no key.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from rft_widgets.errors import RftError
from rft_widgets.llm.client import ModelClient
from rft_widgets.llm.requests import CHAT, EMBEDDINGS
from rft_widgets.model.llm import ModelAnswer, ModelCallFailed
from rft_widgets.web import url_of

_HOST = "127.0.0.1"


class Relay:
    """A server on this machine that speaks the OpenAI protocol while it is entered.

    Parameters
    ----------
    clients
        Who asks; a single one whatever the model, of several each its own model. They stay open.
    repeats
        How often the same thing is asked on purpose, as a panel of judges does.
    """

    def __init__(self, clients: Sequence[ModelClient], *, repeats: int = 1) -> None:
        self._clients, self._repeats = clients, repeats
        self._by_model = {client.model: client for client in clients}
        self._asked: Counter[bytes] = Counter()
        self._lock = threading.Lock()
        self.ended: RftError | None = None
        """What ends the whole work: a limit of money, a service that refuses."""
        self._server = ThreadingHTTPServer((_HOST, 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="rft-relay", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def base_url(self) -> str:
        """Where it is, up to ``/v1``."""
        return f"{url_of(_HOST, self._server.server_address[1])}/v1"

    def answer(self, path: str, raw: bytes) -> tuple[int, dict[str, Any]]:
        """The status and the answer to a request."""
        try:
            body = json.loads(raw)
            if path.endswith(CHAT):
                return 200, self._chat(body, self._repeat(raw))
            if path.endswith(EMBEDDINGS):
                return 200, self._embeddings(body)
        except ModelCallFailed as error:
            return error.status or 502, _error(str(error))
        except RftError as error:
            self.ended = error
            return 402, _error(error.message)
        return 404, _error("there is nothing here")

    def _repeat(self, raw: bytes) -> int:
        with self._lock:
            asked = self._asked[raw]
            self._asked[raw] += 1
        return asked % self._repeats

    def _client(self, model: str) -> ModelClient:
        return self._by_model[model] if len(self._clients) > 1 else self._clients[0]

    def _chat(self, body: dict[str, Any], repeat: int) -> dict[str, Any]:
        wanted = body.get("response_format") or {}
        answer = self._client(body["model"])(
            body["model"],
            body["messages"],
            temperature=body.get("temperature"),
            max_tokens=body.get("max_tokens", body.get("max_completion_tokens")),
            top_p=body.get("top_p"),
            seed=body.get("seed"),
            response_schema=(wanted.get("json_schema") or {}).get("schema"),
            reasoning_effort=body.get("reasoning_effort"),
            repeat=repeat,
        )
        return _completion(answer)

    def _embeddings(self, body: dict[str, Any]) -> dict[str, Any]:
        client = next(one for one in self._clients if one.named.embedding_model is not None)
        vectors = client.embed(body["input"])
        rows = [{"index": place, "embedding": one} for place, one in enumerate(vectors)]
        return {"object": "list", "model": body["model"], "data": rows}


def _completion(answer: ModelAnswer) -> dict[str, Any]:
    message = {"role": "assistant", "content": answer.text, "refusal": answer.refusal}
    usage = answer.usage
    return {
        "object": "chat.completion",
        "model": answer.model,
        "choices": [{"index": 0, "message": message, "finish_reason": answer.finish_reason}],
        "usage": None
        if usage is None
        else {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
        },
    }


def _error(words: str) -> dict[str, Any]:
    return {"error": {"message": words}}


def _handler(relay: Relay) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            status, value = relay.answer(self.path, raw)
            data = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing: what is asked holds record text."""

    return Handler
