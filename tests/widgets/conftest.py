"""Widgets without a page: a comm that keeps what is sent, and speaks for the page."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("anywidget")

import comm
from widgets.wire import Page, Wire

import rft_widgets as rft
from rft_widgets.model.views import DialogName
from rft_widgets.widgets import bundle as bundles


@pytest.fixture(autouse=True)
def built(monkeypatch) -> None:
    """A build of a few bytes: what Python does with it needs no Node."""
    monkeypatch.setattr(comm, "create_comm", Wire)
    files = bundles.Files(
        shim="export default {}", code="export const code = 1", css=".rft{}", editor=""
    )
    monkeypatch.setattr(bundles, "files", _cached(lambda: files))
    bundles._bundle.clear()


def _cached(function: Callable[[], Any]) -> Any:
    function.cache_clear = lambda: None
    return function


@pytest.fixture
def dataset(tmp_path) -> Iterator[rft.OptimizationDataset]:
    with rft.Workspace(tmp_path / "store.db") as workspace:
        yield workspace.create("Support")


@pytest.fixture
def show_dialog() -> Iterator[Callable[[DialogName, rft.OptimizationDataset], Page]]:
    """Show dialogs of datasets; they are closed after the test."""
    made = []

    def show(name: DialogName, of: rft.OptimizationDataset) -> Page:
        made.append(of.dialog(name))
        return Page(made[-1])

    yield show
    for one in made:
        one.close()


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("rft-"):
            thread.join(3)
            assert not thread.is_alive(), f"{thread.name} was left behind"
