"""The command that plans new records, asks a model for them, and accepts what it proposes."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from rft_widgets.cli.documents import read_document
from rft_widgets.cli.output import (
    open_workspace,
    print_json,
    print_table,
    progress_line,
    quiet,
    stop_wish,
)
from rft_widgets.dataset import OptimizationDataset
from rft_widgets.dataset.generation_batch import GenerationBatch
from rft_widgets.errors import (
    BudgetReached,
    InvalidArgument,
    ModelRefused,
    RunInterrupted,
    TooManyFailures,
)
from rft_widgets.model.generation import BatchState, Candidate, GenerationPlan

_SHOWN = 20
_TEXT = 76


def generate(options: argparse.Namespace) -> None:
    """Plan, ask, show, accept or discard, as the options say."""
    with open_workspace(options) as workspace:
        dataset = workspace.dataset(options.dataset)
        if options.batch is None:
            plan = dataset.plan_generation(_config(options), model=options.model)
            if not options.run:
                _show_plan(plan, options)
                return
            with quiet(options):
                print_plan(plan)
            batch = _run(dataset, plan, options)
        else:
            batch = dataset.generation_batch(options.batch)
            if options.resume:
                batch = _resume(batch, options)
        _decide(batch, options)


def _config(options: argparse.Namespace) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if options.config is not None:
        given = read_document(options.config)
        if not isinstance(given, dict):
            raise InvalidArgument(f"{options.config} holds no object of settings.")
        found |= given
    if options.topic:
        found |= {"source": "topics", "topics": options.topic}
    if options.record:
        found |= {
            "source": "selected",
            "selection": {"ids": options.record},
        }
    named = {
        "records_per_topic": options.per_topic,
        "strategy": options.strategy,
        "max_synthetic_ratio": options.max_share,
        "seed": options.seed,
    }
    return found | {key: value for key, value in named.items() if value is not None}


def _run(
    dataset: OptimizationDataset, plan: GenerationPlan, options: argparse.Namespace
) -> GenerationBatch:
    try:
        with progress_line() as show, stop_wish() as stop:
            return dataset.generate(
                plan,
                model=options.model,
                max_cost_usd=options.max_cost,
                progress=show,
                cancelled=stop,
            )
    except (BudgetReached, ModelRefused, RunInterrupted, TooManyFailures) as error:
        raise _with_hint(error, dataset.generation_batches[-1]) from None


def _resume(batch: GenerationBatch, options: argparse.Namespace) -> GenerationBatch:
    try:
        with progress_line() as show, stop_wish() as stop:
            return batch.resume(
                model=options.model,
                max_cost_usd=options.max_cost,
                progress=show,
                cancelled=stop,
            )
    except (BudgetReached, ModelRefused, RunInterrupted, TooManyFailures) as error:
        raise _with_hint(error, batch) from None


def _with_hint(
    error: BudgetReached | ModelRefused | RunInterrupted | TooManyFailures, batch: GenerationBatch
) -> Exception:
    command = f"rft-widgets generate {batch.dataset_id} --batch {batch.id}"
    return type(error)(
        error.message, hint=f"See it with `{command}`, go on with `{command} --resume`."
    )


def _decide(batch: GenerationBatch, options: argparse.Namespace) -> None:
    accepted = discarded = None
    if options.accept is not None:
        accepted = batch.accept(options.accept or None)
    if options.discard is not None:
        discarded = batch.discard(options.discard or None)
    state = batch.state
    with quiet(options):
        print_batch(state, batch.page(limit=_SHOWN, states=("open",)))
        if accepted is not None:
            balance = accepted.balance_score
            shown = "" if balance is None else f" The balance is {balance:.2f} now."
            print(f"{accepted.records:,} records accepted.{shown}")
        if discarded is not None:
            print(f"{discarded:,} candidates discarded.")
        if state.open_good:
            command = f"rft-widgets generate {batch.dataset_id} --batch {batch.id} --accept"
            print(f"Accept those without a fault with: {command}")
    if options.json:
        print_json(
            {
                "dataset": batch.dataset_id,
                "batch": state,
                "accepted": accepted,
                "discarded": discarded,
            }
        )


def _show_plan(plan: GenerationPlan, options: argparse.Namespace) -> None:
    with quiet(options):
        print_plan(plan)
        if plan.total and options.model is None:
            print("Ask a model for them with: --model NAME --run")
    if options.json:
        print_json({"dataset": options.dataset, "plan": plan})


def print_plan(plan: GenerationPlan) -> None:
    """Print how many records which topic gets, and what that comes to."""
    print_table(
        [
            (one.topic, one.current, one.wanted, one.to_generate, one.strategy)
            for one in plan.topics
        ],
        ("topic", "records", "wanted", "to generate", "strategy"),
    )
    print(
        f"{plan.total:,} records, {plan.synthetic_share:.0%} of the dataset then. "
        f"Balance {_score(plan.balance_before)} -> {_score(plan.balance_after)}."
    )
    if plan.total < plan.wanted:
        print(
            f"{plan.wanted:,} would be needed; the largest share of generated records leaves room "
            f"for {plan.room:,}."
        )
    price = "price unknown: no model was named"
    if plan.estimate is not None:
        cost = plan.estimate.cost_micro_usd
        price = "price unknown" if cost is None else f"about ${cost / 1e6:.4f}"
    print(
        f"{plan.calls:,} requests, about {plan.input_tokens:,} tokens in and "
        f"{plan.output_tokens:,} out, {price}."
    )


def print_batch(state: BatchState, candidates: Sequence[Candidate]) -> None:
    """Print how a batch stands, and its open candidates."""
    print(f"Batch {state.id}: {state.sentence}")
    print_table(
        [
            (one.topic, one.to_generate, one.good, one.faulty, one.accepted, one.discarded)
            for one in state.topics
        ],
        ("topic", "to generate", "good", "faulty", "accepted", "discarded"),
    )
    if state.diversity is not None:
        print(f"Diversity {state.diversity:.2f}")
    if candidates:
        print_table(
            [(one.id, one.topic, one.fault, _cut(one.text)) for one in candidates],
            ("#", "topic", "fault", "text"),
        )
    if state.open > len(candidates):
        print(f"  ... and {state.open - len(candidates):,} more")


def _cut(text: str) -> str:
    # What a model wrote must not move the cursor of a terminal.
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _TEXT else line[: _TEXT - 1] + "…"


def _score(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
