"""What a dataset shows of itself in a cell, and the files that it gives away."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import time
from pathlib import Path

import ipywidgets
import pytest
from builders import chat_line
from widgets.wire import Page

import rft_widgets as rft
from rft_widgets.widgets import bundle as bundles
from rft_widgets.widgets import downloads, scratch
from rft_widgets.widgets.downloads import file_name

VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def filled(dataset) -> rft.OptimizationDataset:
    dataset.add_records([chat_line(f"Long question {n}", "Yes.") for n in range(5)])
    dataset.add_records([chat_line("Hi", "Hello.")])
    return dataset


@pytest.fixture
def page(filled):
    view = filled.overview()
    yield Page(view)
    view.close()


def taken(page: Page, method: str, **params: object) -> tuple[str, bytes]:
    """Download as a page does."""
    made = page.ask(method, params)
    whole = b"".join(
        page.ask("read_download", {"download": made["id"], "offset": offset})
        for offset in range(0, made["size"], made["piece_bytes"])
    )
    assert len(whole) == made["size"]
    page.call("drop_download", {"download": made["id"]})
    return made["name"], whole


def awaited(page: Page, call_id: str) -> dict:
    ends = time.monotonic() + 5
    while (reply := page.reply(call_id)) is None:
        assert time.monotonic() < ends, "no answer came"
        time.sleep(0.005)
    return reply


def test_a_dataset_shows_one_overview_however_often(filled):
    first, _ = filled._repr_mimebundle_()
    assert first["text/plain"] == repr(filled)
    assert "6 records" in first["text/html"]
    before = len(_all_widgets())
    for _ in range(20):
        again, _ = filled._repr_mimebundle_()
        assert again[VIEW] == first[VIEW]
    assert len(_all_widgets()) == before
    filled._shown_overview.close()
    after, _ = filled._repr_mimebundle_()
    assert after[VIEW] != first[VIEW], "one that was closed is made anew"
    filled._shown_overview.close()


def _all_widgets() -> dict[str, object]:
    return ipywidgets.widgets.widget._instances


def test_without_page_code_it_is_lines(filled, monkeypatch):
    def missing() -> None:
        raise bundles.BundleMissing("It was not built.")

    monkeypatch.setattr(bundles, "files", missing)
    assert set(filled._repr_mimebundle_()) == {"text/plain", "text/html"}


def test_a_dataset_that_is_gone_says_so(filled):
    with rft.Workspace(filled._store.path) as workspace:
        workspace.delete(filled.id)
    data, _ = filled._repr_mimebundle_()
    assert "There is no dataset" in data["text/html"]
    filled._shown_overview.close()


def test_plain_python_and_ipython_show_text(tmp_path):
    code = f"""
import rft_widgets as rft
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("import rft_widgets as rft")
shell.run_cell("ds = rft.Workspace({str(tmp_path / "s.db")!r}).create('Plain')")
shell.run_cell("ds")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "<OptimizationDataset 'Plain'" in done.stdout, done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(("kind", "count"), [("jsonl", 6), ("training", 5)])
def test_records_are_given_away_as_lines(page, filled, tmp_path, kind, count):
    name, whole = taken(page, "download_records", file_format=kind)
    assert name == f"Support-{'records' if kind == 'jsonl' else 'training'}.jsonl"
    lines = [json.loads(line) for line in whole.splitlines()]
    assert len(lines) == count
    written = tmp_path / "same"
    filled.export_records(written, format=kind)
    assert whole == written.read_bytes()


def test_topics_are_given_away(page, filled):
    filled.add_topic("", "Orders")
    name, whole = taken(page, "download_topics")
    assert name == "Support-topics.json"
    assert "Orders" in whole.decode()


def test_large_files_come_in_pieces(page, filled, monkeypatch):
    monkeypatch.setattr(downloads, "PIECE_BYTES", 100)
    made = page.ask("download_records", {"file_format": "csv"})
    pieces = [
        page.ask("read_download", {"download": made["id"], "offset": offset})
        for offset in range(0, made["size"], 100)
    ]
    assert len(pieces) > 10
    assert max(map(len, pieces)) == 100
    assert b"".join(pieces).startswith(b"id,span_id")


def waiting_files() -> set[Path]:
    return set(scratch.scratch().glob("download-*"))


def test_a_file_that_is_too_large_names_the_call(page, monkeypatch):
    before = waiting_files()
    monkeypatch.setattr(downloads, "MAX_BYTES", 1000)
    page.call("download_records", {"file_format": "csv"}, id="big")
    reply = awaited(page, "big")
    assert reply["error"]["code"] == "download_too_large"
    assert "ds.export_records('Support-records.csv', format='csv')" in reply["error"]["hint"]
    assert waiting_files() == before


def test_files_are_private_and_go(page):
    before = waiting_files()
    made = page.ask("download_topics")
    path = scratch.scratch() / made["id"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert stat.S_IMODE(scratch.scratch().stat().st_mode) == 0o700
    for _ in range(downloads.MAX_OFFERED):
        made = page.ask("download_topics")
    assert not path.exists(), "the oldest made room"
    page.widget.close()
    assert waiting_files() == before


def test_a_file_is_named_by_no_path(page):
    page.call("read_download", {"download": "../../etc/passwd", "offset": 0}, id="bad")
    reply = awaited(page, "bad")
    assert reply["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    ("dataset", "name"),
    [
        ("Support desk", "Support-desk-records.csv"),
        ("../../etc/passwd", "etc-passwd-records.csv"),
        ("<img src=x>", "img-src-x-records.csv"),
        ("CON:\0\n", "CON-records.csv"),
        ("数据", "dataset-records.csv"),
        ("x" * 300, f"{'x' * 60}-records.csv"),
    ],
)
def test_names_of_files_are_safe(dataset, name):
    assert file_name(dataset, "records", "csv") == name


def test_what_a_killed_process_left_goes_with_the_next(tmp_path, monkeypatch):
    code = f"""
import os, tempfile
tempfile.tempdir = {str(tmp_path)!r}
from rft_widgets.widgets.scratch import scratch
(scratch() / "upload-1").write_text("x")
os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    (left,) = tmp_path.iterdir()
    assert (left / "upload-1").exists()
    monkeypatch.setattr(scratch.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(scratch, "_made", [])
    mine = scratch.scratch()
    assert not left.exists()
    scratch._sweep(Path(tmp_path))
    assert mine.exists(), "what is in use stays"
