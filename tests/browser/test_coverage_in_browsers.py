"""Coverage and the plan to generate, in JupyterLab and in Voila."""

from __future__ import annotations

import json

import pytest

import rft_widgets as rft

SHOW = """
import rft_widgets as rft
ds = rft.Workspace().dataset({id!r})
"""
TOPICS = {"Returns": 40, "Shipping": 20, "Billing & <b>refunds": 4}
BILLING = "Billing & <b>refunds"


@pytest.fixture
def dataset(host, tmp_path):
    lines = [
        {"messages": [{"role": "user", "content": f"Question {n} on {topic}"}], "topic": topic}
        for topic, count in TOPICS.items()
        for n in range(count)
    ] + [{"messages": [{"role": "user", "content": "Nobody sorted this one yet"}]}]
    path = tmp_path / "labelled.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with rft.Workspace(host.database) as workspace:
        made = workspace.create_from_file(path, name="Support desk")
        made.set_topics([*TOPICS])
        yield made


def test_targets_are_edited_and_the_canvas_follows(opened, dataset):
    page = opened.notebook(SHOW.format(id=dataset.id), "ds.canvas()", ready=".rft .rft-step")
    page.locator('[data-step="3"]').click()
    dialog = page.get_by_role("dialog", name="Coverage Analysis")
    dialog.get_by_text("Poor").wait_for()
    row = dialog.get_by_role("row", name="Returns")
    row.get_by_text("−29.2", exact=True).wait_for()
    row.get_by_text("Too many").wait_for()
    assert dialog.locator(".rft-topic-bar-name b").count() == 0  # names are text
    opened.assert_accessible(dialog)
    opened.assert_keyboard_reaches_all(dialog)
    opened.shot("coverage")
    if opened.host.name == "lab":
        opened.theme("dark")
        opened.assert_accessible(dialog)
        opened.shot("coverage-dark")
        opened.theme("light")

    dialog.get_by_role("button", name="Edit Targets").click()
    field = dialog.get_by_label("Target of Returns, percent")
    field.fill("90")
    dialog.get_by_text("must be 100%").wait_for()
    dialog.get_by_role("button", name="Save Targets").click()
    dialog.get_by_role("alert").get_by_text("sum").wait_for()
    opened.assert_accessible(dialog)
    opened.shot("coverage-targets-refused")
    page.keyboard.press("Escape")
    page.get_by_role("alertdialog", name="Unsaved changes").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("alertdialog").wait_for(state="detached")
    field.fill("62.5")
    dialog.get_by_label("Target of Shipping, percent").fill("31.3")
    dialog.get_by_label(f"Target of {BILLING}, percent").fill("6.2")
    page.keyboard.press("Enter")
    dialog.get_by_text("Good", exact=True).wait_for()
    assert dataset.targets["Returns"] == pytest.approx(62.5)
    page.keyboard.press("Escape")
    page.locator('[data-step="3"].rft-is-complete').wait_for()

    dataset.set_targets("uniform")  # in another process
    page.locator('[data-step="3"].rft-is-attention').wait_for()


def test_what_if_and_the_records_behind_a_bar(opened, dataset):
    page = opened.notebook(
        SHOW.format(id=dataset.id), 'ds.dialog("coverage")', ready=".rft-topic-bars"
    )
    page.get_by_role("button", name="What if…").click()
    page.locator(".rft-coverage-change", has_text="→").wait_for()
    opened.assert_accessible(".rft-dialog")
    opened.shot("coverage-what-if")
    page.get_by_role("button", name="Nothing").click()
    page.locator(".rft-coverage-change", has_text="Balance 0.10 Poor → 0.10 Poor").wait_for()
    page.get_by_label(f"Records to add to {BILLING}").fill("36")
    page.get_by_label("Records to add to Shipping").fill("20")
    page.locator(".rft-coverage-change", has_text="→ 1.00 Good").wait_for()
    page.get_by_role("button", name="Close").click()

    page.get_by_role("button", name="Shipping", exact=True).press("Enter")
    records = page.get_by_role("dialog", name="Records")
    records.get_by_text("20 of").first.wait_for()
    page.keyboard.press("Escape")
    records.wait_for(state="detached")
    assert page.locator(".rft-topic-bar-name b").count() == 0  # names are text


def test_the_plan_follows_its_settings_and_says_what_is_missing(opened, dataset):
    page = opened.notebook(
        SHOW.format(id=dataset.id), 'ds.dialog("coverage")', ready=".rft-topic-bars"
    )
    page.get_by_role("button", name="Generate to Fill Gaps").click()
    dialog = page.get_by_role("dialog", name="Generate Records")
    plan = dialog.get_by_role("region", name="Plan")
    expected = dataset.plan_generation()
    plan.locator(".rft-stat", has_text="To generate").get_by_text(str(expected.total)).wait_for()
    opened.assert_accessible(dialog)
    opened.assert_keyboard_reaches_all(dialog)
    opened.shot("generate")
    share = dialog.get_by_label("Largest share of generated records")
    share.fill("0.1")
    page.keyboard.press("Enter")
    plan.get_by_text("leaves room for 7").wait_for()
    dialog.get_by_label("Generate from").select_option("topics")
    plan.get_by_text("Choose at least one topic").wait_for()
    dialog.get_by_label("Shipping", exact=True).check()
    plan.get_by_role("row", name="Shipping").wait_for()
    assert dialog.get_by_role("button", name="Generate", exact=False).last.is_disabled()
    dialog.get_by_text("Generating asks a language model").wait_for()
    dialog.get_by_text("ws.add_connection").wait_for()
    assert dataset.stats.generated_records == 0
