"""Text is never code; a saved notebook holds no record and no token; a busy kernel answers."""

from __future__ import annotations

import json
import shutil

import pytest
from browser.hostile_text import PAYLOADS, WATCH, hostile_dataset, judge
from browser.screens import DIALOGS, OVERVIEW, SHOW, close_all, in_cell, open_above, settled
from playwright.sync_api import expect

import rft_widgets as rft

SLOW_WORK = """
import time
ds = rft.Workspace().duplicate(ds.id)
ds.set_grader({"type": "python", "name": "slow",
               "source": "def grade(sample, item):\\n    return 0.0 * sum(range(3_000_000))\\n"})
view = ds.overview(); ds.submit("evaluate", {"selection": {"where": {}}})
view
"""


@pytest.fixture(scope="module")
def hostile(host, tmp_path_factory) -> str:
    with judge() as url, rft.Workspace(host.database) as workspace:
        return hostile_dataset(workspace, tmp_path_factory.mktemp("hostile"), url)


def test_hostile_text_is_shown_as_text(opened, hostile):
    opened.page.add_init_script(WATCH)
    page = opened.notebook(SHOW.format(id=hostile), "ds", ready=OVERVIEW)
    assert PAYLOADS[0] in page.locator(".rft-overview").inner_text()
    shown = set()
    for name in (*DIALOGS, "records-grid", "record"):
        screen = open_above(page, name)
        text = screen.inner_text()
        shown |= {payload for payload in PAYLOADS if payload in text}
        for tab in screen.get_by_role("tab").all():
            tab.click()
            settled(page, screen)
            for more in screen.locator("summary:visible").all():
                more.click()
        close_all(page)
    for step in range(1, 8):
        page.locator(f'.rft-overview [data-step="{step}"]').hover()
    assert page.evaluate("() => window.__seen") == []
    assert len(shown) >= 10, shown  # the text did come to the screens


def test_a_saved_notebook_holds_no_record_and_no_token(opened, datasets, host):
    if host.name != "lab":
        pytest.skip("Voila saves nothing")
    serve = """
import pathlib
served = ds.deploy()
pathlib.Path("token.txt").write_text(served.token)
None
"""
    cells = (SHOW.format(id=datasets["full"]), serve, "ds", "ds.records_grid()")
    opened.write(("print('no widgets')",), "plain.ipynb")
    page = opened.notebook(*cells, ready=OVERVIEW, name="saved_with_state.ipynb")
    for name in DIALOGS:
        shown = open_above(page, name)
        if name == "deploy":
            shown.get_by_role("button", name="Show Token").first.click()
            expect(shown).to_contain_text((host.folder / "token.txt").read_text())
        close_all(page)
    open_above(page, "record")
    close_all(page)
    in_cell(page, "lab", 3).get_by_role("row").nth(1).wait_for()
    toggle = "@jupyter-widgets/jupyterlab-manager:saveWidgetState"
    page.evaluate("name => window.jupyterapp.commands.execute(name)", toggle)
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.evaluate("name => window.jupyterapp.commands.execute(name)", toggle)
    text = (host.folder / "saved_with_state.ipynb").read_text()
    assert "widget-state+json" in text
    assert "PipelineNode" in text or "Topics & Category" in text  # there is state, and it says this
    assert (host.folder / "token.txt").read_text() not in text
    with rft.Workspace(host.database) as workspace:
        said = {
            json.dumps(message.text)[1:-1]
            for record in workspace.dataset(datasets["full"]).iterate()
            for message in record.messages
            if len(message.text) > 20
        }
    assert len(said) > 500
    found = [one for one in said if one in text]
    assert not found, found[:3]
    assert len(text) < 200_000

    page.evaluate(
        "async () => { await window.jupyterapp.shell.currentWidget.sessionContext.shutdown() }"
    )
    shutil.copy(host.folder / "saved_with_state.ipynb", host.folder / "reopened.ipynb")
    page.goto(f"{host.base}doc/tree/reopened.ipynb?reset")
    page.locator(".jp-OutputArea-output", has_text="run the cell").first.wait_for(timeout=20_000)
    opened.shot("saved-reopened")


def test_it_answers_while_a_cell_runs(opened, datasets, host):
    """In JupyterLab a cell keeps the kernel busy; in Voila, where no cell runs, a job does."""
    ended = host.folder / "ended"
    busy = f"""
import pathlib
ends = time.monotonic() + 40
while time.monotonic() < ends: sum(range(10_000))
pathlib.Path({str(ended)!r}).write_text("")
"""
    cells = (SHOW.format(id=datasets["full"]), SLOW_WORK, *([busy] if host.name == "lab" else []))
    page = opened.notebook(*cells, ready=OVERVIEW)
    words = page.locator(".rft-strip .rft-job-words", has_text=" of ")
    words.wait_for()
    before = words.inner_text()
    open_above(page, "topics")
    expect(words).not_to_have_text(before, timeout=5_000)
    close_all(page)
    page.locator(".rft-strip").get_by_role("button", name="Stop").click()
    page.locator(".rft-toast", has_text="Evaluate").wait_for(timeout=10_000)
    assert not ended.exists()  # the cell ran all the while
