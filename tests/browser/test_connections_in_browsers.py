"""Connections to models on the settings page, and where a key is not: anywhere in a browser."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser.app_server import RunningApp, running_app
from browser.conftest import Host, Opened
from browser.screens import settled
from playwright.sync_api import expect

import rft_widgets as rft
from rft_widgets.sample.support import write_sample
from rft_widgets.testing.process import ServerProcess, server_process

KEY = "sk-browser-5e0c1a9d77"
MARK = "a-mark-that-is-in-the-page"
VARIABLE = "RFT_TEST_BROWSER_KEY"
MODELS = {"judge-large": None, "judge-old": "2026-01-31", "embedder": None}
JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "judge-large",
    "input": [{"role": "user", "content": "Rate this answer: {{ sample.output_text }}"}],
    "range": [0, 1],
}


class World:
    """A store with a dataset, the app on it, and a service that wants a key."""

    def __init__(self, app: RunningApp, service: ServerProcess, ds: str, folder: Path) -> None:
        self.app, self.service, self.dataset, self.folder = app, service, ds, folder


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("connections")
    with contextlib.ExitStack() as stack:
        stack.enter_context(pytest.MonkeyPatch.context()).setenv(VARIABLE, KEY)
        service = stack.enter_context(server_process(models=MODELS, key_env=VARIABLE))
        with rft.Workspace(folder / "store.db") as workspace:
            path = write_sample(folder / "s.jsonl", format="jsonl", n=40).path
            ds = workspace.create_from_file(path, name="Support desk").id
            workspace.add_connection("old", service.base_url, "judge-old", api_key_env=VARIABLE)
        allowed = {"RFT_WIDGETS_CONNECTIONS": f"{service.base_url}={VARIABLE}"}
        app = stack.enter_context(running_app(folder / "store.db", environment=allowed))
        yield World(app, service, ds, folder)


@pytest.fixture
def frames() -> list[bytes]:
    """All that went through sockets of the page, both ways."""
    return []


@pytest.fixture
def opened(world, browser, frames) -> Iterator[Opened]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()

    def listen(socket: Any) -> None:
        for event in ("framesent", "framereceived"):
            socket.on(
                event, lambda data: frames.append(data.encode() if isinstance(data, str) else data)
            )

    page.on("websocket", listen)
    made = Opened(Host("app", world.app.base, world.folder), page)
    token = world.app.address.partition("?")[2]
    page.goto(f"{world.app.base}optimization/{world.dataset}/settings?{token}")
    page.get_by_role("region", name="Models").wait_for(timeout=60_000)
    yield made
    context.close()
    assert not made.errors, made.errors
    assert not made.left, f"requests left the machine: {made.left}"


def models(page: Any) -> Any:
    return page.get_by_role("region", name="Models")


def fill(page: Any, **values: str) -> Any:
    form = page.get_by_role("dialog")
    for label, value in values.items():
        form.get_by_label(label.replace("_", " "), exact=True).fill(value)
    return form


def memory_of(page: Any) -> str:
    """Everything that is in the page's memory, as text."""
    session = page.context.new_cdp_session(page)
    pieces: list[str] = []
    session.on("HeapProfiler.addHeapSnapshotChunk", lambda event: pieces.append(event["chunk"]))
    session.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
    session.detach()
    return "".join(pieces)


def test_connections_are_made_tested_and_used_and_no_key_comes_to_the_page(opened, world, frames):
    page = opened.page
    part = models(page)
    settled(page, part)
    opened.shot("models-before")
    page.get_by_role("button", name="Add Connection").click()
    form = fill(
        page,
        Name="judge",
        Base_URL=world.service.base_url,
        Model="judge-large",
        Variable_with_the_key=VARIABLE,
    )
    form.get_by_text("Limits, prices, embeddings").click()
    fill(
        page,
        Embedding_model="embedder",
        Dollars_a_million_input_tokens="0.15",
        Dollars_a_million_output_tokens="0.60",
    )
    opened.shot("models-form")
    opened.assert_accessible(form)
    form.get_by_role("button", name="Save").click()
    item = part.get_by_role("listitem", name="judge", exact=True)
    item.get_by_role("button", name="Test judge").click()
    expect(item).to_contain_text("Answered in", timeout=20_000)
    abilities = item.get_by_role("list", name="What it can do")
    for words in (
        "Tools: Yes",
        "Response schema: Yes",
        "Log probabilities: Yes",
        "Embeddings: Yes",
    ):
        expect(abilities).to_contain_text(words)

    gone = part.get_by_role("listitem", name="old", exact=True)
    gone.get_by_role("button", name="Test old").click()
    expect(gone).to_contain_text("judge-old was shut down on 2026-01-31", timeout=20_000)
    opened.shot("models-tested")
    opened.assert_accessible(part)

    with rft.Workspace(world.app.database) as workspace:
        ds = workspace.dataset(world.dataset)
        ds.set_grader(JUDGE, connection="judge")
        job = ds.submit("test_grader", {"grader": JUDGE, "connection": "judge", "n": 4})
        assert job.wait(60).state.status == "succeeded", job.log
    page.get_by_role("button", name="Jobs").first.click()
    panel = page.get_by_role("dialog", name="Jobs")
    expect(panel).to_contain_text("4 calls to models", timeout=10_000)
    expect(panel).to_contain_text("<$0.01")
    opened.shot("models-job")
    panel.get_by_role("button", name="Close").click()
    page.reload()
    stats = page.get_by_role("region", name="Statistics")
    expect(stats).to_contain_text("4 to judge", timeout=60_000)
    stats.scroll_into_view_if_needed()
    opened.shot("models-statistics")
    models(page).get_by_role("button", name="Edit judge").click()

    page.evaluate("mark => { window.__mark = mark + '' }", MARK)
    memory = memory_of(page)
    assert MARK in memory, "what is in the page is in its memory"
    assert VARIABLE in memory
    assert KEY not in memory
    sent = b"\n".join(frames)
    assert VARIABLE.encode() in sent
    assert KEY.encode() not in sent
    kept = "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
    assert KEY not in page.content() + page.evaluate(kept)
    # Nor does it lie about where the app writes.
    files = [path for path in world.folder.rglob("*") if path.is_file()]
    assert any(path.suffix == ".log" for path in files)
    assert [str(path) for path in files if KEY.encode() in path.read_bytes()] == []
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()


def test_what_a_page_may_not_save_and_what_does_not_answer_is_said(opened, world):
    page = opened.page
    page.get_by_role("button", name="Add Connection").click()
    form = fill(page, Name="elsewhere", Base_URL="https://models.example.com/v1", Model="m")
    key = form.get_by_label("Variable with the key", exact=True)
    key.fill("sk-something-secret")
    expect(form.get_by_role("alert")).to_contain_text("Never put the key itself here")
    expect(form.get_by_role("button", name="Save")).to_be_disabled()
    key.fill(VARIABLE)
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert")).to_contain_text("was not allowed for pages")
    expect(form.get_by_role("alert")).to_contain_text("RFT_WIDGETS_CONNECTIONS")
    opened.shot("models-not-allowed")
    key.fill("")
    fill(page, Name="nobody there", Base_URL="http://127.0.0.1:9/v1")
    form.get_by_role("button", name="Save").click()
    item = models(page).get_by_role("listitem", name="nobody there", exact=True)
    item.get_by_role("button", name="Test nobody there").click()
    expect(item).to_contain_text("cannot connect to http://127.0.0.1:9/v1", timeout=20_000)
    opened.shot("models-nobody")
    item.get_by_role("button", name="Remove nobody there").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Remove").click()
    expect(item).to_have_count(0)
    with rft.Workspace(world.app.database) as workspace:
        assert "nobody there" not in [one.name for one in workspace.connections]
