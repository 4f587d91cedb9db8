"""Graders of the stand-in server: checked and run as this package does it itself."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec

from rft_widgets.errors import RftError
from rft_widgets.graders import Sample, compile_grader, load_grader
from rft_widgets.model.llm import ModelAnswer, ModelUsage
from rft_widgets.testing.calls import Call
from rft_widgets.testing.chat import ChatRequest, Script, answered, tokens
from rft_widgets.testing.embeddings import vector_of
from rft_widgets.testing.faults import error_response
from rft_widgets.testing.wire import HttpResponse, json_response


class Graders:
    """Validates and runs graders; a part of the service. Judges are answered by the script."""

    def __init__(self, script: Script) -> None:
        self._script = script

    def __call__(self, call: Call) -> HttpResponse | None:
        """Answer what is asked of graders."""
        match call.method, call.path:
            case "POST", ("fine_tuning", "alpha", "graders", "validate" | "run" as what):
                problem = fault_of(call.given.get("grader"))
                if problem:
                    return error_response(400, problem, code="invalid_grader")
                if what == "validate":
                    return json_response({"grader": call.given["grader"]})
                return self._run(call.given)
        return None

    def _run(self, given: dict[str, Any]) -> HttpResponse:
        text, item = given.get("model_sample"), given.get("item") or {}
        if not isinstance(text, str) or not isinstance(item, dict):
            return error_response(400, "'model_sample' is text, and 'item' an object.")
        choice = {"index": 0, "message": {"role": "assistant", "content": text},
                  "finish_reason": "stop"}  # fmt: skip
        try:
            with compile_grader(
                given["grader"], model_call=partial(_asked, self._script), embed=_embedded
            ) as grader:
                result = grader.grade(Sample(output_text=text, choices=(choice,)), item)
        except RftError as error:
            return error_response(400, str(error), code="invalid_grader")
        # A hosted service knows no failed grading: it is worth 0, and the flags say why.
        made = msgspec.to_builtins(result)
        shown = {name: made[name] for name in _SHOWN} | {"reward": result.reward or 0.0}
        return json_response(shown)


def fault_of(grader: Any) -> str | None:
    """What is wrong with a grader, if anything."""
    if not isinstance(grader, dict):
        return "'grader' is required."
    try:
        load_grader(grader)
    except RftError as error:
        return str(error)
    return None


def _asked(
    script: Script, model: str, messages: Sequence[dict[str, Any]], *,
    response_schema: dict[str, Any] | None = None, **more: Any,
) -> ModelAnswer:  # fmt: skip
    """What the script answers to a judge's question; a `ModelCall`."""
    body = {"model": model, "messages": list(messages), "temperature": 0, **_said(more)}
    if response_schema is not None:
        wanted = {"name": "answer", "schema": response_schema}
        body["response_format"] = {"type": "json_schema", "json_schema": wanted}
    answer = answered(script(ChatRequest(body)))
    prompt = tokens(msgspec.json.encode(body["messages"]).decode())
    return ModelAnswer(
        text=answer.text,
        refusal=answer.refusal,
        model=model,
        usage=ModelUsage(prompt_tokens=prompt, completion_tokens=tokens(answer.text or "")),
    )


def _said(more: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in more.items() if value is not None and name != "repeat"}


def _embedded(texts: Sequence[str]) -> list[list[float]]:
    return [vector_of(text).tolist() for text in texts]


_SHOWN = ("metadata", "sub_rewards", "model_grader_token_usage_per_model")
