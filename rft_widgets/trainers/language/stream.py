"""The text of an answer while it comes: no more of it than will stand."""

from __future__ import annotations

from collections.abc import Sequence

from rft_widgets.model.record import RecordInput
from rft_widgets.trainers.language.chat import CALL_BEGINS, THOUGHT_BEGINS, THOUGHT_ENDS, Chat

_UNFINISHED = "\ufffd"
"""What the first bytes of a character are decoded to while the others have not come."""


class VisibleText:
    """Pieces of an answer as its tokens come.

    Held back is what may still turn out to be no text of the answer: a part of a character, of a
    text that ends the answer or of a tool call, and what the model thinks before it answers.
    """

    def __init__(self, chat: Chat, asked: RecordInput, stop: Sequence[str]) -> None:
        offers = bool(asked.tools) and chat.takes_tools
        self._chat = chat
        self._is_whole = offers and chat.calls == "template"  # what is text is known at the end
        self._ends = (*stop, CALL_BEGINS) if offers else tuple(stop)
        self._sent = ""

    def take(self, ids: Sequence[int]) -> str:
        """What can be shown now and was not before, of all tokens so far."""
        if self._is_whole:
            return ""
        return self._send(self._visible(self._chat.text(ids)))

    def rest(self, text: str) -> str:
        """What is left to be shown of the whole text."""
        return self._send(text)

    def _send(self, text: str) -> str:
        if not text.startswith(self._sent):
            return ""
        piece = text[len(self._sent) :]
        self._sent = text
        return piece

    def _visible(self, text: str) -> str:
        thought, found, answer = text.partition(THOUGHT_ENDS)
        if found:
            text = answer.lstrip()
        elif thought.startswith(THOUGHT_BEGINS) or THOUGHT_BEGINS.startswith(thought):
            return ""
        text = text.rstrip(_UNFINISHED)
        for end in self._ends:
            text = text.partition(end)[0]
        held = max((_overlap(text, end) for end in self._ends), default=0)
        text = text[: len(text) - held]
        # Before a tool call the space at the end of a text is left out.
        return text.rstrip() if self._ends else text


def _overlap(text: str, end: str) -> int:
    """Length of the longest end of a text that another one begins with."""
    return next((n for n in range(min(len(end), len(text)), 0, -1) if text.endswith(end[:n])), 0)
