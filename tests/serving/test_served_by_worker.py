"""Deployments that the worker serves: they outlive who asked for them, and the worker itself."""

from __future__ import annotations

import os
import socket
import stat
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import openai
import pytest
from child_worker import ChildWorker

import rft_widgets as rft
from rft_widgets.errors import InvalidArgument, ServingFailed
from rft_widgets.jobs.running import JOBS_VARIABLE
from rft_widgets.sample.grader import sample_grader
from rft_widgets.sample.support import sample_records
from rft_widgets.serving.tokens import SECRET_NAME, endpoint_token
from rft_widgets.store import served
from rft_widgets.store.connection import Store
from rft_widgets.worker.serving import Endpoints

PROMPT = "Where is my parcel?"


@pytest.fixture(scope="module")
def database(tmp_path_factory) -> Path:
    """A store with a trained dataset."""
    path = tmp_path_factory.mktemp("served") / "store.db"
    with rft.Workspace(path) as workspace:
        dataset = workspace.create("Help desk")
        dataset.add_records(sample_records(n=120))
        dataset.set_grader(sample_grader())
        dataset.train({"hyperparameters": {"n_epochs": 1}}).wait(60)
    return path


@pytest.fixture
def trained(database, monkeypatch) -> Iterator[rft.OptimizationDataset]:
    """The dataset in a process that leaves work to the worker; nothing stays wanted."""
    monkeypatch.setenv(JOBS_VARIABLE, "worker")
    with rft.Workspace(database) as workspace:
        dataset = next(one for one in workspace.datasets() if one.name == "Help desk")
        yield dataset
        for one in dataset.deployments:
            one.stop()


def ask(base_url: str, token: str, model: str = "rft-help-desk") -> str:
    with openai.OpenAI(base_url=base_url, api_key=token, max_retries=0, timeout=20) as client:
        raw = client.chat.completions.with_raw_response.create(
            model=model, messages=[{"role": "user", "content": PROMPT}]
        )
    return raw.headers["x-rft-arm"]


def until(condition: Callable[[], bool], what: str, within_s: float = 30) -> None:
    ends = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < ends, what
        time.sleep(0.05)


# -- with a real worker ---------------------------------------------------------------------------


def test_an_endpoint_outlives_a_killed_worker_at_its_address_with_its_token(trained, database):
    with ChildWorker(database) as worker:
        deployment = trained.deploy()
        assert deployment.server is None, "this process serves nothing"
        url, token = deployment.base_url, deployment.token
        assert ask(url, token) == "tuned"
        with pytest.raises(openai.AuthenticationError):
            ask(url, "wrong")
        assert token in deployment.snippet()
        until(lambda: sum(a.requests for a in deployment.counts.values()) == 1, "counted")

        worker.kill()
        with pytest.raises(openai.APIConnectionError):
            ask(url, token)
        worker.start()
        until(lambda: answers(url, token), "served again, without anybody doing anything")
        until(lambda: deployment.served.status == "served", "said")
        assert (deployment.base_url, deployment.token) == (url, token)
        assert deployment.served.said == ""

        deployment.stop()
        until(lambda: not answers(url, token), "stopped")
        assert deployment.served.status == "not_served"
        with pytest.raises(InvalidArgument, match="not served"):
            deployment.token  # noqa: B018 - the property refuses
        deployment.start()
        assert deployment.base_url == url, "started again, it is where it was"

        deployment.roll_back()  # it has no base arm: nothing is left to serve
        until(lambda: not answers(url, token), "rolled back")


def answers(url: str, token: str) -> bool:
    try:
        ask(url, token)
    except openai.APIStatusError:
        return True
    except openai.APIConnectionError:
        return False
    return True


@pytest.mark.slow
def test_a_worker_that_ends_in_order_lets_go(trained, database):
    with ChildWorker(database) as worker:
        deployment = trained.deploy("replace", base_model="gpt-x")
        url, token = deployment.base_url, deployment.token
        deployment.roll_back()
        assert ask(url, token, "gpt-x") == "base", "the base arm is served on"
        assert worker.end() == 0
        assert not answers(url, token)
        assert deployment.served.status != "served", "at once, without waiting for silence"
        worker.start()
        until(lambda: answers(url, token), "taken up again")


@pytest.mark.slow
def test_a_deleted_dataset_is_served_no_more(trained, database):
    with rft.Workspace(database) as workspace, ChildWorker(database):
        copy = workspace.create("Copy")
        copy.add_records(sample_records(n=120))
        copy.set_grader(sample_grader())
        copy.train({"hyperparameters": {"n_epochs": 1}}).wait(60)
        deployment = copy.deploy()
        url, token = deployment.base_url, deployment.token
        ask(url, token, "rft-copy")
        workspace.delete(copy.id)
        until(lambda: not answers(url, token), "served no more")


# -- what the rows say, with the keeper in this process -------------------------------------------


@pytest.fixture
def keeper(database) -> Iterator[Endpoints]:
    store = Store(database)
    made = Endpoints(store, "worker-a")
    yield made
    made.close()
    store.close()


def ticks_until(keeper: Endpoints, condition: Callable[[], bool], what: str) -> None:
    def tried() -> bool:
        keeper.tick()
        return condition()

    until(tried, what, within_s=20)


def asked(trained: rft.OptimizationDataset, **options) -> rft.Deployment:
    deployment = trained.deploy(start=False)
    store = trained._store
    served.want(store, deployment.id, **({"host": "127.0.0.1", "port": 0} | options))
    return deployment


def test_without_a_worker_it_says_so(trained, monkeypatch):
    monkeypatch.setattr(served, "SILENT_S", 0.3)
    deployment = trained.deploy(start=False)
    with pytest.raises(ServingFailed, match="No worker is at work"):
        deployment.start()
    state = deployment.served
    assert (state.status, state.base_url, state.by_worker) == ("not_served", None, True)
    assert "rft-widgets worker" in state.said


def test_a_worker_that_falls_silent_serves_no_more(trained, keeper, monkeypatch):
    deployment = asked(trained)
    assert deployment.served.status == "starting"
    ticks_until(keeper, lambda: deployment.served.status == "served", "served")
    monkeypatch.setattr(served, "SILENT_S", 0.0)
    assert deployment.served.status == "not_served"


def test_a_port_that_is_taken_is_said_and_had_when_it_is_free(trained, keeper):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        deployment = asked(trained, port=port)
        ticks_until(keeper, lambda: deployment.served.said != "", "refused")
        assert deployment.served.status == "not_served"
        assert f"port {port}" in deployment.served.said
        with pytest.raises(ServingFailed, match=f"port {port}"):
            deployment.wait_served()
    ticks_until(keeper, lambda: deployment.served.status == "served", "tried again")
    assert deployment.base_url == f"http://127.0.0.1:{port}/v1"


def test_another_port_where_the_one_from_before_is_taken(trained, keeper, database):
    deployment = asked(trained)
    ticks_until(keeper, lambda: deployment.served.status == "served", "served")
    before = deployment.base_url
    keeper.close()
    assert deployment.served.status == "starting"
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", int(before.split(":")[2].partition("/")[0])))
        taken.listen()
        ticks_until(keeper, lambda: deployment.served.status == "served", "served elsewhere")
        assert deployment.base_url != before
        assert "was taken" in deployment.served.said
        assert ask(deployment.base_url, deployment.token) == "tuned"


def test_two_workers_do_not_serve_one_deployment(trained, keeper, database, monkeypatch):
    store = Store(database)
    other = Endpoints(store, "worker-b", is_alone=False)
    try:
        deployment = asked(trained)
        ticks_until(keeper, lambda: deployment.served.status == "served", "served")
        url = deployment.base_url
        other.tick()
        assert deployment.base_url == url
        with trained._store.read() as connection:
            row = served.read(connection, deployment.id)
        assert row.owner == "worker-a"
        monkeypatch.setattr(served, "SILENT_S", 0.0)
        other.tick()  # the first one is as good as dead
        monkeypatch.undo()
        with trained._store.read() as connection:
            assert served.read(connection, deployment.id).owner == "worker-b"
        keeper.tick()  # it notices, and lets go of the port
        until(lambda: deployment.served.status == "served", "taken over")
        assert deployment.base_url == url
    finally:
        other.close()
        store.close()


@pytest.mark.parametrize(
    "options", [{"token": "mine"}, {"allow_network": True}, {"hosts": ["x"]}, {"host": "0.0.0.0"}]
)
def test_what_the_worker_does_not_do_is_refused(trained, options):
    deployment = trained.deploy(start=False)
    with pytest.raises(InvalidArgument):
        deployment.start(**options)
    assert deployment.served.status == "not_served"


def test_a_notebook_serves_by_itself(trained, monkeypatch):
    monkeypatch.delenv(JOBS_VARIABLE)
    deployment = trained.deploy()
    assert deployment.server is not None
    assert deployment.token != endpoint_token(trained._store.side_folder, deployment.id)
    assert ask(deployment.base_url, deployment.token) == "tuned"


def test_the_token_is_in_no_file_and_no_view(trained, keeper, database):
    deployment = asked(trained)
    ticks_until(keeper, lambda: deployment.served.status == "served", "served")
    token = deployment.token
    assert token not in repr(deployment)
    for path in (database, Path(f"{database}-wal"), *trained._store.side_folder.iterdir()):
        if path.is_file():
            assert token.encode() not in path.read_bytes(), path


# -- the secret -----------------------------------------------------------------------------------


def made_in(folder: Path) -> str:
    return endpoint_token(folder, "dep_1")


def test_everybody_who_needs_the_secret_first_makes_the_same(tmp_path):
    with ThreadPoolExecutor(16) as pool:
        tokens = set(pool.map(made_in, [tmp_path] * 64))
    assert len(tokens) == 1
    assert [path.name for path in tmp_path.iterdir()] == [SECRET_NAME]
    secret = tmp_path / SECRET_NAME
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert endpoint_token(tmp_path, "dep_2") not in tokens
    secret.chmod(0o644)
    assert {made_in(tmp_path)} == tokens
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600, "what others might read is closed again"
    secret.unlink()
    assert made_in(tmp_path) not in tokens


def test_a_damaged_secret_is_said(tmp_path):
    (tmp_path / SECRET_NAME).write_bytes(os.urandom(3))
    with pytest.raises(ServingFailed, match="damaged"):
        made_in(tmp_path)
