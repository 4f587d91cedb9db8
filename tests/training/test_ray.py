"""Training by the workers of a Ray cluster of two nodes on this machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

import pytest
from digits import config, fill, has_step, until
from ray_nodes import Nodes, ray_nodes

import rft_widgets as rft
from rft_widgets.errors import InvalidArgument
from rft_widgets.trainers import trainer
from rft_widgets.trainers.ray.job import Cluster, RayProgram
from rft_widgets.trainers.ray.mirror import Line, Mirror

pytestmark = [
    pytest.mark.training,
    pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated"),
    pytest.mark.filterwarnings("ignore:ssl=None is deprecated"),  # aiohttp's, of Ray
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Ray's client of jobs leaves sockets
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
pytest.importorskip("ray")
pytest.importorskip("trl")

from rft_widgets.testing.tiny_model import make_tiny_model  # noqa: E402


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Iterator[rft.Workspace]:
    with rft.Workspace(tmp_path_factory.mktemp("ray") / "store.db") as opened:
        yield opened


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("model") / "tiny")


# Without a cluster -------------------------------------------------------------------------------


def on_cluster(model: Path, address: str, storage: Path, **hyperparameters) -> dict:
    made = config(model, **hyperparameters)
    return made | {"trainer": "ray", "settings": {"address": address, "storage": str(storage)}}


def test_what_cannot_be_trained_there_is_refused_in_words(workspace, model, tmp_path):
    dataset = fill(workspace.create("Refused"))
    with pytest.raises(InvalidArgument, match="no address of a dashboard"):
        dataset.plan_training(on_cluster(model, "10.0.0.7:6379", tmp_path))
    with pytest.raises(InvalidArgument, match="no folder from the root"):
        dataset.plan_training(on_cluster(model, "http://10.0.0.7:8265", Path("runs")))
    three = on_cluster(model, "http://10.0.0.7:8265", tmp_path, num_processes=3)
    with pytest.raises(InvalidArgument, match="which 3 processes cannot share equally"):
        dataset.plan_training(three)
    dataset.set_grader(
        {
            "type": "score_model", "name": "judge", "model": "m", "range": [0, 1],
            "input": [{"role": "user", "content": "{{ sample.output_text }}"}],
        },
        connection=rft.ModelConnection(base_url="http://127.0.0.1:9/v1", api_key_env=None),
    )  # fmt: skip
    with pytest.raises(InvalidArgument, match="The grader asks a model"):
        dataset.plan_training(on_cluster(model, "http://10.0.0.7:8265", tmp_path))
    assert "ray start" in trainer("ray").info().needs


def test_a_cluster_that_is_not_there_is_said_with_how_to_start_one(tmp_path, monkeypatch):
    monkeypatch.setattr("rft_widgets.trainers.ray.job._FIRST_CONTACT_S", 2.5)
    said: list[str] = []
    cluster = Cluster(address="http://127.0.0.1:9", storage="/tmp")
    program = RayProgram(tmp_path, "rft-x", cluster, said.append)
    program.start()
    with pytest.raises(rft.RftError, match="ray start --head"):
        until(lambda: not program.is_alive(), "an error")
    assert [words.endswith("It is asked again.") for words in said] == [True]


def test_lines_that_come_again_change_nothing_and_others_replace_what_they_differ_from(tmp_path):
    mirror = Mirror(tmp_path, lambda _: None)

    def grown(at: int, data: str) -> None:
        mirror.take(Line(file="metrics.jsonl", at=at, data=data))

    grown(0, "YWJj")  # abc
    grown(3, "ZGVm")  # def
    grown(0, "YWJj")
    assert (tmp_path / "metrics.jsonl").read_text() == "abcdef"
    grown(3, "eA==")  # x
    assert (tmp_path / "metrics.jsonl").read_text() == "abcx"
    mirror.take(Line(file="measured/step-1.json", at=0, data="ew==", whole=False))
    assert not (tmp_path / "measured" / "step-1.json").exists()
    mirror.take(Line(file="measured/step-1.json", at=1, data="fQ==", whole=True))
    assert (tmp_path / "measured" / "step-1.json").read_text() == "{}"
    with pytest.raises(rft.RftError, match="outside of the run"):
        mirror.take(Line(file="../elsewhere", at=0, data="", whole=True))


# With one ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with ray_nodes() as found:
        yield found


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_two_workers_train_and_bring_back_all_there_is(workspace, model, nodes, tmp_path):
    dataset = fill(workspace.create("Digits"))
    job = dataset.train(on_cluster(model, nodes.dashboard, tmp_path / "there")).wait(900)
    assert (job.status, job.error) == ("completed", None)

    report = job.report
    assert report.outcome == "improved"
    assert report.change.after_mean > report.change.before_mean + 0.5
    steps = [point for point in report.curve if point.train_reward is not None]
    assert [point.step for point in steps] == list(range(1, 25))
    assert fmean(point.train_reward for point in steps[-3:]) > 0.8
    assert job.rollout_steps[-1] == 24
    assert len(job.rollouts()) == 32  # of both workers
    policy = job.policy()
    answer = policy.respond(next(dataset.iterate()).input.messages)
    policy.close()
    assert any(one.isdigit() for one in answer.message.text)

    # Whoever has nothing but the run's name finds it, with its weights, through the dashboard.
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("ray.json", "ray_train.py"):
        shutil.copyfile(job.folder / name, elsewhere / name)
    away_from_storage(elsewhere)
    cluster = Cluster(address=nodes.dashboard, storage=str(tmp_path / "there"))
    found = RayProgram(elsewhere, f"rft-{job.id}".replace("_", "-"), cluster, lambda _: None)
    until(lambda: not found.is_alive(), "the end", within_s=300)
    last = "checkpoints/checkpoint-24/model.safetensors"
    assert (elsewhere / last).read_bytes() == (job.folder / last).read_bytes()
    for name in ("metrics.jsonl", "rollouts.jsonl"):
        assert (elsewhere / name).read_bytes() == (job.folder / name).read_bytes()


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_run_pauses_goes_on_from_its_checkpoint_and_is_cancelled(
    workspace, model, nodes, tmp_path
):
    from ray.job_submission import JobSubmissionClient

    dataset = fill(workspace.create("Long"), 300)
    job = dataset.train(on_cluster(model, nodes.dashboard, tmp_path / "there", max_steps=100_000))
    until(has_step(job, 1), "a step", within_s=600)
    away_from_storage(job.folder)
    job.pause()
    until(lambda: job.status == "paused", "a pause", within_s=300)
    at = max(one.step for one in job.checkpoints)
    job.resume()
    until(has_step(job, at + 1), "a step after those", within_s=600)
    assert any(f"from the checkpoint of step {at}." in words for _, words in job.log)
    job.cancel()
    until(lambda: job.status == "cancelled", "the end", within_s=120)
    client = JobSubmissionClient(nodes.dashboard)
    name = f"rft-{job.id}-2".replace("_", "-")
    until(lambda: client.get_job_status(name).value == "STOPPED", "the job's end")


def away_from_storage(folder: Path) -> None:
    """Make a run's folder look as on a machine that does not see the storage."""
    with (folder / "ray.json").open("a") as file:
        file.write("\n")
