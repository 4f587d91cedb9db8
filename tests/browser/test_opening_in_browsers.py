"""Steps open their dialogs above the canvas, and give the focus back."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

import rft_widgets as rft
from rft_widgets.model.pipeline import PIPELINE_STEPS
from rft_widgets.model.views import DIALOG_TITLES
from rft_widgets.sample.grader import sample_grader
from rft_widgets.sample.support import write_sample

SHOW = """
import rft_widgets as rft
ds = rft.Workspace().dataset({id!r})
"""


@pytest.fixture(scope="module")
def trained(host, tmp_path_factory) -> str:
    """A dataset in which no step waits."""
    with rft.Workspace(host.database) as workspace:
        path = write_sample(tmp_path_factory.mktemp("sample") / "s.jsonl", format="jsonl").path
        ds = workspace.create_from_file(path, name="Support desk", objective="Better answers")
        ds.generate_topics()
        ds.set_grader(sample_grader())
        ds.dry_run()
        ds.train().wait()
        return ds.id


@pytest.mark.parametrize("view", ["ds.canvas()", "ds"])
def test_every_step_opens_its_dialog(opened, trained, view):
    page = opened.notebook(SHOW.format(id=trained), view, ready=".rft .rft-step")
    for step in PIPELINE_STEPS:
        node = page.locator(f'[data-step="{step.id}"]')
        node.focus()
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name=DIALOG_TITLES[step.dialog])
        dialog.wait_for(timeout=5_000)
        expect(dialog.locator(".rft-skeletons")).to_have_count(0, timeout=20_000)
        opened.shot(f"dialog-{step.dialog}")
        page.keyboard.press("Escape")
        dialog.wait_for(state="detached", timeout=5_000)
        page.wait_for_function(
            "id => document.activeElement.dataset.step === id", arg=str(step.id), timeout=2_000
        )
