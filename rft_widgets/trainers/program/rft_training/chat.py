"""Conversations as the model's chat template writes them, and answers read from its tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal

import msgspec

THOUGHT_BEGINS, THOUGHT_ENDS = "<think>", "</think>"
CALL_BEGINS = "<tool_call>"

_CALL = re.compile(r"<tool_call>\s*(\{.*?\})\s*</tool_call>", re.DOTALL)
_TRIAL = [{"role": "user", "content": "-"}]
_TRIAL_TOOL = {
    "type": "function",
    "function": {
        "name": "rft_trial",
        "description": "-",
        "parameters": {"type": "object", "properties": {}},
    },
}

CallForm = Literal["template", "tags", "unknown"]
"""How calls of tools are written: as the tokenizer's response template says, as JSON between
``<tool_call>`` tags, or in a way that is not known."""


class Chat:
    """The chat template of a tokenizer.

    Raises
    ------
    ValueError
        The tokenizer has none.
    """

    def __init__(self, tokenizer: Any, model: str) -> None:
        if not tokenizer.chat_template:
            raise ValueError(
                f"{model} has no chat template, so nobody knows how to write a conversation to "
                "it. Use a model that was made for chat."
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
        try:  # where TRL is installed, it knows of more models
            from trl.chat_template_utils import add_response_schema

            add_response_schema(self.tokenizer)
        except (ImportError, ValueError):
            return "unknown"
        return "template"

    @cached_property
    def takes_tools(self) -> bool:
        """Whether the template has a place for tools, and calls of them can be read."""
        if self.calls == "unknown":
            return False
        try:
            without, offered = (self._written(_TRIAL, tools) for tools in (None, [_TRIAL_TOOL]))
        except template_errors():
            return False
        return without != offered

    @cached_property
    def _adds_first_token(self) -> bool:
        first = self.tokenizer.bos_token_id
        return first is not None and self.tokenizer("a")["input_ids"][:1] == [first]

    def prompt(self, messages: Sequence[dict[str, Any]], tools: Sequence[dict[str, Any]]) -> str:
        """A prompt as text, without the first token where the tokenizer puts it in front."""
        text = self.whole_prompt(messages, tools)
        # TRL has the tokenizer put its first token in front; written twice, it is read twice.
        first = self.tokenizer.bos_token
        return text.removeprefix(first) if self._adds_first_token and first else text

    def whole_prompt(
        self, messages: Sequence[dict[str, Any]], tools: Sequence[dict[str, Any]]
    ) -> str:
        """A prompt as text; tools are left out where the template does not take them."""
        offered = list(tools) if tools and self.takes_tools else None
        return self._written([_readable(message) for message in messages], offered)

    def _written(self, messages: Sequence[dict[str, Any]], tools: Any) -> str:
        return str(
            self.tokenizer.apply_chat_template(
                list(messages), tools=tools, tokenize=False, add_generation_prompt=True
            )
        )

    def tokens(self, prompt: str) -> list[int]:
        """A prompt as tokens."""
        return list(self.tokenizer(prompt, verbose=False)["input_ids"])

    def text(self, ids: Sequence[int]) -> str:
        """Tokens of an answer as text, without those that only mark its end."""
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=True))

    def answer(
        self,
        ids: Sequence[int],
        prompt: str | Sequence[int],
        tools: Sequence[dict[str, Any]],
        text: str | None = None,
    ) -> dict[str, Any]:
        """Read an answer as a chat message; calls are read where tools were offered.

        What cannot be read stays as text, and thoughts before the answer are no part of it.
        ``prompt`` is what `prompt` gave, or its tokens; ``text`` is what of the answer counts,
        where that is less than all of it.
        """
        is_offered = bool(tools) and self.takes_tools
        if is_offered and self.calls == "template":
            found = self._by_template(ids, prompt, tools)
            if found is not None:
                return found
        thought, content = _without_thought(self.text(ids) if text is None else text)
        message: dict[str, Any] = {"role": "assistant", "content": content}
        if is_offered and self.calls == "tags":
            calls, rest = _tagged_calls(content)
            if calls:
                message |= {"content": rest.strip() or None, "tool_calls": calls}
        if thought:
            message["reasoning_content"] = thought
        return message

    def _by_template(
        self, ids: Sequence[int], prompt: str | Sequence[int], tools: Sequence[dict[str, Any]]
    ) -> dict[str, Any] | None:
        prefix = self.tokens(prompt) if isinstance(prompt, str) else list(prompt)
        try:
            found = self.tokenizer.parse_response(list(ids), prefix=prefix, tools=list(tools))
        except (ValueError, TypeError):
            return None  # a call that is not written as it should be
        if not isinstance(found, dict):
            return None
        functions = [call.get("function", call) for call in found.get("tool_calls") or ()]
        if not all(isinstance(one, dict) and isinstance(one.get("name"), str) for one in functions):
            return None
        message = {**found, "role": "assistant", "content": found.get("content")}
        message.pop("tool_calls", None)
        if functions:
            message["tool_calls"] = [_call(one) for one in functions]
        elif message["content"] is None:
            message["content"] = ""
        return message


def template_errors() -> tuple[type[Exception], ...]:
    """What a chat template raises for a conversation that it cannot write."""
    from jinja2.exceptions import TemplateError  # comes with transformers

    return (TemplateError, TypeError, ValueError, KeyError)


def _readable(message: dict[str, Any]) -> dict[str, Any]:
    """A message as chat templates take it: no unusual role, a text, arguments as objects."""
    shown = dict(message)
    if shown["role"] == "developer":
        shown["role"] = "system"
    shown["content"] = _text(shown.get("content"))
    if shown.get("tool_calls"):
        shown["tool_calls"] = [_with_object(call) for call in shown["tool_calls"]]
    return shown


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(str(part["text"]) for part in content if "text" in part)
    return content or ""


def _with_object(call: dict[str, Any]) -> dict[str, Any]:
    function = call.get("function")
    if not function:
        return call
    try:
        arguments = msgspec.json.decode(function["arguments"])
    except msgspec.DecodeError:
        return call
    if not isinstance(arguments, dict):
        return call
    return {**call, "function": {**function, "arguments": arguments}}


def _without_thought(text: str) -> tuple[str, str]:
    """What a model thought before it answered, and the answer."""
    thought, found, answer = text.partition(THOUGHT_ENDS)
    if not found:
        return "", text
    return thought.removeprefix(THOUGHT_BEGINS).strip(), answer.lstrip()


def _tagged_calls(text: str) -> tuple[list[dict[str, Any]], str]:
    """Calls between tags and the text around them; none where one of them cannot be read."""
    calls = []
    for found in _CALL.finditer(text):
        try:
            read = msgspec.json.decode(found[1])
        except msgspec.DecodeError:
            return [], text
        if not isinstance(read, dict) or not isinstance(read.get("name"), str):
            return [], text
        calls.append(_call(read))
    return calls, _CALL.sub("", text)


def _call(function: dict[str, Any]) -> dict[str, Any]:
    arguments = function.get("arguments", {})
    text = arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()
    return {"type": "function", "function": {"name": function["name"], "arguments": text}}
