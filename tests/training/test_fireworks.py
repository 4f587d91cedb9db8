"""The trainer `fireworks`, by its own SDK, against a loopback service with the same protocol."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import rft_widgets as rft
from rft_widgets.errors import InvalidArgument
from rft_widgets.model.message import Message
from rft_widgets.trainers import hosted
from rft_widgets.trainers.fireworks import service

pytest.importorskip("fireworks")

from rft_widgets.testing.fireworks_server import FireworksServer
from rft_widgets.trainers.fireworks.jobs import model_id, numbers_of

pytestmark = pytest.mark.training

KEY = "fw-a-secret-of-the-test"
BASE = "accounts/fireworks/models/qwen3-8b"
SEVEN = {
    "type": "string_check",
    "name": "seven",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.wanted }}",
    "operation": "like",
}
SHAPE = "accounts/fireworks/deploymentShapes/rft-qwen3-8b"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FireworksServer]:
    monkeypatch.setenv("FIREWORKS_TEST_KEY", KEY)
    monkeypatch.setattr(service, "LOOK_S", 0.05)
    with FireworksServer(account="acme", key=KEY) as running:
        yield running


@pytest.fixture
def dataset(sqlite_workspace: rft.Workspace, server: FireworksServer) -> rft.OptimizationDataset:
    sqlite_workspace.add_connection(
        "fireworks", server.base_url, BASE, api_key_env="FIREWORKS_TEST_KEY"
    )
    made = sqlite_workspace.create("Sevens")
    lines = [
        {
            "messages": [{"role": "user", "content": f"Question number {i} of several"}],
            "wanted": "7",
        }
        for i in range(10)
    ]
    made.add_records(lines)
    made.set_grader(SEVEN)
    return made


def config(**settings: str) -> dict[str, object]:
    return {
        "trainer": "fireworks",
        "base_model": BASE,
        "connection": "fireworks",
        "train_ratio": 0.6,
        "settings": {"account": "acme"} | settings,
        "hyperparameters": {"n_epochs": 2, "group_size": 4, "loss": "GRPO", "max_tokens": 64},
    }


def until(is_so: Callable[[], object], timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_job_from_the_records_to_a_deployed_model(
    dataset: rft.OptimizationDataset, server: FireworksServer, tmp_path: Path
):
    job = dataset.train(config()).wait(60)
    report = job.report
    assert report is not None, (job.error, job.log)
    assert report.outcome == "not_measured"
    assert "deploy_at_service" in report.summary
    assert report.notes == ("GPUs that it took: 1,234 s of NVIDIA_H100_80GB.",)
    assert [p.metrics["reward.mean"] for p in report.curve] == [0.1, 0.5, 0.9, 1.0]
    ((key, made),) = server.jobs.items()
    assert key == "rft-" + job.id.replace("_", "-")
    assert made.about["trainingConfig"]["epochs"] == 2
    assert made.about["inferenceParameters"] == {
        "maxOutputTokens": 64,
        "responseCandidatesCount": 4,
    }
    assert made.about["lossConfig"] == {"method": "GRPO"}
    rows = [json.loads(line) for line in server.datasets[f"{key}-train"].file.splitlines()]
    assert len(rows) == len(job.split.train) == 6
    assert len(server.datasets[f"{key}-valid"].file.splitlines()) == 4
    assert json.loads(rows[0]["ground_truth"])["wanted"] == "7"
    graded_as_it_was_sent(server.evaluators[f"{key}-evaluator"].file, rows[0], tmp_path)
    with pytest.raises(InvalidArgument, match="not deployed"):
        job.policy()
    with pytest.raises(InvalidArgument, match="none is given"):
        job.deploy_at_service()
    words = job.deploy_at_service(shape=SHAPE)
    assert "Each second of its GPUs costs" in words
    policy = job.policy()
    assert policy.respond([Message("user", "What?")]).message.text == "A trained answer: 7"
    assert policy.respond([Message("user", "What?")], reference=True).message.text == "An answer"
    assert policy.upstream is not None
    assert policy.upstream.model.endswith(
        f"#accounts/acme/deployments/{next(iter(server.deployments))}"
    )
    policy.close()
    assert "costs nothing any more" in job.deploy_at_service(take_down=True)
    assert server.deployments == {}
    with pytest.raises(InvalidArgument, match="not deployed"):
        job.policy()
    assert KEY not in " ".join([repr(job.state), *(words for _, words in job.log)])


def graded_as_it_was_sent(archive: bytes, row: dict[str, object], folder: Path) -> None:
    """What was sent grades by itself, without this package."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
    sent = folder / "evaluator"
    assert "def test_grader(" in (sent / "test_grader.py").read_text()
    assert "eval-protocol" in (sent / "requirements.txt").read_text()
    code = (
        "import json, sys; from rft_grader import grade; item = json.loads(sys.argv[1]);"
        "print(grade('It is 7.', item), grade('It is 8.', item), 'rft_widgets' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, row["ground_truth"]],
        cwd=sent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["1.0", "0.0", "False"]


def test_lost_answers_do_nothing_twice(
    dataset: rft.OptimizationDataset, server: FireworksServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hosted, "_LOST_S", (0.05,))
    for path in ("evaluatorsV2", "datasets", "reinforcementFineTuningJobs"):
        server.queue("lost", "503", path=path)
    server.queue("500", path="storage")
    job = dataset.train(config()).wait(60)
    assert job.report is not None, (job.error, job.log)
    assert len(server.jobs) == len(server.evaluators) == 1
    assert len(server.datasets) == 2


def test_cancel_suspension_and_what_fails(
    dataset: rft.OptimizationDataset, server: FireworksServer, monkeypatch: pytest.MonkeyPatch
):
    server.queue("suspend", path="reinforcementFineTuningJobs", after=3)
    job = dataset.train(config())
    with pytest.raises(InvalidArgument, match="cannot pause"):
        job.pause()
    until(lambda: job.status == "paused")
    assert any("suspended" in words for _, words in job.log)
    job.resume().wait(30)
    assert job.status == "completed", (job.error, job.log)
    assert len(server.jobs) == 1
    monkeypatch.setattr(service, "LOOK_S", 5.0)
    server.forgive()
    evaluator = next(iter(server.evaluators))
    other = dataset.train(config(evaluator=evaluator))
    until(lambda: len(server.jobs) == 2)
    other.cancel()
    until(lambda: other.status == "cancelled")
    assert list(server.jobs.values())[1].about["state"] == "JOB_STATE_CANCELLED"
    assert any("Whether that is this dataset's grader" in words for _, words in other.log)
    assert len(server.evaluators) == 1
    monkeypatch.setattr(service, "LOOK_S", 0.05)
    server.queue("job", path="reinforcementFineTuningJobs")
    failed = dataset.train(config(evaluator=evaluator)).wait(30)
    assert failed.status == "failed"
    assert "The evaluator failed too often." in str(failed.error)
    server.queue("build", path="evaluators")
    broken = dataset.train(config()).wait(30)
    assert broken.status == "failed"
    assert "could not build" in str(broken.error)
    assert "No module named" in str(broken.error)


def test_refusals(
    dataset: rft.OptimizationDataset, server: FireworksServer, monkeypatch: pytest.MonkeyPatch
):
    wanted = config()
    with pytest.raises(InvalidArgument, match="needs account"):
        dataset.train(wanted | {"settings": {}})
    with pytest.raises(InvalidArgument, match="no setting 'shape'"):
        dataset.train(config(shape="x"))
    with pytest.raises(InvalidArgument, match="No base model"):
        dataset.train(wanted | {"base_model": None})
    with pytest.raises(InvalidArgument, match="lora_rank is 0"):
        dataset.train(wanted | {"hyperparameters": {"lora_rank": 0}})
    assert server.seen == []
    job = dataset.train(config(evaluator="not-there")).wait(30)
    assert "has no evaluator 'not-there'" in str(job.error)
    job = dataset.train(wanted | {"base_model": "accounts/else/models/x"}).wait(30)
    assert job.status == "failed"
    assert "There is no model accounts/else/models/x" in str(job.error)
    monkeypatch.setenv("FIREWORKS_TEST_KEY", "fw-of-somebody-else")
    job = dataset.train(wanted).wait(30)
    assert "does not let this key" in str(job.error)
    assert "somebody" not in str(job.error)
    monkeypatch.delenv("FIREWORKS_TEST_KEY")
    with pytest.raises(InvalidArgument, match="FIREWORKS_TEST_KEY"):
        dataset.train(wanted)


def test_names_and_numbers():
    assert model_id("rft-job-0123456789ab", "a" * 60) == "a" * 50 + "-0123456789ab"
    assert len(model_id("rft-job-0123456789ab", "a" * 60)) <= 63
    assert numbers_of('{"a": {"b": 1}, "c": true, "d": [1], "e": 0.5}') == {"a.b": 1.0, "e": 0.5}
    assert numbers_of("no JSON") == numbers_of(None) == {}
