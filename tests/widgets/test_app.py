"""The app's widget: what its pages ask for, and how they learn of changes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest
from builders import chat_line
from widgets.wire import Page

import rft_widgets as rft
from rft_widgets.widgets import app as apps


@pytest.fixture
def workspace(tmp_path):
    with rft.Workspace(tmp_path / "store.db") as opened:
        yield opened


@pytest.fixture
def app(workspace):
    shown = rft.App(workspace)
    yield shown
    shown.close()


@pytest.fixture
def page(app) -> Page:
    return Page(app)


def opened(app, dataset_id: str) -> Page:
    return Page(app._pages[dataset_id])


def until(what, timeout_s: float = 5.0) -> None:
    ends = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < ends, "it did not come to pass"
        time.sleep(0.01)


def test_it_lists_and_duplicates_and_deletes(page, workspace):
    ds = workspace.create("Support")
    workspace.create("Other")
    (card,) = page.ask("list_datasets", {"search": "supp"})
    assert (card["id"], card["name"], card["status_line"]) == (ds.id, "Support", "No records yet")
    assert len(card["steps"]) == 7
    assert page.ask("duplicate_dataset", {"dataset": ds.id}) == "Support (copy)"
    page.ask("delete_dataset", {"dataset": ds.id})
    assert {one.name for one in workspace.datasets()} == {"Support (copy)", "Other"}
    assert page.refused("delete_dataset", {"dataset": ds.id})["code"] == "not_found"


@pytest.mark.parametrize(
    "params",
    [{"sort": "size"}, {"status": "done"}, {"search": "x" * 201}, {"search": 1}, {"more": 1}],
)
def test_what_a_page_may_not_ask_is_refused(page, params):
    assert page.refused("list_datasets", params)["code"] == "invalid_params"


def test_a_dataset_has_one_page_until_it_is_left_for_many_others(app, page, workspace):
    ids = [workspace.create(f"D{number}").id for number in range(7)]
    first = page.ask("open_dataset", {"dataset": ids[0]})
    assert page.ask("open_dataset", {"dataset": ids[0]}) == first
    opened(app, ids[0]).call("attach", {"view": "v"})
    for dataset_id in ids[1:]:
        page.ask("open_dataset", {"dataset": dataset_id})
    assert page.ask("open_dataset", {"dataset": ids[0]}) == first  # somebody looks at it
    assert len(app._pages) <= apps.KEPT_PAGES + 1
    assert page.refused("open_dataset", {"dataset": "ds_nope"})["code"] == "not_found"


def test_a_deleted_dataset_says_so_on_its_page(app, page, workspace):
    ds = workspace.create("Support")
    page.ask("open_dataset", {"dataset": ds.id})
    shown = app._pages[ds.id]
    Page(shown).call("attach", {"view": "v"})
    with rft.Workspace(workspace._store.path) as other:
        other.delete(ds.id)
    until(lambda: shown.problem is not None and shown.problem.code == "not_found")


def test_settings_are_saved_on_what_was_seen(app, page, workspace):
    ds = workspace.create("Support", objective="Better")
    page.ask("open_dataset", {"dataset": ds.id})
    settings = opened(app, ds.id)
    loaded = settings.ask("settings")
    assert loaded["stats"]["total_records"] == 0
    assert not loaded["connections"]
    seen = loaded["info"]
    saved = settings.ask("save_settings", {"seen": seen, "name": " Help desk "})
    assert saved["name"] == "Help desk"
    error = settings.refused("save_settings", {"seen": seen, "name": "Mine"})
    assert error["code"] == "stale_edit"
    assert "'Help desk'" in error["message"]
    assert settings.refused("save_settings", {"seen": saved, "name": " "})["code"] == (
        "invalid_argument"
    )
    assert ds.name == "Help desk"


def test_the_pipeline_is_reset_and_the_records_stay(app, page, workspace):
    ds = workspace.create("Support")
    ds.add_records([chat_line("Long question", "Yes.")])
    ds.set_topics(["A"])
    page.ask("open_dataset", {"dataset": ds.id})
    opened(app, ds.id).ask("reset_pipeline")
    assert (ds.stats.total_records, ds.stats.topics_count) == (1, 0)


def test_records_are_exported_from_the_list(page, workspace):
    ds = workspace.create("Support")
    ds.add_records([chat_line("Long question", "Yes.")])
    made = page.ask("export_dataset", {"dataset": ds.id})
    data = page.ask("read_download", {"download": made["id"], "offset": 0})
    assert b"Long question" in data
    page.call("drop_download", {"download": made["id"]})


def test_the_sample_fills_itself_and_its_job_is_listed(app, page, workspace):
    page.call("attach", {"view": "v"})
    dataset_id = page.ask("load_sample", timeout_s=30)
    until(lambda: any(one.job.dataset_id == dataset_id for one in app.jobs))
    shown = app.jobs[0]
    assert shown.job.kind == "prepare"
    assert shown.dataset == workspace.dataset(dataset_id).name
    until(lambda: app.jobs[0].job.status == "succeeded", timeout_s=60)
    (card,) = page.ask("list_datasets")
    assert card["records"] > 600
    assert card["topics"] > 1
    assert card["job"] is None
    lines = page.ask("job_log", {"job": shown.job.id})
    assert "Succeeded" in lines[-1]["message"]


def test_a_job_is_stopped_and_begun_again_from_the_list(app, page, workspace, monkeypatch):
    monkeypatch.setenv("RFT_WIDGETS_JOBS", "worker")  # nobody runs it: it waits
    ds = workspace.create("Support")
    ds.add_records([chat_line("Long question", "Yes.")])
    job = ds.submit("categorize")
    page.call("attach", {"view": "v"})
    until(lambda: [one.job.status for one in app.jobs] == ["queued"])
    assert page.ask("list_datasets")[0]["job"]["status"] == "queued"
    page.ask("stop_job", {"job": job.id})
    until(lambda: app.jobs[0].job.status == "cancelled")
    page.ask("retry_job", {"job": job.id})
    until(lambda: app.jobs[0].job.status == "queued")
    assert page.refused("stop_job", {"job": "nope"})["code"] == "not_found"


def test_it_follows_every_process_and_only_while_somebody_looks(app, page, workspace):
    before = app.revision
    workspace.create("Quiet")
    time.sleep(0.5)
    assert app.revision == before
    page.call("attach", {"view": "one"})
    until(lambda: app.revision > before)
    last = app.revision
    with rft.Workspace(workspace._store.path) as other:
        other.create("Other")
    began = time.monotonic()
    until(lambda: app.revision > last, timeout_s=1.0)
    assert time.monotonic() - began < 1.0
    page.call("detach", {"view": "one"})
    until(lambda: not following(), timeout_s=3.0)


def following() -> bool:
    return any(thread.name == "rft-store-follower" for thread in threading.enumerate())


def test_the_address_of_the_page_leaves_the_environment():
    code = (
        "import os, sys\n"
        "import rft_widgets as rft\n"
        "assert 'ipywidgets' not in sys.modules\n"
        "rft.App\n"
        "assert 'ipywidgets' in sys.modules\n"
        "print([name for name in ('QUERY_STRING', 'VOILA_REQUEST_URL') if name in os.environ])"
    )
    address = {"QUERY_STRING": "token=x", "VOILA_REQUEST_URL": "http://127.0.0.1/?token=x"}
    environment = {**os.environ, **address}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
