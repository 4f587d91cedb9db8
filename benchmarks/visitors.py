"""Visitors of the app at once: how long a click takes for each, and what they cost.

Every visitor has a browser context and a kernel of its own, and goes through the app like a person
who is quick: from the list to a dataset, its records, a dialog, and back. A time runs from a click
to the frame that shows what was asked for. Not in the table of the other benchmarks: it takes
minutes. ``python -m benchmarks.visitors --visitors 8 --seconds 120``
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import psutil
from playwright.async_api import async_playwright

from benchmarks.measure import Times
from rft_widgets import Workspace
from rft_widgets.sample.grader import sample_grader
from rft_widgets.sample.support import write_sample
from tests.browser.app_server import running_app
from tests.browser.server import ARGS, CHROMIUM

_PAUSE_S = (0.5, 2.0)
"""Between clicks of a visitor: somebody who reads nothing."""
_TIMED = """([click, shown]) => new Promise((done, fail) => {
  const began = performance.now()
  const visible = (selector) => [...document.querySelectorAll(selector)]
    .some((one) => one.checkVisibility())
  const look = () => {
    const now = performance.now()
    if (now - began > 30000) fail(new Error(`${shown} was not painted`))
    else if (visible(shown)) requestAnimationFrame(() => done(performance.now() - began))
    else requestAnimationFrame(look)
  }
  document.querySelector(click).click()
  look()
})"""
_ROUND = (
    ("open a dataset", ".rft-dataset-link", ".rft-step"),
    ("records", ".rft-page-head button:has(.lucide-table-properties)", "[role=grid] [data-record]"),
    ("close", "[role=dialog] [aria-label=Close]", ".rft-step"),
    ("topics", '[data-step="2"]', "[role=dialog] [role=tree]"),
    ("close", "[role=dialog] [aria-label=Close]", ".rft-step"),
    ("coverage", '[data-step="3"]', "[role=dialog] table"),
    ("close", "[role=dialog] [aria-label=Close]", ".rft-step"),
    ("back to the list", ".rft-page-head a.rft-icon-button", ".rft-dataset-link"),
)  # fmt: skip


async def _visit(browser: Any, address: str, until: float, taken: dict[str, list[float]]) -> int:
    context = await browser.new_context(viewport={"width": 1280, "height": 900})
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    began = time.monotonic()
    await page.goto(address)
    await page.locator(".rft-dataset-link").first.wait_for(timeout=120_000)
    taken["first page"].append((time.monotonic() - began) * 1e3)
    rng = random.Random(address)
    while time.monotonic() < until:
        for name, click, shown in _ROUND:
            taken[name].append(await page.evaluate(_TIMED, [click, shown]))
            await asyncio.sleep(rng.uniform(*_PAUSE_S))
    await context.close()
    for error in errors:
        print(f"error on a page: {error}", file=sys.stderr)
    return len(errors)


async def _all(address: str, visitors: int, seconds: float) -> tuple[dict[str, list[float]], int]:
    taken: dict[str, list[float]] = defaultdict(list)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        until = time.monotonic() + seconds
        found = await asyncio.gather(
            *(_visit(browser, address, until, taken) for _ in range(visitors)),
            return_exceptions=True,
        )
        await browser.close()
    failed = [one for one in found if isinstance(one, BaseException)]
    for one in failed:
        print(f"a visitor could not go on: {one}", file=sys.stderr)
    return taken, len(failed) + sum(one for one in found if isinstance(one, int))


def _memory(server: int, samples: list[dict[str, float]]) -> None:
    """Note what the server and each of its kernels hold, in MB."""
    for process in psutil.Process(server).children(recursive=True):
        try:
            words = " ".join(process.cmdline())
            if "ipykernel" in words:
                samples.append({"kernel": process.memory_full_info().uss / 2**20})
        except psutil.Error:  # it ended meanwhile
            continue


async def _watch(server: int, samples: list[dict[str, float]], done: asyncio.Event) -> None:
    while not done.is_set():
        await asyncio.sleep(5)
        await asyncio.to_thread(_memory, server, samples)


async def _measured(
    address: str, server: int, visitors: int, seconds: float
) -> tuple[dict[str, list[float]], int, list[dict[str, float]]]:
    samples: list[dict[str, float]] = []
    done = asyncio.Event()
    watching = asyncio.create_task(_watch(server, samples, done))
    taken, errors = await _all(address, visitors, seconds)
    done.set()
    await watching
    return taken, errors, samples


def main() -> int:
    """Measure and print; status 1 when something failed or a click took too long."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visitors", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=120.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        database = Path(name) / "store.db"
        with Workspace(database) as workspace:
            path = write_sample(Path(name) / "sample.jsonl", format="jsonl").path
            dataset = workspace.create_from_file(path, name="Support desk")
            dataset.generate_topics()
            dataset.set_grader(sample_grader())
        with running_app(database) as app:
            taken, errors, samples = asyncio.run(
                _measured(app.address, app.pid, options.visitors, options.seconds)
            )
    first = Times(tuple(sorted(taken.pop("first page"))))
    print(f"{'click':24} {'times':>6} {'p50 ms':>8} {'p95 ms':>8} {'max ms':>8}")
    for title, values in taken.items():
        times = Times(tuple(sorted(values)))
        print(f"{title:24} {len(values):6} {times.p50:8.0f} {times.p95:8.0f} {max(values):8.0f}")
    everything = Times(tuple(sorted(value for values in taken.values() for value in values)))
    print(f"{'all clicks':24} {sum(map(len, taken.values())):6} {everything.p50:8.0f} "
          f"{everything.p95:8.0f}")  # fmt: skip
    print(f"first page p50 {first.p50:.0f} ms, p95 {first.p95:.0f} ms; errors: {errors}")
    kernels = [one["kernel"] for one in samples]
    if kernels:
        print(f"memory of a visitor's kernel: {max(kernels):.0f} MB of its own at most")
    return 0 if not errors and everything.p95 <= 1_000 else 1


if __name__ == "__main__":
    sys.exit(main())
