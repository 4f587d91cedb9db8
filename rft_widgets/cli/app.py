"""The app for people who do not code: a server on this machine, and a browser that shows it."""

from __future__ import annotations

import argparse
import contextlib
import getpass
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from rft_widgets.cli import stand_in
from rft_widgets.cli.output import print_json, quiet
from rft_widgets.errors import InvalidArgument, RftError
from rft_widgets.model.connection import NamedConnection
from rft_widgets.server import keys, launcher
from rft_widgets.server.launcher import Launch, Started
from rft_widgets.workspace import Workspace


def app(options: argparse.Namespace) -> int:
    """Serve the app until Ctrl-C."""
    launcher.check_voila()
    if options.with_model and not options.demo:
        raise InvalidArgument(
            "--with-model goes with --demo: what stands in for a model is none.",
            hint="Connect a model of yours on the page, under Settings.",
        )
    opens = _demo(options) if options.demo else "optimization"
    if options.password or options.no_password:
        _set_password(options)
    launch = Launch(
        database=options.database,
        host=options.host,
        port=options.port,
        base_url=options.base_url,
        names=tuple(options.allow_network),
        token_file=options.token_file,
        warm_kernels=options.pool,
        max_kernels=options.max_kernels,
        opens=opens,
    )

    with _model(options) as named:

        def told(started: Started) -> None:
            if options.json:
                asked = {"stand_in": named.connection.base_url} if named else {}
                print_json({"url": started.first_url, "pid": os.getpid(), **asked})
                return
            if named is not None:
                print(stand_in.about(named))
            _tell(started, browser=not options.no_browser)

        launcher.run(launch, told)
    return 0


@contextlib.contextmanager
def _model(options: argparse.Namespace) -> Iterator[NamedConnection | None]:
    """Run what stands in for a model, where that is wanted."""
    if not options.with_model:
        yield None
        return
    with contextlib.ExitStack() as ending:
        with Workspace(options.database) as workspace:
            named = ending.enter_context(stand_in.beside(workspace))
        yield named


def show_dataset(database: str, dataset_id: str) -> None:
    """Serve the app on one dataset, with all other settings as they come."""
    opens = f"optimization/{dataset_id}"
    launcher.run(Launch(database=database, opens=opens), _tell)


def _tell(started: Started, *, browser: bool = True) -> None:
    print(f"The app is at {started.first_url}\nCtrl-C ends it.", flush=True)
    if browser and not launcher.open_browser(started.first_url):
        print("There is no browser here: open the address in one.", file=sys.stderr)


def _demo(options: argparse.Namespace) -> str:
    """Make sure that the demo's dataset is there; the page that shows it."""
    from rft_widgets.cli.demo import demo_database, tour_dataset  # noqa: PLC0415 - heavy

    options.database = options.database or str(demo_database())
    with quiet(options), Workspace(options.database) as workspace:
        return f"optimization/{tour_dataset(workspace)}"


def _set_password(options: argparse.Namespace) -> None:
    with Workspace(options.database) as workspace:
        folder: Path = workspace._store.side_folder  # noqa: SLF001 - as the server does
    if options.no_password:
        keys.set_password(folder, "")
        return
    if not sys.stdin.isatty():
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = getpass.getpass("Password of the app: ")
        if getpass.getpass("Once more: ") != password:
            raise InvalidArgument("The two differ.", hint="Start again.")
    if not password:
        raise RftError("No password was given.", hint="Use --no-password to have none.")
    keys.set_password(folder, password)
