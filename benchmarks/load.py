"""Load a file into a new store in this process and print what it cost, as JSON.

A process of its own, so that CPU time and memory are those of the load and of nothing before it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from rft_widgets import Workspace
from rft_widgets.model.record import ImportProgress


def load(jsonl: Path, store: Path) -> dict[str, float]:
    """Load, and measure from the start of the process on."""
    start = time.perf_counter()
    cpu_at: dict[str, float] = {"begin": cpu_s()}
    last: list[ImportProgress] = []

    def progress(state: ImportProgress) -> None:
        cpu_at[state.phase] = cpu_s()
        last[:] = [state]

    with Workspace(store) as workspace:
        dataset = workspace.create_from_file(jsonl, name="benchmark", progress=progress)
        stats = dataset.stats
    done = last[0]
    return {
        "wall_s": time.perf_counter() - start,
        "start_cpu_s": cpu_at["begin"],
        "reading_cpu_s": cpu_at["indexing"] - cpu_at["begin"],
        "indexing_cpu_s": cpu_at["done"] - cpu_at["indexing"],
        "cpu_s": cpu_s(),
        "peak_bytes": peak_bytes(),
        "lines": done.lines,
        "imported": stats.total_records,
        "invalid": stats.invalid_records,
        "refused": done.refused,
    }


def cpu_s() -> float:
    """CPU seconds of this process since it started, and of its children that ended."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def peak_bytes() -> int:
    """Most memory this process had resident, zero where the system does not tell."""
    # Not `ru_maxrss`: on Linux it keeps the peak of the process that started this one.
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(fields["VmHWM"].split()[0]) * 1024


if __name__ == "__main__":
    print(json.dumps(load(Path(sys.argv[1]), Path(sys.argv[2]))))
