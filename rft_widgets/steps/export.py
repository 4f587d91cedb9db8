"""Records out: chat JSONL that reads back exactly, training JSONL, CSV and Parquet."""

from __future__ import annotations

import contextlib
import csv
import os
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from rft_widgets.errors import ExtraRequired, InvalidArgument
from rft_widgets.model.message import to_json
from rft_widgets.model.record import Record
from rft_widgets.steps.parse import chat_json

if TYPE_CHECKING:
    import pandas as pd

ExportFormat = Literal["jsonl", "chat", "training", "csv", "parquet"]


def export(records: Iterable[Record], path: str | Path, file_format: ExportFormat) -> int:
    """Write records to a file, which appears only when it is complete.

    Parameters
    ----------
    records
        What to write.
    path
        Where to; an existing file is replaced.
    file_format
        ``jsonl``: chat lines that import to equal records. ``chat``: the same without what this
        package adds. ``training``: what training services take, a prompt that ends in a user or
        tool message with the item's fields beside it; invalid records are left out. ``csv`` and
        ``parquet``: one row a record, for analysis.

    Returns
    -------
    int
        Number of records written.

    Raises
    ------
    InvalidArgument
        If a training record does not end in a user or tool message, or its item has a field that
        training files use themselves.
    """
    target = Path(path)
    if file_format == "parquet":
        return _write_parquet(records, target)
    if file_format == "csv":
        return _write_csv(records, target)
    lines = {
        "jsonl": chat_json,
        "chat": lambda record: chat_json(record, dataset=False),
        "training": training_json,
    }
    if file_format not in lines:
        raise InvalidArgument(
            f"There is no export format {file_format!r}.",
            hint="Use 'jsonl', 'chat', 'training', 'csv' or 'parquet'.",
        )
    if file_format == "training":
        records = (record for record in records if record.is_valid)
    encode = msgspec.json.Encoder().encode
    count = 0
    with replacing(target) as temporary, temporary.open("wb") as file:
        for record in records:
            file.write(encode(lines[file_format](record)) + b"\n")
            count += 1
    return count


def training_json(record: Record) -> dict[str, Any]:
    """JSON object of a training line: the prompt, its tools, and the item's fields beside them."""
    messages = record.input.messages
    if not messages or messages[-1].role not in ("user", "tool"):
        ends = f"ends in a message of role {messages[-1].role!r}" if messages else "is empty"
        raise InvalidArgument(
            f"The prompt of record {record.id} {ends}; training services refuse such a file.",
            hint="Edit or delete the record, or leave it out of the selection.",
        )
    line: dict[str, Any] = {"messages": to_json(messages)}
    if record.input.tools:
        line["tools"] = to_json(record.input.tools)
    clash = sorted({"messages", "tools"} & record.item.keys())
    if clash:
        raise InvalidArgument(
            f"The item of record {record.id} has fields that training files use: {clash}.",
            hint="Rename them before the export.",
        )
    return line | record.item


def to_pandas(records: Iterable[Record]) -> pd.DataFrame:
    """One row a record: ids, flags and scores as columns, messages and item as JSON text."""
    import pandas as pd  # noqa: PLC0415 - slow to load

    frame = pd.DataFrame((_row(record) for record in records), columns=list(COLUMNS))
    for name in ("is_generated", "is_valid"):
        frame[name] = frame[name].astype("bool")
    for name in ("topic_confidence", "dry_run_score"):
        frame[name] = frame[name].astype("Float64")
    for name in ("created_at", "updated_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True).astype("datetime64[us, UTC]")
    return frame.astype({"tokens": "int64", "turns": "int64"})


COLUMNS = (
    "id", "span_id", "thread_id", "topic", "topic_confidence", "topic_method", "is_valid",
    "validation_errors", "is_generated", "source_record_id", "dry_run_score", "tokens", "turns",
    "prompt", "response", "messages", "tools", "output", "finish_reason", "item", "metadata",
    "created_at", "updated_at",
)  # fmt: skip
"""Columns of a table. ``prompt`` is the last user message, ``response`` the answer's text."""


def _row(record: Record) -> dict[str, Any]:
    users = [message for message in record.input.messages if message.role == "user"]
    return {
        "id": record.id,
        "span_id": record.span_id,
        "thread_id": record.thread_id,
        "topic": record.topic,
        "topic_confidence": record.topic_confidence,
        "topic_method": record.topic_method,
        "is_valid": record.is_valid,
        "validation_errors": ", ".join(issue.code for issue in record.validation_errors),
        "is_generated": record.is_generated,
        "source_record_id": record.source_record_id,
        "dry_run_score": record.dry_run_score,
        "tokens": record.tokens,
        "turns": len(users),
        "prompt": users[-1].text if users else "",
        "response": "\n".join(message.text for message in record.output.messages),
        "messages": _json(to_json(record.input.messages)),
        "tools": _json(to_json(record.input.tools)),
        "output": _json(to_json(record.output.messages)),
        "finish_reason": record.output.finish_reason,
        "item": _json(record.item),
        "metadata": _json(record.metadata),
        "created_at": record.created_at,
        "updated_at": record.updated_at,
    }


def _write_csv(records: Iterable[Record], target: Path) -> int:
    count = 0
    with (
        replacing(target) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for record in records:
            row = _row(record)
            writer.writerow({key: harmless_cell(value) for key, value in row.items()})
            count += 1
    return count


def harmless_cell(value: Any) -> Any:
    """Put a quote before a text that a spreadsheet would run as a formula."""
    if not isinstance(value, str) or not value:
        return value
    # Full-width forms of = + - @ are formulas to some spreadsheets, too.
    first = unicodedata.normalize("NFKC", value[0])
    return f"'{value}" if first in "=+-@\t\r\n" else value


def _write_parquet(records: Iterable[Record], target: Path) -> int:
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra
        import pyarrow.parquet as pq  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ExtraRequired(
            "Parquet needs pyarrow.", hint="Install it with: pip install 'rft-widgets[parquet]'"
        ) from error
    kinds = {
        "is_valid": pa.bool_(), "is_generated": pa.bool_(), "topic_confidence": pa.float64(),
        "dry_run_score": pa.float64(), "tokens": pa.int64(), "turns": pa.int64(),
        "created_at": pa.timestamp("us", "UTC"), "updated_at": pa.timestamp("us", "UTC"),
    }  # fmt: skip
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])
    count = 0
    with replacing(target) as temporary, pq.ParquetWriter(temporary, schema) as writer:
        for some in _chunks(records, 5_000):
            rows = [_row(record) for record in some]
            writer.write_table(pa.Table.from_pylist(rows, schema))
            count += len(rows)
    return count


def _chunks(records: Iterable[Record], size: int) -> Iterator[list[Record]]:
    chunk: list[Record] = []
    for record in records:
        chunk.append(record)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A file beside the target that takes its name when all went well, and goes away if not."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    os.close(handle)
    temporary = Path(name)
    # A temporary file is private; an export gets the permissions of any new file.
    mask = os.umask(0)
    os.umask(mask)
    temporary.chmod(0o666 & ~mask)
    try:
        yield temporary
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode() if value else ""
