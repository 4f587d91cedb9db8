"""Finding topics and assigning all records, against scikit-learn on the same texts."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from benchmarks.material import Material
from benchmarks.measure import Row, row

MB = 1e6


def measure(material: Material) -> list[Row]:
    """Run both, each in a fresh process, with as many topics as the file has."""
    n = material.records
    ours, plain = _run("package", material), _run("plain", material)
    name = "TfidfVectorizer and MiniBatchKMeans"
    return [
        row("topics, fit and assign, CPU", n, ours["cpu_s"], "s", floor=plain["cpu_s"],
            floor_name=name, ratio_at_most=0.6),
        row("topics, fit and assign, wall", n, ours["wall_s"], "s", floor=plain["wall_s"],
            floor_name=name),
        row("topics, peak RSS", n, ours["peak_bytes"] / MB, "MB", floor=plain["peak_bytes"] / MB,
            floor_name=name, at_most=1000),
        row("topics, NMI with the true ones", n, ours["nmi"], "", floor=max(plain["nmi"], 1e-9),
            floor_name=name, ratio_at_least=1.0),
    ]  # fmt: skip


def _run(how: str, material: Material) -> dict[str, Any]:
    jsonl = material.jsonl()
    command = [sys.executable, "-m", "benchmarks.clustering", how, str(jsonl)]
    done = subprocess.run(
        [*command, str(material.records)], check=True, capture_output=True, text=True
    )
    cost: dict[str, Any] = json.loads(done.stdout)
    return cost


if __name__ == "__main__":
    from benchmarks.__main__ import main

    main(["--only", "topics"])
