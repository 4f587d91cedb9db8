"""Conversations as a model's tokenizer writes them, and answers read back from its tokens."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any, Literal

import msgspec

from rft_widgets.errors import InvalidArgument, NoCandidate
from rft_widgets.model.message import (
    Message,
    MessageShapeError,
    Tool,
    message_from_json,
    to_json,
)
from rft_widgets.model.record import RecordInput

THOUGHT_BEGINS, THOUGHT_ENDS = "<think>", "</think>"
CALL_BEGINS = "<tool_call>"

_CALL = re.compile(r"<tool_call>\s*(\{.*?\})\s*</tool_call>", re.DOTALL)
_TRIAL_MESSAGES = [{"role": "user", "content": "-"}]
_TRIAL_TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "rft_trial",
            "description": "-",
            "parameters": {"type": "object", "properties": {}},
        },
    }
]

CallForm = Literal["template", "tags", "unknown"]
"""How a model writes calls of tools: as its tokenizer's response template says, as JSON between
``<tool_call>`` tags, or in a way that is not known."""


class Chat:
    """The chat template of a tokenizer.

    Raises
    ------
    InvalidArgument
        The tokenizer has none.
    """

    def __init__(self, tokenizer: Any, where: str) -> None:
        if not tokenizer.chat_template:
            raise InvalidArgument(
                f"{where} has no chat template, so nobody knows how to write a conversation to it.",
                hint="Use a model that was made for chat.",
            )
        self.tokenizer = tokenizer

    @cached_property
    def calls(self) -> CallForm:
        """How calls of tools are written."""
        if getattr(self.tokenizer, "response_template", None) is not None:
            return "template"
        text = str(self.tokenizer.chat_template)
        if CALL_BEGINS in text and "<function=" not in text:
            return "tags"
        # Where TRL is installed, it knows of more models.
        with suppress(ImportError, ValueError):
            from trl.chat_template_utils import add_response_schema  # noqa: PLC0415 - heavy

            add_response_schema(self.tokenizer)
            return "template"
        return "unknown"

    @cached_property
    def takes_tools(self) -> bool:
        """Whether the template has a place for tools, and calls of them can be read."""
        if self.calls == "unknown":
            return False
        try:
            without, offered = (
                self.tokenizer.apply_chat_template(
                    _TRIAL_MESSAGES, tools=tools, tokenize=False, add_generation_prompt=True
                )
                for tools in (None, _TRIAL_TOOLS)
            )
        except _template_errors():
            return False
        return bool(without != offered)

    def prompt(self, asked: RecordInput) -> list[int]:
        """A prompt as tokens; tools are left out where the template does not take them.

        Raises
        ------
        NoCandidate
            The template cannot write it, or it holds something other than text.
        """
        messages = [_written(message) for message in asked.messages]
        tools = to_json(asked.tools) if asked.tools and self.takes_tools else None
        try:
            text = self.tokenizer.apply_chat_template(
                messages, tools=tools, tokenize=False, add_generation_prompt=True
            )
        except _template_errors() as error:
            raise NoCandidate(
                f"The model's chat template cannot write this conversation: {error}",
                hint="Leave out what the model does not know, such as a role.",
            ) from None
        read = self.tokenizer(text, add_special_tokens=False, verbose=False)
        ids: list[int] = read["input_ids"]
        return ids

    def text(self, ids: Sequence[int]) -> str:
        """Tokens of an answer as text, without those that only mark its end."""
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=True))

    def answer(
        self, ids: Sequence[int], prompt: Sequence[int], tools: Sequence[Tool], text: str
    ) -> Message:
        """Read an answer; ``text`` is what of it counts.

        Calls of tools are read where tools were offered. What cannot be read stays as text.
        """
        is_offered = bool(tools) and self.takes_tools
        if is_offered and self.calls == "template":
            found = self._by_template(ids, prompt, tools)
            if found is not None:
                return found
        thought, content = _without_thought(text)
        calls: list[dict[str, Any]] = []
        if is_offered and self.calls == "tags":
            calls, content = _tagged_calls(content)
        value: dict[str, Any] = {"role": "assistant", "content": content}
        if calls:
            value |= {"content": content.strip() or None, "tool_calls": calls}
        if thought:
            value["reasoning_content"] = thought
        return message_from_json(value, "answer")

    def _by_template(
        self, ids: Sequence[int], prompt: Sequence[int], tools: Sequence[Tool]
    ) -> Message | None:
        try:
            found = self.tokenizer.parse_response(
                list(ids), prefix=list(prompt), tools=to_json(tools)
            )
        except (ValueError, TypeError):
            return None  # a call that is not written as it should be
        if not isinstance(found, Mapping):
            return None
        with suppress(MessageShapeError):
            return message_from_json({**found, "role": "assistant"}, "answer")
        return None


def _written(message: Message) -> dict[str, Any]:
    """A message as chat templates take it."""
    if isinstance(message.content, tuple):
        kinds = {str(part.get("type")) for part in message.content} - {"text"}
        if kinds:
            raise NoCandidate(
                f"The model reads text alone; the prompt holds {', '.join(sorted(kinds))}.",
                hint="Leave such records out.",
            )
    value: dict[str, Any] = to_json(message)
    # Most templates know no other name for it, and none of them knows a missing text.
    value["role"] = "system" if message.role == "developer" else message.role
    value["content"] = message.text
    for call in value.get("tool_calls", ()):
        function = call.get("function")
        if function is not None:
            with suppress(msgspec.DecodeError):
                arguments = msgspec.json.decode(function["arguments"])
                if isinstance(arguments, dict):
                    function["arguments"] = arguments
    return value


def _without_thought(text: str) -> tuple[str, str]:
    """What a model thought before it answered, and the answer."""
    thought, found, answer = text.partition(THOUGHT_ENDS)
    if not found:
        return "", text
    return thought.removeprefix(THOUGHT_BEGINS).strip(), answer.lstrip()


def _tagged_calls(text: str) -> tuple[list[dict[str, Any]], str]:
    """Calls between tags and the text before them; no call where one of them cannot be read."""
    calls = []
    for found in _CALL.finditer(text):
        try:
            read = msgspec.json.decode(found[1])
        except msgspec.DecodeError:
            return [], text
        if not isinstance(read, dict) or not isinstance(read.get("name"), str):
            return [], text
        arguments = read.get("arguments", {})
        calls.append(
            {
                "type": "function",
                "function": {
                    "name": read["name"],
                    "arguments": arguments
                    if isinstance(arguments, str)
                    else msgspec.json.encode(arguments).decode(),
                },
            }
        )
    return calls, _CALL.sub("", text) if calls else text


def _template_errors() -> tuple[type[Exception], ...]:
    """What a chat template raises for a conversation that it cannot write."""
    from jinja2.exceptions import TemplateError  # noqa: PLC0415 - comes with transformers

    return (TemplateError, TypeError, ValueError, KeyError)
