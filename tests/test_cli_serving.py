"""What `deploy` and `serve` refuse, and what they say where not all is as it was."""

from __future__ import annotations

import os
import shutil
import socket
import stat
from pathlib import Path

import psutil
import pytest
from test_cli import run
from test_cli_processes import ask, interrupted, read_object, started

import rft_widgets as rft
from rft_widgets.sample.grader import sample_grader
from rft_widgets.sample.support import sample_records


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one dataset that was trained on."""
    path = tmp_path_factory.mktemp("serving") / "store.db"
    with rft.Workspace(path) as workspace:
        dataset = workspace.create("Trained")
        dataset.add_records(sample_records(n=120))
        dataset.set_grader(sample_grader())
        dataset.train({"hyperparameters": {"n_epochs": 1}}).wait(120)
    return path


@pytest.fixture
def store(original: Path, tmp_path: Path) -> tuple[Path, str]:
    """A copy of the store, to be changed, and the id of its dataset."""
    path = Path(shutil.copy(original, tmp_path / "store.db"))
    with rft.Workspace(path) as workspace:
        return path, workspace.datasets()[0].id


def deployed(store: Path) -> list[str]:
    with rft.Workspace(store) as workspace:
        return [one.id for one in workspace.datasets()[0].deployments]


@pytest.mark.slow
def test_what_cannot_be_served_leaves_no_deployment(store: tuple[Path, str]) -> None:
    path, dataset = store
    for options, status, words in (
        (("--host", "0.0.0.0"), 1, "--allow-network"),
        (("--token-file", "/"), 1, "/ is a folder"),
        (("--token-env", "NO_SUCH_VARIABLE"), 1, "NO_SUCH_VARIABLE is not set"),
        (("--port", "70000"), 2, "--port"),
        (("--token-env", "A", "--token-file", "b"), 2, "not allowed with"),
        (("--token", "secret"), 2, "unrecognized"),
    ):
        refused = run("deploy", dataset, *options, "--database", path, check=status)
        assert words in refused.stderr
        assert refused.stdout == ""
    assert deployed(path) == []


def test_a_port_that_is_taken_is_said_and_the_deployment_can_be_served(
    store: tuple[Path, str], tmp_path: Path
) -> None:
    path, dataset = store
    file = tmp_path / "token"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = run(
            "deploy", dataset, "--port", port, "--token-file", file, "--database", path, check=1
        )
    (made,) = deployed(path)
    assert f"`rft-widgets serve {made}`" in refused.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o644)
    with rft.Workspace(path) as workspace:
        # What it was measured on may be gone when it is served again.
        gone = workspace.dataset(dataset)
        gone.delete_records(gone.select())
    with started("serve", made, "--token-file", file, "--database", path, "--json") as process:
        said = read_object(process)
        token = file.read_text(encoding="ascii").strip()
        shown = [" ".join(one.info["cmdline"] or ()) for one in psutil.process_iter(["cmdline"])]
        assert not any(token in line for line in shown)
        assert ask(said["base_url"], token, said["config"]["model"], "gale shell washing") == 200
        status, _, err = interrupted(process)
    assert status == 0
    assert "chmod 600" in err


@pytest.mark.slow
def test_the_default_token_file_is_for_its_owner_alone(
    store: tuple[Path, str], tmp_path: Path
) -> None:
    path, dataset = store
    home = tmp_path / "home"
    with started("deploy", dataset, "--database", path, XDG_DATA_HOME=str(home)) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(4)]
        status, out, _ = interrupted(process)
    (file,) = [one for one in home.rglob("*") if one.is_file()]
    assert any(os.fspath(file) in line for line in lines)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert status == 0
    assert "Stopped" in out
