"""What the converters of all providers share: turns of blocks, answers, tools, checks of shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from rft_widgets.model.message import (
    ContentPart,
    FunctionCall,
    FunctionDefinition,
    Message,
    MessageShapeError,
    Tool,
    ToolCall,
    ToolChoice,
)

FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
    "content_filtered": "content_filter",
    "guardrail_intervened": "content_filter",
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "IMAGE_SAFETY": "content_filter",
}
"""OpenAI's word for a provider's reason to stop; a reason that is not here keeps its own word."""


def finish_reason(reason: Any) -> str | None:
    """OpenAI's word for a provider's reason to stop, the provider's own where there is none."""
    return FINISH_REASONS.get(reason, reason) if isinstance(reason, str) else None


class Turn:
    """Collects the blocks of one turn and gives out the messages that they are."""

    def __init__(self, role: str) -> None:
        self.role = role
        self.messages: list[Message] = []
        self._clear()

    def text(self, text: Any, where: str) -> None:
        """Add text."""
        if not isinstance(text, str):
            raise MessageShapeError(f"{where}: text is {type(text).__name__}, not text")
        self.parts.append({"type": "text", "text": text})

    def part(self, part: ContentPart) -> None:
        """Add a part; what an assistant message cannot hold is kept beside its text."""
        (self.kept if self.role == "assistant" else self.parts).append(part)

    def call(
        self,
        name: Any,
        arguments: Any,
        call_id: Any,
        where: str,
        extra: dict[str, Any] | None = None,
    ) -> None:
        """Add a call of a function."""
        if not isinstance(name, str):
            raise MessageShapeError(f"{where}: the called function has no name")
        self.calls.append(
            ToolCall(
                type="function",
                id=call_id if isinstance(call_id, str) else None,
                function=FunctionCall(name=name, arguments=json_text(arguments)),
                extra=extra or {},
            )
        )

    def result(self, message: Message) -> None:
        """Add the result of a call: a message of its own, in its place."""
        if self.parts:
            self._flush()
        self.messages.append(message)

    def reasoning(self, text: Any, block: Mapping[str, Any], *, signed: bool) -> None:
        """Add what the model thought; a signed block is kept whole, it can be sent back."""
        if isinstance(text, str) and text:
            self.thoughts.append(text)
        if signed:
            self.signed.append(dict(block))

    @property
    def filled(self) -> bool:
        """Whether there is anything since the last result."""
        return bool(
            self.parts or self.calls or self.kept or self.thoughts or self.signed or self.extra
        )

    def finish(self) -> list[Message]:
        """Messages of the turn; an empty turn is one empty message."""
        if self.filled:
            self._flush()
        elif not self.messages:
            self.messages.append(Message(self.role))
        return self.messages

    def _flush(self) -> None:
        extra = self.extra
        if self.thoughts:
            extra["reasoning_content"] = "\n\n".join(self.thoughts)
        if self.signed:
            extra["thinking_blocks"] = self.signed
        if self.kept:
            extra["content_blocks"] = self.kept
        self.messages.append(
            Message(
                self.role,
                _content(self.parts, joined=self.role == "assistant"),
                tool_calls=tuple(self.calls),
                extra=extra,
            )
        )
        self._clear()

    def _clear(self) -> None:
        self.parts: list[ContentPart] = []
        self.calls: list[ToolCall] = []
        self.thoughts: list[str] = []
        self.signed: list[dict[str, Any]] = []
        self.kept: list[ContentPart] = []
        self.extra: dict[str, Any] = {}


Block = Callable[[Turn, Mapping[str, Any], str], None]
"""Adds one block of a provider to a turn."""


def read_turn(role: Any, content: Any, add: Block, where: str) -> list[Message]:
    """Messages of one turn, whose content is text or a list of blocks."""
    if not isinstance(role, str):
        raise MessageShapeError(f"{where}: role is missing")
    if isinstance(content, str):
        return [Message(role, content)]
    turn = Turn(role)
    for i, block in enumerate(sequence(content if content is not None else [], f"{where}.content")):
        inner = f"{where}.content[{i}]"
        if isinstance(block, str):
            turn.text(block, inner)
        else:
            add(turn, mapping(block, inner), inner)
    return turn.finish()


def read_answer(content: Any, add: Block, where: str) -> Message:
    """Read the one message that an answer is."""
    messages = read_turn("assistant", content, add, where)
    if len(messages) != 1:
        raise MessageShapeError(f"{where}: an answer holds results of tools")
    return messages[0]


def read_system(value: Any, add: Block) -> list[Message]:
    """System message of a prompt that is text, a block, or a list of blocks; none if empty."""
    if isinstance(value, Mapping):
        value = value.get("parts") if "parts" in value else [value]
    if value is None or value in ("", []):
        return []
    return read_turn("system", value, add, "system")


def tool_result(call_id: Any, content: Any, add: Block, where: str, **extra: Any) -> Message:
    """Message of the result of a call, whose content is text or a list of blocks."""
    inner = read_turn("tool", content, add, where)[0]
    return Message(
        "tool",
        inner.content if inner.content is not None else "",
        tool_call_id=call_id if isinstance(call_id, str) else None,
        extra=extra,
    )


def _content(parts: list[ContentPart], *, joined: bool) -> str | tuple[ContentPart, ...] | None:
    if not parts:
        return None
    if joined and all(part.get("type") == "text" for part in parts):
        # An answer is cut into blocks at citations and calls, in the middle of sentences.
        return "".join(part["text"] for part in parts)
    if len(parts) == 1 and parts[0].get("type") == "text":
        text: str = parts[0]["text"]
        return text
    return tuple(parts)


def function_tool(fields: Mapping[str, Any], schema: Any) -> Tool:
    """Tool of a function's name, description and schema; other fields are kept."""
    rest = {key: value for key, value in fields.items() if key not in _TOOL_KEYS}
    name = fields.get("name")
    if not isinstance(name, str):
        raise MessageShapeError("a tool has no name")
    if schema is not None and not isinstance(schema, Mapping):
        raise MessageShapeError(f"tool {name}: the schema of its arguments is not an object")
    description = fields.get("description")
    strict = fields.get("strict")
    return Tool(
        type="function",
        function=FunctionDefinition(
            name=name,
            description=description if isinstance(description, str) else None,
            parameters=None if schema is None else dict(schema),
            strict=strict if isinstance(strict, bool) else None,
            extra=rest,
        ),
    )


_TOOL_KEYS = frozenset({"name", "description", "strict", "cache_control"})


def one_tool(name: Any) -> ToolChoice | None:
    """Choice of one tool by its name."""
    if not isinstance(name, str):
        return None
    return {"type": "function", "function": {"name": name}}


def image_part(url: str) -> ContentPart:
    """Part of an OpenAI message that shows an image."""
    return {"type": "image_url", "image_url": {"url": url}}


def file_part(name: Any, url: str) -> ContentPart:
    """Part that holds a file, as a data URL."""
    file = {"file_data": url}
    if isinstance(name, str):
        file["filename"] = name
    return {"type": "file", "file": file}


def data_url(kind: Any, data: str) -> str:
    """Write base64 text and its MIME type as a data URL."""
    if data.startswith("data:"):
        return data
    return f"data:{kind if isinstance(kind, str) else 'application/octet-stream'};base64,{data}"


def kept_part(kind: str, block: Mapping[str, Any]) -> ContentPart:
    """Part that is a provider's own block."""
    if block.get("type", kind) == "text":
        raise MessageShapeError("a block of text has no text")
    return {"type": kind, **block}


def json_text(value: Any) -> str:
    """Compact JSON text of arguments or of a result; text stays as it is."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def decoded(value: Any) -> Any:
    """Value of JSON text; anything else as it is. Raises `MessageShapeError` on other text."""
    if not isinstance(value, str):
        return value
    try:
        return msgspec.json.decode(value)
    except ValueError as error:
        raise MessageShapeError(f"a schema is text that is no JSON: {error}") from None


def either(value: Mapping[str, Any], name: str) -> Any:
    """Value under a camelCase name, or under its snake_case spelling, which SDKs write."""
    found = value.get(name)
    return value.get(snake_case(name)) if found is None else found


def snake_case(name: str) -> str:
    """Spell a camelCase name in snake_case."""
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name)


def mapping(value: Any, where: str) -> Mapping[str, Any]:
    """Check that a value is an object."""
    if not isinstance(value, Mapping):
        raise MessageShapeError(f"{where} is {type(value).__name__}, not an object")
    return value


def sequence(value: Any, where: str) -> Sequence[Any]:
    """Check that a value is a list."""
    if not isinstance(value, (list, tuple)):
        raise MessageShapeError(f"{where} is {type(value).__name__}, not a list")
    return value
