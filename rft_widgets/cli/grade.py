"""The command that saves a grader and tries it."""

from __future__ import annotations

import argparse

from rft_widgets.cli.documents import read_grader
from rft_widgets.cli.output import open_workspace, print_json, quiet
from rft_widgets.errors import InvalidArgument
from rft_widgets.graders.presets import preset
from rft_widgets.model.grader_version import GraderVersion
from rft_widgets.model.llm import ModelConnection
from rft_widgets.model.report import GradedAnswer, GraderTest

_SHOWN_CHARS = 240


def grade(options: argparse.Namespace) -> None:
    """Save a grader where one is given, and try the one in use on a few answers."""
    with open_workspace(options) as workspace:
        dataset = workspace.dataset(options.dataset)
        if options.grader is not None:
            dataset.set_grader(read_grader(options.grader), connection=_connection(options))
        elif options.preset is not None:
            if options.preset != "format" and options.model is None:
                raise InvalidArgument(
                    f"The preset {options.preset!r} asks a judge.", hint="Pass --model."
                )
            chosen = preset(options.preset, model=options.model)
            dataset.set_grader(chosen, connection=_connection(options))
        elif (options.model, options.base_url, options.api_key_env) != (None,) * 3:
            raise InvalidArgument(
                "A model and its address belong to a grader, and none is given.",
                hint="Pass --grader FILE or --preset NAME, too.",
            )
        version = dataset.grader_version
        if version is None:
            raise InvalidArgument(
                "The dataset has no grader.", hint="Pass --grader FILE or --preset NAME."
            )
        tried = dataset.test_grader(options.test) if options.test else None
        labels = dataset.grader_against_labels(options.labels) if options.labels else None
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


def _connection(options: argparse.Namespace) -> ModelConnection | None:
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
