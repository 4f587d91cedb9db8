"""The app for a browser: the address that lets one in, and where its pages begin."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from .app_process import running


class RunningApp(NamedTuple):
    """A server of the app; ``address`` has the token in it, ``base`` ends with a slash."""

    pid: int
    address: str
    base: str
    database: Path


@contextlib.contextmanager
def running_app(
    database: Path, *options: str, environment: Mapping[str, str] | None = None
) -> Iterator[RunningApp]:
    """Run the app on a store until the block ends; its worker ends with it."""
    more = dict(environment or {})
    with running(database.parent, *options, database=database, **more) as app:
        base = app.address.partition("?")[0].removesuffix("optimization")
        yield RunningApp(app.process.pid, app.address, base, database)
