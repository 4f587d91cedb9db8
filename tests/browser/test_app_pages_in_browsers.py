"""The app's pages as people use them: places, several tabs, the keyboard, and a lost kernel."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser.app_server import RunningApp, running_app
from browser.conftest import Host, Opened
from browser.screens import settled
from browser.server import free_port
from playwright.sync_api import expect

import rft_widgets as rft
from rft_widgets.sample.grader import sample_grader
from rft_widgets.sample.support import write_sample

READY_MS = 60_000
WIDTHS = {"wide": 1440, "narrow": 1024}


@pytest.fixture(scope="module")
def running(tmp_path_factory) -> Iterator[RunningApp]:
    """The app on a store with three datasets; tests make more of their own."""
    folder = tmp_path_factory.mktemp("app")
    with rft.Workspace(folder / "store.db") as workspace:
        path = write_sample(folder / "s.jsonl", format="jsonl").path
        full = workspace.create_from_file(path, name="Support desk", objective="Better answers")
        full.generate_topics()
        full.set_grader(sample_grader())
        full.dry_run()
        workspace.create("Nothing yet")
        workspace.create("<b>Bold</b> & 'quoted'")
    with running_app(folder / "store.db") as app:
        yield app


@pytest.fixture
def workspace(running) -> Iterator[rft.Workspace]:
    with rft.Workspace(running.database) as opened:
        yield opened


@pytest.fixture
def full(workspace) -> str:
    return next(one.id for one in workspace.datasets() if one.name == "Support desk")


class Tabs:
    """Tabs of one browser, logged in."""

    def __init__(self, running: RunningApp, context: Any) -> None:
        self.running, self.context = running, context
        self.opened: list[Opened] = []
        host = Host("app", running.base, running.database.parent)
        self._host = host

    def open(self, address: str = "optimization", ready: str = ".rft-page-head") -> Any:
        made = Opened(self._host, self.context.new_page())
        self.opened.append(made)
        token = self.running.address.partition("?")[2]
        joined = "&" if "?" in address else "?"
        made.page.goto(f"{self.running.base}{address}{joined}{token}")
        made.page.locator(ready).first.wait_for(timeout=READY_MS)
        return made.page

    @property
    def last(self) -> Opened:
        return self.opened[-1]


@pytest.fixture
def tabs(running, browser) -> Iterator[Tabs]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    opened = Tabs(running, context)
    yield opened
    context.close()
    for one in opened.opened:
        assert not one.errors, one.errors
        assert not one.left, f"requests left the machine: {one.left}"


def place(page: Any, running: RunningApp) -> str:
    """Where the address says that the page is, without the token that it was opened with."""
    found = page.url.removeprefix(running.base)
    return re.sub(r"[?&]token=[^&]*", "", found)


def card(page: Any, name: str) -> Any:
    return page.locator(".rft-dataset-card").filter(has=page.get_by_role("link", name=name))


def test_from_the_list_to_the_end_of_a_dataset_and_back(tabs, running, workspace):
    ds = workspace.create("Passing through", objective="Better")
    page = tabs.open()
    page.get_by_role("link", name="Passing through").click()
    page.locator(".rft-step").first.wait_for()
    assert place(page, running) == f"optimization/{ds.id}"
    assert page.title() == "Passing through • RFT Pipeline"
    expect(page.get_by_role("heading", level=1)).to_be_focused()

    page.get_by_role("link", name="Settings").click()
    name = page.get_by_label("Dataset name")
    expect(name).to_have_value("Passing through")
    name.fill("Renamed")
    page.get_by_role("button", name="Save Changes").click()
    page.get_by_text("Saved", exact=True).wait_for()
    assert ds.name == "Renamed"

    page.go_back()
    page.locator(".rft-step").first.wait_for()
    expect(page.get_by_role("heading", level=1)).to_have_text("RFT Pipeline • Renamed")
    page.go_forward()
    expect(page.get_by_label("Dataset name")).to_have_value("Renamed")
    page.reload()
    expect(page.get_by_label("Dataset name")).to_have_value("Renamed", timeout=READY_MS)

    page.get_by_role("button", name="Delete Dataset").click()
    asked = page.get_by_role("alertdialog")
    expect(asked).to_contain_text("“Renamed” and all 0 records")
    asked.get_by_role("button", name="Delete").click()
    page.get_by_role("heading", name="Your Datasets").wait_for()
    expect(page.get_by_role("link", name="Renamed")).to_have_count(0)
    assert workspace.datasets(search="Renamed") == ()

    page.go_back()  # to what is gone
    page.get_by_text("This dataset does not exist").wait_for()
    page.get_by_role("link", name="Back to Your Datasets").click()
    assert place(page, running) == "optimization"


def test_what_is_open_stands_in_the_address(tabs, running, full):
    page = tabs.open(f"optimization/{full}?records=true&filter=invalid", ready=".rft-overlay")
    page.get_by_role("dialog", name="Records").get_by_text("Invalid records").wait_for()
    page.keyboard.press("Escape")
    page.locator(".rft-overlay").wait_for(state="detached")
    assert place(page, running) == f"optimization/{full}"

    page.locator('[data-step="3"]').click()
    coverage = page.get_by_role("dialog", name="Coverage Analysis")
    coverage.get_by_role("button", name="Generate to Fill Gaps").click()
    page.get_by_role("dialog", name="Generate Records").wait_for()
    assert place(page, running) == f"optimization/{full}?dialog=generate"
    page.reload()
    page.get_by_role("dialog", name="Generate Records").wait_for(timeout=READY_MS)
    page.go_back()
    coverage.get_by_role("button", name="Generate to Fill Gaps").wait_for()
    page.go_back()
    page.locator(".rft-overlay").wait_for(state="detached")
    assert place(page, running) == f"optimization/{full}"


@pytest.mark.parametrize(
    ("query", "dialog"), [("node=4", "Grader Config"), ("dialog=dry-run", "Dry Run")]
)
def test_deep_links(tabs, full, query, dialog):
    page = tabs.open(f"optimization/{full}?{query}", ready=".rft-overlay")
    page.get_by_role("dialog", name=dialog).wait_for()


def test_an_unknown_id_leads_back_to_the_list(tabs, running):
    page = tabs.open("optimization/ds_nope")
    page.get_by_text("This dataset does not exist").wait_for()
    page.get_by_role("link", name="Back to Your Datasets").click()
    page.get_by_role("link", name="Support desk").wait_for()
    assert place(page, running) == "optimization"


def test_two_tabs_see_each_others_changes_within_a_second(tabs, workspace):
    ds = workspace.create("Shared")
    one = tabs.open()
    other = tabs.open(f"optimization/{ds.id}/settings")
    expect(card(one, "Shared")).to_be_visible()
    other.get_by_label("Dataset name").fill("Shared by two")
    other.get_by_role("button", name="Save Changes").click()
    began = time.monotonic()
    one.get_by_role("link", name="Shared by two").wait_for(timeout=3_000)
    assert time.monotonic() - began < 1.0
    workspace.delete(ds.id)
    expect(one.get_by_role("link", name="Shared by two")).to_have_count(0, timeout=1_000)
    other.get_by_text("There is no dataset").first.wait_for(timeout=2_000)


def test_a_stale_edit_is_refused_with_what_changed(tabs, workspace):
    ds = workspace.create("Contested")
    page = tabs.open(f"optimization/{ds.id}/settings")
    page.get_by_label("Dataset name").fill("Mine")
    ds.rename("Theirs")
    page.get_by_text("Theirs").first.wait_for()  # the heading follows; what was typed stays
    expect(page.get_by_label("Dataset name")).to_have_value("Mine")
    page.get_by_role("button", name="Save Changes").click()
    expect(page.get_by_role("alert")).to_contain_text("The name is 'Theirs' by now")
    assert ds.name == "Theirs"
    page.get_by_role("button", name="Keep Mine").click()
    page.get_by_role("button", name="Save Changes").click()
    page.get_by_text("Saved", exact=True).wait_for()
    assert ds.name == "Mine"


def test_unsaved_changes_are_not_lost_by_going_back(tabs, running, workspace):
    ds = workspace.create("Unsaved")
    page = tabs.open(f"optimization/{ds.id}")
    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Training objective").fill("Something long")
    page.go_back()
    asked = page.get_by_role("alertdialog", name="Unsaved changes")
    asked.get_by_role("button", name="Cancel").click()
    assert place(page, running) == f"optimization/{ds.id}/settings"
    expect(page.get_by_label("Training objective")).to_have_value("Something long")
    page.go_back()
    asked.get_by_role("button", name="Leave Without Saving").click()
    page.locator(".rft-step").first.wait_for()
    assert place(page, running) == f"optimization/{ds.id}"


def test_a_card_opens_in_a_tab_of_its_own(tabs, full):
    page = tabs.open()
    with tabs.context.expect_page() as found:
        page.get_by_role("link", name="Support desk").click(modifiers=["ControlOrMeta"])
    found.value.locator(".rft-step").first.wait_for(timeout=READY_MS)
    assert full in found.value.url


def test_the_list_is_searched_filtered_duplicated_and_exported(tabs, running, workspace):
    page = tabs.open()
    card(page, "Support desk").wait_for()
    page.keyboard.press("/")
    page.keyboard.type("bold")
    expect(page.locator(".rft-dataset-card")).to_have_count(1)
    expect(page.get_by_role("link", name="<b>Bold</b> & 'quoted'")).to_be_visible()
    assert place(page, running) == "optimization?search=bold"
    page.reload()
    expect(page.locator(".rft-dataset-card")).to_have_count(1, timeout=READY_MS)
    page.get_by_label("Status").select_option("complete")
    page.get_by_text("No dataset matches").wait_for()
    page.get_by_role("button", name="Show All Datasets").click()
    page.get_by_role("button", name="More for Support desk").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Export").click()
    assert download.value.suggested_filename.endswith(".jsonl")
    page.get_by_role("button", name="More for Nothing yet").click()
    page.get_by_role("menuitem", name="Duplicate").click()
    page.get_by_role("link", name="Nothing yet (copy)").wait_for()
    workspace.delete(workspace.datasets(search="Nothing yet (copy)")[0].id)


def test_everything_by_keyboard_alone(tabs, running, workspace):
    ds = workspace.create("Keys")
    page = tabs.open()
    card(page, "Keys").wait_for()
    page.keyboard.press("/")
    page.keyboard.type("Keys")
    expect(page.locator(".rft-dataset-card")).to_have_count(1)
    for _ in range(6):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.matches('.rft-dataset-link')"):
            break
    page.keyboard.press("Enter")
    page.locator(".rft-step").first.wait_for()
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.get_by_role("link", name="Settings").press("Enter")
    page.get_by_label("Dataset name").press("ControlOrMeta+a")
    page.keyboard.type("By keys")
    page.keyboard.press("Enter")
    page.get_by_text("Saved", exact=True).wait_for()
    assert ds.name == "By keys"
    page.get_by_role("button", name="Delete Dataset").press("Enter")
    page.keyboard.press("Escape")
    expect(page.get_by_role("alertdialog")).to_have_count(0)
    workspace.delete(ds.id)


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_are_accessible_and_hold_together(tabs, workspace, full, width):
    pages = {
        "list": ("optimization", ".rft-dataset-card h2"),
        "no-match": ("optimization?search=zzz", ".rft-empty"),
        "canvas": (f"optimization/{full}", ".rft-step"),
        "settings": (f"optimization/{full}/settings", ".rft-settings-form"),
        "unknown": ("optimization/ds_nope", ".rft-empty"),
    }
    page = tabs.open()
    page.set_viewport_size({"width": WIDTHS[width], "height": 900})
    opened = tabs.last
    for name, (address, ready) in pages.items():
        page.goto(tabs.running.base + address)
        page.locator(ready).first.wait_for(timeout=READY_MS)
        app = page.locator(".rft-app")
        settled(page, app)
        opened.shot(f"app-{name}-{width}")
        opened.assert_accessible(app)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= WIDTHS[width]
        if width == "wide":
            opened.assert_keyboard_reaches_all(app)
    page.get_by_role("button", name="Jobs").click()
    panel = page.get_by_role("dialog", name="Jobs")
    settled(page, panel)
    opened.shot(f"app-jobs-{width}")
    opened.assert_accessible(panel)


def test_the_sample_fills_by_itself_and_its_job_is_told(tabs, workspace, running):
    page = tabs.open("optimization?search=zzz")  # the empty state is another store's
    page.get_by_text("No dataset matches").wait_for()
    ds = workspace.load_sample()
    page.goto(f"{running.base}optimization/{ds.id}")
    page.locator(".rft-step").first.wait_for(timeout=READY_MS)
    # How sure its records are of their topics decides which of the two it is.
    done = re.compile(r"\brft-is-(complete|attention)\b")
    expect(page.locator('[data-step="2"]')).to_have_class(done, timeout=60_000)
    page.get_by_role("button", name="Jobs", exact=True).click(timeout=30_000)
    panel = page.get_by_role("dialog", name="Jobs")
    panel.get_by_text("Finished").first.wait_for(timeout=30_000)
    panel.get_by_role("button", name="Log").first.click()
    expect(panel.get_by_role("list", name=re.compile("^Log of"))).to_contain_text("Succeeded")
    assert ds.stats.topics_count > 1
    workspace.delete(ds.id)


def test_a_page_that_lost_its_kernel_opens_again_at_the_same_place(tabs, running, full):
    page = tabs.open(f"optimization/{full}/settings")
    page.get_by_label("Dataset name").wait_for()
    kernel = page.evaluate(
        "() => JSON.parse(document.querySelector('#jupyter-config-data').textContent).kernelId"
    )
    os.kill(process_of(kernel), signal.SIGKILL)
    page.get_by_text("This page has lost its kernel.").wait_for(timeout=30_000)
    page.get_by_text("This page has lost its kernel.").wait_for(state="detached", timeout=READY_MS)
    expect(page.get_by_label("Dataset name")).to_have_value("Support desk", timeout=READY_MS)
    assert place(page, running) == f"optimization/{full}/settings"
    tabs.last.errors.clear()  # the browser tells of every refused request


def test_a_server_that_was_killed_is_found_again_at_the_same_place(tmp_path, browser):
    with rft.Workspace(tmp_path / "store.db") as workspace:
        ds = workspace.create("Support desk")
    option = f"--port={free_port()}"
    context = browser.new_context()
    page = context.new_page()
    with running_app(tmp_path / "store.db", option) as first:
        token = first.address.partition("?")[2]
        page.goto(f"{first.base}optimization/{ds.id}/settings?{token}")
        page.get_by_label("Dataset name").wait_for(timeout=READY_MS)
        os.kill(first.pid, signal.SIGKILL)
        expect(page.locator(".rft-lost")).to_contain_text("Connection lost", timeout=30_000)
    with running_app(tmp_path / "store.db", option):
        page.get_by_text("lost its kernel").wait_for(timeout=30_000)
        page.locator(".rft-lost").wait_for(state="detached", timeout=READY_MS)
        expect(page.get_by_label("Dataset name")).to_have_value("Support desk", timeout=READY_MS)
        assert page.url.endswith(f"/optimization/{ds.id}/settings")
    context.close()


def test_the_app_in_a_cell_of_a_notebook(opened, datasets):
    page = opened.notebook(
        "import rft_widgets as rft\nrft.App(rft.Workspace())", ready=".rft-dataset-card"
    )
    before = page.url
    app = page.locator(".rft > .rft-app")
    settled(page, app)
    opened.shot("app-list")
    opened.assert_accessible(app)
    app.get_by_role("button", name="Support desk", exact=True).click()
    app.locator(".rft-step").first.wait_for()
    settled(page, app)
    opened.shot("app-canvas")
    app.locator('[data-step="1"]').click()
    page.get_by_role("dialog", name="Extract Data").wait_for()
    page.keyboard.press("Escape")
    page.locator(".rft-overlay").wait_for(state="detached")
    app.get_by_role("button", name="Settings").click()
    expect(app.get_by_label("Dataset name")).to_have_value("Support desk")
    app.get_by_role("button", name="Back to the pipeline").click()
    app.get_by_role("button", name="Back to Your Datasets").click()
    expect(app.get_by_role("heading", level=1)).to_have_text("Your Datasets")
    assert page.url == before


def process_of(kernel: str) -> int:
    """The process of a kernel, by the file that it was started with."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):  # it ended meanwhile
                if f"kernel-{kernel}.json".encode() in (folder / "cmdline").read_bytes():
                    return int(folder.name)
    raise LookupError(f"the kernel {kernel} has no process")
