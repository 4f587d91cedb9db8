"""The steps on the sample traffic: a dry run of recorded answers, local training, the policy.

They do not depend on the size of a store, so they are measured once in a run. The floor of the dry
run is the grader called on as many answers and nothing else; the others have none, and are for
information.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.material import Material
from benchmarks.measure import Row, each, row
from rft_widgets.dataset import OptimizationDataset
from rft_widgets.dataset.training_job import TrainingJob
from rft_widgets.errors import NoCandidate
from rft_widgets.graders.sample import item_of, sample_of
from rft_widgets.model.record import Record
from rft_widgets.sample.grader import sample_grader
from rft_widgets.sample.support import CONVERSATIONS, write_sample
from rft_widgets.traces.source import open_traces
from rft_widgets.workspace import Workspace

DRY_RUN_PROMPTS = 300
_ASKED = 100
_TRAINING_S = 900.0


def measure(material: Material) -> list[Row]:
    """Take the sample from traces to a policy, in a store of its own; a small run takes a part."""
    conversations = max(120, min(CONVERSATIONS, material.records // 10))
    with TemporaryDirectory() as name, Workspace(Path(name) / "steps.db") as workspace:
        spans = Path(name) / "support.otlp.jsonl"
        write_sample(spans, n=conversations)
        dataset = workspace.create_from_traces(
            open_traces(spans).filter(has_response=True), name="benchmark"
        )
        start = time.perf_counter()
        dataset.generate_topics()
        topics = row("sample, finding topics", dataset.count(), time.perf_counter() - start, "s")
        dataset.set_grader(sample_grader())
        return [topics, *_dry_run(dataset), *_training(dataset, material)]


def _dry_run(dataset: OptimizationDataset) -> list[Row]:
    """Grade recorded answers end to end, without probes, beside the grader alone."""
    start = time.perf_counter()
    report = dataset.dry_run(n=DRY_RUN_PROMPTS, k=1, probes=False)
    wall = time.perf_counter() - start
    answers = [one.record_id for one in dataset.dry_run_answers(dataset.dry_runs[-1].id)]
    mean = report.mean
    some = [one for one in dataset.iterate() if one.id in set(answers)]
    start = time.perf_counter()
    with dataset.compiled_grader() as grader:
        for one in some:
            grader.grade(sample_of(one.input, one.output.messages), item_of(one))
    floor = (time.perf_counter() - start) * len(answers) / max(1, len(some))
    return [
        row("dry run of recorded answers, wall", len(answers), wall, "s", floor=floor,
            floor_name="the grader alone, with its start"),
        row("dry run, mean reward", len(answers), 0.0 if mean is None else mean.estimate, ""),
    ]  # fmt: skip


def _training(dataset: OptimizationDataset, material: Material) -> list[Row]:
    start = time.perf_counter()
    job = dataset.train(despite_no_go=True).wait(_TRAINING_S)
    wall = time.perf_counter() - start
    report = job.report
    if report is None:
        raise RuntimeError(f"Training is {job.status}: {job.error}")
    material.say(report.summary)
    n = len(job.split.train)
    rows = [row("local training, wall", n, wall, "s")]
    change = report.change
    if change is not None:
        low, high = change.difference.low, change.difference.high
        rows += [
            row("local training, reward before", report.valid_prompts, change.before_mean, ""),
            row("local training, reward after", report.valid_prompts, change.after_mean, ""),
            row("local training, gain", report.valid_prompts, change.difference.estimate, ""),
        ]  # fmt: skip
        # Few prompts allow no interval.
        rows += [
            row(f"local training, gain, {end} end of 95 %", report.valid_prompts, value, "")
            for end, value in (("low", low), ("high", high))
            if value is not None
        ]
    asked = [*dataset.iterate(dataset.select(ids=job.split.valid[:_ASKED]))]
    return [*rows, *_policy(job, asked)]


def _policy(job: TrainingJob, asked: list[Record]) -> list[Row]:
    start = time.perf_counter()
    policy = job.policy()
    load = time.perf_counter() - start

    def respond(record: Record) -> None:
        with suppress(NoCandidate):
            policy.respond(record.input.messages, record.input.tools)

    respond(asked[0])
    times = each(respond, asked)
    n = policy.size
    return [
        row("policy, load", n, load * 1e3, "ms"),
        row("policy, answer, p50", n, times.p50, "ms"),
        row("policy, answer, p95", n, times.p95, "ms"),
    ]


if __name__ == "__main__":
    from benchmarks.__main__ import main

    main(["--only", "steps"])
