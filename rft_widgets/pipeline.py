"""The seven nodes as they stand, computed from what the store holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from sqlalchemy.engine import Connection

from rft_widgets.model.coverage import balance_band
from rft_widgets.model.dataset import DatasetInfo, DatasetStats, DryRunStatus
from rft_widgets.model.grader import Grader, LabelModel, Multi, ScoreModel, TextSimilarity
from rft_widgets.model.job import JobState
from rft_widgets.model.pipeline import (
    FINISHED,
    PIPELINE_STEPS,
    NodeStatus,
    PipelineNode,
    PipelineState,
    PipelineStep,
)
from rft_widgets.model.run import RunInputs
from rft_widgets.model.settings import PIPELINE
from rft_widgets.statistics import Interval, PairedDifference
from rft_widgets.store import (
    activity,
    datasets,
    deployments,
    dry_runs,
    graders,
    records,
    topics,
    training,
)
from rft_widgets.store import jobs as job_rows
from rft_widgets.store.activity import Activity
from rft_widgets.store.deployments import DeploymentRow
from rft_widgets.store.dry_runs import DryRunRow
from rft_widgets.store.fingerprint import fingerprint
from rft_widgets.store.training import TrainingRow

if TYPE_CHECKING:
    from rft_widgets.model.grader_version import GraderVersion
    from rft_widgets.store.connection import Store


class Facts(Struct, frozen=True, kw_only=True):
    """What the rules look at.

    ``unseen`` valid records were never put under a topic, ``uncertain`` ones with too little
    confidence; ``changes`` says what is different from what a run worked from, in words.
    """

    info: DatasetInfo
    stats: DatasetStats
    categorized: int
    unseen: int
    uncertain: int
    at_work: dict[int, Activity]
    grader: GraderVersion | None
    dry_run: DryRunRow | None
    job: TrainingRow | None
    trained: TrainingRow | None
    """The newest job that gave a policy."""
    deployment: DeploymentRow | None
    filling: JobState | None
    """Where there are no records: the job that was asked last to bring some."""
    changes: Callable[[RunInputs], tuple[str, ...]]


class _Node(Struct, frozen=True):
    """What differs from node to node."""

    status: NodeStatus
    summary: str = ""
    blocked: str | None = None
    label: str | None = None
    stale: tuple[str, ...] = ()
    progress: float | None = None


_FILLING = frozenset({"prepare", "import_records"})
"""Kinds of jobs that bring the first records."""


class LastVerdict(Struct, frozen=True):
    """What the last dry run says; ``None`` where there is no grader to run."""

    status: DryRunStatus | None
    mean: float | None


def last_verdict(connection: Connection, dataset_id: str) -> LastVerdict:
    """Look up the verdict of the last dry run that finished."""
    report = _report(dry_runs.last_finished(connection, dataset_id))
    if report is None:
        has_grader = graders.current(connection, dataset_id) is not None
        return LastVerdict("pending" if has_grader else None, None)
    statuses: dict[str, DryRunStatus] = {"GO": "go", "CAUTION": "caution", "NO_GO": "no_go"}
    return LastVerdict(statuses[report.verdict], report.mean.estimate if report.mean else None)


def read_pipeline(store: Store, dataset_id: str, stats: DatasetStats) -> PipelineState:
    """Compute the nodes."""
    return pipeline_state(read_facts(store, dataset_id, stats))


def read_facts(store: Store, dataset_id: str, stats: DatasetStats) -> Facts:
    """Gather what the rules look at, of one moment."""
    with store.read() as connection:
        info = datasets.read(connection, dataset_id)
        set_id, since = datasets.live_set(connection, dataset_id), info.reset_at
        leaves = topics.current(connection, dataset_id).paths
        labels = records.label_counts(store, connection, set_id, dataset_id, info.revision, leaves)
        version = graders.current(connection, dataset_id)
        dry_run = dry_runs.last_finished(connection, dataset_id)
        jobs = [
            job
            for job in training.read_all(connection, dataset_id)
            if since is None or job.created_at > since
        ]
        deployed = [
            one
            for one in deployments.read_all(connection, dataset_id)
            if since is None or one.created_at > since
        ]
        at_work = activity.read(connection, dataset_id)
        brought = () if stats.total_records else job_rows.current(connection, dataset_id)
        revision = datasets.records_revision(connection, dataset_id)

    def changes(inputs: RunInputs) -> tuple[str, ...]:
        return _changes(store, info, stats, version, inputs, revision)

    trained = [job for job in jobs if job.status == "completed"]
    filling = [job for job in brought if job.kind in _FILLING]
    active = [one for one in deployed if one.status == "active"]
    return Facts(
        info=info,
        stats=stats,
        categorized=labels.labelled,
        unseen=labels.unseen,
        uncertain=labels.uncertain,
        at_work=at_work,
        grader=version,
        dry_run=dry_run,
        job=jobs[-1] if jobs else None,
        trained=trained[-1] if trained else None,
        deployment=active[-1] if active else None,
        filling=filling[-1] if filling else None,
        changes=changes,
    )


def pipeline_state(facts: Facts) -> PipelineState:
    """Derive the nodes' status, summary, blocked reason and what made them stale."""
    rules = (_extract, _topics, _coverage, _grader, _dry_run, _training, _deployment)
    nodes = tuple(
        _node(step, rule(facts)) for step, rule in zip(PIPELINE_STEPS, rules, strict=True)
    )
    # Step 1 stays active for good once there are records; the work goes on at the next open one.
    open_steps = [node.id for node in nodes if node.status not in ("waiting", "active", *FINISHED)]
    return PipelineState(nodes=nodes, current_step=open_steps[0] if open_steps else 1)


def blocking_dry_run(store: Store, dataset_id: str) -> str | None:
    """Why training should not start: the last dry run says NO_GO. ``None`` when it does not."""
    with store.read() as connection:
        report = _report(dry_runs.last_finished(connection, dataset_id))
    if report is None or report.verdict != "NO_GO":
        return None
    return "; ".join(report.reasons)


def _extract(facts: Facts) -> _Node:
    source = {"gateway": "Gateway Traces", "upload": "Uploaded file"}[facts.info.source]
    count = facts.stats.total_records
    if 1 in facts.at_work:
        return _at_work(facts.at_work[1])
    filling = facts.filling
    if filling is not None and filling.is_at_work:
        return _Node("processing", "Extracting..." if filling.status == "running" else "Queued...")
    if filling is not None and filling.status == "failed" and filling.problem is not None:
        return _Node("failed", filling.problem.message)
    if not count:
        return _Node("ready", "No records yet")
    return _Node("active", f"Source: {source} • {_records(count)}")


def _topics(facts: Facts) -> _Node:
    if 2 in facts.at_work:
        return _at_work(facts.at_work[2])
    if not facts.stats.total_records:
        return _Node("waiting", blocked="Import data first")
    if not facts.stats.topics_count:
        return _Node("ready", "No topics yet")
    named = "1 topic" if facts.stats.topics_count == 1 else f"{facts.stats.topics_count:,} topics"
    if facts.unseen:
        return _Node("attention", f"{named} • {_have(facts.unseen)} no topic yet")
    share = facts.uncertain / facts.categorized if facts.categorized else 0.0
    if share >= PIPELINE.uncertain_share:
        words = f"{_records(facts.uncertain)} ({share:.0%}) have low confidence"
        return _Node("attention", words)
    return _Node("complete", f"{named} • {_records(facts.categorized)}")


def _coverage(facts: Facts) -> _Node:
    if not facts.stats.total_records:
        return _Node("waiting", blocked="Import data first")
    balance = facts.stats.balance_score
    if not facts.stats.topics_count or balance is None:
        return _Node("waiting", blocked="Configure topics first")
    band = balance_band(balance)
    good = band == "Good"
    return _Node(
        "complete" if good else "attention",
        f"Balance: {balance:.2f}" + ("" if good else f" ({band})"),
    )


def _grader(facts: Facts) -> _Node:
    if not facts.stats.valid_records:
        return _Node("waiting", blocked="Import data first")
    if facts.grader is None:
        return _Node("ready", "No grader yet")
    return _Node("configured", grader_words(facts.grader.grader))


def _dry_run(facts: Facts) -> _Node:
    if 5 in facts.at_work:
        return _at_work(facts.at_work[5])
    blocked = _no_grader(facts)
    if blocked:
        return _Node("waiting", blocked=blocked)
    report = _report(facts.dry_run)
    if report is None or facts.dry_run is None:
        return _Node("ready", "Ready to run")
    mean = "No score" if report.mean is None else f"Mean: {report.mean.estimate:.2f}"
    summary = f"{mean} • {report.verdict}"
    changes = facts.changes(facts.dry_run.inputs)
    if any(change != TOPICS_CHANGED for change in changes):
        return _Node("attention", summary, label="Stale", stale=changes)
    statuses: dict[str, NodeStatus] = {"GO": "passed", "CAUTION": "attention", "NO_GO": "failed"}
    # Other topics leave the verdict as it was; only the part by topic is of yesterday.
    return _Node(statuses[report.verdict], summary, stale=changes)


def _training(facts: Facts) -> _Node:
    blocked = _no_grader(facts)
    if blocked:
        return _Node("waiting", blocked=blocked)
    job = facts.job
    if job is None or job.status == "cancelled":
        done = improvement_words(facts.trained)
        return _Node("complete", done) if done else _Node("ready", "Ready to start")
    if training.is_silent(job):
        return _Node("attention", f"Interrupted at {_share(job):.0%}", label="Interrupted")
    if job.status in ("pending", "running"):
        share = _share(job)
        return _Node("processing", f"Training... {share:.0%}", progress=share, label="Training")
    if job.status == "paused":
        return _Node("attention", f"Paused at {_share(job):.0%}", label="Paused")
    if job.status == "failed":
        return _Node("failed", job.error or "Training failed")
    return _Node("complete", improvement_words(job) or "Trained")


def _deployment(facts: Facts) -> _Node:
    if facts.trained is None:
        return _Node("waiting", "Waiting for training", blocked="Complete training first")
    if facts.deployment is None:
        return _Node("ready", "Model ready to deploy")
    gain = improvement_words(facts.trained).removesuffix(" improvement")
    return _Node("complete", f"Deployed • {gain}" if gain else "Deployed", label="Deployed")


def grader_words(grader: Grader) -> str:
    """What a grader is, in a few words."""
    if isinstance(grader, (ScoreModel, LabelModel)):
        return f"Judge: {grader.model}"
    if isinstance(grader, TextSimilarity):
        return f"Text similarity: {grader.evaluation_metric}"
    if isinstance(grader, Multi):
        count = len(grader.graders)
        return "1 grader" if count == 1 else f"{count} graders"
    return {"python": "Python script", "string_check": "String check"}[
        str(grader.__struct_config__.tag)
    ]


def improvement_words(job: TrainingRow | None) -> str:
    """What training brought, such as ``+49% improvement``; empty without a report.

    A number is called an improvement only where its interval lies above zero.
    """
    if job is None or job.report is None:
        return ""
    change = msgspec.json.decode(job.report, type=_TrainingReport).change
    if change is None or change.verdict == "no_clear_change":
        return "No clear change"
    if change.verdict == "regressed":
        return "Regressed"
    if change.relative is None:
        return f"+{change.difference.estimate:.2f} improvement"
    return f"{change.relative.estimate:+.0%} improvement"


DATA_CHANGED = "The records have changed since."
TOPICS_CHANGED = "The topics have changed since: the results by topic are those of before."
GRADER_CHANGED = "The grader has changed since."


def _changes(
    store: Store,
    info: DatasetInfo,
    stats: DatasetStats,
    grader: GraderVersion | None,
    inputs: RunInputs,
    revision: int,
) -> tuple[str, ...]:
    found = [GRADER_CHANGED] if grader is None or grader.hash != inputs.grader else []
    if inputs.records_revision != revision:
        if stats.total_records > PIPELINE.exact_stale_records:
            found.append(DATA_CHANGED)  # what exactly changed would take too long to tell
        else:
            now = fingerprint(store, info.id)
            if now.data != inputs.data:
                found.append(DATA_CHANGED)  # and with them which record is under which topic
            elif now.topics != inputs.topics:
                found.append(TOPICS_CHANGED)
    return tuple(found)


class _DryRunReport(Struct):
    verdict: str
    reasons: tuple[str, ...]
    mean: Interval | None


class _TrainingReport(Struct):
    change: PairedDifference | None


class _Progress(Struct):
    share: float


def _report(run: DryRunRow | None) -> _DryRunReport | None:
    if run is None or run.report is None:
        return None
    return msgspec.json.decode(run.report, type=_DryRunReport)


def _share(job: TrainingRow) -> float:
    return 0.0 if job.progress is None else msgspec.json.decode(job.progress, type=_Progress).share


def _no_grader(facts: Facts) -> str | None:
    if not facts.stats.valid_records:
        return "Import data first"
    return None if facts.grader is not None else "Configure the grader first"


def _at_work(activity: Activity) -> _Node:
    share = "" if activity.share is None else f" {activity.share:.0%}"
    return _Node("processing", f"{activity.doing}...{share}", progress=activity.share)


def _records(count: int) -> str:
    return "1 record" if count == 1 else f"{count:,} records"


def _have(count: int) -> str:
    return f"{_records(count)} {'has' if count == 1 else 'have'}"


def _node(step: PipelineStep, node: _Node) -> PipelineNode:
    return PipelineNode(
        id=step.id,
        name=step.name,
        category=step.category,
        status=node.status,
        summary=node.summary,
        status_label=node.label or node.status.capitalize(),
        can_retrigger=step.can_retrigger,
        blocked_reason=node.blocked,
        stale=node.stale,
        progress=node.progress,
    )
