"""Training on a dataset: what a run would be made of, starting it, and the runs there were."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import Any

import msgspec

from rft_widgets.dataset.asking import AsksModels
from rft_widgets.dataset.dry_run_reading import ReadsDryRuns
from rft_widgets.dataset.job import HasJobs
from rft_widgets.dataset.training_job import TrainingJob, begin, refuse_second
from rft_widgets.errors import InvalidArgument, TrainingRefused
from rft_widgets.model.estimate import tokens_of_messages
from rft_widgets.model.grader_version import GraderVersion
from rft_widgets.model.training import Split, TrainingConfig
from rft_widgets.model.training_plan import TrainingEstimate, TrainingPlan, TrainingReadiness
from rft_widgets.pipeline import blocking_dry_run
from rft_widgets.steps.split import split_records
from rft_widgets.store import records, training
from rft_widgets.store.training import SplitIds
from rft_widgets.trainers import TrainingRequest, trainer

_MEASURED_PROMPTS = 200
"""Prompts whose length stands for all of them in an estimate."""


class HasTraining(HasJobs, ReadsDryRuns, AsksModels):
    """Making a better model of a dataset."""

    def train(
        self,
        config: TrainingConfig | Mapping[str, Any] | None = None,
        *,
        despite_no_go: bool = False,
    ) -> TrainingJob:
        """Start to train, in the background: in the worker process, or a thread of this one.

        Parameters
        ----------
        config
            What to train and how; by default the trainer ``local``, which needs nothing but this
            computer.
        despite_no_go
            Train although the last dry run says NO_GO.

        Raises
        ------
        InvalidArgument
            There is no grader, no valid record, or the configuration is wrong.
        AlreadyAtWork
            Another run of the dataset is under way.
        TrainingRefused
            The last dry run says NO_GO.
        """
        chosen = training_config(config)
        info = trainer(chosen.trainer).info()
        if info.missing:
            raise InvalidArgument(f"{info.title} cannot be used yet.", hint=info.missing)
        version = self._version(None)
        readiness = self.training_readiness
        if readiness.no_go is not None and not despite_no_go:
            raise TrainingRefused(
                f"The last dry run says NO_GO: {readiness.no_go}",
                hint="Fix that first, or train all the same with despite_no_go=True.",
            )
        refuse_second(self._store, self.id)
        split = self.split(chosen)
        trainer(chosen.trainer).check(self._request(chosen, split, version))
        job_id = training.create(
            self._store,
            self.id,
            config=msgspec.json.encode(chosen).decode(),
            inputs=self.run_inputs(version),
            split=SplitIds(train=split.train_ids, valid=split.valid_ids),
        )
        notes = [*readiness.warnings, *split.notes]
        if readiness.no_go is not None:
            notes.insert(0, f"Trained although the last dry run says NO_GO: {readiness.no_go}")
        for note in notes:
            training.log(self._store, job_id, note)
        begin(self._store, self.id, job_id)
        return TrainingJob(self._store, job_id)

    def split(self, config: TrainingConfig | Mapping[str, Any] | None = None) -> Split:
        """How the records would be split into those learned from and those measured on."""
        chosen = training_config(config)
        some = self.iterate(records.sampled(self._store, self.id, chosen.seed))
        return split_records(
            [record for record in some if record.is_valid],
            train_ratio=chosen.train_ratio,
            stratify_by_topic=chosen.stratify_by_topic,
            include_generated_in_valid=chosen.include_generated_in_valid,
            seed=chosen.seed,
        )

    def plan_training(
        self, config: TrainingConfig | Mapping[str, Any] | None = None
    ) -> TrainingPlan:
        """What a configuration comes to, without starting: the split in counts, and an estimate.

        Raises
        ------
        InvalidArgument
            There is no valid record, or the configuration is wrong.
        """
        chosen = training_config(config)
        split = self.split(chosen)
        request = self._request(chosen, split, self.grader_version)
        trainer(chosen.trainer).check(request)
        return TrainingPlan(
            train=len(split.train_ids),
            valid=len(split.valid_ids),
            groups=split.groups,
            topics=split.topics,
            notes=split.notes,
            estimate=self._training_estimate(request),
        )

    @property
    def training_readiness(self) -> TrainingReadiness:
        """Whether training may start, and what is worth a thought before."""
        nodes = self.pipeline.nodes
        dry_run, node = nodes[4], nodes[5]
        no_go = blocking_dry_run(self._store, self.id)
        warnings = [f"The dry run is stale. {change}" for change in dry_run.stale]
        if no_go is None and dry_run.status == "ready":
            warnings.append(
                "There was no dry run: nobody knows whether there is something to learn."
            )
        reports = [run.report for run in self.dry_runs if run.report is not None]
        if no_go is None and reports and reports[-1].verdict == "CAUTION":
            reasons = "; ".join(reports[-1].reasons)
            warnings.append(f"The last dry run says CAUTION: {reasons}")
        return TrainingReadiness(blocked=node.blocked_reason, no_go=no_go, warnings=tuple(warnings))

    @property
    def training_jobs(self) -> tuple[TrainingJob, ...]:
        """Every training run, the oldest first."""
        with self._store.read() as connection:
            return tuple(
                TrainingJob(self._store, row.id) for row in training.read_all(connection, self.id)
            )

    def training_job(self, job_id: str) -> TrainingJob:
        """One training run; `NotFound` if the dataset has none of that id."""
        with self._store.read() as connection:
            training.read(connection, job_id, self.id)
        return TrainingJob(self._store, job_id)

    def _request(
        self, config: TrainingConfig, split: Split, version: GraderVersion | None
    ) -> TrainingRequest:
        named = self.named_connection(config.connection) if config.connection else None
        some = self.iterate(self.select(ids=split.train_ids[:_MEASURED_PROMPTS]))
        tokens = [tokens_of_messages(record.input.messages) for record in some]
        return TrainingRequest(
            config=config,
            train=len(split.train_ids),
            valid=len(split.valid_ids),
            prompt_tokens=fmean(tokens) if tokens else 0.0,
            grader=None if version is None else version.grader,
            connection=named,
        )

    def _training_estimate(self, request: TrainingRequest) -> TrainingEstimate:
        config = request.config
        seconds, basis = None, "Unknown: no run has ended yet."
        for job in reversed(self.training_jobs):
            state = job.state
            before, now = state.config, state.progress
            if state.status != "completed" or before.trainer != config.trainer:
                continue
            if now is None or now.elapsed_s is None or before.base_model != config.base_model:
                continue
            then = len(job.split.train)
            seconds = now.elapsed_s * request.train * config.n_epochs / (then * before.n_epochs)
            basis = (
                f"The last run took {now.elapsed_s:,.1f} s for {then:,} records "
                f"and {before.n_epochs} {'epoch' if before.n_epochs == 1 else 'epochs'}."
            )
            break
        found = trainer(config.trainer).estimate(request)
        return msgspec.structs.replace(found, seconds=seconds, basis=basis)


def training_config(config: TrainingConfig | Mapping[str, Any] | None) -> TrainingConfig:
    """Read what somebody gave as a configuration; by default the trainer ``local``."""
    if config is None:
        return TrainingConfig()
    if isinstance(config, TrainingConfig):
        return config
    try:
        return msgspec.convert(dict(config), TrainingConfig)
    except msgspec.ValidationError as error:
        raise InvalidArgument(f"The training configuration cannot be used: {error}.") from None
