"""What costs money elsewhere: chat completions and embeddings."""

from __future__ import annotations

from typing import Any

import msgspec

from rft_widgets.testing.calls import Call
from rft_widgets.testing.chat import (
    ChatRequest,
    Script,
    answered,
    completion,
    streamed,
    wanted_choices,
)
from rft_widgets.testing.embeddings import embeddings
from rft_widgets.testing.faults import FaultName, error_response
from rft_widgets.testing.models import Models
from rft_widgets.testing.stored import StoredCompletions
from rft_widgets.testing.wire import HttpResponse, json_response


class Asking:
    """Answers what a model is asked; ``script`` says what."""

    def __init__(
        self, script: Script, models: Models, stored: StoredCompletions, *, seed: int
    ) -> None:
        self._script, self._models, self._stored, self._seed = script, models, stored, seed

    def __call__(
        self, call: Call, identity: str, nth: int, fault: FaultName | None
    ) -> HttpResponse:
        """Answer a request; ``nth`` counts its answers from 0."""
        body = call.body
        if not isinstance(body, dict):
            return error_response(400, "We could not parse the JSON body of your request.")
        model = self._models.answering(body)
        if isinstance(model, HttpResponse):
            return model
        if call.path == ("embeddings",):
            found = embeddings(body, model=model)
            if found is None:
                return error_response(400, "'input' must be text or a list of texts.")
            return json_response(found)
        return self._chat(body, model, identity, nth, fault)

    def _chat(
        self, body: dict[str, Any], model: str, identity: str, nth: int, fault: FaultName | None
    ) -> HttpResponse:
        messages = body.get("messages")
        if not isinstance(messages, list) or not messages:
            return error_response(400, "'messages' must be a list with at least one message.")
        requests = [
            ChatRequest(body, seed=self._seed, nth=nth, choice=i)
            for i in range(wanted_choices(body))
        ]
        answers = [answered(self._script(request)) for request in requests]
        made = completion(
            body, answers, model=model, identity=f"{identity[:20]}{nth:04}", fault=fault
        )
        if body.get("store"):
            self._stored.keep(body, made)
        response = (
            streamed(body, made, slow=fault == "slow")
            if body.get("stream")
            else HttpResponse(body=msgspec.json.encode(made))
        )
        response.after_s = max(answer.after_s for answer in answers)
        return response
