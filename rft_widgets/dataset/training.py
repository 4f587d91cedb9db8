"""Training on a dataset: jobs that can be watched, paused, cancelled and resumed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from statistics import fmean
from typing import Any

import msgspec

from rft_widgets.dataset.asking import AsksModels
from rft_widgets.dataset.dry_run_reading import ReadsDryRuns
from rft_widgets.dataset.job import HasJobs
from rft_widgets.dataset.training_state import TrainingState, training_state
from rft_widgets.errors import AlreadyAtWork, InvalidArgument, NotFound, TrainingRefused
from rft_widgets.jobs.training import opener
from rft_widgets.model.checkpoints import CheckpointComparison
from rft_widgets.model.estimate import micro_usd, tokens_of_messages
from rft_widgets.model.grader_version import GraderVersion
from rft_widgets.model.run_card import RunCard
from rft_widgets.model.training import (
    Checkpoint,
    Split,
    TrainingConfig,
    TrainingProgress,
    TrainingReport,
    TrainingRollout,
)
from rft_widgets.model.training_plan import TrainingEstimate, TrainingPlan, TrainingReadiness
from rft_widgets.pipeline import blocking_dry_run
from rft_widgets.steps.split import split_records
from rft_widgets.store import connections, records, training
from rft_widgets.store.connection import Store
from rft_widgets.store.training import JobStatus, SplitIds, TrainingRow
from rft_widgets.trainers import Policy, PolicyPlace, TrainingRequest, trainer

_POLL_S = 0.1
_END_S = 5.0
_MEASURED_PROMPTS = 200
"""Prompts whose length stands for all of them in an estimate."""


class TrainingJob:
    """One training run of a dataset. Every property reads the store when it is asked."""

    def __init__(self, store: Store, job_id: str) -> None:
        self._store = store
        self.id = job_id

    @property
    def dataset_id(self) -> str:
        """The dataset that it is of."""
        return self._row.dataset_id

    @property
    def status(self) -> JobStatus:
        """``pending``, ``running``, ``paused``, ``completed``, ``failed`` or ``cancelled``."""
        return self._row.status

    @property
    def was_killed(self) -> bool:
        """Whether it has not ended, and nobody is to work on it any more; `resume` goes on.

        Not so where a worker takes it up again by itself.
        """
        return training.is_silent(self._row)

    @property
    def state(self) -> TrainingState:
        """All of the following as of one moment, and more."""
        return training_state(self._row)

    @property
    def config(self) -> TrainingConfig:
        """What was asked for."""
        return msgspec.json.decode(self._row.config, type=TrainingConfig)

    @property
    def progress(self) -> TrainingProgress | None:
        """How far it is; ``None`` before it has begun."""
        text = self._row.progress
        return None if text is None else msgspec.json.decode(text, type=TrainingProgress)

    @property
    def report(self) -> TrainingReport | None:
        """What came of it; ``None`` unless it is completed."""
        text = self._row.report
        return None if text is None else msgspec.json.decode(text, type=TrainingReport)

    @property
    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """The policy after some of the steps."""
        found = training.checkpoints(self._store, self.id)
        return tuple(msgspec.json.decode(text, type=Checkpoint) for text in found)

    @property
    def split(self) -> SplitIds:
        """Ids of the records that are learned from and measured on."""
        self._row  # noqa: B018 - says in words that there is no such job
        return training.read_split(self._store, self.id)

    @property
    def error(self) -> str | None:
        """Why it failed."""
        return self._row.error

    @property
    def log(self) -> tuple[tuple[datetime, str], ...]:
        """What happened, with the times."""
        return training.read_log(self._store, self.id)

    def wait(self, timeout_s: float | None = None) -> TrainingJob:
        """Wait until nobody works on it any more.

        Raises
        ------
        TimeoutError
            It took longer than that; it goes on.
        InvalidArgument
            It was killed, and nobody has resumed it.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while (row := self._row).status in ("pending", "running"):
            if training.is_silent(row):
                raise InvalidArgument(f"Training job {self.id} was killed.", hint="Resume it.")
            if deadline is not None and time.monotonic() > deadline:
                raise TimeoutError(f"Training job {self.id} takes longer than {timeout_s:g} s.")
            time.sleep(_POLL_S)
        _let_end(self._store, row.dataset_id)
        return self

    def pause(self) -> None:
        """Stop it soon, so that it can be resumed.

        Raises
        ------
        InvalidArgument
            Its trainer cannot pause a run.
        """
        info = trainer(self.config.trainer).info()
        if not info.capabilities.pauses:
            raise InvalidArgument(
                f"{info.title} cannot pause a run.", hint="Let it go on, or cancel it."
            )
        training.request(self._store, self.id, "pause")

    def cancel(self) -> None:
        """End it soon and for good."""
        training.request(self._store, self.id, "cancel")

    def resume(self) -> TrainingJob:
        """Go on with a job that was paused or killed, from its last saved state.

        Raises
        ------
        InvalidArgument
            It has ended, or somebody is at work on it or on another one of the dataset.
        """
        dataset_id = self._row.dataset_id
        _refuse_second(self._store, dataset_id, but=self.id)
        training.reopen(self._store, self.id)
        _begin(self._store, dataset_id, self.id)
        return self

    @property
    def served_step(self) -> int | None:
        """The checkpoint that is served: the one that was chosen, else the one that the run chose.

        ``None`` unless it is completed.
        """
        chosen, report = self._row.served_step, self.report
        return chosen if chosen is not None or report is None else report.served_step

    @property
    def is_chosen(self) -> bool:
        """Whether somebody chose the checkpoint that is served."""
        return self._row.served_step is not None

    def choose_checkpoint(self, step: int | None) -> None:
        """Have the policy of a checkpoint served from now on, instead of the one the run chose.

        Deployments that are at work go on with the policy that they were started with.

        Parameters
        ----------
        step
            Of `checkpoints`; ``None`` goes back to the run's own choice.

        Raises
        ------
        NotFound
            There is no checkpoint of that step.
        """
        if step is not None:
            self._checkpoint(step)
        training.choose(self._store, self.id, step)

    @property
    def comparison(self) -> CheckpointComparison | None:
        """The newest comparison of its checkpoints; see `compare_checkpoints` of the dataset."""
        from rft_widgets.dataset.checkpoints import kept_comparison  # noqa: PLC0415 - as below

        return kept_comparison(self._store, self.id)

    def run_card(self) -> RunCard:
        """Everything about the run on one page, as HTML and JSON, in whatever state it is.

        Examples
        --------
        >>> job.run_card().to_html("run.html")  # doctest: +SKIP
        """
        from rft_widgets.dataset.run_card import make_run_card  # noqa: PLC0415 - it needs datasets

        return make_run_card(self._store, self)

    @property
    def rollout_steps(self) -> tuple[int, ...]:
        """Steps whose answers can be read with `rollouts`; none where the trainer gives none."""
        return training.rollout_steps(self._store, self.id)

    def rollouts(self, step: int | None = None) -> tuple[TrainingRollout, ...]:
        """Answers that were sampled in a step to learn from, with their rewards.

        Parameters
        ----------
        step
            By default the newest one that has answers. Of long runs a sample of each step is kept.
        """
        if step is None:
            step = max(self.rollout_steps, default=0)
        found = training.rollouts(self._store, self.id, step)
        return tuple(msgspec.json.decode(text, type=TrainingRollout) for text in found)

    @property
    def folder(self) -> Path:
        """Where the run keeps what is large, such as weights; not every trainer has that."""
        return training.run_folder(self._store, self.id)

    def policy(
        self,
        step: int | None = None,
        *,
        max_cost_usd: float | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> Policy:
        """The trained policy, ready to answer; close it after use.

        Parameters
        ----------
        step
            The checkpoint whose policy it is; by default the one that is served.
        max_cost_usd
            Most dollars that asking it may cost, where a service serves it.
        cancelled
            Asked while a service is.

        Raises
        ------
        InvalidArgument
            The job did not complete.
        NotFound
            There is no checkpoint of that step.
        """
        artifact, place, checkpoint = self._result(step, max_cost_usd, cancelled)
        return trainer(self.config.trainer).policy(artifact, place, checkpoint)

    def deploy_at_service(self, step: int | None = None, **options: Any) -> str:
        """Have the service that trained serve the model, where it has to be deployed there first.

        Afterwards `policy`, `OptimizationDataset.benchmark` and `OptimizationDataset.deploy` ask
        the deployment. It may take minutes, and cost what the service asks.

        Parameters
        ----------
        step
            The checkpoint that is deployed; by default the one that is served.
        options
            How, by name; for Azure the fields of
            `rft_widgets.trainers.openai.deployment.AzureDeployment`.

        Returns
        -------
        How it went, in words.

        Raises
        ------
        InvalidArgument
            The job did not complete, an option is not right, or there is nothing to deploy.
        RftError
            The service refused, or failed.
        """
        config = self.config
        deploy = trainer(config.trainer).deploy
        if deploy is None:
            raise InvalidArgument(
                f"{trainer(config.trainer).info().title} has nothing to deploy at a service.",
                hint="Serve the model with ds.deploy().",
            )
        artifact, place, checkpoint = self._result(step)
        words = deploy(artifact, place, checkpoint, options)
        training.log(self._store, self.id, words)
        return words

    def _result(
        self,
        step: int | None,
        max_cost_usd: float | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> tuple[bytes, PolicyPlace, Checkpoint | None]:
        """What came of it, where it is, and the checkpoint that is meant."""
        artifact = training.read_artifact(self._store, self.id)
        if artifact is None:
            raise InvalidArgument(
                f"Training job {self.id} has no policy: it is {self.status}.",
                hint="Wait for its end, or train again.",
            )
        config = self.config
        chosen = self._row.served_step if step is None else step
        with self._store.read() as connection:
            named = connections.read(connection, config.connection) if config.connection else None
        place = PolicyPlace(
            folder=self.folder,
            connection=named,
            ask=opener(
                self._store,
                self.dataset_id,
                cap_micro_usd=None if max_cost_usd is None else micro_usd(max_cost_usd),
                cancelled=cancelled,
            ),
        )
        report = self.report
        if chosen is None or (report is not None and chosen == report.served_step):
            return artifact, place, None  # the artifact is what the run chose itself
        return artifact, place, self._checkpoint(chosen)

    def _checkpoint(self, step: int) -> Checkpoint:
        found = {one.step: one for one in self.checkpoints}
        if step not in found:
            raise NotFound(
                f"Training job {self.id} has no checkpoint of step {step}.",
                hint=f"There are: {', '.join(map(str, found)) or 'none'}.",
            )
        return found[step]

    @property
    def _row(self) -> TrainingRow:
        with self._store.read() as connection:
            return training.read(connection, self.id)

    def __repr__(self) -> str:
        with contextlib.suppress(Exception):  # a repr never raises
            row = self._row
            report = self.report
            words = row.status if report is None else report.summary
            return f"<TrainingJob {self.id}: {words}>"
        return f"<TrainingJob {self.id}>"


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
        _refuse_second(self._store, self.id)
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
        _begin(self._store, self.id, job_id)
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


def _begin(store: Store, dataset_id: str, training_job: str) -> None:
    """Have somebody work on a run: the job that is submitted is how, the run keeps what comes."""
    try:
        HasJobs(store, dataset_id).submit(training.KIND, {"training_job": training_job})
    except InvalidArgument:
        training.request(store, training_job, "pause")  # another one was a moment faster
        raise


def _refuse_second(store: Store, dataset_id: str, *, but: str = "") -> None:
    """Refuse a run while another one of the dataset is at work."""
    _let_end(store, dataset_id)
    with store.read() as connection:
        others = training.runners_of(connection, dataset_id).keys() - {but}
    if others:
        raise AlreadyAtWork(
            f"Training job {min(others)} is at work on this dataset.",
            hint="Wait for it, or pause or cancel it first.",
        )


def _let_end(store: Store, dataset_id: str) -> None:
    """Wait for jobs whose run has ended: they are about to say so, too."""
    deadline = time.monotonic() + _END_S
    while time.monotonic() < deadline:
        with store.read() as connection:
            runners = training.runners_of(connection, dataset_id)
            rows = training.read_all(connection, dataset_id) if runners else ()
        open_runs = {row.id for row in rows if row.status in ("pending", "running")}
        if not runners.keys() - open_runs:
            return
        time.sleep(_POLL_S / 5)


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
