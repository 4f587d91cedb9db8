"""Chat messages and tools in the OpenAI shape; unknown keys are kept in ``extra``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct, field

EXTRA = "rft_widgets.extra"
"""Key of the unknown keys inside the store; in files they stand beside the known ones."""

ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})
"""The roles a message may have."""

ContentPart = dict[str, Any]
"""One part of a content list: ``{"type": "text" | "image_url" | "input_audio", ...}``."""


class FunctionCall(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """The function a tool call names; ``arguments`` is JSON text, exactly as the model wrote it."""

    name: str
    arguments: str
    extra: dict[str, Any] = field(default_factory=dict, name=EXTRA)


class ToolCall(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """A call that an assistant message asks for."""

    type: str
    id: str | None = None
    function: FunctionCall | None = None
    extra: dict[str, Any] = field(default_factory=dict, name=EXTRA)


class Message(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """One chat message.

    ``content`` is text, a list of parts, or ``None`` (an assistant message that only calls tools).
    """

    role: str
    content: str | tuple[ContentPart, ...] | None = None
    name: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    extra: dict[str, Any] = field(default_factory=dict, name=EXTRA)

    @property
    def text(self) -> str:
        """The text of the content; parts are joined by newlines, images and audio left out."""
        if self.content is None or isinstance(self.content, str):
            return self.content or ""
        texts = (part.get("text") for part in self.content)
        return "\n".join(text for text in texts if isinstance(text, str))


class FunctionDefinition(Struct, frozen=True, omit_defaults=True, gc=False):
    """What a tool is called, what it does, and the JSON schema of its arguments."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None
    extra: dict[str, Any] = field(default_factory=dict, name=EXTRA)


class Tool(Struct, frozen=True, omit_defaults=True, gc=False):
    """A tool that the model was offered."""

    type: str
    function: FunctionDefinition | None = None
    extra: dict[str, Any] = field(default_factory=dict, name=EXTRA)


ToolChoice = str | dict[str, Any]
"""``"auto"``, ``"none"``, ``"required"``, or the object that names one tool."""


class MessageShapeError(ValueError):
    """A message or a tool does not have the shape of one; the text says which part and why."""


def message_from_json(value: Any, where: str = "message") -> Message:
    """Read a chat message from its JSON object.

    Parameters
    ----------
    value
        A mapping in the OpenAI chat shape. Unknown keys go to ``extra``; the arguments of a tool
        call that come as an object become JSON text.
    where
        Name of the place, for the error.

    Raises
    ------
    MessageShapeError
        If a known key has a value of the wrong type.
    """
    fields = dict(_mapping(value, where))
    role = fields.pop("role", None)
    if not isinstance(role, str):
        raise MessageShapeError(f"{where}: role is {_kind(role)}, not text")
    calls = fields.pop("tool_calls", None) or ()
    if not isinstance(calls, Sequence) or isinstance(calls, str):
        raise MessageShapeError(f"{where}: tool_calls is {_kind(calls)}, not a list")
    return Message(
        role=role,
        content=_content(fields.pop("content", None), where),
        name=_text(fields, "name", where),
        tool_calls=tuple(
            _tool_call(call, f"{where}.tool_calls[{i}]") for i, call in enumerate(calls)
        ),
        tool_call_id=_text(fields, "tool_call_id", where),
        extra=_with_nested_extra(fields, Message, where),
    )


def tool_from_json(value: Any, where: str = "tool") -> Tool:
    """Read a tool definition from its JSON object; same rules as `message_from_json`."""
    fields = dict(_mapping(value, where))
    kind = fields.pop("type", None)
    function = fields.pop("function", None)
    definition = None
    if function is not None:
        inner = dict(_mapping(function, f"{where}.function"))
        parameters = inner.pop("parameters", None)
        strict = inner.pop("strict", None)
        if parameters is not None and not isinstance(parameters, dict):
            raise MessageShapeError(f"{where}: parameters is {_kind(parameters)}, not an object")
        if strict is not None and not isinstance(strict, bool):
            raise MessageShapeError(f"{where}: strict is {_kind(strict)}, not true or false")
        definition = FunctionDefinition(
            name=_text(inner, "name", where) or "",
            description=_text(inner, "description", where),
            parameters=parameters,
            strict=strict,
            extra=_with_nested_extra(inner, FunctionDefinition, where),
        )
    if kind is not None and not isinstance(kind, str):
        raise MessageShapeError(f"{where}: type is {_kind(kind)}, not text")
    return Tool(
        type=kind or "function",
        function=definition,
        extra=_with_nested_extra(fields, Tool, where),
    )


def to_json(value: Struct | Sequence[Struct]) -> Any:
    """JSON value of messages or tools as files and services write them: ``extra`` merged in."""
    if not isinstance(value, Struct):
        return [to_json(one) for one in value]
    fields: dict[str, Any] = msgspec.to_builtins(value)
    if isinstance(fields.get("content"), tuple):
        fields["content"] = list(fields["content"])
    if "tool_calls" in fields:
        fields["tool_calls"] = [_flat(call) for call in fields["tool_calls"]]
    return _flat(fields)


def reserved_clash(value: Message) -> str | None:
    """Name of a key that stands in an ``extra`` of a message and would overrule a known one."""
    parts: list[Struct] = [value, *value.tool_calls]
    parts += [call.function for call in value.tool_calls if call.function is not None]
    for part in parts:
        for key in part.extra:  # type: ignore[attr-defined]  # all three have it
            if key == EXTRA or key in part.__struct_encode_fields__:
                return str(key)
    return None


def _flat(fields: dict[str, Any]) -> dict[str, Any]:
    # Only where this module puts it: the same key in a content part or a schema is somebody's data.
    function = fields.get("function")
    if isinstance(function, dict):
        fields["function"] = _flat(function)
    extra: dict[str, Any] = fields.pop(EXTRA, {})
    return fields | extra


def _with_nested_extra(fields: dict[str, Any], kind: type[Struct], where: str) -> dict[str, Any]:
    # A value that is already in the store's own form brings its extra under the reserved key.
    nested = fields.pop(EXTRA, None)
    if nested is None:
        return fields
    if not isinstance(nested, dict):
        raise MessageShapeError(f"{where}: {EXTRA} is {_kind(nested)}, not an object")
    known = {EXTRA, *kind.__struct_encode_fields__} & nested.keys()
    if known:
        raise MessageShapeError(f"{where}: {EXTRA} must not hold {min(known)!r}")
    return fields | nested


def _tool_call(value: Any, where: str) -> ToolCall:
    fields = dict(_mapping(value, where))
    kind = fields.pop("type", None)
    if kind is not None and not isinstance(kind, str):
        raise MessageShapeError(f"{where}: type is {_kind(kind)}, not text")
    function = fields.pop("function", None)
    call = None
    if function is not None:
        inner = dict(_mapping(function, f"{where}.function"))
        arguments = inner.pop("arguments", None)
        if arguments is None:
            arguments = ""
        elif not isinstance(arguments, str):
            arguments = msgspec.json.encode(arguments).decode()
        call = FunctionCall(
            name=_text(inner, "name", where) or "",
            arguments=arguments,
            extra=_with_nested_extra(inner, FunctionCall, where),
        )
    return ToolCall(
        id=_text(fields, "id", where),
        type=kind or "function",
        function=call,
        extra=_with_nested_extra(fields, ToolCall, where),
    )


def _content(value: Any, where: str) -> str | tuple[ContentPart, ...] | None:
    if value is None or isinstance(value, str):
        return value
    if not isinstance(value, (list, tuple)):
        raise MessageShapeError(f"{where}: content is {_kind(value)}, not text or a list of parts")
    parts: list[ContentPart] = []
    for i, part in enumerate(value):
        if isinstance(part, str):
            parts.append({"type": "text", "text": part})
        else:
            parts.append(dict(_mapping(part, f"{where}.content[{i}]")))
    return tuple(parts)


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise MessageShapeError(f"{where} is {_kind(value)}, not an object")
    return value


def _text(fields: dict[str, Any], key: str, where: str) -> str | None:
    value = fields.pop(key, None)
    if value is not None and not isinstance(value, str):
        raise MessageShapeError(f"{where}: {key} is {_kind(value)}, not text")
    return value


def _kind(value: Any) -> str:
    names = {
        type(None): "missing", bool: "true or false", int: "a number", float: "a number",
        str: "text", list: "a list", tuple: "a list", dict: "an object",
    }  # fmt: skip
    return names.get(type(value), type(value).__name__)
