"""The page's code of all widgets, sent once a page, and the small module that asks for it.

The code is no synced state: what is synced stands in saved notebooks and in their HTML exports.
The page asks for it by a message, the first time that a widget is shown on it; and for the code
editor, a third of it all, the first time that somebody sees one.
"""

from __future__ import annotations

import functools
import hashlib
import threading
from importlib import resources
from typing import Any

import traitlets
from msgspec import Struct

from rft_widgets.errors import RftError
from rft_widgets.widgets import rpc

SHIM = "shim.js"
CODE = "rft.js"
EDITOR = "editor.js"
STYLE = "rft.css"


class BundleMissing(RftError):  # noqa: N818 - the family reads as what happened
    """The page's code is not in this installation."""


class Files(Struct, frozen=True, kw_only=True):
    """What the build made."""

    shim: str
    code: str
    editor: str
    css: str

    @property
    def sha(self) -> str:
        """Names this version of the code."""
        whole = self.code + self.editor + self.css
        return hashlib.sha256(whole.encode()).hexdigest()[:16]


class Code(Struct, frozen=True, kw_only=True):
    """The page's code and its style."""

    sha: str
    code: str
    css: str


@functools.cache
def files() -> Files:
    """Read what the build made; `BundleMissing` where it did not."""
    folder = resources.files("rft_widgets") / "static"
    try:
        shim, code, editor, css = (
            (folder / name).read_text("utf-8") for name in (SHIM, CODE, EDITOR, STYLE)
        )
    except FileNotFoundError as error:
        raise BundleMissing(
            "The widgets' page code was not built.",
            hint="In a checkout run: python hatch_build.py. Otherwise reinstall rft-widgets.",
        ) from error
    return Files(shim=shim, code=code, editor=editor, css=css)


class Bundle(rpc.Answers):
    """The model that holds the code: never shown itself, one a kernel."""

    _model_name = traitlets.Unicode("WidgetModel").tag(sync=True)
    _view_name = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    sha = traitlets.Unicode().tag(sync=True)

    def __init__(self) -> None:
        super().__init__(sha=files().sha)

    @rpc.method()
    def get_code(self) -> Code:
        """Code and style, whole."""
        return Code(sha=files().sha, code=files().code, css=files().css)

    @rpc.method(packed=True)
    def get_editor(self) -> str:
        """Code of the editor, whole."""
        return files().editor

    def reload(self) -> None:
        """Read the files anew after a build; every open view starts again with the new code."""
        files.cache_clear()
        with self._lock:
            self.sha = files().sha


_lock = threading.Lock()
_bundle: list[Bundle] = []


def bundle() -> Bundle:
    """The kernel's bundle, made when it is first needed."""
    with _lock:
        if not _bundle or _bundle[0].comm is None:
            _bundle[:] = [Bundle()]
        return _bundle[0]


def serialize_bundle(value: Any, _widget: Any) -> str:
    """Name the bundle's model to the page."""
    return f"IPY_MODEL_{value.model_id}"
