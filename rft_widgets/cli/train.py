"""The command that trains, and measures what came of it."""

from __future__ import annotations

import argparse
import time

from rft_widgets.cli.output import (
    NoGo,
    open_workspace,
    print_json,
    print_table,
    progress_line,
    quiet,
    stop_wish,
)
from rft_widgets.dataset import OptimizationDataset
from rft_widgets.dataset.training_job import TrainingJob
from rft_widgets.errors import InvalidArgument, RftError, RunInterrupted, TrainingRefused
from rft_widgets.model.report import with_bounds
from rft_widgets.model.training import Hyperparameter, TrainingConfig, TrainingReport
from rft_widgets.model.training_plan import HyperparameterField
from rft_widgets.trainers import trainer

_POLL_S = 0.1


def train(options: argparse.Namespace) -> None:
    """Train, or go on with a job, and show what came of it."""
    with open_workspace(options) as workspace:
        dataset = workspace.dataset(options.dataset)
        if options.resume is not None:
            job = dataset.training_job(options.resume).resume()
        else:
            config = config_of(options)
            job = start_training(dataset, config, despite_no_go=options.despite_no_go)
        report = finish_training(dataset, job)
        notes = [words for _, words in job.log]
    with quiet(options):
        print_training(report, notes)
        print(f"Job {job.id}")
    if options.json:
        print_json({"dataset": options.dataset, "job": job.id, "report": report, "log": notes})


def config_of(options: argparse.Namespace) -> TrainingConfig:
    """Sort what was set into numbers and choices, and texts, by what the trainer knows."""
    info = trainer(options.trainer).info()
    fields = {one.name: one for one in info.hyperparameters}
    texts = {one.name for one in info.settings}
    given: dict[str, Hyperparameter] = {}
    settings: dict[str, str] = {}
    if options.epochs is not None:
        given["n_epochs"] = options.epochs
    for pair in options.set:
        name, is_pair, value = pair.partition("=")
        if not is_pair:
            raise InvalidArgument(f"--set {pair!r} sets nothing.", hint="Write --set NAME=VALUE.")
        if name in texts:
            settings[name] = value
        else:
            given[name] = _value(fields.get(name), value)
    return TrainingConfig(
        trainer=options.trainer,
        base_model=options.base_model,
        connection=options.connection,
        train_ratio=options.train_ratio,
        seed=options.seed,
        max_cost_usd=options.max_cost,
        hyperparameters=given,
        settings=settings,
    )


def _value(field: HyperparameterField | None, text: str) -> Hyperparameter:
    """Read a value as its field has it; what it does not take is refused where it is checked."""
    if field is None or field.choices:
        return text
    if text == "auto" and field.default is None:
        return None
    try:
        return int(text) if field.is_whole else float(text)
    except ValueError:
        return text


def start_training(
    dataset: OptimizationDataset, config: TrainingConfig, *, despite_no_go: bool
) -> TrainingJob:
    """Start a job.

    Raises
    ------
    NoGo
        The last dry run says NO_GO, and that was not overridden.
    """
    try:
        return dataset.train(config, despite_no_go=despite_no_go)
    except TrainingRefused as refused:
        raise NoGo(
            refused.message, hint="Fix that first, or train all the same with --despite-no-go."
        ) from None


def finish_training(dataset: OptimizationDataset, job: TrainingJob) -> TrainingReport:
    """Watch a job to its end; the first Ctrl-C pauses it.

    Raises
    ------
    RunInterrupted
        It was paused; the message says how to go on.
    RftError
        It failed, or was cancelled elsewhere.
    """
    can_pause = trainer(job.config.trainer).info().capabilities.pauses
    resume = f"Go on with `rft-widgets train {dataset.id} --resume {job.id}`."
    with progress_line() as show, stop_wish() as stop:
        asked = False
        while job.status in ("pending", "running") and not job.was_killed:
            now = job.progress
            if now is not None:
                point = now.point
                reward = point.train_reward if point is not None else None
                words = "" if reward is None else f", reward {reward:.2f}"
                show(now.share, f"{now.message}{words}")
            if stop() and not can_pause:
                raise RunInterrupted(
                    f"Training job {job.id} is left to itself: its trainer cannot pause it.",
                    hint=resume,
                )
            if stop() and not asked:
                asked = True
                job.pause()
            time.sleep(_POLL_S)
    if not job.was_killed:
        job.wait()  # who works on it has a last word to say, too
    report = job.report
    if report is not None:
        return report
    if job.status == "paused":
        share = 0.0 if job.progress is None else job.progress.share
        raise RunInterrupted(f"Training job {job.id} is paused at {share:.0%}.", hint=resume)
    if job.status == "failed":
        raise RftError(f"Training job {job.id} failed: {job.error}")
    if job.status == "cancelled":
        raise RftError(f"Training job {job.id} was cancelled.", hint="Train again.")
    raise RftError(f"Training job {job.id} does not answer any more.", hint=resume)


def print_training(report: TrainingReport, notes: list[str]) -> None:
    """Print the outcome in words and numbers."""
    for note in notes:
        if note != report.summary:
            print(f"  {note}")
    parts = [f"{report.fit_prompts:,} prompts learned from"]
    if report.selection_prompts:
        parts.append(f"{report.selection_prompts:,} chose the checkpoint")
    parts.append(f"{report.valid_prompts:,} only measured on")
    pool = f"; {report.pool:,} recorded answers to choose from" if report.pool else ""
    print(", ".join(parts) + pool)
    change = report.change
    if change is not None:
        print(
            f"Reward {change.before_mean:.2f} -> {change.after_mean:.2f}, "
            f"{with_bounds(change.difference, '+.2f')} on {change.n:,} validation prompts"
        )
    if report.recorded is not None:
        print(f"Reward of what your system answered to them: {with_bounds(report.recorded)}")
    clear = [one for one in report.topics if one.verdict != "no_clear_change"]
    if clear:
        print_table(
            [
                (
                    one.topic,
                    one.difference.n,
                    f"{one.difference.before_mean:.2f} -> {one.difference.after_mean:.2f}",
                    with_bounds(one.difference.difference, "+.2f"),
                    one.verdict,
                )
                for one in clear
            ],
            ("topic", "prompts", "reward", "change [95 %]", ""),
        )
    unclear = len(report.topics) - len(clear)
    if unclear:
        print(f"No clear change in {unclear:,} of {len(report.topics):,} topics by themselves")
    print(report.summary)
    for sentence in report.notes:
        print(f"  {sentence}")
