"""One line of a file into a record draft, or the reason why it holds none.

A line is decoded straight into typed values, which costs about as much as a plain JSON parse and
builds no dictionaries. Whatever the typed path does not know (unknown keys, arguments given as an
object, a legacy shape) is read again by the tolerant path, so nothing is dropped.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct

from rft_widgets.model.message import (
    EXTRA,
    Message,
    MessageShapeError,
    Tool,
    ToolChoice,
    message_from_json,
    reserved_clash,
    to_json,
    tool_from_json,
)
from rft_widgets.model.record import (
    Record,
    RecordDraft,
    RecordInput,
    RecordOutput,
    RefusalCode,
    TopicMethod,
)
from rft_widgets.model.settings import LIMITS
from rft_widgets.steps.refusals import (
    LineRefused,
    check_duplicate_keys,
    check_text,
    count_keys,
    explain,
    has_long_int,
    kind_of,
)

STATE = "rft_widgets"
"""Key of a chat line under which our own export keeps what chat JSONL has no place for."""


def parse_line(line: bytes) -> RecordDraft:
    """Read one line of JSONL, or one element of a JSON array.

    Parameters
    ----------
    line
        One JSON value in UTF-8, in a shape of ``pipeline``: chat, record, or wrapped in ``data``.

    Raises
    ------
    LineRefused
        If the line is not safe JSON, or holds no conversation.
    """
    if len(line) > LIMITS.max_line_bytes:
        raise LineRefused("line_too_long", f"The line has {len(line):,} bytes, the limit is "
                                           f"{LIMITS.max_line_bytes:,}.")  # fmt: skip
    escaped = b"\\" in line  # one byte is found far faster than two
    if escaped:
        check_text(line)
    if len(line) > LIMITS.max_int_digits and has_long_int(line):
        raise LineRefused(
            "number_too_long", f"A number has more than {LIMITS.max_int_digits:,} digits."
        )
    try:
        top = _TOP.decode(line)
        draft, keys = _draft(top)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        explain(line, error)
    # Every key is written `"...":` and that never occurs inside a text, where the quote is escaped.
    # Fewer keys decoded than written means that one was written twice.
    # The two exceptions: white space before the colon, and a key that ends in a backslash.
    written = line.count(b'":') - (line.count(b'\\":') if escaped else 0)
    odd = escaped and b'\\\\":' in line and _BACKSLASHED_KEY.search(line)
    if keys + len(top) != written or odd or _SPACED_COLON.search(line):
        check_duplicate_keys(line)
        _check_reserved(draft)  # its keys are not counted, so a line that has some comes by here
    return draft


def check_names(draft: RecordDraft) -> RecordDraft:
    """Hold a draft that was made in Python to what a line may have for names and topic."""
    names: dict[str, Any] = {key: _identifier(getattr(draft, key), key) for key in _NAMES}
    if draft.topic and draft.topic_method is None:
        names["topic_method"] = "import"
    return msgspec.structs.replace(draft, **names)


def check_draft(draft: RecordDraft) -> RecordDraft:
    """Hold a draft that was made in Python to what the parser lets through.

    Raises
    ------
    LineRefused
        If it holds what databases and JSON cannot.
    """
    try:
        check_text(msgspec.json.encode(draft))
    except UnicodeEncodeError:
        words = "A text holds half of a surrogate pair."
        raise LineRefused("lone_surrogate", words) from None
    return check_names(draft)


def draft_from_json(value: Any) -> RecordDraft:
    """Read a record from a JSON object that is already decoded; same shapes and refusals."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=msgspec.to_builtins)
        line = text.encode()
    except UnicodeEncodeError:
        raise LineRefused(
            "lone_surrogate", "A text holds half of a surrogate pair (\\ud800 to \\udfff)."
        ) from None
    except RecursionError:
        raise LineRefused("too_deep", "Arrays and objects nest too deep to write.") from None
    except (TypeError, ValueError) as error:
        code: RefusalCode = "non_finite_number" if "float" in str(error) else "invalid_json"
        raise LineRefused(code, f"{error}.") from None
    return parse_line(line)


def chat_json(record: Record | RecordDraft, *, dataset: bool = True) -> dict[str, Any]:
    """JSON object of the chat line that `parse_line` reads back to the same record.

    Parameters
    ----------
    record
        What to write.
    dataset
        Whether to include what this package knows of the record (topic, scores, lineage, where the
        input ends); without it the line is plain chat JSONL.
    """
    messages = (*record.input.messages, *record.output.messages)
    line: dict[str, Any] = {"messages": to_json(messages)}
    if record.input.tools:
        line["tools"] = to_json(record.input.tools)
    if record.input.tool_choice is not None:
        line["tool_choice"] = record.input.tool_choice
    state: dict[str, Any] = {}
    if dataset:
        state = {key: value for key in _STATE_KEYS if (value := getattr(record, key))}
        if record.dry_run_score is not None:
            state["dry_run_score"] = record.dry_run_score
        if record.topic_confidence is not None:
            state["topic_confidence"] = record.topic_confidence
        if record.output.finish_reason is not None:
            state["finish_reason"] = record.output.finish_reason
        if len(record.output.messages) != _trailing_answer(messages):
            state["output_messages"] = len(record.output.messages)
        if record.id is not None:
            line["id"] = record.id
        if record.topic is not None:
            line["topic"] = record.topic
    if record.metadata:
        line["metadata"] = record.metadata
    if _CHAT_KEYS.isdisjoint(record.item):
        line |= record.item
    else:
        state["item"] = record.item
    if state:
        line[STATE] = state
    return line


_TOP = msgspec.json.Decoder(dict[str, Raw])
_ANY = msgspec.json.Decoder()
_MESSAGES = msgspec.json.Decoder(tuple[Message, ...])
_TOOLS = msgspec.json.Decoder(tuple[Tool, ...])
_CHOICE = msgspec.json.Decoder(str | dict[str, Any] | None)
_OBJECT = msgspec.json.Decoder(dict[str, Any] | None)

_SPACED_COLON = re.compile(rb'"[ \t\r\n]+:')
_BACKSLASHED_KEY = re.compile(rb'(?<!\\)(?:\\\\)+":')

# Definitions of tools repeat from record to record; each distinct text is read once.
_tools_cache: dict[bytes, tuple[tuple[Tool, ...], int]] = {}
_TOOLS_CACHE_ENTRIES = 512


class _State(Struct, forbid_unknown_fields=True):
    span_id: str | None = None
    thread_id: str | None = None
    topic_method: TopicMethod | None = None
    topic_confidence: float | None = None
    is_generated: bool = False
    source_record_id: str | None = None
    dry_run_score: float | None = None
    finish_reason: str | None = None
    output_messages: Annotated[int, Meta(ge=0)] | None = None
    item: dict[str, Any] | None = None


_NAMES = ("id", "topic", "span_id", "thread_id", "source_record_id")
_STATE_KEYS = ("span_id", "thread_id", "topic_method", "is_generated", "source_record_id")
_CHAT_KEYS = frozenset({"messages", "tools", "tool_choice", "id", "topic", "metadata", "input",
                        "output", "data", STATE})  # fmt: skip
_RECORD_FIELDS = frozenset({"item", "span_id", "thread_id", "topic", "topic_confidence",
                            "topic_method", "is_generated", "source_record_id", "dry_run_score",
                            "id", "metadata"})  # fmt: skip
_INPUT_KEYS = frozenset({"messages", "tools", "tool_choice"})
_OUTPUT_KEYS = frozenset({"messages", "finish_reason"})
_STORE_FIELDS = frozenset({"dataset_id", "is_valid", "validation_errors", "created_at",
                           "updated_at", "version", "tokens"})  # fmt: skip


def _draft(top: dict[str, Raw]) -> tuple[RecordDraft, int]:
    """Draft of a decoded line, and how many keys its nested objects have."""
    if "messages" in top:
        return _chat(top)
    if "input" in top:
        return _record(top)
    if "data" in top:
        return _wrapped(top)
    raise LineRefused(
        "missing_input", f"There is neither 'messages' nor 'input'; the keys are {_names(top)}."
    )


def _chat(top: dict[str, Raw]) -> tuple[RecordDraft, int]:
    messages, keys = _messages(top["messages"])
    tools: tuple[Tool, ...] = ()
    choice: ToolChoice | None = None
    metadata: dict[str, Any] = {}
    item: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    for key, raw in top.items():
        if key == "messages":
            continue
        if key == "tools":
            tools, more = _tools(raw)
            keys += more
        elif key == "metadata":
            metadata = _typed(_OBJECT, raw, key) or {}
            keys += count_keys(metadata)
        elif key == "tool_choice":
            choice = _typed(_CHOICE, raw, key)
            keys += count_keys(choice)
        elif key in ("id", "topic"):
            fields[key] = _identifier(_ANY.decode(raw), key)
        elif key == STATE:
            value = _ANY.decode(raw)
            # An item that stands here lies two levels deeper than where it was read from.
            keys += count_keys(value, 0)
            state = _state(value, len(messages))
            if state is None:
                count_keys(value)
                item[key] = value
            else:
                fields |= msgspec.structs.asdict(state)
        else:
            item[key] = value = _ANY.decode(raw)
            if type(value) in (dict, list):
                keys += count_keys(value)
    answers = fields.pop("output_messages", None)
    if answers is None:
        answers = _trailing_answer(messages)
    split = len(messages) - answers
    item |= fields.pop("item", None) or {}
    finish = fields.pop("finish_reason", None)
    return _made(
        RecordInput(messages[:split], tools, choice),
        RecordOutput(messages[split:], finish),
        item,
        metadata,
        fields,
    ), keys


def _state(value: Any, messages: int) -> _State | None:
    """Our own export's part of a line; ``None`` for somebody else's key of the same name."""
    try:
        state = msgspec.convert(value, _State)
    except msgspec.ValidationError:
        return None
    return state if (state.output_messages or 0) <= messages else None


def _record(top: dict[str, Raw]) -> tuple[RecordDraft, int]:
    values = {key: _ANY.decode(raw) for key, raw in top.items()}
    keys = sum(count_keys(value) for value in values.values())
    record_input = values.pop("input")
    if not isinstance(record_input, dict):
        raise LineRefused(
            "invalid_data_structure", f"'input' is {kind_of(record_input)}, not an object."
        )
    if "messages" not in record_input:
        raise LineRefused(
            "missing_messages", f"'input' has no 'messages', only {_names(record_input)}."
        )
    messages = _messages_from(record_input["messages"], "input.messages")
    output = _object(values.pop("output", None), "output")
    answer = output.get("messages")
    if answer is None or isinstance(answer, dict):
        answer = [] if answer is None else [answer]
    answers = _messages_from(answer, "output.messages")
    finish = output.get("finish_reason")
    if finish is not None and not isinstance(finish, str):
        raise LineRefused(
            "invalid_data_structure", f"'output.finish_reason' is {kind_of(finish)}, not text."
        )
    if not answers and _trailing_answer(messages):
        messages, answers = messages[:-1], messages[-1:]
    fields = {key: values.pop(key) for key in _RECORD_FIELDS if key in values}
    for key in _STORE_FIELDS:
        values.pop(key, None)
    metadata = _object(fields.pop("metadata", None), "metadata")
    for side, value, known in (
        ("input", record_input, _INPUT_KEYS),
        ("output", output, _OUTPUT_KEYS),
    ):
        unknown = {key: inner for key, inner in value.items() if key not in known}
        if unknown:
            metadata = {f"{side}_fields": unknown} | metadata
    # Keys that neither chat nor record JSONL know are kept where graders find them.
    item = _object(fields.pop("item", None), "item") | values
    for key in ("id", "topic"):
        if key in fields:
            fields[key] = _identifier(fields[key], key)
    offered = record_input.get("tools")
    if offered is not None and not isinstance(offered, list):
        raise LineRefused("invalid_data_structure", f"'tools' is {kind_of(offered)}, not a list.")
    try:
        tools = tuple(
            tool_from_json(tool, f"input.tools[{i}]") for i, tool in enumerate(offered or ())
        )
    except MessageShapeError as error:
        raise LineRefused("invalid_data_structure", f"{error}.") from None
    choice = record_input.get("tool_choice")
    if choice is not None and not isinstance(choice, (str, dict)):
        raise LineRefused(
            "invalid_data_structure", f"'tool_choice' is {kind_of(choice)}, not text or an object."
        )
    return _made(RecordInput(messages, tools, choice), RecordOutput(answers, finish), item,
                 metadata, fields), keys  # fmt: skip


def _wrapped(top: dict[str, Raw]) -> tuple[RecordDraft, int]:
    try:
        inner = _TOP.decode(top["data"])
    except msgspec.ValidationError:
        kind = kind_of(_ANY.decode(top["data"]))
        raise LineRefused("invalid_data_structure", f"'data' is {kind}, not an object.") from None
    if "data" in inner and "messages" not in inner and "input" not in inner:
        raise LineRefused("missing_input", "'data' holds neither 'messages' nor 'input'.")
    merged = inner | {key: raw for key, raw in top.items() if key != "data"}
    for key in inner.keys() & top.keys():
        count_keys(_ANY.decode(inner[key]), 3)  # what is overruled must be safe to read, too
    draft, keys = _draft(merged)
    clashes = len(inner) + len(top) - 1 - len(merged)
    return draft, keys + len(merged) + clashes + 1 - len(top)


def _made(
    record_input: RecordInput,
    output: RecordOutput,
    item: dict[str, Any],
    metadata: dict[str, Any],
    fields: dict[str, Any],
) -> RecordDraft:
    if not fields:
        return RecordDraft(input=record_input, output=output, item=item, metadata=metadata)
    fields = {key: value for key, value in fields.items() if value is not None}
    for key in ("span_id", "thread_id", "source_record_id"):
        if key in fields:
            fields[key] = _identifier(fields[key], key)
    if fields.get("topic") and "topic_method" not in fields:
        # A topic that came with the data was somebody's decision before it was ours.
        fields["topic_method"] = "import"
    try:
        return msgspec.convert(
            fields | {"input": record_input, "output": output, "item": item, "metadata": metadata},
            RecordDraft,
        )
    except msgspec.ValidationError as error:
        raise LineRefused("invalid_data_structure", f"{error}.") from None


def _messages(raw: Raw) -> tuple[tuple[Message, ...], int]:
    try:
        messages = _MESSAGES.decode(raw)
    except msgspec.ValidationError:
        value = _ANY.decode(raw)
        return _messages_from(value, "messages"), count_keys(value)
    keys = 0
    empty = False
    for message in messages:
        content = message.content
        if content is None:
            empty = True
            keys += 1
        else:
            keys += 2
        if type(content) is tuple:
            keys += count_keys(content, 4)
        if message.name is not None:
            keys += 1
        if message.tool_call_id is not None:
            keys += 1
        if message.tool_calls:
            keys += 1
            for call in message.tool_calls:
                keys += 1 + (call.id is not None) + (3 if call.function is not None else 0)
    if empty:  # a message that only calls tools has no content, or writes that it has none
        text = bytes(raw)
        keys += text.count(b'"content": null') + text.count(b'"content":null')
    return messages, keys


def _messages_from(value: Any, where: str) -> tuple[Message, ...]:
    if value is None:
        raise LineRefused("missing_messages", f"'{where}' is null.")
    if not isinstance(value, list):
        raise LineRefused("invalid_data_structure", f"'{where}' is {kind_of(value)}, not a list.")
    try:
        return tuple(message_from_json(m, f"{where}[{i}]") for i, m in enumerate(value))
    except MessageShapeError as error:
        raise LineRefused("invalid_data_structure", f"{error}.") from None


def _tools(raw: Raw) -> tuple[tuple[Tool, ...], int]:
    text = bytes(raw)
    known = _tools_cache.get(text)
    if known is None:
        value = _ANY.decode(raw)
        if value is not None and not isinstance(value, list):
            raise LineRefused("invalid_data_structure", f"'tools' is {kind_of(value)}, not a list.")
        try:
            tools = tuple(tool_from_json(tool, f"tools[{i}]") for i, tool in enumerate(value or ()))
        except MessageShapeError as error:
            raise LineRefused("invalid_data_structure", f"{error}.") from None
        known = tools, count_keys(value)
        if len(_tools_cache) >= _TOOLS_CACHE_ENTRIES:
            _tools_cache.clear()
        _tools_cache[text] = known
    return known


def _trailing_answer(messages: tuple[Message, ...]) -> int:
    return 1 if messages and messages[-1].role == "assistant" else 0


def _typed(decoder: msgspec.json.Decoder[Any], raw: Raw, key: str) -> Any:
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError:
        kind = kind_of(_ANY.decode(raw))
        raise LineRefused("invalid_data_structure", f"'{key}' is {kind}.") from None


def _identifier(value: Any, key: str) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is None or isinstance(value, str):
        if value and len(value) > LIMITS.max_identifier_chars:
            raise LineRefused(
                "invalid_data_structure",
                f"{key!r} has {len(value):,} characters, at most "
                f"{LIMITS.max_identifier_chars:,} are kept.",
            )
        return value or None
    raise LineRefused("invalid_data_structure", f"'{key}' is {kind_of(value)}, not text.")


def _object(value: Any, key: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise LineRefused("invalid_data_structure", f"'{key}' is {kind_of(value)}, not an object.")
    return value


def _check_reserved(draft: RecordDraft) -> None:
    for message in (*draft.input.messages, *draft.output.messages):
        if (key := reserved_clash(message)) is not None:
            raise LineRefused(
                "invalid_data_structure", f"The reserved key {EXTRA!r} must not hold {key!r}."
            )


def _names(value: dict[str, Any]) -> str:
    shown = ", ".join(sorted(value)[:12])
    return shown or "none"
