"""The table of records and one record, in a cell and above the health bar."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from browser.hostile_text import PAYLOADS
from builders import assistant, draft, user

import rft_widgets as rft
from rft_widgets.sample.grader import sample_grader
from rft_widgets.sample.support import write_sample

SHOW = """
import rft_widgets as rft
ds = rft.Workspace().dataset({id!r})
"""
ROW = ".rft-grid-row[data-record]"


@pytest.fixture(scope="module")
def workspace(host):
    with rft.Workspace(host.database) as opened:
        yield opened


@pytest.fixture(scope="module")
def support(workspace, tmp_path_factory) -> rft.OptimizationDataset:
    """The sample with topics and scores; a test leaves it as it was."""
    path = write_sample(tmp_path_factory.mktemp("sample") / "s.jsonl", format="jsonl").path
    ds = workspace.create_from_file(path, name="Support desk", objective="Better answers")
    ds.generate_topics()
    ds.categorize()
    ds.set_grader(sample_grader())
    ds.dry_run()
    return ds


def table(opened, ds, *cells: str, name: str = "test.ipynb"):
    return opened.notebook(SHOW.format(id=ds.id), *(cells or ("ds.records_grid()",)), ready=ROW,
                           name=name)  # fmt: skip


def shown(page) -> list[str]:
    """Ids of the rows, from the top."""
    return page.locator(ROW).evaluate_all(
        "all => all.map(one => [one.ariaRowIndex, one.dataset.record])"
        ".sort((a, b) => a[0] - b[0]).map(one => one[1])"
    )


def grid(page):
    return page.get_by_role("grid", name="Records")


def count(page, words: str) -> None:
    page.locator(".rft-grid-count", has_text=words).first.wait_for(timeout=5_000)


def choose(page, label: str, words: str) -> None:
    page.get_by_role("combobox", name=label, exact=True).select_option(label=words)


def news(page, words: str) -> None:
    page.locator(".rft-toast-title", has_text=words).first.wait_for(timeout=5_000)


def type_instead(page, label: str, text: str) -> None:
    """Write a text into a code editor in place of what stands there."""
    editor = page.get_by_role("textbox", name=label)
    editor.click()
    page.keyboard.press("Control+a")
    # Typed, its brackets would be closed by the editor.
    page.evaluate("text => document.execCommand('insertText', false, text)", text)


def looks_right(opened, name: str, where: str = ".rft-grid") -> None:
    """Keep a picture, and ask axe-core; in Lab, in the dark theme, too."""
    opened.assert_accessible(where)
    opened.shot(name)
    if opened.host.name == "lab":
        opened.theme("dark")
        opened.assert_accessible(where)
        opened.shot(f"{name}-dark")
        opened.theme("light")


def test_filters_sorts_and_counts(opened, support):
    page = table(opened, support)
    total = support.count()
    count(page, f"{total} of {total} records")
    looks_right(opened, "cell")
    opened.assert_keyboard_reaches_all(".rft-grid")

    invalid = support.stats.invalid_records
    choose(page, "Validity", "Invalid")
    count(page, f"{invalid} of {total}")
    page.get_by_role("button", name="Clear filters").click()
    topic = support.topics.paths[0]
    choose(page, "Topic", topic)
    count(page, f"{support.count(rft.RecordFilter(topic=topic))} of {total}")
    page.get_by_label("Lowest score").fill("0.5")
    page.keyboard.press("Enter")
    where = rft.RecordFilter(topic=topic, min_score=0.5)
    count(page, f"{support.count(where)} of {total}")
    page.get_by_role("button", name="Score").click()
    page.locator('[role=columnheader][aria-sort="ascending"]').wait_for()
    wanted = [record.id for record in support.records(where, sort="score", limit=5).records]
    page.wait_for_function(
        "first => document.querySelector('[aria-rowindex=\"2\"]')?.dataset.record === first",
        arg=wanted[0],
    )
    assert shown(page)[: len(wanted)] == wanted
    page.get_by_role("button", name="Clear filters").click()
    page.get_by_label("Search the messages").fill("refund")
    count(page, f"{support.count(rft.RecordFilter(search='refund'))} of {total}")
    page.get_by_label("Search the messages").fill("no such words at all")
    page.get_by_text("No record matches").wait_for()
    opened.shot("nothing")


def test_everything_of_a_filter_is_deleted_and_brought_back(opened, support):
    page = table(opened, support)
    total, invalid = support.count(), support.stats.invalid_records
    choose(page, "Validity", "Invalid")
    count(page, f"{invalid} of {total}")
    page.get_by_label("Select all records of this filter").click()
    count(page, f"{invalid} selected")
    choose(page, "Validity", "Valid and not")  # the selection stays
    page.wait_for_function(
        "() => document.querySelectorAll('.rft-grid-row[data-record]').length > 4"
    )
    count(page, f"{invalid} selected")
    page.get_by_role("button", name="Delete Selected").click()
    page.get_by_role("button", name=f"Delete {invalid} records").click()
    news(page, f"{invalid} records deleted.")
    count(page, f"{total - invalid} of {total - invalid} records")
    assert support.count() == total - invalid
    page.get_by_role("button", name="Undo").click()
    news(page, f"{invalid} records brought back.")
    count(page, f"{total} of {total} records")
    assert support.count() == total


def test_a_record_made_invalid_and_valid_again(opened, support):
    page = table(opened, support, "ds.health_bar()", "ds.records_grid()")
    choose(page, "Validity", "Valid")
    grid(page).locator("[data-record]").first.click()
    pane = page.locator(".rft-rec")
    pane.locator(".rft-rec-body").wait_for()
    looks_right(opened, "record")
    name = pane.get_attribute("aria-label").removeprefix("Record ")
    before = support.record(name)
    valid = support.stats.valid_records

    pane.get_by_role("button", name="Edit").click()
    pane.get_by_text("Will be valid").wait_for()
    opened.shot("edit")
    type_instead(page, "Prompt as JSON", '[{"role": "user", "content": "no" ]')
    pane.get_by_text("Cannot be saved").wait_for()
    assert pane.get_by_role("button", name="Save", exact=True).is_disabled()
    opened.assert_accessible(".rft-grid")
    type_instead(page, "Prompt as JSON", '[{"role": "user", "content": "no"}]')
    pane.get_by_text("Will be invalid").wait_for()
    page.keyboard.press("Escape")  # the editor's own
    assert page.get_by_role("alertdialog").count() == 0
    pane.get_by_role("button", name="Cancel").focus()
    page.keyboard.press("Escape")
    page.get_by_role("alertdialog", name="Unsaved changes").wait_for()
    page.get_by_role("button", name="Cancel").last.click()
    pane.get_by_role("button", name="Save", exact=True).click()
    pane.get_by_text("The last user message has 2 characters").wait_for()
    page.locator(".rft-health", has_text=f"{valid - 1:,} valid records").wait_for()

    pane.get_by_role("button", name="Edit").click()
    pane.get_by_text("Will be").wait_for()
    support.edit_record(name, metadata={"seen": True})  # somebody else
    prompt = json.dumps([{"role": m.role, "content": m.content} for m in before.input.messages])
    type_instead(page, "Prompt as JSON", prompt)
    pane.get_by_role("button", name="Save", exact=True).click()
    pane.get_by_text("was changed by somebody else").wait_for()
    opened.shot("stale")
    pane.get_by_role("button", name="Load what is there now").click()
    pane.get_by_text("was changed by somebody else").wait_for(state="detached")
    pane.get_by_text("Will be invalid").wait_for()
    type_instead(page, "Prompt as JSON", prompt)
    pane.get_by_text("Will be valid").wait_for()
    pane.get_by_role("button", name="Save", exact=True).click()
    page.locator(".rft-health", has_text=f"{valid:,} valid records").wait_for()
    assert support.record(name).input.messages == before.input.messages
    pane.locator(".rft-rec-history li").nth(2).wait_for()
    support.edit_record(name, metadata=before.metadata)


def test_keys_and_a_record_from_row_to_row(opened, support):
    page = table(opened, support)
    order = [record.id for record in support.records(limit=20).records]
    grid(page).focus()
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    assert active(page) == order[2]
    page.keyboard.press("x")
    count(page, "1 selected")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Shift+X")
    count(page, "3 selected")
    opened.shot("picked")
    page.keyboard.press("Enter")
    page.get_by_label(f"Record {order[4]}").locator(".rft-rec-body").wait_for()
    page.keyboard.press("j")
    page.get_by_label(f"Record {order[5]}").locator(".rft-rec-body").wait_for()
    page.keyboard.press("Escape")
    page.locator(".rft-rec").wait_for(state="detached")
    page.wait_for_function("() => document.activeElement.getAttribute('role') === 'grid'")
    assert active(page) == order[5]
    page.keyboard.press("End")
    last = support.records(sort="-position", limit=1).records[0].id
    page.locator(f'[data-record="{last}"]').wait_for()
    assert active(page) == last
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keys of the table").wait_for()
    opened.shot("keys")
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    count(page, "3 selected")
    grid(page).focus()
    page.keyboard.press("/")
    page.keyboard.type("xj")
    assert page.get_by_label("Search the messages").input_value() == "xj"
    if opened.host.name == "lab":  # no key reached Lab's own commands
        assert page.locator(".jp-Notebook .jp-CodeCell").count() == 2


def test_changes_of_another_process_show_where_one_is(opened, workspace):
    ds = workspace.create("Followed")
    ds.add_records(draft(f"Question number {n}", f"Answer {n}", id=f"r{n}") for n in range(600))
    page = table(opened, ds)
    grid(page).focus()
    page.keyboard.press("End")
    page.locator('[data-record="r599"]').wait_for()
    for _ in range(5):
        page.keyboard.press("k")
    page.keyboard.press("x")
    count(page, "1 selected")
    top = offset(page, "r594")
    ds.delete_records(ds.select(ids=[f"r{n}" for n in range(100)]))
    page.locator('[role=grid][aria-rowcount="501"]').wait_for(timeout=5_000)
    page.wait_for_function(
        "() => document.querySelector('[data-record=r594]')?.ariaRowIndex === '496'"
    )
    assert abs(offset(page, "r594") - top) < 2, "it stays where it was on the screen"
    assert active(page) == "r594"
    assert page.get_by_label("Select r594").is_checked()
    ds.assign_topic("r594", "orders/late")
    page.locator('[data-record="r594"]', has_text="orders/late").wait_for(timeout=5_000)
    ds.edit_record("r593", messages=[user("no")], output=[assistant("<b>Ha</b>")])
    page.locator('[data-record="r593"]', has_text="Invalid").wait_for(timeout=5_000)
    assert active(page) == "r594"


def test_issues_open_with_a_badge_that_goes_with_them(opened, support):
    page = opened.notebook(SHOW.format(id=support.id), "ds", ready=".rft .rft-step")
    invalid, total = support.stats.invalid_records, support.count()
    page.get_by_role("button", name="View Issues").click()
    sheet = page.get_by_role("dialog", name="Records")
    sheet.locator(ROW).first.wait_for()
    count(sheet, f"{invalid} of {total}")
    assert sheet.get_by_text("Invalid records").is_visible()
    assert abs(sheet.bounding_box()["width"] - 800) < 2
    looks_right(opened, "sheet", ".rft-overlay-sheet")
    sheet.locator(ROW).first.click()
    sheet.locator(".rft-rec-body").wait_for()
    opened.shot("sheet-record")
    page.keyboard.press("Escape")
    sheet.locator(".rft-rec").wait_for(state="detached")
    sheet.locator(".rft-grid-check input").nth(1).click()
    count(sheet, "1 selected")
    opened.shot("sheet-picked")
    sheet.get_by_role("button", name="Delete Selected").click()
    page.get_by_role("button", name="Delete 1 record").click()
    news(page, "1 record deleted.")
    page.locator(".rft-grid").focus()
    sheet.get_by_role("button", name="Close").click()
    sheet.wait_for(state="detached")
    page.get_by_role("button", name="Undo").click()  # the sheet is closed by now
    news(page, "1 record brought back.")
    assert support.count() == total
    page.get_by_role("button", name="Records", exact=True).click()
    count(sheet, f"{total} of {total}")
    assert sheet.get_by_text("Invalid records").count() == 0


def test_bulk_work_topics_scores_and_a_file(opened, workspace, tmp_path):
    ds = workspace.create("Worked on")
    ds.add_records(draft(f"Question number {n}", f"Answer {n}", id=f"r{n}") for n in range(40))
    ds.set_topics({"topics": [{"name": "a"}, {"name": "b"}]})
    page = table(opened, ds)
    page.get_by_label("Select r0").click()
    page.get_by_role("button", name="Select all 40").click()
    count(page, "40 selected")
    page.get_by_role("button", name="Assign Topic").click()
    page.get_by_role("combobox", name="Topic", exact=True).last.select_option(label="b")
    page.get_by_role("button", name="Assign", exact=True).click()
    news(page, "40 records under b.")
    page.locator('[data-record="r0"]', has_text="b").wait_for()
    assert ds.count(rft.RecordFilter(topic="b")) == 40

    page.get_by_role("button", name="Evaluate").click()
    page.get_by_text("There is no grader yet").wait_for()
    page.get_by_role("button", name="Cancel").click()
    ds.set_grader(GRADER)
    page.get_by_role("button", name="Evaluate").click()
    page.get_by_text("The grader same").wait_for()
    page.get_by_role("button", name="Evaluate").last.click()
    news(page, "Evaluated")
    page.locator('[data-record="r1"]', has_text="1.00").wait_for()
    assert ds.count(rft.RecordFilter(min_score=0)) == 40

    page.get_by_label("Select r0").click()
    count(page, "39 selected")
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as caught:
        page.get_by_role("menuitem", name="Records (JSONL)").click()
    path = Path(tmp_path / "records.jsonl")
    caught.value.save_as(path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["id"] for line in lines] == [f"r{n}" for n in range(1, 40)]
    page.get_by_role("button", name="Generate from Selected").click()
    planner = page.get_by_role("dialog", name="Generate Records")
    assert planner.get_by_label("Generate from").input_value() == "selected"


GRADER = {
    "type": "string_check", "name": "same", "operation": "like",
    "input": "{{ sample.output_text }}", "reference": "Answer",
}  # fmt: skip


def test_what_records_say_is_text(opened, workspace):
    ds = workspace.create("Hostile")
    ds.add_records(
        draft(f"{payload} and more", payload, system=payload, item={payload: payload},
              metadata={"note": payload}, topic=f"t{n}", topic_confidence=0.5,
              thread_id=payload, id=f"r{n}{payload}"[:400])
        for n, payload in enumerate(PAYLOADS)
    )  # fmt: skip
    ds.set_grader(GRADER | {"name": PAYLOADS[1]})
    page = table(opened, ds)
    for index in range(4):
        grid(page).locator("[data-record]").nth(index).click()
        page.locator(".rft-rec-body").wait_for()
        page.keyboard.press("Escape")
        page.locator(".rft-rec").wait_for(state="detached")
    grid(page).locator("[data-record]").nth(1).click()
    page.locator(".rft-rec-body").wait_for()
    page.get_by_role("button", name="Edit").click()
    page.get_by_text("Will be valid").wait_for()
    assert PAYLOADS[1] in page.locator(".rft-rec").inner_text().replace('\\"', '"')
    assert page.evaluate("() => window.__xss") is None
    assert page.locator(".rft img, .rft script, .rft iframe, .rft svg animate").count() == 0


def active(page) -> str | None:
    return page.evaluate(
        "() => document.getElementById(document.querySelector('[role=grid]')"
        ".getAttribute('aria-activedescendant'))?.dataset.record ?? null"
    )


def offset(page, name: str) -> float:
    return page.locator(f'[data-record="{name}"]').bounding_box()["y"]
