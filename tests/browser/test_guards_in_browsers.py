"""What holds for every screen, in every look: it opens, is accessible, and is left by Escape."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from browser.screens import ABOVE, DIALOGS, OVERVIEW, SHOW, close_all, in_cell, open_above
from playwright.sync_api import Error as PlaywrightError

WIDGETS = ("ds.health_bar()", "ds.canvas()", "ds.records_grid()")
CELLS = (*WIDGETS, *(f"ds.dialog({name!r})" for name in DIALOGS))


LOOKS = ("own", pytest.param("dark", marks=pytest.mark.thorough))
"""The page's own look, and JupyterLab's dark one."""


@contextmanager
def wearing(opened: Any, look: str) -> Iterator[None]:
    if look == "own":
        yield
        return
    if opened.host.name == "voila":
        pytest.skip("Voila has one look")
    opened.theme("dark")
    try:
        yield
    finally:
        opened.theme("light")  # it stays in the settings


class Faults:
    """Collects what is wrong, so that one run tells all of it."""

    def __init__(self) -> None:
        self.found: list[str] = []

    @contextmanager
    def of(self, screen: str) -> Iterator[None]:
        try:
            yield
        except (AssertionError, PlaywrightError) as fault:
            self.found.append(f"== {screen}\n{str(fault)[:1500]}")

    def none(self) -> None:
        assert not self.found, "\n".join([f"{len(self.found)} faults", *self.found])


WITHOUT_RECORDS = ("records", "records-grid", "import-records", "import-topics")
"""What opens above an empty dataset: the other steps wait."""


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("which", ["full", "empty"])
def test_screens_above_the_overview(opened, datasets, which, look):
    page = opened.notebook(SHOW.format(id=datasets[which]), "ds", ready=OVERVIEW)
    screens = WITHOUT_RECORDS if which == "empty" else (*DIALOGS, "records-grid", "record")
    with wearing(opened, look):
        faults = Faults()
        look_above(opened, page, screens, which, look, faults)
    faults.none()


def look_above(opened, page, screens, which, look, faults) -> None:
    with faults.of("overview"):
        opened.assert_accessible()
        if look == "own":
            opened.assert_keyboard_reaches_all(page.locator(".rft-overview"))
    for name in screens:
        with faults.of(name):
            shown = open_above(page, name)
            opened.shot(f"above-{which}-{name}-{look}")
            with faults.of(f"{name}: axe"):
                opened.assert_accessible(shown)
            if look == "own":
                with faults.of(f"{name}: keyboard"):
                    opened.assert_keyboard_reaches_all(shown)
        with faults.of(f"{name}: Escape"):
            close_all(page)
        if page.locator(ABOVE).count():  # what does not close hides the next
            faults.none()


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("which", ["full", "empty"])
def test_screens_in_cells_of_their_own(opened, datasets, which, look):
    page = opened.notebook(SHOW.format(id=datasets[which]), *CELLS, ready=".rft .rft-health")
    faults = Faults()
    with wearing(opened, look):
        look_at_cells(opened, page, which, look, faults)
    faults.none()


def look_at_cells(opened, page, which, look, faults) -> None:
    for number, code in enumerate(CELLS, 1):
        with faults.of(code):
            shown = in_cell(page, opened.host.name, number)
            name = code.removeprefix("ds.").replace("dialog('", "").strip("()'")
            opened.shot(f"cell-{which}-{name}-{look}", shown)
            with faults.of(f"{code}: axe"):
                opened.assert_accessible(shown)
            if look == "own":
                with faults.of(f"{code}: keyboard"):
                    opened.assert_keyboard_reaches_all(shown)
