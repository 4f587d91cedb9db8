"""Every screen of a dataset, and how a person comes to it with the keyboard alone."""

from __future__ import annotations

from typing import Any

from rft_widgets.model.pipeline import PIPELINE_STEPS
from rft_widgets.model.views import DIALOG_TITLES, DialogName

SHOW = """
import rft_widgets as rft
ds = rft.Workspace().dataset({id!r})
"""
OVERVIEW = ".rft-overview .rft-step"
ABOVE = ".rft-overlay"
"""What stands above the notebook."""

DIALOGS: tuple[DialogName, ...] = tuple(DIALOG_TITLES)
_STEP_OF = {step.dialog: step.id for step in PIPELINE_STEPS}


def open_above(page: Any, name: str) -> Any:
    """Open a dialog, ``records-grid`` of the header, or the first ``record``, from the overview."""
    if name in _STEP_OF:
        page.locator(f'.rft-overview [data-step="{_STEP_OF[name]}"]').first.focus()
        page.keyboard.press("Enter")
    elif name == "generate":
        open_above(page, "coverage")
        _press(page.get_by_role("dialog").get_by_role("button", name="Generate to Fill Gaps"))
    elif name == "labelling":
        grader = open_above(page, "grader")
        _press(grader.get_by_role("tab", name="Compare with Labels"))
        _press(grader.get_by_role("button", name="Label Answers, See the Trust Card"))
    elif name in ("import-records", "import-topics"):
        _press(page.get_by_role("button", name="Data", exact=True).first)
        page.get_by_role("menuitem", name=DIALOG_TITLES[name]).press("Enter", timeout=5_000)
    else:
        _press(page.get_by_role("button", name="Records", exact=True).first)
    shown = page.get_by_role("dialog", name=DIALOG_TITLES.get(name, "Records")).last
    settled(page, shown)
    if name == "record":
        table = shown.get_by_role("grid")
        table.locator("[data-record]").first.wait_for(timeout=10_000)
        table.press("Enter")
        shown.locator(".rft-rec").wait_for(timeout=10_000)
        settled(page, shown)
    return shown


def settled(page: Any, shown: Any) -> None:
    """Wait until nothing in a screen is on its way any more."""
    shown.wait_for(timeout=10_000)
    page.wait_for_function(_IS_SETTLED, arg=shown.element_handle(), timeout=20_000)


_IS_SETTLED = """one => !one.querySelector(".rft-skeleton, [aria-busy=true]")
  && one.getAnimations({ subtree: true }).every(({ playState }) => playState !== "running")"""


_PAINTED = "() => new Promise(go => requestAnimationFrame(() => requestAnimationFrame(go)))"


def close_all(page: Any) -> None:
    """Press Escape until nothing stands above the notebook; each time something has to go.

    From the dialog itself: a field or an editor in it has its own use for the first Escape.
    """
    closes = f"{ABOVE}, .rft-menu, .rft-rec"
    for _ in range(6):
        before = page.locator(closes).count()
        if not before:
            break
        page.locator(closes).last.press("Escape")
        page.wait_for_function(
            "([all, before]) => document.querySelectorAll(all).length < before",
            arg=[closes, before],
            timeout=5_000,
        )
    page.evaluate(_PAINTED)  # the focus goes back to where it was


def in_cell(page: Any, host_name: str, number: int) -> Any:
    """What a cell shows; JupyterLab takes cells that are far from the window off the page."""
    if host_name == "lab":
        page.evaluate(
            "async n => { await window.jupyterapp.shell.currentWidget.content"
            ".scrollToItem(n, 'start') }",
            number,
        )
        output = page.locator(f".jp-Cell[data-windowed-list-index='{number}'] .rft").first
    else:
        output = page.locator(".jp-Cell").nth(number).locator(".rft").first
    settled(page, output)
    return output


def _press(button: Any) -> None:
    button.wait_for(timeout=5_000)
    button.press("Enter")
