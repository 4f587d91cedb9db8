"""One training run: watched, paused, cancelled, resumed, and what came of it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from rft_widgets.dataset.job import HasJobs
from rft_widgets.dataset.training_state import TrainingState, training_state
from rft_widgets.errors import AlreadyAtWork, InvalidArgument, NotFound
from rft_widgets.model.checkpoints import CheckpointComparison
from rft_widgets.model.estimate import micro_usd
from rft_widgets.model.run_card import RunCard
from rft_widgets.model.training import (
    Checkpoint,
    TrainingConfig,
    TrainingProgress,
    TrainingReport,
    TrainingRollout,
)
from rft_widgets.steps.grade import opener
from rft_widgets.store import connections, training
from rft_widgets.store.connection import Store
from rft_widgets.store.training import JobStatus, SplitIds, TrainingRow
from rft_widgets.trainers import Policy, PolicyPlace, trainer

_POLL_S = 0.1
_END_S = 5.0


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
        refuse_second(self._store, dataset_id, but=self.id)
        training.reopen(self._store, self.id)
        begin(self._store, dataset_id, self.id)
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
                purpose="rollout",
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


def begin(store: Store, dataset_id: str, training_job: str) -> None:
    """Have somebody work on a run: the job that is submitted is how, the run keeps what comes."""
    try:
        HasJobs(store, dataset_id).submit(training.KIND, {"training_job": training_job})
    except InvalidArgument:
        training.request(store, training_job, "pause")  # another one was a moment faster
        raise


def refuse_second(store: Store, dataset_id: str, *, but: str = "") -> None:
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
