"""What holds for every screen, in every look: it opens, is accessible, and is left by Escape."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from browser.screens import ABOVE, DIALOGS, OVERVIEW, SHOW, close_all, in_cell, open_above

WIDGETS = ("ds.health_bar()", "ds.canvas()", "ds.records_grid()")
CELLS = (*WIDGETS, *(f"ds.dialog({name!r})" for name in DIALOGS))


def looks(opened: Any) -> Iterator[str]:
    """Each look that the host has, one after the other."""
    if opened.host.name == "voila":
        yield "voila"
        return
    for name in ("light", "dark"):
        opened.theme(name)
        yield name
    opened.theme("light")


class Faults:
    """Collects what is wrong, so that one run tells all of it."""

    def __init__(self) -> None:
        self.found: list[str] = []

    @contextmanager
    def of(self, screen: str) -> Iterator[None]:
        try:
            yield
        except (AssertionError, TimeoutError) as fault:
            self.found.append(f"== {screen}\n{str(fault)[:1500]}")
        except Exception as fault:
            if type(fault).__name__ != "TimeoutError":  # Playwright's own
                raise
            self.found.append(f"== {screen}\n{str(fault)[:600]}")

    def none(self) -> None:
        assert not self.found, "\n".join([f"{len(self.found)} faults", *self.found])


WITHOUT_RECORDS = ("records", "records-grid", "import-records", "import-topics")
"""What opens above an empty dataset: the other steps wait."""


@pytest.mark.parametrize("which", ["full", "empty"])
def test_screens_above_the_overview(opened, datasets, which):
    page = opened.notebook(SHOW.format(id=datasets[which]), "ds", ready=OVERVIEW)
    screens = WITHOUT_RECORDS if which == "empty" else (*DIALOGS, "records-grid", "record")
    faults = Faults()
    for turn, look in enumerate(looks(opened)):
        with faults.of(f"overview, {look}"):
            opened.assert_accessible()
            if turn == 0:
                opened.assert_keyboard_reaches_all(page.locator(".rft-overview"))
        for name in screens:
            with faults.of(f"{name}, {look}"):
                shown = open_above(page, name)
                opened.shot(f"above-{which}-{name}-{look}")
                with faults.of(f"{name}, {look}: axe"):
                    opened.assert_accessible(shown)
                if turn == 0:
                    with faults.of(f"{name}, {look}: keyboard"):
                        opened.assert_keyboard_reaches_all(shown)
            with faults.of(f"{name}, {look}: Escape"):
                close_all(page)
            if page.locator(ABOVE).count():  # what does not close hides the next
                faults.none()
    faults.none()


@pytest.mark.parametrize("which", ["full", "empty"])
def test_screens_in_cells_of_their_own(opened, datasets, which):
    page = opened.notebook(SHOW.format(id=datasets[which]), *CELLS, ready=".rft .rft-health")
    faults = Faults()
    for turn, look in enumerate(looks(opened)):
        for number, code in enumerate(CELLS, 1):
            with faults.of(f"{code}, {look}"):
                shown = in_cell(page, opened.host.name, number)
                name = code.removeprefix("ds.").replace("dialog('", "").strip("()'")
                opened.shot(f"cell-{which}-{name}-{look}", shown)
                with faults.of(f"{code}, {look}: axe"):
                    opened.assert_accessible(shown)
                if turn == 0:
                    with faults.of(f"{code}, {look}: keyboard"):
                        opened.assert_keyboard_reaches_all(shown)
    faults.none()
