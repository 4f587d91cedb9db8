"""A notebook in Voila and Chromium, for what has to be measured until it is painted."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

CHROMIUM = os.environ.get("RFT_CHROMIUM", "/usr/bin/chromium")
_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
_TEMPLATE = Path(__file__).parents[1] / "tests" / "browser" / "voila_template"


@contextlib.contextmanager
def opened_page(store: Path, cells: Sequence[str], ready: str) -> Iterator[Any]:
    """Open a notebook on a store and wait for an element; ``None`` where there is no browser."""
    try:
        import nbformat
        from playwright.sync_api import sync_playwright
    except ImportError:
        yield None
        return
    if not Path(CHROMIUM).exists():
        yield None
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        nbformat.write(notebook, folder / "bench.ipynb")
        shutil.copytree(_TEMPLATE, folder / "share" / "voila" / "templates" / "rft")
        with _voila(folder, store) as base, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGS)
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            page.goto(f"{base}voila/render/bench.ipynb")
            page.locator(ready).first.wait_for(timeout=120_000)
            yield page
            browser.close()


@contextlib.contextmanager
def _voila(folder: Path, store: Path) -> Iterator[str]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    base = f"http://127.0.0.1:{port}/"
    environment = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": f"{folder}/config",
        "JUPYTER_DATA_DIR": f"{folder}/data",
        "JUPYTER_PATH": f"{folder}/share",
        "RFT_WIDGETS_DATABASE_URL": str(store.absolute()),
    }
    voila = Path(sys.executable).parent / "voila"
    command = [voila, folder, "--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1",
               "--template=rft"]  # fmt: skip
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True, env=environment
        )
        try:
            _await(process, f"{base}voila/static/voila.js", folder / "server.log")
            yield base
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _await(process: subprocess.Popen[bytes], probe: str, log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(probe, timeout=2).close()
        except (OSError, urllib.error.URLError):
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(log.read_text()[-3000:])
