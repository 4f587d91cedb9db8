"""Connections to models: list, add, test, remove."""

from __future__ import annotations

import argparse

from rft_widgets.cli.output import open_workspace, print_json, print_table, quiet
from rft_widgets.model.connection import ConnectionTest, ConnectionView
from rft_widgets.workspace import Workspace

_ABILITIES = ("tools", "json_schema", "logprobs", "embeddings")
_WORDS = {True: "yes", False: "no", None: "not known"}


def connections(options: argparse.Namespace) -> int:
    """Do what was asked for; a test ends with status 1 where a model does not answer."""
    with open_workspace(options) as workspace:
        return {"list": _list, "add": _add, "test": _test, "remove": _remove}[options.action](
            workspace, options
        )


def _list(workspace: Workspace, options: argparse.Namespace) -> int:
    views = workspace.connection_views
    if options.json:
        print_json(views)
        return 0
    if not views:
        print("No connection yet. Add one: rft-widgets connections add NAME BASE_URL MODEL")
        return 0
    print_table(
        (
            (one.named.name, one.named.model, one.named.connection.base_url, _price(one),
             _state(one))
            for one in views
        ),
        head=("name", "model", "base URL", "$ a million in/out", "last test"),
    )  # fmt: skip
    for one in views:
        for words in filter(None, (one.missing, one.notice)):
            print(f"{one.named.name}: {words}")
    return 0


def _add(workspace: Workspace, options: argparse.Namespace) -> int:
    named = workspace.add_connection(
        options.name,
        options.base_url,
        options.model,
        api_key_env=options.api_key_env,
        embedding_model=options.embedding_model,
        concurrency=options.concurrency,
        requests_per_minute=options.requests_per_minute,
        input_usd_per_million=options.input_usd_per_million,
        output_usd_per_million=options.output_usd_per_million,
        timeout_s=options.timeout,
        structured=not options.no_schema,
    )
    if options.json:
        print_json(named)
    with quiet(options):
        view = next(one for one in workspace.connection_views if one.named == named)
        print(f"Saved {named.name!r}. Test it: rft-widgets connections test {named.name}")
        for words in filter(None, (view.missing, view.notice)):
            print(words)
    return 0


def _test(workspace: Workspace, options: argparse.Namespace) -> int:
    names = [options.name] if options.name else [one.name for one in workspace.connections]
    found = {name: workspace.test_connection(name) for name in names}
    if options.json:
        print_json(found)
    with quiet(options):
        for name, test in found.items():
            _tell(name, test)
    return 0 if all(test.works for test in found.values()) else 1


def _remove(workspace: Workspace, options: argparse.Namespace) -> int:
    workspace.remove_connection(options.name)
    if options.json:
        print_json({"removed": options.name})
    with quiet(options):
        print(f"Removed {options.name!r}.")
    return 0


def _tell(name: str, test: ConnectionTest) -> None:
    if test.works:
        print(f"{name}: answers in {test.latency_s:.2f} s.")
        for ability in _ABILITIES:
            why = test.words.get(ability)
            print(f"  {ability}: {_WORDS[getattr(test, ability)]}" + (f" ({why})" if why else ""))
    elif test.problem is not None:
        print(f"{name}: {test.problem.message} {test.problem.hint or ''}".rstrip())
    if test.notice:
        print(f"  {test.notice}")


def _price(view: ConnectionView) -> str:
    parts = (view.input_price, view.output_price)
    return "/".join("?" if part is None else f"{part / 1_000_000:g}" for part in parts)


def _state(view: ConnectionView) -> str:
    if view.test is None:
        return "never"
    return "answered" if view.test.works else "failed"
