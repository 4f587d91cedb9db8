"""Plain chat files: lines with messages, with input and output, or either of them under "data"."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rft_widgets.model.message import MessageShapeError
from rft_widgets.model.trace import Choice
from rft_widgets.traces.bodies import chat_messages, chat_tool_choice, chat_tools
from rft_widgets.traces.exchange import Exchange, LostCall, read_each, text_or_none, to_readings
from rft_widgets.traces.reader import Document, Reading

NAME = "chat_jsonl"


def matches(value: Any) -> bool:
    """Whether a value holds messages in one of the three shapes."""
    if not isinstance(value, Mapping):
        return False
    inner = value.get("data")
    return _holds_messages(value) or _holds_messages(inner)


def read(documents: Iterable[Document]) -> Iterator[Reading]:
    """Traces of lines.

    A trailing assistant message is the answer; a trailing user or tool message belongs to the
    request. Fields that are not known go to ``metadata["item"]``.
    """
    return read_each(documents, _read_one)


_KNOWN = frozenset(
    {
        "messages", "tools", "tool_choice", "functions", "parallel_tool_calls", "item", "id",
        "topic", "metadata", "span_id", "thread_id",
    }
)  # fmt: skip


def _holds_messages(value: Any, side: str = "input") -> bool:
    if not isinstance(value, Mapping):
        return False
    holder = value if "messages" in value else value.get(side)
    return isinstance(holder, Mapping) and isinstance(holder.get("messages"), list)


def _read_one(document: Document) -> Iterator[Reading]:
    outer = document.value
    if not isinstance(outer, Mapping):
        raise MessageShapeError(f"a line is {type(outer).__name__}, not an object")
    inner = outer.get("data")
    wrapped = not _holds_messages(outer) and isinstance(inner, Mapping)
    line = dict(outer)
    if wrapped and isinstance(inner, Mapping):
        del line["data"]
        line |= inner
    yield from to_readings(
        _exchange(line),
        format=NAME,
        location=document.location,
        model=text_or_none(line.get("model")),
        span_id=text_or_none(line.get("span_id")),
        thread_id=text_or_none(line.get("thread_id")),
        metadata=_metadata(line),
    )


def _exchange(line: Mapping[str, Any]) -> Exchange:
    source = line
    if "messages" not in line:
        source = line.get("input") or {}
        if not isinstance(source, Mapping):
            raise MessageShapeError("input is no object")
    messages = chat_messages(source.get("messages"))
    output = line.get("output")
    choices: tuple[Choice, ...] = ()
    if isinstance(output, Mapping) and output.get("messages"):
        written = chat_messages(output["messages"])
        # Calls and their results before the last message are part of what was asked.
        messages, answer = messages + written[:-1], written[-1]
        choices = (Choice(answer, text_or_none(output.get("finish_reason"))),)
    elif messages and messages[-1].role == "assistant":
        messages, choices = messages[:-1], (Choice(messages[-1]),)
    if not messages:
        if choices:
            raise LostCall("no_request", "an answer without a question")
        raise LostCall("no_content", "the line holds no messages")
    params = {"parallel_tool_calls": line["parallel_tool_calls"]} if _says_parallel(line) else {}
    return Exchange(
        messages=messages,
        choices=choices,
        tools=chat_tools(source),
        tool_choice=chat_tool_choice(source),
        params=params,
    )


def _says_parallel(line: Mapping[str, Any]) -> bool:
    return isinstance(line.get("parallel_tool_calls"), bool)


def _metadata(line: Mapping[str, Any]) -> dict[str, Any]:
    given, item = line.get("metadata"), line.get("item")
    metadata = dict(given) if isinstance(given, Mapping) else {}
    for key in ("id", "topic"):
        if isinstance(line.get(key), str):
            metadata[key] = line[key]
    # "input" and "output" are names that people use for fields of their own, too.
    sides = {key for key in ("input", "output") if _holds_messages({key: line.get(key)}, key)}
    extra = dict(item) if isinstance(item, Mapping) else {}
    extra |= {key: value for key, value in line.items() if key not in _KNOWN | sides}
    if extra:
        metadata["item"] = extra
    return metadata
