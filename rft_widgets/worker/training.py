"""Jobs that train, and that measure what was trained."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from rft_widgets.dataset import OptimizationDataset
from rft_widgets.jobs import training as working
from rft_widgets.model.checkpoints import CheckpointComparison
from rft_widgets.model.deployed import Benchmark, DeploymentOutcome
from rft_widgets.store import jobs as job_rows
from rft_widgets.store import training
from rft_widgets.worker.definition import Attempt, Definition, MaxCost

Id = Annotated[str, Meta(min_length=1, max_length=64)]
Seed = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class Train(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The training run to work on, which `train` made."""

    training_job: Id


class MeasureTraining(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The training run whose policies are measured; by default the newest that completed.

    ``checkpoint`` is the step whose model is measured; by default the one that is served.
    """

    training_job: Id | None = None
    checkpoint: Annotated[int, Meta(ge=0)] | None = None
    seed: Seed = 0
    max_cost_usd: MaxCost | None = None


class CompareCheckpoints(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The training run whose checkpoints are compared, as for `compare_checkpoints`."""

    training_job: Id | None = None
    steps: tuple[Annotated[int, Meta(ge=0)], ...] | None = None
    n: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    seed: Seed = 0
    max_cost_usd: MaxCost | None = None


class MeasureOutcome(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The deployment whose answers are measured."""

    deployment: Id
    n: Annotated[int, Meta(ge=1, le=100_000)] = 1_000
    seed: Seed = 0
    max_cost_usd: MaxCost | None = None


def _train(at: Attempt[Train]) -> tuple[str, None]:
    store = at.dataset._store  # noqa: SLF001 - jobs are of the package, as views are
    words = working.run(
        store,
        at.dataset.training_job(at.params.training_job).id,
        progress=at.progress,
        cancelled=at.cancelled,
        # A worker that ends stops its jobs, too, and they go on with the next one.
        is_for_good=lambda: job_rows.is_unwanted(store, at.job_id),
    )
    return words, None


def _reopen(dataset: OptimizationDataset, params: Train) -> None:
    store = dataset._store  # noqa: SLF001 - as above
    training.reopen(store, dataset.training_job(params.training_job).id)


def _benchmark(at: Attempt[MeasureTraining]) -> tuple[str, Benchmark]:
    found = at.dataset.benchmark(
        at.params.training_job,
        checkpoint=at.params.checkpoint,
        seed=at.params.seed,
        max_cost_usd=at.params.max_cost_usd,
        progress=at.progress,
        cancelled=at.cancelled,
    )
    return found.sentence, found


def _compare_checkpoints(at: Attempt[CompareCheckpoints]) -> tuple[str, CheckpointComparison]:
    found = at.dataset.compare_checkpoints(
        at.params.training_job,
        at.params.steps,
        n=at.params.n,
        seed=at.params.seed,
        max_cost_usd=at.params.max_cost_usd,
        progress=at.progress,
        cancelled=at.cancelled,
    )
    return found.sentence, found


def _outcome(at: Attempt[MeasureOutcome]) -> tuple[str, DeploymentOutcome]:
    found = at.dataset.deployment(at.params.deployment).outcome(
        n=at.params.n,
        seed=at.params.seed,
        max_cost_usd=at.params.max_cost_usd,
        progress=at.progress,
        cancelled=at.cancelled,
    )
    return found.sentence, found


DEFINITIONS: tuple[Definition[Any], ...] = (
    Definition(
        kind=training.KIND,
        title="Training",
        params=Train,
        work=_train,
        reopen=_reopen,
    ),
    Definition(
        kind="benchmark",
        title="Benchmark",
        params=MeasureTraining,
        result=Benchmark,
        work=_benchmark,
        subject=lambda params: params.training_job or "",
    ),
    Definition(
        kind="compare_checkpoints",
        title="Comparison of checkpoints",
        params=CompareCheckpoints,
        result=CheckpointComparison,
        work=_compare_checkpoints,
        subject=lambda params: params.training_job or "",
    ),
    Definition(
        kind="outcome",
        title="Outcome",
        params=MeasureOutcome,
        result=DeploymentOutcome,
        work=_outcome,
        subject=lambda params: params.deployment,
    ),
)
