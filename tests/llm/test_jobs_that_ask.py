"""Jobs that ask a model: killed at any moment, and stopped by their limit of money."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from builders import draft
from child_worker import ChildWorker

import rft_widgets as rft
from rft_widgets.jobs.running import JOBS_VARIABLE
from rft_widgets.testing.openai_server import OpenAIServer

KEY = "sk-canary-77ab01c9d2e4"
CONCURRENCY = 8
AHEAD = 4
"""Requests that are written as sent beside those under way."""
JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "judge",
    "input": [{"role": "user", "content": "How good is this?\n{{ response }}"}],
    "range": [0, 1],
}

ALL = {"where": {}}
"""The selection of every record."""

FORKS = """
import os, sys
import aiohttp, openai
import rft_widgets as rft
from rft_widgets.worker import definitions

for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        path, dataset = line.split()
        ds = rft.Workspace(path).dataset(dataset)
        ds.evaluate(ds.select())
        os._exit(0)
    print(pid, flush=True)
    print(os.waitpid(pid, 0)[1], flush=True)
"""


def judged(
    workspace: rft.Workspace, server: OpenAIServer, n: int, key: str | None = None
) -> rft.OptimizationDataset:
    if not workspace.connections:
        workspace.add_connection(
            "judge", server.base_url, "judge", concurrency=CONCURRENCY, api_key_env=key,
            input_usd_per_million=1.0, output_usd_per_million=2.0,
        )  # fmt: skip
    ds = workspace.create("Judged")
    ds.add_records(
        [
            draft(f"A question of number {i}", f"The answer of number {i * 37}", id=f"r{i}")
            for i in range(n)
        ]
    )
    ds.set_grader(JUDGE, connection="judge")
    return ds


def scores(ds: rft.OptimizationDataset) -> dict[str, float | None]:
    return {record.id: record.dry_run_score for record in ds.iterate()}


def check(ds: rft.OptimizationDataset, server: OpenAIServer, n: int, kills: int) -> None:
    """Each request was paid once, bar those under way at a kill, which are listed."""
    times = Counter(one.digest for one in server.paid)
    assert len(times) == n
    twice = sum(times.values()) - n
    uncertain = ds.costs["judge"].uncertain
    assert twice <= uncertain <= kills * (CONCURRENCY + AHEAD)
    assert sum(call.is_answered for call in ds.uncertain_calls) == len(ds.uncertain_calls)
    assert ds.costs["judge"].calls == n


@contextlib.contextmanager
def forking() -> Iterator[Callable[[rft.OptimizationDataset], tuple[int, Callable[[], int]]]]:
    """Starts processes that evaluate a dataset, quickly; gives their ids, and how they end."""
    process = subprocess.Popen(
        [sys.executable, "-c", FORKS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None

    def start(ds: rft.OptimizationDataset) -> tuple[int, Callable[[], int]]:
        process.stdin.write(f"{ds._store.path} {ds.id}\n")
        process.stdin.flush()
        return int(process.stdout.readline()), lambda: int(process.stdout.readline())

    with process:
        yield start
        process.stdin.close()


def kill_at(server: OpenAIServer, pid: int, requests: int) -> None:
    server.wait_for(requests, timeout_s=60)
    os.kill(pid, signal.SIGKILL)


def test_killed_at_three_points_nothing_is_paid_twice(sqlite_workspace: rft.Workspace) -> None:
    n, points = 50, sorted(random.Random(5).sample(range(1, 40), 3))
    with OpenAIServer(latency_ms=20) as server, forking() as start:
        ds = judged(sqlite_workspace, server, n)
        for point in points:
            pid, ended = start(ds)
            kill_at(server, pid, max(point, len(server.requests) + 1))
            assert ended() == signal.SIGKILL
        pid, ended = start(ds)
        assert ended() == 0
        check(ds, server, n, len(points))
        server.forget_requests()
        whole = judged(sqlite_workspace, server, n)
        whole.evaluate(whole.select())
        assert scores(ds) == scores(whole)
        assert None not in scores(ds).values()


@pytest.mark.slow
def test_a_job_of_500_calls_killed_at_ten_points(
    sqlite_workspace: rft.Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(JOBS_VARIABLE, "worker")
    monkeypatch.setenv("CANARY_KEY", KEY)
    n, points = 500, sorted(random.Random(int(time.time())).sample(range(1, 480), 10))
    with OpenAIServer(latency_ms=50, key=KEY) as server:
        ds = judged(sqlite_workspace, server, n, "CANARY_KEY")
        job = ds.submit("evaluate", {"selection": ALL})
        for point in points:
            with ChildWorker(ds._store.path):  # killed at the end of the block
                wanted = max(point, len(server.requests) + 1)
                ends = time.monotonic() + 120
                while len(server.requests) < wanted:
                    assert time.monotonic() < ends
                    time.sleep(0.005)
                    if job.status == "failed":  # killed too often to go on unasked
                        job.retry()
        with ChildWorker(ds._store.path):
            if job.wait(120).status == "failed":
                job.retry()
            assert job.wait(120).status == "succeeded", job.state.problem
        check(ds, server, n, len(points))
        assert job.costs["judge"].calls == n
        server.forget_requests()
        whole = judged(sqlite_workspace, server, n)
        monkeypatch.delenv(JOBS_VARIABLE)
        other = whole.submit("evaluate", {"selection": ALL}).wait(120)
        assert scores(ds) == scores(whole)
        assert job.result.graded == other.result.graded == n
        assert job.result.mean == pytest.approx(other.result.mean)
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert "worker.log" in {path.name for path in kept}
    assert not [path for path in kept if KEY.encode() in path.read_bytes()]


def test_a_job_stops_at_its_limit_and_goes_on_with_more(
    sqlite_workspace: rft.Workspace, tmp_path: Path
) -> None:
    with OpenAIServer() as server:
        whole = judged(sqlite_workspace, server, 40)
        whole.evaluate(whole.select())
        price = whole.costs["judge"].cost_micro_usd
        assert price
        server.forget_requests()
        ds = judged(sqlite_workspace, server, 40)
        cap = price / 2 / 1e6
        job = ds.submit("evaluate", {"selection": ALL, "max_cost_usd": cap}).wait(60)
        assert job.status == "failed"
        problem = job.state.problem
        assert problem is not None
        assert problem.code == "budget_reached"
        assert "kept" in str(problem.hint)
        spent = job.costs["judge"]
        assert spent.cost_micro_usd is not None
        one = 2 * 256 + 400  # most that a call may cost: its answer has a limit of 256 tokens
        assert cap * 1e6 - one <= spent.cost_micro_usd <= cap * 1e6
        kept = [score for score in scores(ds).values() if score is not None]
        assert spent.calls - CONCURRENCY <= len(kept) <= spent.calls == len(server.paid)
        assert ds.export_calls(tmp_path / "calls.jsonl", job=job) == spent.calls
        again = ds.submit("evaluate", {"selection": ALL, "max_cost_usd": price / 1e6}).wait(60)
        assert again.status == "succeeded", again.state.problem
        assert scores(ds) == scores(whole)
        assert len(server.paid) == 40, "what was paid for was not asked again"
