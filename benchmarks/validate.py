"""Parsing and validating a line against only parsing it.

Both go through the same lines in chunks; a chunk is timed three times by each, in turn, and its
best time counts. The cost of a line does not depend on how many there are, so at most 100,000
lines are used.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks import floors
from benchmarks.material import Material
from benchmarks.measure import Row, row
from rft_widgets.steps.parse import parse_line
from rft_widgets.steps.refusals import LineRefused
from rft_widgets.steps.validate import validate

MOST_LINES = 100_000
_REPETITIONS = 3


def measure(material: Material) -> list[Row]:
    """Rows with results discarded, with results kept, and of parsing alone."""
    count = min(material.records, MOST_LINES)
    functions: list[Callable[[Sequence[bytes]], object]] = [
        floors.loads_discarding,
        validate_discarding,
        parse_discarding,
        floors.loads_keeping,
        validate_keeping,
    ]
    totals = [0.0] * len(functions)
    size = 0
    for lines in floors.chunks_of_lines(material.jsonl(), count):
        size += sum(map(len, lines))
        best = [float("inf")] * len(functions)
        for _ in range(_REPETITIONS):
            for i, function in enumerate(functions):
                gc.collect()  # what the one before left behind is not this one's cost
                start = time.perf_counter()
                result = function(lines)
                best[i] = min(best[i], time.perf_counter() - start)
                del result
        totals = [total + new for total, new in zip(totals, best, strict=True)]
    plain, judged, parsed, plain_kept, judged_kept = (size / 1e6 / total for total in totals)
    name = "orjson.loads of each line"
    kept = f"{name}, kept"
    return [
        row("validate", count, judged, "MB/s", floor=plain, floor_name=name, ratio_at_least=1.0),
        row("validate, results kept in lists of 20,000", count, judged_kept, "MB/s",
            floor=plain_kept, floor_name=kept, ratio_at_least=1.0),
        row("parse without validating", count, parsed, "MB/s", floor=plain, floor_name=name),
    ]  # fmt: skip


def validate_discarding(lines: Sequence[bytes]) -> None:
    """Parse and validate each line and drop the results."""
    for line in lines:
        try:
            draft = parse_line(line)
        except LineRefused:
            continue
        validate(draft.input, draft.output)


def validate_keeping(lines: Sequence[bytes]) -> list[Any]:
    """Parse and validate each line and keep the results."""
    kept = []
    for line in lines:
        try:
            draft = parse_line(line)
        except LineRefused:
            continue
        kept.append((draft, validate(draft.input, draft.output)))
    return kept


def parse_discarding(lines: Sequence[bytes]) -> None:
    """Parse each line and drop the result."""
    for line in lines:
        try:
            parse_line(line)
        except LineRefused:
            continue


if __name__ == "__main__":
    from benchmarks.__main__ import main

    main(["--only", "validate"])
