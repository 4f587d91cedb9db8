"""The run card of a training job, put together from everything that is kept of it."""

from __future__ import annotations

from importlib.metadata import version

import msgspec

from rft_widgets.dataset import OptimizationDataset
from rft_widgets.dataset.checkpoints import kept_benchmark, kept_comparison
from rft_widgets.dataset.deployment import Deployment
from rft_widgets.dataset.training_job import TrainingJob
from rft_widgets.dataset.training_state import TrainingState
from rft_widgets.jobs.environment import attempts
from rft_widgets.llm.costs import costs
from rft_widgets.model.grader import grader_to_json
from rft_widgets.model.job import LogLine
from rft_widgets.model.llm import CallTotals, total_of
from rft_widgets.model.run_card import (
    CardCheckpoint,
    CardCosts,
    CardData,
    CardDeployment,
    CardDryRun,
    CardGrader,
    CardTrust,
    RunAttempt,
    RunCard,
)
from rft_widgets.model.training import TopicSplit
from rft_widgets.model.training_plan import TrainerInfo
from rft_widgets.model.trust import TrustCard
from rft_widgets.steps.run_card import not_measured, weak_topics
from rft_widgets.store import datasets, filters, graders, training
from rft_widgets.store.clock import now_us, to_datetime
from rft_widgets.store.connection import Store
from rft_widgets.store.fingerprint import fingerprint
from rft_widgets.trainers import trainer
from rft_widgets.trainers.hosted import service_job


def make_run_card(store: Store, job: TrainingJob) -> RunCard:
    """Put together everything that is known of a run now; see `TrainingJob.run_card`."""
    dataset = OptimizationDataset(store, job.dataset_id)
    state = job.state
    config, report, progress = state.config, state.report, state.progress
    info = trainer(config.trainer).info()
    machines = attempts(store, job.id)
    curve = report.curve if report is not None else () if progress is None else progress.curve
    log = job.log
    chosen = job.is_chosen
    card = RunCard(
        made_at=to_datetime(now_us()),
        made_by=version("rft-widgets"),
        job_id=job.id,
        status=state.status,
        error=state.error,
        created_at=state.created_at,
        finished_at=state.finished_at,
        service_job=service_job([words for _, words in log]),
        trainer=config.trainer,
        trainer_title=info.title,
        base_model=config.base_model or info.base_model,
        connection=config.connection,
        train_ratio=config.train_ratio,
        seed=config.seed,
        stratify_by_topic=config.stratify_by_topic,
        include_generated_in_valid=config.include_generated_in_valid,
        hyperparameters={one.name: one.default for one in info.hyperparameters}
        | config.hyperparameters,
        given=tuple(config.hyperparameters),
        settings=config.settings,
        data=_data(dataset, job, state),
        grader=_grader(dataset, state),
        dry_run=_dry_run(dataset, state),
        attempts=machines,
        costs=_costs(dataset, state, info, machines),
        curve=curve,
        report=report,
        weak_topics=() if report is None else weak_topics(report),
        checkpoints=tuple(
            CardCheckpoint(
                step=one.step,
                model=one.model,
                selection_reward=one.selection_reward,
                valid_reward=one.valid_reward,
                metrics=one.metrics,
            )
            for one in job.checkpoints
        ),
        served_step=job.served_step,
        is_chosen=chosen,
        comparison=kept_comparison(store, job.id),
        benchmark=kept_benchmark(dataset, job.id),
        deployments=tuple(
            _deployment(dataset, one) for one in dataset.deployments if one.job.id == job.id
        ),
        log=tuple(LogLine(at=at, message=message) for at, message in log),
        not_measured=(),
    )
    return msgspec.structs.replace(card, not_measured=not_measured(card, info.capabilities))


def _data(dataset: OptimizationDataset, job: TrainingJob, state: TrainingState) -> CardData:
    split, inputs = job.split, state.inputs
    return CardData(
        id=dataset.id,
        name=dataset.name,
        objective=dataset.objective,
        hash=inputs.data,
        topics_hash=inputs.topics,
        is_unchanged=fingerprint(dataset._store, dataset.id).data == inputs.data,  # noqa: SLF001
        train=len(split.train),
        valid=len(split.valid),
        topics=_topics(dataset, split),
    )


def _topics(dataset: OptimizationDataset, split: training.SplitIds) -> tuple[TopicSplit, ...]:
    store = dataset._store  # noqa: SLF001 - one package
    sides: list[dict[str | None, int]] = []
    for ids in (split.train, split.valid):
        selection = dataset.select(ids=ids)
        with store.read() as connection:
            set_id = datasets.live_set(connection, dataset.id)
            found = filters.count_topics(store, connection, set_id, selection)
        counts: dict[str | None, int] = dict(found.items())
        without = dataset.selection_size(selection).records - sum(counts.values())
        sides.append(counts | ({None: without} if without else {}))
    train, valid = sides
    names = sorted(train.keys() | valid.keys(), key=lambda name: (name is None, name or ""))
    return tuple(
        TopicSplit(topic=name, train=train.get(name, 0), valid=valid.get(name, 0)) for name in names
    )


def _grader(dataset: OptimizationDataset, state: TrainingState) -> CardGrader:
    number = state.inputs.grader_version
    with dataset._store.read() as connection:  # noqa: SLF001 - one package
        saved = graders.read(connection, dataset.id, number)
    definition = grader_to_json(saved.grader)
    trust, job = None, dataset.last_job("trust_card")
    result = None if job is None else job.result
    if job is not None and isinstance(result, TrustCard) and result.version == number:
        trust = CardTrust(
            level=result.level,
            sentence=result.sentence,
            labels=result.labels,
            agreement=result.passed.agreement,
            kappa=result.passed.kappa,
            at=job.state.finished_at or job.state.created_at,
        )
    return CardGrader(
        name=saved.grader.name,
        type=definition["type"],
        version=number,
        hash=saved.hash,
        definition=definition,
        trust=trust,
    )


def _dry_run(dataset: OptimizationDataset, state: TrainingState) -> CardDryRun | None:
    """The last one that ended before the run began."""
    for run in reversed(dataset.dry_runs):
        if run.report is None or run.finished_at is None or run.finished_at > state.created_at:
            continue
        then, now = run.inputs, state.inputs
        return CardDryRun(
            id=run.id,
            verdict=run.report.verdict,
            summary=run.report.summary,
            reasons=run.report.reasons,
            at=run.finished_at,
            same_inputs=(then.data, then.grader) == (now.data, now.grader),
        )
    return None


def _costs(
    dataset: OptimizationDataset,
    state: TrainingState,
    info: TrainerInfo,
    machines: tuple[RunAttempt, ...],
) -> CardCosts:
    store = dataset._store  # noqa: SLF001 - one package
    calls: dict[str, list[CallTotals]] = {}
    for job_id in dict.fromkeys(one.job_id for one in machines if one.job_id):
        for purpose, total in costs(store, dataset.id, job_id=job_id).items():
            calls.setdefault(purpose, []).append(total)
    progress = state.progress
    service = 0 if not info.needs_connection else None
    if progress is not None and info.needs_connection:
        service = progress.cost_micro_usd
    return CardCosts(
        calls={purpose: total_of(found) for purpose, found in calls.items()},
        service_micro_usd=service,
        seconds=None if progress is None else progress.elapsed_s,
    )


def _deployment(dataset: OptimizationDataset, one: Deployment) -> CardDeployment:
    measured = dataset.last_job("outcome", subject=one.id)
    return CardDeployment(
        id=one.id,
        mode=one.config.mode,
        model=one.config.model,
        status=one.status,
        created_at=one.created_at,
        requests={arm: total.requests - total.failed for arm, total in one.counts.items()},
        outcome=None if measured is None else measured.result,
    )
