"""The entry of JupyterLab's launcher, in a JupyterLab that has our extensions by configuration."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from browser.server import free_port, serving

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
SHOTS = os.environ.get("RFT_SCREENSHOTS")


@pytest.fixture
def lab(tmp_path):
    port = free_port()
    share = tmp_path / ".share" / "labextensions"
    share.mkdir(parents=True)
    (share / "rft-widgets").symlink_to(ROOT / "jupyter-config" / "labextension")
    (tmp_path / "work").mkdir()
    environment = {
        "JUPYTER_CONFIG_DIR": f"{tmp_path}/.config",
        "JUPYTER_CONFIG_PATH": str(ROOT / "jupyter-config"),
        "JUPYTER_DATA_DIR": f"{tmp_path}/.data",
        "JUPYTER_PATH": f"{tmp_path}/.share",
        "JUPYTERLAB_SETTINGS_DIR": f"{tmp_path}/.settings",
        "JUPYTERLAB_WORKSPACES_DIR": f"{tmp_path}/.workspaces",
        "PYTHONPATH": str(ROOT),
        "RFT_WIDGETS_DATABASE_URL": str(tmp_path / "store.db"),
    }
    base = f"http://127.0.0.1:{port}/"
    command = [
        *(f"{BIN}/jupyter-lab", "--no-browser", "--allow-root", "--ip=127.0.0.1"),
        *(f"--port={port}", "--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True"),
        f"--ServerApp.root_dir={tmp_path / 'work'}",
    ]
    with serving(command, base + "api", tmp_path / "lab.log", environment):
        yield base


def test_the_launcher_opens_the_app_in_a_new_notebook(lab, tmp_path, browser):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{lab}lab?reset")
    card = page.locator(".jp-LauncherCard[title='RFT Pipeline']")
    card.first.wait_for(timeout=60_000)
    _shot(page, "launcher")
    card.first.click()
    page.locator(".jp-OutputArea .rft").first.wait_for(timeout=90_000)
    page.get_by_text("No datasets yet").first.wait_for(timeout=30_000)
    _shot(page, "launched")
    assert (tmp_path / "work" / "Untitled.ipynb").exists()
    assert "rft.App()" in page.locator(".jp-InputArea-editor").first.inner_text()
    assert faults == []
    page.close()


def _shot(page, name: str) -> None:
    if SHOTS is not None:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{SHOTS}/{name}.png")
