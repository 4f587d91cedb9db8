"""Lines, files and records for tests."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterable, Sequence
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import rft_widgets as rft
from rft_widgets.model.message import Message, to_json
from rft_widgets.model.record import RecordInput, RecordOutput

Json = dict[str, Any]


class ManyAtOnce(ThreadingHTTPServer):
    """A server that many may connect to at once: the usual five in line are too few."""

    request_queue_size = 128


def message(role: str, content: Any, **more: Any) -> Json:
    return {"role": role, "content": content, **more}


def user(content: Any) -> Json:
    return message("user", content)


def assistant(content: Any, **more: Any) -> Json:
    return message("assistant", content, **more)


def call(call_id: str | None = "call_1", name: str = "lookup", arguments: Any = "{}") -> Json:
    made: Json = {"type": "function", "function": {"name": name, "arguments": arguments}}
    return made if call_id is None else {"id": call_id, **made}


def tool_message(call_id: str | None, content: Any = "done") -> Json:
    return {"role": "tool", "content": content} | ({"tool_call_id": call_id} if call_id else {})


def tool(name: str = "lookup", **parameters: Any) -> Json:
    return {
        "type": "function",
        "function": {
            "name": name,
            "description": f"What {name} does",
            "parameters": {"type": "object", "properties": parameters},
        },
    }


def chat_line(
    prompt: str = "A question that is long enough", answer: str = "", **more: Any
) -> Json:
    """Chat line of one user message, with an answer if one is given, and more top-level keys."""
    messages = [user(prompt)] + ([assistant(answer)] if answer else [])
    return {"messages": messages, **more}


def draft(prompt: str, answer: str = "", *, system: str = "", **fields: Any) -> rft.RecordDraft:
    """Record of one user message, before it is stored."""
    messages = ([Message("system", system)] if system else []) + [Message("user", prompt)]
    output = (Message("assistant", answer),) if answer else ()
    return rft.RecordDraft(
        input=RecordInput(tuple(messages)), output=RecordOutput(output), **fields
    )


def dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def write_jsonl(folder: Path, lines: Iterable[Json | bytes], name: str = "lines.jsonl") -> Path:
    """Write lines, given as values or as they stand in the file."""
    path = folder / name
    path.write_bytes(
        b"".join((line if isinstance(line, bytes) else dump(line)) + b"\n" for line in lines)
    )
    return path


def gzipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def prompts(dataset: rft.OptimizationDataset) -> list[str]:
    """Text of the last user message of every record, in order of position."""
    found = []
    for record in dataset.iterate():
        users = [m.text for m in record.messages if m.role == "user"]
        found.append(users[-1] if users else "")
    return found


def content(record: rft.Record) -> Json:
    """What a record holds that a round trip must bring back, as comparable values."""
    return {
        "input": record.input,
        "output": record.output,
        "written": to_json(record.messages),
        **{
            name: getattr(record, name)
            for name in (
                "item", "metadata", "id", "span_id", "thread_id", "topic", "topic_confidence",
                "topic_method", "is_generated", "source_record_id", "dry_run_score",
            )
        },
    }  # fmt: skip


def all_pages(
    dataset: rft.OptimizationDataset, where: rft.RecordFilter | None = None, **options: Any
) -> list[rft.Record]:
    """Every record of a filter, page by page."""
    found: list[rft.Record] = []
    after = None
    while True:
        page = dataset.records(where, after=after, **options)
        found += page.records
        if page.next is None:
            return found
        after = page.next


def errors(record: rft.Record) -> list[str]:
    return [issue.code for issue in record.validation_errors]


def data_folder() -> Path:
    """Folder of real data, which lies beside the repository; skips the test where it does not."""
    default = Path(__file__).parents[1].parent / "shared" / "data"
    folder = Path(os.environ.get("RFT_WIDGETS_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no test data at {folder}; set RFT_WIDGETS_DATA to its folder")
    return folder


def sums(result: Any) -> None:
    """The rule that every import keeps."""
    assert result.imported + result.refused + result.blank == result.lines, result
    assert result.valid + result.invalid == result.imported, result
    assert 0 <= result.duplicates <= result.invalid, result
    assert len(result.errors) == min(result.refused, 1_000), result


def texts(messages: Sequence[Json]) -> list[Any]:
    return [m.get("content") for m in messages]
