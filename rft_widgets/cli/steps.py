"""A dataset taken through its steps, one after the other, each one told as it goes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct, field

from rft_widgets.cli.coverage import print_coverage, set_targets
from rft_widgets.cli.documents import read_grader
from rft_widgets.cli.dry_run import DryRunPlan, make_dry_run, print_dry_run
from rft_widgets.cli.grade import print_grader
from rft_widgets.cli.output import NO_GO, NoGo
from rft_widgets.cli.topics import TopicsPlan, make_topics, print_topics
from rft_widgets.cli.train import finish_training, print_training, start_training
from rft_widgets.dataset import OptimizationDataset
from rft_widgets.model.deployment import DeploymentMode
from rft_widgets.model.grader_version import JudgedAt
from rft_widgets.model.llm import ModelConnection
from rft_widgets.model.pipeline import PIPELINE_STEPS
from rft_widgets.model.training import TrainingConfig

Part = TypeVar("Part")


class DeployPlan(Struct, frozen=True, kw_only=True):
    """How a deployment shares out traffic; see `OptimizationDataset.deploy`."""

    mode: DeploymentMode = "new_endpoint"
    ratio: float = 50.0
    model: str | None = None
    upstream: ModelConnection | None = None
    upstream_model: str | None = None


class Plan(Struct, frozen=True, kw_only=True):
    """What to do with a dataset. A step that is ``True`` has its defaults, ``False`` is left out.

    ``targets`` is a word, percent by topic, or a file with these; ``grader`` any form of one, or a
    file.
    """

    topics: TopicsPlan | bool = True
    targets: str | dict[str, float] | None = None
    grader: str | dict[str, Any] | list[dict[str, Any]] | None = None
    connection: JudgedAt | None = None
    dry_run: DryRunPlan | bool = True
    train: TrainingConfig | bool = True
    deploy: DeployPlan | bool = True
    despite_no_go: bool = False


class Steps(Struct, kw_only=True):
    """How far it came: the result of each step by its name, and the exit status."""

    results: dict[str, Any] = field(default_factory=dict)
    status: int = 0


def heading(step: int) -> None:
    """Print which of the seven steps comes."""
    print(f"\n{step}/{len(PIPELINE_STEPS)} {PIPELINE_STEPS[step - 1].name}\n", flush=True)


def take_through(dataset: OptimizationDataset, plan: Plan) -> Steps:
    """Take a dataset with records from its topics to a deployment, as planned.

    It stops where the dry run says NO_GO, unless the plan says otherwise, and where training is
    paused or fails.
    """
    done = Steps()
    _prepare(dataset, plan, done)
    for judge in (_dry_run, _train, _deploy):
        if done.status == 0:
            judge(dataset, plan, done)
    return done


def _prepare(dataset: OptimizationDataset, plan: Plan, done: Steps) -> None:
    if (topics := _part(plan.topics, TopicsPlan())) is not None:
        heading(2)
        done.results["topics"] = found = make_topics(dataset, topics)
        print_topics(found)
        heading(3)
        if plan.targets is not None:
            set_targets(dataset, plan.targets)
        done.results["coverage"] = coverage = dataset.coverage()
        print_coverage(coverage)
    if plan.grader is not None:
        heading(4)
        given = plan.grader
        grader = read_grader(Path(given)) if isinstance(given, str) else given
        version = dataset.set_grader(grader, connection=plan.connection)
        test = dataset.test_grader()
        print_grader(version, test)
        done.results["grader"] = {
            "version": version.version,
            "hash": version.hash,
            "test": test,
        }


def _dry_run(dataset: OptimizationDataset, plan: Plan, done: Steps) -> None:
    chosen = _part(plan.dry_run, DryRunPlan())
    if chosen is None:
        return
    heading(5)
    report = make_dry_run(dataset, chosen)
    print_dry_run(report)
    done.results["dry_run"] = report


def _train(dataset: OptimizationDataset, plan: Plan, done: Steps) -> None:
    config = _part(plan.train, TrainingConfig())
    if config is None:
        return
    heading(6)
    try:
        job = start_training(dataset, config, despite_no_go=plan.despite_no_go)
    except NoGo as refused:
        done.status, done.results["stopped"] = NO_GO, str(refused)
        print(f"rft-widgets: {refused}", file=sys.stderr)
        return
    report = finish_training(dataset, job)
    print_training(report, [words for _, words in job.log])
    done.results["training"] = {"job": job.id, "report": report}


def _deploy(dataset: OptimizationDataset, plan: Plan, done: Steps) -> None:
    chosen = _part(plan.deploy, DeployPlan())
    if chosen is None or "training" not in done.results:
        return
    heading(7)
    deployment = dataset.deploy(
        chosen.mode,
        job=done.results["training"]["job"],
        model=chosen.model,
        ratio=chosen.ratio,
        upstream=chosen.upstream,
        upstream_model=chosen.upstream_model,
        start=False,
    )
    serve = f"rft-widgets serve {deployment.id}"
    print(f"Deployment {deployment.id} ({chosen.mode}) of {deployment.config.model}")
    print(f"Serve it with: {serve}")
    done.results["deployment"] = {
        "id": deployment.id,
        "config": deployment.config,
        "serve": serve,
    }


def _part(given: Part | bool, default: Part) -> Part | None:
    """Resolve a part of the plan: itself, its defaults, or nothing."""
    if isinstance(given, bool):
        return default if given else None
    return given
