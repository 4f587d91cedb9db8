"""What a worker may say to the host, and how far it is believed: its types, and no further."""

from __future__ import annotations

import secrets
from typing import Literal

import msgspec

FaultKind = Literal["timeout", "crash", "protocol"]


class WorkerFault(Exception):  # noqa: N818 - what happened to one request; callers make a result of it
    """A worker gave no answer that counts."""

    def __init__(self, kind: FaultKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class GraderError(msgspec.Struct, frozen=True):
    """What user code raised."""

    type: str | None
    message: str
    line: int | None


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with a source."""

    message: str
    line: int | None
    column: int | None


class Answer(msgspec.Struct, frozen=True):
    """What a worker may say; anything else is a violation."""

    id: str | None = None
    score: float | None = None
    error: GraderError | None = None
    problem: Problem | None = None
    ready: str | None = None
    refused: str | None = None


ANSWER = msgspec.json.Decoder(Answer)


def decode_answer(payload: bytes, request_id: str) -> Answer:
    """Read the answer to a request; anything else is a `WorkerFault`."""
    try:
        answer = ANSWER.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise WorkerFault("protocol", "the grader's process answered nonsense") from None
    if answer.id is None or not secrets.compare_digest(answer.id.encode(), request_id.encode()):
        raise WorkerFault("protocol", "the grader's process answered another question")
    return answer
