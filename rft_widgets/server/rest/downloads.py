"""Files that a call writes for whoever asked: private, and gone when they were sent."""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Iterator

from rft_widgets.server.rest.routing import Attachment
from rft_widgets.widgets.scratch import scratch


@contextlib.contextmanager
def download(name: str, media_type: str) -> Iterator[Attachment]:
    """Name a file that is to be written in a block; where that fails, nothing is left of it."""
    folder = scratch() / f"download-{secrets.token_hex(8)}"
    folder.mkdir(mode=0o700)
    made = Attachment(path=folder / name, name=name, media_type=media_type)
    try:
        yield made
    except BaseException:
        drop(made)
        raise


def drop(made: Attachment) -> None:
    """Remove a file that was sent, or is not wanted any more."""
    shutil.rmtree(made.path.parent, ignore_errors=True)
