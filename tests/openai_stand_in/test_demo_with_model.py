"""The stand-in beside the demo and the app: known by its name, labelled, gone with them."""

import json
import signal
import subprocess
import sys

import psutil
import pytest
from browser.app_process import running, until

from rft_widgets import Workspace
from rft_widgets.cli import main, stand_in


def test_it_is_known_to_the_store_by_name_and_called_what_it_is(tmp_path, capsys):
    with Workspace(tmp_path / "store.db") as workspace:
        with stand_in.beside(workspace) as named:
            assert workspace.connection("stand-in") == named
            assert named.model == "scripted-stand-in"
            assert named.connection.api_key_env is None
            test = workspace.test_connection("stand-in")
            assert (test.works, test.tools, test.json_schema, test.embeddings) == (True,) * 4
            assert "not a model" in test.notice
            assert "not a model" in stand_in.about(named)
        assert not workspace.test_connection("stand-in").works
    refused = main(["app", "--with-model", "--database", str(tmp_path / "store.db")])
    assert refused == 1
    assert "goes with --demo" in capsys.readouterr().err


@pytest.mark.slow
def test_the_demo_and_the_app_bring_it_and_take_it_along(tmp_path):
    store = tmp_path / "store.db"
    command = [sys.executable, "-m", "rft_widgets", "demo", "--no-app", "--with-model", "--json",
               "--database", str(store)]  # fmt: skip
    report = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    found = report["with_model"]
    assert found["model"] == "scripted-stand-in"
    assert found["generated"]["accepted"] > 6
    assert found["calls"]["judge"] >= 12
    assert len(found["topics_named"]) > 4
    with Workspace(store) as workspace:
        address = workspace.connection("stand-in").connection.base_url
        copy = workspace.dataset(found["dataset"])
        assert "stand-in" in copy.name
        made = next(one for one in copy.iterate() if one.is_generated)
        assert made.metadata["generation"]["model"] == "scripted-stand-in"
    with running(tmp_path, "--demo", "--with-model", database=store) as app:
        with Workspace(store) as workspace:
            assert workspace.connection("stand-in").connection.base_url == address
            assert workspace.test_connection("stand-in").works
        (pid,) = app.children("rft_widgets.testing.openai_server")
        app.process.send_signal(signal.SIGKILL)
        until(lambda: not psutil.pid_exists(pid), "the stand-in outlived the app")
