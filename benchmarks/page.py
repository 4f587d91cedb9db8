"""A notebook in Voila and Chromium, for what has to be measured until it is painted."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.browser.server import ARGS, CHROMIUM, free_port, serving

_TEMPLATE = Path(__file__).parents[1] / "tests" / "browser" / "voila_template"


@contextlib.contextmanager
def opened_page(store: Path, cells: Sequence[str], ready: str) -> Iterator[Any]:
    """Open a notebook on a store and wait for an element; ``None`` where there is no browser."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        yield None
        return
    if not Path(CHROMIUM).exists():
        yield None
        return
    with tempfile.TemporaryDirectory() as name:
        served = serving_notebooks(Path(name), store, cells)
        with served as base, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            page.goto(f"{base}voila/render/bench.ipynb")
            page.locator(ready).first.wait_for(timeout=120_000)
            yield page
            browser.close()


@contextlib.contextmanager
def serving_notebooks(
    folder: Path, store: Path, cells: Sequence[str], options: Sequence[str] = ()
) -> Iterator[str]:
    """Serve a notebook, ``bench.ipynb``, of these cells by Voila; gives the base address."""
    import nbformat

    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
        },
    )
    nbformat.write(notebook, folder / "bench.ipynb")
    shutil.copytree(_TEMPLATE, folder / "share" / "voila" / "templates" / "rft")
    port = free_port()
    base = f"http://127.0.0.1:{port}/"
    environment = {
        "JUPYTER_CONFIG_DIR": f"{folder}/config",
        "JUPYTER_DATA_DIR": f"{folder}/data",
        "JUPYTER_PATH": f"{folder}/share",
        "RFT_WIDGETS_DATABASE_URL": str(store.absolute()),
    }
    voila = str(Path(sys.executable).parent / "voila")
    command = [voila, str(folder), "--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1",
               "--template=rft", *options]  # fmt: skip
    with serving(command, f"{base}voila/static/voila.js", folder / "server.log", environment):
        yield base
