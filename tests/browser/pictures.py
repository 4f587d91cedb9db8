"""Pictures of the README, taken from the running product: ``make pictures``.

Four pages of the app and the canvas in a notebook, of the sample taken through all seven steps.
"""

from __future__ import annotations

import contextlib
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import sync_playwright

import rft_widgets as rft
from rft_widgets.sample.grader import sample_grader
from rft_widgets.sample.support import write_sample

from .app_server import running_app
from .server import ARGS, CHROMIUM, free_port, serving

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
_SIZE = {"width": 1280, "height": 800}
_CELL = "import rft_widgets as rft\n\nds = rft.Workspace().datasets()[-1]\nds.canvas(height=560)"


def main() -> int:
    """Take all of them; what was there is overwritten."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        database = folder / "store.db"
        traces = folder / "traces"
        traces.mkdir()
        dataset_id = _store(database, traces)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        page = browser.new_page(viewport=_SIZE)
        environment = {"RFT_WIDGETS_TRACES": str(traces)}
        with running_app(database, environment=environment) as app:
            _pages(page, app.address, app.base, dataset_id)
        with _lab(folder, database) as base:
            _notebook(page, base)
        browser.close()
    for path in sorted(FOLDER.glob("*.png")):
        print(f"{path.relative_to(FOLDER.parents[1])}  {path.stat().st_size / 1024:.0f} kB")
    return 0


def _store(database: Path, traces: Path) -> str:
    write_sample(traces / "support.otlp.jsonl", format="otlp")
    with rft.Workspace(database) as workspace:
        path = write_sample(traces.parent / "sample.jsonl", format="jsonl", seed=8).path
        full = workspace.create_from_traces(
            rft.open_traces(traces / "support.otlp.jsonl"),
            name="Support desk",
            objective="Answer from policy, completely and briefly",
        )
        full.generate_topics()
        full.set_grader(sample_grader())
        full.dry_run()
        full.train().wait()
        full.deploy(start=False)
        other = workspace.create_from_file(path, name="Returns and refunds")
        other.generate_topics()
        workspace.create("Billing assistant")
        return full.id


def _pages(page: Any, address: str, base: str, dataset_id: str) -> None:
    page.goto(address)
    page.locator(".rft-dataset-link").first.wait_for(timeout=60_000)
    _take(page, "list")
    page.goto(f"{base}optimization/new")
    page.get_by_role("checkbox").nth(3).wait_for(timeout=60_000)
    _take(page, "create")
    page.goto(f"{base}optimization/{dataset_id}")
    page.locator(".rft-step").nth(6).wait_for(timeout=60_000)
    _take(page, "canvas")
    page.goto(f"{base}optimization/{dataset_id}/settings")
    page.get_by_role("button", name=re.compile("Delete Dataset")).wait_for(timeout=60_000)
    _take(page, "settings")


def _take(page: Any, name: str) -> None:
    page.wait_for_function(
        "() => !document.querySelector('.rft .rft-skeleton, .rft [aria-busy=true]')"
    )
    page.evaluate("() => document.fonts.ready")
    page.screenshot(path=FOLDER / f"{name}.png")


@contextlib.contextmanager
def _lab(folder: Path, database: Path) -> Iterator[str]:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(_CELL)],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(notebook, folder / "pipeline.ipynb")
    asks = folder / "settings" / "@jupyterlab" / "apputils-extension"
    asks.mkdir(parents=True)
    (asks / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
    port = free_port()
    base = f"http://127.0.0.1:{port}/"
    command = [
        *(str(Path(sys.executable).parent / "jupyter-lab"), "--no-browser", "--allow-root"),
        *(f"--port={port}", "--ip=127.0.0.1", "--IdentityProvider.token="),
        *(f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True"),
        *("--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",),
        "--LabApp.news_url=None",
    ]
    environment = {
        "JUPYTER_CONFIG_DIR": f"{folder}/config",
        "JUPYTER_DATA_DIR": f"{folder}/data",
        "JUPYTERLAB_SETTINGS_DIR": f"{folder}/settings",
        "JUPYTERLAB_WORKSPACES_DIR": f"{folder}/workspaces",
        "RFT_WIDGETS_DATABASE_URL": str(database),
    }
    with serving(command, f"{base}api", folder / "lab.log", environment):
        yield base


def _notebook(page: Any, base: str) -> None:
    page.goto(f"{base}doc/tree/pipeline.ipynb?reset")
    page.wait_for_function(
        "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status"
        " === 'idle'",
        timeout=90_000,
    )
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
    page.locator(".rft-step").nth(6).wait_for(timeout=60_000)
    _take(page, "notebook")


if __name__ == "__main__":
    sys.exit(main())
