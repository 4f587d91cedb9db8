"""Conversations as a model's tokenizer writes them, and answers read back from its tokens.

They are read as the program that trains reads them: what the model learned is what it is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rft_widgets.errors import InvalidArgument, NoCandidate
from rft_widgets.model.message import Message, Tool, message_from_json, to_json
from rft_widgets.model.record import RecordInput
from rft_widgets.trainers.program.rft_training import chat as program
from rft_widgets.trainers.program.rft_training.chat import (
    CALL_BEGINS,
    THOUGHT_BEGINS,
    THOUGHT_ENDS,
    CallForm,
)

__all__ = ["CALL_BEGINS", "THOUGHT_BEGINS", "THOUGHT_ENDS", "CallForm", "Chat"]


class Chat:
    """The chat template of a tokenizer.

    Raises
    ------
    InvalidArgument
        The tokenizer has none.
    """

    def __init__(self, tokenizer: Any, where: str) -> None:
        try:
            self._chat = program.Chat(tokenizer, where)
        except ValueError as error:
            raise InvalidArgument(str(error)) from None
        self.tokenizer = tokenizer

    @property
    def calls(self) -> CallForm:
        """How calls of tools are written."""
        return self._chat.calls

    @property
    def takes_tools(self) -> bool:
        """Whether the template has a place for tools, and calls of them can be read."""
        return self._chat.takes_tools

    def prompt(self, asked: RecordInput) -> list[int]:
        """A prompt as tokens; tools are left out where the template does not take them.

        Raises
        ------
        NoCandidate
            The template cannot write it, or it holds something other than text.
        """
        for message in asked.messages:
            _refuse_other_than_text(message)
        try:
            text = self._chat.whole_prompt(to_json(asked.messages), to_json(asked.tools))
        except program.template_errors() as error:
            raise NoCandidate(
                f"The model's chat template cannot write this conversation: {error}",
                hint="Leave out what the model does not know, such as a role.",
            ) from None
        read = self.tokenizer(text, add_special_tokens=False, verbose=False)
        ids: list[int] = read["input_ids"]
        return ids

    def text(self, ids: Sequence[int]) -> str:
        """Tokens of an answer as text, without those that only mark its end."""
        return self._chat.text(ids)

    def answer(
        self, ids: Sequence[int], prompt: Sequence[int], tools: Sequence[Tool], text: str
    ) -> Message:
        """Read an answer; ``text`` is what of it counts.

        Calls of tools are read where tools were offered. What cannot be read stays as text.
        """
        return message_from_json(self._chat.answer(ids, prompt, to_json(tools), text), "answer")


def _refuse_other_than_text(message: Message) -> None:
    if not isinstance(message.content, tuple):
        return
    kinds = {str(part.get("type")) for part in message.content} - {"text"}
    if kinds:
        raise NoCandidate(
            f"The model reads text alone; the prompt holds {', '.join(sorted(kinds))}.",
            hint="Leave such records out.",
        )
