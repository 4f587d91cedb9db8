"""Runs of a dataset that ended without a step of training, to serve what is known beforehand."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

import rft_widgets as rft
from rft_widgets.model.training import Checkpoint
from rft_widgets.store import training
from rft_widgets.trainers.measure import unmeasured_report


def keep_run(
    dataset: rft.OptimizationDataset,
    config: rft.TrainingConfig,
    artifact: msgspec.Struct,
    checkpoints: Sequence[Checkpoint] = (),
    served_step: int = 0,
) -> rft.TrainingJob:
    """Keep a completed run with the result that a trainer would have left."""
    store = dataset._store
    split = dataset.split(config)
    job_id = training.create(
        store,
        dataset.id,
        config=msgspec.json.encode(config).decode(),
        inputs=dataset.run_inputs(dataset.grader_version),
        split=training.SplitIds(train=split.train_ids, valid=split.valid_ids),
    )
    training.claim(store, job_id, "nobody")
    for one in checkpoints:
        text = msgspec.json.encode(one).decode()
        training.save_checkpoint(store, job_id, "nobody", one.step, text)
    report = unmeasured_report(
        curve=(),
        served_step=served_step,
        baseline="the base model",
        fit_prompts=len(split.train_ids),
        valid_prompts=len(split.valid_ids),
        why="nothing was trained.",
    )
    training.end(
        store,
        job_id,
        "nobody",
        "completed",
        report=msgspec.json.encode(report).decode(),
        artifact=msgspec.json.encode(artifact),
    )
    job = dataset.training_job(job_id)
    job.folder.mkdir(parents=True, exist_ok=True)
    return job
