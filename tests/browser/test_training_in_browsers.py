"""From a page: train to a curve and a result, deploy it, ask it, take it back."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser.endpoint import asked

import rft_widgets as rft
from rft_widgets.sample.grader import sample_grader
from rft_widgets.sample.support import write_sample
from rft_widgets.trainers import available

SHOW = """
import rft_widgets as rft
ds = rft.Workspace().dataset({id!r})
"""
AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"
PAYLOAD = "<img src=x onerror=\"window.__xss='img'\"><script>window.__xss=1"
LIGHT, DARK = "JupyterLab Light", "JupyterLab Dark"


def made(host, folder, name: str) -> rft.OptimizationDataset:
    workspace = rft.Workspace(host.database)
    path = write_sample(folder / "s.jsonl", format="jsonl", n=200).path
    ds = workspace.create_from_file(path, name=name, objective="Better answers")
    ds.generate_topics()
    ds.set_grader(sample_grader())
    return ds


@pytest.fixture(scope="module")
def graded(host, tmp_path_factory) -> rft.OptimizationDataset:
    """Ready to be trained on, without a dry run."""
    return made(host, tmp_path_factory.mktemp("graded"), "Support desk")


@pytest.fixture(scope="module")
def trained(host, tmp_path_factory) -> rft.OptimizationDataset:
    """Trained, with markup in its name, in its topics and in a record that is measured on."""
    ds = made(host, tmp_path_factory.mktemp("trained"), f"Desk {PAYLOAD}")
    first = ds.topics.paths[0]
    ds.rename_topic(first, PAYLOAD)
    ds.dry_run(n=60)
    ds.train().wait()
    return ds


def violations(page, selector: str) -> list[str]:
    """What axe-core finds to be serious."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate(
        "selector => axe.run(selector, { resultTypes: ['violations'] }).then(r => r.violations)",
        selector,
    )
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def looked_at(opened, name: str, *, in_dark: bool = False) -> None:
    """Take a picture and look for barriers, on request in Lab's other theme, too."""
    page, selector = opened.page, ".rft-dialog"
    assert violations(page, selector) == []
    opened.shot(name)
    if opened.host.name == "voila" or not in_dark:
        return
    change = "theme => { window.jupyterapp.commands.execute('apputils:change-theme', { theme }) }"
    for theme, mark in ((DARK, "lab-dark"), (LIGHT, "lab-light")):
        page.evaluate(change, theme)
        page.locator(f'.rft[data-rft-theme="{mark}"]').first.wait_for()
        page.locator("#jupyterlab-splash").wait_for(state="detached")
        if theme == DARK:
            assert violations(page, selector) == []
            opened.shot(f"{name}-dark")


def test_from_training_to_an_endpoint_and_back(opened, graded):
    page = opened.notebook(SHOW.format(id=graded.id), "ds.canvas()", ready=".rft .rft-step")
    if opened.host.name == "lab":
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator('[data-step="6"]').click()
    training = page.get_by_role("dialog", name="Train Model")
    training.get_by_text("There was no dry run").wait_for()
    training.get_by_text("Nothing but this computer").wait_for()
    ready = {one.name: one.missing == "" for one in available()}
    radios = training.get_by_role("radio")
    assert {one.get_attribute("value"): one.is_enabled() for one in radios.all()} == ready
    training.get_by_text("What it supports").first.click()
    training.get_by_text("The result is measured here when the run ends.").first.wait_for()
    training.locator(".rft-training-plan[aria-busy=false]").wait_for()
    looked_at(opened, "1-setup", in_dark=True)
    training.get_by_role("button", name="Start Training").click()
    training.get_by_role("progressbar", name="Training").wait_for()
    opened.shot("2-running")
    outcome = training.get_by_role("region", name="Outcome")
    outcome.wait_for(timeout=60_000)
    assert outcome.inner_text().startswith(("Improved", "No clear change"))
    training.locator("svg").first.wait_for()
    assert training.get_by_role("table").filter(has_text="Verdict").count() == 1
    training.get_by_role("button", name="Open Card").click()
    card = training.frame_locator("iframe[title='Run card']")
    assert "Support desk" in card.get_by_role("heading", level=1).inner_text()
    with page.expect_download() as taken:
        training.get_by_role("button", name="Download JSON").click()
    assert taken.value.suggested_filename.endswith(".json")
    training.get_by_role("button", name="Close Card").click()
    looked_at(opened, "3-result", in_dark=True)

    training.get_by_role("button", name="Deploy", exact=True).click()
    deploy = page.get_by_role("dialog", name="Deploy")
    deploy.get_by_role("button", name="Measure Now").click()
    deploy.get_by_role("button", name="Measure Again").wait_for(timeout=30_000)
    looked_at(opened, "4-deploy")

    deploy.get_by_role("tab", name="Playground").click()
    deploy.get_by_label("Validation prompt").select_option(index=1)
    deploy.get_by_role("button", name="Ask Both").click()
    deploy.get_by_role("region", name="Trained").locator(".rft-number").wait_for()
    sources = deploy.locator(".rft-deploy-source").all_inner_texts()
    assert [" ms · " in words for words in sources] == [True, True]
    looked_at(opened, "5-playground")

    deploy.get_by_role("tab", name="Model & Mode").click()
    deploy.get_by_role("button", name="Deploy", exact=True).click()
    endpoint = deploy.get_by_role("article", name="rft-support-desk")
    endpoint.get_by_text("Serving", exact=True).wait_for(timeout=20_000)
    url = endpoint.locator("dd code").first.inner_text()
    assert url.startswith("http://127.0.0.1:")
    endpoint.get_by_role("button", name="Show Token").click()
    endpoint.get_by_role("button", name="Hide Token").wait_for()
    token = endpoint.locator(".rft-deploy-token").inner_text()
    if opened.host.name == "lab":
        endpoint.get_by_role("button", name="Copy Token").click()
        endpoint.get_by_text("Token copied.").wait_for()
        assert page.evaluate("() => navigator.clipboard.readText()") == token
    assert asked(url, token, "rft-support-desk") == (200, "tuned")
    assert asked(url, "wrong", "rft-support-desk")[0] == 401
    endpoint.get_by_role("row", name="Trained").get_by_role("cell", name="1", exact=True).wait_for()
    endpoint.get_by_role("button", name="Hide Token").click()
    looked_at(opened, "6-endpoint", in_dark=True)

    endpoint.get_by_role("button", name="Roll Back").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Roll Back").click()
    endpoint.get_by_text("Rolled back", exact=True).wait_for()
    assert asked(url, token, "rft-support-desk")[0] == 404
    endpoint.get_by_role("button", name="Stop").click()
    endpoint.get_by_role("button", name="Start").wait_for()
    assert graded.deployments[-1].status == "rolled_back"


def test_pause_resume_and_cancel(opened, graded):
    page = opened.notebook(SHOW.format(id=graded.id), 'ds.dialog("training")', ready=".rft-dialog")
    again = page.get_by_role("button", name="Train Again")
    start = page.get_by_role("button", name="Start Training")
    again.or_(start).wait_for()
    if again.is_visible():
        again.click()
    page.get_by_label("Epochs").fill("10")
    page.get_by_text("More settings").click()
    page.get_by_label("Evaluations").fill("100")
    page.keyboard.press("Enter")
    start.click()
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Resume").wait_for(timeout=20_000)
    assert page.get_by_text("Paused", exact=True).first.is_visible()
    opened.shot("7-paused")
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("alertdialog").get_by_role("button", name="Cancel Training").click()
    page.get_by_text("Cancelled", exact=True).first.wait_for(timeout=20_000)
    assert graded.training_jobs[-1].status == "cancelled"


def test_texts_are_text(opened, trained):
    page = opened.notebook(
        SHOW.format(id=trained.id),
        'ds.dialog("training")',
        'ds.dialog("deploy")',
        ready=".rft-dialog",
    )
    page.get_by_role("region", name="Outcome").wait_for()
    assert page.locator("th", has_text=PAYLOAD).count() > 0
    page.get_by_role("tab", name="Playground").click()
    page.get_by_label("Prompt", exact=True).fill(PAYLOAD)
    page.get_by_role("button", name="Ask Both").click()
    page.get_by_role("region", name="Trained").wait_for()
    assert page.evaluate("() => window.__xss") is None
    assert page.locator(".rft img, .rft script").count() == 0
    opened.shot("8-cells")
