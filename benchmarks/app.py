"""From a URL to the app's canvas, against Voila with a notebook that shows one word.

Both run on this machine in this run, each with a kernel that waits for the page, and each page is
opened by a browser that has nothing in its cache.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from benchmarks.material import Material
from benchmarks.measure import Row, Times, row
from benchmarks.page import serving_notebooks
from benchmarks.pages import dataset_id
from tests.browser.app_server import running_app
from tests.browser.server import ARGS, CHROMIUM

_LEAST_RECORDS = 10_000  # of fewer, the page of a canvas tells nothing about a store
_TIMES = 9
_EMPTY = "from IPython.display import HTML\nHTML('<b id=ready>ready</b>')"
_AT_MOST_MORE_MS = 1000.0


def measure(material: Material) -> list[Row]:
    """Rows of the first page and of the next one in the same browser."""
    if not Path(CHROMIUM).exists():
        material.say("there is no browser: the app is left out")
        return []
    if material.records < _LEAST_RECORDS:
        return []
    n, store = material.records, material.store()
    place = f"optimization/{dataset_id(material)}"
    with running_app(store) as app, _empty_voila(store) as empty, _browser() as browser:
        address = app.address.replace("optimization?", f"{place}?")
        ours, floor = [], []
        for _ in range(_TIMES):
            _await_warm(app.pid)
            ours.append(_opened(browser, address, ".react-flow__node"))
            _await_rest()
            floor.append(_opened(browser, f"{empty}voila/render/bench.ipynb", "#ready"))
            _await_rest()
        again = _reloaded(browser, address, ".react-flow__node", lambda: _await_warm(app.pid))
        memory = _memory_of_kernels(app.pid)
    mine, least = Times.of_seconds(ours), Times.of_seconds(floor)
    words = "Voila, empty notebook"
    return [
        row("URL to the canvas, warm kernel, p50", n, mine.p50, "ms",
            floor=least.p50, floor_name=words),
        row("what it takes more than the empty notebook, p50", n, mine.p50 - least.p50, "ms",
            at_most=_AT_MOST_MORE_MS),
        row("the same page again, in the same browser, p50", n, again.p50, "ms",
            floor=least.p50, floor_name=words),
        row("memory of a page's kernel", n, memory / 1024**2, "MB"),
    ]  # fmt: skip


@contextmanager
def _empty_voila(store: Path) -> Iterator[str]:
    with TemporaryDirectory() as name:
        options = ("--preheat_kernel=True", "--pool_size=1")
        with serving_notebooks(Path(name), store, (_EMPTY,), options) as base:
            yield base


@contextmanager
def _browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield browser
        browser.close()


def _opened(browser: Any, address: str, ready: str) -> float:
    """Seconds from the address to the element, in a browser that knows nothing."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    page = context.new_page()
    began = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.locator(ready).first.wait_for(timeout=120_000)
    taken = time.perf_counter() - began
    context.close()
    return taken


def _reloaded(browser: Any, address: str, ready: str, settle: Callable[[], None]) -> Times:
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.goto(address)
    page.locator(ready).first.wait_for(timeout=120_000)
    taken = []
    for _ in range(_TIMES):
        settle()
        began = time.perf_counter()
        page.reload(wait_until="commit")
        page.locator(ready).first.wait_for(timeout=120_000)
        taken.append(time.perf_counter() - began)
    page.close()
    return Times.of_seconds(taken)


def _kernels(pid: int) -> list[psutil.Process]:
    children = psutil.Process(pid).children()
    return [one for one in children if "ipykernel_launcher" in " ".join(one.cmdline())]


def _await_warm(pid: int) -> None:
    """Wait until a kernel waits for its page, and those of pages that went are gone."""
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        _await_rest()
        found = _kernels(pid)
        if found and all(one.cpu_percent(0.5) < 5 for one in found):
            return


def _await_rest() -> None:
    time.sleep(3)  # the page that went is looked after, and the next kernel starts


def _memory_of_kernels(pid: int) -> float:
    sizes = [one.memory_full_info().uss for one in _kernels(pid)]
    return max(sizes, default=0)


if __name__ == "__main__":
    from benchmarks.__main__ import main

    main(["--only", "app"])
