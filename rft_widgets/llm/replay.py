"""The calls of a job as a file, and a model that says again what stands in one."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from rft_widgets.errors import ImportRejected, NotFound
from rft_widgets.llm.faults import CallFault
from rft_widgets.llm.requests import EMBEDDINGS, ModelRequest, encode_body
from rft_widgets.model.connection import NamedConnection
from rft_widgets.model.llm import ModelConnection
from rft_widgets.store.model_calls import CallRow


def write_calls(path: Path, rows: Iterable[CallRow]) -> int:
    """Write calls, one a line of JSON; returns how many. The file is there whole or not at all."""
    count = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            for row in rows:
                file.write(msgspec.json.encode(_line(row)) + b"\n")
                count += 1
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return count


class ReplayedModel:
    """A model that gives again the answers of a file, and no others; usable where a model is.

    It asks nobody and costs nothing. A request that is not in the file, to the letter, fails as a
    call does. Where the requests went does not matter.

    Parameters
    ----------
    path
        What ``ds.export_calls`` wrote.

    Raises
    ------
    NotFound
        There is no such file.
    ImportRejected
        It holds no calls that can be read; says in which line.

    Examples
    --------
    >>> ds.dry_run(model=ReplayedModel("calls.jsonl"))  # doctest: +SKIP
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._answers: dict[str, bytes | str] = {}
        models: dict[bool, str] = {}
        try:
            with self.path.open("rb") as file:
                for number, line in enumerate(file, 1):
                    embeds, model = self._read(line, number)
                    models.setdefault(embeds, model)
        except FileNotFoundError:
            raise NotFound(f"There is no file {path}.", hint="Check the path.") from None
        if not models:
            raise ImportRejected(f"{path} holds no calls.", hint="ds.export_calls writes them.")
        self.named = NamedConnection(
            name=self.path.name[:80],
            # Nothing goes there: the requests are looked up in the file.
            connection=ModelConnection(base_url="http://localhost/recorded", api_key_env=None),
            model=models.get(False, models.get(True, "recorded")),
            embedding_model=models.get(True),
            input_price=0,
            output_price=0,
        )

    def __repr__(self) -> str:
        return f"ReplayedModel({str(self.path)!r})"

    async def send(self, request: ModelRequest) -> bytes:
        """The recorded answer; raises `CallFault`."""
        answer = self._answers.get(_place(request.path, request.body, request.repeat))
        if answer is None:
            raise CallFault(f"this request is not in {self.path.name}")
        if isinstance(answer, str):
            raise CallFault(answer)
        return answer

    async def close(self) -> None:
        """Nothing is open."""

    def _read(self, line: bytes, number: int) -> tuple[bool, str]:
        try:
            value = msgspec.json.decode(line)
            request = value["request"]
            path, body, repeat = request["path"], request["body"], request["repeat"]
            model = str(body["model"])
            answer: bytes | str
            if value["state"] != "done":
                answer = str(value.get("error") or "its answer was not seen")
            elif "answer_text" in value:
                answer = value["answer_text"].encode()
            else:
                answer = msgspec.json.encode(value["answer"])
        except (msgspec.DecodeError, KeyError, TypeError, AttributeError, ValueError):
            raise ImportRejected(
                f"{self.path}: line {number:,} is no call.", hint="ds.export_calls writes them."
            ) from None
        self._answers[_place(str(path), encode_body(body), int(repeat))] = answer
        return path == EMBEDDINGS, model


def _place(path: str, body: bytes, repeat: int) -> str:
    return hashlib.sha256(b"%s %d %s" % (path.encode(), repeat, body)).hexdigest()


def _line(row: CallRow) -> dict[str, Any]:
    line = {
        "key": row.key,
        "state": row.state,
        "purpose": row.purpose,
        "model": row.model,
        "job": row.job_id or None,
        "sent_at": row.sent_at,
        "prompt_tokens": row.prompt_tokens,
        "completion_tokens": row.completion_tokens,
        "cost_micro_usd": row.cost_micro_usd,
        "error": row.error,
        "request": msgspec.Raw(row.request),
    }
    if row.answer is not None:
        try:
            line["answer"] = msgspec.json.decode(row.answer)
        except (msgspec.DecodeError, ValueError, RecursionError):
            line["answer_text"] = row.answer.decode(errors="replace")
    return line
