"""Answers of a base model to the prompts of records, with their tools."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from rft_widgets.model.dry_run_settings import ROLLOUT, RolloutSettings
from rft_widgets.model.estimate import Workload, tokens_in, tokens_of_messages
from rft_widgets.model.llm import ModelAnswer, ModelCallFailed, is_reasoning_model
from rft_widgets.model.message import (
    FunctionDefinition,
    Message,
    MessageShapeError,
    Tool,
    message_from_json,
    to_json,
)
from rft_widgets.model.record import RecordInput
from rft_widgets.model.report import AnswerEnding

_ENDINGS: Mapping[str | None, AnswerEnding] = {
    "length": "cut_off",
    "content_filter": "filtered",
}


class Rollout(Struct, frozen=True, kw_only=True):
    """What a model answered to a prompt.

    ``ending`` says how; ``model`` is what the service says answered.
    """

    messages: tuple[Message, ...]
    ending: AnswerEnding
    model: str | None = None


class Answers(Protocol):
    """A model that can be asked, as a `ModelClient` is."""

    model: str

    def ask(
        self,
        messages: Sequence[dict[str, Any]],
        *,
        temperature: float | None = None,
        max_tokens: int | None = None,
        tools: Sequence[dict[str, Any]] | None = None,
        tool_choice: Any = None,
        repeat: int = 0,
    ) -> ModelAnswer:
        """Ask; `ModelCallFailed` where no answer came."""


class Rollouts:
    """Asks a model to answer prompts; a `Respond`.

    Whatever it answers is an answer, and is graded. A refusal is the text of the refusal. No text
    and no call of a tool is an empty answer. One that was cut off at its limit, or stopped by a
    filter, is what there is of it. Only where no answer comes is there nothing to grade.

    Parameters
    ----------
    client
        The model.
    temperature, max_tokens
        As `sampling` gives them.
    """

    def __init__(
        self, client: Answers, *, temperature: float | None, max_tokens: int | None
    ) -> None:
        self._client, self._temperature, self._max_tokens = client, temperature, max_tokens

    def __call__(self, prompt: RecordInput, repeat: int) -> Rollout:
        """Ask; the ``repeat``-th answer to a prompt is another one than the first."""
        tools = [_wire_tool(tool) for tool in prompt.tools]
        answer = self._client.ask(
            wire_messages(prompt.messages),
            temperature=self._temperature,
            max_tokens=self._max_tokens,
            tools=tools or None,
            tool_choice=prompt.tool_choice if tools else None,
            repeat=repeat,
        )
        return read_rollout(answer)


def read_rollout(answer: ModelAnswer) -> Rollout:
    """An answer as messages that can be graded.

    Raises
    ------
    ModelCallFailed
        It calls tools in a form that is none.
    """
    if answer.refusal:
        said: dict[str, Any] = {"content": answer.refusal, "refusal": answer.refusal}
        ending: AnswerEnding = "refused"
    else:
        calls = list(answer.tool_calls)
        said = {"content": answer.text if calls else answer.text or ""}
        said |= {"tool_calls": calls} if calls else {}
        usual: AnswerEnding = "called_tools" if calls else "whole"
        ending = _ENDINGS.get(answer.finish_reason, usual)
        if ending == "whole" and not (answer.text or "").strip():
            ending = "empty"
    try:
        message = message_from_json({"role": "assistant", **said}, "the answer")
    except MessageShapeError as error:
        raise ModelCallFailed(f"the answer cannot be read: {error}") from None
    return Rollout(messages=(message,), ending=ending, model=answer.model)


def sampling(
    model: str,
    temperature: float | None,
    max_tokens: int | None,
    settings: RolloutSettings = ROLLOUT,
) -> tuple[float | None, int | None]:
    """Temperature and most tokens that a model is asked with, where nobody says.

    A model that thinks takes no temperature, and thinks on its tokens: both are left to it.
    """
    if is_reasoning_model(model):
        return temperature, max_tokens
    return (
        settings.temperature if temperature is None else temperature,
        settings.max_tokens if max_tokens is None else max_tokens,
    )


def rollout_workload(
    prompts: Iterable[RecordInput],
    rollouts: int,
    answers: Sequence[Sequence[Message]],
    max_tokens: int | None,
    settings: RolloutSettings = ROLLOUT,
) -> Workload:
    """Calls and tokens that answers to prompts are expected to take.

    Parameters
    ----------
    prompts
        Some of the prompts.
    rollouts
        Answers to all of them together.
    answers
        Recorded answers, which the new ones will be about as long as.
    max_tokens
        Most tokens of an answer.
    settings
        How long an answer is taken to be where none was recorded.
    """
    sizes = [
        tokens_of_messages([*wire_messages(one.messages), *map(_wire_tool, one.tools)])
        for one in prompts
    ]
    said = [sum(tokens_in(str(to_json(message))) for message in answer) for answer in answers]
    written = sum(said) / len(said) if said else settings.usual_tokens
    each = min(written, max_tokens) if max_tokens else written
    return Workload(
        calls=rollouts,
        prompt_tokens=round(sum(sizes) / max(1, len(sizes)) * rollouts),
        completion_tokens=round(each * rollouts),
    )


def wire_messages(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """Messages as services take them: without what else a trace knew of them."""
    return [_wire(message) for message in messages]


def _wire(message: Message) -> dict[str, Any]:
    made: dict[str, Any] = to_json(message)
    for key in message.extra:
        made.pop(key, None)
    for call, source in zip(made.get("tool_calls", ()), message.tool_calls, strict=True):
        for key in source.extra:
            call.pop(key, None)
        for key in source.function.extra if source.function else ():
            call["function"].pop(key, None)
    made.setdefault("content", None)
    return made


def _wire_tool(tool: Tool) -> dict[str, Any]:
    made: dict[str, Any] = to_json(tool)
    if tool.function is not None:  # of another kind of tool everything is its definition
        known = {*FunctionDefinition.__struct_fields__} - {"extra"}
        made = {
            "type": tool.type,
            "function": {key: one for key, one in made["function"].items() if key in known},
        }
    return made
