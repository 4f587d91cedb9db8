"""A dataset is created in the app: of traces that were selected, and of a file that was sent."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from browser import accessible
from browser.app_server import RunningApp, running_app
from browser.conftest import SHOTS
from builders import chat_line
from openai_stand_in.sdk_client import asked, connected

import rft_widgets as rft
from rft_widgets.sample.support import write_sample
from rft_widgets.testing.openai_server import OpenAIServer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    folder = tmp_path_factory.mktemp("create")
    traces = folder / "traces"
    traces.mkdir()
    write_sample(traces / "gateway.otlp.jsonl", n=300)
    environment = {"RFT_WIDGETS_TRACES": str(traces), "HOME": str(folder)}
    with running_app(folder / "store.db", environment=environment) as running:
        yield running


@pytest.fixture
def page(app: RunningApp, browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    shown = context.new_page()
    errors: list[str] = []
    shown.on("pageerror", lambda error: errors.append(str(error)))
    shown.goto(app.address)
    shown.goto(f"{app.base}optimization/new")
    yield shown
    context.close()
    assert not errors


def shot(page: Any, name: str) -> None:
    if SHOTS is not None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SHOTS / f"{name}.png")


def node(page: Any, number: int) -> Any:
    return page.locator(".react-flow__node").nth(number - 1)


def dataset_of(page: Any, app: RunningApp, workspace: rft.Workspace) -> Any:
    page.wait_for_url("**/optimization/ds_*")
    return workspace.dataset(page.url.rsplit("/", 1)[1])


def with_faults(path: Path, records: int) -> Path:
    """Of every twenty lines one that is faulty: by turns no JSON, and one that says nothing."""
    lines = [
        json.dumps(chat_line(f"A long question of number {n}", "Yes.")) for n in range(records)
    ]
    for n in range(0, records, 20):
        lines[n] = "{" if n % 40 else json.dumps(chat_line(f"Hi {n}"))
    path.write_text("\n".join(lines))
    return path


def test_traces_of_a_filter_become_a_dataset_that_fills_itself(page: Any, app: RunningApp) -> None:
    page.locator(".rft-trace-text").first.wait_for()
    total = int(re.search(r"of ([\d,]+) total", page.inner_text(".rft-trace-counts"))[1])
    assert total > 300
    page.get_by_label("Search").fill("refund")
    page.get_by_text(re.compile(r"Matching \d\d of")).wait_for()
    matching = int(re.search(r"Matching (\d+)", page.inner_text(".rft-trace-counts"))[1])
    page.get_by_label(f"Select All ({matching})").check()
    page.get_by_text(f"Selected: {matching} traces").wait_for()
    # What a filter hides stays selected.
    page.get_by_label("Search").fill("")
    page.get_by_label(f"Select All ({total})").wait_for()
    assert page.get_by_text(f"Selected: {matching} traces").is_visible()
    page.get_by_text(f"From {matching} conversations").wait_for()
    assert not accessible.violations(page, page.locator(".rft-app"))
    shot(page, "create-traces")

    objective = page.get_by_label("Training Objective")
    assert objective.input_value()
    page.get_by_label("Dataset Name").fill("Refunds")
    page.get_by_role("button", name="Create Dataset").click()
    page.get_by_role("heading", name="Refunds").wait_for()
    with rft.Workspace(app.database) as workspace:
        dataset = dataset_of(page, app, workspace)
        node(page, 2).get_by_text("Complete").or_(node(page, 2).get_by_text("Attention")).wait_for(
            timeout=60_000
        )
        assert dataset.stats.total_records == matching
        assert dataset.topics.paths
    node(page, 3).get_by_text("Balance:").wait_for()
    shot(page, "create-canvas")


def test_the_list_scrolls_and_single_traces_are_selected_by_keyboard(page: Any) -> None:
    page.locator(".rft-trace-text").first.wait_for()
    first = page.locator(".rft-trace-text").first.inner_text()
    frame = page.locator(".rft-trace-frame")
    frame.evaluate("element => { element.scrollTop = 58 * 250 }")
    page.locator("li[aria-posinset='252'] .rft-trace-text").wait_for()
    assert page.locator(".rft-trace-item").count() < 40, "only what is in sight is drawn"
    frame.evaluate("element => { element.scrollTop = 0 }")
    page.locator("li[aria-posinset='1'] .rft-trace-text", has_text=first).wait_for()
    page.locator(".rft-trace-all input").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.get_by_text("Selected: 1 trace", exact=True).wait_for()
    page.get_by_role("button", name="Clear selection").click()
    page.get_by_text("Selected: 0 traces").wait_for()


def test_a_file_with_faulty_lines_is_sent_shown_and_created(
    page: Any, app: RunningApp, tmp_path: Path
) -> None:
    path = with_faults(tmp_path / "calls.jsonl", 400)
    page.get_by_role("tab", name="Upload File").click()
    shot(page, "create-drop")
    puts: list[str] = []
    page.on("request", lambda request: request.method == "PUT" and puts.append(request.url))
    page.get_by_label("Drop your file here").set_input_files(path)
    page.get_by_text("10 records have validation errors. These will be excluded.").wait_for()
    assert len(puts) == 1, "over HTTP, not through the kernel's channel"
    assert "/api/optimization/uploads/" in puts[0]
    page.get_by_role("button", name="View Errors").click()
    page.get_by_text("user_message_too_short").first.wait_for()
    page.get_by_text("20 faults").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Errors as CSV").click()
    assert download.value.suggested_filename == "calls-errors.csv"
    assert page.get_by_text("[USR]").first.is_visible()
    assert not accessible.violations(page, page.locator(".rft-app"))
    shot(page, "create-file")

    # A reload keeps the file.
    page.reload()
    page.get_by_text("10 records have validation errors").wait_for()
    page.get_by_label("Dataset Name").fill("From a file")
    page.get_by_label("Training Objective").fill("Answer yes")
    page.get_by_role("button", name="Create Dataset").click()
    with rft.Workspace(app.database) as workspace:
        dataset = dataset_of(page, app, workspace)
        node(page, 2).get_by_text("topic").first.wait_for(timeout=60_000)
        assert dataset.jobs[0].wait(60).state.status == "succeeded"
        assert (dataset.stats.total_records, dataset.stats.valid_records) == (390, 380)
        assert not list(workspace._store.side_folder.glob("uploads/*.data"))


def test_a_file_that_is_no_data_says_so(page: Any, tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text("[1, 2")
    page.get_by_role("tab", name="Upload File").click()
    page.get_by_label("Drop your file here").set_input_files(path)
    page.get_by_role("alert").get_by_text("broken.json starts as a JSON array").wait_for()
    shot(page, "create-broken")


def test_what_was_not_allowed_is_refused_with_the_way_to_allow_it(page: Any) -> None:
    page.get_by_label("Traces from").select_option(label="Another file or address...")
    page.get_by_label("Address of a gateway").fill("/etc/passwd")
    page.get_by_role("button", name="Open").click()
    page.get_by_role("alert").get_by_text("RFT_WIDGETS_TRACES").wait_for()
    shot(page, "create-refused")


def test_leaving_with_an_upload_under_way_asks(page: Any, tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    path.write_bytes(b"{}\n" * 200_000)
    page.route("**/api/optimization/uploads/**", lambda route: None)  # it never gets an answer
    page.get_by_role("tab", name="Upload File").click()
    page.get_by_label("Drop your file here").set_input_files(path)
    page.get_by_role("progressbar", name="Upload").wait_for()
    page.get_by_label("Back to the datasets").click()
    page.get_by_role("alertdialog").wait_for()
    shot(page, "create-leaving")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Stop").click()
    page.get_by_label("Drop your file here").wait_for(state="attached")
    page.get_by_label("Back to the datasets").click()
    page.get_by_role("heading", name="Your Datasets").wait_for()


@pytest.mark.thorough
def test_a_file_of_a_gigabyte_is_sent_without_taking_memory(
    page: Any, app: RunningApp, tmp_path: Path
) -> None:
    path = tmp_path / "large.jsonl"
    filler = "All work and no play makes a long answer. " * 300
    with path.open("w") as file:
        for n in range(80_000):
            file.write(json.dumps(chat_line(f"A long question {n}", filler)) + "\n")
    size = path.stat().st_size
    assert size > 1e9
    server = psutil.Process(app.pid)
    before = peak = server.memory_info().rss
    page.get_by_role("tab", name="Upload File").click()
    page.get_by_label("Drop your file here").set_input_files(path)
    page.get_by_role("progressbar", name="Upload").wait_for()
    began = time.monotonic()
    checking = page.get_by_role("progressbar", name="Checking the file")
    ready = page.get_by_text("large.jsonl").and_(page.locator("strong"))
    while not checking.or_(ready).first.is_visible():
        assert time.monotonic() - began < 240, "it does not arrive"
        peak = max(peak, server.memory_info().rss)
    ready.wait_for(timeout=240_000)
    assert page.locator(".rft-stat", has_text="Valid").first.inner_text().split()[-1] == "80,000"
    assert peak - before < 200 * 1024**2
    page.get_by_role("button", name="Choose Another File").click()
    page.get_by_label("Drop your file here").wait_for(state="attached")
    with rft.Workspace(app.database) as workspace:
        assert not list(workspace._store.side_folder.glob("uploads/*.data"))


def test_what_a_service_stores_becomes_a_dataset(page: Any, app: RunningApp) -> None:
    with (
        OpenAIServer() as service,
        connected(service) as client,
        rft.Workspace(app.database) as workspace,
    ):
        for n in range(12):
            question = {"role": "user", "content": f"Where is parcel {n} of mine?"}
            asked(client, [question], store=True)
        before = len(service.requests)
        workspace.add_connection("support", service.base_url, "m")
        page.reload()
        page.locator(".rft-trace-text").first.wait_for()
        assert len(service.requests) == before  # nobody has chosen it
        page.get_by_label("Traces from").select_option(label="Stored completions of support")
        page.get_by_text("of 12 total").wait_for()
        shot(page, "create-stored")
        page.get_by_label("Select All (12)").check()
        page.get_by_label("Training Objective").fill("Find parcels")
        page.get_by_label("Dataset Name").fill("Stored")
        page.get_by_role("button", name="Create Dataset").click()
        dataset = dataset_of(page, app, workspace)
        assert dataset.jobs[0].wait(60).state.status == "succeeded"
        assert dataset.count() == 12
        workspace.remove_connection("support")
