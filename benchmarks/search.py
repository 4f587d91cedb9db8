"""Pages of a search for whole words and for parts of words, against a LIKE scan over the texts.

Every call looks for something else, so no count is known beforehand. The scan is of a plain table
with the texts of the same file and counts all matches, as a page of ours does up to its limit.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from benchmarks import floors, generator
from benchmarks.material import Material
from benchmarks.measure import Row, Times, each, row
from benchmarks.pages import PAGE, dataset_id
from rft_widgets.dataset import OptimizationDataset
from rft_widgets.store.connection import Store
from rft_widgets.workspace import Workspace

_WORDS = 200
_SCANS = 3
_SCAN = "LIKE '%...%' over a plain table of texts"


def measure(material: Material) -> list[Row]:
    """Rows of the first search after opening, and of mid-frequency, rare and partial words."""
    n, jsonl, path = material.records, material.jsonl(), material.store()
    wanted = words_to_find(jsonl)
    first_s = _first_search_s(path, dataset_id(material), wanted["mid-frequency word"][0])
    store = Store(path)
    dataset = OptimizationDataset(store, dataset_id(material))
    dataset.records(search=wanted["rare word"][0], limit=PAGE)
    texts = floors.TextTable(
        jsonl,
        material.folder / f"texts-{n}-{material.seed}-v{generator.VERSION}.db",
        material.say,
    )
    texts.scan(wanted["rare word"][0])  # from here on the file is in the system's cache, as ours is
    rows = [row("first search after opening", n, first_s * 1e3, "ms")]
    for kind, words in wanted.items():
        found: list[int] = []
        ours = each(
            lambda word: found.append(dataset.records(search=word, limit=PAGE).total),  # noqa: B023
            words[1:],
            before=store.counts.clear,
        )
        if not all(found):
            raise RuntimeError(f"{found.count(0)} of {len(found)} searches for a {kind} miss it.")
        scan = each(texts.scan, words[1 : 1 + _SCANS])
        rows += _rows(kind, n, ours, scan, at_most=100 if kind == "part of a word" else 2)
    texts.close()
    store.close()
    return rows


def words_to_find(jsonl: Path) -> dict[str, list[str]]:
    """Words by kind, drawn from a sample of the file by the share of texts that hold them."""
    lines = next(floors.chunks_of_lines(jsonl))
    seen: Counter[str] = Counter()
    texts = 0
    for text in floors.texts_of(lines):
        texts += 1
        seen.update(set(floors.WORD.findall(text)))
    rng = random.Random(7)
    middle = [word for word, count in seen.items() if 0.001 <= count / texts <= 0.01 and count > 1]
    rare = [word for word, count in seen.items() if count <= 2]
    parts = {word[1 : 1 + 4 + rng.randrange(2)] for word in _some(rng, middle, 3 * _WORDS)}
    return {
        "mid-frequency word": _some(rng, middle, _WORDS),
        "rare word": _some(rng, rare, _WORDS),
        "part of a word": _some(rng, sorted(parts), _WORDS),
    }


def _rows(kind: str, n: int, ours: Times, scan: Times, at_most: float) -> list[Row]:
    name = f"page of {PAGE} for a {kind}"
    return [
        row(f"{name}, p50", n, ours.p50, "ms", floor=scan.p50, floor_name=_SCAN, at_most=at_most),
        row(f"{name}, p95", n, ours.p95, "ms", floor=scan.p50, floor_name=_SCAN),
    ]


def _first_search_s(path: Path, key: str, word: str) -> float:
    with Workspace(path) as workspace:
        dataset = workspace.dataset(key)
        dataset.records(limit=1)  # opening the file is not the search's cost
        start = time.perf_counter()
        dataset.records(search=word, limit=PAGE)
        return time.perf_counter() - start


def _some(rng: random.Random, words: Sequence[str], count: int) -> list[str]:
    ordered = sorted(words)
    rng.shuffle(ordered)
    return list(islice(ordered, count))


if __name__ == "__main__":
    from benchmarks.__main__ import main

    main(["--only", "search"])
