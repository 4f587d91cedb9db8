"""What a grader is given: one answer of a model, and the item it answers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import msgspec
from msgspec import Struct

from rft_widgets.model.message import Message, to_json
from rft_widgets.model.record import Record, RecordDraft, RecordInput


class Sample(Struct, frozen=True, kw_only=True, dict=True):
    """One answer, with the prompt that led to it.

    ``output_text`` is the text of the last assistant message, ``output_tools`` every tool call of
    the answer in order, ``choices`` the answer in the chat completions shape. ``messages`` and
    ``tools`` are the prompt's. All JSON values. ``grading`` counts the times that the same answer
    is graded on purpose, from 0: a judge is asked anew each time, and once for the same number.
    """

    output_text: str = ""
    output_tools: tuple[dict[str, Any], ...] = ()
    choices: tuple[dict[str, Any], ...] = ()
    messages: tuple[dict[str, Any], ...] = ()
    tools: tuple[dict[str, Any], ...] = ()
    grading: int = 0

    @cached_property
    def output_json(self) -> Any:
        """Value of the text when it is JSON, else `msgspec.UNSET`."""
        try:
            return msgspec.json.decode(self.output_text)
        except (msgspec.MsgspecError, RecursionError, UnicodeEncodeError):
            return msgspec.UNSET

    @property
    def last_user_message(self) -> str | None:
        """Text of the prompt's last user message."""
        texts = [_text(message) for message in self.messages if message.get("role") == "user"]
        return texts[-1] if texts else None

    @property
    def system_prompt(self) -> str:
        """Text of the prompt's first system or developer message; empty without one."""
        for message in self.messages:
            if message.get("role") in ("system", "developer"):
                return _text(message)
        return ""

    def public(self) -> dict[str, Any]:
        """The namespace ``sample`` of templates and of Python graders."""
        value = self.output_json
        return {
            "output_text": self.output_text,
            "output_json": None if value is msgspec.UNSET else value,
            "output_tools": self.output_tools,
            "choices": self.choices,
        }


def sample_of(
    record_input: RecordInput, output_messages: Sequence[Message], *, grading: int = 0
) -> Sample:
    """Make a sample of a prompt and of the messages that answer it.

    Parameters
    ----------
    record_input
        The prompt.
    output_messages
        The recorded output of a record, or what a model answered; several messages where tools
        were called on the way.
    grading
        Which grading of it this is, as for `Sample`.
    """
    answers = [message for message in output_messages if message.role == "assistant"]
    last = answers[-1] if answers else None
    calls = [to_json(call) for message in answers for call in message.tool_calls]
    choices = []
    if last is not None:
        reason = "tool_calls" if last.tool_calls else "stop"
        choices.append({"index": 0, "message": to_json(last), "finish_reason": reason})
    return Sample(
        output_text=last.text if last else "",
        output_tools=tuple(calls),
        choices=tuple(choices),
        messages=tuple(to_json(record_input.messages)),
        tools=tuple(to_json(record_input.tools)),
        grading=grading,
    )


def item_of(record: Record | RecordDraft) -> dict[str, Any]:
    """The namespace ``item``: a record as the row of a training file.

    That is the record's own item fields with ``messages`` and, if there are any, ``tools`` of the
    prompt beside them. Topic, metadata, scores and the recorded output are not in it: a grader
    that could read them would not be judging the answer.
    """
    row: dict[str, Any] = {"messages": to_json(record.input.messages)}
    if record.input.tools:
        row["tools"] = to_json(record.input.tools)
    return record.item | row


def _text(message: dict[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, (list, tuple)) else ()
    texts = (part.get("text") for part in parts if isinstance(part, dict))
    return "\n".join(text for text in texts if isinstance(text, str))
