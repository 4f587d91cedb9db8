"""Commands that go on until they are stopped: training and serving, with real signals."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from test_cli import answer, run

from rft_widgets.sample.grader import sample_grader
from rft_widgets.sample.support import write_sample

SLOW = "def grade(sample, item):\n    return 0.5 + 0 * sum(range(1_000_000))\n"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A store with a trained dataset."""
    folder = tmp_path_factory.mktemp("trained")
    write_sample(folder / "spans.jsonl", n=120)
    (folder / "grader.json").write_text(json.dumps(sample_grader()), encoding="utf-8")
    (folder / "run.yaml").write_text(
        "source: spans.jsonl\ngrader: grader.json\ntopics: false\ndry_run: false\ndeploy: false\n"
        "train: {train_ratio: 0.8, hyperparameters: {n_epochs: 1}}\n",
        encoding="utf-8",
    )
    done = answer("run", folder / "run.yaml", "--database", folder / "store.db")
    return folder / "store.db", done["dataset"]


@contextmanager
def started(*arguments: object, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A command in a process group of its own, as a terminal has it."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "rft_widgets", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | environment,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def interrupted(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Press Ctrl-C, which every process of the group hears; status and what it said."""
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    return process.returncode, out, err


def read_object(process: subprocess.Popen[str]) -> Any:
    """The JSON object that a command prints before it goes on."""
    assert process.stdout is not None
    text = ""
    while True:
        line = process.stdout.readline()
        assert line, process.stderr and process.stderr.read()
        text += line
        if line == "}\n":
            return json.loads(text)


def ask(url: str, token: str, model: str, content: str) -> int:
    request = urllib.request.Request(
        f"{url}/chat/completions",
        data=json.dumps(
            {"model": model, "messages": [{"role": "user", "content": content}]}
        ).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=20) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.slow
def test_ctrl_c_pauses_training_and_it_goes_on(trained: tuple[Path, str], tmp_path: Path) -> None:
    original, dataset = trained
    out, store = tmp_path / "records.jsonl", tmp_path / "store.db"
    run("export", dataset, out, "--database", original)
    dataset = answer("import", out, "--database", store)["dataset"]
    (tmp_path / "slow.py").write_text(SLOW, encoding="utf-8")
    run("grade", dataset, "--grader", tmp_path / "slow.py", "--test", 0, "--database", store)
    with started("train", dataset, "--epochs", 1, "--database", store) as process:
        until_training(dataset, store)
        status, _, err = interrupted(process)
    assert status == 130
    job = err.split("--resume ")[1].split("`")[0]
    nodes = answer("pipeline", dataset, "--database", store)["nodes"]
    assert nodes[5]["status"] != "processing"
    done = answer("train", dataset, "--resume", job, "--database", store)
    assert done["job"] == job
    assert done["report"]["outcome"] == "no_learning"
    run("train", dataset, "--resume", job, "--database", store, check=1)  # it has ended


def until_training(dataset: str, store: Path) -> None:
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up:
        node = answer("pipeline", dataset, "--database", store)["nodes"][5]
        if node["status"] == "processing" and (node["progress"] or 0) > 0:
            return
    pytest.fail("the training did not begin")


def test_a_deployment_is_served_stopped_served_again_and_rolled_back(
    trained: tuple[Path, str], tmp_path: Path
) -> None:
    store, dataset = trained
    home = {"XDG_DATA_HOME": str(tmp_path)}
    with started(
        "deploy", dataset, "--mode", "replace", "--database", store, "--json", **home
    ) as process:
        said = read_object(process)
        token_file = Path(said["token_file"])
        assert token_file.is_relative_to(tmp_path)
        assert stat.S_IMODE(token_file.stat().st_mode) == 0o600
        token = token_file.read_text(encoding="ascii").strip()
        assert token not in Path(f"/proc/{process.pid}/cmdline").read_text(encoding="utf-8")
        assert token not in json.dumps(said)
        asked = subprocess.run(
            ["bash", "-c", said["curl"]], capture_output=True, text=True, timeout=30
        )
        assert json.loads(asked.stdout)["choices"][0]["message"], asked.stderr
        assert ask(said["base_url"], "wrong", said["config"]["model"], "Hello there") == 401
        status, out, _ = interrupted(process)
    assert (status, out.strip()) == (0, "")

    with started("serve", said["deployment"], "--database", store, "--json", **home) as process:
        again = read_object(process)
        assert again["token_file"] == said["token_file"], "clients have to be told another token"
        where = ("--database", store)
        assert answer("rollback", said["deployment"], *where)["status"] == "rolled_back"
        subprocess.run(["bash", "-c", again["curl"]], capture_output=True, timeout=30)
        assert interrupted(process)[0] == 0
    found = answer("outcome", said["deployment"], "--database", store)
    assert found["counts"]["tuned"]["requests"] == 1
    assert found["counts"]["base"]["requests"] == 1
    assert "reward" in run("outcome", said["deployment"], "--database", store).stdout
    run("serve", "dep_none", "--database", store, check=1)
    run("rollback", "dep_none", "--database", store, check=1)


@pytest.mark.slow
def test_tokens_come_from_where_they_are_said_to_be(
    trained: tuple[Path, str], tmp_path: Path
) -> None:
    store, dataset = trained
    with started(
        "deploy", dataset, "--token-env", "MY_TOKEN", "--database", store, "--json",
        MY_TOKEN="a-secret", XDG_DATA_HOME=str(tmp_path),
    ) as process:  # fmt: skip
        said = read_object(process)
        assert said["token_file"] is None
        assert "a-secret" not in json.dumps(said)
        assert ask(said["base_url"], "a-secret", said["config"]["model"], "Where is it?") != 401
        os.kill(process.pid, signal.SIGTERM)
        process.communicate(timeout=30)
        assert process.returncode == 0
    assert not list(tmp_path.iterdir()), "a token from the environment was written down"

    before = answer("pipeline", dataset, "--database", store)["nodes"]
    for wrong in (
        ("--token-env", "NOT_SET"), ("--token-file", tmp_path / "no" / "folder"),
        ("--upstream-model", "m"), ("--job", "job_none"), ("--ratio", "120"),
    ):  # fmt: skip
        run("deploy", dataset, *wrong, "--database", store, check=1)
    assert answer("pipeline", dataset, "--database", store)["nodes"] == before
    assert "network" in run(
        "deploy", dataset, "--host", "0.0.0.0", "--token-file", tmp_path / "t",
        "--database", store, check=1,
    ).stderr  # fmt: skip
