"""The commands that say who can train, and what there is of a training run."""

from __future__ import annotations

import argparse
import textwrap

from rft_widgets.cli.output import open_workspace, print_json, print_table, quiet
from rft_widgets.dataset import OptimizationDataset
from rft_widgets.dataset.training_job import TrainingJob
from rft_widgets.errors import InvalidArgument, NotFound
from rft_widgets.model.training import TrainingRollout
from rft_widgets.model.training_plan import HyperparameterField, TrainerInfo
from rft_widgets.trainers import available, trainer

_SHOWN_CHARS = 400
RUNS_CHOICE = "run"
"""Stands for the checkpoint that the run chose itself."""


def trainers(options: argparse.Namespace) -> None:
    """List who can train, or say all of one."""
    found = (trainer(options.trainer).info(),) if options.trainer else available()
    if options.json:
        print_json(found)
    with quiet(options):
        if options.trainer:
            _print_trainer(found[0])
        else:
            print_table(
                [(one.name, one.title, one.missing or "ready") for one in found],
                ("name", "", "state"),
            )
            print("All of one, with its settings: rft-widgets trainers NAME")


def rollouts(options: argparse.Namespace) -> None:
    """Show answers that a run learned from, the best of them first."""
    with open_workspace(options) as workspace:
        job = _job(workspace.dataset(options.dataset), options)
        steps, some = job.rollout_steps, job.rollouts(options.step)
        info = trainer(job.config.trainer).info()
    if options.json:
        print_json({"job": job.id, "steps": steps, "rollouts": some})
    with quiet(options):
        if not steps:
            print(_no_rollouts(info))
        elif not some:
            print(f"No answer of step {options.step} was kept. Steps: {_steps(steps)}")
        else:
            best = sorted(some, key=lambda one: -1.0 if one.reward is None else one.reward)[::-1]
            print(f"Step {some[0].step}, {len(some):,} answers; steps: {_steps(steps)}")
            for one in best[: options.n]:
                _print_rollout(one)


def choose(options: argparse.Namespace) -> None:
    """Have a checkpoint served."""
    if options.step != RUNS_CHOICE and not options.step.isdecimal():
        raise InvalidArgument(
            f"{options.step!r} is no step.",
            hint=f"Give a number, or {RUNS_CHOICE!r} for the checkpoint that the run chose.",
        )
    with open_workspace(options) as workspace:
        job = _job(workspace.dataset(options.dataset), options)
        job.choose_checkpoint(None if options.step == RUNS_CHOICE else int(options.step))
        step = job.served_step
    if options.json:
        print_json({"job": job.id, "served_step": step})
    with quiet(options):
        print(f"The checkpoint of step {step} of job {job.id} is served from now on.")


def _job(dataset: OptimizationDataset, options: argparse.Namespace) -> TrainingJob:
    if options.job is not None:
        return dataset.training_job(options.job)
    jobs = dataset.training_jobs
    if not jobs:
        raise NotFound(
            f"Dataset {dataset.id} has no training run.",
            hint=f"Train first: rft-widgets train {dataset.id}",
        )
    return jobs[-1]


def _print_trainer(info: TrainerInfo) -> None:
    can = info.capabilities
    print(f"{info.name}: {info.title}")
    print(f"  {info.description}")
    print(f"  Needs: {info.needs}")
    print(f"  {'Ready.' if not info.missing else f'Not ready: {info.missing}'}")
    models = f" ({', '.join(info.base_models)})" if info.base_models else ""
    print(f"  Base model: {info.base_model}{models}")
    print(f"  Grades {'here' if can.grader_runs == 'here' else 'at the service'}: "
          f"{', '.join(can.graders)}")  # fmt: skip
    answers = {
        "pauses": can.pauses,
        "survives a restart": can.survives_restart,
        "shows rollouts": can.rollouts,
        "keeps checkpoints": can.checkpoints,
        "is measured here": can.measures,
        "takes tools": can.tools,
    }
    print(f"  {', '.join(f'{what}: {_YES[is_so]}' for what, is_so in answers.items())}")
    print(f"  Served: {can.serving}")
    rows = [(one.name, _default(one), _range(one), one.description) for one in info.hyperparameters]
    rows += [
        (one.name, "-", "needed" if one.is_required else "optional", one.description)
        for one in info.settings
    ]
    if rows:
        print("Settings, for --set NAME=VALUE:")
        print_table(rows, ("name", "default", "takes", ""))


_YES = {True: "yes", False: "no"}


def _default(field: HyperparameterField) -> str:
    return "auto" if field.default is None else str(field.default)


def _range(field: HyperparameterField) -> str:
    if field.choices:
        return "|".join(field.choices)
    return f"{field.low:g}..{field.high:g}"


def _no_rollouts(info: TrainerInfo) -> str:
    if info.capabilities.rollouts:
        return "No answers yet: they come with the first steps."
    return f"{info.title} does not hand out the answers that it learns from."


def _steps(steps: tuple[int, ...]) -> str:
    if len(steps) <= 12:
        return ", ".join(map(str, steps))
    return f"{', '.join(map(str, steps[:6]))} ... {steps[-1]}"


def _print_rollout(one: TrainingRollout) -> None:
    reward = "failed" if one.reward is None else f"{one.reward:.2f}"
    advantage = "" if one.advantage is None else f", advantage {one.advantage:+.2f}"
    print(f"{one.record_id}: reward {reward}{advantage}")
    for what, text in (("prompt", one.prompt), ("answer", one.answer)):
        print(f"  {what}: {textwrap.shorten(text, _SHOWN_CHARS, placeholder=' ...')}")
