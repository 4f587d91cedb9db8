"""A person who never saw a notebook: from the empty list to a model that answers."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser.app_server import RunningApp, running_app
from browser.endpoint import asked

from rft_widgets.sample.grader import sample_grader
from rft_widgets.sample.support import write_sample

SHOTS = Path(os.environ["RFT_SCREENSHOTS"]) if "RFT_SCREENSHOTS" in os.environ else None
BAD_LINES = ("{not json", "[]", '{"messages": "none"}', '{"messages": []}')


@pytest.fixture(scope="module")
def traces(tmp_path_factory) -> Path:
    """A folder that the operator lets the app read, with what a gateway exported."""
    folder = tmp_path_factory.mktemp("traces")
    write_sample(folder / "support.otlp.jsonl", format="otlp", n=300)
    return folder


@pytest.fixture(scope="module")
def app(traces, tmp_path_factory) -> Iterator[RunningApp]:
    database = tmp_path_factory.mktemp("app") / "store.db"
    with running_app(database, environment={"RFT_WIDGETS_TRACES": str(traces)}) as running:
        yield running


@pytest.fixture
def page(app, browser) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    shown = context.new_page()
    wrong: list[str] = []
    shown.on("pageerror", lambda error: wrong.append(str(error)))
    shown.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    shown.on("request", lambda one: None if is_ours(one.url, app) else wrong.append(one.url))
    shown.set_default_timeout(30_000)
    shown.goto(app.address)
    yield shown
    context.close()
    assert not wrong, wrong


def is_ours(url: str, app: RunningApp) -> bool:
    return url.startswith((app.base, app.base.replace("http", "ws", 1), "data:", "blob:"))


def shot(page: Any, name: str) -> None:
    if SHOTS is not None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SHOTS / f"story-{name}.png")


def press(where: Any, name: str) -> None:
    where.get_by_role("button", name=name, exact=True).click()


def step(page: Any, number: int, dialog: str) -> Any:
    page.locator(f'[data-step="{number}"]').click()
    return page.get_by_role("dialog", name=dialog)


def from_canvas_to_answer(page: Any, tmp_path: Path) -> None:
    """Everything after the dataset was begun; the canvas is on the screen."""
    page.locator('[data-step="3"].rft-is-attention, [data-step="3"].rft-is-complete').wait_for(
        timeout=60_000
    )
    page.get_by_text("Prepare the dataset").wait_for(state="detached", timeout=60_000)
    shot(page, "1-canvas")

    coverage = step(page, 3, "Coverage Analysis")
    coverage.get_by_text("Target: > 0.6").wait_for()
    shot(page, "2-coverage")
    press(coverage, "Skip for Now")

    grader = step(page, 4, "Grader Config")
    file = tmp_path / "grader.json"
    file.write_text(json.dumps(sample_grader()))
    grader.get_by_label("Grader file").set_input_files(file)
    press(grader, "Test on 5 Samples")
    grader.locator(".rft-grader-answer").nth(4).wait_for()
    press(grader, "Save")
    page.locator('[data-step="4"].rft-is-configured').wait_for()
    shot(page, "3-grader")
    page.keyboard.press("Escape")

    dry_run = step(page, 5, "Dry Run")
    press(dry_run, "Start Dry Run")
    dry_run.get_by_text("GO", exact=True).first.wait_for(timeout=60_000)
    shot(page, "4-dry-run")
    press(dry_run, "Proceed to Training")

    training = page.get_by_role("dialog", name="Train Model")
    press(training, "Start Training")
    training.get_by_role("progressbar", name="Training").wait_for()
    outcome = training.get_by_role("region", name="Outcome")
    outcome.wait_for(timeout=120_000)
    assert outcome.inner_text().startswith("Improved")
    shot(page, "5-training")
    press(training, "Deploy")

    deploy = page.get_by_role("dialog", name="Deploy")
    deploy.get_by_role("tab", name="Playground").click()
    deploy.get_by_label("Validation prompt").select_option(index=1)
    press(deploy, "Ask Both")
    deploy.get_by_role("region", name="Trained").locator(".rft-number").wait_for()
    shot(page, "6-playground")
    deploy.get_by_role("tab", name="Model & Mode").click()
    press(deploy, "Deploy")
    endpoint = deploy.get_by_role("article").first
    endpoint.get_by_text("Serving", exact=True).wait_for(timeout=60_000)
    url = endpoint.locator("dd code").first.inner_text()
    press(endpoint, "Show Token")
    endpoint.get_by_role("button", name="Hide Token").wait_for()
    token = endpoint.locator(".rft-deploy-token").inner_text()
    model = endpoint.get_attribute("aria-label") or ""
    shot(page, "7-deployed")
    assert asked(url, token, model)[0] == 200
    assert asked(url, "wrong", model)[0] == 401
    page.keyboard.press("Escape")
    page.locator('[data-step="7"].rft-is-complete').wait_for()
    page.get_by_role("link", name="Back").or_(page.locator(".rft-page-head a")).first.click()
    page.get_by_text("Deployed").first.wait_for()
    shot(page, "8-list")
    # The page goes, and its kernel with it: the endpoint is not theirs.
    page.goto("about:blank")
    assert asked(url, token, model)[0] == 200


def test_from_traces_to_a_deployed_model(page, tmp_path):
    page.get_by_text("No datasets yet").wait_for()
    page.get_by_role("link", name="New Dataset").click()
    page.get_by_role("heading", name="New Dataset").wait_for()
    page.get_by_text("Matching").first.wait_for(timeout=60_000)
    page.get_by_label("Min turns").select_option("1")
    page.get_by_role("checkbox", name="Select all").click()
    page.get_by_text(re.compile(r"Selected: \d+ traces")).wait_for()
    name = page.get_by_label("Dataset Name *")
    name.fill("Support desk")
    page.get_by_label("Training Objective *").fill("Answer from policy, completely and briefly")
    shot(page, "0-create")
    page.get_by_role("button", name="Create Dataset & Start").click()
    page.locator(".rft-step").nth(6).wait_for()
    from_canvas_to_answer(page, tmp_path)


@pytest.mark.thorough
def test_from_an_uploaded_file_with_broken_lines_to_a_deployed_model(page, tmp_path):
    good = write_sample(tmp_path / "good.jsonl", format="jsonl", n=300, seed=8).path
    lines = good.read_text("utf-8").splitlines()
    count = len(lines) // 19
    for number in range(count):
        lines.insert(number * 20, BAD_LINES[number % len(BAD_LINES)])
    file = tmp_path / "support.jsonl"
    file.write_text("\n".join(lines), "utf-8")

    page.get_by_role("link", name="New Dataset").click()
    page.get_by_role("tab", name="Upload File").click()
    page.locator('input[type="file"]').set_input_files(file)
    page.get_by_text("will be excluded").first.wait_for(timeout=60_000)
    press(page, "View Errors")
    page.get_by_text("invalid_json").first.wait_for()
    shot(page, "9-errors")
    page.keyboard.press("Escape")
    page.get_by_label("Dataset Name *").fill("From a file")
    page.get_by_label("Training Objective *").fill("Answer from policy")
    page.get_by_role("button", name="Create Dataset & Start").click()
    page.locator(".rft-step").nth(6).wait_for()
    from_canvas_to_answer(page, tmp_path)
