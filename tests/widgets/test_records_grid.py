"""The table of records: what it answers to a page, and what it refuses."""

from __future__ import annotations

import json
import time

import pytest
from builders import call, draft, message, tool, tool_message, user
from widgets.wire import Page

import rft_widgets as rft
from rft_widgets.errors import InvalidArgument
from rft_widgets.widgets import contract
from rft_widgets.widgets.records_grid import records_grid

ALL = {"where": {}, "sort": "position", "start": 0, "count": 200}


@pytest.fixture
def filled(dataset) -> rft.OptimizationDataset:
    dataset.add_records(
        draft(f"Question number {number}", f"Answer {number}", id=f"r{number}")
        for number in range(30)
    )
    dataset.add_records([draft("no", id="bad"), draft("Question number 3", id="twin")])
    return dataset


@pytest.fixture
def view(filled):
    made = records_grid(filled)
    yield made
    made.close()


@pytest.fixture
def page(view) -> Page:
    return Page(view)


def test_it_stands_in_the_contract(view):
    assert view.component == "records_grid"
    assert "export interface RecordsGridCalls" in contract.generate()


def test_no_record_stands_in_its_state(page):
    page.ask("rows", ALL)
    page.ask("record", {"record": "r0"})
    state = json.dumps(page.opened_with(), default=str) + json.dumps(page.updates(), default=str)
    assert "Question" not in state
    assert page.opened_with()["height"] == 520


def test_rows_of_a_filter_in_an_order(page):
    rows = page.ask("rows", ALL)
    assert rows["ids"][:3] == ["r0", "r1", "r2"]
    assert rows["texts"][0] == ["Question number 0", "Answer 0"]
    assert (rows["total"], rows["everything"]) == (32, 32)
    some = page.ask("rows", {**ALL, "where": {"valid": False}, "sort": "-position"})
    assert some["ids"] == ["twin", "bad"]
    assert some["faults"][1] == "The user's last message is too short"


def test_nothing_is_read_while_nothing_has_changed(page, filled):
    rows = page.ask("rows", ALL)
    assert page.ask("rows", {**ALL, "known": rows["revision"]}) is None
    filled.assign_topic("r0", "a")
    again = page.ask("rows", {**ALL, "known": rows["revision"], "find": "r5"})
    assert again["topics"][0] == "a"
    assert again["found"] == 5


@pytest.mark.parametrize(
    "params",
    [
        {**ALL, "sort": "name"},
        {**ALL, "count": 5_000},
        {**ALL, "start": -1},
        {**ALL, "where": {"valid": "yes"}},
        {**ALL, "where": {"surprise": 1}, "more": 1},
        {**ALL, "find": ""},
        {},
    ],
)
def test_what_is_no_request_is_refused(page, params):
    assert page.call("rows", params)["error"]["code"] == "invalid_params"


def test_what_it_needs_beside(page, filled):
    context = page.ask("context")
    assert list(context["topics"]) == []
    assert context["grader"] is None
    assert {one["code"]: one["count"] for one in context["faults"]} == {
        "user_message_too_short": 1, "duplicate": 1,
    }  # fmt: skip
    filled.set_topics({"topics": [{"name": "a", "children": [{"name": "b"}]}, {"name": "c"}]})
    assert list(page.ask("context")["topics"]) == ["a/b", "c"]


def test_a_selection_is_worked_on(page, filled):
    where = {"where": {"valid": True}, "except_ids": ["r0"], "also_ids": ["bad"]}
    assert page.ask("selection_size", {"selection": where})["records"] == 30
    assert page.ask("assign_topic", {"selection": where, "topic": "a"}) == 30
    assert filled.record("bad").topic == "a"
    deletion = page.ask("delete", {"selection": where})
    assert deletion["count"] == 30
    assert filled.count() == 2
    assert page.ask("undo_delete", {"deletion": deletion["id"]}) == 30
    assert filled.count() == 32
    assert page.refused("undo_delete", {"deletion": deletion["id"]})["code"] == "not_found"


def test_a_selection_of_ten_thousand_ids_fits_and_one_of_everything_is_not_needed(page):
    ids = [f"rec_{number:030}" for number in range(10_000)]
    assert page.ask("selection_size", {"selection": {"ids": ids}})["records"] == 0
    reply = page.call("selection_size", {"selection": {"ids": ids * 4}})
    assert reply["error"]["code"] == "too_large"


def test_evaluating_is_long_work(page, filled):
    page.call("attach", {"view": "v"})
    grader = {
        "type": "string_check", "name": "same", "operation": "like",
        "input": "{{ sample.output_text }}", "reference": "Answer",
    }  # fmt: skip
    filled.set_grader(grader)
    assert page.ask("estimate_evaluate", {"selection": {"where": {}}}) is None
    assert page.call("evaluate", {"selection": {"where": {}}})["value"]["kind"] == "evaluate"
    ends = time.monotonic() + 10
    while not page.widget.jobs or page.widget.jobs[0].status in ("queued", "running"):
        assert time.monotonic() < ends
        time.sleep(0.01)
    assert page.widget.jobs[0].outcome.startswith("30 graded")
    assert filled.record("r0").dry_run_score is not None
    page.call("detach", {"view": "v"})


def test_an_export_is_a_file(page, filled):
    made = page.ask("export", {"selection": {"ids": ["r1", "r2"]}, "file_format": "jsonl"})
    assert made["name"] == "Support-records.jsonl"
    download = next(iter(page.widget._offered.values()))[1]
    lines = [json.loads(line) for line in download.read_text().splitlines()]
    assert [line["id"] for line in lines] == ["r1", "r2"]
    assert made["size"] == download.stat().st_size
    page.call("drop_download", {"download": made["id"]})


def test_a_record_is_told_whole(page, filled):
    parts = [
        {"type": "text", "text": "Look at this"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "surprise"},
    ]
    line = {
        "id": "whole", "thread_id": "t1", "span_id": "s1",
        "input": {
            "messages": [
                message("system", "Be kind"), user(parts),
                message("assistant", None, tool_calls=[call("c1", arguments='{"order":12}')]),
                tool_message("c1", "done"),
            ],
            "tools": [tool("lookup", order={"type": "integer"})],
            "tool_choice": {"type": "function", "function": {"name": "lookup"}},
        },
        "output": {"messages": [message("assistant", "Here it is")], "finish_reason": "stop"},
        "item": {"large": 2**70}, "metadata": {"strategy": "few_shot"},
        "is_generated": True, "source_record_id": "r1",
    }  # fmt: skip
    filled.add_records([line])
    told = page.ask("record", {"record": "whole"})
    assert [one["tag"] for one in told["input"]] == ["SYS", "USR", "AST", "TOOL"]
    assert [(p["kind"], p["text"]) for p in told["input"][1]["parts"]] == [
        ("text", "Look at this"),
        ("image_url", "image/png, 26 characters"),
        ("image_url", "https://example.com/a.png"),
        ("surprise", "24 characters"),
    ]
    assert told["input"][2]["calls"] == [
        {"id": "c1", "name": "lookup", "arguments": '{\n  "order": 12\n}'}
    ]
    assert told["input"][3]["answers"] == "c1"
    assert told["tools"][0]["name"] == "lookup"
    assert '"integer"' in told["tools"][0]["parameters"]
    assert json.loads(told["tool_choice"])["function"]["name"] == "lookup"
    assert str(2**70) in told["item"], "a number that JavaScript has not"
    assert (told["strategy"], told["source_record_id"], told["source_is_here"]) == (
        "few_shot", "r1", True,
    )  # fmt: skip
    assert (told["span_id"], told["thread_id"]) == ("s1", "t1")
    assert told["finish_reason"] == "stop"
    filled.delete_records("r1")
    assert page.ask("record", {"record": "whole"})["source_is_here"] is False
    assert page.refused("record", {"record": "r1"})["code"] == "not_found"


def test_an_edit_is_checked_then_saved(page, filled):
    begun = page.ask("begin_edit", {"record": "r0"})
    texts = begun["texts"]
    assert json.loads(texts["messages"]) == [user("Question number 0")]
    unchanged = page.ask("check_edit", {"record": "r0", "texts": texts})
    assert list(unchanged["problems"]) == []
    assert list(unchanged["check"]["issues"]) == []

    short = texts | {"messages": json.dumps([user("no")])}
    check = page.ask("check_edit", {"record": "r0", "texts": short})
    assert [one["code"] for one in check["check"]["issues"]] == ["user_message_too_short"]
    save = {"record": "r0", "version": begun["version"]}
    page.ask("save_edit", save | {"texts": short})
    assert not filled.record("r0").is_valid

    stale = page.refused("save_edit", save | {"texts": texts | {"item": '{"a": 1}'}})
    assert stale["code"] == "stale_edit"
    assert "item" in stale["message"], "it says what differs"
    now = page.ask("begin_edit", {"record": "r0"})
    page.ask("save_edit", {"record": "r0", "version": now["version"], "texts": texts})
    told = page.ask("record", {"record": "r0"})
    assert told["is_valid"]
    assert [(one["version"], one["parts"]) for one in told["edits"]] == [
        (2, ["input"]),
        (1, ["input"]),
    ]
    same = {"record": "r0", "version": told["version"], "texts": texts}
    assert page.refused("save_edit", same)["message"] == "Nothing was changed."


@pytest.mark.parametrize(
    ("part", "text", "said"),
    [
        ("messages", "[\n {]", ("messages", 2, 3)),
        ("messages", "{}", ("messages", None, None)),
        ("item", "[]", ("item", None, None)),
        ("messages", '[{"content": "x"}]', ("messages", None, None)),
        ("output", '[{"role": 5}]', ("output", None, None)),
        ("tools", "", ("tools", 1, 1)),
        ("item", '{"a": NaN}', ("item", 1, 7)),
        ("metadata", '{"ä": 1,}', ("metadata", 1, 9)),
        ("item", "[" * 3_000, ("item", None, None)),
    ],
)
def test_what_cannot_be_read_is_marked_at_its_place(page, filled, part, text, said):
    texts = page.ask("begin_edit", {"record": "r0"})["texts"] | {part: text}
    found = page.ask("check_edit", {"record": "r0", "texts": texts})
    assert found["check"] is None
    problem = found["problems"][0]
    if said[1] is None:
        assert problem["part"] == said[0]
    else:
        assert (problem["part"], problem["line"], problem["column"]) == said
    before = filled.record("r0")
    error = page.refused("save_edit", {"record": "r0", "version": before.version, "texts": texts})
    assert error["code"] == "invalid_argument"
    assert filled.record("r0") == before


def test_a_record_that_is_too_large_for_a_page_says_what_to_do(page, filled):
    filled.edit_record("r0", output=[message("assistant", "x" * 3_000_000)])
    error = page.refused("begin_edit", {"record": "r0"})
    assert "ds.edit_record('r0'" in error["hint"]


def test_heights_have_bounds(filled):
    with pytest.raises(InvalidArgument, match="pixels"):
        filled.records_grid(height=10)
    made = filled.records_grid(height=700)
    assert Page(made).opened_with()["height"] == 700
    made.close()
