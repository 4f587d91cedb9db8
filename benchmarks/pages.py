"""Pages and counts, each against the same thing in hand-written SQL with the bodies not decoded.

Ours and the floor are called in turn with the same arguments, after one call of each. A page of
ours also holds the total, which is counted once for each revision of a dataset.
"""

from __future__ import annotations

import random
import time

from benchmarks import floors
from benchmarks.material import Material
from benchmarks.measure import Row, Times, each, paired, row
from benchmarks.vocabulary import TOPICS
from rft_widgets.dataset import OptimizationDataset
from rft_widgets.model.record import RecordFilter
from rft_widgets.store.connection import Store
from rft_widgets.workspace import Workspace

PAGE = 100
_RAW = "raw sqlite3, bodies not decoded"
_DEEP_CURSORS = 50


def measure(material: Material) -> list[Row]:
    """Rows of first pages, deep pages, filtered pages and filtered counts."""
    n, path = material.records, material.store()
    opening_s = _first_call_s(material)
    store = Store(path)
    dataset = OptimizationDataset(store, dataset_id(material))
    raw = floors.RawStore(path)

    first = paired(
        lambda _: dataset.records(limit=PAGE), lambda _: raw.page(PAGE), range(3), repetitions=100
    )
    uncounted = each(
        lambda _: dataset.records(limit=PAGE), range(3), repetitions=10, before=store.counts.clear
    )
    cursors = _deep_cursors(dataset, raw, n)
    deep = paired(
        lambda c: dataset.records(limit=PAGE, after=c[0]),
        lambda c: raw.page(PAGE, after=c[1]),
        cursors,
        repetitions=6,
    )
    topics = list(TOPICS)
    filtered = paired(
        lambda topic: dataset.records(topic=topic, valid=True, limit=PAGE),
        lambda topic: raw.topic_page(topic, PAGE),
        topics,
        repetitions=10,
        before=store.counts.clear,
    )
    wanted = [(topic, valid) for topic in topics for valid in (True, False)]

    def count(one: tuple[str, bool]) -> int:
        return dataset.count(RecordFilter(topic=one[0], valid=one[1]))

    def raw_count(one: tuple[str, bool]) -> int:
        return raw.count(one[0], int(one[1]))

    for one in wanted:
        if count(one) != raw_count(one):
            raise RuntimeError(f"The counts of {one} differ.")
    cold = paired(count, raw_count, wanted, repetitions=5, before=store.counts.clear)
    warm = paired(count, raw_count, wanted, repetitions=5)
    raw.close()
    store.close()
    return [
        row(f"first page of {PAGE}, first call after opening", n, opening_s * 1e3, "ms"),
        *_rows(f"first page of {PAGE}", n, first, at_most=2),
        row(f"first page of {PAGE}, count cold, p50", n, uncounted.p50, "ms"),
        *_rows(f"page of {PAGE} at 90 %", n, deep, at_most=20),
        *_rows(f"first page of {PAGE} of a topic, valid, count cold", n, filtered),
        *_rows("count of topic and validity, cold", n, cold, at_most=5),
        *_rows("count of topic and validity, warm", n, warm, at_most=5),
    ]


def dataset_id(material: Material) -> str:
    """Id of the dataset that the file was loaded into."""
    with Workspace(material.store()) as workspace:
        return workspace.datasets()[0].id


def _rows(name: str, n: int, times: tuple[Times, Times], at_most: float | None = None) -> list[Row]:
    ours, floor = times
    return [
        row(f"{name}, p50", n, ours.p50, "ms", floor=floor.p50, floor_name=_RAW, at_most=at_most,
            ratio_at_most=None if at_most is None else 2),
        row(f"{name}, p95", n, ours.p95, "ms", floor=floor.p95, floor_name=_RAW),
        row(f"{name}, CPU p50", n, ours.cpu.p50, "ms", floor=floor.cpu.p50, floor_name=_RAW),
    ]  # fmt: skip


def _first_call_s(material: Material) -> float:
    with Workspace(material.store()) as workspace:
        dataset = workspace.dataset(workspace.datasets()[0].id)
        start = time.perf_counter()
        dataset.records(limit=PAGE)
        return time.perf_counter() - start


def _deep_cursors(
    dataset: OptimizationDataset, raw: floors.RawStore, n: int
) -> list[tuple[str, int]]:
    """Cursors between 85 % and 95 %, reached by walking, each with the row number it stands for."""
    before, cursor = int(n * 0.85), None
    while before > 0:
        page = dataset.records(limit=min(before, 10_000), after=cursor)
        before, cursor = before - len(page.records), page.next
    found: list[tuple[str, int]] = []
    step = max(1, n // 10 // _DEEP_CURSORS)
    for _ in range(_DEEP_CURSORS):
        page = dataset.records(limit=step, after=cursor)
        cursor = page.next
        if cursor is None:
            break
        found.append((cursor, raw.row_numbers([page.records[-1].id])[0]))
    random.Random(1).shuffle(found)
    return found


if __name__ == "__main__":
    from benchmarks.__main__ import main

    main(["--only", "pages"])
