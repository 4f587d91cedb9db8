"""Fill the slots of a recorded answer from another conversation.

A slot is filled from the same key of a tool result, or with what has the same form. An answer whose
slots cannot all be filled is not given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from rft_widgets.model.message import Message
from rft_widgets.trainers.local.conversation import (
    Conversation,
    as_date,
    is_identifier,
    normal,
    shape,
)
from rft_widgets.trainers.local.slots import (
    ByForm,
    ByName,
    Names,
    NumberSlot,
    Pieces,
    Same,
    Slot,
    Template,
    parsed,
    spellings,
)


class Adapted(Struct, frozen=True):
    """An answer for another conversation; ``rebound`` of its slots changed their value."""

    message: Message
    rebound: int


def adapt(template: Template, new: Conversation, names: Names, call_key: str) -> Adapted | None:
    """Fill the slots of an answer from another conversation.

    Parameters
    ----------
    template
        The answer.
    new
        The conversation it is to be given in.
    names
        What arguments of tools are known to be.
    call_key
        What the ids of tool calls are made of, so that they are new in each conversation.

    Returns
    -------
    The answer, or ``None`` where a slot cannot be filled.
    """
    rebound = 0

    def fill(slot: Slot) -> str | None:
        nonlocal rebound
        value = _fill(slot, new, names)
        rebound += value is not None and value != slot.value
        return value

    message = template.message
    text = _joined(template.text, fill)
    if text is None:
        return None
    calls = []
    for position, (call, value) in enumerate(
        zip(message.tool_calls, template.arguments, strict=True)
    ):
        filled = _fill_value(value, fill)
        if filled is None or call.function is None:
            return None
        digest = hashlib.blake2b(f"{call_key}/{position}".encode(), digest_size=6).hexdigest()
        # Arguments keep the very text they had where nothing in them is a slot.
        given = call.function.arguments
        if parsed(given) != filled[0]:
            given = msgspec.json.encode(filled[0]).decode()
        function = msgspec.structs.replace(call.function, arguments=given)
        calls.append(msgspec.structs.replace(call, id=f"call_{digest}", function=function))
    content = text if message.content is not None else None
    made = msgspec.structs.replace(message, content=content, tool_calls=tuple(calls))
    return Adapted(made, rebound)


def _fill(slot: Slot, new: Conversation, names: Names) -> str | None:
    if isinstance(slot, Same):
        return slot.value if normal(slot.value) in new.normal_tokens else None
    if isinstance(slot, ByForm):
        alike = [token for token in new.tokens if shape(token) == slot.form]
        return alike[slot.rank] if slot.rank < len(alike) else None
    if isinstance(slot, ByName):
        return names.find(slot.argument, new)
    for path in slot.paths:
        if path in new.results:
            value = new.results[path]
            if slot.spelling is None:
                return str(value)
            day = as_date(value)
            if day is not None:
                return spellings(day)[slot.spelling]
    if new.results or is_identifier(slot.value):
        return None
    # An argument that was once copied from a result may also be what a user says.
    return slot.value if new.holds(slot.value) else None


def _joined(pieces: Pieces, fill: Callable[[Slot], str | None]) -> str | None:
    parts = [piece if isinstance(piece, str) else fill(piece) for piece in pieces]
    return None if any(part is None for part in parts) else "".join(map(str, parts))


def _fill_value(value: Any, fill: Callable[[Slot], str | None]) -> tuple[Any] | None:
    """The JSON value that a template of one becomes, in a tuple; ``None`` if it cannot."""
    if isinstance(value, tuple):
        text = _joined(value, fill)
        return None if text is None else (text,)
    if isinstance(value, NumberSlot):
        text = _joined(value.pieces, fill)
        number = parsed(text or "")
        return (number,) if isinstance(number, (int, float)) else None
    if isinstance(value, dict):
        made = {key: _fill_value(inner, fill) for key, inner in value.items()}
        if any(inner is None for inner in made.values()):
            return None
        return ({key: inner[0] for key, inner in made.items() if inner is not None},)
    if isinstance(value, list):
        listed = [_fill_value(inner, fill) for inner in value]
        if any(inner is None for inner in listed):
            return None
        return ([inner[0] for inner in listed if inner is not None],)
    return (value,)
