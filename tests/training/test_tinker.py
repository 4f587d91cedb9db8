"""The trainer `tinker`, by its own SDK, with a real small model that a loopback service trains."""

from __future__ import annotations

import gc
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import rft_widgets as rft
from rft_widgets.errors import ExtraRequired, InvalidArgument
from rft_widgets.model.message import Message
from rft_widgets.store import jobs, training

pytest.importorskip("tinker")
pytest.importorskip("transformers")

from rft_widgets.testing.tinker_server import TinkerServer
from rft_widgets.testing.tiny_model import make_tiny_model
from rft_widgets.trainers.tinker.groups import Answer, Group, examples_of, sampler_gap

pytestmark = [
    pytest.mark.training,
    # The SDK leaves the connection open over which it asks for its own configuration.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]

KEY = "tml-a-secret-of-the-test"
BASE = "tiny/bytes"
DIGITS = {
    "type": "python",
    "name": "digits",
    "source": "def grade(sample, item):\n"
    "    text = sample['output_text']\n"
    "    return sum(c in '0123456789' for c in text) / max(8, len(text))\n",
}
QUICK = {"batch_prompts": 8, "max_tokens": 12, "learning_rate": 0.5, "evaluations": 1}


@pytest.fixture(autouse=True, scope="module")
def collected() -> Iterator[None]:
    """Have what the SDK left behind go while that is expected."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the tokenizer of a model that knows bytes alone."""
    return make_tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def server(tokenizer: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TinkerServer]:
    monkeypatch.setenv("TINKER_TEST_KEY", KEY)
    with TinkerServer({BASE: tokenizer}, key=KEY) as running:
        yield running


@pytest.fixture
def dataset(sqlite_workspace: rft.Workspace, server: TinkerServer) -> rft.OptimizationDataset:
    """Prompts, a grader that wants digits, and the connection."""
    return prepared(sqlite_workspace, server.base_url)


def prepared(workspace: rft.Workspace, base_url: str) -> rft.OptimizationDataset:
    workspace.add_connection("service", base_url, BASE, api_key_env="TINKER_TEST_KEY")
    made = workspace.create("Digits")
    lines = [
        {"messages": [{"role": "user", "content": f"Question number {i} of several"}]}
        for i in range(32)
    ]
    made.add_records(lines)
    made.set_grader(DIGITS)
    return made


def config(epochs: int = 2, **more: object) -> dict[str, object]:
    changed = {"n_epochs": epochs} | QUICK | more
    return {
        "trainer": "tinker",
        "base_model": BASE,
        "connection": "service",
        "train_ratio": 0.5,
        "hyperparameters": changed,
    }


def reached(job: rft.TrainingJob, step: int) -> bool:
    now = job.progress
    return now is not None and now.step >= step


def until(is_so: object, timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_so():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.01)


# -- a run ----------------------------------------------------------------------------------------


def test_a_reward_rises_and_the_result_is_measured_and_served(
    dataset: rft.OptimizationDataset, server: TinkerServer
):
    prices = {"prefill_usd": 1.0, "sample_usd": 2.0, "train_usd": 4.0}
    job = dataset.train(config(10, evaluations=2, **prices)).wait(60)
    report = job.report
    assert report is not None, (job.error, job.log)
    rewards = [p.train_reward for p in report.curve if p.train_reward is not None]
    assert len(rewards) == 20
    assert rewards[0] < 0.15
    assert rewards[-1] > 0.8
    assert report.outcome == "improved"
    assert report.change is not None
    assert report.change.after_mean > 0.8
    assert report.fit_prompts == report.valid_prompts == 16
    assert report.served_step == 20
    # What samples and what trains are one model, so they agree on every token.
    learned = [p for p in report.curve if "kl_sample_train_v1" in p.metrics]
    assert learned
    assert all(abs(p.metrics["kl_sample_train_v1"]) < 1e-4 for p in learned)
    assert all("loss:sum" in p.metrics for p in learned)
    assert learned[0].entropy is not None
    assert learned[0].entropy > 2
    assert learned[0].completion_tokens == pytest.approx(12, abs=1)
    # Steps without a difference in any group change nothing; all others are done once.
    taught = [p for p in report.curve if p.step and p.flat_share != 1]
    assert server.updates == list(range(1, len(taught) + 1))
    models = {one.step: one.model for one in job.checkpoints}
    assert models.keys() == {0, 10, 20}
    assert models[0] == BASE
    assert models[20].startswith("tinker://")
    assert server.saved[models[20]].updates == len(taught)
    groups = job.rollouts(1)
    assert len(groups) == 64
    known = [one for one in groups if one.advantage is not None]
    assert sum(one.advantage for one in known) == pytest.approx(0, abs=1e-9)
    assert job.progress is not None
    assert job.progress.cost_micro_usd
    assert job.progress.gradings == 20 * 64 + 3 * 16
    policy = job.policy()
    asked = [Message("user", "Question number 1 of several")]
    tuned = policy.respond(asked)
    assert sum(c.isdigit() for c in tuned.message.text) >= 8
    assert tuned.usage is not None
    assert policy.upstream is not None
    assert policy.upstream.model == models[20]
    assert policy.upstream.connection.base_url == f"{server.base_url}/oai/api/v1"
    before = policy.respond(asked, reference=True)
    assert before.message != tuned.message
    policy.close()
    first = job.policy(0)
    assert first.respond(asked).message == before.message
    first.close()
    everything = " ".join([repr(report), repr(job.state), *(words for _, words in job.log)])
    assert KEY not in everything


def test_a_run_survives_what_goes_wrong_at_the_service(
    dataset: rft.OptimizationDataset, server: TinkerServer
):
    server.queue("lost", path="optim_step")
    server.queue("503", path="forward_backward")
    server.queue("429", path="asample")
    server.queue("slow", path="optim_step", times=2)
    server.queue("session", path="forward_backward", after=3)
    job = dataset.train(config(3)).wait(60)
    assert job.report is not None, (job.error, job.log)
    assert [p.step for p in job.report.curve] == list(range(7))
    assert server.saved[job.checkpoints[-1].model].updates == 6
    assert server.updates == [1, 2, 3, 4, 5, 6], "a lost answer or a lost session did a step twice"
    assert any("in a new session" in words for _, words in job.log)


# -- stopping and going on ------------------------------------------------------------------------


def test_pause_resume_and_cancel(dataset: rft.OptimizationDataset, server: TinkerServer):
    job = dataset.train(config(10))
    until(lambda: reached(job, 2))
    job.pause()
    until(lambda: job.status == "paused")
    done = job.progress
    assert done is not None
    assert done.step < 20
    time.sleep(0.2)
    assert server._sessions == set(), "its session is over"
    job.resume().wait(60)
    assert job.report is not None, (job.error, job.log)
    assert [p.step for p in job.report.curve] == list(range(21))
    taught = sum(p.flat_share != 1 for p in job.report.curve[1:])
    assert server.saved[job.checkpoints[-1].model].updates == taught
    other = dataset.train(config(10))
    until(lambda: reached(other, 1))
    other.cancel()
    until(lambda: other.status == "cancelled")
    assert other.report is None


KILLED = textwrap.dedent(
    """
    import sys, time
    sys.modules["torch"] = None  # nothing of it is needed here, and it takes long to load
    import rft_widgets as rft
    with rft.Workspace(sys.argv[1]) as ws:
        job = ws.datasets()[0].train(eval(sys.argv[2]))
        print(job.id, flush=True)
        time.sleep(60)
    """
)


def test_a_killed_run_goes_on_and_does_no_step_twice(
    dataset: rft.OptimizationDataset,
    server: TinkerServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(training, "SILENT_S", 1.5)
    monkeypatch.setattr(jobs, "FORSAKEN_S", 1.5)
    server.queue("slow", path="asample", times=400)
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, tmp_path / "store.db", repr(config(4))],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    job = dataset.training_job(process.stdout.readline().strip())
    until(lambda: reached(job, 3))
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)
    process.stdout.close()
    done = job.progress.step
    assert done < 8, "it was too quick to be killed"
    server.forgive()
    until(lambda: job.was_killed)
    job.resume().wait(60)
    assert job.report is not None, (job.error, job.log)
    assert [p.step for p in job.report.curve] == list(range(9))
    assert server.saved[job.checkpoints[-1].model].updates == 8
    repeated = len(server.updates) - len(set(server.updates))
    assert repeated <= 1, "only the step that was under way is done again"
    assert set(server.updates) == set(range(1, 9))


# -- what is refused ------------------------------------------------------------------------------


def test_refusals_come_before_anything_is_sent(
    dataset: rft.OptimizationDataset,
    sqlite_workspace: rft.Workspace,
    server: TinkerServer,
    monkeypatch: pytest.MonkeyPatch,
):
    wanted = config()
    with pytest.raises(InvalidArgument, match="No base model"):
        dataset.train(wanted | {"base_model": None})
    with pytest.raises(InvalidArgument, match="No connection"):
        dataset.train(wanted | {"connection": None})
    with pytest.raises(InvalidArgument, match="loss is 'dpo'"):
        dataset.train(config(loss="dpo"))
    with pytest.raises(ExtraRequired, match=r"together\[tinker\]"):
        dataset.train(config(sdk="together"))
    monkeypatch.setenv("TINKER_TEST_KEY", "sk-of-somebody-else")
    with pytest.raises(InvalidArgument, match="TINKER_TEST_KEY") as refused:
        dataset.train(wanted)
    assert "somebody" not in str(refused.value)
    monkeypatch.delenv("TINKER_TEST_KEY")
    with pytest.raises(InvalidArgument, match="TINKER_TEST_KEY"):
        dataset.train(wanted)
    assert dataset.training_jobs == ()
    assert server.seen == []


def test_what_the_service_refuses_is_said(
    dataset: rft.OptimizationDataset, monkeypatch: pytest.MonkeyPatch
):
    job = dataset.train(config() | {"base_model": "tiny/byte"}).wait(30)
    assert job.status == "failed"
    assert job.error == "The service does not train 'tiny/byte'. Did you mean 'tiny/bytes'?"
    monkeypatch.setenv("TINKER_TEST_KEY", "tml-not-this-one")
    job = dataset.train(config()).wait(30)
    assert job.status == "failed"
    assert job.error is not None
    assert "does not accept the key" in job.error
    assert "not-this-one" not in job.error


def test_a_service_that_is_not_there_is_said_and_the_run_can_be_cancelled(
    dataset: rft.OptimizationDataset, sqlite_workspace: rft.Workspace
):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{probe.getsockname()[1]}"
    sqlite_workspace.add_connection("gone", nowhere, BASE, api_key_env="TINKER_TEST_KEY")
    job = dataset.train(config() | {"connection": "gone"})
    until(lambda: any("Nothing answers at" in words for _, words in job.log))
    job.cancel()
    until(lambda: job.status == "cancelled", 10)


def test_a_plan_says_at_most_what_it_takes(dataset: rft.OptimizationDataset):
    without = dataset.plan_training(config(10)).estimate
    assert without.cost_micro_usd is None
    assert "prefill_usd" in without.cost_basis
    priced = config(10, prefill_usd=1.0, sample_usd=1.0, train_usd=1.0)
    with_prices = dataset.plan_training(priced).estimate
    assert with_prices.cost_micro_usd
    assert with_prices.gradings == 16 * 10 * 8 + 16 * 3


# -- the parts ------------------------------------------------------------------------------------


def test_examples_learn_of_the_answer_alone(dataset: rft.OptimizationDataset):
    (record, *_) = dataset.iterate()
    rewards = (0.0, 1.0, None)
    answers = tuple(
        Answer(tokens=(7, 8), logprobs=(-1.0, -2.0), message=Message("assistant", "-"), reward=one)
        for one in rewards
    )
    group = Group(record=record, prompt=(1, 2, 3), answers=answers)
    assert group.advantages == (-0.5, 0.5, None)
    worse, better = examples_of([group])
    assert worse.tokens == (1, 2, 3, 7)
    assert worse.targets == (2, 3, 7, 8)
    assert worse.logprobs == (0.0, 0.0, -1.0, -2.0)
    assert worse.advantages == (0.0, 0.0, -0.5, -0.5)
    assert better.advantages == (0.0, 0.0, 0.5, 0.5)
    gap = sampler_gap([worse], [[9.0, 9.0, -1.5, -2.0]])
    assert gap == {"kl_sample_train_v1": 0.25, "kl_sample_train_v2": 0.0625}
    alike = Group(record=record, prompt=(1,), answers=(answers[0], answers[0]))
    assert alike.is_flat
    assert examples_of([alike]) == []
