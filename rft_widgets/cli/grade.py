"""The command that saves a grader and tries it."""

from __future__ import annotations

import argparse
from typing import Any

from rft_widgets.cli.documents import read_grader
from rft_widgets.cli.estimates import estimate_words
from rft_widgets.cli.output import open_workspace, print_json, quiet
from rft_widgets.dataset import OptimizationDataset
from rft_widgets.dataset.grading import GraderLike
from rft_widgets.errors import InvalidArgument
from rft_widgets.graders.panel import panel
from rft_widgets.graders.presets import preset
from rft_widgets.model.grader_version import GraderVersion, JudgedAt
from rft_widgets.model.llm import ModelConnection
from rft_widgets.model.report import GradedAnswer, GraderTest

_SHOWN_CHARS = 240


def grade(options: argparse.Namespace) -> None:
    """Save a grader where one is given, and try the one in use on a few answers."""
    with open_workspace(options) as workspace:
        dataset = workspace.dataset(options.dataset)
        chosen = _chosen(dataset, options)
        if options.estimate:
            _estimate(dataset, chosen, options)
            return
        if chosen is not None:
            dataset.set_grader(chosen, connection=_connection(options))
        version = dataset.grader_version
        if version is None:
            raise InvalidArgument(
                "The dataset has no grader.", hint="Pass --grader FILE or --preset NAME."
            )
        cap = options.max_cost
        tried = dataset.test_grader(options.test, max_cost_usd=cap) if options.test else None
        labels = (
            dataset.grader_against_labels(options.labels, max_cost_usd=cap)
            if options.labels
            else None
        )
    with quiet(options):
        print_grader(version, tried)
        if labels is not None:
            print(labels.sentence)
    if options.json:
        print_json(
            {
                "dataset": options.dataset,
                "grader": {"version": version.version, "hash": version.hash},
                "test": tried,
                "labels": labels,
            }
        )


def _chosen(dataset: OptimizationDataset, options: argparse.Namespace) -> GraderLike | None:
    """The grader that the options make, a panel where there are several judges; or none."""
    models = [dataset.named_connection(name).model for name in options.connection]
    found: Any = None
    if options.grader is not None:
        found = read_grader(options.grader)
    elif options.preset is not None:
        model = options.model or next(iter(models), None)
        if options.preset != "format" and model is None:
            raise InvalidArgument(
                f"The preset {options.preset!r} asks a judge.",
                hint="Pass --connection NAME, or --model.",
            )
        found = preset(options.preset, model=model)
    elif options.connection or (options.model, options.base_url, options.api_key_env) != (
        None,
        None,
        None,
    ):
        raise InvalidArgument(
            "A model and its address belong to a grader, and none is given.",
            hint="Pass --grader FILE or --preset NAME, too.",
        )
    else:
        return None
    if len(models) < 2 and options.repeats == 1:
        return found  # type: ignore[no-any-return]  # what a file holds is checked when it is used
    return panel(found, models, repeats=options.repeats, combine=options.combine)


def _estimate(
    dataset: OptimizationDataset, chosen: GraderLike | None, options: argparse.Namespace
) -> None:
    found = dataset.estimate_test_grader(
        options.test, grader=chosen, connection=_connection(options)
    )
    with quiet(options):
        print("The grader asks no model." if found is None else estimate_words(found))
    if options.json:
        print_json({"dataset": options.dataset, "estimate": found})


def print_grader(version: GraderVersion, tried: GraderTest | None) -> None:
    """Print which grader it is, and what it says of a few answers."""
    name = version.grader.name
    print(f"Grader {name + ' ' if name else ''}(version {version.version}, {version.hash[:12]})")
    if tried is None:
        return
    for answer in tried.answers:
        print_answer(answer)
    if tried.mean is not None:
        print(
            f"mean {tried.mean:.2f}, std {tried.std:.2f}, min {tried.minimum:.2f}, "
            f"max {tried.maximum:.2f}, {tried.failures} failed"
        )
    print(tried.sentence)


def print_answer(answer: GradedAnswer) -> None:
    """Print prompt, response, score and reasoning of one answer together."""
    print(f"  > {cut(answer.prompt, end=True)}")
    print(f"  < {cut(answer.response)}")
    score = answer.error or "no score" if answer.reward is None else f"{answer.reward:.2f}"
    parts = ", ".join(
        f"{name} {'failed' if value is None else f'{value:.2f}'}"
        for name, value in answer.sub_rewards.items()
    )
    reasons = "; ".join(text for text in (parts, answer.reasoning) if text)
    print(f"  = {score}{f' ({cut(reasons)})' if reasons else ''}\n")


def _connection(options: argparse.Namespace) -> JudgedAt | None:
    if options.connection:
        if options.base_url is not None or options.api_key_env is not None:
            raise InvalidArgument(
                "A named connection has its own address.", hint="Leave --base-url out."
            )
        names = tuple(options.connection)
        return names if len(names) > 1 else names[0]
    if options.base_url is None:
        if options.api_key_env is not None:
            raise InvalidArgument(
                "--api-key-env names the key of a service, and there is none.",
                hint="Pass --base-url, too.",
            )
        return None
    return connection_to(options.base_url, options.api_key_env)


def connection_to(base_url: str, api_key_env: str | None) -> ModelConnection:
    """Make a connection; no name of a variable means the usual one, an empty name no key."""
    if api_key_env is None:
        return ModelConnection(base_url=base_url)
    return ModelConnection(base_url=base_url, api_key_env=api_key_env or None)


def cut(text: str, *, end: bool = False) -> str:
    """Give the beginning (or end) of a text on one line, without what would steer a terminal."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(line) <= _SHOWN_CHARS:
        return line
    return f"…{line[-_SHOWN_CHARS:]}" if end else f"{line[:_SHOWN_CHARS]}…"
