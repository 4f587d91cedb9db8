"""The trainer ``openai``: reinforcement fine-tuning at services that speak the OpenAI protocol.

The service samples answers, grades them with the dataset's grader and trains; a run here sends the
records, follows the job and measures what came of it. Three dialects are spoken: ``openai``,
``azure`` and ``bedrock``.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import msgspec

from rft_widgets.model.grader import Grader, reward_range
from rft_widgets.trainers.base import Trainer, TrainingOutcome, TrainingRun, TrainingTask
from rft_widgets.trainers.hosted import follow
from rft_widgets.trainers.openai.deployment import deploy
from rft_widgets.trainers.openai.dialects import Dialect
from rft_widgets.trainers.openai.jobs import FineTuningJobs, JobPlan
from rft_widgets.trainers.openai.planning import (
    Plan,
    check,
    estimate,
    plan_of,
    refuse_unready,
)
from rft_widgets.trainers.openai.result import Artifact, ended, open_policy, report_of
from rft_widgets.trainers.openai.rows import (
    SentRecords,
    check_counts,
    check_prompts,
    sent_records,
    write_rows,
)
from rft_widgets.trainers.openai.settings import trainer_info
from rft_widgets.trainers.openai.wire import Wire

__all__ = ["TRAINER", "train"]


def train(task: TrainingTask, run: TrainingRun) -> TrainingOutcome:
    """Send the records, follow the job, and measure its model; see `Trainer.train`."""
    plan = plan_of(task.config, task.connection, task.grader, name=task.name)
    sent = sent_records(task.data, plan.dialect, seed=task.config.seed)
    notes = (*plan.notes, *sent.notes)
    if run.load_state() is None:
        for note in notes:
            run.log(note)
    served = plan.connection.connection
    with Wire(
        served.base_url,
        key_env=served.api_key_env,
        key_header=plan.dialect.key_header,
        timeout_s=served.timeout_s,
    ) as wire:
        service = FineTuningJobs(
            wire,
            plan.dialect,
            JobPlan(
                base_model=plan.base_model,
                write=partial(_written, sent, plan, task.folder),
                models=plan.judges,
                body=plan.body,
                scale=partial(_scaled, task.grader, plan.dialect),
                epochs=plan.epochs,
            ),
            run.log,
        )
        followed = follow(service, run, key=f"rft-{task.job_id}")
    artifact = Artifact(
        model=followed.model,
        base_model=plan.compared,
        job=followed.job,
        needs_deployment=plan.dialect.needs_deployment,
    )
    report = report_of(task, plan, followed, run, notes)
    run.report(ended(followed, report))
    return TrainingOutcome(report=report, artifact=msgspec.json.encode(artifact))


def _written(sent: SentRecords, plan: Plan, folder: Path) -> tuple[Path, Path | None]:
    """Check what can be checked here, and write the files of a run."""
    refuse_unready(plan)
    check_counts(plan.dialect, len(sent.train), len(sent.valid))
    check_prompts((*sent.train, *sent.valid))
    train_file, valid_file = folder / "train.jsonl", folder / "valid.jsonl"
    write_rows(train_file, sent.train, plan.row_fields)
    if not sent.valid:
        return train_file, None
    write_rows(valid_file, sent.valid, plan.row_fields)
    return train_file, valid_file


def _scaled(grader: Grader, dialect: Dialect, reward: float) -> float:
    """A reward of the service on the scale 0..1, where the grader's range is known.

    A function that was made of the grader gives its rewards on that scale itself.
    """
    bounds = reward_range(grader)
    if bounds is None or dialect.grader == "lambda":
        return reward
    low, high = bounds
    return min(1.0, max(0.0, (reward - low) / (high - low)))


TRAINER = Trainer(
    info=trainer_info,
    check=check,
    estimate=estimate,
    train=train,
    policy=open_policy,
    deploy=deploy,
)
