"""Loading a file into a searchable store: CPU, memory, sizes on disk, wall time.

CPU counts the whole process that loads, with the start of Python and the imports, and its children.
"""

from __future__ import annotations

import sqlite3
import subprocess
import time
from pathlib import Path

import psutil

from benchmarks import floors
from benchmarks.material import Material, finish_load
from benchmarks.measure import Row, row

_SAMPLE_S = 0.05
MB = 1e6


def measure(material: Material) -> list[Row]:
    """Load once in a fresh process; the floor is taken before and after it."""
    jsonl, store = material.jsonl(), material.store_path()
    floor = floors.loads_cpu_s(jsonl)
    process = material.start_load(store)
    sampled, anonymous = _watch(process)
    cost = finish_load(process, store)
    floor = min(floor, floors.loads_cpu_s(jsonl))
    if cost["imported"] + cost["refused"] != cost["lines"]:
        raise RuntimeError(f"Lines are missing: {cost}.")
    n, size = material.records, jsonl.stat().st_size / MB
    records_size, search_size, how = _sizes(store)
    name = "orjson.loads of each line, CPU"
    file_name = "the JSONL file"
    return [
        row("ingest, CPU", n, cost["cpu_s"], "s", floor=floor, floor_name=name, ratio_at_most=18),
        row("ingest, CPU of starting", n, cost["start_cpu_s"], "s", floor=floor, floor_name=name),
        row("ingest, CPU of reading", n, cost["reading_cpu_s"], "s", floor=floor, floor_name=name),
        row("ingest, CPU of indexing", n, cost["indexing_cpu_s"], "s", floor=floor,
            floor_name=name),
        row("ingest, wall", n, cost["wall_s"], "s"),
        row("ingest, rate", n, n / cost["wall_s"], "records/s"),
        row("ingest, peak RSS with mapped file", n, max(cost["peak_bytes"], sampled) / MB, "MB",
            at_most=1000),
        row("ingest, peak RSS without mapped file", n, anonymous / MB, "MB"),
        row("store without search", n, records_size / MB, "MB", floor=size,
            floor_name=f"{file_name} ({how})", ratio_at_most=0.5),
        row("search index", n, search_size / MB, "MB", floor=size,
            floor_name=f"{file_name} ({how})", ratio_at_most=0.15),
        row("store file", n, store.stat().st_size / MB, "MB", floor=size, floor_name=file_name),
    ]  # fmt: skip


def _watch(process: subprocess.Popen[str]) -> tuple[int, int]:
    """Sample a process and its children until they end: most resident, most of it not a file's."""
    resident = anonymous = 0
    root = psutil.Process(process.pid)
    while process.poll() is None:
        now_resident = now_anonymous = 0
        try:
            for one in (root, *root.children(recursive=True)):
                memory = one.memory_info()
                now_resident += memory.rss
                now_anonymous += memory.rss - getattr(memory, "shared", 0)
        except psutil.NoSuchProcess:
            break
        resident = max(resident, now_resident)
        anonymous = max(anonymous, now_anonymous)
        time.sleep(_SAMPLE_S)
    return resident, anonymous


def _sizes(store: Path) -> tuple[int, int, str]:
    """Bytes of the search index and of everything else, and how they were told apart."""
    connection = sqlite3.connect(store)
    try:
        sizes = dict(
            connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name").fetchall()
        )
    except sqlite3.OperationalError:
        connection.close()
        return _sizes_by_copy(store)
    connection.close()
    search = sum(size for name, size in sizes.items() if _is_search(name))
    return sum(sizes.values()) - search, search, "by dbstat"


def _sizes_by_copy(store: Path) -> tuple[int, int, str]:
    """Sizes where SQLite lacks dbstat: of a compact copy, with and without the search tables."""
    copy = store.with_name(f"sizes-{store.name}")
    copy.unlink(missing_ok=True)
    connection = sqlite3.connect(store)
    connection.execute("VACUUM INTO ?", (str(copy),))
    connection.close()
    whole = copy.stat().st_size
    connection = sqlite3.connect(copy)
    tables = [
        name
        for (name, sql) in connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'table'"
        ).fetchall()
        if _is_search(name) and ("VIRTUAL" in sql or name.endswith("_terms"))
    ]
    for name in tables:
        connection.execute(f'DROP TABLE "{name}"')
    connection.execute("VACUUM")
    connection.close()
    rest = copy.stat().st_size
    copy.unlink()
    return rest, whole - rest, "by a copy without the search tables"


def _is_search(name: str) -> bool:
    return "search_" in name


if __name__ == "__main__":
    from benchmarks.__main__ import main

    main(["--only", "ingest"])
