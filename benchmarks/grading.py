"""A script grader in its sandbox, against calling the same function in this process."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.material import Material
from benchmarks.measure import Row, Times, row
from rft_widgets.graders.sample import Sample, item_of, sample_of
from rft_widgets.graders.sandbox.host import Sandbox
from rft_widgets.graders.script import ScriptGrader
from rft_widgets.model.grader import PythonGrader
from rft_widgets.sample.grader import facts_grader
from rft_widgets.sample.support import write_sample
from rft_widgets.traces.source import open_traces

SAMPLES = 1_000
_STARTS = 5
_ROUNDS = 3
_ALLOWED_MS = 0.2
"""What a sample may cost beside twice the function itself."""


def measure(material: Material) -> list[Row]:
    """Start the sandbox a few times, then grade the answers of the sample, in turn with a call."""
    count = min(SAMPLES, material.records)
    graded = _samples(count)
    count = len(graded)
    source = str(facts_grader()["source"])
    starts = Times.of_seconds(_start(source) for _ in range(_STARTS))
    names: dict[str, Any] = {}
    exec(compile(source, "grader", "exec"), names)
    public = [(sample.public(), item) for sample, item in graded]
    with Sandbox() as sandbox:
        grader = ScriptGrader(PythonGrader(name="facts", source=source), sandbox)
        try:
            ours: list[float] = []
            plain: list[float] = []
            for _ in range(_ROUNDS):
                plain.append(_timed(lambda: [names["grade"](*pair) for pair in public]))
                ours.append(_timed(lambda: [grader(*pair) for pair in graded]))
            wrong = sum(
                abs((grader(*pair).reward or 0.0) - names["grade"](*other)) > 1e-9
                for pair, other in zip(graded, public, strict=True)
            )
        finally:
            grader.close()
    if wrong:
        raise RuntimeError(f"{wrong} samples were graded differently.")
    ours_ms, plain_ms = min(ours) * 1e3 / count, min(plain) * 1e3 / count
    name = "calling the function in-process"
    return [
        row("script grader, a sample", count, ours_ms, "ms", floor=plain_ms, floor_name=name,
            at_most=round(2 * plain_ms + _ALLOWED_MS, 4)),
        row("script grader, start, p50", _STARTS, starts.p50, "ms", at_most=150),
    ]  # fmt: skip


def _samples(count: int) -> list[tuple[Sample, dict[str, Any]]]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "sample.jsonl"
        write_sample(path, n=count)
        records = list(open_traces(path).filter(has_response=True).to_records())
    return [(sample_of(one.input, one.output.messages), item_of(one)) for one in records[:count]]


def _start(source: str) -> float:
    """Seconds from nothing to a grader that is ready, with its source checked and loaded."""
    start = time.perf_counter()
    with Sandbox() as sandbox:
        ScriptGrader(PythonGrader(name="facts", source=source), sandbox).close()
        return time.perf_counter() - start


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    from benchmarks.__main__ import main

    main(["--only", "grading"])
