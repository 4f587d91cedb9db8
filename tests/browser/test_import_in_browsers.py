"""A file from a browser is looked at, imported, and can be stopped at any time."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import chat_line
from playwright.sync_api import expect

import rft_widgets as rft
from rft_widgets.sample.support import write_sample
from rft_widgets.store.schema import activities
from rft_widgets.widgets.uploads import PIECE_BYTES

SHOW = """
import rft_widgets as rft
ds = rft.Workspace().dataset({id!r})
"""
READY = ".rft-overview .rft-step"
XSS = "<img src=x onerror=window.__xss=1>"


def lines(count: int, start: int = 0, *, invalid: int = 0, refused: int = 0, filler: str = ""):
    good = [
        chat_line(f"Where is order number {n} of mine? {filler}", f"Order {n} left on Monday.")
        for n in range(start, start + count)
    ]
    short = [chat_line(f"{n}?") for n in range(invalid)]
    return "".join(f"{json.dumps(one)}\n" for one in good + short) + "{\n" * refused


@pytest.fixture(scope="module")
def workspace(host):
    with rft.Workspace(host.database) as opened:
        yield opened


@pytest.fixture
def dataset(workspace) -> rft.OptimizationDataset:
    made = workspace.create("Orders")
    made.add_records(map(json.loads, lines(20).splitlines()))
    return made


@pytest.fixture
def page(opened, dataset):
    return opened.notebook(SHOW.format(id=dataset.id), "ds", ready=READY)


def open_import(page):
    page.get_by_role("button", name="Data", exact=True).click()
    page.get_by_role("menuitem", name="Import Records").click()
    return page.get_by_role("dialog", name="Import Records")


def choose(dialog, path: Path):
    dialog.locator("input[type=file]").set_input_files(path)


HOLD = """() => {
  const send = WebSocket.prototype.send;
  let pieces = 0;
  WebSocket.prototype.send = function (data) {
    if (!(data.byteLength > 1e6 && ++pieces > 2)) send.call(this, data);
  };
}"""
"""From the third piece on nothing arrives any more."""


def eventually(check: Callable[[], bool], timeout_s: float = 5) -> bool:
    ends = time.monotonic() + timeout_s
    while not check():
        if time.monotonic() > ends:
            return False
        time.sleep(0.02)
    return True


def left_behind(dataset) -> list[Path]:
    return list(dataset._store.side_folder.glob("uploads/*.data"))


def test_append_a_file_with_faults(opened, dataset, page, tmp_path):
    path = tmp_path / "new.jsonl"
    path.write_text(lines(190, 1000, invalid=7, refused=3))  # 5 % hold no valid record
    dialog = open_import(page)
    dialog.locator(".rft-drop").wait_for()
    opened.assert_accessible(dialog)
    opened.assert_keyboard_reaches_all(dialog)
    opened.shot("import-empty")
    choose(dialog, path)
    expect(dialog).to_contain_text("7 records have validation errors. These will be excluded.")
    expect(dialog.locator(".rft-preview")).to_contain_text("[USR]")
    expect(dialog.locator(".rft-preview")).to_contain_text("[AST]")
    opened.shot("import-checked")
    dialog.get_by_role("button", name="View Errors").click()
    expect(dialog.locator(".rft-issues tbody tr")).to_have_count(10)
    expect(dialog.locator(".rft-issues tbody tr").last).to_contain_text("invalid_json")
    opened.assert_accessible(dialog)
    opened.assert_keyboard_reaches_all(dialog)
    opened.shot("import-errors")
    dialog.get_by_role("button", name="Import 197 Records").click()
    result = dialog.get_by_role("status", name="Result")
    result.wait_for()
    assert result.locator("dd").all_inner_texts()[:3] == ["197", "190", "7"]
    page.locator(".rft-toast", has_text="new.jsonl: 197 records imported").wait_for()
    dialog.get_by_role("button", name="View Errors").click()
    opened.assert_accessible(dialog)
    opened.shot("import-result")
    with page.expect_download() as found:
        dialog.get_by_role("button", name="Errors as JSON").click()
    told = json.loads(found.value.path().read_text())
    assert [one["line"] for one in told] == list(range(191, 201))
    assert [one["refused"] for one in told] == [False] * 7 + [True] * 3
    dialog.get_by_role("button", name="Done").click()
    expect(page.locator(".rft-health")).to_contain_text("210 valid records")
    expect(page.locator('[data-step="1"]')).to_contain_text("217 records")
    assert dataset.stats.total_records == 217
    assert not left_behind(dataset)


def test_replace_asks_first(opened, dataset, page, tmp_path):
    path = tmp_path / "all new.jsonl"
    path.write_text(lines(30))
    dialog = open_import(page)
    choose(dialog, path)
    dialog.get_by_role("radio", name="Append").wait_for()
    expect(dialog).to_contain_text("20 records have validation errors")  # they are here already
    dialog.get_by_role("radio", name="Replace").check()
    expect(dialog.get_by_role("alert")).to_have_text("This removes the 20 records of the dataset.")
    dialog.get_by_role("button", name="Import 30 Records").click()
    asked = page.get_by_role("alertdialog", name="Replace 20 records?")
    asked.wait_for()
    opened.shot("import-replace")
    page.keyboard.press("Escape")
    asked.wait_for(state="detached")
    assert dataset.stats.total_records == 20
    dialog.get_by_role("button", name="Import 30 Records").click()
    page.get_by_role("button", name="Replace 20 Records").click()
    dialog.get_by_role("status", name="Result").wait_for()
    assert dataset.stats.total_records == dataset.stats.valid_records == 30
    page.keyboard.press("Escape")
    expect(page.locator(".rft-health")).to_contain_text("30 valid records")


def test_stopping_an_upload_leaves_nothing(opened, dataset, page, tmp_path):
    path = tmp_path / "large.jsonl"
    filler = "word " * 1000
    path.write_text(lines(12 * PIECE_BYTES // 5000, filler=filler))
    dialog = open_import(page)
    page.evaluate(HOLD)
    choose(dialog, path)
    expect(dialog.get_by_role("status").first).to_contain_text("8.39 MB of")
    assert len(left_behind(dataset)) == 1
    opened.shot("import-sending")
    dialog.get_by_role("button", name="Stop").click()
    dialog.get_by_text("Drop your file here").wait_for()
    assert eventually(lambda: not left_behind(dataset))
    assert dataset.stats.total_records == 20


KILLED = """
import os, sys
import rft_widgets as rft
ds = rft.Workspace(sys.argv[1]).dataset(sys.argv[2])
ds.import_records(sys.argv[3], progress=lambda now: now.lines >= 2000 and os.kill(os.getpid(), 9))
"""


def kill_in_mid_import(host, dataset, path: Path) -> None:
    """Import in another process, and kill it when two of three batches are stored."""
    command = [sys.executable, "-c", KILLED, str(host.database), dataset.id, str(path)]
    assert subprocess.run(command, check=False, timeout=60).returncode == -9
    with dataset._store.write() as connection:  # a minute later it counts as dead
        connection.execute(activities.update().values(updated_us=0))


def test_an_import_that_was_killed_can_be_resumed(opened, host, dataset, tmp_path):
    path = tmp_path / "cut.jsonl"
    path.write_text(lines(2500, 5000))
    kill_in_mid_import(host, dataset, path)
    page = opened.notebook(SHOW.format(id=dataset.id), "ds", ready=READY)
    half = dataset.stats.total_records
    page.locator('[data-step="1"]').click()
    records = page.get_by_role("dialog", name="Extract Data")
    expect(records).to_contain_text("The import of cut.jsonl did not come to its end.")
    opened.shot("records-unfinished")
    records.get_by_role("button", name="Resume").click()
    dialog = page.get_by_role("dialog", name="Import Records")
    expect(dialog).to_contain_text("Choose the same file again to go on.")
    choose(dialog, path)
    dialog.get_by_role("button", name="Resume Import").click()
    dialog.get_by_role("status", name="Result").wait_for()
    assert half == 2020
    assert dataset.stats.total_records == 2520
    assert dataset.health.duplicates == 0


def test_files_of_traces_and_files_that_are_none(opened, dataset, page, tmp_path):
    dialog = open_import(page)
    spans = write_sample(tmp_path / "spans.jsonl", n=30)
    choose(dialog, spans.path)
    expect(dialog).to_contain_text("otel_genai traces")
    opened.shot("import-traces")
    dialog.get_by_role("button", name="Import ", exact=False).last.click()
    dialog.get_by_role("status", name="Result").wait_for()
    assert dataset.stats.total_records == 20 + spans.counts["traces"]
    dialog.get_by_role("button", name="Import Another File").click()
    broken = tmp_path / "broken.json"
    broken.write_text("[1, 2")
    choose(dialog, broken)
    expect(dialog.get_by_role("alert")).to_contain_text("broken.json starts as a JSON array")
    assert "/tmp" not in dialog.inner_text()
    opened.shot("import-broken")
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    choose(dialog, empty)
    expect(dialog.get_by_role("alert")).to_contain_text("The file is empty.")


def test_names_and_lines_are_text(dataset, page, tmp_path):
    path = tmp_path / f"{XSS.replace('/', '')}.jsonl"
    hostile = [chat_line(f"{XSS} {n}", XSS) for n in range(3)] + [{"messages": [{"role": XSS}]}]
    path.write_text("".join(f"{json.dumps(one)}\n" for one in hostile) + f"{XSS}\n")
    dialog = open_import(page)
    choose(dialog, path)
    dialog.get_by_role("button", name="View Errors").click()
    expect(dialog.locator(".rft-issues tbody tr").first).to_be_visible()
    dialog.get_by_role("button", name="Import 4 Records").click()
    dialog.get_by_role("status", name="Result").wait_for()
    assert XSS in dialog.inner_text()
    assert page.evaluate("() => window.__xss") is None
    assert page.locator(".rft img").count() == 0


def test_by_keyboard_in_a_cell_of_its_own(opened, dataset, tmp_path):
    path = tmp_path / "keys.jsonl"
    path.write_text(lines(5, 300))
    show = SHOW.format(id=dataset.id)
    page = opened.notebook(show, "ds.dialog('import-records')", ready=".rft-drop")
    choose(page.locator(".rft-dialog"), path)
    page.get_by_role("radio", name="Append").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Replace")).to_be_checked()
    page.keyboard.press("ArrowUp")
    page.get_by_role("button", name="Import 5 Records").focus()
    page.keyboard.press("Enter")
    title = page.get_by_role("heading", name="keys.jsonl was imported.")
    expect(title).to_be_focused()
    expect(title).to_be_in_viewport()
    opened.shot("import-cell")
    assert dataset.stats.total_records == 25
