"""Datasets of small questions, and the stand-in services that they are trained at."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sampled import stored

import rft_widgets as rft
from rft_widgets.graders import compile_grader
from rft_widgets.llm.client import ModelClient
from rft_widgets.model.connection import NamedConnection
from rft_widgets.model.grader import grader_from_json
from rft_widgets.model.llm import ModelConnection
from rft_widgets.model.message import Message
from rft_widgets.model.record import Record, RecordDraft, RecordInput, RecordOutput
from rft_widgets.model.training import TrainingConfig
from rft_widgets.testing.openai_server import OpenAIServer
from rft_widgets.testing.request_log import LoggedRequest
from rft_widgets.trainers import TrainingData, TrainingTask, grader_rewarder

KEY, KEY_ENV, BASE = "sk-a-secret-of-a-test", "TUNING_KEY", "base-1"
ARN = "arn:aws:lambda:us-west-2:123456789012:function:capital-grader"
WORDS = [
    "alpha",
    "bravo",
    "charlie",
    "delta",
    "echo",
    "foxtrot",
    "golf",
    "hotel",
    "india",
    "juliet",
    "kilo",
    "lima",
]
GRADER = {
    "type": "string_check", "name": "names it", "operation": "ilike",
    "input": "{{response}}", "reference": "{{item.reference_answer}}",
}  # fmt: skip


def lines(n: int) -> Iterator[dict[str, Any]]:
    for i in range(n):
        words = f"{WORDS[i % 12]} {WORDS[(i * 5 + i // 12) % 12]} {i * 7919}"
        yield {
            "messages": [
                {"role": "system", "content": "You name things."},
                {"role": "user", "content": f"Name the first of {words} in one word"},
                {"role": "assistant", "content": f"It is {WORDS[i % 12]}"},
            ],
            "reference_answer": WORDS[i % 12],
        }


def config(dialect: str = "openai", **changes: Any) -> dict[str, Any]:
    settings = {"dialect": dialect} | ({"lambda_arn": ARN} if dialect == "bedrock" else {})
    return {
        "trainer": "openai", "connection": "tuning", "base_model": BASE, "settings": settings,
        "train_ratio": 0.7, "hyperparameters": {"n_epochs": 1},
    } | changes  # fmt: skip


@contextmanager
def service(dialect: str = "openai", **options: Any) -> Iterator[OpenAIServer]:
    given = {"models": {BASE: None, "o9-old": "2026-01-31"}, "key": KEY, "retry_after_s": 0.02}
    with OpenAIServer(dialect=dialect, **(given | options)) as server:
        yield server


@contextmanager
def dataset_at(
    server: Any, folder: Path, n: int = 40, *, grader: Any = GRADER, **connection: Any
) -> Iterator[rft.OptimizationDataset]:
    with rft.Workspace(folder / "store.db") as ws:
        ws.add_connection(
            "tuning", server.base_url, BASE, **({"api_key_env": KEY_ENV} | connection)
        )
        dataset = ws.create("Names")
        dataset.add_records(lines(n))
        dataset.set_grader(grader)
        yield dataset


def records(n: int, role: str = "user") -> tuple[Record, ...]:
    """Records of one message each, that are answered."""
    return tuple(
        stored(
            RecordDraft(
                id=f"rec_{i:05}",
                input=RecordInput((Message(role, f"Question {i}"),)),
                output=RecordOutput((Message("assistant", f"It is {WORDS[i % 12]}"),)),
                item={"reference_answer": WORDS[i % 12]},
            )
        )
        for i in range(n)
    )


def task_at(
    server: Any,
    folder: Path,
    *,
    train: Sequence[Record] = (),
    grader: Any = GRADER,
    timeout_s: float = 30.0,
    **changes: Any,
) -> TrainingTask:
    """A run at a service, for whoever needs no dataset."""
    compiled = compile_grader(GRADER)
    named = NamedConnection(
        name="tuning",
        connection=ModelConnection(
            base_url=server.base_url, api_key_env=KEY_ENV, timeout_s=timeout_s
        ),
        model=BASE,
    )
    return TrainingTask(
        data=TrainingData(tuple(train) or records(100), records(12)),
        config=TrainingConfig(**config(**changes)),
        grader=grader_from_json(grader),
        rewarder=grader_rewarder(compiled),
        name="names",
        job_id="job_1",
        folder=folder,
        connection=named,
        ask=lambda asked: ModelClient(asked, purpose="rollout"),
    )


def sent(server: Any, ending: str) -> list[LoggedRequest]:
    """What was posted to paths of an ending."""
    return [one for one in server.requests if one.method == "POST" and one.path.endswith(ending)]


def until(done: Callable[[], bool], timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def words_of(job: rft.TrainingJob) -> str:
    return "\n".join(words for _, words in job.log)
