"""The table of records: pieces of it from the store, and in a browser until they are painted.

In the browser (Voila, Chromium) each time runs from the action to the frame that shows its result,
against one message to the kernel and back: the least that anything asked for can take. Places to
scroll to are random, so that their rows have to be fetched.
"""

from __future__ import annotations

import random

from benchmarks import floors
from benchmarks.material import Material
from benchmarks.measure import Row, Times, each, paired, row
from benchmarks.page import opened_page
from benchmarks.pages import dataset_id
from rft_widgets.dataset import OptimizationDataset
from rft_widgets.model.record import SortKey
from rft_widgets.store.connection import Store

BLOCK = 200
_SORTS: tuple[SortKey, ...] = ("position", "-score", "topic", "-updated")
_TIMES = 40
_LEAST_RECORDS = 10_000  # of fewer, a page soon has all rows, and nothing is fetched any more

_CELLS = """
import anywidget
import rft_widgets as rft

class Ping(anywidget.AnyWidget):
    _esm = \"\"\"export default { render({ model }) {
        globalThis.ping = () => new Promise((done) => {
            const heard = () => { model.off("msg:custom", heard); done() }
            model.on("msg:custom", heard)
            model.send({})
        })
    } }\"\"\"

ping = Ping()
ping.on_msg(lambda *_: ping.send({}))
ds = rft.Workspace().dataset(%r)
"""

_HELPERS = """() => {
globalThis.painted = (isThere) => new Promise((done, fail) => {
  const ends = performance.now() + 10000
  const look = () => {
    if (performance.now() > ends) fail(new Error("nothing was painted"))
    else if (isThere()) requestAnimationFrame(() => done()) // the next frame has it on screen
    else requestAnimationFrame(look)
  }
  look()
})
globalThis.timed = async (act) => {
  const began = performance.now()
  await act()
  return performance.now() - began
}
}"""

_SCROLL = """share => timed(async () => {
  const grid = document.querySelector("[role=grid]")
  const rows = () => [...grid.querySelectorAll(".rft-grid-spacer > [role=row]")]
  const before = rows()[0].ariaRowIndex
  grid.scrollTop = share * (grid.scrollHeight - grid.clientHeight)
  const isNew = () => rows()[0].ariaRowIndex !== before
  await painted(() => isNew() && rows().every((row) => row.dataset.record))
})"""

_RECORD = """() => timed(async () => {
  document.querySelectorAll(".rft-grid-spacer > [role=row]")[5].click()
  await painted(() => document.querySelector(".rft-rec-body"))
})"""

_BACK = """async () => {
  document.querySelector(".rft-rec-bar button").click()
  await painted(() => !document.querySelector(".rft-rec"))
}"""

_SHEET = """() => timed(async () => {
  [...document.querySelectorAll(".rft-head button")]
    .find((one) => one.textContent.trim() === "Records").click()
  await painted(() => document.querySelector("[role=dialog] .rft-grid-tools"))
})"""

_CLOSE = """async () => {
  document.querySelector("[role=dialog] [aria-label=Close]").click()
  await painted(() => !document.querySelector("[role=dialog]"))
}"""


def measure(material: Material) -> list[Row]:
    """Rows of the store's part, and of the browser's where there is one."""
    return [*_store_rows(material), *_page_rows(material)]


def _store_rows(material: Material) -> list[Row]:
    n, path = material.records, material.store()
    store = Store(path)
    dataset = OptimizationDataset(store, dataset_id(material))
    raw = floors.RawStore(path)
    rows = []
    for sort in _SORTS:
        times = each(
            lambda key: dataset.record_rows(sort=key, count=BLOCK),
            [sort],
            repetitions=5,
            before=store.views.clear,
        )
        rows.append(row(f"view by {sort} and its first rows, p50", n, times.p50, "ms"))
    revision = dataset.record_rows(count=BLOCK).revision
    rng = random.Random(7)
    starts = [int(n * 0.9) + rng.randrange(n // 20 or 1) for _ in range(50)]
    after = dict(zip(starts, raw.row_numbers(_ids_at(dataset, starts, revision)), strict=True))
    deep = paired(
        lambda start: dataset.record_rows(start=start, count=BLOCK, revision=revision),
        lambda start: raw.page(BLOCK, after=after[start]),
        starts,
        repetitions=4,
    )
    raw.close()
    store.close()
    ours, floor = deep
    words = "raw sqlite3, bodies not decoded"
    rows.append(
        row(f"{BLOCK} rows at 90 %, p50", n, ours.p50, "ms", floor=floor.p50, floor_name=words,
            at_most=20)
    )  # fmt: skip
    return rows


def _ids_at(dataset: OptimizationDataset, starts: list[int], revision: int) -> list[str]:
    found = (dataset.record_rows(start=one, count=1, revision=revision).ids[0] for one in starts)
    return [name or "" for name in found]


def _page_rows(material: Material) -> list[Row]:
    n = material.records
    if n < _LEAST_RECORDS:
        return []
    cells = (_CELLS % dataset_id(material), "ping", "ds.records_grid(height=600)", "ds")
    with opened_page(material.store(), cells, "[role=grid] [data-record]") as page:
        if page is None:
            material.say("there is no browser: the page is left out")
            return []
        page.evaluate(_HELPERS)
        page.locator(".rft-head").wait_for()
        page.wait_for_function("() => globalThis.ping")
        rng = random.Random(11)
        taken: dict[str, list[float]] = {key: [] for key in ("ping", "scroll", "record", "sheet")}
        for number in range(_TIMES + 3):
            some = {
                "ping": page.evaluate("() => timed(ping)"),
                "scroll": page.evaluate(_SCROLL, rng.random()),
                "record": page.evaluate(_RECORD),
            }
            page.evaluate(_BACK)
            some["sheet"] = page.evaluate(_SHEET)
            page.evaluate(_CLOSE)
            if number >= 3:  # the first ones warm up
                for key, value in some.items():
                    taken[key].append(value)
    times = {key: Times(tuple(sorted(values))) for key, values in taken.items()}
    floor = times["ping"]
    names = {
        "scroll": ("scroll to painted rows anywhere", 150),
        "record": ("click a row to its painted record", 100),
        "sheet": ("click to painted sheet of records", 100),
    }
    rows = [row("message to the kernel and back, p50", n, floor.p50, "ms")]
    for key, (name, most) in names.items():
        for at, value, least in (
            ("p50", times[key].p50, floor.p50),
            ("p95", times[key].p95, floor.p95),
        ):
            rows.append(
                row(f"{name}, {at}", n, value, "ms", floor=least, floor_name="message and back",
                    at_most=most if at == "p50" else None)
            )  # fmt: skip
    return rows


if __name__ == "__main__":
    from benchmarks.__main__ import main

    main(["--only", "grid"])
