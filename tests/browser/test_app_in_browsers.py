"""The app's server in a browser: what shows before a kernel answers, and what ends with a page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser.app_process import AppProcess, running, until
from browser.conftest import Host, Opened
from playwright.sync_api import expect

import rft_widgets as rft
from rft_widgets.sample.support import write_sample

READY_MS = 60_000
KERNELS = "ipykernel_launcher"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("served")
    with rft.Workspace(folder / "store.db") as workspace:
        path = write_sample(folder / "sample.jsonl", format="jsonl").path
        return folder, workspace.create_from_file(path, name="Support desk").id


@pytest.fixture(scope="module")
def app(store: tuple[Path, str]) -> Iterator[AppProcess]:
    with running(store[0]) as started:
        yield started


@pytest.fixture
def tab(app: AppProcess, browser: Any) -> Iterator[Opened]:
    yield from opened_tab(app, browser)


def opened_tab(app: AppProcess, browser: Any) -> Iterator[Opened]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    base = f"http://{app.host}:{app.port}{app.base}"
    opened = Opened(Host("app", base, app.log.parent), context.new_page())
    yield opened
    context.close()
    assert not opened.errors, opened.errors
    assert not opened.left, f"requests left the machine: {opened.left}"


def enter(app: AppProcess, tab: Opened, place: str = "optimization") -> Any:
    tab.page.goto(f"{tab.host.base}{place}?token={app.token}", wait_until="commit")
    return tab.page


def test_pages_of_one_visit_share_its_kernel_and_it_ends_with_them(
    app: AppProcess, tab: Opened, store: tuple[Path, str]
):
    until(lambda: len(app.children(KERNELS)) == 1, "no kernel waits", 60)
    page = enter(app, tab)
    card = page.get_by_text("Support desk").first
    card.wait_for(timeout=READY_MS)
    assert "token" not in page.url
    until(lambda: len(app.children(KERNELS)) == 2, "no other kernel waits", 60)
    before = set(app.children(KERNELS))
    card.click()
    page.locator(".react-flow__node").first.wait_for(timeout=READY_MS)
    assert page.url.endswith(f"optimization/{store[1]}")
    page.go_back()
    page.get_by_text("Your Datasets").wait_for()
    page.go_forward()
    page.locator(".react-flow__node").first.wait_for()
    assert set(app.children(KERNELS)) == before, "a page of the visit took another kernel"
    page.reload()
    page.locator(".react-flow__node").first.wait_for(timeout=READY_MS)
    assert page.url.endswith(f"optimization/{store[1]}")
    page.goto("about:blank")
    # What waits for the next page is one kernel; those of both visits are gone.
    until(lambda: len(app.children(KERNELS)) == 1, "kernels of pages that went live on", 60)


@pytest.mark.parametrize(
    ("place", "shape"),
    [
        ("optimization", ".s-list"),
        ("optimization/ds_0", ".s-nodes"),
        ("optimization/new", ".s-form"),
    ],
)
def test_a_skeleton_of_the_page_stands_before_its_kernel_answers(
    store: tuple[Path, str], browser: Any, place: str, shape: str
):
    with running(store[0], "--pool", "0") as cold:
        tabs = opened_tab(cold, browser)
        tab = next(tabs)
        page = enter(cold, tab, place)
        page.locator(f"#rft-skeleton {shape}").wait_for(timeout=5_000)
        assert page.locator("#rft-skeleton > div:visible").count() == 2  # its head, and this
        tab.shot(f"skeleton{shape.removeprefix('.s')}")
        page.locator(".rft-app").wait_for(timeout=READY_MS)
        expect(page.locator("#rft-skeleton")).to_have_count(0)
        next(tabs, None)


def test_an_address_that_means_nothing_leads_back(app: AppProcess, tab: Opened):
    page = enter(app, tab)
    page.get_by_text("Your Datasets").wait_for(timeout=READY_MS)
    page.goto(f"{tab.host.base}reports/2026")
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    tab.shot("nothing-here")
    page.get_by_role("link", name="To the datasets").click()
    page.get_by_text("Your Datasets").wait_for(timeout=READY_MS)
    tab.errors[:] = [one for one in tab.errors if "404" not in one]  # the browser notes the status


def test_a_browser_that_was_not_here_logs_in_with_the_token(app: AppProcess, tab: Opened):
    page = tab.page
    page.goto(f"{tab.host.base}optimization")
    field = page.get_by_label("Token")
    expect(field).to_be_focused()
    field.fill("something else")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_have_text("That is not it.")
    tab.shot("login")
    page.get_by_label("Token").fill(app.token)
    page.keyboard.press("Enter")
    page.get_by_text("Your Datasets").wait_for(timeout=READY_MS)
    tab.errors[:] = [one for one in tab.errors if "401" not in one]  # the browser notes the status
