"""A training run on one page: everything that is needed to judge it, and to do it again."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from rft_widgets.model import run_card_view
from rft_widgets.model.checkpoints import CheckpointComparison
from rft_widgets.model.deployed import Benchmark, DeploymentOutcome
from rft_widgets.model.job import LogLine
from rft_widgets.model.llm import CallTotals
from rft_widgets.model.training import (
    CurvePoint,
    Hyperparameter,
    TopicSplit,
    TrainingReport,
)
from rft_widgets.statistics import Interval

FORMAT = 1


class RunAttempt(Struct, frozen=True, kw_only=True):
    """A process that worked on a run, and the machine that it ran on.

    A trainer that has the work done elsewhere, by a service or on other machines, is not seen here.

    Attributes
    ----------
    job_id
        The job of the worker; empty where there was none.
    packages
        Versions of the installed packages that matter to a training.
    gpus
        GPUs in words; ``None`` where nobody could tell.
    """

    at: datetime
    job_id: str
    python: str
    platform: str
    cpus: int
    gpus: tuple[str, ...] | None
    packages: dict[str, str]


class CardData(Struct, frozen=True, kw_only=True):
    """The dataset, and how it was split.

    Attributes
    ----------
    hash
        SHA-256 of the records that the run worked on; see `OptimizationDataset.run_inputs`.
    is_unchanged
        Whether the dataset still holds these records.
    topics
        Records of each topic on either side of the split, as far as they are still there.
    """

    id: str
    name: str
    objective: str
    hash: str
    topics_hash: str
    is_unchanged: bool
    train: int
    valid: int
    topics: tuple[TopicSplit, ...]


class CardTrust(Struct, frozen=True, kw_only=True):
    """What people's labels said of the grader: the newest trust card of that version."""

    level: str
    sentence: str
    labels: int
    agreement: Interval
    kappa: Interval
    at: datetime


class CardGrader(Struct, frozen=True, kw_only=True):
    """The grader that gave the rewards; ``definition`` is its JSON."""

    name: str
    type: str
    version: int
    hash: str
    definition: Any
    trust: CardTrust | None


class CardDryRun(Struct, frozen=True, kw_only=True):
    """The last dry run that ended before the run began, and whether its inputs were the same."""

    id: str
    verdict: str
    summary: str
    reasons: tuple[str, ...]
    at: datetime
    same_inputs: bool


class CardCheckpoint(Struct, frozen=True, kw_only=True):
    """A checkpoint as the trainer kept it."""

    step: int
    model: str
    selection_reward: float | None
    valid_reward: float | None
    metrics: dict[str, float]


class CardDeployment(Struct, frozen=True, kw_only=True):
    """A deployment of the run's result, and what its arms were worth when that was last measured.

    ``requests`` are those that each arm answered.
    """

    id: str
    mode: str
    model: str
    status: str
    created_at: datetime
    requests: dict[str, int]
    outcome: DeploymentOutcome | None


class CardCosts(Struct, frozen=True, kw_only=True):
    """What the run cost.

    Attributes
    ----------
    calls
        What asking models for it came to, by purpose, from the ledger.
    service_micro_usd
        What the service that trained says it cost, in millionths of a dollar; ``None`` where it
        does not say. 0 where there is no service.
    seconds
        Of work on it here, pauses left out.
    """

    calls: dict[str, CallTotals]
    service_micro_usd: int | None
    seconds: float | None


class RunCard(Struct, frozen=True, kw_only=True):
    """A training run on one page.

    Attributes
    ----------
    made_at, made_by
        When the card was made, and by which version of this package.
    service_job
        What the service that trained calls its job; empty where there is none.
    hyperparameters
        All of them; those that were not given have the trainer's default, and are ``None`` where
        the service decides.
    given
        Names of those that were given.
    settings
        Other settings of the trainer: where its service works, and as whom.
    curve
        The run step by step.
    weak_topics
        Topics that became clearly worse, or that earn less than all prompts together after the
        training, the lowest first.
    served_step, is_chosen
        The checkpoint that is served, and whether somebody chose it.
    not_measured
        What nobody knows about the run, one sentence each.
    """

    format: int = FORMAT
    made_at: datetime
    made_by: str
    job_id: str
    status: str
    error: str | None
    created_at: datetime
    finished_at: datetime | None
    service_job: str
    trainer: str
    trainer_title: str
    base_model: str
    connection: str | None
    train_ratio: float
    seed: int
    stratify_by_topic: bool
    include_generated_in_valid: bool
    hyperparameters: dict[str, Hyperparameter]
    given: tuple[str, ...]
    settings: dict[str, str]
    data: CardData
    grader: CardGrader
    dry_run: CardDryRun | None
    attempts: tuple[RunAttempt, ...]
    costs: CardCosts
    curve: tuple[CurvePoint, ...]
    report: TrainingReport | None
    weak_topics: tuple[str | None, ...]
    checkpoints: tuple[CardCheckpoint, ...]
    served_step: int | None
    is_chosen: bool
    comparison: CheckpointComparison | None
    benchmark: Benchmark | None
    deployments: tuple[CardDeployment, ...]
    log: tuple[LogLine, ...]
    not_measured: tuple[str, ...]

    def to_json(self, path: Path | str | None = None) -> str:
        """Write the card as JSON, indented.

        Parameters
        ----------
        path
            A file to write it to, too.
        """
        text = msgspec.json.format(msgspec.json.encode(self), indent=2).decode()
        return _written(text, path)

    def to_html(self, path: Path | str | None = None) -> str:
        """Write the card as one HTML page, which needs no network and no script.

        Parameters
        ----------
        path
            A file to write it to, too.
        """
        return _written(run_card_view.page(self), path)

    def __repr__(self) -> str:
        words = self.status if self.report is None else self.report.summary
        return f"<RunCard {self.job_id}: {words}>"

    def _repr_html_(self) -> str:
        return run_card_view.body(self)


def _written(text: str, path: Path | str | None) -> str:
    if path is not None:
        Path(path).write_text(text, encoding="utf-8")
    return text
