"""Templates of graders: ``{{ item.path }}``, ``{{ sample.output_text }}`` and a few short names."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from rft_widgets.errors import GraderInvalid
from rft_widgets.graders.sample import Sample
from rft_widgets.model.grader import GradingErrors

MAX_TEMPLATE_CHARS = 1_000_000
MAX_PATH_STEPS = 64

Step = str | int
Getter = Callable[[Sample, Mapping[str, Any]], Any]
Show = Callable[[str], str]
"""Makes of a record's or an answer's text what stands in its place."""


class RenderFault(Exception):  # noqa: N818 - becomes a failed grading
    """A template cannot be filled from this sample and item."""

    def __init__(self, message: str, errors: GradingErrors) -> None:
        super().__init__(message)
        self.errors = errors


class Template(Struct, frozen=True):
    """A compiled template: text and references in turn."""

    pieces: tuple[str | Reference, ...]

    def render(self, sample: Sample, item: Mapping[str, Any], show: Show = str) -> str:
        """Fill the template. What comes from the sample or item is never looked at for templates.

        Parameters
        ----------
        sample, item
            What fills it.
        show
            Makes of each text that comes from them what stands there; by default the text itself.

        Raises
        ------
        RenderFault
            If a field is missing, or a path into JSON meets an answer that is not JSON.
        """
        return "".join(
            piece if isinstance(piece, str) else show(_as_text(piece.value(sample, item)))
            for piece in self.pieces
        )


class Reference(Struct, frozen=True):
    """One ``{{ ... }}``: where it starts, and the steps to its value from there.

    ``line`` and ``column`` (from 1) say where it stands in its template.
    """

    expression: str
    getter: Getter
    steps: tuple[Step, ...]
    line: int
    column: int

    def value(self, sample: Sample, item: Mapping[str, Any]) -> Any:
        """The JSON value that it stands for."""
        value = self.getter(sample, item)
        for step in self.steps:
            found = False
            if isinstance(step, int):
                found = isinstance(value, (list, tuple)) and step < len(value)
            else:
                found = isinstance(value, Mapping) and step in value
            if not found:
                raise RenderFault(
                    f"{{{{ {self.expression} }}}}: there is no {step!r} in this record or answer",
                    GradingErrors(invalid_variable_error=True),
                )
            value = value[step]
        return value


def compile_template(text: str, where: str = "") -> Template:
    """Read a template.

    Parameters
    ----------
    text
        Text with ``{{ ... }}``. ``item`` reaches every field of the item; ``sample`` has
        ``output_text``, ``output_json``, ``output_tools`` and ``choices``. Both go on with
        ``.key``, ``["key"]`` and ``[0]``. Short names: ``messages``, ``response``,
        ``lastUserMessage``, ``tools``, ``toolCalls``, ``systemPrompt``. There is no escape for
        ``{{``.
    where
        Name of the field, for errors.

    Raises
    ------
    GraderInvalid
        At an unknown name, a path that cannot be read, or braces that are not closed, with line
        and column.
    """
    if len(text) > MAX_TEMPLATE_CHARS:
        raise GraderInvalid(
            f"a template has at most {MAX_TEMPLATE_CHARS:,} characters", where=where
        )
    pieces: list[str | Reference] = []
    end = 0
    while (start := text.find("{{", end)) >= 0:
        close = text.find("}}", start)
        if close < 0:
            raise _fault("'{{' is never closed", text, start, where)
        if start > end:
            pieces.append(text[end:start])
        pieces.append(_reference(text, start + 2, close, where))
        end = close + 2
    if end < len(text):
        pieces.append(text[end:])
    return Template(tuple(pieces))


_NAME = re.compile(r"[^\W\d]\w*")
_STEP = re.compile(
    r"""\.(?P<key>[\w$-]+)            # .key
    | \[\s*(?P<index>\d{1,9})\s*\]    # [0]
    | \[\s*(?P<quoted>"(?:[^"\\]|\\.)*"|'[^'\\]*')\s*\]   # ["key"]""",
    re.VERBOSE,
)


def _reference(text: str, start: int, end: int, where: str) -> Reference:
    expression = text[start:end].strip()
    at = start + len(text[start:end]) - len(text[start:end].lstrip())
    name = _NAME.match(expression)
    if name is None:
        raise _fault("a name is missing between '{{' and '}}'", text, at, where)
    steps: list[Step] = []
    position = name.end()
    while position < len(expression):
        step = _STEP.match(expression, position)
        if step is None or len(steps) == MAX_PATH_STEPS:
            raise _fault(
                f"the path {expression!r} cannot be read", text, at + position, where,
                hint='Go on with .key, ["key"] or [0].',
            )  # fmt: skip
        steps.append(_step(step, text, at + position, where))
        position = step.end()
    if name.group() == "item":
        return Reference(expression, _item, tuple(steps), *_place(text, at))
    if name.group() == "sample":
        first = steps[0] if steps else None
        if not isinstance(first, str) or first not in _SAMPLE:
            known = ", ".join(_SAMPLE)
            asked = "sample alone has no text" if first is None else f"sample has no {first!r}"
            raise _fault(asked, text, at, where, hint=f"It has {known}.")
        if first == "output_text" and steps[1:]:
            raise _fault("output_text is text and has no parts", text, at, where)
        return Reference(expression, _SAMPLE[first], tuple(steps[1:]), *_place(text, at))
    if name.group() in _ALIASES:
        if steps and name.group() in _TEXT_ALIASES:
            raise _fault(f"{name.group()} is text and has no parts", text, at, where)
        return Reference(expression, _ALIASES[name.group()], tuple(steps), *_place(text, at))
    raise _fault(
        f"there is no {name.group()!r}", text, at, where,
        hint=f"Use item, sample, or one of {', '.join(_ALIASES)}.",
    )  # fmt: skip


def _step(match: re.Match[str], text: str, at: int, where: str) -> Step:
    if match["index"] is not None:
        return int(match["index"])
    if match["key"] is not None:
        return match["key"]
    quoted = match["quoted"]
    if quoted[0] == "'":
        return quoted[1:-1]
    try:
        return msgspec.json.decode(quoted, type=str)
    except (msgspec.MsgspecError, UnicodeEncodeError):
        raise _fault(f"{quoted} is not quoted JSON text", text, at, where) from None


def _fault(message: str, text: str, at: int, where: str, hint: str | None = None) -> GraderInvalid:
    line, column = _place(text, at)
    return GraderInvalid(
        f"{message} (line {line}, column {column})",
        hint=hint, where=where, line=line, column=column,
    )  # fmt: skip


def _place(text: str, at: int) -> tuple[int, int]:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _output_json(sample: Sample, _item: Mapping[str, Any]) -> Any:
    value = sample.output_json
    if value is msgspec.UNSET:
        raise RenderFault("the answer is not JSON", GradingErrors(sample_parse_error=True))
    return value


def _last_user_message(sample: Sample, _item: Mapping[str, Any]) -> str:
    text = sample.last_user_message
    if text is None:
        raise RenderFault(
            "{{ lastUserMessage }}: the prompt has no user message",
            GradingErrors(invalid_variable_error=True),
        )
    return text


def _item(_sample: Sample, item: Mapping[str, Any]) -> Any:
    return item


_SAMPLE: Mapping[str, Getter] = {
    "output_text": lambda sample, _: sample.output_text,
    "output_json": _output_json,
    "output_tools": lambda sample, _: sample.output_tools,
    "choices": lambda sample, _: sample.choices,
}
_ALIASES: Mapping[str, Getter] = {
    "messages": lambda sample, _: sample.messages,
    "response": lambda sample, _: sample.output_text,
    "lastUserMessage": _last_user_message,
    "tools": lambda sample, _: sample.tools,
    "toolCalls": lambda sample, _: sample.output_tools,
    "systemPrompt": lambda sample, _: sample.system_prompt,
}
VARIABLES: Mapping[str, str] = {
    "sample.output_text": "text of the answer",
    "sample.output_json": "the answer, read as JSON",
    "sample.output_tools": "tool calls of the answer",
    "sample.choices": "the answer as a chat completion",
    "messages": "the conversation before the answer",
    "response": "text of the answer",
    "lastUserMessage": "the last user message",
    "systemPrompt": "the system prompt",
    "tools": "tools on offer",
    "toolCalls": "tool calls of the answer",
}
"""What a template may name beside ``item``, and what it stands for."""

_TEXT_ALIASES = frozenset({"response", "lastUserMessage", "systemPrompt"})


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
