"""Commands that serve what was trained, take it back, and measure it."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rft_widgets.cli.grade import connection_to
from rft_widgets.cli.output import open_workspace, print_json, print_table, quiet
from rft_widgets.cli.token import Token, find_token
from rft_widgets.dataset.routing import prompt_of
from rft_widgets.errors import InvalidArgument, NoCandidate, ServingFailed
from rft_widgets.model.report import with_bounds
from rft_widgets.serving.app import LOOPBACK_HOSTS
from rft_widgets.store.deployments import ArmTotals
from rft_widgets.trainers import LocalPolicy
from rft_widgets.web import is_loopback

if TYPE_CHECKING:
    from rft_widgets.dataset import OptimizationDataset
    from rft_widgets.dataset.deployment import Deployment
    from rft_widgets.model.record import Record
    from rft_widgets.serving.server import Server

_ANYTHING = "What can you do for me?"


def deploy(options: argparse.Namespace) -> None:
    """Make a deployment and serve it until Ctrl-C."""
    with open_workspace(options) as workspace:
        dataset = workspace.dataset(options.dataset)
        upstream = None
        if options.upstream is not None:
            upstream = connection_to(options.upstream, options.upstream_key_env)
        elif options.upstream_model is not None or options.upstream_key_env is not None:
            raise InvalidArgument(
                "There is no upstream for the model or the key.", hint="Pass --upstream URL, too."
            )
        _check_reach(options)
        if options.token_env is not None or options.token_file is not None:
            # What cannot be served is refused before there is a deployment of it.
            find_token("", variable=options.token_env, file=options.token_file)
        deployment = dataset.deploy(
            options.mode,
            job=options.job,
            model=options.model,
            checkpoint=options.checkpoint,
            ratio=options.ratio,
            upstream=upstream,
            upstream_model=options.upstream_model,
            start=False,
        )
        _serve(options, dataset, deployment)


def serve(options: argparse.Namespace) -> None:
    """Serve a deployment that there is until Ctrl-C."""
    _check_reach(options)
    with open_workspace(options) as workspace:
        deployment = workspace.deployment(options.deployment)
        _serve(options, workspace.dataset(deployment.dataset_id), deployment)


def rollback(options: argparse.Namespace) -> None:
    """Send everything to the base model again."""
    with open_workspace(options) as workspace:
        deployment = workspace.deployment(options.deployment)
        deployment.roll_back()
        status = deployment.status
    if options.json:
        print_json({"deployment": options.deployment, "status": status})
    else:
        print(f"{options.deployment} is rolled back.")


def outcome(options: argparse.Namespace) -> None:
    """Say what the arms are worth."""
    with open_workspace(options) as workspace:
        deployment = workspace.deployment(options.deployment)
        counts, found = deployment.counts, deployment.outcome()
    with quiet(options):
        rows = []
        for arm in (found.tuned, found.base):
            served = counts.get(arm.arm, ArmTotals(requests=0, failed=0, mean_duration_s=None))
            reward = None if arm.reward is None else with_bounds(arm.reward)
            rows.append((arm.arm, served.requests, served.failed, arm.graded, reward))
        print_table(rows, ("arm", "requests", "failed", "graded", "reward [95 %]"))
        print(found.sentence)
    if options.json:
        print_json({"deployment": options.deployment, "counts": counts, "outcome": found})


def _serve(
    options: argparse.Namespace, dataset: OptimizationDataset, deployment: Deployment
) -> None:
    token = find_token(deployment.id, variable=options.token_env, file=options.token_file)
    server = deployment.make_server(
        host=options.host,
        port=options.port,
        token=token.value,
        allow_network=bool(options.allow_network),
        hosts=(*LOOPBACK_HOSTS, *options.allow_network) if options.allow_network else (),
    )
    try:
        server.start()
        _announce(options, dataset, deployment, server, token)
    except KeyboardInterrupt:
        server.stop()
    except ServingFailed as error:
        server.stop()
        again = f"`rft-widgets serve {deployment.id}` tries it again."
        raise ServingFailed(error.message, hint=f"{error.hint} {again}") from None
    else:
        server.serve()
    if not options.json:
        served = sum(arm.requests for arm in deployment.counts.values())
        print(f"Stopped; {served:,} requests were answered so far.", flush=True)


def _check_reach(options: argparse.Namespace) -> None:
    """Refuse an address that other machines reach, unless that was asked for."""
    if not is_loopback(options.host) and not options.allow_network:
        raise InvalidArgument(
            f"Other machines would reach the endpoint on {options.host!r}.",
            hint="Use 127.0.0.1, or pass --allow-network with the name they call it by.",
        )


def _announce(
    options: argparse.Namespace,
    dataset: OptimizationDataset,
    deployment: Deployment,
    server: Server,
    token: Token,
) -> None:
    config = deployment.config
    name = config.model if config.mode == "new_endpoint" else config.base_model
    # Other machines call it by its name, and it answers to no other but those of this machine.
    host = next(iter(options.allow_network), None)
    base_url = server.base_url if host is None else f"http://{host}:{server.port}/v1"
    curl = curl_line(base_url, token, name, example_prompt(dataset, deployment))
    where = {
        "base_url": base_url,
        "token_file": None if token.file is None else str(token.file),
        "token_env": token.variable,
    }
    if options.json:
        print_json(
            {
                "dataset": dataset.id,
                "deployment": deployment.id,
                "status": deployment.status,
                "config": config,
                **where,
                "curl": curl,
            }
        )
        return
    rows: list[tuple[str, str]] = [
        ("deployment", f"{deployment.id} ({config.mode}, {deployment.status})"),
        ("base URL", base_url),
        ("model", name),
        ("token", f"in {token.place}"),
    ]
    for label, value in rows:
        print(f"{label:<11} {value}")
    print(f"\n{curl}\n\nCtrl-C stops it.", flush=True)


def curl_line(
    base_url: str, token: Token, model: str, messages: Sequence[Mapping[str, Any]]
) -> str:
    """Shell line that asks the endpoint; curl reads the token, so that no process list shows it."""
    body = json.dumps({"model": model, "messages": list(messages)}, ensure_ascii=False)
    return (
        f"printf 'Authorization: Bearer %s' {token.shell} | curl -sS {base_url}/chat/completions "
        f"-H @- -H 'Content-Type: application/json' -d {shlex.quote(body)}"
    )


def example_prompt(dataset: OptimizationDataset, deployment: Deployment) -> list[dict[str, str]]:
    """Find something short that the policy was measured on, and has an answer to."""
    policy = deployment.policy()
    some = dataset.select(ids=deployment.job.split.valid[:50])
    records = dataset.iterate(some)  # those that are still there
    for text in sorted({_asked(record) for record in records} - {""}, key=lambda t: (len(t), t)):
        messages = [{"role": "user", "content": text}]
        if isinstance(policy, LocalPolicy):  # another one writes something to anything
            try:
                policy.respond(prompt_of(messages, ()).messages)
            except NoCandidate:
                continue
        return messages
    return [{"role": "user", "content": _ANYTHING}]


def _asked(record: Record) -> str:
    """The text of the last user message, where it opens its conversation."""
    said = [message for message in record.input.messages if message.role != "system"]
    return said[0].text.strip() if len(said) == 1 and said[0].role == "user" else ""
