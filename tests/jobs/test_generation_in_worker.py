"""Generation that is killed again and again: it comes to the same end, and pays once."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import assistant, user
from child_worker import ChildWorker

import rft_widgets as rft
from rft_widgets.jobs.running import JOBS_VARIABLE
from rft_widgets.testing.process import server_process

CONCURRENCY = 4
CONFIG = {
    "source": "topics",
    "topics": ["Bills", "Cards"],
    "records_per_topic": 60,
    "candidates_per_request": 2,
    "variations_per_record": 2,
    "temperature": 0,  # the same request has the same answer, whenever it is asked
    "max_synthetic_ratio": 0.5,
}


def _until(check: Callable[[], bool], timeout_s: float = 60) -> None:
    ends = time.monotonic() + timeout_s
    while not check():
        assert time.monotonic() < ends, "it never came"
        time.sleep(0.02)


@pytest.mark.slow
def test_killed_generation_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "store.db"
    with (
        server_process(latency_ms=60, log=tmp_path / "log.jsonl") as server,
        rft.Workspace(store) as workspace,
    ):
        workspace.add_connection("writer", server.base_url, "m", concurrency=CONCURRENCY)
        dataset = workspace.create("bank")
        dataset.add_records(
            {"messages": [user(f"How do I pay bill number {n} on day {n % 9}?")], "topic": "Bills"}
            for n in range(90)
        )
        dataset.add_records(
            {
                "messages": [
                    user(f"My card {n} is lost."),
                    assistant("Which one?"),
                    user(f"The green one that I got in the year {1900 + n}."),
                ],
                "topic": "Cards",
            }
            for n in range(90)
        )
        twin = workspace.duplicate(dataset.id)
        whole = twin.generate(CONFIG, model="writer")
        before = len(server.paid)

        monkeypatch.setenv(JOBS_VARIABLE, "worker")
        job = dataset.submit("generate", {"config": CONFIG, "model": "writer"})
        kills = 0
        with ChildWorker(store) as worker:
            while kills < 2:
                seen = len(server.paid)
                _until(lambda seen=seen: len(server.paid) >= seen + 7)
                worker.kill()
                kills += 1
                worker.start()
            job.wait(120)
        assert job.status == "succeeded", job.state
        assert job.state.attempts == kills + 1
        (batch,) = dataset.generation_batches
        assert [(one.text, one.fault) for one in batch.candidates] == [
            (one.text, one.fault) for one in whole.candidates
        ]
        paid = Counter(one.digest for one in server.paid[before:])
        asked_again = sum(count - 1 for count in paid.values())
        # What was under way when it was killed, nobody can know the answer of.
        most = max(6, CONCURRENCY + 2)
        assert asked_again <= kills * most
        assert set(paid) == {one.digest for one in server.paid[:before]}
        assert batch.accept().invalid == 0
