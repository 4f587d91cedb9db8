"""Measure the package against its floors and print one table."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from benchmarks import generator, report
from benchmarks.material import Material
from benchmarks.measure import Row

NAMES = (
    "validate", "ingest", "pages", "sorts", "search", "grid", "concurrency", "topics", "grading",
    "steps", "app",
)  # fmt: skip
"""Modules with a function `measure`, in the order they run: what comes first makes the store."""
ONCE = frozenset({"grading", "steps"})
"""Those that measure the same at every size, and so run at the first one only."""


def main(arguments: Sequence[str] = ()) -> None:
    """Run what the command line asks for, `arguments` before it, and print the results."""
    options = _parser().parse_args([*arguments, *sys.argv[1:]])
    about = report.context()
    start = time.perf_counter()

    def say(text: str) -> None:
        print(f"[{time.perf_counter() - start:6.1f} s] {text}", file=sys.stderr, flush=True)

    rows: list[Row] = []
    failed = False
    modules = {name: importlib.import_module(f"benchmarks.{name}") for name in options.only}
    for records in options.records:
        material = Material(options.folder, records, generator.SEED, say)
        for name, module in modules.items():
            if name in ONCE and records != options.records[0]:
                continue
            say(f"{name}, {records:,} records")
            try:
                rows += module.measure(material)
            except Exception:  # noqa: BLE001 - one that fails takes no results of others with it
                failed = True
                say(f"{name} failed:\n{traceback.format_exc()}")
    about["load_after"] = report.load()
    text = report.as_json(about, rows)
    if options.json == "-":
        print(text)
    else:
        print(report.as_table(about, rows))
        if options.json is not None:
            Path(options.json).write_text(f"{text}\n", encoding="utf-8")
    if failed:
        sys.exit(1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--records", type=int, nargs="+", default=[100_000], metavar="N", help="sizes to run at"
    )
    parser.add_argument(
        "--only", nargs="+", choices=NAMES, default=NAMES, metavar="NAME", help=", ".join(NAMES)
    )
    parser.add_argument(
        "--json", nargs="?", const="-", metavar="PATH", help="write JSON; '-' prints nothing else"
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(".benchmarks"),
        metavar="DIR",
        help="where generated files and stores are kept from run to run (default: .benchmarks)",
    )
    return parser


if __name__ == "__main__":
    main()
