"""Models that somebody else serves: a service that trained them, and vLLM beside a deployment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
from untrained import keep_run
from vllm_stand_in import write_stand_in

import rft_widgets as rft
from rft_widgets.errors import BudgetReached, NotFound, RunInterrupted, ServingFailed
from rft_widgets.graders.version import read_grader
from rft_widgets.model.training import Checkpoint
from rft_widgets.sample.support import sample_records
from rft_widgets.testing.openai_server import OpenAIServer
from rft_widgets.trainers.language.vllm import EXECUTABLE_VARIABLE, VllmServer, find_vllm
from rft_widgets.trainers.openai.result import Artifact

GRADER = {
    "type": "string_check",
    "name": "shouts",
    "input": "{{ sample.output_text }}",
    "reference": "TUNED",
    "operation": "like",
}


@pytest.fixture
def service() -> Iterator[OpenAIServer]:
    with OpenAIServer() as server:
        server.script(lambda request: f"{request.model.upper()} says {request.question}")
        yield server


@pytest.fixture
def tuned(service, sqlite_workspace) -> rft.TrainingJob:
    """A run of a service that ended; its dataset has 40 validation prompts."""
    sqlite_workspace.add_connection(
        "service", service.base_url, "m", api_key_env=None, concurrency=4,
        input_usd_per_million=1.0, output_usd_per_million=1.0,
    )  # fmt: skip
    dataset = sqlite_workspace.create("Desk")
    dataset.add_records(sample_records(n=60))
    dataset.set_grader(read_grader(GRADER))
    config = rft.TrainingConfig(
        trainer="openai", base_model="base-1", connection="service", train_ratio=0.4
    )
    made = Artifact(model="tuned-9", base_model="base-1", job="ftjob-1", needs_deployment=False)
    steps = [Checkpoint(step=step, model=f"tuned-{step}") for step in (4, 9)]
    return keep_run(dataset, config, made, steps, served_step=9)


@pytest.fixture
def ds(tuned, sqlite_workspace) -> rft.OptimizationDataset:
    return sqlite_workspace.dataset(tuned.dataset_id)


def said(deployment: rft.Deployment, model: str, **more: object) -> tuple[str, str]:
    with openai.OpenAI(
        base_url=deployment.base_url, api_key=deployment.token, max_retries=0
    ) as one:
        raw = one.chat.completions.with_raw_response.create(
            model=model, messages=[{"role": "user", "content": "Hello?"}], **more
        )
        return raw.headers["x-rft-arm"], raw.parse().choices[0].message.content or ""


def test_a_model_of_a_service_is_served_beside_the_one_from_before(ds, tuned, service):
    deployment = ds.deploy("ab_test", job=tuned, ratio=50)
    try:
        arms = {said(deployment, "base", user=f"user {n}") for n in range(12)}
        assert arms == {("tuned", "TUNED-9 says Hello?"), ("base", "BASE-1 says Hello?")}
        assert deployment.served.said == f"Served by the service at {service.base_url}."
        deployment.roll_back()
        assert said(deployment, deployment.config.model) == ("base", "BASE-1 says Hello?")
    finally:
        deployment.stop()


def test_a_deployment_keeps_its_checkpoint_whatever_is_chosen_later(ds, tuned):
    first = ds.deploy(job=tuned)
    tuned.choose_checkpoint(4)
    second = ds.deploy(job=tuned)
    third = ds.deploy(job=tuned, checkpoint=9, start=False)
    try:
        first.stop()
        first.start()
        assert [one.config.checkpoint for one in (first, second, third)] == [9, 4, 9]
        assert said(first, "rft-desk")[1] == "TUNED-9 says Hello?"
        assert said(second, "rft-desk")[1] == "TUNED-4 says Hello?"
    finally:
        first.stop()
        second.stop()
    with pytest.raises(NotFound):
        ds.deploy(job=tuned, checkpoint=5)


def test_a_benchmark_asks_many_at_a_time_and_stands_in_the_ledger(ds, tuned, service):
    found = ds.benchmark(tuned)
    prompts = len(tuned.split.valid)
    assert (found.change.before_mean, found.change.after_mean) == (0.0, 1.0)
    assert found.change.n == prompts
    assert found.checkpoint == 9
    assert found.tuned_latency_s > 0
    assert 1 < service.most_in_flight <= 4
    assert {one.body["model"] for one in service.paid} == {"base-1", "tuned-9"}
    paid = len(service.paid)
    assert ds.benchmark(tuned).change.after_mean == 1.0
    assert len(service.paid) == paid  # what was paid for is not asked again
    played = ds.playground(ds.record(tuned.split.valid[0]), job=tuned)
    assert (played["tuned"].reward, played["base"].reward) == (1.0, 0.0)
    assert played["tuned"].latency_s is None
    assert played["tuned"].usage.completion_tokens


def test_a_benchmark_keeps_to_its_limit_of_money(ds, tuned, service):
    with pytest.raises(BudgetReached):
        ds.benchmark(tuned, max_cost_usd=0.002)
    assert 0 < len(service.paid) < len(tuned.split.valid)


def test_answers_that_a_service_does_not_give_are_left_out(ds, tuned, service):
    service.queue("null_choices")
    found = ds.benchmark(tuned)
    assert found.change.n == len(tuned.split.valid) - 1
    assert found.excluded.no_candidate == 1


# vLLM --------------------------------------------------------------------------------------------


@pytest.fixture
def adapter(tmp_path) -> Path:
    folder = tmp_path / "checkpoint-4"
    folder.mkdir()
    (folder / "adapter_config.json").write_text('{"r": 24, "rank_pattern": {}}')
    return folder


def group_of(pid: int) -> set[int]:
    """Processes that a process has started, and theirs."""
    listed = subprocess.run(
        ["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True
    ).stdout.split("\n")
    parents = dict(tuple(map(int, line.split())) for line in listed if line.strip())
    found: set[int] = set()
    waiting = {pid}
    while waiting:
        waiting = {child for child, parent in parents.items() if parent in waiting}
        found |= waiting
    return found


def is_gone(pids: set[int]) -> bool:
    ends = time.monotonic() + 15
    while any(Path(f"/proc/{pid}/cmdline").exists() and _lives(pid) for pid in pids):
        if time.monotonic() > ends:
            return False
        time.sleep(0.05)
    return True


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_vllm_serves_an_adapter_beside_its_base_and_ends_with_all_it_started(adapter, tmp_path):
    log = tmp_path / "vllm.log"
    server = VllmServer(write_stand_in(tmp_path), "org/base", adapter, is_adapter=True, log=log)
    server.start(timeout_s=60)
    members = group_of(server.pid)
    assert len(members) >= 2
    upstream = server.upstream
    key = os.environ[upstream.connection.api_key_env]
    with openai.OpenAI(base_url=upstream.connection.base_url, api_key=key, max_retries=0) as one:
        for model in (upstream.model, upstream.base_model):
            answer = one.chat.completions.create(
                model=model, messages=[{"role": "user", "content": "Hello?"}]
            )
            assert answer.choices[0].message.content == f"{model} says Hello?"
    called = log.read_text()
    assert "serve org/base --served-model-name base --enable-lora" in called
    assert f"--lora-modules tuned={adapter} --max-lora-rank 32" in called
    assert key not in called
    server.stop()
    server.stop()
    assert not server.is_running
    assert is_gone(members)


@pytest.mark.slow
def test_vllm_does_not_outlive_a_process_that_was_killed(adapter, tmp_path):
    program = f"""
        from pathlib import Path
        from rft_widgets.trainers.language.vllm import VllmServer
        server = VllmServer(
            Path({str(write_stand_in(tmp_path))!r}), "org/base", Path({str(adapter)!r}),
            is_adapter=True, log=Path({str(tmp_path / "vllm.log")!r}),
        )
        server.start(timeout_s=60)
        print(server.upstream.connection.base_url, flush=True)
        input()
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout.readline()
        members = group_of(child.pid)
        assert len(members) >= 3
        child.send_signal(signal.SIGKILL)
    assert is_gone(members)


def test_vllm_that_does_not_start_says_why(adapter, tmp_path, monkeypatch):
    log = tmp_path / "vllm.log"
    broken = VllmServer(
        write_stand_in(tmp_path, fails=True), "org/base", adapter, is_adapter=True, log=log
    )
    with pytest.raises(ServingFailed, match="CUDA error: out of memory"):
        broken.start()
    slow = VllmServer(
        write_stand_in(tmp_path, wait_s=600), "org/base", adapter, is_adapter=True, log=log
    )
    asked = iter([False] * 3 + [True] * 1_000)
    with pytest.raises(RunInterrupted):
        slow.start(cancelled=lambda: next(asked))
    assert not slow.is_running
    monkeypatch.setenv(EXECUTABLE_VARIABLE, "off")
    assert find_vllm() is None
    monkeypatch.setenv(EXECUTABLE_VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(ServingFailed, match="no such file"):
        find_vllm()
