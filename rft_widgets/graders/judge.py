"""What the two kinds of judge share: asking a model, and finding JSON in what it says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rft_widgets.errors import GraderInvalid
from rft_widgets.graders.outcome import Outcome, failed, one_line
from rft_widgets.graders.sample import Sample
from rft_widgets.graders.templates import Template, compile_template
from rft_widgets.model.grader import (
    JUDGE,
    GradingErrors,
    JudgeMessage,
    LabelModel,
    SamplingParams,
    ScoreModel,
)
from rft_widgets.model.llm import ModelAnswer, ModelCall, ModelCallFailed, is_reasoning_model

MAX_ANSWER_CHARS = 200_000
MAX_REASONING_CHARS = 20_000

Content = str | list[dict[str, Any]]
Render = Callable[[Sample, Mapping[str, Any]], Content]


class JudgePrompt:
    """The compiled messages to a judge, with what it must answer at the end of the first of them.

    Parameters
    ----------
    messages
        The grader's messages.
    instruction
        What to answer. It goes to the end of the first system or developer message, before any
        record text, or into a system message of its own.
    where
        Path of the grader, for errors.
    """

    def __init__(self, messages: Sequence[JudgeMessage], instruction: str, where: str = "") -> None:
        if not messages:
            raise GraderInvalid("a judge needs at least one message", where=f"{where}input")
        self._messages = [
            (message.role, check_message(message, f"{where}input[{i}]"))
            for i, message in enumerate(messages)
        ]
        self._instruction = instruction

    def render(self, sample: Sample, item: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The messages of one call, in the chat completions shape."""
        made: list[dict[str, Any]] = [
            {"role": role, "content": content(sample, item)} for role, content in self._messages
        ]
        for message in made:
            if message["role"] in ("system", "developer"):
                content = message["content"]
                if isinstance(content, str):
                    message["content"] = f"{content}\n\n{self._instruction}"
                else:
                    content.append({"type": "text", "text": self._instruction})
                return made
        return [{"role": "system", "content": self._instruction}, *made]


def check_message(message: JudgeMessage, where: str) -> Render:
    """Check the templates of one message; what fills them."""
    return _compile_content(message.content, f"{where}.content")


def ask(
    call: ModelCall,
    grader: ScoreModel | LabelModel,
    messages: Sequence[dict[str, Any]],
    schema: dict[str, Any],
) -> ModelAnswer | Outcome:
    """Ask the model; an `Outcome` is a failed grading."""
    params = grader.sampling_params or SamplingParams()
    thinks = is_reasoning_model(grader.model)
    temperature, max_tokens = params.temperature, params.max_completions_tokens
    if temperature is None and not thinks:
        temperature = JUDGE.temperature
    if max_tokens is None and not thinks:
        max_tokens = JUDGE.max_tokens
    try:
        answer = call(
            grader.model,
            messages,
            temperature=temperature,
            max_tokens=max_tokens,
            top_p=params.top_p,
            seed=params.seed,
            response_schema=schema,
            reasoning_effort=params.reasoning_effort,
        )
    except Exception as error:  # noqa: BLE001 - whatever fails there is a failed call
        text = str(error) if isinstance(error, ModelCallFailed) else repr(error)
        return failed(
            f"the judge could not be asked: {text}",
            GradingErrors(
                model_grader_server_error=True, model_grader_server_error_details=one_line(text)
            ),
        )
    used = usage(answer, grader.model)
    if answer.refusal or answer.finish_reason == "content_filter":
        return failed(
            f"the judge refused: {answer.refusal or 'content filter'}",
            GradingErrors(model_grader_refusal_error=True),
            **used,
        )
    return answer


def usage(answer: ModelAnswer, model: str) -> dict[str, Any]:
    """The fields of an `Outcome` that tell what a call used."""
    total = answer.usage.total_tokens if answer.usage else None
    return {"tokens": {} if total is None else {model: total}, "model": answer.model or model}


def unreadable(answer: ModelAnswer, grader: ScoreModel | LabelModel, wanted: str) -> Outcome:
    """The outcome of an answer without a verdict."""
    why = (
        "the judge's answer is empty" if not answer.text else f"the judge's answer has no {wanted}"
    )
    if answer.finish_reason == "length":
        why = "the judge's answer was cut off; raise max_completions_tokens"
    return failed(
        why,
        GradingErrors(model_grader_parse_error=True),
        reasoning=reason(answer.text),
        **usage(answer, grader.model),
    )


def reason(value: Any) -> str | None:
    """A judge's reason as text: text itself, or steps of ``description`` and ``conclusion``."""
    if isinstance(value, list):
        steps = [
            ": ".join(
                text
                for key in ("description", "conclusion")
                if isinstance(text := step.get(key), str)
            )
            for step in value
            if isinstance(step, Mapping)
        ]
        value = "\n".join(step for step in steps if step)
    if not isinstance(value, str) or not value.strip():
        return None
    return value[:MAX_REASONING_CHARS].encode("utf-8", "replace").decode()


def reason_of(found: Mapping[str, Any]) -> str | None:
    """The reason inside a judge's object, under any of the usual keys."""
    for key in ("reasoning", "reason", "explanation", "rationale", "steps"):
        text = reason(found.get(key))
        if text:
            return text
    return None


def objects(text: str) -> list[dict[str, Any]]:
    """The JSON objects of an answer, whatever prose or fences are around them.

    Two usual slips are read as meant: a comma before a closing bracket, and a line break inside
    quotes. An object that is not closed is no object.
    """
    text = text[:MAX_ANSWER_CHARS]
    found = _scan(text)
    return found or _scan(re.sub(r",(\s*[}\]])", r"\1", text))


def _scan(text: str, attempts: int = 64) -> list[dict[str, Any]]:
    found = []
    position = text.find("{")
    while position >= 0 and attempts:
        attempts -= 1
        try:
            value, position = _DECODER.raw_decode(text, position)
            found.append(value)
        except (ValueError, RecursionError):
            position += 1
        position = text.find("{", position)
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(strict=False, parse_constant=_no_constant)


def _compile_content(content: str | dict[str, Any] | tuple[Any, ...], where: str) -> Render:
    if isinstance(content, str):
        return compile_template(content, where).render
    parts = content if isinstance(content, tuple) else (content,)
    made = [
        _compile_part(part, f"{where}[{i}]" if isinstance(content, tuple) else where)
        for i, part in enumerate(parts)
    ]
    return lambda sample, item: [part(sample, item) for part in made]


def _compile_part(
    part: str | dict[str, Any], where: str
) -> Callable[[Sample, Mapping[str, Any]], dict[str, Any]]:
    if isinstance(part, str):
        part = {"type": "input_text", "text": part}
    kind = part.get("type")
    if kind in ("input_text", "output_text", "text"):
        text = _template_of(part, "text", where)
        return lambda sample, item: {"type": "text", "text": text.render(sample, item)}
    if kind == "input_image":
        url = _template_of(part, "image_url", where)
        detail = {"detail": part["detail"]} if "detail" in part else {}
        return lambda sample, item: {
            "type": "image_url",
            "image_url": {"url": url.render(sample, item), **detail},
        }
    if kind == "input_audio" and isinstance(part.get("input_audio"), dict):
        audio = {"type": "input_audio", "input_audio": part["input_audio"]}
        return lambda _sample, _item: audio
    raise GraderInvalid(
        f"there is no content part of type {kind!r}",
        where=where,
        hint="Use input_text, output_text, input_image or input_audio.",
    )


def _template_of(part: Mapping[str, Any], key: str, where: str) -> Template:
    value = part.get(key)
    if not isinstance(value, str):
        raise GraderInvalid(f"{key} must be text", where=where)
    return compile_template(value, f"{where}.{key}")
