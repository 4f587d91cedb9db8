"""The tour: the whole pipeline, on the sample traffic that the package brings along."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from rft_widgets.cli import stand_in
from rft_widgets.cli.data import print_import
from rft_widgets.cli.demo_model import with_model
from rft_widgets.cli.grade import cut
from rft_widgets.cli.output import print_json, quiet
from rft_widgets.cli.pipeline import print_pipeline
from rft_widgets.cli.steps import Plan, heading, take_through
from rft_widgets.cli.traces import print_source
from rft_widgets.dataset import OptimizationDataset
from rft_widgets.dataset.deployment import Deployment
from rft_widgets.dataset.training_job import TrainingJob
from rft_widgets.errors import RftError
from rft_widgets.model.message import to_json
from rft_widgets.model.record import Record
from rft_widgets.sample.grader import sample_grader
from rft_widgets.sample.support import write_sample
from rft_widgets.traces.source import open_traces
from rft_widgets.workspace import Workspace

_OTHER_SEED = 8
_TRIED_PROMPTS = 10
_SHOWN_ANSWERS = 3
_TIMEOUT_S = 20.0


def demo(options: argparse.Namespace) -> int:
    """Show everything, and end with status 0 only if everything worked; then open the app on it."""
    began = time.monotonic()
    shows = not (options.no_app or options.json) and sys.stdin.isatty() and sys.stdout.isatty()
    with contextlib.ExitStack() as ending:
        with quiet(options), _folder() as folder:
            database = options.database or (demo_database() if shows else folder / "demo.db")
            with Workspace(database) as workspace:
                status, report = tour(workspace, folder)
                if options.with_model and status == 0:
                    named = ending.enter_context(stand_in.beside(workspace))
                    report |= with_model(workspace, workspace.dataset(report["dataset"]), named)
            report["seconds"] = round(time.monotonic() - began, 1)
            print(f"\nDone in {report['seconds']:.0f} s.")
            if not shows:
                more = " --with-model" if options.with_model else ""
                print(f"See it in a browser with `rft-widgets app --demo{more}`.")
        if options.json:
            print_json(report)
        if shows and status == 0:
            from rft_widgets.cli.app import show_dataset  # noqa: PLC0415 - it may take us, too

            show_dataset(str(database), report["dataset"])
    return status


def demo_database() -> Path:
    """Where the demo's store is kept: in the user's data directory."""
    return user_data_path("rft_widgets") / "demo.db"


def tour_dataset(workspace: Workspace) -> str:
    """The id of a dataset that the tour made, the newest there is; made now if there is none."""
    made = [one for one in workspace.datasets() if one.training_jobs]
    if made:
        return made[0].id
    print("The sample goes through all steps first; it takes a minute.\n", flush=True)
    with _folder() as folder:
        _, report = tour(workspace, folder)
    return str(report["dataset"])


def tour(workspace: Workspace, folder: Path) -> tuple[int, dict[str, Any]]:
    """Take the sample from traces to an answer of the trained policy; give status and findings."""
    report: dict[str, Any] = {
        "verdict": None,
        "baseline_reward": None,
        "final_reward": None,
        "improvement_interval": None,
        "recorded_reward": None,
        "endpoint_answered": False,
    }
    dataset = _extract(workspace, folder, report)
    done = take_through(dataset, Plan(grader=sample_grader(), deploy=False))
    status = done.status
    report["verdict"] = done.results["dry_run"].verdict
    if status == 0:
        job = dataset.training_job(done.results["training"]["job"])
        trained = done.results["training"]["report"]
        change = trained.change
        report |= {
            "outcome": trained.outcome,
            "recorded_reward": trained.recorded and trained.recorded.estimate,
        }
        if change is not None:
            report |= {
                "baseline_reward": change.before_mean,
                "final_reward": change.after_mean,
                "improvement_interval": [change.difference.low, change.difference.high],
            }
        report["split"] = _check_split(dataset, job)
        report |= _deploy(dataset, job)
        status = 0 if report["endpoint_answered"] and change is not None else 1
    else:
        report["stopped"] = done.results["stopped"]
    print()
    print_pipeline(dataset.pipeline)
    topics, coverage = done.results["topics"], done.results["coverage"]
    return status, report | {
        "topics": len(topics.topics.paths),
        "low_confidence_share": topics.low_confidence_share,
        "balance_score": coverage.balance_score,
        "dry_run_mean": done.results["dry_run"].mean,
        "grader_test": done.results["grader"]["test"].sentence,
        "pipeline": {node.name: node.status for node in dataset.pipeline.nodes},
    }


def _extract(workspace: Workspace, folder: Path, report: dict[str, Any]) -> OptimizationDataset:
    heading(1)
    print("Traces of a support assistant, as a gateway exports them:\n")
    spans = folder / "support.otlp.jsonl"
    write_sample(spans, format="otlp")
    source = open_traces(spans)
    pattern = source.pattern()
    print_source(source, source.count(), pattern)
    dataset = workspace.create_from_traces(
        source.filter(has_response=True),
        name=pattern.suggested_name,
        objective=pattern.suggested_objective,
    )
    traced = dataset.count()
    print(f"\n{dataset.name} ({dataset.id}): {traced:,} answered calls")

    print("\nOther conversations of the same assistant, from a JSONL file with bad lines:\n")
    lines = folder / "support.jsonl"
    write_sample(lines, format="jsonl", seed=_OTHER_SEED)
    imported = dataset.import_records(lines)
    print_import(imported)
    health = dataset.health
    print(
        f"\n{traced:,} records came from traces and {imported.imported:,} from the file. "
        f"{health.valid:,} valid ones go on;\n{health.invalid:,} broken ones are kept for a look "
        f"and left out of everything ({health.status})."
    )
    report |= {
        "dataset": dataset.id,
        "traces": source.losses,
        "records_from_traces": traced,
        "records_from_file": imported.imported,
        "import": imported,
        "health": health,
    }
    return dataset


def _check_split(dataset: OptimizationDataset, job: TrainingJob) -> dict[str, int]:
    """Look whether a conversation or a prompt is on both sides of the split."""
    split = job.split

    def both(ids: tuple[str, ...]) -> tuple[set[str | None], set[str]]:
        found = list(dataset.iterate(dataset.select(ids=ids)))
        prompts = {json.dumps(to_json(one.input.messages)) for one in found}
        return {one.thread_id for one in found} - {None}, prompts

    (threads, prompts), (valid_threads, valid_prompts) = both(split.train), both(split.valid)
    found = {
        "train": len(split.train),
        "valid": len(split.valid),
        "conversations_on_both_sides": len(threads & valid_threads),
        "prompts_on_both_sides": len(prompts & valid_prompts),
    }
    print(
        f"  split: {found['train']:,} records to train, {found['valid']:,} to validate; on both "
        f"sides {found['conversations_on_both_sides']:,} conversations and "
        f"{found['prompts_on_both_sides']:,} prompts"
    )
    return found


def _deploy(dataset: OptimizationDataset, job: TrainingJob) -> dict[str, Any]:
    """Serve the policy, ask it over HTTP what it was measured on, and stop it."""
    heading(7)
    deployment = dataset.deploy("new_endpoint", job=job)
    try:
        print(f"{deployment.config.model} answers at {deployment.base_url}")
        without, _, _ = _ask(deployment, {"model": deployment.config.model}, token="")
        print(f"  a request without the token: HTTP {without}")
        answered = 0
        # The first ones, whatever they are worth; some prompts have no answer that fits.
        for record in _some(dataset, job.split.valid[:_TRIED_PROMPTS]):
            answered += _show_answer(dataset, deployment, record)
            if answered == _SHOWN_ANSWERS:
                break
    finally:
        deployment.stop()
    print("  stopped" if answered else "  no request was answered")
    return {
        "deployment": deployment.id,
        "refused_without_token": without == 401,
        "endpoint_answered": answered > 0,
    }


def _some(dataset: OptimizationDataset, ids: tuple[str, ...]) -> list[Record]:
    return list(dataset.iterate(dataset.select(ids=ids)))


def _show_answer(dataset: OptimizationDataset, deployment: Deployment, record: Record) -> bool:
    """Ask one prompt; whether there came an answer to it."""
    body: dict[str, Any] = {
        "model": deployment.config.model,
        "messages": to_json(record.input.messages),
    }
    if record.input.tools:
        body["tools"] = to_json(record.input.tools)
    status, headers, answer = _ask(deployment, body, token=deployment.token)
    if status != 200:
        return False
    message = answer["choices"][0]["message"]
    calls = message.get("tool_calls") or []
    text = message.get("content") or ""
    if not (text or calls):
        return False
    named = ", ".join(f"{one['function']['name']}({one['function']['arguments']})" for one in calls)
    question = next((m.text for m in reversed(record.input.messages) if m.role == "user"), "")
    print(f"  asked:    {cut(question)}")
    print(f"  answered: {cut(f'{text} {named}')}")
    print(f"            as recorded in {headers.get('X-RFT-Source-Record')}", end="")
    rewards = dataset.playground(record, job=deployment.job)
    graded = {arm: one.reward for arm, one in rewards.items() if one.reward is not None}
    print("".join(f"; reward of {arm} {reward:.2f}" for arm, reward in graded.items()))
    return True


def _ask(deployment: Deployment, body: Any, *, token: str) -> tuple[int, Any, Any]:
    """Send a chat completion as any client would: status, headers, body."""
    request = urllib.request.Request(  # noqa: S310 - the address is our own server's
        f"{deployment.base_url}/chat/completions",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    # A proxy of the environment is not meant for this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_TIMEOUT_S) as response:
            return response.status, response.headers, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, None
    except OSError as error:
        raise RftError(f"The endpoint cannot be reached: {error}.") from None


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="rft-demo-") as name:
        yield Path(name)
