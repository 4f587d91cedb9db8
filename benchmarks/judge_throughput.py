"""Judge calls through the whole grading path, against what the service's latency allows.

``python -m benchmarks.judge_throughput --json``: 1,000 records are graded by a judge that takes
50 ms, 32 at a time. The bound is calls x latency / concurrency; ``share_of_bound`` is the bound
over the time that was taken, everything included: opening the client, the ledger, the scores. The
server is a process of its own. Then the same again with 5 % refusals for haste and 2 % server
errors: every answer has to come, to its own record, and be paid once.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from benchmarks import report
from rft_widgets import RecordDraft, Workspace
from rft_widgets.model.message import Message
from rft_widgets.model.record import RecordInput, RecordOutput
from rft_widgets.testing.process import server_process

CALLS, CONCURRENCY, LATENCY_MS = 1_000, 32, 50.0
FAULTS = {"429": 0.05, "500": 0.02}
REACH = 0.8
_ROUNDS = 3
_JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "judge",
    "input": [
        {"role": "system", "content": "How well does the answer help? 0 is not, 1 is fully."},
        {"role": "user", "content": "{{ item.question }}\n\nThe answer:\n{{ response }}"},
    ],
    "range": [0, 1],
}


def measure(calls: int, rounds: int, folder: Path) -> dict[str, Any]:
    """The best of some rounds without faults, and one with them."""
    clean = [_grade(calls, folder / f"{n}.db", {}) for n in range(rounds)]
    faulty = _grade(calls, folder / "faulty.db", FAULTS)
    best = min(clean, key=lambda one: one["seconds"])
    bound = calls * LATENCY_MS / 1e3 / CONCURRENCY
    return {
        "calls": calls,
        "concurrency": CONCURRENCY,
        "latency_ms": LATENCY_MS,
        "bound_s": bound,
        "seconds": best["seconds"],
        "share_of_bound": bound / best["seconds"],
        "shares": [round(bound / one["seconds"], 3) for one in clean],
        "cpu_ms_a_call": 1e3 * best["cpu_s"] / calls,
        "with_faults": {
            **{name: faulty[name] for name in ("seconds", "requests", "answered", "paid_twice")},
            "same_scores": faulty["scores"] == best["scores"],
        },
    }


def _grade(calls: int, database: Path, faults: dict[str, float]) -> dict[str, Any]:
    log = database.with_suffix(".log")
    with (
        server_process(latency_ms=LATENCY_MS, faults=faults, log=log) as server,
        Workspace(database) as workspace,
    ):
        workspace.add_connection(
            "judge", server.base_url, "judge", concurrency=CONCURRENCY,
            input_usd_per_million=0.4, output_usd_per_million=1.6,
        )  # fmt: skip
        dataset = workspace.create("Judged")
        dataset.add_records([_record(n) for n in range(-1, calls)])
        dataset.set_grader(_JUDGE, connection="judge")
        dataset.evaluate("r-1")  # loads what the first call of a process loads
        chosen = dataset.select(ids=[f"r{n}" for n in range(calls)])
        began, cpu = time.perf_counter(), time.process_time()
        done = dataset.evaluate(chosen)
        took, cpu = time.perf_counter() - began, time.process_time() - cpu
        paid = [one.digest for one in server.paid]
        return {
            "seconds": took,
            "cpu_s": cpu,
            "answered": done.graded,
            "requests": len(server.requests) - 1,
            "paid_twice": len(paid) - len(set(paid)),
            "scores": {record.id: record.dry_run_score for record in dataset.iterate()},
        }


def _record(number: int) -> RecordDraft:
    question = f"How do I send back order number {number * 7919}?"
    answer = f"Print label {number}, put it on the parcel and bring it to a shop within 30 days."
    return RecordDraft(
        id=f"r{number}",
        input=RecordInput((Message("user", question),)),
        output=RecordOutput((Message("assistant", answer),)),
        item={"question": question},
    )


def main() -> int:
    """Measure and print; status 1 when what has to hold does not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.judge_throughput")
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    parser.add_argument("--calls", type=int, default=CALLS)
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help="the best of them counts")
    options = parser.parse_args()
    about = report.context()
    with TemporaryDirectory() as folder:
        found = measure(options.calls, options.rounds, Path(folder))
    about["load_after"] = report.load()
    faulty = found["with_faults"]
    if options.json:
        text = msgspec.json.encode({"context": about, **found})
        print(msgspec.json.format(text, indent=2).decode())
    else:
        print(" ".join(f"{key}={value}" for key, value in about.items()))
        print(
            f"{found['calls']:,} judge calls: {found['seconds']:.2f} s, "
            f"{found['share_of_bound']:.0%} of what {LATENCY_MS:g} ms and {CONCURRENCY} at a time "
            f"allow (reach: {REACH:.0%}); {found['cpu_ms_a_call']:.2f} ms of CPU a call"
        )
        print(
            f"with faults: {faulty['answered']:,} answered by {faulty['requests']:,} requests, "
            f"{faulty['paid_twice']:,} paid twice, in {faulty['seconds']:.1f} s"
        )
    whole = faulty["answered"] == options.calls and faulty["same_scores"]
    return 0 if whole and not faulty["paid_twice"] and found["share_of_bound"] >= REACH else 1


if __name__ == "__main__":
    sys.exit(main())
