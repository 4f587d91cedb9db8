"""Answers and items in the forms that training frameworks hand them over in."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from rft_widgets.errors import InvalidArgument
from rft_widgets.graders.sample import Sample, sample_of
from rft_widgets.model.message import (
    FunctionCall,
    Message,
    MessageShapeError,
    ToolCall,
    message_from_json,
    tool_from_json,
)
from rft_widgets.model.record import RecordInput

_CALL = re.compile(r"<tool_call>\s*(\{.*?\})\s*</tool_call>", re.DOTALL)


class _Written(msgspec.Struct):
    name: str
    arguments: msgspec.Raw = msgspec.Raw(b"{}")


def read_item(item: Any) -> dict[str, Any]:
    """An item as `item_of` makes it, or its JSON.

    Raises
    ------
    InvalidArgument
        It is neither.
    """
    value = item
    if isinstance(item, (str, bytes)):
        try:
            value = json.loads(item)
        except ValueError as error:
            raise InvalidArgument(f"The item is no JSON: {error}.") from None
    if not isinstance(value, Mapping):
        raise InvalidArgument(f"The item is of type {type(value).__name__}, not an object.")
    return dict(value)


def read_sample(answer: Any, item: Mapping[str, Any]) -> Sample:
    """What is graded: an answer to the prompt that the item holds.

    Parameters
    ----------
    answer
        Text, a message, or several of them where tools were called on the way.
    item
        The item. Where it offers tools, calls that a text holds between ``<tool_call>`` and
        ``</tool_call>`` are calls, and no text.

    Raises
    ------
    InvalidArgument
        A message is none.
    """
    try:
        tools = tuple(tool_from_json(one) for one in item.get("tools") or ())
        prompt = tuple(message_from_json(one) for one in item.get("messages") or ())
        messages = _messages(answer, may_call=bool(tools))
    except MessageShapeError as error:
        raise InvalidArgument(f"A message cannot be read: {error}.") from None
    return sample_of(RecordInput(messages=prompt, tools=tools), messages)


def text_of(message: Message) -> str | None:
    """A message as the text that `read_sample` reads again; ``None`` where there is no such text.

    That is what frameworks hand over that know of an answer only what was decoded.
    """
    is_plain = message.role == "assistant" and not message.extra and message.name is None
    if not is_plain or not isinstance(message.content, (str, type(None))):
        return None
    parts = [message.content] if message.content or not message.tool_calls else []
    for call in message.tool_calls:
        function = call.function
        if function is None or call.extra or function.extra or not _is_json(function.arguments):
            return None
        name = json.dumps(function.name)
        parts.append(
            f'<tool_call>\n{{"name": {name}, "arguments": {function.arguments}}}\n</tool_call>'
        )
    return "\n".join(part or "" for part in parts)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _messages(answer: Any, *, may_call: bool) -> tuple[Message, ...]:
    if answer is None:
        return ()
    if isinstance(answer, str):
        return (_spoken(answer) if may_call else Message("assistant", answer),)
    several = [answer] if isinstance(answer, Mapping) else answer
    if not isinstance(several, Sequence):
        raise InvalidArgument(f"An answer is text or messages, not {type(answer).__name__}.")
    return tuple(message_from_json(one) for one in several)


def _spoken(text: str) -> Message:
    """A message of a text that may hold calls, as most open models write them."""
    calls = []
    for number, found in enumerate(_CALL.finditer(text)):
        try:
            call = msgspec.json.decode(found[1].encode("utf-8", "surrogatepass"), type=_Written)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            return Message("assistant", text)  # none of it can be trusted to be a call
        function = FunctionCall(call.name, bytes(call.arguments).decode())
        calls.append(ToolCall("function", f"call_{number}", function))
    if not calls:
        return Message("assistant", text)
    return Message("assistant", _CALL.sub("", text).strip() or None, tool_calls=tuple(calls))
