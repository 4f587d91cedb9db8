"""A record as JSON texts, to be edited on a page and read back."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import Struct

from rft_widgets.dataset import OptimizationDataset
from rft_widgets.errors import InvalidArgument
from rft_widgets.model.message import to_json
from rft_widgets.model.record import Record
from rft_widgets.model.record_rows import RecordCheck

MAX_BYTES = 4 * 1024**2
"""Largest record that is edited on a page."""

_LISTS = ("messages", "tools", "output")
_AT_BYTE = re.compile(r"(.*) \(byte (\d+)\)$", re.DOTALL)


class RecordTexts(Struct, frozen=True, kw_only=True):
    """The parts of a record that can be edited, each as JSON."""

    messages: str
    output: str
    tools: str
    item: str
    metadata: str


class EditedRecord(Struct, frozen=True, kw_only=True):
    """A record to be edited: its parts, and the version that they are of."""

    version: int
    texts: RecordTexts


class TextProblem(Struct, frozen=True, kw_only=True):
    """Why a part cannot be read. Lines and columns count from 1."""

    part: str
    message: str
    line: int | None = None
    column: int | None = None


class TextCheck(Struct, frozen=True, kw_only=True):
    """What stands against an edit, or what validation would say of it."""

    problems: tuple[TextProblem, ...] = ()
    check: RecordCheck | None = None


def texts_of(record: Record) -> EditedRecord:
    """Write the parts of a record as JSON.

    Raises
    ------
    InvalidArgument
        The record is too large to be edited on a page.
    """
    texts = RecordTexts(
        messages=_json(to_json(record.input.messages)),
        output=_json(to_json(record.output.messages)),
        tools=_json(to_json(record.input.tools)),
        item=_json(record.item),
        metadata=_json(record.metadata),
    )
    size = sum(len(text.encode()) for text in msgspec.structs.astuple(texts))
    if size > MAX_BYTES // 2:  # a text grows when it crosses
        raise InvalidArgument(
            f"The record has {size:,} bytes, too many to edit on a page.",
            hint=f"Edit it in Python: ds.edit_record({record.id!r}, messages=[...]).",
        )
    return EditedRecord(version=record.version, texts=texts)


def check_texts(dataset: OptimizationDataset, record_id: str, texts: RecordTexts) -> TextCheck:
    """Read the parts, and say what validation would say of the record."""
    record = dataset.record(record_id)
    values, problems = _values(texts)
    if problems:
        return TextCheck(problems=problems)
    try:
        return TextCheck(check=dataset.check_record(record, **_changes(record, values)))
    except InvalidArgument as error:
        return TextCheck(problems=(_problem(error.message),))


def save_texts(
    dataset: OptimizationDataset, record_id: str, version: int, texts: RecordTexts
) -> None:
    """Change what differs; refused when the record has another version by now.

    Raises
    ------
    InvalidArgument
        A part cannot be read, or nothing differs.
    StaleEdit
        Somebody else changed the record.
    """
    values, problems = _values(texts)
    if problems:
        first = problems[0]
        place = f", line {first.line}" if first.line else ""
        raise InvalidArgument(f"{first.part}{place}: {first.message}")
    record = msgspec.structs.replace(dataset.record(record_id), version=version)
    changes = _changes(record, values)
    if not changes:
        raise InvalidArgument("Nothing was changed.")
    dataset.edit_record(record, **changes)


def _changes(record: Record, values: dict[str, Any]) -> dict[str, Any]:
    now = texts_of(record).texts
    return {name: value for name, value in values.items() if _json(value) != getattr(now, name)}


def _values(texts: RecordTexts) -> tuple[dict[str, Any], tuple[TextProblem, ...]]:
    values: dict[str, Any] = {}
    problems = []
    for part in texts.__struct_fields__:
        text = getattr(texts, part)
        try:
            value = msgspec.json.decode(text)
        except msgspec.DecodeError as error:
            problems.append(_syntax(part, text, str(error)))
            continue
        except RecursionError:
            problems.append(TextProblem(part=part, message="Arrays and objects nest too deep."))
            continue
        kind = list if part in _LISTS else dict
        if isinstance(value, kind):
            values[part] = value
        else:
            wanted = "a list: [...]" if kind is list else "an object: {...}"
            problems.append(TextProblem(part=part, message=f"This has to be {wanted}."))
    return values, tuple(problems)


def _syntax(part: str, text: str, message: str) -> TextProblem:
    found = _AT_BYTE.match(message)  # without a place, the text ends too early
    words = (found[1] if found else message).removeprefix("JSON is malformed: ")
    data = text.encode()
    before = (data[: int(found[2])] if found else data).decode(errors="ignore")
    return TextProblem(
        part=part,
        message=f"This is not JSON: {words}.",
        line=before.count("\n") + 1,
        column=len(before) - before.rfind("\n"),
    )


def _problem(message: str) -> TextProblem:
    """Which part a message is about: it begins with its name."""
    words = message.split(": ", 1)[-1] if message.startswith("Record ") else message
    part = next((one for one in RecordTexts.__struct_fields__ if words.startswith(one)), "messages")
    return TextProblem(part=part, message=words)


def _json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
