"""One suite, two hosts: a test opens a notebook in JupyterLab and in Voila alike."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from browser import accessible
from browser.server import ARGS, CHROMIUM, free_port, serving

import rft_widgets as rft
from rft_widgets.sample.grader import sample_grader
from rft_widgets.sample.support import write_sample

sync_api = pytest.importorskip("playwright.sync_api")
nbformat = pytest.importorskip("nbformat")

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
SHOTS = Path(os.environ["RFT_SCREENSHOTS"]) if "RFT_SCREENSHOTS" in os.environ else None
LAB_THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


ON_VOILA_FIRST = frozenset(
    f"test_{name}_in_browsers"
    for name in (
        "coverage",
        "dry_run",
        "generate",
        "grader",
        "import",
        "labelling",
        "overview",
        "records",
        "topics",
        "training",
    )
)
"""What the host makes no difference to is tried in Voila each time, in JupyterLab when thorough."""
WHEN_THOROUGH = frozenset(
    {
        "test_a_saved_notebook_holds_no_code_and_says_how_to_go_on[lab-stateless]",
        "test_a_saved_notebook_holds_no_code_and_says_how_to_go_on[lab-untrusted]",
        "test_a_skeleton_of_the_page_stands_before_its_kernel_answers[optimization-.s-list]",
        "test_a_skeleton_of_the_page_stands_before_its_kernel_answers[optimization/new-.s-form]",
        "test_all_widgets_share_one_evaluation[lab]",
        "test_colours_follow_the_theme[lab]",
        "test_events_reach_python_and_keys_move_between_steps[lab]",
        "test_every_step_opens_its_dialog[lab-ds]",
        "test_every_step_opens_its_dialog[voila-ds.canvas()]",
        "test_names_and_summaries_are_text[lab]",
        "test_pages_are_accessible_and_hold_together[narrow]",
        "test_screens_above_the_overview[lab-empty-own]",
        "test_screens_above_the_overview[voila-empty-own]",
        "test_screens_in_cells_of_their_own[lab-empty-own]",
        "test_screens_in_cells_of_their_own[lab-full-own]",
        "test_screens_in_cells_of_their_own[voila-full-own]",
        "test_the_app_in_a_cell_of_a_notebook[voila]",
    }
)
"""Of what is tried on both hosts or in several looks, what says little beside the others."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests here start servers and a browser: they run when asked for."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)
            on_one = item.path.stem in ON_VOILA_FIRST and "[lab" in item.name
            if on_one or item.name in WHEN_THOROUGH:
                item.add_marker(pytest.mark.thorough)
            # Playwright's own objects close sockets when they are collected.
            item.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning"))


class Host:
    """A running server, and the folder that its notebooks lie in."""

    def __init__(self, name: str, base: str, folder: Path) -> None:
        self.name, self.base, self.folder = name, base, folder
        self.database = folder / "store.db"


@pytest.fixture(scope="session", params=["voila", "lab"])
def host(request, tmp_path_factory) -> Iterator[Host]:
    folder = tmp_path_factory.mktemp(request.param)
    port = free_port()
    base = f"http://127.0.0.1:{port}/"
    share = folder / ".share"
    shutil.copytree(HERE / "voila_template", share / "voila" / "templates" / "rft")
    environment = {
        "JUPYTER_CONFIG_DIR": f"{folder}/.config",
        "JUPYTER_DATA_DIR": f"{folder}/.data",
        "JUPYTERLAB_SETTINGS_DIR": f"{folder}/.settings",
        "JUPYTERLAB_WORKSPACES_DIR": f"{folder}/.workspaces",
        "JUPYTER_PATH": str(share),
        "RFT_WIDGETS_DATABASE_URL": str(folder / "store.db"),
    }
    if request.param == "voila":
        command = [
            *(f"{BIN}/voila", str(folder), "--no-browser", f"--port={port}"),
            *("--Voila.ip=127.0.0.1", "--template=rft", "--show_tracebacks=True"),
        ]
        probe = base + "voila/static/voila.js"
    else:
        command = [
            *(f"{BIN}/jupyter-lab", "--no-browser", "--allow-root", "--ip=127.0.0.1"),
            *(f"--port={port}", "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}"),
            "--LabApp.expose_app_in_browser=True",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            "--LabApp.news_url=None",
        ]
        probe = base + "api"
        asks = folder / ".settings" / "@jupyterlab" / "apputils-extension"
        asks.mkdir(parents=True)
        (asks / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
    with serving(command, probe, folder / "server.log", environment):
        yield Host(request.param, base, folder)


@pytest.fixture(scope="session")
def datasets(host, tmp_path_factory) -> dict[str, str]:
    """Ids of a dataset in which no step waits, and of one without a record; to look at only."""
    with rft.Workspace(host.database) as workspace:
        path = write_sample(tmp_path_factory.mktemp("sample") / "s.jsonl", format="jsonl").path
        full = workspace.create_from_file(path, name="Support desk", objective="Better answers")
        full.generate_topics()
        full.set_grader(sample_grader())
        full.dry_run()
        full.train().wait()
        full.deploy(start=False)
        return {"full": full.id, "empty": workspace.create("Nothing yet").id}


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"there is no browser at {CHROMIUM} (apt-get install chromium)")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield started
        started.close()


class Opened:
    """A page, and everything that went wrong on it."""

    def __init__(self, host: Host, page: Any) -> None:
        self.host, self.page = host, page
        self.errors: list[str] = []
        self.left: list[str] = []
        self.sockets: list[Any] = []
        page.on("pageerror", self._failed)
        page.on("console", self._heard)
        page.on("request", self._requested)
        page.on("dialog", lambda dialog: (self.errors.append(dialog.message), dialog.dismiss()))

    def notebook(self, *cells: str, ready: str, name: str = "test.ipynb") -> Any:
        """Write a notebook, open it, run all of it, and wait for an element."""
        self.write(cells, name)
        return self.open(name, ready)

    def write(self, cells: tuple[str, ...], name: str) -> None:
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        nbformat.write(notebook, self.host.folder / name)

    def open(self, name: str, ready: str) -> Any:
        page = self.page
        if self.host.name == "voila":
            page.goto(f"{self.host.base}voila/render/{name}")
        else:
            page.goto(f"{self.host.base}doc/tree/{name}?reset")
            page.wait_for_function(
                "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel"
                "?.status === 'idle'",
                timeout=90_000,
            )
            page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
        page.locator(ready).first.wait_for(timeout=60_000)
        return page

    def theme(self, name: Literal["light", "dark"]) -> None:
        """Switch JupyterLab's theme, and wait until our views have its palette."""
        switch = "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })"
        self.page.evaluate(switch, LAB_THEMES[name])
        self.page.locator(f'.rft[data-rft-theme="lab-{name}"]').first.wait_for()
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")

    def assert_accessible(self, where: Any = ".rft") -> None:
        """Fail on what axe-core calls serious or critical in elements: a selector, or a locator."""
        if not accessible.AXE.exists():
            pytest.fail(f"{accessible.AXE} is missing: run `python hatch_build.py --check` first")
        found = accessible.violations(self.page, self._located(where))
        assert not found, "\n".join(found)

    def assert_keyboard_reaches_all(self, where: Any) -> None:
        """Fail unless Tab comes to every control in an element, and each shows its focus."""
        missed, unseen = accessible.tab_through(self.page, self._located(where))
        assert not missed, f"Tab does not reach: {missed}"
        assert not unseen, f"these do not show that they have the focus: {unseen}"

    def _located(self, where: Any) -> Any:
        return self.page.locator(where) if isinstance(where, str) else where

    def shot(self, name: str, where: Any = None) -> None:
        """Keep a picture of the page or of an element, where somebody asked for pictures."""
        if SHOTS is not None:
            SHOTS.mkdir(parents=True, exist_ok=True)
            target = self._located(where).first if where else self.page
            target.screenshot(path=SHOTS / f"{self.host.name}-{name}.png")

    def _failed(self, error: Any) -> None:
        if not _IS_THE_HOSTS.search(str(error)):
            self.errors.append(str(error))

    def _heard(self, message: Any) -> None:
        if message.type == "error" and not _IS_THE_HOSTS.search(
            message.text + message.location["url"]
        ):
            self.errors.append(f"{message.text} {message.location['url']}")

    def _requested(self, request: Any) -> None:
        ours = (self.host.base, self.host.base.replace("http", "ws"), "data:", "blob:")
        if not request.url.startswith(ours):
            self.left.append(request.url)


# Lab asks for what need not be there, and says so in the console; so does its debugger when a test
# ends and takes the kernel away, and what asked for a thread of its own in that kernel.
_IS_THE_HOSTS = re.compile(
    r"favicon|/api/contents/.*checkpoints|/static/.*\.map|lsp/status"
    r"|Could not restore the debugger state"
    r"|Canceled future for create_subshell_request message before replies were done"
)


@pytest.fixture
def opened(host: Host, browser: Any) -> Iterator[Opened]:
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    page = Opened(host, context.new_page())
    yield page
    if host.name == "lab":
        with contextlib.suppress(Exception):
            page.page.evaluate(
                "async () => {"
                " await window.jupyterapp.shell.currentWidget.sessionContext.shutdown() }"
            )
    context.close()
    assert not page.errors, page.errors
    assert not page.left, f"requests left the machine: {page.left}"
