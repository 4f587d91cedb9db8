"""Canvas and health bar: what they say to the page, and what they take from it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable

import pytest
from builders import user
from widgets.wire import Page

import rft_widgets as rft
from rft_widgets.errors import InvalidArgument
from rft_widgets.widgets import bundle as bundles
from rft_widgets.widgets import refresher
from rft_widgets.widgets.canvas import canvas
from rft_widgets.widgets.health_bar import health_bar


def write(path, count: int, start: int = 0):
    lines = [{"messages": [user(f"Question number {n} of the file")]} for n in range(start, count)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def eventually(check: Callable[[], bool], timeout_s: float = 3) -> bool:
    ends = time.monotonic() + timeout_s
    while not check():
        if time.monotonic() > ends:
            return False
        time.sleep(0.005)
    return True


@pytest.fixture
def view(dataset):
    made = canvas(dataset)
    yield made
    made.close()


def test_the_first_state_is_there_at_once(view):
    state = Page(view).opened_with()
    assert [node["name"] for node in state["state"]["nodes"]][:2] == [
        "Extract Data",
        "Topics & Category",
    ]
    assert state["name"] == "Support"
    assert state["height"] == 760
    assert state["_component"] == "canvas"
    assert state["problem"] is None


def test_the_code_stands_in_no_state(view):
    bundle = bundles.bundle()
    everything = json.dumps([view.get_state(), bundle.get_state()], default=str)
    assert bundles.files().code not in everything
    assert view.get_state()["_bundle"] == f"IPY_MODEL_{bundle.model_id}"
    reply = Page(bundle).call("get_code")
    assert reply["value"] == {
        "sha": bundle.sha, "code": bundles.files().code, "css": bundles.files().css,
    }  # fmt: skip


def test_one_bundle_a_kernel(dataset, view):
    bar = health_bar(dataset)
    assert bar._bundle is view._bundle
    bar.close()


def test_nobody_looks_nothing_runs(view):
    assert not any(thread.name == "rft-refresher" for thread in threading.enumerate())


def test_changes_reach_a_page_that_looks(view, dataset, tmp_path):
    page = Page(view)
    assert page.call("attach", {"view": "v1"})["ok"]
    began = time.monotonic()
    dataset.import_records(write(tmp_path / "a.jsonl", 3))
    assert eventually(lambda: view.state.nodes[0].summary.endswith("3 records"))
    assert time.monotonic() - began < 1
    assert page.updates()[-1]["state"]["nodes"][0]["status"] == "active"

    with rft.Workspace(dataset._store.path) as another:  # another store: other connections
        another.dataset(dataset.id).rename("Help desk")
        assert eventually(lambda: view.name == "Help desk")


def test_following_ends_with_the_last_view(view, dataset):
    page = Page(view)
    page.call("attach", {"view": "v1"})
    page.call("attach", {"view": "v2"})
    page.call("detach", {"view": "v1"})
    dataset.rename("A")
    assert eventually(lambda: view.name == "A")
    page.call("detach", {"view": "v2"})
    assert eventually(lambda: "rft-refresher" not in [t.name for t in threading.enumerate()])
    dataset.rename("B")
    page.call("attach", {"view": "v3"})
    assert eventually(lambda: view.name == "B"), "who comes back sees how it stands"
    view.close()


def test_views_share_one_reading(dataset, monkeypatch):
    reads = []
    read = refresher.read_snapshot
    monkeypatch.setattr(refresher, "read_snapshot", lambda ds: reads.append(1) or read(ds))
    views = [canvas(dataset), health_bar(dataset), canvas(dataset)]
    for one in views:
        Page(one).call("attach", {"view": "v"})
    assert eventually(lambda: len(reads) >= 4)
    time.sleep(0.3)
    before = len(reads)
    dataset.rename("Once")
    assert eventually(lambda: views[0].name == "Once" and views[2].name == "Once")
    time.sleep(0.3)
    assert len(reads) == before + 1
    for one in views:
        one.close()


def test_many_changes_are_few_messages(view, dataset):
    page = Page(view)
    page.call("attach", {"view": "v"})
    before = len(page.updates())
    began = time.monotonic()
    for n in range(100):
        dataset.rename(f"Name {n}")
    assert eventually(lambda: view.name == "Name 99")
    most = (time.monotonic() - began) / refresher.EVERY_S + 2
    assert len(page.updates()) - before <= most


def test_a_dataset_that_is_gone_says_so(view, dataset):
    page = Page(view)
    page.call("attach", {"view": "v"})
    workspace = rft.Workspace(dataset._store.path)
    workspace.delete(dataset.id)
    assert eventually(lambda: view.problem is not None)
    assert view.problem.code == "not_found"
    assert view.state is not None, "the last state stays"
    workspace.close()


def test_opening_a_step_calls_everybody(view, caplog):
    heard = []
    view.on_open(lambda step: 1 / 0)
    view.on_open(heard.append)
    page = Page(view)
    assert page.call("open_step", {"step": 4})["ok"]
    assert heard == [4]
    assert view.selected == 4
    assert "callback" in caplog.text
    for step in (0, 8, "4", 4.5):
        assert page.call("open_step", {"step": step})["error"]["code"] == "invalid_params"


def test_issues_are_asked_for(dataset):
    bar = health_bar(dataset)
    heard = []
    bar.on_view_issues(lambda: heard.append(1))
    Page(bar).call("view_issues")
    assert heard == [1]
    assert Page(bar).opened_with()["report"]["status"] == "empty"
    bar.close()


@pytest.mark.parametrize(
    "written",
    [
        {"_esm": "alert(1)"},
        {"_component": "x"},
        {"_bundle": "IPY_MODEL_other"},
        {"state": None},
        {"name": "<b>"},
        {"height": 5},
        {"problem": {"code": "a", "message": "b"}},
        {"layout": "IPY_MODEL_x"},
        {"selected": 8},
        {"selected": "1"},
        {"selected": None},
        {"_dom_classes": ["x"]},
    ],
)
def test_the_page_writes_nothing_else(view, written):
    page = Page(view)
    before, known = view.get_state(), len(page.updates())
    page.write(**written)
    assert view.get_state() == before
    name = next(iter(written))
    assert page.updates()[known:] == [{name: before[name]}], "the page gets the true value back"


def test_the_page_writes_what_it_may(view):
    page = Page(view)
    page.write(selected=3, name="<b>")
    assert view.selected == 3
    assert view.name == "Support"
    page.widget.comm.handle_msg(
        {"content": {"data": {"method": "update", "state": [1]}}, "buffers": ()}
    )
    assert view.selected == 3


@pytest.mark.parametrize("height", [0, 199, 4001])
def test_heights_have_bounds(dataset, height):
    with pytest.raises(InvalidArgument, match="pixels"):
        canvas(dataset, height=height)
