"""A person trains a language model from the dialog, looks at what it learned from, and chooses."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import accessible
from browser.app_server import RunningApp, running_app
from training.digits import fill

import rft_widgets as rft

pytestmark = [pytest.mark.training, pytest.mark.slow]
pytest.importorskip("trl")

from rft_widgets.testing.tiny_model import make_tiny_model  # noqa: E402

SHOTS = Path(os.environ["RFT_SCREENSHOTS"]) if "RFT_SCREENSHOTS" in os.environ else None
SETTINGS = {
    "Most steps": "24",
    "Learning rate": "0.01",
    "Prompts a step": "4",
    "Longest answer": "12",
    "Evaluations": "2",
}


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def app(tmp_path_factory) -> Iterator[tuple[RunningApp, str]]:
    database = tmp_path_factory.mktemp("app") / "store.db"
    with rft.Workspace(database) as workspace:
        dataset = fill(workspace.create("Digits")).id
    with running_app(database, environment={"OMP_NUM_THREADS": "1"}) as running:
        yield running, dataset


def looked_at(page: Any, name: str) -> None:
    """Look for barriers, and keep a picture where somebody asked for it."""
    assert accessible.violations(page, page.locator(".rft-dialog").last) == []
    if SHOTS is not None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SHOTS / f"language-{name}.png")


def test_from_the_folder_of_a_model_to_a_checkpoint_that_somebody_chose(app, browser, model):
    running, dataset = app
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.set_default_timeout(60_000)
    page.goto(running.address)
    page.locator(".rft-dataset-link").first.wait_for()
    page.goto(f"{running.base}optimization/{dataset}?dialog=training")
    dialog = page.get_by_role("dialog", name="Train Model")

    dialog.get_by_role("radio", name=re.compile("^Your own GPU")).check()
    start = dialog.get_by_role("button", name="Start Training")
    dialog.get_by_text("Name the model that is trained.").wait_for()
    assert start.is_disabled()
    base = dialog.get_by_label("Model that is trained")
    base.fill(str(model / "nowhere"))
    dialog.locator(".rft-field-wrong").get_by_text("nowhere").wait_for()
    looked_at(page, "1-refused")
    base.fill(str(model))
    dialog.get_by_text("More settings").click()
    for label, value in SETTINGS.items():
        dialog.get_by_label(label, exact=True).fill(value)
        page.keyboard.press("Enter")
    dialog.get_by_text(f"More settings ({len(SETTINGS)} changed)").wait_for()
    dialog.get_by_label("Epochs", exact=True).fill("10")
    page.keyboard.press("Enter")
    dialog.locator(".rft-training-plan[aria-busy=false]").get_by_text("Gradings here").wait_for()
    looked_at(page, "2-setup")
    start.click()

    dialog.get_by_role("progressbar", name="Training").wait_for()
    learned = dialog.get_by_text("Answers it learned from")
    learned.click()
    dialog.get_by_label("Order").wait_for(timeout=120_000)
    dialog.get_by_label("Order").select_option("best")
    looked_at(page, "3-running")

    outcome = dialog.get_by_role("region", name="Outcome")
    outcome.wait_for(timeout=240_000)
    assert outcome.inner_text().startswith("Improved")
    dialog.get_by_text("the base model tiny").wait_for()
    assert "recorded answer" not in dialog.inner_text()
    looked_at(page, "4-result")
    dialog.get_by_text(re.compile("^More curves")).click()
    dialog.get_by_label("Curve").select_option("completion_tokens")

    dialog.get_by_label("Step", exact=True).select_option(index=0)
    dialog.get_by_role("button", name=re.compile("^Show record r")).first.click()
    records = page.get_by_role("dialog", name="Records")
    records.get_by_text("1 of 60").wait_for()
    records.get_by_role("button", name="Close").first.click()
    looked_at(page, "5-answers")

    dialog.get_by_text(re.compile(r"^Checkpoints \(")).click()
    dialog.get_by_role("button", name=re.compile("^Serve the checkpoint")).first.click()
    dialog.get_by_text("because somebody chose it").wait_for()
    dialog.get_by_role("button", name="Serve the run's choice").click()
    dialog.get_by_text("because somebody chose it").wait_for(state="detached")
    dialog.get_by_text("Compare checkpoints").click()
    dialog.get_by_role("button", name="Compare Now").click()
    dialog.get_by_role("region", name="Comparison of checkpoints").wait_for(timeout=120_000)
    looked_at(page, "6-comparison")

    dialog.get_by_role("button", name="Deploy", exact=True).click()
    deploy = page.get_by_role("dialog", name="Deploy")
    deploy.get_by_label("Training run").wait_for()
    with rft.Workspace(running.database) as workspace:
        (job,) = workspace.dataset(dataset).training_jobs
        assert deploy.get_by_label("Training run").input_value() == job.id
        assert job.config.base_model == str(model)
        assert job.report.change.after_mean > 0.9
    context.close()
    assert not wrong, wrong
