"""The page that creates a dataset: traces listed and selected, files sent and looked at."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import chat_line
from widgets.wire import Page

import rft_widgets as rft
from rft_widgets.sample.support import write_sample
from rft_widgets.widgets.create_page import CreatePage
from rft_widgets.widgets.creating import scan as scanning
from rft_widgets.widgets.scratch import scratch
from rft_widgets.widgets.uploads import PIECE_BYTES

ALL = {"min_turns": 0, "has_response": False}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[rft.Workspace]:
    with rft.Workspace(tmp_path / "store.db") as opened:
        yield opened


@pytest.fixture
def page(workspace: rft.Workspace) -> Iterator[Page]:
    view = CreatePage(workspace)
    yield Page(view)
    view.close()
    assert not list(scratch().glob("traces-*"))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_sample(tmp_path / "spans.jsonl", n=40).path


def until(said: Callable[[], Any], seconds: float = 20) -> Any:
    ends = time.monotonic() + seconds
    while not (found := said()):
        assert time.monotonic() < ends, "it did not come"
        time.sleep(0.01)
    return found


def opened(page: Page, location: Path | str) -> None:
    page.ask("open_source", {"location": str(location)})
    until(lambda: page.widget.scan.status != "reading")


def listed(page: Page, start: int = 0, count: int = 200, **query: Any) -> dict[str, Any]:
    return page.ask("list_traces", {"query": ALL | query, "start": start, "count": count})


def picks(page: Page, on: bool = True, **query: Any) -> None:
    page.ask("pick_matching", {"query": ALL | query, "on": on})


def sent(page: Page, content: bytes, name: str = "new.jsonl") -> str:
    upload = page.call("begin_upload", {"name": name, "size": len(content)})["value"]["id"]
    for offset in range(0, len(content), PIECE_BYTES):
        piece = content[offset : offset + PIECE_BYTES]
        assert page.call("put_piece", {"upload": upload, "offset": offset}, data=piece)["ok"]
    return str(upload)


def looked_at(page: Page, content: bytes, name: str = "new.jsonl") -> dict[str, Any]:
    page.call("check_upload", {"upload": sent(page, content, name)})
    until(lambda: page.widget.file.status != "checking")
    return page.ask("load_check")


def lines(count: int) -> bytes:
    made = [chat_line(f"A long question {n}", "Yes.") for n in range(count)]
    return b"".join(json.dumps(one).encode() + b"\n" for one in made)


def test_filters_find_what_the_source_itself_finds(page: Page, source: Path) -> None:
    opened(page, source)
    traces = rft.open_traces(source)
    assert page.widget.scan.read == traces.total()
    assert set(page.widget.scan.models) == set(traces.models())
    model = page.widget.scan.models[1]
    for query, kept in (
        ({}, traces),
        ({"model": model}, traces.filter(model=model)),
        ({"min_turns": 3}, traces.filter(min_turns=3)),
        ({"has_response": True}, traces.filter(has_response=True)),
        ({"search": "REFUND"}, traces.filter(search="refund")),
        ({"search": "no such words"}, traces.filter(search="no such words")),
        ({"since": "24h"}, traces.filter(since="24h")),
        ({"model": model, "min_turns": 2, "search": "order"},
         traces.filter(model=model, min_turns=2, search="order")),
    ):  # fmt: skip
        view = listed(page, **query)
        assert view["matching"] == kept.count()
        assert view["total"] == traces.total()
        assert {row["id"] for row in view["rows"]} <= {trace.id for trace in kept}
    times = [row["started_at"] for row in listed(page)["rows"]]
    assert times == sorted(times, reverse=True), "the newest first"


def test_a_selection_stays_across_filters(page: Page, source: Path) -> None:
    opened(page, source)
    picks(page, search="refund")
    refunds = listed(page, search="refund")
    assert 0 < refunds["picked_total"] == refunds["picked_matching"] == refunds["matching"]
    first = page.widget.scan.models[0]
    other = listed(page, model=first, search="parcel")
    assert other["picked_total"] == refunds["matching"], "what a filter hides stays selected"
    one = next(row for row in listed(page)["rows"] if row["number"] not in refunds["picked"])
    page.call("pick_traces", {"numbers": [one["number"]], "on": True})
    picks(page, on=False, search="refund")
    left = listed(page)
    assert left["picked"] == [one["number"]]
    page.call("clear_picked")
    assert listed(page)["picked_total"] == 0


def test_the_selection_becomes_a_dataset(
    page: Page, workspace: rft.Workspace, source: Path
) -> None:
    opened(page, source)
    picks(page, search="refund")
    chosen = listed(page, search="refund")["matching"]
    until(lambda: page.widget.traces_pattern.pattern)
    pattern = page.widget.traces_pattern.pattern
    assert pattern.traces == chosen
    refused = page.call("create", {"of": "traces", "name": " ", "objective": "o"}, id="r")
    reply = refused or until(lambda: page.reply("r"))
    assert reply["error"]["code"] == "invalid_argument"
    # With another filter in the list: one by one. With the very same: by the filter.
    for query, by_filter in ((ALL, False), (ALL | {"search": "refund"}, True)):
        picks(page, search="refund")
        made = page.ask(
            "create",
            {"of": "traces", "name": "Refunds", "objective": "Be kind", "query": query},
        )
        dataset = workspace.dataset(made)
        job = dataset.jobs[0].wait(60)
        assert job.state.status == "succeeded", job.state
        assert dataset.stats.total_records == chosen
        assert (job.params["source"].get("trace_ids") is None) == by_filter
        assert dataset.topics.paths
        assert listed(page)["picked_total"] == 0, "the next one begins anew"


def test_new_traces_are_announced_and_shown_on_demand(
    page: Page, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "LOOK_S", 0.05)
    monkeypatch.setattr(scanning, "_REST", 0)
    page.call("attach", {"view": "a"})
    opened(page, source)
    before = page.widget.scan.read
    row = listed(page)["rows"][3]
    page.call("pick_traces", {"numbers": [row["number"]], "on": True})
    more = write_sample(tmp_path / "more.jsonl", n=20, seed=9).path
    with source.open("ab") as file:
        file.write(more.read_bytes())
    until(lambda: page.widget.scan.fresh)
    fresh = page.widget.scan.fresh
    assert listed(page)["total"] == before, "nothing moves under the reader's hands"
    page.call("refresh_traces")
    view = listed(page)
    assert view["total"] == before + fresh
    picked = [one["id"] for one in view["rows"] if one["number"] in view["picked"]]
    assert (picked, view["picked_total"]) == ([row["id"]], 1)
    assert page.widget.scan.fresh == 0
    page.call("detach", {"view": "a"})


def test_a_source_that_cannot_be_read_says_so_and_can_be_tried_again(
    page: Page, tmp_path: Path
) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_text('{"colour": "red"}\n')
    opened(page, path)
    assert page.widget.scan.status == "failed"
    assert page.widget.scan.problem.code == "unknown_format"
    write_sample(path, n=5)
    page.call("refresh_traces")
    until(lambda: page.widget.scan.status == "ready")
    assert listed(page)["total"]


def test_in_the_app_only_what_is_allowed_is_read(
    page: Page, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RFT_WIDGETS_APP", "1")
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    page.call("open_source", {"location": str(source)}, id="refused")
    reply = until(lambda: page.reply("refused"))
    assert reply["error"]["code"] == "invalid_argument"
    assert "RFT_WIDGETS_TRACES" in reply["error"]["hint"]
    assert not page.ask("sources")["any_path"]
    monkeypatch.setenv("RFT_WIDGETS_TRACES", str(source.parent))
    places = page.ask("sources")["places"]
    assert [one["name"] for one in places] == ["spans.jsonl"], "and not the store of datasets"
    opened(page, source)
    assert page.widget.scan.status == "ready"


def test_a_file_is_looked_at_and_becomes_a_dataset(page: Page, workspace: rft.Workspace) -> None:
    content = lines(30) + b"{\n" + json.dumps(chat_line("Hi")).encode()
    check = looked_at(page, content)
    assert (check["records"], check["refused"]) == (31, 1)
    assert check["append"] == {"valid": 30, "invalid": 1, "duplicates": 0}
    assert not check["issues"]
    assert [one["line"] for one in page.ask("load_issues")] == [31, 32]
    made = page.ask("download_issues", {"file_format": "csv"})
    assert made["name"] == "new-errors.csv"
    assert page.widget.file_pattern.pattern.traces == 31
    created = page.ask("create", {"of": "file", "name": "Mine", "objective": "Better"})
    dataset = workspace.dataset(created)
    assert dataset.jobs[0].wait(60).state.status == "succeeded"
    assert dataset.stats.valid_records == 30
    assert dataset.info.objective == "Better"
    assert page.widget.file.status == "empty"
    assert not list(workspace._store.side_folder.glob("uploads/*.data"))


def test_a_file_of_traces_may_be_listed_as_a_source(
    page: Page, workspace: rft.Workspace, source: Path
) -> None:
    upload = sent(page, source.read_bytes(), "spans.jsonl")
    opened(page, f"upload:{upload}")
    assert page.widget.scan.status == "ready"
    picks(page, search="refund")
    count = listed(page)["picked_total"]
    made = page.ask("create", {"of": "traces", "name": "R", "objective": "o"})
    dataset = workspace.dataset(made)
    assert dataset.jobs[0].wait(60).state.status == "succeeded"
    assert dataset.stats.total_records == count
    assert dataset.imports[0].source == "spans.jsonl"
    assert not dataset.pulled_sources, "the file is gone"


def test_an_upload_goes_on_after_the_page_was_loaded_anew(
    page: Page, workspace: rft.Workspace
) -> None:
    content = lines(5)
    upload = page.call("begin_upload", {"name": "a.jsonl", "size": len(content)})["value"]["id"]
    page.call("put_piece", {"upload": upload, "offset": 0}, data=content[:100])
    page.widget.close()
    again = Page(CreatePage(workspace))
    state = again.call("resume_upload", {"upload": upload})["value"]
    assert (state["name"], state["received"]) == ("a.jsonl", 100)
    again.call("put_piece", {"upload": upload, "offset": 100}, data=content[100:])
    again.call("check_upload", {"upload": upload})
    until(lambda: again.widget.file.status == "ready")
    again.call("drop_upload")
    assert not again.call("resume_upload", {"upload": upload})["ok"]
    again.widget.close()


def test_a_file_that_cannot_be_read_says_so_by_its_name_and_is_gone(
    page: Page, workspace: rft.Workspace
) -> None:
    assert looked_at(page, b"[1, 2", name="broken.json") is None
    assert page.widget.file.status == "failed"
    assert page.widget.file.problem.message.startswith("broken.json starts as a JSON array")
    page.call("create", {"of": "file", "name": "a", "objective": "b"}, id="no")
    assert not until(lambda: page.reply("no"))["ok"]
    assert not list(workspace._store.side_folder.glob("uploads/*.data"))


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("list_traces", {"query": {"min_turns": -1}, "start": 0, "count": 10}),
        ("list_traces", {"query": {"folder": "/"}, "start": 0, "count": 10}),
        ("list_traces", {"query": {}, "start": 0, "count": 100_000}),
        ("open_source", {"location": ""}),
        ("open_source", {"location": "x" * 5_000}),
        ("pick_traces", {"numbers": ["1; DROP TABLE calls"], "on": True}),
        ("create", {"of": "elsewhere", "name": "a", "objective": "b"}),
    ],
)
def test_what_a_page_may_not_say_is_refused(page: Page, method: str, params: dict) -> None:
    reply = page.call(method, params, id="bad") or until(lambda: page.reply("bad"))
    assert reply["error"]["code"] == "invalid_params"
